"""Lists in the shapes of real APIs are connected at once, or with a question that leads on."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import pytest

from event_assets import EventApi
from event_assets.component.yaml_texts import escape_braces
from event_assets.probe.connect import discover
from event_assets.probe.discovery import Discovery, Options
from event_assets.probe.runner import probe
from event_assets_tests.support.api_server import ApiServer, serving
from event_assets_tests.support.event_apis import APIS, FIRST, ListApi
from event_assets_tests.support.probe_reports import marks


def serve(api: ListApi) -> AbstractContextManager[ApiServer]:
    return serving(lambda request: api.respond(request, api.count))


def connect_to(server: ApiServer, api: ListApi, **settings: Any) -> Discovery:
    curl = api.curl.replace("URL", server.url) or None
    url = None if curl else f"{server.url}{api.path}"
    found = discover(Options(url, curl=curl, settings=settings))
    assert found.requests <= 50
    return found


def connect(api: ListApi, **settings: Any) -> Discovery:
    with serve(api) as server:
        return connect_to(server, api, **settings)


@pytest.mark.parametrize("name", APIS)
def test_a_list_is_found_with_all_its_records_names_and_times(name: str) -> None:
    api = APIS[name]
    found = connect(api)
    assert [one.setting for one in found.open_questions] == ([api.asks] if api.asks else [])
    facts = {fact.subject: fact for fact in found.facts}
    read = facts.get("end", facts["pages"])
    if not api.asks:
        assert read.evidence.startswith(f"{api.count:,} ") or read.value.startswith(
            f"{api.count:,} "
        )
    first = found.events[0]
    assert first["id"] is not None
    assert first["name"].startswith("Concert ")
    assert facts["start_time"].certainty == api.doubts
    if api.doubts != "likely":
        assert first["start_time"] == FIRST


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("name", [name for name, api in APIS.items() if not api.asks])
def test_the_probe_has_nothing_to_correct_in_what_connect_writes(name: str) -> None:
    with serve(APIS[name]) as server:
        attributes = connect_to(server, APIS[name]).document["attributes"]
        attributes["rest_api"] = escape_braces(attributes["rest_api"])  # as the component reads it
        report = probe(EventApi(**attributes).source("events"))
    assert (marks(report, "fail"), report.changes) == ({}, {})


def ignore(**response: Any) -> dict[str, Any]:
    return {"response_actions": [{**response, "action": "ignore"}]}


@pytest.mark.parametrize(
    ("name", "answer", "settings"),
    [
        ("500 behind the end", "it ends there", ignore(status_code=500)),
        ("words behind the end", "it ends there", ignore(content="You have seen it all")),
        ("algolia, cut off", "these are all", {"windows": None}),
        ("200 of a total", "these are all, the total is wrong", {"paginator.total_path": None}),
    ],
)
def test_a_question_about_the_end_has_an_answer_that_leads_on(
    name: str, answer: str, settings: dict[str, Any]
) -> None:
    assert connect(APIS[name]).open_questions[0].choices == {answer: settings}
    assert connect(APIS[name], **settings).open_questions == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("algolia, cut off", "`nbHits` of 1,300"),
        ("200 of a total", "`total` of 901"),
        ("github", 'It refused the next page. It says: "Only the first 1000 search results'),
        ("elasticsearch", "Result window is too large"),
    ],
)
def test_a_list_that_is_cut_off_is_read_in_windows(name: str, said: str) -> None:
    question = connect(APIS[name]).open_questions[0]
    assert said in question.text
    assert "--set windows.param_from=" in question.text
    windows = {"windows.param_from": "from", "windows.param_to": "to", "windows.cap": "200"}
    assert connect(APIS[name], **windows).open_questions == []
