"""A list is read in time windows, each of which ends by itself."""

from __future__ import annotations

from typing import Any

import pytest

from event_assets.pagination.evidence import judge
from event_assets_tests.support.paging import Api, Query, read_pages
from event_assets_tests.support.windowed_lists import (
    DAYS,
    JANUARY,
    NOW,
    NUMBERED,
    days,
    numbered,
    plan,
    read,
    windowed,
)


def test_the_counts_of_all_windows_are_summed() -> None:
    done = read(NUMBERED, numbered, **JANUARY)
    assert done.ids == set(DAYS)
    assert done.result.complete is True
    assert done.result.facts.pages == len(done.asked)
    assert done.result.facts.rows == len(done.delivered) > done.result.facts.distinct == len(DAYS)
    windows = {(query.get("from"), query.get("to")) for query in done.asked}
    assert f"in {len(windows)} windows" in done.result.reason


def test_windows_of_which_none_was_begun_are_unfinished() -> None:
    assert "did not finish" in judge(windowed(NUMBERED).facts).reason


def test_the_result_in_a_window_counts_the_page_just_received() -> None:
    paginator = windowed(NUMBERED, **JANUARY)
    api = Api(numbered)
    counts = [
        (paginator.facts.pages, judge(paginator.facts).complete) == (len(api.asked), False)
        for _ in read_pages(api, paginator)
    ]
    assert counts == [True] * (len(api.asked) - 1) + [False]
    assert judge(paginator.facts).complete is True


def test_an_ignored_response_in_a_window_does_not_end_the_others() -> None:
    def answer(query: Query) -> Any:
        is_refused = (days(query) or [{}])[0].get("id") == DAYS[14] and query["page"] == "1"
        return 404 if is_refused else numbered(query)

    done = read(NUMBERED, answer, **JANUARY)
    assert {*DAYS[:18], *DAYS[24:]} <= done.ids
    assert done.result.complete is None
    assert "In the window from 2026-01-1" in done.result.reason
    assert "response_actions ignore" in done.result.reason


def test_ignored_responses_in_all_windows_but_one_are_reported() -> None:
    def answer(query: Query) -> Any:
        return numbered(query) if DAYS[0] in [row["id"] for row in days(query)] else 404

    done = read(NUMBERED, answer, **JANUARY)
    assert set(DAYS[:8]) <= done.ids < set(DAYS)
    assert done.result.complete is None
    assert f"to {DAYS[-1]}" not in done.result.reason
    assert "0 rows received; paging stopped" in done.result.reason


def test_nothing_is_requested_behind_the_total_of_a_window() -> None:
    def answer(query: Query) -> Any:
        page = numbered(query, size=3)
        return page if page["data"] else 404

    done = read(NUMBERED, answer, **JANUARY)
    assert done.ids == set(DAYS)
    assert done.result.complete is True


def test_a_list_whose_first_response_is_ignored_has_no_windows() -> None:
    done = read(NUMBERED, lambda _: 404)
    assert (done.result.complete, done.result.facts.pages, len(done.asked)) == (None, 0, 1)


@pytest.mark.parametrize("options", [{}, JANUARY])
def test_a_repeated_cursor_ends_its_window_with_no_fresh_row(options: Any) -> None:
    def answer(query: Query) -> Any:
        first = 3 if "cursor" in query else 0
        return {"data": days(query)[first : first + 3], "cursors": {"next": "a"}}

    done = read("cursor", answer, **options)
    assert len(done.asked) == 3
    assert done.result.complete is None
    assert "only rows that had come before" in done.result.reason


def test_a_list_by_offset_is_split_before_a_page_reaches_beyond_the_cap() -> None:
    def answer(query: Query) -> Any:
        first, limit = int(query["offset"]), int(query["limit"])
        return 400 if first + limit > 10 else {"data": days(query)[first : first + limit]}

    done = read({"type": "offset", "limit": 6}, answer, **JANUARY)
    assert done.ids == set(DAYS)


