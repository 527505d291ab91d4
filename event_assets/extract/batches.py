"""Split a stream of pages into batches, each loaded before the next one is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from event_assets.pagination.checkpoint import CheckpointHandle


class BatchReader:
    """Reads pages in batches that end where a later sync can resume."""

    def __init__(
        self, pages: Iterable[Sequence[Any]], handle: CheckpointHandle, rows: int | None
    ) -> None:
        """`rows` is the minimum size of a batch except the last; None: a single batch."""
        self.checkpoint: str | None = None  # the batch's end, as JSON; None: the list's end
        self.exhausted = False  # whether all records were read
        self._pages = iter(pages)
        self._handle = handle
        self._rows = rows

    def read_batch(self) -> Iterator[Any]:
        """Yield the records of the next batch."""
        return chain.from_iterable(self._read_pages())

    def count_new_ids(self) -> int | None:
        """Return the number of distinct ids that are new in this batch; None if unknown."""
        return self._handle.count_new_ids()

    def _read_pages(self) -> Iterator[Sequence[Any]]:
        self.checkpoint = None
        rows = 0
        for page in self._pages:
            yield page
            rows += len(page)
            if self._rows and rows >= self._rows and (checkpoint := self._handle.take_snapshot()):
                self.checkpoint = checkpoint
                return
        self.exhausted = True
