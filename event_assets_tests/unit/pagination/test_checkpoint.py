"""Walks that resume at a checkpoint miss no more rows than uninterrupted ones."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.pagination.checkpoint import PaginationCheckpoint
from event_assets.pagination.offset_walk import OffsetWalk
from event_assets.pagination.result import PaginationResult
from event_assets.pagination.seen_ids import DistinctIds
from event_assets_tests.support.offset_lists import (
    Reading,
    deletions,
    insertions,
    moves,
    quick,
    read,
    replay,
    scripts,
    worlds,
)


class Stopping:
    """A walk that is stopped after some answers; another one goes on, from what was kept."""

    def __init__(self, limit: int, stops: Callable[[int], bool] = lambda _: True) -> None:
        self._walk = OffsetWalk(limit)
        self._stops = stops
        self._ids: set[Hashable] = set()
        self._answers = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._walk, name)

    def receive(self, ids: Sequence[Hashable], total: int | None = None) -> bool:
        deliver = self._walk.receive(ids, total)
        self._ids |= set(ids) if deliver else set()
        self._answers += 1
        snapshot = self._walk.take_snapshot()
        if snapshot and self._stops(self._answers):
            seen = DistinctIds()
            seen.add(list(self._ids))
            self._walk = OffsetWalk(self._walk.limit)
            self._walk.resume(PaginationCheckpoint(snapshot, seen))
        return deliver


def stopping(limit: int, stops: Callable[[int], bool] = lambda _: True) -> OffsetWalk:
    return cast("OffsetWalk", Stopping(limit, stops))


def after(answer: int) -> Callable[[int], bool]:
    return lambda number: number == answer


def with_gap(rows: list[int], change: Callable[[list[int]], object], **how: Any) -> Reading:
    """Stop after the fifth page of ten rows; the list changes before the walk resumes."""

    def between(request: int) -> None:
        if request == 5:
            change(rows)

    return read(rows, between=between, walk=stopping(10, after(5)), **how)


@pytest.mark.parametrize("total", ["none", "true", "length of the page"])
@pytest.mark.parametrize("length", [2, 10, 11, 100, 500])
def test_a_quiet_list_is_complete_after_any_interruptions(length: int, total: str) -> None:
    whole = read(list(range(length)), total=total)
    reading = read(list(range(length)), total=total, walk=stopping(10))
    assert reading.result == whole.result
    assert reading.offsets == whole.offsets


SERVERS: dict[str, Callable[[list[int]], int]] = {
    "leaves rows out": lambda _: 60,
    "has a limit of depth": lambda page: 1_000 if page else 0,
    "counts too few": lambda _: 31,
}


@pytest.mark.parametrize("server", SERVERS)
def test_server_errors_are_detected_across_interruptions(server: str) -> None:
    def result(walk: OffsetWalk) -> PaginationResult:
        while not walk.done:
            rows = range(walk.offset, min(walk.offset + 10, 60))
            page = [row for row in rows if not (server == "leaves rows out" and 20 <= row < 45)]
            walk.receive(page, SERVERS[server](page))
        return walk.result

    assert result(stopping(10)) == result(OffsetWalk(10))


def test_a_long_list_is_not_taken_for_one_that_never_ends() -> None:
    walk = stopping(2, after(990))
    assert read(list(range(1_000)), limit=2, walk=walk).result.complete is True


@quick
@given(st.integers(0, 60), scripts(insertions, deletions, moves), worlds)
def test_an_interrupted_walk_equals_an_uninterrupted_one(
    length: int, script: Any, world: dict[str, Any]
) -> None:
    whole, _ = replay(length, script, **world)
    reading, _ = replay(length, script, **world, walk=stopping(world["limit"]))
    assert reading.offsets == whole.offsets
    assert reading.delivered == whole.delivered
    verdict, expected = reading.result, whole.result
    assert replace(verdict, complete=None, reason="") == replace(expected, complete=None, reason="")
    assert verdict.complete == expected.complete or (
        (verdict.complete, expected.complete) == (None, True) and "interrupted" in verdict.reason
    )


@quick
@given(st.integers(30, 90), st.lists(st.one_of(deletions, moves)), st.integers(1, 5))
def test_rows_moved_during_an_interruption_are_read_or_it_is_not_complete(
    length: int, gap: Any, answer: int
) -> None:
    script = [[] for _ in range(answer - 1)] + [gap]
    walk = stopping(7, after(answer))
    reading, staying = replay(length, script, limit=7, total="true", walk=walk)
    assert staying <= reading.delivered or reading.result.complete is not True


def test_a_list_unchanged_during_an_interruption_is_complete() -> None:
    reading = with_gap(list(range(100)), lambda _: None, total="true")
    assert reading.result.complete is True
    assert reading.result.rows == 100 + reading.result.overlaps_confirmed


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.__delitem__(slice(0, 3)),
        lambda rows: rows.__delitem__(slice(10, 45)),
        lambda rows: rows.insert(0, 1_000),
        lambda rows: rows.append(1_000),
        lambda rows: rows.insert(0, rows.pop(90)),
    ],
    ids=["few left", "most left", "one entered in front", "one entered behind", "one moved"],
)
def test_changes_during_an_interruption_are_read_and_reported(
    change: Callable[[list[int]], object],
) -> None:
    rows = list(range(100))
    reading = with_gap(rows, change, total="true")
    assert set(rows) <= reading.delivered
    assert reading.result.complete is None
    assert "changed while the sync was interrupted" in reading.result.reason


def test_a_move_that_a_deletion_hides_is_not_called_complete() -> None:
    def move(rows: list[int]) -> None:
        del rows[3]
        rows.insert(0, rows.pop(90))

    rows = list(range(100))
    reading = with_gap(rows, move, total="true")
    assert not set(rows) <= reading.delivered  # no offset paging could
    assert reading.result.complete is None


def test_a_list_replaced_during_an_interruption_is_read_from_its_start() -> None:
    rows = list(range(100))
    reading = with_gap(rows, lambda rows: rows.__setitem__(slice(None), range(1_000, 1_100)))
    assert set(rows) <= reading.delivered
    assert reading.result.complete is None


def test_missing_and_compound_ids_are_restored() -> None:
    def page(first: int) -> list[Hashable]:
        return [
            ("of", str(n)) if n % 2 else ("row without an id", f"{n}") for n in range(first, 12)
        ]

    walk = stopping(3)
    for first in range(0, 12, 2):
        walk.receive(page(first)[:3])
    walk.receive(page(11))
    assert walk.result.overlaps_confirmed == 5 + 1


def test_a_walk_that_does_not_read_forward_has_no_snapshot() -> None:
    walk = OffsetWalk(4)
    assert walk.take_snapshot() is None
    walk.receive([0, 1, 2, 3])
    assert walk.take_snapshot()
    walk.receive([4, 5, 6, 7])
    assert walk.take_snapshot() is None  # the place is searched
    walk.receive([2, 3, 4, 5])
    assert walk.take_snapshot()
    walk.receive([5])
    assert walk.take_snapshot() is None  # counted again, or done