def test_rows_in_no_window_are_missed_with_a_warning() -> None:
    def answer(query: Query) -> Any:
        total = 40 if "from" not in query else len(days(query))
        start = int(query["page"]) * 4
        return {"data": days(query)[start : start + 4], "total": total}

    done = read(NUMBERED, answer)
    assert done.result.complete is None
    assert "the API reports 40" in done.result.reason


@pytest.mark.parametrize("total", [{"total": 31}, {"total": {"value": 31, "relation": "gte"}}])
def test_a_window_that_comes_empty_is_missed_in_the_total_of_the_whole_span(total: Query) -> None:
    def answer(query: Query) -> Any:
        is_span = days(query) == [{"id": day} for day in DAYS]
        if query["from"] <= "2026-01-01":
            return {**numbered(query), **(total if is_span else {})}
        return {"data": [], "total": 0}

    done = read(NUMBERED, answer, **JANUARY)
    assert done.ids < set(DAYS)
    assert done.result.complete is None
    assert "but the API reports 31 in all" in done.result.reason


def test_rows_that_no_window_holds_whole_are_missed_in_the_total_of_the_span() -> None:
    def answer(query: Query) -> Any:
        start, size = int(query["page"]) * 4, 4
        whole = [day for day in DAYS[:-3] if query["from"] <= day]
        shown = [{"id": d} for d in whole if DAYS[DAYS.index(d) + 3] <= query["to"]]
        return {"data": shown[start : start + size], "total": len(shown)}

    done = read(NUMBERED, answer, **JANUARY)
    assert done.ids < set(DAYS[:-3])
    assert done.result.complete is None
    assert "but the API reports 28 in all" in done.result.reason


def test_the_windows_of_a_whole_list_bring_as_many_rows_as_its_total() -> None:
    done = read(NUMBERED, numbered)
    assert done.ids == set(DAYS)
    assert done.result.complete is True
    assert done.result.facts.reported == len(DAYS)


@pytest.mark.parametrize(
    ("said", "complete"),
    [
        (lambda _rows: {}, None),
        (lambda rows: {"total": min(len(rows), 10)}, None),  # it counts no further than its cap
        (lambda rows: {"overflow": len(rows) > 10}, True),
    ],
    ids=["no total", "a total up to the cap", "truncated"],
)
def test_rows_without_a_time_can_be_ruled_out_by_what_the_api_says_of_the_list(
    said: Any, complete: bool | None
) -> None:
    def answer(query: Query) -> Any:
        start, shown = int(query["page"]) * 4, days(query)
        return {"data": shown[start : start + 4], **said(shown)}

    done = read(NUMBERED, answer)
    assert done.ids == set(DAYS)
    assert done.result.complete is complete
    assert complete or "without a total, rows without a time" in done.result.reason


@pytest.mark.parametrize(("last", "complete"), [(DAYS[24], True), (DAYS[30], None)])
def test_a_total_is_true_if_the_windows_have_as_many_rows(last: str, complete: bool | None) -> None:
    def answer(query: Query) -> Any:
        rows = [day["id"] + half for day in days(query) if day["id"] <= last for half in "ab"][:50]
        start = int(query["page"]) * 10
        return {"data": [{"id": id_} for id_ in rows[start : start + 10]], "total": len(rows)}

    done = read(NUMBERED, answer, cap=100)  # 50 rows at most, or all
    assert len(done.ids) == 2 * int(last[-2:])
    assert done.result.complete is complete


def test_the_length_of_a_page_above_the_cap_is_no_total_of_the_list() -> None:
    def answer(query: Query) -> Any:
        page = days(query)[:14]
        return {"data": page, "count": len(page)}

    done = read("single_page", answer)
    assert done.ids == set(DAYS)
    assert done.result.complete is None
    assert "without a total, rows without a time" in done.result.reason


