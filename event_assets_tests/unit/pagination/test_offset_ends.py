"""A walk by offset ends at the end of a list, also of one that grows, wraps round or refuses."""

from __future__ import annotations

from typing import Any

import pytest

from event_assets.pagination import offset_walk
from event_assets.pagination.evidence import judge
from event_assets.pagination.offset_walk import OffsetWalk
from event_assets_tests.support.offset_lists import Edit, Reading, read, receive, replay
from event_assets_tests.support.paging import Query
from event_assets_tests.support.served_lists import read_with, rows_from


@pytest.mark.parametrize(("total", "complete"), [(None, True), (130, True), (137, False)])
def test_the_last_page_for_each_offset_behind_it_is_the_end(
    total: int | None, complete: bool
) -> None:
    walk, delivered = OffsetWalk(limit=20), set[int]()
    while not walk.done:
        first = min(walk.position, 110)
        delivered.update(range(first, first + 20))
        receive(walk, list(range(first, first + 20)), total)
    assert delivered == set(range(130))
    assert judge(walk.facts).complete is complete
    assert walk.facts.pages == 10


@pytest.mark.parametrize("at", [1, 2, 3])
def test_an_offset_that_is_ignored_is_told_also_where_a_row_is_added(at: int) -> None:
    rows, walk = list(range(20)), OffsetWalk(20)
    while not walk.done:
        receive(walk, rows[:20])
        if walk.facts.pages == at:
            rows.insert(0, 99)
    assert judge(walk.facts).complete is not True
    assert "ignores the parameter" in judge(walk.facts).reason


def test_a_page_that_comes_again_because_the_list_grows_is_no_end() -> None:
    rows = list(range(100))

    def grow(request: int) -> None:
        if request in (2, 3):
            rows[:0] = range(1000 * request, 1000 * request + 9)

    assert read(rows, between=grow).delivered >= set(range(100))


def test_a_list_that_grows_in_each_reading_cannot_be_verified() -> None:
    rows, walk = list(range(40)), OffsetWalk(10)
    reading = Reading(walk)
    while not walk.done:
        reading.offsets.append(walk.position)
        receive(walk, rows[walk.position : walk.position + 10])
        if reading.offsets[-1] == 0:
            rows.insert(0, 1000 + len(rows))
    assert reading.offsets == [0, 9, 18, 27, 36, 40, 50, 70, 110, 0, 41, 0, 42, 0, 43]
    assert reading.result.complete is None
    assert "43 rows received in 4 readings, no two of which agree" in reading.result.reason


def test_a_list_without_a_total_is_looked_for_behind_its_end() -> None:
    assert read(list(range(25))).offsets == [0, 9, 18, 24, 34, 54, 94]
    assert read([]).offsets == [0, 10, 30, 70]


def test_rows_in_place_of_those_of_an_empty_page_are_not_counted_for_them() -> None:
    rows, walk = list(range(60)), OffsetWalk(10)
    while not walk.done:
        page = [row for row in rows[walk.position :][:10] if not 20 <= row < 30]
        receive(walk, page)
        if walk.facts.passes == 2 and len(rows) == 60:
            rows[:0] = range(1000, 1010)
    assert judge(walk.facts).complete is True
    assert walk.facts.passes == 3


def test_rows_of_a_list_that_was_empty_at_first_are_read_from_its_start() -> None:
    walk, offsets = OffsetWalk(10), list[int]()
    receive(walk, [], total=3)
    while not walk.done:
        offsets.append(walk.position)
        receive(walk, list(range(3))[walk.position :], total=3)
    assert offsets == [0, 0, 2]


def test_a_row_that_was_seen_behind_the_end_and_never_came_cannot_be_verified() -> None:
    walk, looks = OffsetWalk(limit=4), iter([[9]])
    while not walk.done:
        page = list(range(4))[walk.position : walk.position + 4]
        receive(walk, next(looks, []) if walk.position == 7 else page)
    result = judge(walk.facts)
    assert result.complete is None
    assert result.facts.distinct == 4


def test_a_list_without_a_maximum_ends_even_if_no_empty_page_is_to_stop_the_walk() -> None:
    walk = OffsetWalk(10, stop_after_empty_page=False)
    assert read(list(range(25)), walk=walk).offsets == read(list(range(25))).offsets


def test_readings_that_have_every_row_but_in_another_order_do_not_agree() -> None:
    readings = (
        {0: [0, 1, 2, 3], 3: [4, 0], 4: [0]},
        {0: [4, 0, 3, 2], 3: [2, 1], 4: [0]},
        {0: [3, 2, 0, 4], 3: [1, 3], 4: [3]},
        {0: [2, 0, 4, 1], 3: [4, 2], 4: [4]},
    )
    walk = OffsetWalk(limit=4)
    while not walk.done:
        receive(walk, readings[walk.facts.passes - 1].get(walk.position, []))
    result = judge(walk.facts)
    assert result.complete is None
    assert "5 rows received in 4 readings, no two of which agree" in result.reason


def test_a_total_ends_the_walk_before_the_maximum() -> None:
    walk = OffsetWalk(10, maximum=500, stop_after_empty_page=False)
    assert read(list(range(25)), total="true", walk=walk).offsets == [0, 9, 18]


