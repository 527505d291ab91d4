"""The end of a list is reached, or what its pages leave open becomes a question."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from event_assets.probe.connect import discover
from event_assets.probe.discovery import Options
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.discoveries import (
    ROWS,
    asked,
    by_cursor,
    by_header_link,
    by_page,
    connect,
    endpoint,
    values_of,
    whole,
)
from event_assets_tests.support.event_records import events, number


@pytest.mark.parametrize("count", [1_013, 2_037])
def test_the_last_page_of_a_long_list_is_looked_for(count: int) -> None:
    rows, last = events(count), -(-count // 20)

    def answer(request: Request) -> Any:
        return {"events": rows[(number(request, "page", 1) - 1) * 20 :][:20]}

    found = connect(answer)
    assert asked(found) == []
    assert values_of(found, "end") == [
        f"page {last} has records, page {last + 1} has none: about {20 * last:,}"
    ]


def test_a_page_that_php_wrote_as_an_object_is_read_as_a_sync_reads_it() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "offset")
        page = ROWS[at : at + 20]
        return {"events": {str(at + n): row for n, row in enumerate(page)} if at else page}

    assert values_of(connect(answer), "end") == [f"{len(ROWS)} records, to the end"]


@pytest.mark.parametrize(
    ("count", "more"),
    [(50, {}), (37, {"total": 90}), (17, {"found": 64}), (17, {"info": {"more_records": True}})],
)
def test_a_page_that_may_not_be_all_is_an_open_question(
    count: int, more: Mapping[str, Any]
) -> None:
    assert asked(connect(lambda _: {"events": events(count), **more})) == ["paginator"]


@pytest.mark.parametrize("most", [72, 96, 99, 199])
def test_rows_up_to_the_limit_of_a_page_size_may_not_be_all(most: int) -> None:
    rows = events(205)
    found = connect(lambda request: {"events": rows[: min(number(request, "limit", 20), most)]})
    assert asked(found) == ["paginator"]


def test_a_pointer_that_nothing_takes_is_named() -> None:
    found = connect(lambda _: {"events": events(50), "next_cursor": "c50"})
    assert "`next_cursor` in the response leads to more" in found.open_questions[0].text


@pytest.mark.parametrize("count", [7, 37, 93])
@pytest.mark.parametrize("said", [{}, {"has_more": False}, {"total": None}])
def test_a_lone_page_is_whole_only_if_the_response_says_so(
    count: int, said: Mapping[str, Any]
) -> None:
    more = {name: count if value is None else value for name, value in said.items()}
    found = connect(lambda _: {"events": events(count), **more})
    assert [one.setting for one in found.questions] == ([] if said else ["paginator"])
    certain = [fact.certainty == "sure" for fact in found.facts if fact.subject == "pages"]
    assert certain == [bool(said)]
    assert asked(found) == []
    assert endpoint(found)["paginator"] == ("single_page" if said else "auto")


@pytest.mark.parametrize(
    ("count", "is_all"),
    [(99, False), (137, True), (330, True), (150, False), (120, False), (256, False)],
)
def test_a_long_lone_page_of_no_usual_length_is_whole(count: int, is_all: bool) -> None:
    found = connect(lambda _: {"events": events(count)})
    assert [one.setting for one in found.questions] == ([] if is_all else ["paginator"])


@pytest.mark.parametrize("count", [93, 137])
def test_what_dlt_would_follow_beside_a_lone_page_is_asked_about(count: int) -> None:
    page = {"events": events(count), "next_date": "2027-04-01"}
    [question] = connect(lambda _: page).open_questions
    assert question.choices == {"that is the whole list": {"paginator": "single_page"}}


def test_links_that_go_on_behind_the_end_are_asked_about() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "at")
        return {"events": ROWS[at : at + 40], "next": f"{request.url.path}?at={at + 40}"}

    [question] = connect(answer).open_questions
    assert "Behind 95 records, 5 empty pages in a row lead on all" in question.text


def test_a_graphql_query_without_a_variable_is_told_to_declare_one() -> None:
    body = json.dumps({"query": "{ events { edges { node { id } } pageInfo { hasNextPage } } }"})
    page = {"edges": [{"node": row} for row in ROWS[:20]], "pageInfo": {"hasNextPage": True}}
    with serving(lambda _: {"data": {"events": page}}) as api:
        found = discover(Options(None, curl=f"curl {api.url}/graphql -d '{body}'"))
    [question] = found.open_questions
    assert "declare one, such as by `query($after: String)" in question.text


def test_a_lone_page_shorter_than_was_asked_for_is_whole() -> None:
    found = connect(lambda request: {"events": events(min(37, number(request, "limit", 37)))})
    assert found.questions == []


def test_a_list_that_comes_shuffled_is_asked_for_its_order() -> None:
    chance = random.Random(7)

    def answer(_: Request) -> Any:
        return {"events": chance.sample(ROWS, 20), "total": len(ROWS)}

    found = connect(answer, "/v1/events?offset=0&limit=20")
    assert "Which parameter sorts the list?" in found.open_questions[0].text
    assert values_of(found, "pages") == ["unknown"]


@pytest.mark.parametrize("answer", [by_page, by_cursor, by_header_link])
@pytest.mark.parametrize("settings", [{}, {"paginator.total_path": None}])
def test_a_total_that_is_more_than_the_records_is_asked_about(answer: Any, settings: Any) -> None:
    found = connect(lambda request: answer(request, total=len(ROWS) + 7), settings=settings)
    choices = [[*question.choices.values()] for question in found.open_questions]
    assert choices == ([] if settings else [[{"paginator.total_path": None}]])
    if settings:
        assert endpoint(found)["paginator"]["total_path"] is None


@pytest.mark.parametrize("settings", [{}, {"windows": None}])
def test_a_list_of_just_a_thousand_records_is_asked_about(settings: Mapping[str, Any]) -> None:
    rows = events(1_000)

    def answer(request: Request) -> Any:
        at = number(request, "offset")
        return {"events": rows[at : at + 100], "total": 1_000}

    found = connect(answer, settings=settings)
    assert asked(found) == ([] if settings else ["windows"])
    assert "windows" not in found.document["attributes"]


def test_a_question_is_answered_by_a_setting() -> None:
    settings = {"paginator": "single_page", "fields.name.from": "id", "schedule": None}
    found = connect(whole(events(50)), settings=settings)
    assert asked(found) == []
    assert found.document["attributes"]["fields"]["name"]["from"] == "id"
    assert "schedule" not in found.document["attributes"]


def test_no_content_behind_the_last_page_may_be_the_end() -> None:
    def answer(request: Request) -> Any:
        page = by_page(request)
        return page if page["events"] else Response(status_code=204)

    [question] = connect(answer).open_questions
    assert question.text == (
        "Behind 95 records, the API returned 204 No Content. Does the list end there?"
    )
    [choice] = question.choices.values()
    assert asked(connect(answer, settings=choice)) == []


def test_a_text_behind_the_last_page_is_told_once() -> None:
    def answer(request: Request) -> Any:
        page = by_page(request)
        return page if page["events"] else Response("No results")

    [question] = connect(answer).open_questions
    told = 'Behind 95 records, the API returned 200 OK, but no JSON. It says: "No results".'
    assert told in question.text
    assert question.text.count("It says") == 1
