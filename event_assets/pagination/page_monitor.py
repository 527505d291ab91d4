"""Evaluate pages of page numbers, cursors and links for completeness. Pure: no HTTP."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from enum import Enum

from event_assets.pagination.result import IGNORED, UNFINISHED, PaginationResult
from event_assets.pagination.seen_ids import DistinctIds, RecentIds


class PaginationKind(Enum):
    """How the next page is requested."""

    NUMBERED = "page numbers"
    LINKED = "cursors or links"
    SINGLE = "a single page"


# consecutive empty pages allowed, 0: any number; an API that filters after paging sends some
MAX_EMPTY_PAGES = {PaginationKind.NUMBERED: 3, PaginationKind.LINKED: 25, PaginationKind.SINGLE: 0}


class PageMonitor:
    """Evaluates whether the pages of a list are complete.

    Cursors and links that end are complete unless a total disagrees. Page numbers cannot show that
    rows moved between two requests: they are complete only if a total does not change and equals
    the number of distinct ids (an insertion may still hide a deletion), or if there is one page.
    Links that count pages or rows (`?page=2`) are page numbers: the total must not change.
    A total is trusted once it was larger than its page; otherwise it may be the page's length.
    """

    def __init__(
        self, kind: PaginationKind, *, parameter: str = "page", limit_empty_pages: bool = True
    ) -> None:
        self._kind = kind
        self._parameter = parameter
        self._max_empty = MAX_EMPTY_PAGES[kind] if limit_empty_pages else 0
        self._recent = RecentIds()
        self._seen = DistinctIds()
        self._last_page: list[Hashable] = []
        self._changed = False
        self._pages = self._rows = self._largest = self._last_size = self._empty = 0
        self._total_range: tuple[int, int] | None = None
        self._total: int | None = None
        self._is_total_trusted = False
        self._conclusion: tuple[bool | None, str] = (False, UNFINISHED)
        self.done = False
        self.has_counting_links = False  # whether the links count pages or rows

    @property
    def result(self) -> PaginationResult:
        """The result so far; `complete` is False until `done`."""
        return PaginationResult(
            complete=self._conclusion[0],
            reason=self._conclusion[1],
            pages=self._pages,
            rows=self._rows,
            distinct_ids=self._seen.count() if self.done else len(self._seen),
            total_reported=self._total,
        )

    @property
    def expects_more(self) -> bool:
        """Whether a trusted total exceeds the number of ids received."""
        return self._is_total_trusted and self._total is not None and self._total > len(self._seen)

    @property
    def expects_full_pages(self) -> bool:
        """Whether the last page was full, so that more are likely."""
        return not self.done and 0 < self._last_size == self._largest

    @property
    def expected_pages(self) -> int | None:
        """The number of pages of a trusted total at the current page size; None if unknown."""
        if not self._is_total_trusted or self._total is None:
            return None
        return -(-self._total // max(self._largest, 1))

    @property
    def covers_total(self) -> bool:
        """Whether a trusted total is reached, by a page that is not full."""
        is_reached = self._is_total_trusted and not self.expects_more
        return is_reached and 0 < self._last_size < self._largest

    def receive(self, ids: Sequence[Hashable], total: int | None = None) -> None:
        """Process a page; set `done` if no more pages are worth requesting."""
        size = len(ids)
        self._pages += 1
        self._rows += size
        self._last_size = size
        self._largest = max(self._largest, size)
        self._observe_total(total, size)
        self._empty = 0 if size else self._empty + 1
        page = list(ids)
        if page and page == self._last_page:
            self._handle_same_page()
        elif self._max_empty and self._empty >= self._max_empty:
            self.stop(
                f"{self._empty} consecutive pages are empty, but the API says that more follow."
            )
        if page:
            self._changed |= bool(self._last_page) and page != self._last_page
            self._last_page = page
            self._seen.add(self._recent.add(page))

    def _observe_total(self, total: int | None, size: int) -> None:
        if total == 0 and self._pages == 1:
            self._total = 0
        if total is None or (not size and not total):
            return
        self._total = total
        low, high = self._total_range or (total, total)
        self._total_range = min(low, total), max(high, total)
        self._is_total_trusted |= total > size

    def _handle_same_page(self) -> None:
        if self._changed and self._kind is PaginationKind.NUMBERED:
            self.end(note="the last page was repeated")
            return
        self.stop(
            f"Two consecutive pages have the same {len(self._last_page):,} rows: the server "
            f"ignores the parameter '{self._parameter}', or its first page has another number "
            "(base_page). Set `paginator: single_page` if the API has no pages."
        )

    def stop(self, reason: str) -> None:
        """Finish as not complete."""
        self._finish(False, reason)

    def stopped_early(self) -> None:
        """Finish at a response that the configuration ignores, such as a 404 past the end."""
        if self._is_total_trusted and self._total_range == (self._seen.count(),) * 2:
            self.end()
        elif not self.done:
            self._finish(None, f"{self._seen.count():,} rows received; {IGNORED}.")

    def end(self, note: str | None = None, limited: str | None = None) -> None:
        """Finish at the end of the pages, or at the configured limit `limited`."""
        if not self.done:
            self._finish(*self._evaluate(f" ({note})" if note else "", limited))

    def _evaluate(self, note: str, limited: str | None) -> tuple[bool | None, str]:
        rows = self._seen.count()
        received = f"{rows:,} rows received{note}"
        low, high = (self._is_total_trusted and self._total_range) or (None, None)
        # whether rows cannot be missed by shifts, given a constant total or none
        cannot_shift = (self._pages == 1 and self._rows > 0) or (
            self._kind is not PaginationKind.NUMBERED
            and (low == high or not self.has_counting_links)
        )
        if limited:
            return None, f"{rows:,} rows received; stopped at {limited}."
        if low is not None and rows < low:
            return False, f"The API reports {low:,} rows but sent {rows:,}{note}."
        if self._pages == 1 and not self._rows and self._total == 0:
            return True, "The list is empty."
        if cannot_shift:
            return True, f"All {rows:,} rows were received{note}."
        if low is None:
            return None, f"{received}; without a total, page numbers cannot show shifts."
        if low == high == rows:
            return True, f"All {rows:,} rows were received, as the API reports{note}."
        return None, (
            f"{received}, while the API reported {low:,} to {high:,}: the list changed, and page "
            "numbers cannot show whether rows were missed."
        )

    def _finish(self, complete: bool | None, reason: str) -> None:
        self._conclusion = (complete, reason)
        self.done = True
