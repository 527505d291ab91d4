"""The probe reads the first pages with the configured paginator, and asks for the last one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from event_assets.config.time_windows import TimeWindowsConfig
from event_assets.probe.runner import probe
from event_assets.values.errors import ConfigError
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.event_records import events, number
from event_assets_tests.support.probe_reports import (
    OFFSET,
    Answer,
    build_source,
    find_line,
    marks,
    probe_api,
)
from event_assets_tests.support.probe_reports import probe_line as line
from event_assets_tests.support.project import Project
from event_assets_tests.support.sandbox import Faults, Sandbox

ROWS = events(250)
SIZE = 40  # rows of a page


@pytest.fixture(autouse=True)
def api_key(project: Project) -> None:
    project.environment.setenv("API_KEY", "sandbox")


def of(rows: list[dict[str, Any]], at: int, **more: Any) -> dict[str, Any]:
    return {"data": rows[at : at + SIZE], **more}


def by_number(request: Request) -> Any:
    return of(ROWS, (number(request, "page", 1) - 1) * SIZE, total=250)


def by_offset(size: int, **more: Any) -> Answer:
    return lambda request: {"data": ROWS[number(request, "offset") :][:size], **more}


def by_cursor(request: Request) -> Any:
    at = number(request, "cursor")
    return of(ROWS, at, cursors={"next": str(at + SIZE) if at + SIZE < 250 else None})


def by_link(request: Request, **more: Any) -> Any:
    at = number(request, "at")
    return of(ROWS, at, next=f"/v1/events?at={at + SIZE}" if at + SIZE < 250 else None, **more)


def by_header_link(request: Request) -> Any:
    at = number(request, "at")
    url = str(request.url.replace(query=f"at={at + SIZE}"))
    return JSONResponse(of(ROWS, at), headers={"Link": f'<{url}>; rel="next"'})


def by_header_cursor(request: Request) -> Any:
    at = number(request, "cursor")
    return JSONResponse(of(ROWS, at), headers={"next": str(at + SIZE)})


def by_end_cursor(request: Request) -> Any:
    at = number(request, "after")
    return of(ROWS, at, pageInfo={"endCursor": f"{at + SIZE}", "hasNextPage": at < 200})


def by_cursor_for_those_who_send_one(request: Request) -> Any:
    cursor = request.query_params.get("cursor", "")
    at = int(cursor.removeprefix("c")) if cursor.startswith("c") else 0
    return of(ROWS, at, **({"next_cursor": f"c{at + SIZE}"} if cursor and at < 200 else {}))


def always_the_first(answer: Answer) -> Answer:
    def respond(request: Request) -> Any:
        request.scope["query_string"] = b""
        return answer(Request(request.scope))

    return respond


def lone(count: int, **said: Any) -> Answer:
    return lambda _: {"data": ROWS[:count], **said}


NUMBERS = {"type": "page_number", "base_page": 1}
NEXT = {"type": "json_link", "next_url_path": "next"}
KINDS: dict[str, tuple[Any, Answer]] = {
    "page_number": (NUMBERS, by_number),
    "cursor": ({"type": "cursor"}, by_cursor),
    "json_link": (NEXT, by_link),
    "header_link": ("header_link", by_header_link),
    "header_cursor": ("header_cursor", by_header_cursor),
    "auto": (None, by_link),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_pages_are_requested_by_the_configured_paginator(kind: str) -> None:
    paginator, answer = KINDS[kind]
    with serving(answer) as api:
        report = probe_api(api, paginator=paginator, auth=None)
    assert find_line(report, "pages").message == "the next 2 pages brought 80 other records."
    assert marks(report, "warn", "fail") == {}
    assert "40 records per page; no size is requested." in find_line(report, "page size").message


def from_zero(request: Request) -> Any:
    return of(ROWS, number(request, "page") * SIZE)


def pages_of_rows(request: Request) -> Any:
    at = number(request, "offset") * SIZE
    return {"data": [{"id": str(row)} for row in range(at, at + SIZE)]}


def limited_list(request: Request) -> Any:
    at = number(request, "at")
    following = f"/v1/events?rows=60&at={at + 20}" if at < 40 else None
    return {"data": ROWS[at : min(60, at + 20)], "next": following}


def refused_page_2(request: Request) -> Any:
    return by_number(request) if number(request, "page", 1) == 1 else Response(status_code=403)


def empty_pages(count: int) -> Answer:
    """Answer with pages behind cursors; so many behind page 1 are empty."""

    def answer(request: Request) -> Any:
        page = number(request, "cursor")
        rows = ROWS[:SIZE] if not page else ROWS[SIZE : 2 * SIZE] if page > count else []
        return {"data": rows, "cursors": {"next": str(page + 1) if page <= count else None}}

    return answer


PAGES: dict[str, tuple[Answer, Any, str, str]] = {
    "an ignored page number": (always_the_first(by_number), NUMBERS, "fail", "the same 40 rows"),
    "an ignored cursor": (always_the_first(by_cursor), KINDS["cursor"][0], "fail", "same cursor"),
    "an ignored header cursor": (
        always_the_first(by_header_cursor), "header_cursor", "fail", "the same cursor",
    ),
    "offsets that count pages": (
        pages_of_rows, OFFSET, "fail", "use `page_number` with `page_param: offset`",
    ),
    "a size that limits the list": (
        limited_list, NEXT, "warn", "the parameter may limit the whole list",
    ),
    "a single page, short of the total": (
        lone(40, total=250), "single_page", "fail", "The API reports 250 rows but sent 40.",
    ),
    "a single page, with its total": (
        lone(60, total=60), "single_page", "ok", "60 records, to the end, as the API reports (60).",
    ),
    "a single page that is the last": (
        lone(237, has_more=False), "single_page", "ok", "237 records, and nothing leads to more.",
    ),
    "a single page of 23": (lone(23), "single_page", "warn", "nothing shows that these are all"),
    "a single page of 250": (lone(250), "single_page", "warn", "nothing shows that these are all"),
    "no paginator": (lone(40), None, "warn", "no `paginator` is set, and none was detected"),
    "a total path that is none": (
        by_number, {**NUMBERS, "total_path": "pages"}, "fail",
        "The paginator's total_path `pages` was not found in the API's response",
    ),
    "a link that is none": (
        by_number, {**NEXT, "next_url_path": "total"}, "fail",
        "The paginator's next_url_path `total` leads to no URL, but to `250`",
    ),
    "a refused page": (
        refused_page_2, NUMBERS, "fail", "Behind 40 records, the API returned 403 Forbidden.",
    ),
    "an empty page": (empty_pages(1), KINDS["cursor"][0], "ok", "80 records, to the end."),
    "four empty pages": (
        empty_pages(4), KINDS["cursor"][0], "warn",
        "the pages behind page 1 are empty, but promise more: a sync reads on.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_are_judged(name: str) -> None:
    answer, paginator, mark, said = PAGES[name]
    params = {"rows": 60} if name == "a size that limits the list" else None
    found = line(answer, "pages", paginator=paginator, params=params)
    assert (found.mark, said in found.message) == (mark, True), found.message
    assert "Event " not in found.message


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"status_code": 500}, "80 rows received; paging stopped at a response that"),
        ({"content": "no such"}, "80 rows received; paging stopped at a response that"),
        ({"status_code": 503}, "Behind 80 records, the API returned 500 Internal Server Error."),
    ],
)
def test_a_response_that_the_configuration_ignores_ends_the_list_as_in_a_sync(
    action: Mapping[str, Any], said: str
) -> None:
    def answer(request: Request) -> Any:
        at = number(request, "cursor")
        page = of(ROWS, at, cursors={"next": str(at + SIZE)})
        return JSONResponse({"error": "no such page"}, 500) if at > SIZE else page

    actions = [{**action, "action": "ignore"}]
    found = line(answer, "pages", paginator={"type": "cursor"}, response_actions=actions)
    assert found.message.startswith(said)


SUGGESTIONS: list[tuple[Answer, Any, Mapping[str, Any]]] = [
    (from_zero, NUMBERS, {"paginator.base_page": 0}),
    (by_link, "single_page", {"paginator": NEXT}),
    (by_link, NUMBERS, {"paginator": NEXT}),
    (lambda request: by_link(request, total=250), {**NEXT, "next_url_path": "links.next"},
     {"paginator": NEXT}),
    (by_header_link, "single_page", {"paginator": "header_link"}),
    (by_number, {"type": "cursor", "cursor_path": "next"},
     {"paginator": {**NUMBERS, "page_param": "page"}}),
    (by_number, OFFSET, {"paginator": {**NUMBERS, "page_param": "page"}}),
    (by_end_cursor, "single_page",
     {"paginator": {"type": "cursor", "cursor_path": "pageInfo.endCursor",
                    "cursor_param": "after"}}),
    (by_cursor_for_those_who_send_one, "single_page",
     {"paginator": {"type": "cursor", "cursor_path": "next_cursor", "cursor_param": "cursor"},
      "params.cursor": "*"}),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "configured", "changes"), SUGGESTIONS)
def test_what_brings_further_pages_is_suggested(
    answer: Answer, configured: Any, changes: Mapping[str, Any]
) -> None:
    found = line(answer, "pages", paginator=configured)
    assert (found.mark, found.changes) == ("fail", changes)


def test_a_suggestion_is_told_with_what_shows_it() -> None:
    assert line(by_number, "pages").message == (
        "the paginator brings no record behind page 1, and `page` counts pages from 1: pages 2 and "
        "3 have other records; set `paginator: {type: page_number, base_page: 1, page_param: "
        "page}`."
    )


def test_what_belongs_to_the_configured_page_size_is_suggested_within_the_requests() -> None:
    def answer(request: Request) -> Any:
        size, at = number(request, "page[limit]", SIZE), number(request, "page[offset]")
        return {"data": ROWS[at:][:size]}

    found = line(answer, "pages", paginator=NUMBERS, params={"page[limit]": 50})
    assert found.changes["paginator"]["offset_param"] == "page[offset]"


@pytest.mark.parametrize("status", [400, 404])
def test_a_page_0_that_the_api_refuses_is_told_from_a_wrong_path(status: int) -> None:
    def answer(request: Request) -> Any:
        is_page = number(request, "page", 1) > 0
        return by_number(request) if is_page else JSONResponse({"error": "Invalid page"}, status)

    found = line(answer, "reachable", paginator={"type": "page_number"})
    assert found.changes == {"paginator.base_page": 1}
    assert f"page 0 was requested, and the API returned {status}" in found.message


def test_a_first_offset_that_leaves_a_record_out_is_a_failure_and_no_wrong_total() -> None:
    with serving(by_offset(30, total=250)) as api:
        report = probe_api(api, paginator={**OFFSET, "limit": 30, "offset": 1}, auth=None)
    assert find_line(report, "pages").mark == "fail"
    assert report.changes == {"paginator.offset": 0}


def test_a_page_0_that_repeats_the_end_of_the_list_is_no_page_before_the_first() -> None:
    def answer(request: Request) -> Any:
        at = (number(request, "page", 1) - 1) * SIZE  # of page 0: counted from the end
        return {"data": ROWS[:95][at:][:SIZE]}

    assert line(answer, "pages", paginator=NUMBERS).mark == "ok"


def test_offsets_in_the_body_are_checked() -> None:
    def answer(request: Request) -> Any:
        asked = orjson.loads(request.state.body)["page"]
        return {"data": ROWS[asked["from"] :][: asked["size"]], "total": 250}

    places = {"offset_body_path": "page.from", "limit_body_path": "page.size"}
    paginator = {**OFFSET, "limit": 30, "offset_param": None, "limit_param": None, **places}
    body = {"page": {"from": 0, "size": 0}}
    with serving(answer) as api:
        report = probe_api(api, paginator=paginator, auth=None, method="POST", json=body)
    assert marks(report, "warn", "fail") == {}
    assert find_line(report, "total").message.endswith("total of 250 promises has 10 records.")


def test_a_whole_list_whose_parameter_is_ignored_passes_with_few_requests() -> None:
    with serving(lone(7, total=7)) as api:
        found = find_line(probe_api(api, auth=None), "pages")
        assert len(api.requests) <= 5
    assert (found.mark, found.message) == ("ok", "page 1 is the whole list: 7 records.")


def test_a_list_read_in_windows_is_not_requested_beyond_its_cap() -> None:
    def answer(request: Request) -> Any:
        is_seen = number(request, "offset") < 200
        return by_offset(40, total=250)(request) if is_seen else Response("", 400)

    windows = TimeWindowsConfig(param_from="after", param_to="before", cap=200, since="-10d")
    with serving(answer) as api:
        source = build_source(api.url, auth=None, paginator={**OFFSET, "limit": 40})
        report = probe(replace(source, windows=windows))
        assert all("after=" in url and "before=" in url for url in api.urls)
    assert marks(report, "warn", "fail") == {}
    assert "windows cannot request the last page" in find_line(report, "total").message


def test_an_incremental_source_is_probed_like_a_full_sync() -> None:
    new = {"cursor_path": "updated_at", "initial_value": "2026-01-01", "start_param": "since"}
    with serving(by_number) as api:
        probe_api(api, paginator=NUMBERS, auth=None, incremental=new)
        assert all("since=2026-01-01" in url for url in api.urls)


def test_events_of_a_parent_resource_cannot_be_probed() -> None:
    venues = {"name": "venues", "endpoint": {"path": "/venues"}, "primary_key": "id"}
    mine = build_source(
        "http://127.0.0.1:1", auth=None, path="/venues/{resources.venues.id}/events"
    )
    config = {**mine.rest_api, "resources": [venues, *mine.rest_api["resources"]]}
    with pytest.raises(ConfigError, match="for each record of `venues`"):
        probe(replace(mine, rest_api=config))


@pytest.mark.parametrize("count", [1, 7, 99, 100])
def test_a_list_that_fits_on_one_page_is_complete(count: int) -> None:
    with Sandbox(count) as api:
        report = probe_api(api)
    assert marks(report, "warn", "fail") == {}
    assert find_line(report, "pages").message.endswith(f", as the API reports ({count}).")
    total = f"{count} under `total`, the number of records received."
    assert find_line(report, "total").message == total


def test_an_ignored_offset_is_a_failure(api: Sandbox) -> None:
    api.faults = Faults(ignore_offset=True)
    report = probe_api(api)
    assert marks(report, "fail") == {"pages": "fail"}
    assert "the server ignores the parameter 'offset'" in find_line(report, "pages").message
    assert "no records came behind page 1" in find_line(report, "total").message
    assert find_line(report, "total").changes == {}


def test_a_list_that_shifts_between_pages_is_a_warning() -> None:
    rows = list(ROWS)

    def answer(request: Request) -> Any:
        at = number(request, "offset")
        if at == 99:
            del rows[:50]
        return {"data": rows[at : at + 100]}

    with serving(answer) as api:
        report = probe_api(api, auth=None)
    assert find_line(report, "pages").mark == "warn"
    assert find_line(report, "order").message.endswith("two readings of page 1, with 50 new.")
