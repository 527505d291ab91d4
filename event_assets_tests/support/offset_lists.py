"""Lists that are read by offset."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from event_assets.pagination.evidence import judge
from event_assets.pagination.facts import PageFacts
from event_assets.pagination.offset_walk import OffsetWalk
from event_assets.pagination.result import PaginationResult

EXAMPLES = int(os.environ.get("PAGING_EXAMPLES", "250"))
quick = settings(max_examples=EXAMPLES)
Total = Callable[[list[int], list[int]], "int | None"]
TOTALS: dict[str, Total] = {
    "none": lambda _rows, _page: None,
    "true": lambda rows, _page: len(rows),
    "length of the page": lambda _rows, page: len(page),
}


@dataclass
class Reading:
    """A list read to its end by an OffsetWalk."""

    walk: OffsetWalk
    delivered: set[int] = field(default_factory=set[int])
    offsets: list[int] = field(default_factory=list[int])

    @property
    def result(self) -> PaginationResult:
        return judge(self.walk.facts)


def read(
    rows: list[int],
    *,
    limit: int = 10,
    cap: int = 1000,
    total: str = "none",
    between: Callable[[int], None] = lambda _request: None,
    ahead: int = 0,
    walk: OffsetWalk | None = None,
) -> Reading:
    """Read `rows`, which `between` may change after each answer, `ahead` pages fetched early."""
    reading = Reading(walk or OffsetWalk(limit))
    walk = reading.walk
    early: dict[int, tuple[list[int], int | None]] = {}

    def answer(offset: int) -> tuple[list[int], int | None]:
        page = rows[offset : offset + min(walk.limit, cap)]
        return page, TOTALS[total](rows, page)

    while not walk.done:
        offset = walk.position
        if offset not in early:
            early.clear()
            early[offset] = answer(offset)
        page, count = early.pop(offset)
        for later in walk.upcoming(ahead):
            early.setdefault(later, answer(later))
        reading.offsets.append(offset)
        reading.delivered.update(receive(walk, page, count))
        between(len(reading.offsets))
    return reading


def receive(
    walk: OffsetWalk, ids: Iterable[int], total: int | None = None, more: bool | None = None
) -> list[int]:
    """Process the page at the walk's position; return the rows that are delivered."""
    rows = list(ids)
    taken = walk.take(PageFacts(rows, total=total, has_more=more, size_asked=walk.limit))
    return [rows[at] for at in taken]


Edit = tuple[str, int, int]
places = st.integers(0, 30)
insertions = st.tuples(st.just("insert"), places, st.integers(1, 6))
deletions = st.tuples(st.just("delete"), places, st.integers(1, 6))
moves = st.tuples(st.just("move"), places, places)
worlds = st.fixed_dictionaries(
    {
        "limit": st.integers(2, 8),
        "cap": st.integers(2, 8),
        "total": st.sampled_from(sorted(TOTALS)),
        "ahead": st.integers(0, 4),
    }
)


def scripts(*edits: st.SearchStrategy[Edit]) -> st.SearchStrategy[list[list[Edit]]]:
    """What happens after each request."""
    return st.lists(st.lists(st.one_of(*edits), max_size=3), max_size=25)


def replay(length: int, script: Sequence[Sequence[Edit]], **world: Any) -> tuple[Reading, set[int]]:
    """Read a list; return the result and the rows that were in it from start to end."""
    rows = list(range(length))
    staying = set(rows)
    fresh = iter(range(length, 1_000_000))

    def between(request: int) -> None:
        for kind, at, size in script[request - 1] if request <= len(script) else ():
            place = at * len(rows) // 30
            if kind == "insert":
                rows[place:place] = [next(fresh) for _ in range(size)]
            elif kind == "delete":
                staying.difference_update(rows[place : place + size])
                del rows[place : place + size]
            elif rows:
                row = rows.pop(min(place, len(rows) - 1))
                rows.insert(size * len(rows) // 30, row)

    return read(rows, between=between, **world), staying
