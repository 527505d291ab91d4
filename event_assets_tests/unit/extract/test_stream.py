"""Streams: the key of a source, and what a response must contain."""

from typing import Any

import pytest

from event_assets.extract.records_selector import list_selector_check
from event_assets.sandbox import Sandbox
from event_assets_tests.support.project import Project


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"data": []}, None),
        ({"data": [{"id": 1}]}, None),
        ({"data": None}, "has null under `data`"),
        ({"data": {"id": 1}}, "has no list under `data`"),
        ({"items": []}, "has no `data`"),
        ([], "has no `data`"),
        (None, "has no `data`"),
    ],
)
def test_a_response_must_have_a_list_at_the_selector(document: Any, problem: str | None) -> None:
    check = list_selector_check("data")
    assert check
    assert check(document) == problem


def test_nested_selectors_are_followed() -> None:
    check = list_selector_check("result.items")
    assert check
    assert check({"result": {"items": []}}) is None
    assert check({"result": {}}) == "has no `result.items`"


@pytest.mark.parametrize("selector", [None, "$", "entries[*].event"])
def test_selectors_that_may_find_nothing_by_design_are_not_checked(selector: str | None) -> None:
    assert list_selector_check(selector) is None


def test_the_key_of_the_source_goes_before_the_common_one(project: Project, api: Sandbox) -> None:
    project.environment.setenv("EVENTS__API_KEY", "wrong")
    assert not project.sync(url=api.url).success
    project.environment.setenv("EVENTS__API_KEY", "sandbox")
    assert project.sync(url=api.url, key="wrong").success
