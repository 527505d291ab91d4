"""Streams: the key of a source, what a response must contain, and where a list ends."""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse

from event_assets.extract.records_selector import list_selector_check
from event_assets.sandbox import Sandbox
from event_assets_tests.support.platforms import events, serving, source
from event_assets_tests.support.project import Project
from event_assets_tests.support.streams import read_all, reading


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


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    "paginator", [{"type": "offset", "limit": 20}, {"type": "page_number", "base_page": 0}]
)
def test_a_response_that_response_actions_ignore_is_reported_as_the_end_of_the_list(
    paginator: dict[str, Any],
) -> None:
    def first_page_only(request: Request) -> Any:
        if any(int(request.query_params.get(name) or 0) for name in ("offset", "page")):
            return JSONResponse({}, status_code=404)
        return {"data": events(20)}

    with serving({"/v1/events": first_page_only}) as api:
        rest_api = source(api.url)["attributes"]["rest_api"]
        rest_api["resources"][0]["endpoint"] |= {
            "paginator": paginator,
            "response_actions": [{"status_code": 404, "action": "ignore"}],
        }
        with reading(rest_api) as stream:
            assert len(read_all(stream)) == 20
            assert stream.result.complete is None
            assert stream.result.reason == (
                "20 rows received; paging stopped at a response that response_actions ignore."
            )
