"""The probe reads the first pages with the configured paginator, and asks for the last one."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from event_assets.config.time_windows import TimeWindowsConfig
from event_assets.probe.runner import probe
from event_assets.sandbox import Faults, Sandbox
from event_assets.values.errors import ConfigError
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.event_records import events, number
from event_assets_tests.support.probe_reports import (
    OFFSET,
    build_source,
    find_line,
    marks,
    probe_api,
)
from event_assets_tests.support.project import Project

ROWS = events(250)
SIZE = 40  # rows of a page

Answer = Callable[[Request], Any]


@pytest.fixture(autouse=True)
def api_key(project: Project) -> None:
    project.environment.setenv("API_KEY", "sandbox")


def of(rows: list[dict[str, Any]], at: int, **more: Any) -> dict[str, Any]:
    return {"data": rows[at : at + SIZE], **more}


def by_number(request: Request) -> Any:
    return of(ROWS, (number(request, "page", 1) - 1) * SIZE, total=250)


def by_cursor(request: Request) -> Any:
    at = number(request, "cursor")
    return of(ROWS, at, cursors={"next": str(at + SIZE) if at + SIZE < 250 else None})


def by_link(request: Request) -> Any:
    at = number(request, "at")
    return of(ROWS, at, next=f"/v1/events?at={at + SIZE}" if at + SIZE < 250 else None)


def by_header_link(request: Request) -> Any:
    at = number(request, "at")
    url = str(request.url.replace(query=f"at={at + SIZE}"))
    return JSONResponse(of(ROWS, at), headers={"Link": f'<{url}>; rel="next"'})


def by_header_cursor(request: Request) -> Any:
    at = number(request, "cursor")
    return JSONResponse(of(ROWS, at), headers={"next": str(at + SIZE)})


def by_body(request: Request) -> Any:
    asked = orjson.loads(request.state.body)
    rows = ROWS[asked["page"]["from"] :][: asked["page"]["size"]]
    return {"data": rows, "total": 250}


KINDS: dict[str, tuple[Any, Answer]] = {
    "page_number": ({"type": "page_number", "base_page": 1}, by_number),
    "cursor": ({"type": "cursor"}, by_cursor),
    "json_link": ({"type": "json_link", "next_url_path": "next"}, by_link),
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


def test_a_page_before_the_first_that_has_other_records_is_a_failure() -> None:
    def from_zero(request: Request) -> Any:
        return of(ROWS, number(request, "page") * SIZE)

    with serving(from_zero) as api:
        paginator = {"type": "page_number", "base_page": 1}
        found = find_line(probe_api(api, paginator=paginator, auth=None), "pages")
    assert found.mark == "fail"
    assert found.changes == {"paginator.base_page": 0}


@pytest.mark.parametrize("status", [400, 404])
def test_a_page_0_that_the_api_refuses_is_told_from_a_wrong_path(status: int) -> None:
    def answer(request: Request) -> Any:
        is_page = number(request, "page", 1) > 0
        return by_number(request) if is_page else JSONResponse({"error": "Invalid page"}, status)

    with serving(answer) as api:
        report = probe_api(api, paginator={"type": "page_number"}, auth=None)
    assert find_line(report, "reachable").changes == {"paginator.base_page": 1}
    assert f"page 0 was requested, and the API returned {status}" in report.format_lines()[0]


def test_a_first_offset_that_leaves_a_record_out_is_a_failure_and_no_wrong_total() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "offset")
        return {"data": ROWS[at : at + 30], "total": 250}

    with serving(answer) as api:
        report = probe_api(api, paginator={**OFFSET, "limit": 30, "offset": 1}, auth=None)
    assert find_line(report, "pages").mark == "fail"
    assert report.changes == {"paginator.offset": 0}


def test_a_cursor_that_the_paginator_does_not_follow_is_named() -> None:
    def answer(request: Request) -> Any:
        return of(ROWS, number(request, "odd"), next=f"k{number(request, 'odd') + SIZE}")

    with serving(answer) as api:
        message = find_line(probe_api(api, auth=None), "pages").message
    assert "The response has `next`, which may lead to the next page." in message


def test_a_size_that_limits_the_whole_list_is_doubted() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "at")
        following = f"/v1/events?rows=60&at={at + 20}" if at < 40 else None
        return {"data": ROWS[at : min(60, at + 20)], "next": following}

    paginator = {"type": "json_link", "next_url_path": "next"}
    with serving(answer) as api:
        report = probe_api(api, paginator=paginator, auth=None, params={"rows": 60})
    assert marks(report, "warn", "fail") == {"pages": "warn"}
    assert "the parameter may limit the whole list" in find_line(report, "pages").message


@pytest.mark.parametrize("kind", ["page_number", "cursor", "header_cursor"])
def test_an_ignored_parameter_is_a_failure_for_every_paginator(kind: str) -> None:
    paginator, answer = KINDS[kind]

    def always_the_first(request: Request) -> Any:
        request.scope["query_string"] = b""
        return answer(Request(request.scope))

    with serving(always_the_first) as api:
        found = find_line(probe_api(api, paginator=paginator, auth=None), "pages")
    assert found.mark == "fail"
    assert re.search("the same (40 rows|cursor)", found.message)


def test_offsets_in_the_body_are_checked() -> None:
    paginator = {
        **OFFSET,
        "limit": 30,
        "offset_param": None,
        "limit_param": None,
        "offset_body_path": "page.from",
        "limit_body_path": "page.size",
    }
    body = {"page": {"from": 0, "size": 0}}
    with serving(by_body) as api:
        report = probe_api(api, paginator=paginator, auth=None, method="POST", json=body)
    assert marks(report, "warn", "fail") == {}
    assert find_line(report, "total").message.endswith("total of 250 promises has 10 records.")


def test_a_single_page_shorter_than_the_total_is_a_failure() -> None:
    with serving(lambda _: {"data": ROWS[:40], "total": 250}) as api:
        found = find_line(probe_api(api, paginator="single_page", auth=None), "pages")
    assert found.mark == "fail"
    assert found.message.startswith("The API reports 250 rows but sent 40.")


@pytest.mark.parametrize("said", [{"total": 237}, {"has_more": False}])
def test_a_single_page_that_says_that_it_is_all_passes(said: dict[str, Any]) -> None:
    with serving(lambda _: {"data": ROWS[:237], **said}) as api:
        report = probe_api(api, paginator="single_page", auth=None)
    assert marks(report, "warn", "fail") == {}
    assert find_line(report, "pages").message == "237 records, and nothing leads to more."


@pytest.mark.parametrize("count", [23, 250])
def test_a_single_page_that_does_not_say_so_is_a_warning(count: int) -> None:
    with serving(lambda _: {"data": ROWS[:count]}) as api:
        found = find_line(probe_api(api, paginator="single_page", auth=None), "pages")
    assert found.mark == "warn"
    assert "nothing shows that these are all" in found.message


@pytest.mark.parametrize(
    ("answer", "configured", "found"),
    [
        (by_link, "single_page", {"type": "json_link", "next_url_path": "next"}),
        (
            by_link,
            {"type": "page_number", "base_page": 1},
            {"type": "json_link", "next_url_path": "next"},
        ),
        (by_header_link, "single_page", "header_link"),
        (
            by_number,
            {"type": "cursor", "cursor_path": "next"},
            {"type": "page_number", "base_page": 1, "page_param": "page"},
        ),
    ],
)
def test_the_paginator_that_brings_further_pages_is_suggested(
    answer: Answer, configured: Any, found: Any
) -> None:
    with serving(answer) as api:
        line = find_line(probe_api(api, paginator=configured, auth=None), "pages")
    assert line.mark == "fail"
    assert line.changes == {"paginator": found}


def by_cursor_for_those_who_send_one(request: Request) -> Any:
    cursor = request.query_params.get("cursor", "")
    at = int(cursor.removeprefix("c")) if cursor.startswith("c") else 0
    return of(ROWS, at, **({"next_cursor": f"c{at + SIZE}"} if cursor and at < 200 else {}))


def by_end_cursor(request: Request) -> Any:
    at = number(request, "after")
    return of(ROWS, at, pageInfo={"endCursor": f"{at + SIZE}", "hasNextPage": at < 200})


@pytest.mark.parametrize(
    ("answer", "setting", "value"),
    [
        (by_end_cursor, "paginator", "pageInfo.endCursor"),
        (by_cursor_for_those_who_send_one, "paginator", "next_cursor"),
        (by_cursor_for_those_who_send_one, "params.cursor", "*"),
    ],
)
def test_a_cursor_is_suggested_with_what_it_needs(answer: Answer, setting: str, value: str) -> None:
    with serving(answer) as api:
        line = find_line(probe_api(api, paginator="single_page", auth=None), "pages")
    changed = line.changes[setting]
    found = changed if setting.startswith("params.") else changed["cursor_path"]
    assert (line.mark, found) == ("fail", value)


def test_an_offset_is_replaced_by_the_page_number_that_the_api_knows() -> None:
    with serving(by_number) as api:
        line = find_line(probe_api(api, auth=None), "pages")
    assert line.mark == "fail"
    assert line.message.startswith("the paginator brings no record behind page 1. `page` counts")


def test_a_whole_list_whose_parameter_is_ignored_passes_with_few_requests() -> None:
    with serving(lambda _: {"data": ROWS[:7], "total": 7}) as api:
        line = find_line(probe_api(api, auth=None), "pages")
        assert len(api.requests) <= 5
    assert (line.mark, line.message) == ("ok", "page 1 is the whole list: 7 records.")


def test_no_detected_paginator_is_a_warning() -> None:
    with serving(lambda _: {"data": ROWS[:40]}) as api:
        found = find_line(probe_api(api, paginator=None, auth=None), "pages")
    assert found.mark == "warn"
    assert "no `paginator` is set, and none was detected" in found.message


def test_a_paginator_that_misses_the_next_page_is_a_failure() -> None:
    def answer(request: Request) -> Any:
        return by_link(request) | {"total": 250}

    paginator = {"type": "json_link", "next_url_path": "links.next"}
    with serving(answer) as api:
        found = find_line(probe_api(api, paginator=paginator, auth=None), "pages")
    assert found.mark == "fail"
    assert found.changes == {"paginator": {"type": "json_link", "next_url_path": "next"}}


@pytest.mark.parametrize(
    ("paginator", "message"),
    [
        (
            {"type": "page_number", "base_page": 1, "total_path": "pages"},
            "The paginator's total_path `pages` was not found in the API's response",
        ),
        ({"type": "json_link", "next_url_path": "total"}, "The paginator cannot read the response"),
    ],
)
def test_a_page_that_the_paginator_cannot_read_is_a_failure_without_data(
    paginator: dict[str, Any], message: str
) -> None:
    with serving(by_number) as api:
        found = find_line(probe_api(api, paginator=paginator, auth=None), "pages")
    assert found.mark == "fail"
    assert found.message.startswith(message)
    assert "Event" not in found.message


def test_a_list_read_in_windows_is_not_requested_beyond_its_cap() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "offset")
        return {"data": ROWS[at : at + 40], "total": 250} if at < 200 else Response("", 400)

    windows = TimeWindowsConfig(param_from="after", param_to="before", cap=200, since="-10d")
    with serving(answer) as api:
        source = build_source(api.url, auth=None, paginator={**OFFSET, "limit": 40})
        report = probe(replace(source, windows=windows))
        assert all("after=" in url and "before=" in url for url in api.urls)
    assert marks(report, "warn", "fail") == {}
    assert (
        "not verified: windows cannot request the last page" in find_line(report, "total").message
    )


def test_an_incremental_source_is_probed_like_a_full_sync() -> None:
    new = {"cursor_path": "updated_at", "initial_value": "2026-01-01", "start_param": "since"}
    with serving(by_number) as api:
        paginator = {"type": "page_number", "base_page": 1}
        probe_api(api, paginator=paginator, auth=None, incremental=new)
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
    assert (
        find_line(report, "total").message
        == f"{count} under `total`, the number of records received."
    )


def test_an_ignored_offset_is_a_failure(api: Sandbox) -> None:
    api.faults = Faults(ignore_offset=True)
    report = probe_api(api)
    assert marks(report, "fail") == {"pages": "fail"}
    assert "the server ignores the parameter 'offset'" in find_line(report, "pages").message
    assert "no records came behind page 1" in find_line(report, "total").message
    assert find_line(report, "total").changes == {}


def test_an_offset_that_counts_pages_is_a_failure() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "offset") * SIZE
        return {"data": [{"id": str(i)} for i in range(at, at + SIZE)]}

    with serving(answer) as api:
        found = find_line(probe_api(api, auth=None, paginator=OFFSET), "pages")
    assert found.mark == "fail"
    assert "use `page_number` with `page_param: offset`" in found.message


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


def test_a_rejected_page_2_is_a_failure() -> None:
    def answer(request: Request) -> Any:
        return by_number(request) if number(request, "page", 1) == 1 else Response(status_code=403)

    with serving(answer) as api:
        report = probe_api(api, paginator={"type": "page_number", "base_page": 1}, auth=None)
    assert (
        find_line(report, "pages").message == "page 2 is missing: the API returned 403 Forbidden."
    )
    assert report.has_failures


def test_a_page_cap_is_suggested_as_the_limit(api: Sandbox) -> None:
    api.faults = Faults(page_cap=50)
    found = find_line(probe_api(api), "page size")
    assert found.mark == "warn"
    assert found.message == (
        "50 of 100 requested records: the server's limit is lower; set `limit: 50`."
    )
    assert found.changes == {"paginator.limit": 50}


def test_a_page_cap_is_found_without_page_2(api: Sandbox) -> None:
    api.faults = Faults(page_cap=50, fail_every=2)
    report = probe_api(api)
    assert find_line(report, "pages").message == (
        "page 2 is missing: the API returned 503 Service Unavailable."
    )
    assert marks(report, "fail") == {}
    assert find_line(report, "page size").changes == {"paginator.limit": 50}


def test_a_page_size_in_params_is_corrected_in_params() -> None:
    paginator = {"type": "page_number", "base_page": 1}
    with serving(by_number) as api:
        found = find_line(
            probe_api(api, paginator=paginator, auth=None, params={"per_page": 200}), "page size"
        )
    assert found.changes == {"params.per_page": 40}


def test_pages_of_different_sizes_are_not_a_cap() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "offset")
        return {"data": ROWS[at : at + 100][: 97 if at == 0 else 100]}

    with serving(answer) as api:
        assert find_line(probe_api(api, auth=None), "page size").mark == "ok"


@pytest.mark.parametrize(
    ("total", "mark", "message"),
    [
        ("rows", "ok", "250 under `total`, the number of records received."),
        ("nested", "ok", "250 under `pagination.total`, the number of records received."),
        ("none", "-", "the response has none."),
        ("page", "warn", "100 under `total`, and there are more records: set `total_path: null`."),
        (
            7,
            "warn",
            "257 under `total`: the last page that the total of 257 promises has 50 records"
            " instead of 57: set `total_path: null`.",
        ),
        (-60, "warn", "190 under `total`, and there are more records: set `total_path: null`."),
        (-200, "warn", "50 under `total`, and there are more records: set `total_path: null`."),
    ],
)
def test_the_total_is_found_and_verified(api: Sandbox, total: Any, mark: str, message: str) -> None:
    api.faults = Faults(total=total)
    found = find_line(probe_api(api), "total")
    assert (found.mark, found.message) == (mark, message)
    assert found.changes == ({"paginator.total_path": None} if mark == "warn" else {})


def test_a_total_with_page_numbers_is_verified_on_the_last_page() -> None:
    paginator = {"type": "page_number", "base_page": 1}
    with serving(by_number) as api:
        found = find_line(probe_api(api, paginator=paginator, auth=None), "total")
    assert found.message.endswith("the last page that the total of 250 promises has 10 records.")


def test_a_total_in_a_header_is_found() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "offset")
        return JSONResponse({"data": ROWS[at : at + 100]}, headers={"X-Total-Count": "250"})

    with serving(answer) as api:
        assert find_line(probe_api(api, auth=None), "total").message.startswith(
            "250 under `X-Total-Coun"
        )


@pytest.mark.parametrize(
    ("body", "where"),
    [({"total": 250}, "total"), ({"result": {"found": 250, "size": 100}}, "result.found")],
)
def test_a_total_at_another_path_is_found(body: dict[str, Any], where: str) -> None:
    def answer(request: Request) -> Any:
        at = number(request, "offset")
        return {"data": ROWS[at : at + 100], "count": len(ROWS[at : at + 100]), **body}

    with serving(answer) as api:
        found = find_line(
            probe_api(api, auth=None, paginator={**OFFSET, "total_path": "n"}), "total"
        )
    assert found.mark == "warn"
    assert f"`n` has none; the total is 250 under `{where}`" in found.message
    assert found.changes == {"paginator.total_path": where}


def test_a_total_at_an_unusual_path_is_named_without_auto() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "offset")
        return {"data": ROWS[at : at + 100], "extra": {"found": 250}}

    with serving(answer) as api:
        found = find_line(probe_api(api, auth=None), "total")
    assert found.message.startswith("no total is at the usual paths; the total is 250 under ")


@pytest.mark.parametrize(
    ("empty", "mark", "said"),
    [
        (1, "ok", "80 records, to the end."),
        (4, "warn", "the pages behind page 1 are empty, but promise more: a sync reads on."),
    ],
)
def test_an_empty_page_that_promises_more_is_followed(empty: int, mark: str, said: str) -> None:
    def answer(request: Request) -> Any:
        page = number(request, "cursor")
        rows = ROWS[:SIZE] if not page else ROWS[SIZE : 2 * SIZE] if page > empty else []
        return {"data": rows, "cursors": {"next": str(page + 1) if page <= empty else None}}

    with serving(answer) as api:
        found = find_line(probe_api(api, paginator={"type": "cursor"}), "pages")
    assert (found.mark, found.message) == (mark, said)


def test_a_limit_in_the_response_is_not_a_total() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "offset")
        return {"data": ROWS[at : at + 50], "size": 100}

    with serving(answer) as api:
        found = find_line(
            probe_api(api, auth=None, paginator={**OFFSET, "total_path": "n"}), "total"
        )
    assert found.changes == {"paginator.total_path": None}


def test_a_rejected_last_page_is_a_failure() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "offset")
        return {"data": ROWS[at : at + SIZE], "total": 250} if at < 200 else Response("", 400)

    with serving(answer) as api:
        report = probe_api(api, auth=None, paginator={**OFFSET, "limit": SIZE})
    found = find_line(report, "total")
    assert found.mark == "fail"
    assert "but its last page cannot be read: the API returned 400 Bad Request" in found.message


def test_an_unstable_order_is_a_failure_for_offsets_and_a_warning_for_cursors() -> None:
    def shuffled(request: Request) -> Any:
        at = number(request, "offset") or number(request, "cursor")
        page = random.sample(ROWS[at : at + 100], len(ROWS[at : at + 100]))
        return {"data": page, "cursors": {"next": "100" if at == 0 else None}}

    with serving(shuffled) as api:
        assert find_line(probe_api(api, auth=None), "order").mark == "fail"
        by_cursor = probe(build_source(api.url, auth=None, paginator={"type": "cursor"}))
    assert find_line(by_cursor, "order").mark == "warn"
    assert "a sort parameter in `params`" in find_line(by_cursor, "order").message
