"""Offsets behind which pages are empty or not to be read, and those that are fetched ahead."""

from __future__ import annotations

import pytest

from event_assets.pagination.evidence import judge
from event_assets.pagination.offset_walk import OffsetWalk
from event_assets_tests.support.offset_lists import Reading, read, receive


def with_gap(
    first: int,
    end: int,
    length: int = 60,
    limit: int = 10,
    total: int | None = 60,
    walk: OffsetWalk | None = None,
) -> Reading:
    """A server that drops rows after paging: offsets from `first` to `end` come empty."""
    reading = Reading(walk or OffsetWalk(limit))
    while not reading.walk.done:
        offset = reading.walk.position
        reading.offsets.append(offset)
        rows = range(offset, min(offset + limit, length))
        page = [row for row in rows if not first <= row < end]
        reading.delivered.update(receive(reading.walk, page, total=total))
    return reading


@pytest.mark.parametrize("gap", [(20, 30), (20, 45), (0, 10), (25, 95)])
def test_pages_that_come_empty_in_mid_list_are_no_end_without_a_total(gap: tuple[int, int]) -> None:
    reading = with_gap(*gap, length=120, total=None)
    assert reading.delivered == set(range(120)) - set(range(*gap))
    assert reading.result.complete is True
    assert "the same in two readings" in reading.result.reason


def test_empty_pages_are_read_up_to_the_maximum_if_none_is_to_stop_the_walk() -> None:
    walk = OffsetWalk(10, maximum=500, stop_after_empty_page=False)
    reading = with_gap(20, 400, length=450, total=None, walk=walk)
    assert reading.delivered == {*range(20), *range(400, 450)}
    assert max(reading.offsets) >= 490


@pytest.mark.parametrize("step", [7, 45])
def test_pages_with_the_same_rows_are_no_end_before_the_maximum(step: int) -> None:
    """The API counts 200 rows, of which it shows each seventh, or each 45th."""
    walk, came = OffsetWalk(20, maximum=300, stop_after_empty_page=False), set[int]()
    while not walk.done:
        counted = range(walk.position, min(200, walk.position + 20))
        came |= {*receive(walk, [row for row in counted if row % step == 0])}
    assert came == set(range(0, 200, step))
    assert judge(walk.facts).complete is not False


@pytest.mark.parametrize("total", [27_200, None])
@pytest.mark.parametrize("is_told", [True, False])
@pytest.mark.parametrize("is_everywhere", [True, False])
def test_empty_pages_in_place_of_an_error_are_not_requested_to_the_end(
    total: int | None, is_told: bool, is_everywhere: bool
) -> None:
    walk, pages = OffsetWalk(100), 0
    while not walk.done:
        page = list(range(100)) if not (pages if is_everywhere else walk.position) else []
        receive(walk, page, total=total if page or is_told else None)
        pages += 1
    assert pages <= 32
    assert total is None or not Reading(walk).result.complete


@pytest.mark.parametrize("gap", [25, 75])
def test_empty_pages_in_the_middle_are_skipped_and_reported(gap: int) -> None:
    reading = with_gap(20, 20 + gap, length=35 + gap, total=35 + gap)
    assert reading.delivered == {*range(20), *range(20 + gap, 35 + gap)}
    assert reading.result.complete is False
    assert f"reports {35 + gap} rows but sent 35." in reading.result.reason


@pytest.mark.parametrize("total", [55, 70])
def test_a_total_of_the_rows_that_are_shown_is_reached_over_empty_pages(total: int) -> None:
    """It is passed by the offsets, which count the 25 rows that are in no page, too."""
    reading = with_gap(20, 45, length=80, total=total)
    assert reading.delivered == {*range(20), *range(45, 80)}
    assert reading.result.complete is (total == 55), reading.result.reason
    if total == 70:
        assert "reports 70 rows but sent 55" in reading.result.reason


def test_a_total_of_the_first_page_is_reached_over_empty_pages() -> None:
    walk, rows = OffsetWalk(10), [*range(20), *range(45, 80)]
    while not walk.done:
        offset = walk.position
        page = [row for row in rows if offset <= row < offset + 10]
        receive(walk, page, total=None if offset else 55, more=offset < 70)
    assert judge(walk.facts).complete is True, judge(walk.facts).reason


@pytest.mark.parametrize(
    ("length", "hidden", "at", "deleted"),
    [
        (23, range(16, 18), 8, slice(3)),
        (32, range(25, 27), 14, slice(4, 5)),
        (37, range(30, 32), 3, slice(5, 8)),
        (33, range(26, 29), 13, slice(6, 8)),
    ],
)
def test_a_total_that_falls_ends_no_list_whose_offsets_count_rows_in_no_page(
    length: int, hidden: range, at: int, deleted: slice
) -> None:
    rows, asked, delivered, walk = [*range(length)], 0, set[int](), OffsetWalk(20)
    while not walk.done:
        if asked == at:
            del rows[deleted]
        page = rows[walk.position : walk.position + 5]
        shown = [row for row in page if row not in hidden]
        delivered.update(receive(walk, shown, total=len(rows) - len(hidden)))
        asked += 1
    assert delivered >= {*rows} - {*hidden}, judge(walk.facts).reason
    assert judge(walk.facts).complete is True


