"""Search behind the end of a list for rows that empty pages hide. Pure: no HTTP, no dlt."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from enum import Enum, auto
from math import inf
from typing import Final

from event_assets.pagination.seen_ids import RecentIds

LOOKS_BEHIND: Final = (1, 3, 7)  # pages behind the end, so that 2, 4 and 8 are known to be empty
MAX_EMPTY: Final = 3  # pages that are read where more is promised without a total


class Found(Enum):
    """What a page behind the end shows."""

    NOTHING_YET = auto()
    NOTHING = auto()
    NEW_END = auto()  # rows, or a smaller total: the list ends elsewhere than before
    KNOWN_ROWS = auto()
    ROWS = auto()  # behind pages that are empty


class EndSearch:
    """Decides which rows or pages behind the end to request, where a server that filters has some.

    It looks at a few pages; if one has rows, or more is promised, it reads page after page.

    Attributes:
        end: the offset behind the last row.
        looks: offsets that may have rows; empty: page after page is read.
        reads_to: the offset up to which rows are promised.
    """

    end: int
    position: int

    def __init__(self, maximum: float) -> None:
        self._maximum = maximum
        self.reads_to: float = 0
        self.looks: list[int] = []
        self._moved_at: int | None = None  # the last end that was found to be elsewhere

    def start(self, end: int) -> None:
        """Read page after page from another end."""
        self.end = self.position = end
        self.looks = []

    def start_looking(self, end: int, asked: int, size: int, most: int) -> None:
        """Look at `most` pages of `size` rows behind another end; the last was at `asked`."""
        self.start(end)
        looks = (asked + size * pages for pages in LOOKS_BEHIND[:most])
        self.looks = [at for at in looks if at < self._maximum]
        self.position = next(iter(self.looks), end)

    def look(self, size: int, *, has_rows: bool) -> bool:
        """Process a page of `size` at the first of `looks`; return whether the search goes on."""
        looked = self.looks.pop(0)
        if has_rows:
            self.reads_to = looked + size
            self.start(self.end)
        elif self.looks:
            self.position = self.looks[0]
        return has_rows or bool(self.looks)

    def is_promised(self, offset: int, total: int | None, more: bool | None) -> bool:
        """Return whether rows at this offset are promised, by a total or otherwise."""
        return (more is True and total is None) or max(total or 0, self.reads_to) > offset

    def take(
        self,
        ids: Sequence[Hashable],
        recent: RecentIds,
        size: int,
        total: int | None,
        more: bool | None,
    ) -> Found:
        """Process the page at `position`, where a page has `size` rows."""
        if self.looks:
            is_promised = self.is_promised(self.end, total, more)
            has_rows = is_promised or bool(recent.find_unknown(ids))
            return Found.NOTHING_YET if self.look(size, has_rows=has_rows) else Found.NOTHING
        if recent.overlaps(ids):
            return Found.KNOWN_ROWS
        is_outdated = not ids and total is not None and total <= self.end
        if self.position == self.end != self._moved_at and (ids or is_outdated):
            self._moved_at = self.end
            return Found.NEW_END
        if ids:
            return Found.ROWS
        self.position += max(1, size)
        furthest = inf if total else max(self.reads_to, self.end + MAX_EMPTY * size)
        goes_on = self.position < min(furthest, self._maximum) and self.is_promised(
            self.position, total, more
        )
        return Found.NOTHING_YET if goes_on else Found.NOTHING