@pytest.mark.parametrize(("limit", "requests"), [(3, 29), (10, 8), (30, 3)])
def test_an_offset_that_wraps_round_ends_after_two_laps_at_most(limit: int, requests: int) -> None:
    walk = OffsetWalk(limit)
    while not walk.done:
        receive(walk, [(walk.position + row) % 25 for row in range(limit)])
    result = judge(walk.facts)
    assert result.complete is not True
    assert result.facts.distinct == 25
    assert result.facts.pages == requests


def test_rows_that_share_ids_are_no_lap_while_a_total_promises_more() -> None:
    rows = [*(at % 13 for at in range(170)), *range(100, 108)]
    assert read(rows, total="true").delivered == set(rows)


def test_a_refused_page_behind_the_end_of_a_further_reading_is_its_end() -> None:
    rows, walk = list(range(40)), OffsetWalk(limit=10)
    receive(walk, rows[:10])
    rows.insert(0, 1000)
    while walk.facts.passes == 1:
        receive(walk, rows[walk.position : walk.position + 10])
    receive(walk, rows[:10])
    assert walk.position == 41
    assert walk.refuse(404)
    assert judge(walk.facts).complete is True


@pytest.mark.parametrize(
    ("deepest", "status", "is_depth"), [(2000, 400, True), (2000, 404, False), (1850, 400, False)]
)
@pytest.mark.parametrize(("reach", "received"), [(0, 2080), (100, 2000)])
def test_a_refusal_in_a_list_at_a_round_number_of_rows_may_be_a_limit(
    deepest: int, status: int, is_depth: bool, reach: int, received: int
) -> None:
    """The limit is one of offsets, or of offsets with the page that is asked for there."""
    walk = OffsetWalk(limit=100)
    is_accepted = True
    while is_accepted and not walk.done:
        if walk.position + max(1, reach) > deepest:
            is_accepted = walk.refuse(status)
        else:
            receive(walk, range(walk.position, walk.position + 100))
    assert is_accepted is is_depth
    result = judge(walk.facts)
    assert result.complete is (None if is_depth else False)
    assert not is_depth or f"{received:,} rows received; the API refused" in result.reason


def test_a_list_that_grows_in_front_faster_than_it_is_read_ends() -> None:
    rows = list(range(100))

    def grow(request: int) -> None:
        rows[:0] = range(1000 * request, 1000 * request + 10)

    result = read(rows, between=grow).result
    assert result.complete is False
    assert "the last 201 of 201 pages had no new rows" in result.reason


def test_a_short_list_that_grows_in_front_is_no_lap() -> None:
    script: list[list[Edit]] = [[], [("insert", 0, 1)], [("insert", 0, 1)] * 2]
    reading, staying = replay(4, script, limit=2, total="length of the page")
    assert staying <= reading.delivered


def test_twice_as_many_pages_as_brought_rows_may_bring_none() -> None:
    rows, walk = list(range(100)), OffsetWalk(10)

    def grow(request: int) -> None:
        if request > 7:
            rows[walk.position : walk.position] = range(1000 * request, 1000 * request + 9)

    result = read(rows, between=grow, walk=walk).result
    assert "the last 215 of 223 pages had no new rows" in result.reason


def test_a_list_that_grows_forever_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offset_walk, "MAX_PAGES", 500)
    rows = list(range(100))
    result = read(rows, between=lambda n: rows.extend(range(n * 1000, n * 1000 + 10)))
    assert result.result.complete is False
    assert result.result.facts.pages == 500


def test_a_long_list_is_not_taken_for_one_that_never_ends() -> None:
    assert read(list(range(1_000)), limit=2).result.complete is True


@pytest.mark.parametrize("length", [2, 20, 39, 100, 130])
def test_a_total_is_reached_by_offsets_that_count_from_one(length: int) -> None:
    """As of SCIM: the first row is asked for as `startIndex=1`."""

    def answer(query: Query) -> Any:
        return {"data": rows_from(int(query["offset"]) - 1, length), "total": length}

    done = read_with({"type": "offset", "limit": 20, "offset": 1}, answer)
    assert done.ids == set(range(length))
    assert done.result.complete is True, done.result.reason
    assert len(done.asked) <= max(1, -(-(length - 1) // 19)) + 1


def test_a_maximum_of_offsets_that_count_from_one_is_an_offset() -> None:
    config = {"type": "offset", "limit": 20, "offset": 1, "maximum_offset": 40}
    done = read_with(config, lambda query: {"data": rows_from(int(query["offset"]) - 1)})
    assert [int(query["offset"]) for query in done.asked] == [1, 20]
    assert done.result.reason.endswith("stopped at maximum_offset 40.")


@pytest.mark.parametrize("status", [400, 404, 416])
def test_a_list_of_one_row_that_ends_with_a_refusal_is_read_twice(status: int) -> None:
    def answer(query: Query) -> Any:
        return status if query["offset"] != "0" else {"data": rows_from(0, 1)}

    done = read_with({"type": "offset", "limit": 20}, answer)
    assert done.result.complete is True, done.result.reason
    assert [int(query["offset"]) for query in done.asked] == [0, 1, 21, 61, 0]