def test_empty_pages_are_read_where_the_api_says_that_more_follow() -> None:
    walk = OffsetWalk(limit=10)
    pages, offsets = {0: range(10), 9: [9]}, []
    while not walk.done:
        offsets.append(walk.position)
        receive(walk, pages.get(walk.position, []), more=True)
    assert offsets == [0, 9, *range(10, 10 + 25 * 10, 10)]
    assert judge(walk.facts).complete is False
    assert "says that more follow" in judge(walk.facts).reason


def test_a_total_above_the_rows_received_is_reported() -> None:
    result = with_gap(40, 60).result
    assert result.complete is False
    assert "reports 60 rows but sent 40" in result.reason


def test_an_outdated_total_is_checked_again() -> None:
    walk = OffsetWalk(limit=3)
    receive(walk, [0, 1, 2], total=6)
    receive(walk, [2, 3, 4], total=6)
    receive(walk, [4], total=6)
    receive(walk, [], total=5)
    receive(walk, [4], total=5)
    assert judge(walk.facts).complete is True


def test_a_gap_without_an_end_is_read_no_further_than_the_bound() -> None:
    walk = OffsetWalk(limit=10)
    while not walk.done:
        receive(walk, list(range(walk.position, min(walk.position + 10, 50))), total=10_000)
    assert "reports 10,000 rows but sent 50." in judge(walk.facts).reason
    assert walk.facts.pages == 33


def test_a_depth_limit_is_no_end() -> None:
    walk = OffsetWalk(limit=10)
    while not walk.done:
        page = range(walk.position, min(walk.position + 10, 50))
        receive(walk, list(page), total=1000 if page else 0)
    assert judge(walk.facts).complete is False
    assert "reports 1,000 rows but sent 50" in judge(walk.facts).reason
    assert "reports 1,000 rows but sent 50." in judge(walk.facts).reason
    assert walk.facts.pages < 20


def test_empty_pages_are_not_skipped_with_stop_after_empty_page() -> None:
    walk = OffsetWalk(limit=2, stop_after_empty_page=True)
    receive(walk, [0, 1], total=9)
    receive(walk, [1], total=9)
    assert walk.done
    assert judge(walk.facts).complete is False


def test_nothing_is_requested_behind_the_maximum_that_a_total_promises() -> None:
    walk = OffsetWalk(10, maximum=27)
    for offset in (0, 9, 18):
        receive(walk, list(range(offset, min(offset + 10, 27))), total=40, more=offset < 18)
    assert walk.done
    assert judge(walk.facts).complete is False


@pytest.mark.parametrize(("maximum", "offsets"), [(25, [0, 9, 18]), (28, [0, 9, 18])])
def test_the_maximum_ends_the_walk_unverified(maximum: int, offsets: list[int]) -> None:
    reading = read(list(range(100)), walk=OffsetWalk(10, maximum=maximum))
    assert reading.offsets == offsets
    assert reading.delivered >= set(range(maximum))
    assert reading.result.complete is None
    assert "stopped at" in reading.result.reason


def test_the_upcoming_offsets_are_requested_next() -> None:
    walk = OffsetWalk(limit=10)
    assert walk.upcoming(3) == []
    receive(walk, list(range(10)), total=36)
    assert (walk.position, walk.upcoming(9)) == (9, [18, 27])
    assert walk.upcoming(1) == [18]
    walk = OffsetWalk(limit=10, maximum=27)
    receive(walk, list(range(10)), total=99)
    assert walk.upcoming(9) == [18]


def test_only_a_full_page_leads_on_without_a_total() -> None:
    walk = OffsetWalk(limit=10)
    receive(walk, range(10))
    assert walk.upcoming(2) == [18, 27]
    receive(walk, range(9, 17))
    assert walk.upcoming(2) == []


def test_the_looks_behind_the_end_are_upcoming() -> None:
    walk = OffsetWalk(limit=10)
    for page in (range(10), range(9, 12), [11]):
        receive(walk, page)
    assert (walk.position, walk.upcoming(9)) == (21, [41, 81])
    receive(walk, [])
    assert (walk.position, walk.upcoming(9)) == (41, [81])


def test_the_pages_of_a_gap_are_upcoming() -> None:
    walk = OffsetWalk(limit=10)
    for page in (range(10), [9]):
        receive(walk, page, total=45)
    assert (walk.position, walk.upcoming(9)) == (10, [20, 30, 40])


def test_nothing_is_upcoming_after_a_shift_or_at_the_end() -> None:
    walk = OffsetWalk(limit=4)
    receive(walk, [0, 1, 2, 3])
    receive(walk, [5, 6, 7, 8])
    assert walk.upcoming(4) == []
    assert read([1, 2]).walk.upcoming(4) == []
