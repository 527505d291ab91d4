"""Read a list by page numbers without missing a row. Pure: no HTTP, no dlt."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from event_assets.pagination.facts import USUAL_SIZES, PageFacts
from event_assets.pagination.page_walk import REFUSED_PAGE, Ends, PageWalk
from event_assets.pagination.totals import is_usual_cap
from event_assets.pagination.walk import LOOKS_BEHIND, MAX_EMPTY, REFUSED, Ask, Steps

MAX_SHIFTED: Final = 3  # once or twice, rows may have been inserted


class NumberWalk(PageWalk):
    """Decides which page number to request next, and looks behind the end."""

    def _read_next(self) -> Steps[str]:
        page = yield Ask(len(self._reading.pages), self._find_following())
        end = self._receive(page)
        if not end and self._reading.empty:
            end = yield from self._read_behind()
        last = len(self._reading.pages) - 1
        may_be_cached = end == "page repeated" and len(self._pages_before) != last
        if may_be_cached or (end == "page behind" and self._may_be_capped):
            end = "" if (yield from self._look_behind(last, 1, 1)) else end
        is_told = self._page_count == last  # the page that comes again is the last one
        if end == "page repeated" and not (self.facts.last.has_more or is_told):
            end = "depth" if self._may_be_limit() else end
        return end

    @property
    def _may_be_capped(self) -> bool:
        """Whether a total that is reached may be as far as the API counts."""
        return self._is_total_reached and is_usual_cap(self._ids) and self._is_last_full

    def _find_following(self) -> range:
        if not self._is_last_full:
            return range(0)
        promised = -(-(self._reading.total.largest or 0) // self.largest)
        end = len(self._pages_before) or self._page_count or promised
        return range(len(self._reading.pages) + 1, min(end or self._maximum, self._maximum))

    def _read_behind(self) -> Steps[str]:
        """Look behind an empty page; return the name of the evidence if the list ends there."""
        reading, position = self._reading, len(self._reading.pages)
        if position < reading.reads_to:
            return ""
        last = self.facts.last
        # a total of earlier pages may be outdated; one that repeated rows passed counts no pages
        is_of_rows = self._ids <= (reading.total.disproved or 0) == self._page_count
        is_of_rows |= self._ids == self._page_count  # and not that of pages, by chance
        is_promised = self._promises_rows and last.total is not None
        is_promised |= self._page_count > position and not is_of_rows
        if is_promised or (last.has_more and not self._is_total_reached):
            told = (count for counts in last.counts[1:] for count in counts.values())
            is_behind = any(0 < count < position for count in told)  # the number of pages
            most = len(LOOKS_BEHIND) if is_behind else MAX_EMPTY
            return "empty pages" if reading.empty >= most else ""
        may_be_filtered = self.facts.settings.is_alone and not reading.rows
        is_open = self.largest in USUAL_SIZES or may_be_filtered
        most = len(LOOKS_BEHIND) if is_open else position
        has_more = yield from self._look_behind(position - 1, 1, most)
        return "" if has_more else "page behind"

    def _find_ends(self, page: PageFacts, *, is_repeated: bool) -> Ends:
        reading, position = self._reading, len(self._reading.pages)
        is_first = is_repeated and not self._has_moved_on  # the first page may have two numbers
        # behind a full page, more may follow than a number of pages says
        is_full = len(page.ids) == self.largest and (position > 1 or page.has_usual_size)
        pages = 1 if is_first else position
        is_counted = 0 < (page.page_count or 0) <= pages and (is_first or not is_full)
        is_counted &= page.total is not None or reading.rows > 0  # or it may count from 1
        is_empty = page.says_list_is_empty and not reading.rows
        is_left = page.total not in (self._ids, 0)  # which may be what is left behind the page
        is_all = page.is_total_of_rows and self._is_total_reached
        is_all &= not (page.has_more or is_left or reading.total.steady == self._wrong_total)
        return (
            ("page behind", page.has_more is False or is_counted or is_empty or is_all),
            ("ignored parameter", is_first and position > 2),
            ("counts rows", self._shifted >= MAX_SHIFTED),
            ("page repeated", is_repeated and self._has_moved_on),
            ("limit" if page.ids else "page behind", position >= self._maximum),
        )

    def refuse(self, status: int, *, is_limit: bool = False) -> bool:
        """Process a refused request; return False if it cannot be behind the end of the list."""
        reading, last = self._reading, self.facts.last
        is_in_list, may_be_limit = not self._asked.is_behind, self._may_be_limit(status)
        is_limit &= is_in_list and (self._is_last_full or self._promises_rows)
        # a total may be from before a deletion, unless the reading before was refused as well
        is_total_good = may_be_limit or self._pages_before[-1:] == [REFUSED_PAGE]
        # rows that are filtered after paging are missing on the pages before, which are all
        size = max(self.largest, last.size_asked or 1)
        has_all_pages = len(reading.pages) == -(-(reading.total.steady or 0) // size)
        is_behind = has_all_pages and status != HTTPStatus.NO_CONTENT  # as of pages behind a cap
        is_missing = not is_limit and self._promises_rows and is_total_good and not is_behind
        if not reading.pages or is_missing:
            return False
        is_told = self._is_end_told or self._promises_rows or last.has_more
        may_go_on = not (is_told or self._stop_after_empty_page)
        if is_limit or (may_be_limit and is_in_list):
            self.finish("depth")
        elif may_go_on and status == HTTPStatus.NO_CONTENT:
            self._hole = " A page in mid-list holds nothing."
            self._go_on(PageFacts())  # an empty page
            self.facts.last = last
        else:
            self._go_on(REFUSED)
        return True
