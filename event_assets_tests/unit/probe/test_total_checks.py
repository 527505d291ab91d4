"""The probe checks the size of a page, the total of a list, and its order."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from event_assets_tests.support.event_records import events, number
from event_assets_tests.support.probe_reports import OFFSET, Answer, find_line, marks, probe_api
from event_assets_tests.support.probe_reports import probe_line as line
from event_assets_tests.support.project import Project
from event_assets_tests.support.sandbox import Faults, Sandbox

ROWS = events(250)
SIZE = 40  # rows of a page
NUMBERS = {"type": "page_number", "base_page": 1}


@pytest.fixture(autouse=True)
def api_key(project: Project) -> None:
    project.environment.setenv("API_KEY", "sandbox")


def by_number(request: Request) -> Any:
    return {"data": ROWS[(number(request, "page", 1) - 1) * SIZE :][:SIZE], "total": 250}


def by_offset(size: int, **more: Any) -> Answer:
    return lambda request: {"data": ROWS[number(request, "offset") :][:size], **more}


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
        'Behind 50 records, the API returned 503 Service Unavailable. It says: "injected failure".'
    )
    assert marks(report, "fail") == {}
    assert find_line(report, "page size").changes == {"paginator.limit": 50}


def test_a_page_size_in_params_is_corrected_in_params() -> None:
    found = line(by_number, "page size", paginator=NUMBERS, params={"per_page": 200})
    assert found.changes == {"params.per_page": 40}


def test_pages_of_different_sizes_are_not_a_cap() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "offset")
        return {"data": ROWS[at : at + 100][: 97 if at == 0 else 100]}

    assert line(answer, "page size").mark == "ok"


@pytest.mark.parametrize(
    ("total", "mark", "message"),
    [
        ("rows", "ok", "250 under `total`, the number of records received."),
        ("nested", "ok", "250 under `pagination.total`, the number of records received."),
        ("none", "-", "the response has none."),
        ("page", "warn", "100 under `total`, and there are more records; set `total_path: null`."),
        (
            7,
            "warn",
            "257 under `total`: the last page that the total of 257 promises has 50 records"
            " instead of 57; set `total_path: null`.",
        ),
        (-60, "warn", "190 under `total`, and there are more records; set `total_path: null`."),
        (-200, "warn", "50 under `total`, and there are more records; set `total_path: null`."),
    ],
)
def test_the_total_is_found_and_verified(api: Sandbox, total: Any, mark: str, message: str) -> None:
    api.faults = Faults(total=total)
    found = find_line(probe_api(api), "total")
    assert (found.mark, found.message) == (mark, message)
    assert found.changes == ({"paginator.total_path": None} if mark == "warn" else {})


def test_a_total_with_page_numbers_is_verified_on_the_last_page() -> None:
    message = line(by_number, "total", paginator=NUMBERS).message
    assert message.endswith("the last page that the total of 250 promises has 10 records.")


def test_a_total_of_rows_beside_the_number_of_pages_is_told_with_its_own_path() -> None:
    def answer(request: Request) -> Any:
        return {**by_number(request), "pages": 7}

    message = line(answer, "total", paginator={**NUMBERS, "total_path": "pages"}).message
    assert message.startswith("250 under `total`: ")


def test_a_total_in_a_header_is_found() -> None:
    def answer(request: Request) -> Any:
        return JSONResponse(by_offset(100)(request), headers={"X-Total-Count": "250"})

    assert line(answer, "total").message.startswith("250 under `X-Total-Coun")


@pytest.mark.parametrize(
    ("body", "said", "path"),
    [
        ({"total": 250}, "`n` has none; set `total_path: auto`.", "auto"),
        ({"limits": {"rows": 100}}, "`n` has none; set `total_path: null`.", None),
    ],
)
def test_a_total_at_another_path_is_found(
    body: Mapping[str, Any], said: str, path: str | None
) -> None:
    found = line(by_offset(100, **body), "total", paginator={**OFFSET, "total_path": "n"})
    assert (found.mark, found.message) == ("warn", said)
    assert found.changes == {"paginator.total_path": path}


def test_the_number_of_rows_in_each_page_is_no_total() -> None:
    def answer(request: Request) -> Any:
        page = ROWS[number(request, "offset") :][: number(request, "limit")]
        return {"data": page, "count": len(page)}

    found = line(answer, "total", paginator={**OFFSET, "limit": 200})
    assert (found.mark, found.message) == ("-", "the response has none.")


def test_a_rejected_last_page_is_a_failure() -> None:
    def answer(request: Request) -> Any:
        is_seen = number(request, "offset") < 200
        return by_offset(SIZE, total=250)(request) if is_seen else Response("", 400)

    found = line(answer, "total", paginator={**OFFSET, "limit": SIZE})
    assert found.mark == "fail"
    assert "but its last page cannot be read: the API returned 400 Bad Request" in found.message


def test_an_unstable_order_is_a_failure_for_offsets_and_a_warning_for_cursors() -> None:
    def shuffled(request: Request) -> Any:
        at = number(request, "offset") or number(request, "cursor")
        page = random.sample(ROWS[at : at + 100], len(ROWS[at : at + 100]))
        return {"data": page, "cursors": {"next": "100" if at == 0 else None}}

    assert line(shuffled, "order").mark == "fail"
    by_cursor = line(shuffled, "order", paginator={"type": "cursor"})
    assert by_cursor.mark == "warn"
    assert "a sort parameter in `params`" in by_cursor.message
