"""Cursors that are a value of the last row, and rows that share it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from event_assets_tests.support.paging import Query
from event_assets_tests.support.served_lists import read_with

CURSOR = {"type": "cursor", "cursor_path": "next"}
LINK = {"type": "json_link", "next_url_path": "next"}
DAYS = [f"2026-06-{day:02}" for day in range(1, 31)]


def listing(by_day: int) -> list[dict[str, Any]]:
    """Return rows of which so many have the same day."""
    return [{"id": f"r{row}", "at": {"day": DAYS[row // by_day]}} for row in range(30 * by_day)]


def after(query: Query, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["at"]["day"] > query.get("cursor", "")]


def not_before(query: Query, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["at"]["day"] >= query.get("cursor", "")]


def answering(
    by_day: int, select: Callable[..., list[dict[str, Any]]], form: str = "{}", **members: Any
) -> Callable[[Query], Any]:
    def answer(query: Query) -> Any:
        found = select(query, listing(by_day))
        page = found[:10]
        last = form.format(page[-1]["at"]["day"]) if len(found) > 10 else None
        return {"data": page, "next": last, **members}

    return answer


@pytest.mark.parametrize("by_day", [2, 3, 4, 7, 12])  # of 3, the last row has a day alone
@pytest.mark.parametrize(
    ("config", "form"),
    [(CURSOR, "{}"), (LINK, "/events?limit=10&cursor={}")],
    ids=["cursor", "link"],
)
def test_rows_that_share_the_cursor_may_be_missing(config: Any, form: str, by_day: int) -> None:
    done = read_with(config, answering(by_day, after, form))
    assert (len(done.ids) == 30 * by_day) is (by_day == 2)  # pages end with a day
    assert done.result.complete is None
    assert "share the `at.day` by which a page leads on" in done.result.reason


@pytest.mark.parametrize(
    ("by_day", "select"), [(1, after), (1, not_before), (4, not_before), (7, not_before)]
)
def test_rows_that_share_no_cursor_or_come_again_are_complete(by_day: int, select: Any) -> None:
    done = read_with(CURSOR, answering(by_day, select))
    assert len(done.ids) == 30 * by_day
    assert "share" not in done.result.reason


@pytest.mark.parametrize(("by_day", "complete"), [(3, None), (1, True)])
def test_a_cursor_that_leads_to_nothing_may_leave_rows_out_that_share_it(
    by_day: int, complete: bool | None
) -> None:
    def answer(query: Query) -> Any:
        page = after(query, listing(by_day)[:11])[:10]
        return {"data": page, "next": page[-1]["at"]["day"] if page else None}

    done = read_with(CURSOR, answer)
    assert len(done.ids) == (11 if by_day == 1 else 10)
    assert done.result.complete is complete, done.result.reason


def test_a_total_that_is_reached_outweighs_a_tie() -> None:
    done = read_with(CURSOR, answering(5, after, total=150))
    assert done.result.complete is True


@pytest.mark.parametrize("rows_of_a_page", [1, 2, 3])
@pytest.mark.parametrize(("form", "is_tie"), [("{:05}", False), ("{:06}", True)])
def test_a_value_may_be_a_short_number_of_the_page_or_that_of_the_only_row(
    form: str, is_tie: bool, rows_of_a_page: int
) -> None:
    """All rows of a page have the value of its cursor."""

    def answer(query: Query) -> Any:
        number = int(query.get("cursor", 0)) + 1
        week = form.format(number)
        page = [{"id": f"{week} {row}", "week": week} for row in range(rows_of_a_page)]
        return {"data": page, "next": week if number < 9 else None}

    reason = read_with(CURSOR, answer).result.reason
    assert ("share the `week`" in reason) is (is_tie and rows_of_a_page > 1)


def test_an_id_that_leads_on_beside_a_shared_value_leaves_no_row_out() -> None:
    def answer(query: Query) -> Any:
        day, first = query.get("day", ""), query.get("id", "")
        found = [row for row in listing(4) if row["at"]["day"] >= day]
        at = next((at for at, row in enumerate(found, 1) if row["id"] == first), 0)
        page = found[at : at + 10]
        link = f"/events?day={page[-1]['at']['day']}&id={page[-1]['id']}"
        return {"data": page, "next": link if len(found) > at + 10 else None}

    done = read_with(LINK, answer)
    assert len(done.ids) == 120
    assert done.result.complete is True


@pytest.mark.parametrize(
    ("length", "params"), [(20, {"from": DAYS[0]}), (40, {"from": DAYS[0]}), (40, {})]
)
def test_a_filter_in_links_is_no_value_that_leads_on(length: int, params: dict[str, str]) -> None:
    """The last rows of the first page are of the day from which the list is read."""

    def answer(query: Query) -> Any:
        at = int(query.get("at", "0"))
        page = listing(10)[:length][at : at + 10]
        link = f"/events?from={DAYS[0]}&at={at + 10}&limit=10"
        return {"data": page, "next": link if at + 10 < length else None}

    done = read_with(LINK, answer, params=params)
    assert len(done.ids) == length
    assert done.result.complete is True
