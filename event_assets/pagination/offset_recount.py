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

    def __init__(
        self, seen: DistinctIds, start: int, length: int, page_size: int, hashes: list[int]
    ) -> None:
        """Start at offset `start`, for a list of `length` rows.

        `page_size` is the largest page so far: if it is above 1, a page of one row is the last.
        `hashes` are those of the pages of the first reading, which overlap as these do.
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
        self._hashes: list[int] = []
        self._hashes_before = hashes
        self.is_stable = False  # whether two passes had the same pages

    def receive(self, ids: Sequence[Hashable], trusted: int | None, more: bool | None) -> None:
        """Process the page at `offset`; set the next `offset`, or `counts_agree`."""
        end = self.offset + len(ids)
        self._hashes.append(hash(tuple(ids)))
        self._found += len(self._seen.add_unseen(ids))
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
            self.offset = end - self._end_size

    def _end_pass(self, length: int) -> None:
        self._whole_passes += not self.is_at_tail
        self.has_grown = length > self.length
        self.length = length
        self.is_stable = self._hashes == self._hashes_before
        if self._seen.count() >= length:
            self.counts_agree = True
        elif self.is_stable:
            self.counts_agree = False
        elif self._whole_passes < 2 and self.passes < 6 and (self._found or self.has_grown):
            self.passes += 1
            self.offset = self._start
            self.is_at_tail = False
            self._found = 0
            self._hashes, self._hashes_before = [], self._hashes
        else:
            self.counts_agree = False
