"""Read a list by page numbers, cursors or links without missing a row. Pure: no HTTP, no dlt."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from http import HTTPStatus
from typing import Any, Final

from event_assets.pagination.facts import USUAL_SIZES, ListFacts, PageFacts
from event_assets.pagination.walk import LOOKS_BEHIND, MAX_EMPTY, REFUSED, Ask, Steps, Walk

AT_THE_END: Final = ("page behind", "page repeated", "pointer ended")
REFUSED_PAGE: Final = 0  # stands for a page's hash: the next reading must be refused there, too
LIMIT_ROWS: Final = 50  # a limit on depth is a multiple of so many rows
LIMIT_PAGES: Final = 10  # or a multiple of so many pages
MAX_SHIFTED: Final = 3  # once or twice, rows may have been inserted
MAX_MORE: Final = 4  # requests beyond one a page, for a list whose total is reached


class PageWalk(Walk):
    """Decides whether another page is requested, and which rows to deliver.

    Page numbers, and links and cursors that count pages, cannot show that rows moved between two
    requests. Such a list is read again until two readings agree, unless a total that did not change
    is the number of rows. At position 0, a list is read from its start.

    Attributes:
        is_counted: whether links or cursors count pages; page numbers do.
    """

    def __init__(
        self,
        *,
        is_numbered: bool,
        maximum: float,
        stop_after_empty_page: bool | None,
        facts: ListFacts | None = None,
    ) -> None:
        """Read at most `maximum` pages; `facts`: known of the list.

        Page numbers end at an empty page if `stop_after_empty_page`, else at several; if it is
        False, only at a total or at `maximum`.
        """
        self.is_counted = self._is_numbered = is_numbered
        super().__init__(maximum, stop_after_empty_page, facts)

    def _read_once(self) -> Steps[None]:
        self._page_count = 0  # the number of pages that responses promise
        self._ids = 0  # new ids in this reading
        self._has_held_nothing = False  # whether a page behind a full one did, not even a list
        self._shifted = 0  # pages in a row that begin with the second row of the one before
        self._pointers: set[Any] = set()
        self._reading.reads_to = self._reads_to
        pages, end = self._reading.pages, ""
        while not end:
            page = yield Ask(len(pages), self._find_following())
            end = self._receive(page)
            if not end and self._is_numbered and self._reading.empty:
                end = yield from self._read_behind()
        is_total_good = self._is_total_reached
        self._facts.pages_with_rows = self._pages_with_rows
        if is_total_good and self.is_counted and end in AT_THE_END:
            # all rows of the list as it was when this reading began, if it brought no others
            is_same = self._facts.passes > 1 and self._ids == self._seen.count()
            is_total_good = is_same or not (yield from self._has_changed())
        self._conclude(end, is_total_good=is_total_good)

    def _has_changed(self) -> Steps[bool]:
        """Return whether a page holds other ids now: an insertion hides a deletion in a total."""
        pages, count = self._reading.pages, self._pages_with_rows
        most = MAX_MORE if len(pages) == count else MAX_MORE - 1
        step = -(-(count - 1) // MAX_MORE) if self._is_numbered else 1
        looks = range(0, count - 1, max(1, step))[:most]
        for number, at in enumerate(looks, 1):
            page = yield Ask(at, looks[number:] if self._is_numbered else (), is_behind=True)
            if page is REFUSED:
                return False
            if hash(frozenset(page.ids)) != pages[at]:
                return True
        return False

    def _read_behind(self) -> Steps[str]:
        """Look behind an empty page; return the name of the evidence if the list ends there."""
        reading, position = self._reading, len(self._reading.pages)
        if position < reading.reads_to:
            return ""
        last = self._facts.last
        # a total of earlier pages may be outdated; one that repeated rows passed counts no pages
        is_of_rows = self._ids <= (reading.total.disproved or 0) == self._page_count
        is_promised = self._promises_rows and last.total is not None
        is_promised |= self._page_count > position and not is_of_rows
        if is_promised or (last.has_more and not self._is_total_reached):
            told = (count for counts in last.counts[1:] for count in counts.values())
            is_behind = any(0 < count < position for count in told)  # the number of pages
            most = len(LOOKS_BEHIND) if is_behind else MAX_EMPTY
            return "empty pages" if reading.empty >= most else ""
        most = len(LOOKS_BEHIND) if self.largest in USUAL_SIZES else position
        has_more = yield from self._look_behind(position - 1, 1, most)
        return "" if has_more else "page behind"

    def _find_following(self) -> Sequence[int]:
        if not self._is_numbered or not self._is_last_full:
            return ()
        promised = -(-(self._reading.total.largest or 0) // self.largest)
        end = len(self._pages_before) or self._page_count or promised
        return range(len(self._reading.pages) + 1, min(end or self._maximum, self._maximum))

    def _receive(self, page: PageFacts) -> str:
        """Process a page; return the name of the evidence with which this reading ends, or ""."""
        reading, facts = self._reading, self._facts
        if page is REFUSED:
            reading.pages.append(REFUSED_PAGE)
            reading.empty = 0
            return "page behind"
        ids, last_page, was_end_said = list(page.ids), reading.last_page, reading.is_end_said
        is_repeated = bool(ids) and ids == last_page
        facts.last = page = self._check_flag(page)
        if self._stop_after_empty_page and not ids:
            page = page._replace(has_more=False)
        overlap = 0 if is_repeated or was_end_said else self._find_overlap(ids)
        has_gap = reading.empty > 0 or reading.known_rows > 0
        fresh = self._add(ids, range(overlap, len(ids)))
        # in mid-list, a page was another one, or empty by accident
        self.is_counted |= bool(fresh) and has_gap
        if fresh and self._has_held_nothing:
            facts.error = " A page in mid-list holds nothing."
        self._ids += len(fresh)
        is_shifted = len(ids) > len(fresh) == 1 and ids[:-1] == last_page[1:]
        self._shifted = self._shifted + 1 if is_shifted else 0
        is_behind = was_end_said and not fresh  # a server may begin again behind the end
        if is_behind or is_repeated:
            self._to_deliver = ()
        reading.last_page = ids or last_page
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
        rows = len(before) - before.index(ids[0]) if ids[0] in before else 0
        if 0 < rows < len(ids) and before[-rows:] == ids[:rows]:
            reading.overlaps += rows
            return rows
        reading.rows += reading.overlaps  # the rows so far overlapped by chance
        reading.overlaps = None
        return 0

    def _count(self, page: PageFacts, size: int, *, is_known: bool) -> None:
        """Note the number of rows of a page, and what its response says of their number."""
        reading, total = self._reading, self._reading.total
        self.largest = max(self.largest, len(page.ids))
        reading.empty = 0 if size else reading.empty + 1
        # rows that come again behind the end disprove no total; the same page for all numbers does
        is_again = is_known and self._has_moved_on
        total.evaluate(page.total, reading.rows, 0 if is_again else size)
        is_length = page.total in (self.largest, len(page.ids))  # no number of pages
        may_count_pages = None if is_length or page.total == self._ids else total.disproved
        self._page_count = page.page_count or may_count_pages or self._page_count
        self._facts.is_total_reached = self._is_total_reached

    def _find_end(self, page: PageFacts, *, is_repeated: bool) -> str:
        """Return the name of the evidence with which this reading ends; empty if it goes on."""
        reading, facts, position = self._reading, self._facts, len(self._reading.pages)
        is_first = is_repeated and not self._has_moved_on
        is_ignored = is_first and position > 2  # the parameter; the first page may have two numbers
        is_told, has_pointer = page.has_more is False, page.pointer is not None
        ends: tuple[tuple[str, object], ...]
        if self._is_numbered:
            # behind a full page, more may follow than a number of pages says
            is_full = len(page.ids) == self.largest and (position > 1 or page.has_usual_size)
            pages = 1 if is_first else position
            is_counted = 0 < (page.page_count or 0) <= pages and (is_first or not is_full)
            is_counted &= page.total is not None or reading.rows > 0  # or it may count from 1
            is_empty = page.total == 0 and not reading.rows
            is_all = page.is_total_certain and facts.is_total_reached and not page.has_more
            ends = (
                ("page behind", is_told or is_counted or is_empty or is_all),
                ("ignored parameter", is_ignored),
                ("counts rows", self._shifted >= MAX_SHIFTED),
                ("page repeated", is_repeated and self._has_moved_on),
                ("limit" if page.ids else "page behind", position >= self._maximum),
            )
        else:
            is_known = str(page.pointer) in self._pointers and (reading.known_rows or not page.ids)
            is_start = reading.pages[-1] == reading.pages[0]
            is_empty_end = not page.ids and (is_known or facts.is_total_reached)
            # a number of a page leads behind the end as well
            is_open = self._promises_more or page.has_more or not (self.is_counted and reading.rows)
            behind = "empty pages" if is_open else "page behind"
            ends = (
                ("no pointer", not has_pointer and not facts.pointers),
                ("pointer ended", not has_pointer or is_told or is_empty_end),
                ("lap", is_known and self._has_moved_on and (is_start or is_repeated)),
                ("same pointer", is_known),
                ("ignored parameter", is_ignored),
                (behind, reading.empty >= MAX_EMPTY),
            )
        is_lap = 0 < self._ids <= reading.known_rows and position > 2 and not self._promises_more
        # the page behind the last one may have been empty by accident
        is_end = not (page.ids or page.has_more)
        is_again = is_end and self._pages_before == reading.pages[:-1] != []
        both = (("lap", is_lap), ("readings agree", is_again))
        return next((name for name, is_reached in (*ends, *both) if is_reached), "")

    @property
    def _pages_with_rows(self) -> int:
        """The number of pages up to the last one that has rows."""
        reading = self._reading
        return len(reading.pages) - reading.empty - (reading.pages[-1:] == [REFUSED_PAGE])

    @property
    def _is_last_full(self) -> bool:
        reading = self._reading
        return not reading.empty and 0 < len(reading.last_page) == self.largest

    @property
    def _promises_rows(self) -> bool:
        """Whether a total that did not change is more than the rows of this reading."""
        reading, total = self._reading, self._reading.total
        # two pages may overlap by chance
        return total.is_steady and (total.largest or 0) > reading.rows + (reading.overlaps or 0)

    @property
    def _promises_more(self) -> bool:
        return self._promises_rows or self._page_count > len(self._reading.pages)

    @property
    def _is_total_reached(self) -> bool:
        """Whether a total that did not change is the number of ids."""
        total = self._reading.total
        return total.is_steady and total.largest == self._ids <= self._seen.count()

    def _conclude(self, end: str, *, is_total_good: bool) -> None:
        """Finish, or read again where only a second reading can tell whether rows were missed."""
        reading, pages = self._reading, self._reading.pages
        has_total_changed = reading.total.largest is not None and not reading.total.is_steady
        # a single page needs no second reading, but does not confirm a longer first one
        is_long = self._facts.passes > 1 or (reading.rows and len(pages) > 1)
        # a cursor that brings rows again, or too few of them, may count rows
        is_odd = reading.rows != self._ids or self._promises_rows
        is_open = (is_long and (self.is_counted or is_odd)) or has_total_changed
        if is_open and end in AT_THE_END and not is_total_good:
            useless = reading.empty + (end == "page repeated")
            kept = pages[: len(pages) - useless]
            confirms = bool(kept) or not self._seen.count()  # two empty ones may be an outage
            self._read_again(kept, unless="changed", confirms=confirms)
        else:
            self.finish(end)

    def refuse(self, status: int, *, is_limit: bool = False) -> bool:
        """Process a refused request; return False if it cannot be behind the end of the list."""
        reading = self._reading
        is_end = self._is_numbered or self._is_total_reached or reading.is_end_said
        is_possible = is_end or reading.total.reported == self._ids
        is_cut = self._is_last_full or self._promises_rows or not self._is_numbered
        is_limit = is_limit and is_cut and not self._asked.is_behind
        is_round = reading.rows % LIMIT_ROWS == 0 or len(reading.pages) % LIMIT_PAGES == 0
        is_said = reading.is_end_said or self._page_count == len(reading.pages)
        is_nothing = status == HTTPStatus.NO_CONTENT
        may_be_limit = self._is_last_full and is_round and not (is_said or is_nothing)
        last = self._facts.last
        is_full = self._is_last_full and (self.position > 1 or last.has_usual_size)
        is_told = is_said or self._promises_more or last.has_more or self._stop_after_empty_page
        is_open = (is_full and not is_told) or self.position < reading.reads_to
        # a total may be from before a deletion, unless the reading before was refused as well
        was_refused = self._pages_before[-1:] == [REFUSED_PAGE]
        is_total_good = was_refused or may_be_limit or not self._is_numbered
        is_possible &= not (self._promises_rows and is_total_good)
        if not reading.pages or not (is_limit or is_possible):
            return False
        if is_limit or ((may_be_limit or not is_end) and not self._asked.is_behind):
            self.finish("depth")
        elif is_nothing and is_open:
            self._has_held_nothing = True
            self._go_on(PageFacts())  # an empty page
            self._facts.last = last
        else:
            self._go_on(REFUSED)
        return True
