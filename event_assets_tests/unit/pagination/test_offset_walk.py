"""Pagination delivers every row that remains in the API, or reports that it may not have."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from event_assets.pagination.evidence import judge
from event_assets.pagination.offset_walk import OffsetWalk
from event_assets_tests.support.offset_lists import TOTALS, Edit, Reading, read, receive, replay


def deleting(rows: list[int], *, every: int, at: int = 0) -> Callable[[int], None]:
    def between(request: int) -> None:
        if request % every == 0 and len(rows) > 5:
            del rows[at]

    return between


@pytest.mark.parametrize("total", TOTALS)
@pytest.mark.parametrize("length", [0, 1, 2, 9, 10, 11, 19, 20, 100])
@pytest.mark.parametrize("cap", [1000, 7, 2])
def test_a_quiet_list_is_read_completely(length: int, cap: int, total: str) -> None:
    reading = read(list(range(length)), cap=cap, total=total)
    assert reading.delivered == set(range(length))
    assert reading.result.complete is True
    assert reading.result.facts.shifts == 0
    assert reading.result.facts.rows - reading.result.facts.overlaps == length
    is_second_needed = length == 1 and total != "true"
    assert reading.result.facts.passes == 1 + is_second_needed


def test_each_page_begins_with_the_last_row_of_the_page_before() -> None:
    assert read(list(range(25))).offsets[:4] == [0, 9, 18, 24]


def test_a_cap_below_the_limit_sets_the_step() -> None:
    assert read(list(range(12)), limit=100, cap=5).offsets[:4] == [0, 4, 8, 11]


def test_a_total_saves_the_last_request() -> None:
    reading = read(list(range(25)), total="true")
    assert reading.offsets == [0, 9, 18]
    assert reading.result.facts.overlaps == 2
    assert reading.result.facts.reported == 25


def test_an_empty_list_is_complete() -> None:
    reading = read([], total="true")
    assert (reading.result.complete, reading.result.reason) == (True, "The list is empty.")
    assert reading.offsets == [0]


def test_a_first_page_as_long_as_its_total_is_followed_by_another_request() -> None:
    assert read(list(range(10)), total="length of the page").offsets[:2] == [0, 9]


def test_a_total_that_is_the_page_length_is_not_believed() -> None:
    reading = read(list(range(95)), total="length of the page")
    assert len(reading.delivered) == 95
    assert reading.result.complete is True


def test_a_full_page_that_meets_the_total_is_not_the_end() -> None:
    walk = OffsetWalk(limit=3)
    for page in ([0, 1, 2], [2, 3, 4], [4, 5], [5]):
        receive(walk, page, total=5)
    while not walk.done:
        receive(walk, [], total=5)
    assert judge(walk.facts).complete is True
    assert walk.facts.distinct == 6


def test_the_echo_of_the_limit_is_neither_believed_nor_ruled_out() -> None:
    walk = OffsetWalk(limit=100)
    receive(walk, list(range(30)), total=100)
    receive(walk, [29], total=100)
    while not walk.done:
        receive(walk, [], total=100)
    assert judge(walk.facts).complete is None
    assert "the API reports 100" in judge(walk.facts).reason


def test_pages_of_one_row_cannot_be_verified() -> None:
    reading = read(list(range(5)), cap=1)
    assert reading.delivered == set(range(5))
    assert reading.result.complete is None
    assert "larger limit" in reading.result.reason
    assert (reading.result.facts.overlaps, reading.result.facts.rows) == (0, 5)


def test_the_only_row_of_a_list_is_requested_again() -> None:
    assert read([7]).offsets == [0, 1, 11, 31, 0]


def test_a_limit_of_one_row_is_possible() -> None:
    assert read([], limit=1).result.complete is True


def test_the_only_row_of_a_list_is_the_end_if_no_more_follow() -> None:
    walk = OffsetWalk(limit=3)
    receive(walk, [0], more=False)
    assert walk.done
    assert judge(walk.facts).complete is True


def test_has_more_false_is_the_end() -> None:
    walk = OffsetWalk(limit=3)
    receive(walk, [0, 1, 2], more=True)
    receive(walk, [2, 3], more=False)
    assert walk.done
    assert judge(walk.facts).complete is True


def test_a_walk_that_is_not_finished_is_not_complete() -> None:
    walk = OffsetWalk(limit=3)
    receive(walk, [0, 1, 2])
    assert judge(walk.facts).complete is False
    assert "did not finish" in judge(walk.facts).reason


def test_nothing_can_be_received_after_the_end() -> None:
    with pytest.raises(RuntimeError):
        receive(read([]).walk, [1])


@pytest.mark.parametrize(("limit", "start"), [(0, 0), (-1, 0), (10, -1)])
def test_impossible_windows_are_refused(limit: int, start: int) -> None:
    with pytest.raises(ValueError, match="limit must be >= 1"):
        OffsetWalk(limit, start)


def test_a_page_after_a_deletion_is_not_delivered_until_it_connects() -> None:
    walk = OffsetWalk(limit=4)
    assert receive(walk, [0, 1, 2, 3])
    assert not receive(walk, [4, 5, 6, 7])
    assert walk.position == 1
    assert receive(walk, [2, 3, 4, 5])
    assert walk.facts.shifts == 1


@pytest.mark.parametrize(
    ("limit", "offsets"),
    [
        (2, [9, 8, 6, 2, 0]),
        (3, [18, 17, 15, 11, 3, 0]),
        (4, [27, 25, 21, 13, 0]),
        (5, [36, 34, 30]),
    ],
)
def test_the_walk_steps_back_by_half_a_page_then_twice_as_far(
    limit: int, offsets: list[int]
) -> None:
    walk = OffsetWalk(limit)
    for _ in range(9):
        receive(walk, list(range(walk.position, walk.position + limit)))
    for unknown, offset in enumerate(offsets, 1):
        assert walk.position == offset
        receive(walk, [1000 * unknown + row for row in range(limit)])


def test_rows_that_come_again_after_a_step_back_are_counted_once() -> None:
    rows = list(range(30))
    reading = read(rows, between=lambda n: rows.__delitem__(0) if n == 1 else None)
    assert reading.result.facts.shifts == 1
    assert reading.walk.facts.rows_read == reading.result.facts.distinct == 30


def test_rows_of_a_dropped_page_do_not_connect_pages() -> None:
    walk = OffsetWalk(limit=4)
    receive(walk, [0, 1, 2, 3])
    receive(walk, [8, 9, 10, 11])
    assert not receive(walk, [6, 7, 8, 9])


def test_an_empty_page_after_deletions_is_no_end() -> None:
    rows = list(range(30))
    reading = read(rows, between=lambda n: rows.__delitem__(slice(0, 18)) if n == 2 else None)
    assert reading.delivered == set(range(30))
    assert reading.result.complete is True
    assert reading.result.facts.shifts >= 1


def test_an_insertion_at_the_start_needs_no_full_pass() -> None:
    rows = list(range(500))
    reading = read(rows, between=lambda n: rows.insert(0, 1000) if n == 20 else None)
    assert reading.delivered == {*range(500), 1000}
    assert reading.result.complete is True
    assert reading.offsets[-2:] == [0, 501]


def test_a_pass_that_went_on_to_its_end_agrees_with_no_other() -> None:
    script: list[list[Edit]] = [[] for _ in range(10)]
    script[5], script[9] = [("move", 22, 4)], [("insert", 0, 1)]
    reading, staying = replay(59, script, limit=8, total="length of the page")
    assert staying <= reading.delivered


def test_the_only_row_of_a_list_that_got_shorter_is_not_the_one_received() -> None:
    script: list[list[Edit]] = [[("insert", 0, 3), ("delete", 0, 1), ("delete", 0, 5)]]
    reading, staying = replay(4, script, limit=2, cap=1, total="true")
    assert staying <= reading.delivered


@pytest.mark.parametrize("every", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_list_that_gets_shorter_all_the_time_ignores_no_offset(every: int, size: int) -> None:
    rows = list(range(400))

    def delete(request: int) -> None:
        if request % every == 0 and len(rows) > 100:
            del rows[:size]

    reading = read(rows, between=delete)
    assert reading.delivered >= set(rows)
    assert reading.result.complete is True


def test_the_length_of_a_page_is_no_total_that_goes_to_and_fro() -> None:
    reading, _ = replay(3, [[("delete", 0, 1)]], limit=2, total="length of the page")
    assert reading.result.complete is True, reading.result.reason


def test_two_readings_in_which_the_only_row_is_gone_agree() -> None:
    reading, _ = replay(1, [[("delete", 0, 1)]], limit=2, total="length of the page")
    assert reading.result.complete is True


def test_rows_that_are_added_at_the_end_of_a_further_pass_are_read() -> None:
    rows = list(range(40))
    changes = {5: lambda: rows.insert(0, 1000), 45: lambda: rows.extend(range(40, 45))}
    reading = read(rows, limit=2, between=lambda n: changes.get(n, lambda: None)())
    assert reading.offsets[44:] == [0, 41, 42, 43, 44, 45]
    assert reading.delivered == {*range(45), 1000}


def test_a_row_that_moves_behind_the_offset_is_found() -> None:
    rows = list(range(100))
    reading = read(rows, between=lambda n: rows.insert(0, rows.pop(90)) if n == 5 else None)
    assert reading.delivered == set(range(100))
    assert reading.result.complete is True


def test_a_row_that_moves_to_the_end_connects_no_page_with_those_before() -> None:
    rows = list(range(12))

    def change(request: int) -> None:
        if request == 2:
            rows[:] = [*range(5, 12), 1, 100]

    reading = read(rows, limit=4, between=change)
    assert reading.delivered >= set(rows)
    assert reading.result.complete is True


def test_a_page_that_begins_with_new_rows_before_known_ones_is_read_again() -> None:
    rows = list(range(9))

    def change(request: int) -> None:
        if request == 2:
            rows[:] = [0, 1, 2, 3, 5, 7, 8, 6]

    reading = read(rows, limit=4, between=change)
    assert reading.delivered >= set(rows)
    assert reading.result.facts.passes > 1


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


def test_a_random_order_is_never_complete() -> None:
    rows = list(range(200))
    dice = random.Random(7)
    result = read(rows, between=lambda _: dice.shuffle(rows)).result
    assert result.complete is not True
    assert "order is not stable" in result.reason


def test_a_list_that_gives_two_rows_one_id_is_not_called_complete() -> None:
    result = read([0, 1, 1, 2, 3, 4], limit=3).result
    assert result.complete is None
    assert "Check the `primary_key`" in result.reason


def test_repeats_that_two_readings_show_at_the_same_places_are_repeats() -> None:
    result = read([*range(30), *range(5)]).result
    assert result.complete is None
    assert "30 rows received, but the list has 35" in result.reason
    assert result.facts.passes == 2


def test_a_total_of_the_ids_is_reached_by_two_readings_that_agree() -> None:
    """Some rows come twice, and one is counted by offsets only."""
    rows, walk = [0, 1, 2, 3, 1, 2, 6, 4, 8, 6, 10, 11], OffsetWalk(limit=3)
    while not walk.done:
        receive(walk, [row for row in rows[walk.position :][:3] if row != 8], total=8)
    assert judge(walk.facts).complete is True
    assert (walk.facts.distinct, walk.facts.passes) == (8, 4)


def test_repeats_that_move_between_two_readings_are_missing_rows() -> None:
    rows = [*range(30), *range(5)]
    result = read(rows, between=lambda _: rows.append(rows.pop(0))).result
    assert result.complete is False
    assert "the list has 35 rows, but 30 distinct ids were received in 4 readings" in result.reason


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


def test_a_list_that_grows_forever_ends_at_max_pages() -> None:
    rows = list(range(100))
    walk = OffsetWalk(10, max_pages=500)
    result = read(rows, between=lambda n: rows.extend(range(n * 1000, n * 1000 + 10)), walk=walk)
    assert result.result.complete is False
    assert result.result.facts.pages == 500


def test_a_long_list_is_not_taken_for_one_that_never_ends() -> None:
    assert read(list(range(1_000)), limit=2).result.complete is True
