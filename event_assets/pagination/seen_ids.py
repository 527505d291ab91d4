"""Which ids have come: the latest ones with their order, and all of them for counting."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

UNRANKED = -1


def row_ids(rows: Sequence[Any], id_of: Callable[[Any], Hashable]) -> list[Hashable]:
    """The id of each row; one that is None or unhashable is replaced by the row's own text.

    Rows without an id thus stay apart from each other and never make a seam by accident.
    """
    ids = [id_of(row) for row in rows]
    try:
        hash(tuple(ids))
    except TypeError:
        return [_or_text(key, row) for key, row in zip(ids, rows, strict=True)]
    if None in ids:
        return [_or_text(key, row) for key, row in zip(ids, rows, strict=True)]
    return ids


def _or_text(key: Hashable, row: object) -> Hashable:
    try:
        hash(key)
    except TypeError:
        return ("row without an id", repr(row))
    return ("row without an id", repr(row)) if key is None else key


def as_id(value: Any) -> Hashable:
    """Give an id as it was before it went through JSON, which knows no tuples."""
    return tuple(map(as_id, value)) if isinstance(value, list) else value


class RecentIds:
    """The last `size` to 2 x `size` delivered ids, each with its rank in the list's order.

    Two dicts take turns, so that forgetting costs nothing per row. Rows that came in between rows
    delivered before have no rank: their place says nothing about order.
    """

    def __init__(self, size: int = 20_000) -> None:
        self._size = size
        self._new: dict[Hashable, int] = {}
        self._old: dict[Hashable, int] = {}
        self._next_rank = 0
        self._floor = 0
        self._frontier: Hashable = None
        self.in_order = True
        """False once rows came back in another order than they were delivered in."""
        self.twice_in_a_page = 0
        """Rows whose id stood in their own page already."""

    def kept(self) -> dict[str, Any]:
        """Give what `restore` needs, for JSON."""
        return {
            "old": list(self._old.items()),
            "new": list(self._new.items()),
            "next_rank": self._next_rank,
            "floor": self._floor,
            "frontier": self._frontier,
            "in_order": self.in_order,
            "twice_in_a_page": self.twice_in_a_page,
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Be as the one was that `kept` tells of."""
        self._old = {as_id(key): rank for key, rank in kept["old"]}
        self._new = {as_id(key): rank for key, rank in kept["new"]}
        self._next_rank, self._floor = kept["next_rank"], kept["floor"]
        self._frontier = as_id(kept["frontier"])
        self.in_order, self.twice_in_a_page = kept["in_order"], kept["twice_in_a_page"]

    def joins(self, ids: Sequence[Hashable]) -> bool:
        """Is any of these rows among those delivered lately?"""
        return not (self._new.keys().isdisjoint(ids) and self._old.keys().isdisjoint(ids))

    def add(self, ids: Sequence[Hashable]) -> Sequence[Hashable]:
        """Remember a delivered page; returns its ids that were not known, in order."""
        if len(self._new) >= self._size:
            self._old, self._new = self._new, {}
        size = len(set(ids))
        following = ids[1:]
        # the usual page, without building sets
        if (
            ids
            and size == len(ids)
            and ids[0] == self._frontier
            and self._new.keys().isdisjoint(following)
            and self._old.keys().isdisjoint(following)
        ):
            self._rank(following)
            return following
        self.twice_in_a_page += len(ids) - size
        fresh = set(ids).difference(self._new).difference(self._old)
        in_order = [key for key in dict.fromkeys(ids) if key in fresh]
        self._rank_around_known(ids, fresh)
        return in_order

    def _rank(self, ids: Sequence[Hashable]) -> None:
        """Rank rows that follow the highest ranked row directly."""
        if ids:
            first = self._next_rank
            self._next_rank = first + len(ids)
            self._new.update(zip(ids, range(first, self._next_rank), strict=True))
            self._frontier = ids[-1]

    def _rank_around_known(self, ids: Sequence[Hashable], fresh: set[Hashable]) -> None:
        """Check the order of known rows, and rank the fresh ones behind the last of them.

        Where that last one is not the highest ranked row (which has left, or lies behind the
        page), older ranks say nothing about the fresh rows: they are not compared any more.
        """
        known_at = [at for at, key in enumerate(ids) if key not in fresh]
        ranks = [self._rank_of(ids[at]) for at in known_at]
        ranks = [rank for rank in ranks if rank >= self._floor]
        if ranks != sorted(ranks):
            self.in_order = False
        last = known_at[-1] if known_at else -1
        after = dict.fromkeys(ids[last + 1 :])
        if not known_at or ids[last] != self._frontier:
            self._floor = self._next_rank
        self._new.update(dict.fromkeys(fresh.difference(after), UNRANKED))
        self._rank(list(after))

    def _rank_of(self, key: Hashable) -> int:
        rank = self._new.get(key)
        return self._old[key] if rank is None else rank


class DistinctIds:
    """How many different ids came, in 8 bytes an id: a 64-bit hash each, counted by Arrow.

    Among ten million rows two ids share a hash with a chance of about 1 in 400,000; the count is
    then one too low, which errs on the side of "not complete".
    """

    def __init__(self) -> None:
        self._hashes = bytearray()
        self._counted = (0, 0)
        self._marked = 0
        self._sorted: memoryview | None = None
        self._later: set[int] = set()

    def __len__(self) -> int:
        """Ids added, repeats included."""
        return len(self._hashes) // 8 + len(self._sorted or ()) + len(self._later)

    def add(self, ids: Sequence[Hashable]) -> None:
        """Note ids; before `index` only."""
        self._hashes += struct.pack(f"{len(ids)}q", *map(hash, ids))

    def count(self) -> int:
        """Different ids so far."""
        if self._sorted is not None:
            return len(self._sorted) + len(self._later)
        added, _ = self._counted
        if added != len(self._hashes):
            self._counted = len(self._hashes), len(self._distinct())
        return self._counted[1]

    def mark(self) -> None:
        """Have `since_mark` count the ids that come from here on."""
        self._marked = len(self._hashes)

    def since_mark(self) -> int | None:
        """Different ids among those noted since `mark`; None after `index`."""
        if self._sorted is not None:
            return None
        return len(self._distinct(self._marked))

    def index(self) -> None:
        """From here on `add_unseen` can be asked; drops the repeats."""
        if self._sorted is None:
            values = self._distinct().sort()
            self._sorted = memoryview(values.buffers()[1]).cast("q")[: len(values)]
            self._hashes = bytearray()

    def add_unseen(self, ids: Iterable[Hashable]) -> int:
        """Note ids; how many of them had never come. After `index` only."""
        if self._sorted is None:
            raise RuntimeError("index() comes first")
        before = len(self._later)
        for value in map(hash, ids):
            at = bisect_left(self._sorted, value)
            if at == len(self._sorted) or self._sorted[at] != value:
                self._later.add(value)
        return len(self._later) - before

    def _distinct(self, start: int = 0) -> Any:
        arrow: Any = import_module("pyarrow")  # has no type hints, and is slow to import
        hashes = self._hashes[start:] if start else self._hashes
        size = len(hashes) // 8
        buffers = [None, arrow.py_buffer(hashes)]
        return arrow.Array.from_buffers(arrow.int64(), size, buffers).unique()
