"""Read a list again that has more rows than ids were received."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from event_assets.pagination.seen_ids import DistinctIds


class Recount:
    """Finds rows that were inserted or moved behind the current offset, from the list's start.

    Reads until there are as many distinct ids as rows, then measures the length at the end of the
    list again. Without deletions there cannot be more ids than rows, so equal counts mean that all
    rows were received. At most two full passes and six in all; a pass without a new id is the last.
    """

    def __init__(self, seen: DistinctIds, start: int, length: int, page_size: int) -> None:
        """Start at offset `start`, for a list of `length` rows.

        `page_size` is the largest page so far: if it is above 1, a page of one row is the last.
        """
        seen.build_index()
        self.offset = start
        self.passes = 1
        self.length = length
        self.counts_agree: bool | None = None  # None before the end
        self.has_grown = False  # whether this pass ended with a longer list than the previous one
        self.is_at_tail = False
        self._end_size = min(page_size - 1, 1)
        self._seen = seen
        self._start = start
        self._whole_passes = self._found = 0

    def receive(self, ids: Sequence[Hashable], trusted: int | None, more: bool | None) -> None:
        """Process the page at `offset`; set the next `offset`, or `counts_agree`."""
        end = self.offset + len(ids)
        self._found += self._seen.add_unseen(ids)
        distinct = self._seen.count()
        ended = (
            len(ids) <= self._end_size or more is False or (trusted is not None and end >= trusted)
        )
        if trusted is not None and distinct >= trusted - self._start:
            self.counts_agree = True
        elif ended:
            self._end_pass(max(end, trusted or 0) - self._start)
        elif distinct >= self.length and not self.is_at_tail:
            self.is_at_tail = True
            self.offset = max(end, self._start + self.length)
        else:
            self.offset = end

    def describe_mismatch(self, *, is_ordered: bool) -> tuple[bool | None, str]:
        """Return the verdict on a list whose counts do not agree."""
        counts = (
            f"the list has {self.length:,} rows, but {self._seen.count():,} distinct ids "
            f"were received in {1 + self.passes} passes"
        )
        if is_ordered and self.has_grown:
            return None, f"Rows are added faster than they can be counted: {counts}."
        cause = "The API omits rows, or several share an id."
        if not is_ordered:
            cause = "The order is not stable: set a sort parameter."
        return False, f"Rows are missing: {counts}. {cause}"

    def _end_pass(self, length: int) -> None:
        self._whole_passes += not self.is_at_tail
        self.has_grown = length > self.length
        self.length = length
        if self._seen.count() >= length:
            self.counts_agree = True
        elif self._whole_passes < 2 and self.passes < 6 and (self._found or self.has_grown):
            self.passes += 1
            self.offset = self._start
            self.is_at_tail = False
            self._found = 0
        else:
            self.counts_agree = False
