"""How a list is paged is found out with few requests; what is in doubt becomes a question."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from event_assets.probe.connect import discover
from event_assets.probe.discovery import Options
from event_assets.sandbox import KEY as SANDBOX_KEY
from event_assets.values.errors import ApiError, ConfigError
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.discoveries import (
    ROWS,
    Answer,
    asked,
    by_cursor,
    by_offset,
    by_page,
    connect,
    endpoint,
    values_of,
    whole,
)
from event_assets_tests.support.event_records import events, number
from event_assets_tests.support.sandbox import Faults, Sandbox

BY_NUMBER = {"type": "page_number", "base_page": 1, "page_param": "page"}


def by_link(request: Request) -> Any:
    """Return a page with a link to the next one, which leaves out the size."""
    at, size = number(request, "page", 1), min(number(request, "per_page", 20), 50)
    following = f"/v1/events?page={at + 1}" if at * size < len(ROWS) else None
    return {"events": ROWS[(at - 1) * size : at * size], "next": following}


def by_token(request: Request) -> Any:
    """Return a page behind a token that is called `offset`, and refuse numbers."""
    asked_for = request.query_params.get("offset", "itr/0")
    if not asked_for.startswith("itr/"):
        return Response(status_code=422)
    at = int(asked_for.removeprefix("itr/")) + 20
    return {"records": ROWS[at - 20 : at], **({"offset": f"itr/{at}"} if at < len(ROWS) else {})}


def by_numbered_id(request: Request) -> Any:
    """Return a page with a number that is called as the last id."""
    at, size = number(request, "startingAfter"), number(request, "limit", 20)
    more = {"startingAfter": at + size} if at + size < len(ROWS) else {}
    return {"events": ROWS[at : at + size], "hasMore": bool(more), **more}


def in_brackets(request: Request) -> Any:
    """Return a page by parameters that the response shows in an object."""
    size, page = number(request, "pagination[pageSize]", 20), number(request, "pagination[page]", 1)
    shown = {"page": page, "pageSize": size, "total": len(ROWS)}
    return {"data": ROWS[(page - 1) * size : page * size], "meta": {"pagination": shown}}


def by_page_from_0(request: Request) -> Any:
    """Return a page by a number that is called an offset."""
    at = number(request, "pageoffset") * 20
    return {"events": ROWS[at : at + 20], "totalevents": len(ROWS)}


def by_start_page(request: Request) -> Any:
    """Return a page by the names of two search services."""
    at, size = number(request, "startPage", 1) - 1, number(request, "numOfRows", 20)
    return {"events": ROWS[at * size : (at + 1) * size]}


def strict(request: Request) -> Any:
    """Refuse parameters that are not known, by their names."""
    if others := {*request.query_params} - {"take", "skip"}:
        said = [f"property {name} should not exist" for name in others]
        return JSONResponse({"message": said}, 400)
    return by_offset("skip", "take")(request)


def hidden_rows(request: Request) -> Any:
    """Return pages of which every seventh row is left out, so that none has the usual length."""
    at = number(request, "offset")
    return {"events": [row for row in ROWS[at : at + 20] if int(row["id"][1:]) % 7]}


def read_twice(request: Request) -> Any:
    """Return a page of ids beside their records, with the number of pages."""
    size = min(number(request, "limit", 10), 25)
    rows = ROWS[(number(request, "page", 1) - 1) * size :][:size]
    pages = {"pages": -(-len(ROWS) // size), "count": len(ROWS), "limit": size}
    about = {"pagination": pages, "items": [row["id"] for row in rows]}
    return {"events": about, "entities": {"events": {row["id"]: row for row in rows}}}


def one_page(request: Request) -> Any:
    """Return a list as long as a page often is, and nothing behind it."""
    return {"events": ROWS[:20] if number(request, "page", 1) == 1 else []}


def without_a_list_at_times(sent: Any) -> Answer:
    count = 0

    def answer(request: Request) -> Any:
        nonlocal count
        count += 1
        return by_page(request) if count % 5 else sent

    return answer


def by_header_cursor(request: Request) -> Any:
    """Return a page with the cursor to the next one in a header."""
    at = number(request, "cursor")
    more = {"X-Next-Cursor": str(at + 20)} if at + 20 < len(ROWS) else {}
    return JSONResponse({"events": ROWS[at : at + 20]}, headers=more)


def by_prefixed_cursor(request: Request) -> Any:
    """Return a page whose parameters have the same prefix."""
    at, size = number(request, "$cursorNext"), number(request, "$limit", 20)
    more = str(at + size) if at + size < len(ROWS) else None
    return {"results": ROWS[at : at + size], "cursorNext": more}


def older_than(name: str, *, with_itself: bool = False) -> Answer:
    """Answer with the events before that of an id, the last ones first, perhaps with itself."""
    rows = ROWS[::-1]

    def answer(request: Request) -> Any:
        ids = [row["id"] for row in rows]
        at = ids.index(last) + (not with_itself) if (last := request.query_params.get(name)) else 0
        return {"events": rows[at : at + 20]}

    return answer


FOUND: list[tuple[Answer, Mapping[str, Any]]] = [
    (by_page, BY_NUMBER),
    (by_link, {"type": "json_link", "next_url_path": "next"}),
    (by_cursor, {"cursor_path": "next_cursor", "cursor_param": "cursor"}),
    (by_header_cursor, {"type": "header_cursor", "cursor_key": "x-next-cursor"}),
    (by_token, {"type": "cursor", "cursor_path": "offset", "cursor_param": "offset"}),
    (by_numbered_id, {"type": "cursor", "cursor_path": "startingAfter"}),
    (in_brackets, {"type": "page_number", "page_param": "pagination[page]"}),
    (by_page_from_0, {"type": "page_number", "page_param": "pageoffset", "base_page": 0}),
    (by_start_page, {"type": "page_number", "page_param": "startPage"}),
    (strict, {"offset_param": "skip", "limit_param": "take"}),
    (by_offset("options[offset]", "options[limit]"), {"offset_param": "options[offset]"}),
    (by_offset("_skip", "_limit"), {"offset_param": "_skip", "limit_param": "_limit"}),
    (by_prefixed_cursor, {"cursor_path": "cursorNext", "cursor_param": "$cursorNext"}),
    (older_than("before"), {"cursor_path": "events[-1].id", "cursor_param": "before"}),
    (older_than("max_id", with_itself=True), {"type": "cursor", "cursor_param": "max_id"}),
    (hidden_rows, {"type": "offset", "offset_param": "offset"}),
    (read_twice, {"type": "page_number", "page_param": "page"}),
    (one_page, BY_NUMBER),
    (without_a_list_at_times({"events": None}), BY_NUMBER),
    (without_a_list_at_times({}), BY_NUMBER),
    (lambda request: by_page(request, total=50), {**BY_NUMBER, "total_path": None}),
]


@pytest.mark.parametrize(("answer", "paginator"), FOUND)
def test_a_paginator_is_found_that_brings_all_pages(
    answer: Answer, paginator: Mapping[str, Any]
) -> None:
    found = connect(answer)
    assert asked(found) == []
    assert endpoint(found)["paginator"].items() >= paginator.items()
    assert found.facts[-1].evidence.startswith("unique in ")


def test_a_parameter_that_ends_the_list_is_no_page_size() -> None:
    def answer(request: Request) -> Any:
        top, at = number(request, "$top", 0), number(request, "$skiptoken")
        link = f"{request.url.path}?$skiptoken={at + 40}"
        return {
            "value": ROWS[at : at + (top or 40)],
            **({} if top or at > 40 else {"@odata.nextLink": link}),
        }

    found = connect(answer)
    assert endpoint(found)["paginator"] == {"type": "json_link", "next_url_path": "@odata.nextLink"}
    assert endpoint(found).get("params") is None
    assert values_of(found, "end") == ["95 records, to the end"]


def test_the_whole_endpoint_is_written() -> None:
    found = connect(by_page)
    assert found.questions == []
    assert endpoint(found) == {
        "path": "/events",
        "params": {"per_page": 50},
        "data_selector": "events",
        "paginator": BY_NUMBER,
    }


@pytest.mark.parametrize(("said", "size"), [("Invalid limit", 20), ("at most 50", 50)])
def test_a_page_size_that_is_forbidden_is_asked_for_once(said: str, size: int) -> None:
    def answer(request: Request) -> Any:
        is_large = number(request, "per_page", 20) > 50
        return JSONResponse({"error": said}, 403) if is_large else by_page(request)

    found = connect(answer)
    assert (asked(found), values_of(found, "end")) == ([], ["95 records, to the end"])
    assert endpoint(found)["params"] == {"per_page": size}


PASTED: dict[str, tuple[str, str, int]] = {  # what is pasted: the parameters, the first number
    "_page=1&_limit=50": ("_page", "_limit", 1),
    "Page=2&PageSize=50": ("Page", "PageSize", 1),
    "PageIndex=0&PageSize=50": ("PageIndex", "PageSize", 0),
    "pagination[page]=1&pagination[size]=50": ("pagination[page]", "pagination[size]", 1),
    "seite=1&anzahl=50": ("seite", "anzahl", 1),
    "cp=1&rpp=50": ("cp", "rpp", 1),
    "_start=50&_limit=50": ("_start", "_limit", 0),
    "start-index=0&max-results=50": ("start-index", "max-results", 0),
    "skipCount=0&maxResultCount=50": ("skipCount", "maxResultCount", 0),
    "pagination[start]=0&pagination[limit]=50": ("pagination[start]", "pagination[limit]", 0),
}


@pytest.mark.parametrize("query", PASTED)
def test_the_parameters_in_the_address_are_tried(query: str) -> None:
    name, size_name, base = PASTED[query]
    is_offset = any(word in name.lower() for word in ("start", "skip"))

    def answer(request: Request) -> Any:
        size, value = number(request, size_name, 10), number(request, name, base)
        at = value if is_offset else (value - base) * size
        return {"events": ROWS[at : at + size], "total": len(ROWS)}

    found = connect(answer, f"/v1/events?{query}")
    assert found.questions == []
    paginator = endpoint(found)["paginator"]
    assert paginator["offset_param" if is_offset else "page_param"] == name
    assert name not in endpoint(found).get("params", {})


@pytest.mark.parametrize("count", [1, 2, 3, 20])
@pytest.mark.parametrize("size", ["limit", "posts_per_page", "stueck"])
def test_the_page_size_of_an_example_is_made_larger(size: str, count: int) -> None:
    with serving(by_offset("start", size)) as api:
        found = discover(Options(f"{api.url}/v1/events?{size}={count}&zone=7"))
    assert endpoint(found)["paginator"] == {
        "type": "offset",
        "offset_param": "start",
        "limit_param": size,
        "limit": 100,
    }
    assert endpoint(found)["params"] == {"zone": "7"}
    assert values_of(found, "end") == ["95 records, to the end"]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("query", ["", "?offset=0", "?offset=0&limit=50"])
def test_an_offset_is_found_in_a_list_of_a_few_events(query: str, count: int) -> None:
    def answer(request: Request) -> Any:
        at = number(request, "offset")
        return {"events": ROWS[:count][at : at + number(request, "limit", 20)]}

    found = connect(answer, f"/v1/events{query}")
    assert asked(found) == []
    paginator = endpoint(found)["paginator"]
    assert (paginator["type"], paginator["offset_param"]) == ("offset", "offset")
    assert paginator["limit"] >= (50 if "limit" in query else max(2, count))


@pytest.mark.parametrize("count", [2, 3, 5])
def test_an_offset_that_counts_pages_is_found_in_a_list_of_a_few_events(count: int) -> None:
    def answer(request: Request) -> Any:
        at, size = number(request, "offset"), number(request, "limit", 20)
        return {"events": ROWS[:count][at * size : (at + 1) * size]}

    paginator = endpoint(connect(answer, "/v1/events?offset=0&limit=20"))["paginator"]
    assert paginator == {"type": "page_number", "base_page": 0, "page_param": "offset"}


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_a_number_of_rows_that_begins_with_1_is_found_in_a_list_of_a_few_events(count: int) -> None:
    def answer(request: Request) -> Any:
        at = number(request, "startIndex", 1) - 1
        return {"events": ROWS[:count][at : at + number(request, "count", 20)]}

    found = endpoint(connect(answer, "/v1/events?startIndex=1&count=20"))
    paginator = found["paginator"]
    assert (paginator["offset_param"], paginator["offset"]) == ("startIndex", 1)
    assert (paginator["limit_param"], "params" in found) == ("count", False)


def test_an_unknown_parameter_that_is_answered_by_500_is_asked_about_once() -> None:
    def answer(request: Request) -> Any:
        if {*request.query_params} - {"offset", "limit"}:
            return JSONResponse({"error": "Internal Server Error"}, 500)
        return by_offset("offset", "limit")(request)

    found = connect(answer)
    assert endpoint(found)["paginator"]["offset_param"] == "offset"
    assert asked(found) == []


def test_a_filter_that_may_be_the_number_of_a_page_is_told() -> None:
    found = connect(by_page, "/v1/events?from=20&price[from]=5")
    assert "--set params.from=20" in found.questions[0].text
    assert asked(found) == []
    assert endpoint(found)["params"]["price[from]"] == "5"


def test_a_flag_that_is_called_page_stays_in_the_address() -> None:
    """`?page=true` is how ActivityPub asks for the list."""

    def answer(request: Request) -> Any:
        return {"events": events(7), "total": 7} if "page" in request.query_params else {"id": 1}

    assert endpoint(connect(answer, "/v1/events?page=true"))["params"] == {"page": "true"}


def test_the_offset_is_tried_by_the_name_that_goes_with_that_of_the_page_size() -> None:
    with serving(by_offset("$skip", "$top")) as api:
        found = discover(Options(f"{api.url}/v1/events"))
        assert not any("offset" in request.query_params for request in api.requests)
    assert endpoint(found)["paginator"]["offset_param"] == "$skip"


def test_of_all_names_of_a_page_size_the_most_usual_is_tried_first() -> None:
    with serving(by_offset("offset", "limit")) as api:
        discover(Options(f"{api.url}/v1/events"))
        tried = [{*request.query_params} for request in api.requests]
    all_names = next(names for names in tried if {"limit", "rows"} <= names)
    assert tried[tried.index(all_names) + 1] == {"limit"}


def test_the_names_in_a_strict_body_are_tried_one_by_one() -> None:
    def answer(request: Request) -> Any:
        body = json.loads(request.state.body)
        if {*body} - {"start_cursor", "page_size"}:
            return JSONResponse({"message": "body failed validation"}, 400)
        at = int(body.get("start_cursor", 0))
        more = {"next_cursor": str(at + 20)} if at + 20 < len(ROWS) else {}
        return {"results": ROWS[at : at + 20], "has_more": bool(more), **more}

    with serving(answer) as api:
        found = discover(Options(None, curl=f"curl {api.url}/v1/query -d '{{}}' -X POST"))
    assert asked(found) == []
    assert endpoint(found)["paginator"]["cursor_body_path"] == "start_cursor"


def test_an_offset_in_a_body_without_a_page_size_is_found() -> None:
    def answer(request: Request) -> Any:
        at = int(json.loads(request.state.body).get("from", 0))
        return {"events": ROWS[at : at + 20], "total": len(ROWS)}

    with serving(answer) as api:
        found = discover(Options(None, curl=f"curl {api.url}/v1/query -d '{{\"from\": 0}}'"))
    assert asked(found) == []
    assert endpoint(found)["paginator"]["offset_body_path"] == "from"
    assert values_of(found, "end") == ["95 records, to the end, as the API reports (95)"]


@pytest.mark.parametrize("most", [30, 40, 75])
def test_the_page_size_is_what_the_api_sends_at_most(most: int) -> None:
    def answer(request: Request) -> Any:
        size = min(number(request, "per_page", 20), most)
        return {"events": ROWS[(number(request, "page", 1) - 1) * size :][:size]}

    found = connect(answer)
    assert (endpoint(found)["params"], found.questions) == ({"per_page": most}, [])


def test_a_page_behind_the_last_id_shows_that_the_page_size_is_capped() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "after_id")
        return {
            "events": [{**row, "id": int(row["id"][1:]) + 1} for row in ROWS[at:]][
                : min(number(request, "limit", 20), 34)
            ]
        }

    found = connect(answer)
    assert endpoint(found)["params"] == {"limit": 34}
    assert [fact.evidence for fact in found.facts if fact.subject == "page size"] == [
        "1000 requested, 34 received"
    ]


def test_no_page_size_is_written_that_the_links_leave_out() -> None:
    assert "params" not in endpoint(connect(by_link))


def test_a_list_that_comes_whole_is_read_in_pages_and_the_reason_is_told() -> None:
    def answer(request: Request) -> Any:
        size, page = number(request, "per_page", 20), number(request, "page", 1)
        return {"events": events(437)[(page - 1) * size : page * size]}

    assert [fact.evidence for fact in connect(answer).facts if fact.subject == "page size"] == [
        "1000 requested, 437 received, the whole list: several pages show that it ends there"
    ]


def test_a_short_list_is_read_in_two_pages_where_only_a_link_that_was_there_tells_its_end() -> None:
    def answer(request: Request) -> Any:
        at, size = number(request, "start"), min(number(request, "max", 10), 100)
        link = f'<{request.url.path}?start={at + size}&max={size}>; rel="next"'
        return JSONResponse(
            {"items": ROWS[at:][:size]}, headers={"Link": link} if at + size < 95 else {}
        )

    found = connect(answer)
    assert (endpoint(found)["params"], found.questions) == ({"max": 50}, [])
    assert [fact.certainty for fact in found.facts if fact.subject == "end"] == ["sure"]


SHORT = [(2, 100), (3, 100), (7, 100), (10, 100), (25, 100), (100, 50), (200, 100)]


@pytest.mark.parametrize(("count", "size"), SHORT)
@pytest.mark.parametrize("is_always_there", [False, True])
def test_the_page_size_is_not_the_length_of_a_short_list(
    count: int, size: int, is_always_there: bool
) -> None:
    """The API repeats what was asked for, which is no total, perhaps with a link to no page."""

    def answer(request: Request) -> Any:
        at, limit = number(request, "at"), min(number(request, "limit", 20), 200)
        behind = min(at + limit, count)
        link = f"{request.url.path}?at={behind}&limit={limit}"
        paging = {"count": limit, "next": link if behind < count or is_always_there else None}
        return {"events": events(count)[at:][:limit], "paging": paging}

    found = endpoint(connect(answer))
    assert found["params"] == {"limit": size}
    assert found["paginator"] == {"type": "json_link", "next_url_path": "paging.next"}


def test_no_page_size_is_written_that_the_api_refuses() -> None:
    def answer(request: Request) -> Any:
        at, size = number(request, "at"), number(request, "limit", 10)
        if size > 50:
            return JSONResponse({"error": "limit must be between 1 and 50"}, 400)
        more = at + size if at + size < 33 else None
        return {"events": events(33)[at:][:size], "next": more and f"?at={more}&limit={size}"}

    assert endpoint(connect(answer))["params"] == {"limit": 50}


@pytest.mark.parametrize("most", [47, 50])
def test_a_page_that_is_shorter_than_was_asked_for_may_not_be_the_last(most: int) -> None:
    """The API sends so many records at most, and a link behind as many as were asked for."""

    def answer(request: Request) -> Any:
        at, size = number(request, "start"), number(request, "limit", 20)
        rows = ROWS[at:][: min(size, most)]
        more = {"next": f"{request.url.path}?start={at + size}&limit={size}"}
        return {"events": rows, **(more if len(rows) == size else {})}

    found = connect(answer)
    assert (endpoint(found)["params"], found.questions) == ({"limit": most}, [])


@pytest.mark.parametrize("count", [3, 20])
def test_a_link_that_leads_to_an_empty_page_is_followed(count: int) -> None:
    def answer(request: Request) -> Any:
        at = number(request, "after")
        rows = events(count)[at:][:100]
        return {"items": rows, "next": f"{request.url.path}?after={at + len(rows)}"}

    found = connect(answer)
    assert endpoint(found)["paginator"] == {"type": "json_link", "next_url_path": "next"}
    assert asked(found) == []


def test_a_cursor_beside_the_link_is_no_sign_of_more() -> None:
    def answer(request: Request) -> Any:
        at, size = number(request, "after", 0), number(request, "limit", 20)
        behind = at + size
        more = {"next": f"{request.url.path}?after={behind}&limit={size}"} if behind < 95 else {}
        return {"data": ROWS[at:behind], "paging": {"cursors": {"after": str(behind)}, **more}}

    assert endpoint(connect(answer))["params"] == {"limit": 100}


@pytest.mark.parametrize(
    "faults",
    [Faults(delete_every=3), Faults(insert_every=3), Faults(delete_every=3, insert_every=4)],
)
def test_offsets_are_found_although_the_list_changes_between_the_requests(faults: Faults) -> None:
    with Sandbox(437, faults=faults) as api:
        found = discover(Options(f"{api.url}/v1/events", keys=[SANDBOX_KEY]))
    assert asked(found) == []
    assert endpoint(found)["paginator"]["type"] == "offset"


def test_parameters_that_a_refusal_allows_are_tried_first() -> None:
    def answer(request: Request) -> Any:
        if unknown := {*request.query_params} - {"skipCount", "rpp"}:
            said = f"{min(unknown)} is no parameter. Allowed are: rpp, skipCount"
            return JSONResponse({"error": said}, 400)
        at, size = number(request, "skipCount", 0), number(request, "rpp", 20)
        return {"events": ROWS[at : at + size]}

    paginator = endpoint(connect(answer))["paginator"]
    assert (paginator["limit_param"], paginator["offset_param"]) == ("rpp", "skipCount")


def test_what_was_not_requested_says_nothing_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("event_assets.probe.connect.MAX_TO_FIND_OUT", 1)
    found = connect(by_page)
    [question] = found.open_questions
    assert "1 requests were too few to try all. Say what" in question.text
    assert not values_of(found, "unknown parameters") + values_of(found, "order")


def test_lists_of_events_side_by_side_are_asked_about() -> None:
    lists = {"past": ROWS[:17], "live": ROWS[20:21], "upcoming": ROWS[30:43], "top": ROWS[:2]}
    [question] = connect(lambda _: {"data": {**lists, "venues": [{"name": "x"}]}}).open_questions
    assert "Beside `past`, there are records like them in `live`, `upcoming`." in question.text
    found = connect(lambda _: {"data": lists}, settings=question.choices["all"])
    assert asked(found) == []
    assert endpoint(found)["data_selector"] == "data['past','live','upcoming'][*]"


@pytest.mark.parametrize(
    ("name", "own"), [("venues", {}), ("leagues", {"season": {"startDate": "2026-07-01T04:00Z"}})]
)
def test_another_list_beside_the_events_is_left_out(name: str, own: Mapping[str, Any]) -> None:
    def answer(request: Request) -> Any:
        page = by_page(request)
        others = [{"id": f"v{at}", "name": f"Hall {at}", **own} for at in range(5)]
        return {**page, name: others if page["events"] else []}

    found = connect(answer)
    assert (asked(found), endpoint(found)["data_selector"]) == ([], "events")


def by_odd_page(first: int) -> Answer:
    """Answer with pages of 20 that are counted from a number on; those before it are refused."""

    def answer(request: Request) -> Any:
        at = (number(request, "blatt", first) - first) * 20
        return {"events": ROWS[at : at + 20]} if at >= 0 else JSONResponse({}, 400)

    return answer


ODD_PAGE = {"paginator.type": "page_number", "paginator.page_param": "blatt"}
ODD_OFFSET = {"paginator.type": "offset", "paginator.offset_param": "von"}
SAID: list[tuple[Answer, Mapping[str, Any], Mapping[str, Any]]] = [
    (by_odd_page(1), ODD_PAGE, {"type": "page_number", "base_page": 1, "page_param": "blatt"}),
    (by_odd_page(0), ODD_PAGE, {"type": "page_number", "page_param": "blatt"}),
    (by_odd_page(1), {"paginator.page_param": "blatt"}, {"type": "page_number", "base_page": 1}),
    (by_offset("von", "n"), ODD_OFFSET, {"offset_param": "von", "limit_param": "n"}),
    (
        by_offset("von", "stueck"),
        {**ODD_OFFSET, "paginator.limit_param": "stueck"},
        {"offset_param": "von", "limit_param": "stueck", "limit": 100},
    ),
    (by_offset("offset", "limit"), {"paginator": "offset"}, {"type": "offset", "limit": 100}),
    (by_page, {"paginator": "page_number"}, BY_NUMBER),
    (whole(events(13)), ODD_OFFSET, {"type": "offset", "offset_param": "von"}),
]


@pytest.mark.parametrize(("answer", "settings", "paginator"), SAID)
def test_what_was_said_of_the_paginator_is_completed(
    answer: Answer, settings: Mapping[str, Any], paginator: Mapping[str, Any]
) -> None:
    found = connect(answer, settings=settings)
    assert asked(found) == []
    assert endpoint(found)["paginator"].items() >= paginator.items()


@pytest.mark.parametrize(
    ("answer", "settings", "problem"),
    [
        (by_offset("von", "n"), {**ODD_PAGE, "paginator.page_param": "von"}, "`von` counts rows"),
        (by_page, {"paginator": "json_link"}, "is no `json_link`: `page` counts pages from 1"),
        (by_cursor, {"paginator.type": "offset", "paginator.limit": "x"}, "is no `offset`"),
        (whole(events(40)), {"paginator.type": "offset", "paginator.limit": "x"}, "as it was set"),
        (by_page, {"paginator.typ": "offset"}, "cannot be used as it was set"),
        (
            lambda request: {"events": ROWS[: number(request, "limit", 30)]},
            {"paginator.type": "cursor", "paginator.cursor_path": "next"},
            "ends after 10 of 30 records, on pages of 10",
        ),
    ],
)
def test_a_setting_that_the_api_disproves_is_one_sentence(
    answer: Answer, settings: Mapping[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        connect(answer, settings=settings)


@pytest.mark.parametrize(("count", "settings"), [(95, []), (20, ["paginator"])])
def test_a_list_that_an_unknown_parameter_empties_is_stable(
    count: int, settings: list[str]
) -> None:
    def answer(request: Request) -> Any:
        unknown = sorted({*request.query_params} - {"season", "page"})
        at = (number(request, "page", 1) - 1) * 20
        rows = [] if unknown else ROWS[:count][at : at + 20]
        return {"events": rows, "errors": dict.fromkeys(unknown, "It does not exist.")}

    found = connect(answer, "/v1/events?season=2026")
    assert values_of(found, "unknown parameters") == ["refused"]
    assert not values_of(found, "order")
    assert asked(found) == settings
    assert "page_param" in endpoint(found)["paginator"] or settings


def test_links_that_never_end_are_asked_about_by_what_they_lead_to() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "day", 0)
        return {"events": ROWS[at * 20 : at * 20 + 20], "next": f"{request.url.path}?day={at + 1}"}

    [question] = connect(answer).open_questions
    assert "empty pages in a row lead on all the same" in question.text
    assert "too few" not in question.text


@pytest.mark.parametrize("text", ["http://[?page=2", "https://[x]/?a=1"])
def test_texts_that_are_no_urls_are_no_links(text: str) -> None:
    found = connect(lambda request: by_page(request, hint=text))
    assert endpoint(found)["paginator"]["page_param"] == "page"
    assert asked(found) == []


def test_a_name_that_is_a_list_in_one_record_is_a_name_in_the_others() -> None:
    found = connect(whole([{**ROWS[0], "name": []}, *ROWS[1:5]]))
    assert found.document["attributes"]["fields"]["name"] == {"type": "text"}


def test_links_that_lead_to_the_next_days_for_ever_are_read_in_windows() -> None:
    def answer(request: Request) -> Any:
        first = date.fromisoformat(request.query_params.get("from", "2026-01-01"))
        last = first + timedelta(days=29)
        days = (str(first + timedelta(days=number)) for number in range(30))
        rows = [row for day in days for row in ROWS if row["start_time"].startswith(day)]
        path = f"{request.url.path}?from={last + timedelta(days=1)}&to={last + timedelta(days=30)}"
        return {"events": rows, "next": path}

    [question] = connect(answer).open_questions
    assert question.setting == "windows"
    for choice in question.choices.values():
        found = connect(answer, settings=choice)
        assert asked(found) == []
        windows = found.document["attributes"]["windows"]
        assert (windows["param_from"], windows["param_to"]) == ("from", "to")
        assert {"since", "until"} <= {*windows}


@pytest.mark.parametrize("document", [{"values": [["id", "name"], ["1", "Jazz"]]}, ["x", [["y"]]]])
def test_rows_without_names_of_fields_are_told(document: Any) -> None:
    with pytest.raises(ApiError, match="its rows have no names of fields"):
        connect(lambda _: document)


def test_a_cursor_in_a_header_is_sent_by_its_usual_name_beside_another_dialect() -> None:
    def answer(request: Request) -> Any:
        at, size = number(request, "continuationToken"), min(number(request, "$top", 20), 40)
        headers = {"x-ms-continuationtoken": str(at + size)} if at + size < len(ROWS) else {}
        return JSONResponse({"value": ROWS[at : at + size]}, headers=headers)

    assert endpoint(connect(answer))["paginator"] == {
        "type": "header_cursor",
        "cursor_key": "x-ms-continuationtoken",
        "cursor_param": "continuationToken",
    }


def test_a_cursor_that_is_told_to_those_who_send_one_is_no_offset() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "cursor") if request.query_params.get("cursor", "*") != "*" else 0
        following = str(at + 20) if "cursor" in request.query_params and at < 75 else None
        return {"events": ROWS[at : at + 20], "cursor": following}

    written = endpoint(connect(answer))
    assert written["params"] == {"cursor": "*"}
    assert written["paginator"] == {
        "type": "cursor",
        "cursor_path": "cursor",
        "cursor_param": "cursor",
    }


def test_a_cursor_that_counts_rows_is_an_offset() -> None:
    def answer(request: Request) -> Any:
        at, size = number(request, "cursor"), min(number(request, "limit", 50), 50)
        rows = ROWS[at : at + size]
        left = max(0, len(ROWS) - at - size)
        return {"response": {"cursor": at, "results": rows, "remaining": left}}

    paginator = endpoint(connect(answer))["paginator"]
    assert (paginator["type"], paginator["offset_param"]) == ("offset", "cursor")


def test_an_error_with_status_200_is_no_page_behind_the_end() -> None:
    def answer(request: Request) -> Any:
        is_page = "page" in request.query_params
        return {"error": "page must be a token"} if is_page else {"events": events(40)}

    found = connect(answer)
    assert endpoint(found)["paginator"] == "single_page"
    assert asked(found) == ["paginator"]


@pytest.mark.parametrize(
    ("days", "selector"),
    [
        (lambda days: {"days": [{"date": day, "events": days[day]} for day in days]},
         "days[*].events[*]"),
        (lambda days: days, "$.*[*]"),
    ],
)  # fmt: skip
def test_events_that_are_listed_on_each_of_their_days_are_told_apart(
    days: Callable[[Any], Any], selector: str
) -> None:
    rows: dict[str, list[Any]] = {}
    for at, row in enumerate(events(93)):
        for day in (at, at + 1):
            rows.setdefault(f"2026-10-{day // 4 + 1:02}", []).append(row)
    found = connect(lambda _: days(rows))
    assert endpoint(found)["data_selector"] == selector
    assert asked(found) == []
    assert values_of(found, "id") == ["`id`"]


def test_events_by_year_month_and_day_are_all_found() -> None:
    years: dict[str, Any] = {}
    for row in ROWS:
        year, month, day = row["start_time"][:10].split("-")
        years.setdefault(year, {}).setdefault(month, {}).setdefault(day, []).append(row)
    found = connect(lambda _: years)
    assert endpoint(found)["data_selector"] == "$.*.*.*[*]"
    assert values_of(found, "records") == ["`$.*.*.*[*]`"]
    assert len(found.events) == 5


def test_events_by_day_and_id_are_all_found() -> None:
    days: dict[str, Any] = {"2026-12-24": []}  # as PHP writes an object of nothing
    for row in ROWS:
        days.setdefault(row["start_time"][:10], {})[row["id"][1:]] = row
    found = connect(lambda _: {"events": days})
    assert endpoint(found)["data_selector"] == "events.*.*"


@pytest.mark.parametrize("said", ["too large", "at most 50"])
def test_a_page_size_that_is_refused_with_status_200_is_not_kept(said: str) -> None:
    def answer(request: Request) -> Any:
        size = number(request, "limit", 10)
        if size > 50:
            return {"status": "error", "message": said}
        at = number(request, "offset")
        return {"status": "ok", "events": ROWS[at : at + size]}

    found = connect(answer)
    assert asked(found) == []
    assert endpoint(found)["paginator"]["limit"] == (50 if "50" in said else 10)


def test_a_selector_that_was_said_and_finds_nothing_is_told_where_lists_are() -> None:
    with pytest.raises(ApiError, match="has no `wrong`, but a list under `events`"):
        connect(by_page, settings={"data_selector": "wrong"})
