"""Judging pages whose order the API dictates: page numbers, cursors, links. Pure: no HTTP."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from enum import Enum

from event_assets.pagination.result import IGNORED, PaginationResult
from event_assets.pagination.seen_ids import DistinctIds, RecentIds


class PaginationKind(Enum):
    """How the next page is asked for."""

    NUMBERED = "page numbers"
    LINKED = "cursors or links"
    SINGLE = "a single page"


# an API that filters after paging may well send some empty pages, each with a new cursor
EMPTY_RUN = {
    PaginationKind.NUMBERED: 3,
    PaginationKind.LINKED: 25,
    PaginationKind.SINGLE: 0,
}  # 0: any number


class PageMonitor:
    """Notices what pages can tell of missing rows.

    Cursors and links that end by themselves are complete unless a total disagrees. Page numbers
    cannot show that rows moved between two requests: they are complete only if a total stayed the
    same and agrees with the different ids that came (and still an insertion may hide a deletion).
    A list whose only page is the last, in the API's own words, has no room for that. Links that
    count pages or rows (`?page=2`) are page numbers: a total that changes says so.
    A total is believed once it was larger than its page; otherwise it may be the page's length.
    """

    def __init__(
        self, protocol: PaginationKind, *, parameter: str = "page", limit_empty_pages: bool = True
    ) -> None:
        self._protocol = protocol
        self._parameter = parameter
        self._empty_allowed = EMPTY_RUN[protocol] if limit_empty_pages else 0
        self._recent = RecentIds()
        self._seen = DistinctIds()
        self._last_page: list[Hashable] = []
        self._changed = False
        self._pages = self._rows = self._largest = self._last_size = self._empty = 0
        self._totals: tuple[int, int] | None = None
        self._total: int | None = None
        self._believed = False
        self._verdict: tuple[bool | None, str] = (False, "The reading did not finish.")
        self.done = False
        self.links_count = False  # do the links that are followed count pages or rows?

    @property
    def outcome(self) -> PaginationResult:
        """What is known so far; `complete` is False until `done`."""
        return PaginationResult(
            complete=self._verdict[0],
            reason=self._verdict[1],
            pages=self._pages,
            rows=self._rows,
            distinct_ids=self._seen.count() if self.done else len(self._seen),
            total_reported=self._total,
        )

    @property
    def expects_more(self) -> bool:
        """Does a total that may be believed promise rows which have not come yet?"""
        return self._believed and self._total is not None and self._total > len(self._seen)

    @property
    def expects_full_pages(self) -> bool:
        """Was the last page full, so that more are likely?"""
        return not self.done and 0 < self._last_size == self._largest

    @property
    def pages_promised(self) -> int | None:
        """How many pages a total that may be believed makes, of the size that came."""
        if not self._believed or self._total is None:
            return None
        return -(-self._total // max(self._largest, 1))

    @property
    def covers_total(self) -> bool:
        """Have as many ids come as a total promises, the last of them in a page not full?"""
        promised = self._believed and not self.expects_more
        return promised and 0 < self._last_size < self._largest

    def _cannot_shift(self, *, steady: bool) -> bool:
        """Was there nothing for a row to slip through, where no total (or a steady one) is sent?"""
        if self._pages == 1 and self._rows:
            return True
        return self._protocol is not PaginationKind.NUMBERED and (steady or not self.links_count)

    def receive(self, ids: Sequence[Hashable], total: int | None = None) -> None:
        """Take a page; sets `done` where reading on is pointless."""
        size = len(ids)
        self._pages += 1
        self._rows += size
        self._last_size = size
        self._largest = max(self._largest, size)
        self._note_total(total, size)
        self._empty = 0 if size else self._empty + 1
        page = list(ids)
        if page and page == self._last_page:
            self._same_page()
        elif self._empty_allowed and self._empty >= self._empty_allowed:
            self.stop(f"{self._empty} empty pages in a row came, and the API says more follow.")
        if page:
            self._changed |= bool(self._last_page) and page != self._last_page
            self._last_page = page
            fresh = self._recent.add(page)
            self._seen.add(fresh)

    @property
    def _is_empty(self) -> bool:
        return self._pages == 1 and not self._rows and self._total == 0

    def _note_total(self, total: int | None, size: int) -> None:
        if total == 0 and self._pages == 1:
            self._total = 0
        if total is None or (not size and not total):
            return
        self._total = total
        low, high = self._totals or (total, total)
        self._totals = min(low, total), max(high, total)
        self._believed |= total > size

    def _same_page(self) -> None:
        if self._changed and self._protocol is PaginationKind.NUMBERED:
            self.end(note="the last page came again instead of an end")
            return
        self.stop(
            f"The same {len(self._last_page):,} rows came for two pages in a row: the server "
            f"ignores the parameter '{self._parameter}', or counts its pages from another number "
            "(base_page). Set `paginator: single_page` if the API has no pages."
        )

    def stop(self, reason: str) -> None:
        """End the reading as not complete."""
        self._verdict = (False, reason)
        self.done = True

    def stopped_early(self) -> None:
        """The configuration ended the reading: it ignores an answer, such as 404 past the end."""
        totals = self._totals if self._believed else None
        if totals == (self._seen.count(),) * 2:
            self.end()
        elif not self.done:
            self._verdict = (None, f"{self._seen.count():,} rows came; {IGNORED}.")
            self.done = True

    def end(self, note: str | None = None, limited: str | None = None) -> None:
        """The pages ended; `limited` says that the configuration ended them."""
        if self.done:
            return
        self.done = True
        came = self._seen.count()
        low, high = self._totals if self._totals and self._believed else (None, None)
        aside = f" ({note})" if note else ""
        if limited:
            self._verdict = (None, f"{came:,} rows came; stopped at {limited}.")
        elif low is not None and came < low:
            self._verdict = (False, f"The API reports {low:,} rows but sent {came:,}{aside}.")
        elif self._is_empty:
            self._verdict = (True, "The list is empty.")
        elif self._cannot_shift(steady=low == high):
            self._verdict = (True, f"All {came:,} rows came{aside}.")
        elif low is None:
            self._verdict = (
                None,
                f"{came:,} rows came{aside}; no total, and page numbers cannot show shifts.",
            )
        elif low == high == came:
            self._verdict = (True, f"All {came:,} rows came, as the API reports{aside}.")
        else:
            self._verdict = (
                None,
                f"{came:,} rows came{aside}, while the API reported {low:,} to {high:,}: the "
                "list changed, and page numbers cannot show whether rows were missed.",
            )
