"""Reading a list again, because fewer ids came than it has rows."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from event_assets.pagination.seen_ids import DistinctIds


class Recount:
    """Looks for rows that moved or entered behind the reading position, from the list's start.

    Reads until as many different ids came as the list has rows, then measures the length again at
    its end. Without deletions more ids than rows cannot have come, so equal counts mean that every
    row came. At most two whole passes and six in all; one that finds nothing is the last.
    """

    def __init__(self, seen: DistinctIds, start: int, length: int, page_size: int) -> None:
        """`start` is the first row's offset, `length` the list's rows at its last end.

        A page of one row is an end if the server was seen to send `page_size` > 1 rows.
        """
        seen.index()
        self.offset = start
        self.passes = 1
        self.length = length
        self.agrees: bool | None = None
        """Whether the counts agree; None while reading."""
        self.grew = False
        """Was the list longer at its last end than at the one before?"""
        self.at_tail = False
        self._end_size = min(page_size - 1, 1)
        self._seen = seen
        self._start = start
        self._whole_passes = self._found = 0

    def receive(self, ids: Sequence[Hashable], trusted: int | None, more: bool | None) -> None:
        """Take the answer to `offset`, as in OffsetWalk; sets the next one, or `agrees`."""
        end = self.offset + len(ids)
        self._found += self._seen.add_unseen(ids)
        distinct = self._seen.count()
        ended = (
            len(ids) <= self._end_size or more is False or (trusted is not None and end >= trusted)
        )
        if trusted is not None and distinct >= trusted - self._start:
            self.agrees = True
        elif ended:
            self._end_pass(max(end, trusted or 0) - self._start)
        elif distinct >= self.length and not self.at_tail:
            self.at_tail = True
            self.offset = max(end, self._start + self.length)
        else:
            self.offset = end

    def _end_pass(self, length: int) -> None:
        self._whole_passes += not self.at_tail
        self.grew = length > self.length
        self.length = length
        if self._seen.count() >= length:
            self.agrees = True
        elif self._whole_passes < 2 and self.passes < 6 and (self._found or self.grew):
            self.passes += 1
            self.offset = self._start
            self.at_tail = False
            self._found = 0
        else:
            self.agrees = False
