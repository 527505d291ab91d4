"""Track the ids of received rows: recent ids with their order, and the number of all ids."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from typing import Any

ReadIds = Callable[[Sequence[Any]], list[Hashable]]  # returns None for a row without an id


def extract_ids(rows: Sequence[Any], read_ids: ReadIds) -> list[Hashable]:
    """Return the id of each row; the row's text replaces one that is None, "" or unhashable.

    So rows without an id are distinct and do not overlap by accident.
    """
    ids = read_ids(rows)
    with suppress(TypeError):
        if not {None, ""} & set(ids):
            return ids
    return [*map(_id_or_text, ids, rows)]


def _id_or_text(key: Hashable, row: object) -> Hashable:
    with suppress(TypeError):  # a set lookup raises it for what is not hashable
        if key not in {None, ""}:
            return key
    return ("row without an id", repr(row))


class RecentIds:
    """The last `size` to 2 x `size` delivered ids, each with its rank in the list's order.

    Two dicts alternate, so that old ids are dropped at once. Rows inserted between known rows have
    the rank of the one before them.
    """

    def __init__(self, size: int = 20_000) -> None:
        self._size = size
        self._new: dict[Hashable, int] = {}
        self._old: dict[Hashable, int] = {}
        self._top = 0  # the highest rank
        self.is_ordered = True  # False once rows were repeated in another order
        self.is_at_end = True  # whether the last row is the one with the highest rank
        self.is_continuous = True  # False once a page began with new rows before known ones
        self.has_inserted = False  # whether new rows came behind a known one that is not the last

    def overlaps(self, ids: Sequence[Hashable]) -> bool:
        """Return whether any of these rows was delivered recently."""
        return not (self._new.keys().isdisjoint(ids) and self._old.keys().isdisjoint(ids))

    def find_unknown(self, ids: Sequence[Hashable]) -> set[Hashable]:
        """Return the ids that were not delivered recently."""
        return set(ids).difference(self._new).difference(self._old)

    def _rank(self, key: Hashable) -> int | None:
        return self._new.get(key, self._old.get(key))

    def add(self, ids: Sequence[Hashable]) -> list[Hashable]:
        """Add a delivered page; return its new ids, in order."""
        if len(self._new) >= self._size:
            self._old, self._new = self._new, {}
        is_overlap = bool(ids) and self._rank(ids[0]) == self._top
        rest = ids[is_overlap:]
        following = {key: rank for rank, key in enumerate(rest, self._top + 1)}
        if following and len(following) == len(rest) and not self.overlaps(rest):
            self._new.update(following)
            self._top, self.is_at_end = self._top + len(rest), True
            return list(rest)
        ranks = list(map(self._rank, ids))
        before = next((rank for rank in ranks if rank is not None), None)
        self.is_continuous &= before is None or ranks[0] is not None
        is_behind = before is None  # whether a row here follows the one with the highest rank
        fresh: list[Hashable] = []
        for key, rank in zip(ids, ranks, strict=True):
            if rank is not None:
                self.is_ordered &= rank >= (before or 0)
                before, is_behind = rank, rank == self._top
            elif key not in self._new:
                self.has_inserted |= not is_behind
                if is_behind:
                    self._top += 1
                    before = self._top
                self._new[key] = before or 0
                fresh.append(key)
        self.is_at_end = before == self._top
        return fresh


class DistinctIds:
    """Counts distinct ids in 8 bytes per id: a 64-bit hash each, counted by Arrow.

    Of ten million, two share one with a probability of 1 in 400,000: the count is one too low then.
    """

    def __init__(self) -> None:
        self._hashes = bytearray()
        self._count: int | None = None  # None: not known
        self._sorted: memoryview | None = None
        self._later: set[int] = set()

    def __len__(self) -> int:
        """Return the number of ids added, including repeats."""
        return len(self._hashes) // 8 + len(self._sorted or ()) + len(self._later)

    def add(self, ids: Sequence[Hashable]) -> None:
        """Add ids; only before `add_unseen`."""
        self._hashes += struct.pack(f"{len(ids)}q", *map(hash, ids))
        self._count = None

    def count(self) -> int:
        """Return the number of distinct ids."""
        if self._sorted is not None:
            return len(self._sorted) + len(self._later)
        if self._count is None:
            self._count = len(self._distinct())
        return self._count

    def close(self) -> int:
        """Return the number of distinct ids, and free their memory; no ids can be added after."""
        count = self.count()
        self._hashes, self._sorted, self._later = bytearray(), None, set()
        self._count = count
        return count

    def add_unseen(self, ids: Iterable[Hashable]) -> list[int]:
        """Add ids, and return the positions of new ones."""
        if self._sorted is None:
            values = self._distinct()
            self._sorted = memoryview(values.buffers()[1]).cast("q")[: len(values)]
            self._hashes = bytearray()
        new: list[int] = []
        for position, value in enumerate(map(hash, ids)):
            at = bisect_left(self._sorted, value)
            is_known = at < len(self._sorted) and self._sorted[at] == value
            if not is_known and value not in self._later:
                self._later.add(value)
                new.append(position)
        return new

    def _distinct(self) -> Any:
        """Return the distinct hashes in order; sorting takes a quarter of a hash table's memory."""
        import pyarrow as pa  # slow to import
        import pyarrow.compute as pc

        buffers = [None, pa.py_buffer(self._hashes)]
        values = pa.Array.from_buffers(pa.int64(), len(self._hashes) // 8, buffers).sort()
        return pc.run_end_encode(values, "int64").values