@pytest.mark.parametrize(("total", "complete"), [(31, True), (32, None)])
@pytest.mark.parametrize("paginator", ["single_page", "cursor"])
def test_windows_that_cannot_be_verified_are_complete_if_the_total_of_the_list_is_reached(
    paginator: str, total: int, complete: bool | None
) -> None:
    def answer(query: Query) -> Any:
        if "from" in query:
            return {"data": days(query)}
        return {"data": days(query)[:4], "total": total}

    done = read(paginator, answer)
    assert done.ids == set(DAYS)
    assert done.result.complete is complete


def test_a_window_that_misses_rows_outweighs_one_that_cannot_be_verified() -> None:
    def answer(query: Query) -> Any:
        shown = days(query)
        if shown and shown[0]["id"] == DAYS[0] and len(shown) <= 10:
            return 404
        is_last = bool(shown) and shown[-1]["id"] == DAYS[-1]
        return {"data": shown, "has_more": True} if is_last else {"data": shown}

    done = read("single_page", answer, **JANUARY)
    assert done.result.complete is False
    assert f"to {DAYS[-1]}: " in done.result.reason


@pytest.mark.parametrize(
    ("format_", "start"),
    [
        ("%Y-%m-%d", "2025-12-31"),
        ("%d.%m.%Y %H:%M:%S", "31.12.2025 23:59:59"),
        ("epoch_s", "1767225599"),
    ],
)
def test_windows_overlap_by_the_shortest_one(format_: str, start: str) -> None:
    made = plan(format=format_, **JANUARY)
    assert made.params(made.span(NOW))["from"] == start


def test_a_window_is_halved_down_to_the_shortest_one() -> None:
    made = plan(since="2026-01-01", until="2026-01-04")
    start, end = made.span(NOW)
    day = made.step
    assert made.split((start, end)) == [(start, start + day), (start + day, end)]
    assert made.split((start, start + day)) == []


def test_a_list_is_read_whole_first_only_if_its_span_is_not_set() -> None:
    assert [plan(**span).whole for span in ({}, {"since": "2026-01-01"}, {"until": "+1d"})] == [
        *(True, False, False)
    ]


def test_windows_without_rows_name_the_parameters() -> None:
    """A list between `to` and `from` is empty, where these two are the wrong way round."""
    done = read(NUMBERED, lambda _: {"data": [], "total": 0}, **JANUARY)
    assert done.result.complete is None
    assert "check that `from` is the start of a window and `to` its end" in done.result.reason


@pytest.mark.parametrize("says_total", [True, False])
@pytest.mark.parametrize(
    ("options", "ignored"),
    [
        ({}, ("from", "to")),
        ({}, ("from",)),
        ({}, ("to",)),
        (JANUARY, ("from", "to")),
        (JANUARY, ("from",)),
        ({"since": "2026-01-20", "until": "2026-12-31"}, ("from", "to")),
    ],
)
def test_windows_that_the_api_ignores_end_with_their_names(
    options: Any, says_total: bool, ignored: tuple[str, ...]
) -> None:
    def answer(query: Query) -> Any:
        shown = days({name: value for name, value in query.items() if name not in ignored})
        total = {"total": len(shown)} if says_total else {}
        return {"data": shown[4 * int(query["page"]) :][:4], **total}

    done = read(NUMBERED, answer, **options)
    assert done.result.complete is False
    assert len(done.asked) < 200
    assert "the API ignores `from` or `to`" in done.result.reason


@pytest.mark.parametrize("at", [DAYS[0], DAYS[-1]])
def test_rows_that_are_close_together_are_no_sign_that_windows_are_ignored(at: str) -> None:
    def answer(query: Query) -> Any:
        start, end = query.get("from", ""), query.get("to", "9")
        shown = [{"id": f"{day} {n}"} for day in (at, "2026-03-01") for n in range(9)]
        shown = [row for row in shown if start <= row["id"][:10] <= end]
        return {"data": shown[4 * int(query["page"]) :][:4], "total": len(shown)}

    done = read(NUMBERED, answer)
    assert done.result.facts.distinct == 18
    assert done.result.complete is True
