"""Pagination delivers every row that remains in the API, or reports that it may not have."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from event_assets.pagination.evidence import judge
from event_assets.pagination.offset_walk import OffsetWalk
from event_assets_tests.support.offset_lists import TOTALS, Edit, read, receive, replay


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


def test_a_total_that_is_the_limit_is_a_total() -> None:
    walk = OffsetWalk(limit=100)
    receive(walk, list(range(30)), total=100)
    receive(walk, [29], total=100)
    while not walk.done:
        receive(walk, [], total=100)
    assert judge(walk.facts).complete is False
    assert "The API reports 100" in judge(walk.facts).reason


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


@pytest.mark.parametrize("length", [5, 20, 23])
def test_a_list_that_is_read_from_a_later_offset_is_read_once(length: int) -> None:
    reading = read(list(range(length)), limit=4, walk=OffsetWalk(4, 3))
    assert reading.delivered == set(range(3, length))
    assert reading.result.complete is True
    assert reading.result.facts.passes == 1
