"""The cap of an API: which windows are split, where they end, and what is told of a wrong one."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from requests import HTTPError, Request

from event_assets.config.time_windows import TimeWindowsConfig
from event_assets.pagination.factory import create_paginator
from event_assets.pagination.time_windows import TimeWindowPaginator
from event_assets_tests.support.paging import (
    URL,
    Api,
    Listing,
    Query,
    read_ids,
    read_list,
    read_pages,
)
from event_assets_tests.support.windowed_lists import (
    DAYS,
    JANUARY,
    NOW,
    NUMBERED,
    days,
    read,
    windowed,
)


def test_a_window_is_split_where_a_page_would_be_behind_the_cap() -> None:
    def answer(query: Query) -> Any:
        start, shown = int(query["page"]) * 4, days(query)
        if start >= 10:
            return 400
        hidden = shown[5:8] if len(shown) == 9 else []
        kept = [row for row in shown[start : start + 4] if row not in hidden]
        return {"data": kept, "total": len(shown)}

    assert read(NUMBERED, answer, **JANUARY).ids == set(DAYS)


@pytest.mark.parametrize(("length", "is_split"), [(9, False), (10, True)])
def test_a_list_of_as_many_rows_as_the_cap_is_split(length: int, is_split: bool) -> None:
    def answer(query: Query) -> Any:
        shown = [row for row in days(query) if row["id"] in DAYS[:length]]
        return {"data": shown[4 * int(query["page"]) :][:4], "total": len(shown)}

    done = read(NUMBERED, answer)
    assert ("from" in done.asked[1]) is is_split
    assert any("from" in query for query in done.asked) is is_split
    assert done.ids == set(DAYS[:length])


@pytest.mark.parametrize(
    ("paginator", "size", "upcoming"),
    [
        *((NUMBERED, 5, []), (NUMBERED, 4, ["2"]), (NUMBERED, 3, ["2", "3"])),
        ({"type": "offset", "limit": 3}, 3, ["4", "6"]),
    ],
)
def test_only_pages_that_begin_below_the_cap_are_upcoming(
    paginator: Any, size: int, upcoming: list[str]
) -> None:
    def answer(query: Query) -> Any:
        return {
            "data": days(query)[int(query.get("offset", size * int(query.get("page", 0)))) :][:size]
        }

    windows = windowed(paginator, **JANUARY)
    next(read_pages(Api(answer), windows))
    found = windows.upcoming(9)
    assert [str(query.get("offset", query.get("page"))) for query in found] == upcoming


@pytest.mark.parametrize("says_total", [True, False])
@pytest.mark.parametrize("limit", [10, 15])
def test_windows_of_an_api_whose_cap_is_its_page_end_below_it(limit: int, says_total: bool) -> None:
    def answer(query: Query) -> Any:
        first, shown = int(query["offset"]), days(query)
        if first:
            return 400
        return {"data": shown[:10], **({"total": len(shown)} if says_total else {})}

    done = read({"type": "offset", "limit": limit}, answer, **JANUARY)
    assert done.ids == set(DAYS)
    assert done.result.complete is True
    assert len(done.asked) < 14


def test_a_page_of_a_usual_length_is_no_end_of_a_window_even_if_more_were_asked_for() -> None:
    def answer(query: Query) -> Any:
        return 400 if int(query["offset"]) else {"data": days(query)[:25]}

    assert read({"type": "offset", "limit": 40}, answer, cap=30, **JANUARY).ids == set(DAYS)


def test_a_page_as_long_as_was_asked_for_by_another_name_is_no_end_of_a_window() -> None:
    def answer(query: Query) -> Any:
        first, size = int(query["offset"]), int(query["batch"])
        return 400 if first + size > 8 else {"data": days(query)[first : first + size]}

    paginator = {"type": "offset", "limit": 7, "limit_param": "batch"}
    assert read(paginator, answer, cap=8, **JANUARY).ids == set(DAYS)


def test_a_window_whose_lower_bound_is_the_cap_is_split_at_once() -> None:
    def answer(query: Query) -> Any:
        shown = days(query)
        total = {"value": min(len(shown), 10), "relation": "gte" if len(shown) > 10 else "eq"}
        page = shown[4 * int(query["page"]) :][:4]
        return {"data": page, "hits": {"total": total, "hits": page}}

    done = read(NUMBERED, answer, **JANUARY)
    assert done.ids == set(DAYS)
    assert "from" in done.asked[1]
    assert done.asked[0]["to"] != done.asked[1]["to"]


@pytest.mark.parametrize("length", [1, 10, 25, 49, 50, 100, 101, 150, 360])
@pytest.mark.parametrize(
    ("paginator", "real"),
    [
        ("single_page", 10),
        ("single_page", 25),
        ("single_page", 50),
        ({"type": "page_number", "base_page": 0}, 50),
        ({"type": "offset", "limit": 20}, 50),
        ({"type": "offset", "limit": 20}, 100),
        ({"type": "offset", "limit": 20}, 80),
    ],
)
def test_a_cap_that_is_higher_than_the_own_one_of_the_api_loses_no_row(
    paginator: Any, real: int, length: int
) -> None:
    listed = [
        (NOW + timedelta(hours=5 * row)).strftime("%Y-%m-%dT%H:%M:%SZ") for row in range(length)
    ]

    def answer(query: Query) -> Any:
        shown = [{"id": at} for at in listed if query["from"] <= at <= query["to"]][:real]
        first = int(query.get("offset", 20 * int(query.get("page", 0))))
        return {"data": shown if paginator == "single_page" else shown[first : first + 20]}

    config = TimeWindowsConfig(
        param_from="from", param_to="to", cap=500, since="2026-06-01", until="2026-12-31"
    )
    windows = TimeWindowPaginator(lambda: create_paginator(paginator, read_ids), config, NOW)
    done = read_list(windows, answer)
    assert done.ids == set(listed)
    assert done.result.complete is True, done.result.reason


@pytest.mark.parametrize(("real", "complete"), [(50, None), (49, True)])
@pytest.mark.parametrize("options", [{}, {"since": "2026-01-01", "until": "2026-12-31"}])
def test_a_cap_that_may_be_higher_than_the_own_one_of_the_api_is_told(
    options: Any, real: int, complete: bool | None
) -> None:
    """The API shows the first rows only, however many are asked for."""
    config = TimeWindowsConfig(param_from="from", param_to="to", cap=60, **options)
    paginator = TimeWindowPaginator(lambda: create_paginator("single_page", read_ids), config, NOW)
    body = {"data": [{"id": row} for row in range(real)]}
    done = read_list(paginator, lambda _: body, params={"count": "1"})
    assert done.result.complete is complete
    assert ("set `cap: 50`" in done.result.reason) is (complete is None)


def test_more_rows_at_one_time_than_the_api_returns_are_told_as_such() -> None:
    times = [*(f"{day}T10:00:00Z" for day in DAYS), *["2026-01-20T05:05:05Z"] * 15]
    rows = [{"id": f"{time} {number}"} for number, time in enumerate(sorted(times))]

    def answer(query: Query) -> Any:
        shown = [row for row in rows if query["from"] <= row["id"][:20] <= query["to"]]
        return {"data": shown[:10], "total": len(shown)}

    done = read("single_page", answer, format="%Y-%m-%dT%H:%M:%SZ", **JANUARY)
    assert done.result.complete is False
    assert "the API returns only its first 10 rows" in done.result.reason


def test_a_window_as_long_as_one_that_was_refused_is_not_asked_for() -> None:
    refused = list[str]()

    def answer(query: Query) -> Any:
        start, end = (date.fromisoformat(query[name]) for name in ("from", "to"))
        if end - start > timedelta(days=9):
            refused.append(query["from"])
            return 422
        return {"data": days(query)}

    done = read("single_page", answer, cap=500, since="2025-12-01", until="2026-02-01")
    assert done.ids == set(DAYS)
    assert len(refused) == 3  # 62, 31 and 16 days
    assert done.asked[3]["from"] == "2025-11-30"
    assert [query["from"] for query in done.asked[3:]] == sorted(
        query["from"] for query in done.asked[3:]
    )


YEAR = {"since": "2025-12-01", "until": "2026-12-31", "format": "%Y-%m-%dT%H:%M:%SZ"}
TIMES = [(NOW + timedelta(hours=40 * row)).strftime("%Y-%m-%dT%H:%M:%SZ") for row in range(110)]


@pytest.mark.parametrize(
    ("days", "is_latest"), [(200, True), (200, False), (120, True), (120, False), (31, False)]
)
def test_windows_of_which_the_api_returns_a_month_or_so_are_shortened(
    days: int, is_latest: bool
) -> None:
    """Without a word, it returns the first or the last days of a longer window."""

    def answer(query: Query) -> Any:
        start, end = (datetime.fromisoformat(query[name]) for name in ("from", "to"))
        end = end if is_latest else min(end, start + timedelta(days=days))
        start = max(start, end - timedelta(days=days)) if is_latest else start
        shown = [{"id": at} for at in TIMES if start <= datetime.fromisoformat(at) <= end]
        first = int(query["offset"])
        return {"data": shown[first : first + 20], "total": len(shown)}

    done = read({"type": "offset", "limit": 20}, answer, cap=500, **YEAR)
    assert done.ids == set(TIMES)
    assert done.result.complete is True, done.result.reason


def read_parts(seed: int, longest: timedelta) -> Listing:
    """Read rows at random times, of which a window brings those of its first days."""
    hours = Random(seed).sample(range(24 * 190), 150)
    times = [NOW + timedelta(hours=hour) for hour in sorted(hours)]

    def answer(query: Query) -> Any:
        start, end = (datetime.fromisoformat(query[name]) for name in ("from", "to"))
        shown = [at for at in times if start <= at <= min(end, start + longest)]
        rows = [{"id": f"{at:%Y-%m-%dT%H:%M:%SZ}"} for at in shown]
        first = int(query["offset"])
        return {"data": rows[first : first + 20], "total": len(rows)}

    span = {"since": "2026-06-15", "until": "2026-12-20", "format": YEAR["format"]}
    done = read({"type": "offset", "limit": 20}, answer, cap=500, **span)
    early = {f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in times if at < NOW.replace(month=12)}
    assert done.ids >= early or done.result.complete is not True, done.result.reason
    return done


@pytest.mark.parametrize("seed", range(6))
def test_windows_of_which_the_api_returns_a_week_lose_no_row(seed: int) -> None:
    done = read_parts(seed, timedelta(days=7))
    assert done.result.complete is True, done.result.reason


@pytest.mark.parametrize("seed", range(6))
def test_windows_of_which_the_api_returns_the_first_day_are_not_taken_for_whole(seed: int) -> None:
    done = read_parts(seed, timedelta(days=1))
    assert done.result.complete is None, done.result.reason


def test_windows_of_the_list_of_a_parent_are_not_read_again() -> None:
    config = TimeWindowsConfig(param_from="from", param_to="to", cap=500, **YEAR)
    make = partial(create_paginator, "single_page", read_ids)
    windows = TimeWindowPaginator(make, config, NOW, is_alone=False)
    done = read_list(windows, lambda _: {"data": [{"id": 1}]})
    assert (len(done.asked), done.result.complete) == (1, True)


@pytest.mark.parametrize(("rows", "real"), [(110, 53), (470, 95)])
def test_windows_of_an_unusual_number_of_rows_may_be_cut_off(rows: int, real: int) -> None:
    hours = 18 * 470 // rows
    begin = NOW.replace(month=1, day=2)
    times = [f"{begin + timedelta(hours=hours * row):%Y-%m-%dT%H:%M:%SZ}" for row in range(rows)]

    def answer(query: Query) -> Any:
        shown = [{"id": at} for at in times if query["from"] <= at <= query["to"]][:real]
        first = int(query["offset"])
        return {"data": shown[first : first + 20], "total": len(shown)}

    done = read({"type": "offset", "limit": 20}, answer, cap=500, **YEAR)
    assert done.ids == set(times)
    assert done.result.complete is True


@pytest.mark.parametrize(("until", "windows"), [("2026-12-31", 3), ("2029-12-31", 7)])
def test_a_window_that_is_whole_costs_its_halves_once(until: str, windows: int) -> None:
    """And the parts of one that is empty."""

    def answer(query: Query) -> Any:
        shown = [{"id": at} for at in TIMES if query["from"] <= at <= query["to"]]
        return {"data": shown[int(query["offset"]) :][:20], "total": len(shown)}

    done = read({"type": "offset", "limit": 20}, answer, cap=500, **YEAR | {"until": until})
    assert done.result.complete is True
    assert len([query for query in done.asked if query["offset"] == "0"]) == windows


@pytest.mark.parametrize("longest", [2, 1])
@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])
def test_windows_that_are_refused_are_shortened_to_a_day(form: str, longest: int) -> None:
    asked = list[timedelta]()

    def answer(query: Query) -> Any:
        start, end = (datetime.fromisoformat(query[name]) for name in ("from", "to"))
        asked.append(end - start)
        return 422 if asked[-1] > timedelta(days=longest) else {"data": days(query)}

    paginator = windowed("single_page", **JANUARY, format=form)
    if longest == 1:
        with pytest.raises(HTTPError):
            read_list(paginator, answer)
    else:
        assert read_list(paginator, answer).ids == set(DAYS)
    assert min(asked) >= timedelta(days=1)


def test_a_page_that_is_refused_behind_the_last_one_ends_its_window() -> None:
    def answer(query: Query) -> Any:
        page = days(query)[4 * int(query["page"]) :][:4]
        return {"data": page} if page else 400

    done = read(NUMBERED, answer, **JANUARY)
    assert done.ids == set(DAYS)
    assert "windows" in done.result.facts.end


def test_a_window_without_a_response_is_a_doubt_and_the_next_one_is_read() -> None:
    paginator, request = windowed("single_page", **JANUARY), Request("GET", URL, params={})
    paginator.init_request(request)
    for status in (422, 204):  # the first half of what is refused holds nothing
        assert paginator.refused(status)
        assert paginator.has_next_page
        paginator.update_request(request)
