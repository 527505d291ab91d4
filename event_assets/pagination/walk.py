"""What is known of a list that is read page by page, once or several times."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Final

from event_assets.pagination.facts import ListFacts, PageFacts
from event_assets.pagination.seen_ids import DistinctIds, RecentIds
from event_assets.pagination.totals import RowTotal

MAX_PASSES: Final = 4
MAX_EMPTY: Final = 3  # consecutive empty pages that are read where more is promised
LOOKS_BEHIND: Final = (1, 3, 7)  # pages behind the end, so that 2, 4 and 8 are known to be empty


class Walk:
    """Counts the rows and ids of a list, in all passes and in the last, and looks behind its end.

    A server that filters after paging sends empty pages in the middle of a list.

    Attributes:
        position: of the next page, in rows or pages.
        largest: rows of a page.
    """

    position: int
    _is_numbered = True  # a page behind the last one can be requested without a pointer

    def __init__(
        self, maximum: float, stop_after_empty_page: bool | None, limit: int | None = None
    ) -> None:
        self._maximum = maximum
        self._stop_after_empty_page = stop_after_empty_page
        self._limit = limit
        self.largest = 0
        self._facts = ListFacts()
        self._seen = DistinctIds()
        self._pages_before: list[int] = []  # hashes of the pages of the pass before
        # rows of the page that no pass had, if it is a further one
        self._unseen: Sequence[int] = ()
        self._is_flag_wrong = False  # of a flag that was found by its name
        self._start_pass()

    def _start_pass(self) -> None:
        self._recent = RecentIds()
        self._total = RowTotal(self._limit)
        self._is_end_said = False  # by the page before
        self._pages: list[int] = []
        self._last_page: list[Hashable] = []  # with rows
        self._rows = self._known_rows = 0  # received; and since the last new one
        self._empty = 0  # consecutive pages
        self._end = 0  # behind the last row
        self._looks: list[int] = []  # positions behind the end that may have rows
        self._reads_to: float = 0  # the position up to which rows are promised

    @property
    def facts(self) -> ListFacts:
        """What is known of the list so far."""
        self._facts.distinct = self._seen.count() if self.done else len(self._seen)
        return self._facts

    @property
    def done(self) -> bool:
        """Whether the list was read to its end."""
        return self._facts.end != "unfinished"

    @property
    def _is_further_pass(self) -> bool:
        return self._facts.passes > 1

    def _add(self, ids: Sequence[Hashable]) -> list[Hashable]:
        """Note a page; return the ids that are new in this pass."""
        self._pages.append(hash(tuple(ids)))
        fresh = self._recent.add(ids)
        self._known_rows = 0 if fresh else self._known_rows + len(ids)
        if self._is_further_pass:
            self._unseen = self._seen.add_unseen(ids)
        else:
            self._seen.add(fresh)
        return fresh

    def _check_flag(self, page: PageFacts, *, is_fresh: bool) -> PageFacts:
        """Return a page with what is to be relied on of its `has_more`.

        A flag may speak of something else. Its end is believed of a short page that leads nowhere,
        or whose pointer it is beside, and once the page behind has no new rows; of none, if it has.
        """
        is_confirmed = self._is_end_said and not is_fresh
        self._is_flag_wrong |= self._is_end_said and is_fresh
        self._is_end_said = page.has_more is False and not self._is_flag_wrong
        is_full = len(page.ids) >= (len(self._last_page) or page.size_asked or 0)
        if page.is_flag_beside:
            may_go_on = is_full and (bool(self._last_page) or page.has_usual_size)
        else:
            may_go_on = (self._is_numbered and is_full) or page.pointer is not None
        may_go_on &= is_fresh
        if is_confirmed:
            page = page._replace(has_more=False)
        elif page.has_more is False and (may_go_on or self._is_flag_wrong):
            page = page._replace(has_more=None)
        self._facts.last = page
        return page

    def _start_looking(self, asked: int, size: int, most: int) -> None:
        """Look at `most` pages of `size` behind the end; the last was at `asked`."""
        looks = (asked + size * pages for pages in LOOKS_BEHIND[:most])
        self._looks = [at for at in looks if at < self._maximum]
        self.position = next(iter(self._looks), self._end)

    def _look(self, size: int, *, has_rows: bool) -> bool:
        """Process a page of `size` that was looked at; return whether more may follow.

        If it has rows, page after page is read from the end up to it.
        """
        looked = self._looks.pop(0)
        if has_rows:
            self._reads_to, self._looks = looked + size, []
        self.position = next(iter(self._looks), self._end)
        return has_rows or bool(self._looks)

    def _read_again(self, pages: list[int], unless: str) -> None:
        """Start another pass after one that had `pages`; after the last, end with `unless`."""
        if self._is_further_pass and pages == self._pages_before:
            self.finish("readings agree")
        elif self._facts.passes == MAX_PASSES:
            self.finish(unless)
        else:
            self._seen.build_index()
            self._pages_before = pages
            self._facts.passes += 1
            self._start_pass()

    def finish(self, end: str, **values: Any) -> None:
        """Finish with the evidence of this name, whose sentence needs `values`."""
        facts = self._facts
        facts.end, facts.rows_read, facts.least_total = end, self._rows, self._total.least
        facts.largest = self.largest
        facts.values = {"size": len(self._last_page), "empty": self._empty, **values}
