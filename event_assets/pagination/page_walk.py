"""Read a list page by page without missing a row: what numbers, cursors and links share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from event_assets.pagination.facts import PageFacts
from event_assets.pagination.totals import is_usual_cap
from event_assets.pagination.walk import REFUSED, Ask, Steps, Walk

AT_THE_END: Final = ("page behind", "page repeated", "pointer ended")
REFUSED_PAGE: Final = 0  # stands for a page's hash: the next reading must be refused there, too
LIMIT_ROWS: Final = 50  # a limit on depth is a multiple of so many rows
LIMIT_PAGES: Final = 10  # or a multiple of so many pages
MAX_MORE: Final = 4  # requests beyond one a page, for a list whose total is reached

# The names of evidence with which a reading may end, and whether it does; the first one decides.
Ends: TypeAlias = Iterable[tuple[str, object]]


class PageWalk(Walk):
    """Decides whether another page is requested, and which rows to deliver.

    A list whose pages cannot show that rows moved is read again until two readings agree, unless a
    total that did not change is the number of rows. At position 0, it is read from its start.

    Page numbers end at an empty page if `stop_after_empty_page`, else at several; if it is False,
    only at a total or at `maximum`, a number of pages.
    """

    is_counted = True  # whether links or cursors count pages; page numbers do
    _has_repeats = False  # whether rows came twice in a reading
    _wrong_total: int | None = None  # that an earlier reading with more ids disproved

    def _read_once(self) -> Steps[None]:
        self._page_count = 0  # the number of pages that responses promise
        self._ids = 0  # new ids in this reading
        self._hole = ""  # what was odd with a page, as a sentence
        self._oddity = ""  # the same, once new rows came behind it
        self._shifted = 0  # pages in a row that begin with the second row of the one before
        self._pointers: set[Any] = set()
        self._reading.reads_to = self._reads_to
        end = ""
        while not end:
            end = yield from self._read_next()
        is_total_good = self._is_total_reached
        self.facts.pages_with_rows = self._pages_with_rows
        if is_total_good and self.is_counted and end in AT_THE_END:
            # all rows of the list as it was when this reading began, if it brought no others
            is_same = self.facts.passes > 1 and self._ids == self._seen.count()
            is_total_good = is_same or not (yield from self._has_changed())
        self._conclude(end, is_total_good=is_total_good)

    @abstractmethod
    def _read_next(self) -> Steps[str]:
        """Read a page; return the name of the evidence with which this reading ends, or ""."""

    def _has_changed(self) -> Steps[bool]:
        """Return whether a page holds other ids now: an insertion hides a deletion in a total."""
        pages, count = self._reading.pages, self._pages_with_rows
        most = MAX_MORE - (self.facts.pages > count)
        step = -(-(count - 1) // most) if self._is_numbered else 1
        looks = range(0, count - 1, max(1, step))[:most]
        for number, at in enumerate(looks, 1):
            page = yield Ask(at, looks[number:] if self._is_numbered else (), is_behind=True)
            if page is REFUSED:  # the list may be shorter now, unless all is refused: a quota
                page = yield Ask(0, is_behind=True)
                return page is not REFUSED
            if hash(frozenset(page.ids)) != pages[at]:
                return True
            if not self._is_numbered and page.pointer is None:
                break  # the list ends here now, and all pages before are as they were
        return False

    def _receive(self, page: PageFacts) -> str:
        """Process a page; return the name of the evidence as `_read_next` does."""
        reading, facts = self._reading, self.facts
        if page is REFUSED:
            reading.pages.append(REFUSED_PAGE)
            reading.empty = 0
            return "page behind"
        ids, last_page, was_end_said = list(page.ids), reading.last_page, reading.is_end_said
        # behind its end, a server may begin again, or send the last page
        is_start = self._is_numbered and reading.pages[:1] == [hash(frozenset(ids))]
        is_start &= not self._promises_more
        is_repeated = bool(ids) and (ids == last_page or is_start)
        facts.last = page = self._check_flag(page)
        if self._stop_after_empty_page and not ids:
            page = page._replace(has_more=False)
        overlap = 0 if is_repeated or was_end_said else self._find_overlap(ids)
        has_gap = reading.empty > 0 or reading.known_rows > 0
        may_be_named_twice = self._is_numbered and not facts.settings.first_page  # by 0 and 1
        fresh = self._add(ids, range(overlap, len(ids)))
        # in mid-list, a page was another one, or empty by accident
        self.is_counted |= bool(fresh) and has_gap
        if fresh and self._hole:
            self._oddity = self._hole
        elif is_repeated and (len(reading.pages) > 2 or not may_be_named_twice):
            self._hole = " A page in mid-list came twice."
            is_promised = self._page_count >= len(reading.pages)
            self._oddity = self._hole if is_promised else self._oddity
        self._ids += len(fresh)
        is_shifted = len(ids) > len(fresh) == 1 and ids[:-1] == last_page[1:]
        self._shifted = self._shifted + 1 if is_shifted else 0
        is_behind = was_end_said and not fresh  # a server may begin again behind the end
        if is_behind or is_repeated:
            self._to_deliver = ()
        reading.last_page = last_page if is_repeated else ids or last_page
        size = 0 if is_behind else len(ids) - overlap
        is_known = is_repeated or (not fresh and page.total == self._ids)
        self._count(page, size, is_known=is_known)
        reading.rows += 0 if is_repeated else size
        is_last = self._is_numbered and self._page_count == len(reading.pages)
        facts.is_last_page_empty = is_last and not ids and page.total != 0
        facts.pointers += page.pointer is not None
        facts.is_pointer_found |= page.is_pointer_found
        end = self._find_end(page, is_repeated=is_repeated)
        self._pointers.add(str(page.pointer))
        return end

    def _find_overlap(self, ids: Sequence[Hashable]) -> int:
        """Return with how many rows of the page before this one begins, if each page does so.

        Such pages are connected, whatever is inserted or deleted.
        """
        reading, before = self._reading, list(self._reading.last_page)
        if not (before and ids) or reading.overlaps is None:
            return 0
        if ids[0] in before:
            rows = len(before) - before.index(ids[0])
            is_part = rows < len(ids) or bool(reading.overlaps)  # the last may be all of a page
            if is_part and before[-rows:] == ids[:rows]:
                reading.overlaps += rows
                return rows
        reading.rows += reading.overlaps  # the rows so far overlapped by chance
        reading.overlaps = None
        return 0

    def _count(self, page: PageFacts, size: int, *, is_known: bool) -> None:
        """Note the number of rows of a page, and what its response says of their number."""
        reading, total = self._reading, self._reading.total
        reading.empty = 0 if size else reading.empty + 1
        # rows that come again behind the end disprove no total; the same page for all numbers does
        is_again = is_known and self._has_moved_on
        total.evaluate(page.total, reading.rows, 0 if is_again else size)
        is_length = page.total in (self.largest, len(page.ids))  # no number of pages
        counts_no_pages = is_length or page.total == self._ids or is_usual_cap(page.total)
        may_count_pages = None if counts_no_pages else total.disproved
        self._page_count = page.page_count or may_count_pages or self._page_count
        self.facts.is_total_reached = self._is_total_reached

    def _find_end(self, page: PageFacts, *, is_repeated: bool) -> str:
        """Return the name of the evidence with which this reading ends; empty if it goes on."""
        reading = self._reading
        is_long = len(reading.pages) > 2
        is_lap = 0 < self._ids <= reading.known_rows and is_long and not self._promises_more
        # the page behind the last one may have been empty by accident
        is_end = not (page.ids or page.has_more)
        is_again = is_end and self._pages_before == reading.pages[:-1] != [] and self._has_all
        both = (("lap", is_lap), ("readings agree", is_again))
        ends = (*self._find_ends(page, is_repeated=is_repeated), *both)
        return next((name for name, is_reached in ends if is_reached), "")

    @abstractmethod
    def _find_ends(self, page: PageFacts, *, is_repeated: bool) -> Ends:
        """Return with what a reading may end at a page, and whether it does."""

    @property
    def _pages_with_rows(self) -> int:
        """The number of pages up to the last one that has rows."""
        reading = self._reading
        return len(reading.pages) - reading.empty - (reading.pages[-1:] == [REFUSED_PAGE])

    def _may_be_limit(self, status: int | None = None) -> bool:
        """Return whether a status, or a page that comes again, may stand for more, not the end."""
        reading = self._reading
        is_round = reading.rows % LIMIT_ROWS == 0 or len(reading.pages) % LIMIT_PAGES == 0
        is_told = self._is_end_told or status == HTTPStatus.NO_CONTENT
        return self._is_last_full and is_round and not is_told

    @property
    def _is_end_told(self) -> bool:
        """Whether a flag or a number of pages says that no page follows."""
        return self._reading.is_end_said or self._page_count == len(self._reading.pages)

    @property
    def _is_last_full(self) -> bool:
        return 0 < len(self._reading.last_page) == self.largest and not self._reading.empty

    @property
    def _promises_rows(self) -> bool:
        """Whether a total that did not change is more than the rows of this reading."""
        reading = self._reading
        # two pages may overlap by chance
        return (reading.total.steady or 0) > reading.rows + (reading.overlaps or 0)

    @property
    def _promises_more(self) -> bool:
        return self._promises_rows or self._page_count > len(self._reading.pages)

    @property
    def _is_total_reached(self) -> bool:
        """Whether a total that did not change is the number of ids."""
        return self._reading.total.steady == self._ids <= self._seen.count()

    @property
    def _has_all(self) -> bool:
        """Whether this reading brought all rows so far, if the size of pages may have changed."""
        may_vary = self._is_uneven and self._has_repeats
        return not may_vary or self._ids == self._seen.count()

    def _conclude(self, end: str, *, is_total_good: bool) -> None:
        """Finish, or read again where only a second reading can tell whether rows were missed."""
        reading, pages = self._reading, self._reading.pages
        self._has_repeats |= reading.rows > self._ids
        if (reading.total.disproved or 0) < self._ids:
            self._wrong_total = reading.total.disproved
        has_total_changed = reading.total.largest is not None and reading.total.steady is None
        # a single page needs no second reading, but does not confirm a longer first one
        is_long = self.facts.passes > 1 or (reading.rows and len(pages) > 1)
        # a cursor that brings rows again, or too few of them, may count rows
        is_odd = reading.rows != self._ids or self._promises_rows
        is_open = (is_long and (self.is_counted or is_odd)) or has_total_changed
        if is_open and end in AT_THE_END and not is_total_good:
            useless = reading.empty + (end == "page repeated")
            kept = pages[: len(pages) - useless]
            has_rows = bool(kept) or not self._seen.count()  # two empty ones may be an outage
            confirms = self._has_all and has_rows
            self._read_again(kept, unless="changed", confirms=confirms)
        else:
            self.finish(end)

    def finish(self, end: str, **values: Any) -> None:
        """Finish with the evidence of this name, whose sentence needs `values`."""
        self.facts.error = self.facts.error or self._oddity
        super().finish(end, **values)
