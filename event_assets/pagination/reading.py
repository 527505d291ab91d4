"""One reading of a list by page numbers, cursors or links. Pure: no HTTP."""

from __future__ import annotations

from collections.abc import Hashable

from event_assets.pagination.page_facts import PageFacts
from event_assets.pagination.seen_ids import DistinctIds, Lap, RecentIds


class Reading:
    """Follows the pages of one reading: whether rows are fresh, and what totals promise.

    A number that responses report is a total of rows once it was larger than its page, and not
    once more rows came than it says while it stayed the same: it may count pages, then.

    Attributes:
        hashes: of the pages, by which readings are compared.
        had_fresh_rows: whether the last page had rows that were not received before.
        totals: the least and the greatest total of rows; None: there is none.
    """

    def __init__(self) -> None:
        self.hashes: list[int] = []
        self.sizes: list[int] = []
        self.is_last_repeated = False
        self.distinct = self.largest = self.last_size = self.empty = 0
        self.totals: tuple[int, int] | None = None
        self.had_fresh_rows = False
        self._recent = RecentIds()
        self.seen = DistinctIds()
        self._lap = Lap(self.seen)
        self._page: list[Hashable] = []
        self._has_changed = False
        self._is_trusted = False
        self._promised_pages = 0

    @property
    def expects_more(self) -> bool:
        """Whether a total promises rows, or pages, that did not come."""
        return self.promises_rows or self._promised_pages > len(self.hashes)

    @property
    def expected_pages(self) -> int | None:
        """The number of pages of a total at the current page size; None if unknown."""
        if not self._is_trusted or not self.totals:
            return self._promised_pages or None
        return -(-self.totals[1] // max(self.largest, 1))

    @property
    def trusted_totals(self) -> tuple[int, int] | None:
        """The least and the greatest total, if it is one of rows."""
        return self.totals if self._is_trusted else None

    @property
    def ends_short(self) -> bool:
        """Whether the last page but one, and none before, is shorter than the others."""
        *full, last, _ = [self.largest, self.largest, *self.sizes]
        return last < self.largest and {*full} == {self.largest}

    def agrees_with(self, before: Reading) -> bool:
        """Return whether this reading repeats the one before as far as it must to agree with it.

        A page of no use at the end need not be read again, nor a short page before it.
        """
        needed = len(before.hashes)
        if not before.last_size or before.is_last_repeated:
            needed -= 2 if before.ends_short else 1
        read = len(self.hashes)
        return read >= max(1, needed) and self.hashes == before.hashes[:read]

    @property
    def promises_rows(self) -> bool:
        """Whether a total of rows promises more than came."""
        totals = self.trusted_totals
        return totals is not None and totals[1] > self.distinct

    @property
    def is_total_reached(self) -> bool:
        """Whether a total that did not change is the number of rows."""
        return self._is_trusted and self.totals == (self.distinct,) * 2

    def receive(self, page: PageFacts) -> str:
        """Process a page; return why it must be the last, or an empty text."""
        size, ids = len(page.ids), list(page.ids)
        self.hashes.append(hash(tuple(ids)))
        self.sizes.append(size)
        self.last_size, self.largest = size, max(self.largest, size)
        self.empty = 0 if size else self.empty + 1
        is_same = bool(ids) and ids == self._page
        fresh = self._recent.add(ids)
        self.had_fresh_rows = bool(fresh)
        self.seen.add(fresh)
        self.distinct = len(self.seen)
        self._observe_total(page, size)
        self.is_last_repeated = is_same
        if is_same:
            return "page repeated" if self._has_changed else "ignored parameter"
        if ids:
            self._has_changed |= bool(self._page)
            self._page = ids
        return "lap" if self._lap.has_passed(ids) else ""

    def count(self) -> int:
        """Return the number of distinct ids."""
        self.distinct = self.seen.count()
        return self.distinct

    def _observe_total(self, page: PageFacts, size: int) -> None:
        total = page.total
        if total is None or (not size and not total):
            return
        low, high = self.totals or (total, total)
        is_steady = low == high == total
        if size and (total < size or (is_steady and total < self.distinct)):
            self._is_trusted = False
            self._promised_pages = 0 if total in (size, page.size_asked) else total
            return
        self.totals = min(low, total), max(high, total)
        self._is_trusted |= total > size and not self._promised_pages
