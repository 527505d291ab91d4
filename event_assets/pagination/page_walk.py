"""Read a list by page numbers, cursors or links without missing a row. Pure: no HTTP, no dlt."""

from __future__ import annotations

from http import HTTPStatus
from math import inf
from typing import Any, Final

from event_assets.pagination.facts import PageFacts
from event_assets.pagination.walk import MAX_EMPTY, Walk

MAX_EMPTY_LINKED: Final = 25  # an API that filters after paging sends some
AT_THE_END: Final = ("page behind", "page repeated", "pointer ended")
REFUSED: Final = 0  # in place of the hash of a page; the next reading must be refused there, too
REFUSED_AT: Final = 1000  # rows: a limit of depth is a multiple


class PageWalk(Walk):
    """Decides whether another page is requested, and which rows to deliver.

    Page numbers, and links and cursors that count pages, cannot show that rows moved between two
    requests. Such a list is read again until two readings agree, unless a total that did not change
    is the number of rows.

    Attributes:
        position: the number of pages of this reading; at 0, the list is read from its start.
        is_counted: whether links or cursors count pages; page numbers do.
    """

    def __init__(
        self,
        *,
        is_numbered: bool,
        maximum: float,
        stop_after_empty_page: bool | None,
        end_without_pointer: str,
    ) -> None:
        """Read at most `maximum` pages.

        Page numbers end at an empty page if `stop_after_empty_page`, else at several; if it is
        False, only at a total or at `maximum`. `end_without_pointer` names the end of a list that
        has no link or cursor.
        """
        self.is_counted = self._is_numbered = is_numbered
        self._end_without_pointer = end_without_pointer
        self._has_changed = False
        super().__init__(maximum, stop_after_empty_page)

    def _start_pass(self) -> None:
        super()._start_pass()
        self.position = 0
        self._page_count = 0  # the number of pages that responses promise
        self._ids = 0  # new ones
        self._pointers: set[Any] = set()

    def upcoming(self, count: int) -> list[int]:
        """Return up to `count` positions that follow the next one, after a full page."""
        if self._looks:
            return self._looks[1 : count + 1]
        if self.done or not self._is_last_full:
            return []
        promised = -(-(self._total.largest or 0) // self.largest)
        end = min(len(self._pages_before) or self._page_count or promised or inf, self._maximum)
        after = range(self.position + 1, self.position + count + 1)
        return [at for at in after if at < end]

    def take(self, page: PageFacts, rows: list[Any]) -> None:
        """Process the next page, and take the rows that must not be delivered out of `rows`."""
        self._facts.pages += 1
        if self._looks:
            rows.clear()
            if not self._look(1, has_rows=bool(page.ids)):
                self._end_reading("page behind")
            return
        ids = list(page.ids)
        is_repeated = bool(ids) and ids == self._last_page
        if is_repeated and not self._has_changed:
            rows.clear()  # the parameter is ignored
        is_fresh = self._count(page, rows)
        self._has_changed |= bool(ids and self._last_page) and not is_repeated
        page = self._check_flag(page, is_fresh=is_fresh)
        find_end = self._find_numbered_end if self._is_numbered else self._find_linked_end
        end = find_end(page, is_repeated=is_repeated)
        is_lap = 0 < self._ids <= self._known_rows and not self._promises_more
        self._last_page = ids or self._last_page
        self._pointers.add(str(page.pointer))
        if end or is_lap:
            self._end_reading(end or "lap")
        elif self._pages == self._pages_before:
            self.finish("readings agree")

    def _count(self, page: PageFacts, rows: list[Any]) -> bool:
        """Count the rows of a page, and keep those to deliver; return whether some are new."""
        facts, size = self._facts, len(page.ids)
        self.position += 1
        self.largest = max(self.largest, size)
        fresh = self._add(page.ids)
        if self._is_end_said and not fresh:
            size = 0  # behind the end, a server may begin again
            rows.clear()
        self._empty = 0 if size else self._empty + 1
        # rows that come again behind the end disprove no total; the same page for all numbers does
        is_again = not fresh and page.total == self._ids and self._has_changed
        self._total.evaluate(page.total, self._rows, 0 if is_again else size)
        is_length = self._total.disproved == self.largest  # of a page
        may_count_pages = None if is_length else self._total.disproved
        self._page_count = page.page_count or may_count_pages or self._page_count
        self._rows += size
        self._ids += len(fresh)
        if self._is_further_pass and size:
            rows[:] = [rows[at] for at in self._unseen]
        facts.reported, facts.is_total_reached = self._total.reported, self._is_total_reached
        facts.rows += len(rows)
        facts.pointers += page.pointer is not None
        facts.is_pointer_found |= page.is_pointer_found
        return bool(fresh)

    def _find_linked_end(self, page: PageFacts, *, is_repeated: bool) -> str:
        """Return the name of the evidence with which this reading ends; empty if it goes on."""
        if page.pointer is None:
            return "pointer ended" if self._facts.pointers else self._end_without_pointer
        if page.has_more is False or (self._stop_after_empty_page and not page.ids):
            return "pointer ended"
        if str(page.pointer) in self._pointers and (self._known_rows or not page.ids):
            return "same pointer" if page.ids else "pointer ended"
        if is_repeated and not self._has_changed:
            return "ignored parameter"
        return "empty pages" if self._empty >= MAX_EMPTY_LINKED else ""

    def _find_numbered_end(self, page: PageFacts, *, is_repeated: bool) -> str:
        if is_repeated and not self._has_changed:
            return "lap" if self._total.reported == self._ids else "ignored parameter"
        if is_repeated:
            return "page repeated"
        if self.position >= self._maximum and page.has_more is not False:
            return "limit"
        if self._is_last(page):
            return "page behind"
        if self._stop_after_empty_page is False and self._maximum < inf:
            return ""
        if self._empty and not self._promises_more:
            if self.position >= self._reads_to:
                self._end = self.position
                self._start_looking(self.position - 1, 1, len(self._pages))
            return ""
        return "empty pages" if self._empty >= MAX_EMPTY else ""

    def _is_last(self, page: PageFacts) -> bool:
        """Return whether a page is the last, as the response or the configuration says."""
        if page.has_more is False or (self._stop_after_empty_page and not page.ids):
            return True
        if page.page_count and self.position >= page.page_count and not self._is_full(page):
            return True
        is_told_empty = page.total == 0 and not self._rows
        return is_told_empty or (self._is_total_reached and page.is_total_certain)

    def _is_full(self, page: PageFacts) -> bool:
        """Return whether a page is full, so that its number may not be that of the last."""
        return len(page.ids) == self.largest and (self.position > 1 or page.has_usual_size)

    @property
    def _is_last_full(self) -> bool:
        return bool(self._last_page) and not self._empty and len(self._last_page) == self.largest

    @property
    def _promises_rows(self) -> bool:
        return (self._total.largest or 0) > self._rows

    @property
    def _promises_more(self) -> bool:
        return self._promises_rows or self._page_count > self.position

    @property
    def _is_total_reached(self) -> bool:
        """Whether a total that did not change is the number of ids."""
        total = self._total
        return total.is_steady and total.largest == self._ids <= self._seen.count()

    def _end_reading(self, end: str, *, is_refused: bool = False) -> None:
        """Finish, or read again where only a second reading can tell whether rows were missed."""
        useless = self._empty + (end == "page repeated")
        pages = self._pages[: len(self._pages) - useless] + [REFUSED] * is_refused
        is_open = self.is_counted and self._rows and self.position > 1 and end in AT_THE_END
        if is_open and not self._is_total_reached:
            self._read_again(pages, unless="changed")
        else:
            self.finish(end)

    def refuse(self, status: int, *, is_limit: bool = False) -> bool:
        """Process a refused request; return False if it cannot be behind the end of the list."""
        is_end = self._is_numbered or self._is_total_reached or self._is_end_said
        is_possible = is_end or self._total.reported == self._ids
        if not self._pages or not is_possible or self._promises_rows:
            return False
        if self._looks:
            if not self._look(1, has_rows=False):
                self._end_reading("page behind")
            return True
        self.position += 1
        is_round = self._is_last_full and not self._rows % REFUSED_AT
        is_depth = is_limit or (is_round and status != HTTPStatus.NOT_FOUND)
        self._end_reading("page behind" if is_end and not is_depth else "depth", is_refused=True)
        return True
