"""Read a list page by page, once or several times: what all lists that are numbered share."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Generator, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from event_assets.pagination.facts import ListFacts, PageFacts
from event_assets.pagination.seen_ids import DistinctIds, RecentIds
from event_assets.pagination.totals import RowTotal

MAX_READINGS: Final = 4
MAX_EMPTY: Final = 25  # consecutive empty pages that are read where more is promised
LOOKS_BEHIND: Final = (1, 3, 7)  # pages behind the end, so that 2, 4 and 8 are known to be empty
REFUSED: Final = PageFacts()


class Ask(NamedTuple):
    """The page that is wanted next."""

    position: int  # in rows or pages
    then: Sequence[int] = ()  # the positions that follow, if the list does not change
    is_behind: bool = False  # whether the list may end before it, so that a refusal is no failure


T = TypeVar("T")
# Asks for pages, each of which is sent to it, and returns what it found.
Steps: TypeAlias = Generator[Ask, PageFacts, T]


@dataclass
class Reading:
    """What came in one reading of a list."""

    total: RowTotal
    recent: RecentIds = field(default_factory=RecentIds)
    pages: list[int] = field(default_factory=list)  # hashes of their sets of ids
    last_page: Sequence[Hashable] = ()  # the last page that had rows
    rows: int = 0  # rows received
    overlaps: int | None = 0  # rows with which pages begin, and the ones before end; None: not all
    known_rows: int = 0  # received since the last new one
    empty: int = 0  # consecutive pages
    reads_to: float = 0  # the position up to which rows are promised
    is_end_said: bool = False  # whether the page before said that it is the last


class Walk(ABC):
    """Asks for the pages of a list one by one, and decides which of their rows to deliver.

    It reads the list again where only another reading can tell whether rows were missed.

    Attributes:
        facts: what is known of the list so far.
        largest: rows of a page.
    """

    _is_numbered = True  # a page behind the last one can be requested without a pointer

    def __init__(
        self, maximum: float, stop_after_empty_page: bool | None, facts: ListFacts | None = None
    ) -> None:
        self._maximum = ceil(min(maximum, sys.maxsize))
        is_bounded = stop_after_empty_page is False and maximum < inf
        self._reads_to = self._maximum if is_bounded else 0  # even if pages are empty
        self._stop_after_empty_page = stop_after_empty_page
        self.largest = 0
        self.facts = facts or ListFacts()
        self._seen = DistinctIds()
        self._pages_before: list[int] = []  # hashes of the pages of the reading before
        self._is_flag_wrong = False  # whether a flag was wrong that was found by its name
        self._is_uneven = False  # whether a page in mid-list was shorter than others
        self._has_moved_on = False  # whether a page came of which half the rows are new
        self._to_deliver: Sequence[int] = ()  # positions in the page
        self._steps = self._read()
        self._asked = next(self._steps)

    @property
    def position(self) -> int:
        """The position of the next page, in rows or pages."""
        return self._asked.position

    @property
    def done(self) -> bool:
        """Whether the list was read to its end."""
        return self.facts.end != "unfinished"

    def upcoming(self, count: int) -> list[int]:
        """Return up to `count` positions that follow the next one, as far as they are foreseen."""
        return [] if self.done else list(self._asked.then[:count])

    def take(self, page: PageFacts) -> Sequence[int]:
        """Process the next page; return the positions of its rows to deliver."""
        if self.done:
            raise RuntimeError("the walk is done")
        self.facts.pages += 1
        total = self._reading.total
        self._go_on(page)
        self.facts.reported = total.reported
        self.facts.rows += len(self._to_deliver)
        return self._to_deliver

    def find_unknown(self, ids: Iterable[Hashable]) -> set[Hashable]:
        """Return the ids that did not come recently."""
        return self._reading.recent.find_unknown([*ids])

    @abstractmethod
    def refuse(self, status: int, *, is_limit: bool = False) -> bool:
        """Process a refused request; return False if it cannot be behind the end of the list."""

    def _go_on(self, page: PageFacts) -> None:
        self._to_deliver = ()
        with suppress(StopIteration):
            self._asked = self._steps.send(page)
            self.facts.distinct = len(self._seen)

    def _read(self) -> Steps[None]:
        while not self.done:
            self._reading = Reading(RowTotal())
            yield from self._read_once()

    @abstractmethod
    def _read_once(self) -> Steps[None]:
        """Read the list to its end; then `finish`, or `_read_again`."""

    def _look_behind(self, asked: int, size: int, most: int) -> Steps[bool]:
        """Look at `most` pages of `size` behind that at `asked`; return whether one has rows."""
        behind = [asked + size * pages for pages in LOOKS_BEHIND[:most]]
        looks = [at for at in behind if at < self._maximum]
        for number, at in enumerate(looks, 1):
            page = yield Ask(at, looks[number:], is_behind=True)
            if self._has_rows(page):
                self._reading.reads_to = at + size
                return True
        return False

    def _has_rows(self, page: PageFacts) -> bool:
        """Return whether more rows follow, by a page behind the end."""
        return bool(self._reading.recent.find_unknown(page.ids))

    def _add(self, ids: Sequence[Hashable], new: Sequence[int]) -> list[Hashable]:
        """Note a page, and deliver its `new` rows; return the ids that are new in this reading."""
        reading = self._reading
        reading.pages.append(hash(frozenset(ids)))
        fresh = reading.recent.add(ids)
        reading.known_rows = 0 if fresh else reading.known_rows + len(ids)
        self.largest, before = max(self.largest, len(ids)), len(reading.last_page)
        self._is_uneven |= bool(fresh) and 0 < before < self.largest
        self._has_moved_on |= bool(reading.last_page) and 2 * len(fresh) >= len(ids) > 0
        if self.facts.passes > 1:
            self._to_deliver = self._seen.add_unseen(ids)
        else:
            self._to_deliver = new
            self._seen.add(fresh)
        return fresh

    def _check_flag(self, page: PageFacts) -> PageFacts:
        """Return a page with what is to be relied on of its `has_more`.

        On an empty page that says nothing of it, that of the page before stands.

        A flag may speak of something else. Its end is believed of a short page that leads nowhere,
        or whose pointer it is beside, and once the page behind has no new rows; of none, if it has.
        """
        reading, before, last = self._reading, self._reading.last_page, self.facts.last
        if not page.ids and page.has_more is None and page.pointer is None and last.has_more:
            page = page._replace(has_more=True, flag=last.flag)
        was_end_said, may_end = reading.is_end_said, page.has_more is False
        is_fresh = (was_end_said or may_end) and bool(reading.recent.find_unknown(page.ids))
        self._is_flag_wrong |= was_end_said and is_fresh
        reading.is_end_said = may_end and not self._is_flag_wrong
        is_full = len(page.ids) >= (len(before) or page.size_asked or 0)
        if page.is_flag_beside:
            may_go_on = is_full and page.pointer and (bool(before) or page.has_usual_size)
        else:
            may_go_on = (self._is_numbered and is_full) or page.pointer is not None
        if was_end_said and not is_fresh:
            return page._replace(has_more=False)
        is_doubtful = self._is_flag_wrong or (may_go_on and is_fresh)
        return page._replace(has_more=None) if may_end and is_doubtful else page

    def _read_again(
        self, pages: list[int], unless: str, *, confirms: bool = True, **values: Any
    ) -> None:
        """Start another reading after one that had `pages`; after the last, end with `unless`.

        The list ends as well if this reading agrees with the one before, and `confirms` it.
        """
        if self.facts.passes > 1 and pages == self._pages_before and confirms:
            self.finish("readings agree")
        elif self.facts.passes == MAX_READINGS:
            self.finish(unless, **values)
        else:
            self._pages_before = pages
            self.facts.passes += 1

    def finish(self, end: str, **values: Any) -> None:
        """Finish with the evidence of this name, whose sentence needs `values`."""
        facts, reading = self.facts, self._reading
        facts.end, facts.rows_read, facts.least_total = end, reading.rows, reading.total.least
        lowest, seen = reading.total.lowest or 0, reading.total.seen
        facts.totals = lowest, reading.total.highest
        is_in_turn = len(seen) > 3 and seen[2:] == seen[:-2]
        facts.is_to_and_fro = is_in_turn and min(seen) > self.largest  # no lengths of pages
        if reading.total.disproved is not None and lowest > reading.rows:
            facts.least_total = lowest  # the offset that disproved it counts rows in no page
        facts.largest, facts.distinct = self.largest, self._seen.close()
        facts.values = {"size": len(reading.last_page), "empty": reading.empty, **values}
