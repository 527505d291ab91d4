"""Whatever happens to a list while it is read by offset: the rows that stayed are received."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from event_assets.pagination.evidence import judge
from event_assets.pagination.offset_walk import OffsetWalk
from event_assets.pagination.result import PaginationResult
from event_assets_tests.support.offset_lists import (
    Edit,
    deletions,
    insertions,
    moves,
    quick,
    receive,
    replay,
    scripts,
    worlds,
)


def assert_within_the_bound(result: PaginationResult) -> None:
    assert result.facts.pages <= 300 + 8 * result.facts.distinct


@quick
@given(st.integers(0, 60), scripts(insertions, deletions), worlds)
def test_remaining_rows_are_read_despite_insertions_and_deletions(
    length: int, script: list[list[Edit]], world: dict[str, Any]
) -> None:
    reading, staying = replay(length, script, **world)
    assert staying <= reading.delivered or reading.result.complete is False
    assert_within_the_bound(reading.result)


@quick
@given(st.integers(0, 60), scripts(insertions, moves), worlds)
def test_moved_rows_are_read_or_it_is_not_complete(
    length: int, script: list[list[Edit]], world: dict[str, Any]
) -> None:
    reading, staying = replay(length, script, **{**world, "ahead": 0})
    assert staying <= reading.delivered or reading.result.complete is not True
    assert_within_the_bound(reading.result)


@quick
@given(st.integers(0, 60), scripts(moves), worlds)
def test_moved_rows_are_read_with_read_ahead_or_it_is_not_complete(
    length: int, script: list[list[Edit]], world: dict[str, Any]
) -> None:
    reading, staying = replay(length, script, **world)
    assert staying <= reading.delivered or reading.result.complete is not True


@quick
@given(st.integers(0, 60), scripts(insertions, deletions, moves), worlds)
def test_every_walk_ends_within_the_bound(
    length: int, script: list[list[Edit]], world: dict[str, Any]
) -> None:
    reading, _ = replay(length, script, **world)
    assert_within_the_bound(reading.result)


@quick
@given(st.integers(0, 60), scripts(deletions), worlds)
def test_deletions_alone_never_spoil_completeness(
    length: int, script: list[list[Edit]], world: dict[str, Any]
) -> None:
    reading, staying = replay(length, script, **world)
    assert staying <= reading.delivered
    assert reading.result.complete is True


@quick
@given(st.integers(0, 6), scripts(insertions, deletions), worlds)
def test_pages_of_one_row_are_complete_only_if_all_were_read(
    length: int, script: list[list[Edit]], world: dict[str, Any]
) -> None:
    reading, staying = replay(length, script, **{**world, "cap": 1})
    assert staying <= reading.delivered or reading.result.complete is not True
    assert_within_the_bound(reading.result)


@quick
@given(st.integers(2, 200), st.lists(st.integers(2, 9), min_size=1), st.booleans())
def test_pages_of_changing_size_are_read_completely(
    length: int, caps: list[int], told: bool
) -> None:
    walk = OffsetWalk(limit=9)
    delivered: set[int] = set()
    while not walk.done:
        cap = caps[walk.facts.pages % len(caps)]
        page = list(range(length))[walk.position : walk.position + cap]
        delivered.update(receive(walk, page, length if told else None))
    assert delivered == set(range(length))
    assert judge(walk.facts).complete is True
