"""A reading in parts, each loaded before the next one is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from event_assets.pagination import Bookmark


class BatchReader:
    """Cuts the pages of a list into parts, where a later reading could go on.

    Attributes:
        position: where the part that was read last ended, as text; None at the list's end.
        ended: have all records come?
    """

    def __init__(
        self, pages: Iterable[Sequence[Any]], bookmark: Bookmark, rows: int | None = None
    ) -> None:
        """`rows` is the least a part has, but the last; None: all is one part."""
        self.position: str | None = None
        self.ended = False
        self._pages = iter(pages)
        self._bookmark = bookmark
        self._rows = rows

    def records(self) -> Iterator[Any]:
        """Give the records of the next part."""
        return chain.from_iterable(self._next())

    def new_ids(self) -> int | None:
        """Count the different ids of this part that were new; None: it is not known."""
        return self._bookmark.new_ids()

    def _next(self) -> Iterator[Sequence[Any]]:
        self.position = None
        came = 0
        for page in self._pages:
            yield page
            came += len(page)
            if self._rows and came >= self._rows and (position := self._bookmark.at()):
                self.position = position
                return
        self.ended = True
