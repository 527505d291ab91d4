"""Read a list by offset and limit without missing a row. Pure: no HTTP, no dlt."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from math import inf
from typing import Any

from event_assets.pagination.end_search import LOOKS_BEHIND, EndSearch, Found
from event_assets.pagination.facts import PageFacts
from event_assets.pagination.totals import RowTotal
from event_assets.pagination.walk import MAX_PASSES, Walk


class OffsetWalk(Walk):
    """Decides which offset to request next, and which pages to deliver.

    Consecutive pages overlap by one row: the next offset is that of the last row received. A page
    is connected if it starts the list or contains a recently delivered row. Connected pages miss
    no row, whatever is inserted or deleted (proof: docs/completeness.md). A page that is not
    connected means that the list has shifted: the page is dropped, and the walk steps back by half
    a page, doubling, until a page connects.

    The list ends at a connected page of one row (if the server can send two), at a trusted total,
    or where `more` is False. Without either, the walk looks behind the end. If pages in mid-list
    are empty, rows have moved, or there are fewer ids than rows, the list is read again: until the
    counts agree, or two passes.

    The walk always ends: after `max_pages`, and after 200 + 2 x P pages without a new row at their
    ends (P: of those with one), or 20 empty ones of them if `stop_after_empty_page` is not False.
    """

    def __init__(
        self,
        limit: int,
        start: int = 0,
        *,
        maximum: float = inf,
        stop_after_empty_page: bool | None = None,
        max_pages: int = 2_000_000,
    ) -> None:
        """Start at offset `start`, and stop at offset `maximum`.

        It goes on after an empty page while a trusted total promises more rows, unless
        `stop_after_empty_page` is True; if it is False, also without one. ValueError: limit < 1.
        """
        if limit < 1 or start < 0:
            raise ValueError(f"limit must be >= 1 and offset >= 0, got {limit} and {start}")
        self.limit = limit
        self._start, self._maximum, self._max_pages = start, maximum, max_pages
        self._stop_after_empty_page = stop_after_empty_page
        self._max_empty = 20 if stop_after_empty_page is not False else max_pages
        self._total = RowTotal(limit)
        self._trusted: int | None = None  # the total that the last response says
        self._more: bool | None = None  # whether more rows follow, by the last response
        self._largest_page = self._progress = 0  # pages that end with a new row
        self._seen_behind = set[Hashable]()  # ids behind the end that were not delivered yet
        self._length = 0  # of the list, as the pass before measured it
        self._must_agree = False  # whether two passes must have the same pages
        super().__init__()

    def _start_pass(self) -> None:
        super()._start_pass()
        self.position = self._start
        self._handler: Callable[[Sequence[Hashable]], bool] = self._read_forward
        self._search = EndSearch(self._maximum)
        self._back_step = self._repeats = self._idle = self._empty = 0  # pages without progress
        self._is_behind_end = False  # whether the page from which it steps back is empty
        self._is_end_doubtful = False  # whether known rows may have moved
        self._gaps: list[tuple[int, int]] = []  # empty pages in mid-list, as (first, end) offsets

    def take(self, page: PageFacts, rows: list[Any]) -> None:
        """Process a page, and take the rows that must not be delivered out of `rows`."""
        ids, is_further_pass = page.ids, self._is_further_pass
        is_overlap = bool(ids) and self.last_ids == [ids[0]]
        unknown = self._recent.find_unknown(ids)
        new = [at for at, key in enumerate(ids) if key in unknown]
        page = self._check_flag(page, is_fresh=bool(new))
        if not self.receive(ids, page.total, page.has_more):
            rows.clear()
        elif is_overlap and not is_further_pass:
            del rows[:1]
        else:
            rows[:] = [rows[at] for at in (self._unseen if is_further_pass else new)]

    def upcoming(self, count: int) -> list[int]:
        """Return up to `count` offsets that follow `offset` if the list does not change.

        Empty while the page size is unknown, after a shift, and where the list seems to end.
        """
        if self._search.looks:
            return self._search.looks[1 : count + 1]
        is_known = len(self._last_page) == self._largest_page or self._total.largest
        if self.done or self._back_step or not self._last_page or not is_known:
            return []
        step = max(1, self._largest_page - (self._handler == self._read_forward))
        after = range(self.position + step, self.position + step * (count + 1), step)
        return [at for at in after if at < min(self._maximum, self._total.largest or inf)]

    def receive(
        self, ids: Sequence[Hashable], total: int | None = None, more: bool | None = None
    ) -> bool:
        """Process the page at `position`; return whether to deliver it; set the next `position`.

        `total` and `more` (whether more rows follow) are what the response says.
        """
        if self.done:
            raise RuntimeError("the walk is done")
        self._facts.pages += 1
        self._idle, self._empty = self._idle + 1, self._empty + (not ids)
        self._more = more
        self._largest_page = max(self._largest_page, len(ids))
        new_size = 0 if list(ids) == self._last_page else len(ids)  # what comes again counts once
        self._trusted = self._total.evaluate(total, self.position, new_size)
        self._facts.reported = self._total.reported
        is_further_pass = self._is_further_pass
        deliver = self._handler(ids)
        if deliver:
            self._facts.rows += len(self._unseen if is_further_pass else ids)
        is_idle = self._idle > 200 + 2 * self._progress or self._empty > self._max_empty
        is_idle |= self._facts.pages >= self._max_pages
        if is_idle and not self.done and self._handler == self._read_behind:
            self._end_gap()
        elif is_idle and not self.done:
            self.finish("too fast", idle=self._idle)
        return deliver

    def refuse(self, _status: int) -> bool:
        """Process a refused request; return False if it cannot be behind the end of the list."""
        is_one_row = self._handler == self._read_forward and self._largest_page == 1
        if is_possible := is_one_row or self._handler == self._read_behind:
            self.receive(())
        return is_possible

    def _read_forward(self, ids: Sequence[Hashable]) -> bool:
        offset, size, trusted = self.position, len(ids), self._trusted
        end, overlaps = offset + size, offset > self._start and self._largest_page > 1
        if overlaps and not self._recent.overlaps(ids):
            self._back_step = self._back_step * 2 or max(1, self._largest_page // 2)
            self._is_behind_end = not size
            self.position = max(self._start, offset - self._back_step)
            return False
        is_before_end = bool(self._back_step) and self._is_behind_end
        if self._back_step:
            self._known_rows = 0  # the end of a list that gets shorter comes again and again
        is_again = not self._back_step and list(ids) == self._last_page
        self._repeats = self._repeats + 1 if is_again else 0
        self._facts.shifts += bool(self._back_step)
        self._facts.overlaps += overlaps and not self._back_step
        self._back_step = 0
        if not size:
            self._end_pages(offset)
            return False
        self._deliver(ids)
        is_total_reached = trusted is not None and end >= trusted
        # a list that gets shorter has no last page of one row
        is_last = size < self._largest_page and (size == 1 or (is_before_end and self._known_rows))
        is_counting = self._is_further_pass and not self._must_agree
        has_enough_ids = is_counting and self._seen.count() >= (trusted or self._length)
        is_promised = self._search.is_promised(end, trusted, self._more)
        if self._repeats == 2 and len(set(self._pages)) > 1:
            self._move_forward(end + LOOKS_BEHIND[-1] * size)  # a list that grows in front ends
        elif self._repeats == 3:
            self.finish("page repeated")
        elif self._repeats == 2:
            is_all = self._total.reported == self._seen.count()
            self.finish("lap" if is_all else "ignored parameter", size=size)
        elif self._known_rows >= 2 * len(self._seen) and not is_promised:
            self.finish("lap")  # stepping back is half of two laps
        elif self._pages == self._pages_before and not self._is_short_of_total:
            self.finish("readings agree")
        elif has_enough_ids:
            self._handler = self._read_tail
            self.position = max(end, self._start + self._length)
            if trusted is not None:
                self._end_pass(trusted)
        elif is_last or self._more is False or (is_total_reached and size < self._largest_page):
            self._is_end_doubtful = not (self._recent.is_at_end and self._recent.is_continuous)
            self._end_pages(end)
        else:
            self._move_forward(end)
        return True

    def _deliver(self, ids: Sequence[Hashable]) -> None:
        page = list(ids)
        fresh = self._add(page)
        self._seen_behind.difference_update(page)
        is_overlap = self.last_ids == page[:1]
        self._rows += len(page) - is_overlap if is_overlap or not self._pages[1:] else len(fresh)
        self._last_page = page
        # new rows at the start are no progress: a list that grows there has them forever
        if fresh and fresh[-1] == page[-1] and self.position > self._start:
            self._progress += 1
            self._idle = self._empty = 0

    def _read_tail(self, ids: Sequence[Hashable]) -> bool:
        """Measure the length of the list again, after a pass that came to as many ids as rows."""
        end = self.position + len(ids)
        self._unseen = self._seen.add_unseen(ids)
        is_total_reached = self._trusted is not None and end >= self._trusted
        if len(ids) < 2 or self._more is False or is_total_reached:
            self._end_pass(end)
        else:
            self.position = end - 1
        return bool(ids)

    def _move_forward(self, end: int) -> None:
        if end >= self._maximum:
            self.finish("limit")
        else:
            self.position = end - 1 if self._largest_page > 1 else end

    def _end_pages(self, end: int) -> None:
        """Process the end of the pages: of the list, if the API says so, or if none follow."""
        is_short = self._pages == self._pages_before and self._is_short_of_total
        is_told = self._more is False or (self._total.largest is not None and not is_short)
        is_told |= not self._facts.rows and self._total.reported == 0
        asked, self.position, self._handler = self.position, end, self._read_behind
        if self._stop_after_empty_page is False and not is_told:
            self._search.reads_to = 0 if self._maximum == inf else self._maximum
        if self._search.is_promised(end, self._trusted, self._more):
            self._search.start(end)
            if self._stop_after_empty_page is True or end >= self._maximum:
                self._end_gap()
        elif is_told or self._stop_after_empty_page is True:
            self._end_pass(end)
        else:
            page = self._largest_page if self._progress else self.limit
            self._search.start_looking(end, asked, page, 2 if self._largest_page == 1 else 3)
            self.position = self._search.position
            if not self._search.looks:
                self._end_pass(end)

    @property
    def _is_short_of_total(self) -> bool:
        return (self._trusted or 0) > self._start + self._seen.count()

    def _read_behind(self, ids: Sequence[Hashable]) -> bool:
        """Process a page behind the end: of an empty one, or of a list without a total."""
        search, asked = self._search, self.position
        self._seen_behind |= self._recent.find_unknown(ids) if search.looks else set()
        found = search.take(ids, self._recent, self._largest_page, self._trusted, self._more)
        self.position = search.position
        if found is Found.NOTHING:
            self._end_gap()
        if found in (Found.NOTHING, Found.NOTHING_YET):
            return False
        self._handler = self._read_forward
        if found is Found.KNOWN_ROWS:
            return self._read_forward(ids)
        if found is Found.NEW_END:
            self.position = max(self._start, search.end - 1)  # read it again, overlapping
            return False
        self._gaps.append((search.end, asked))
        self._deliver(ids)
        self._move_forward(asked + len(ids))
        return True

    def _end_gap(self) -> None:
        start, promised = self._search.end, self._total.largest or 0
        if self._more is True or promised > start:
            self._gaps.append((start, max(promised, self.position)))
        self._end_pass(start)

    def _end_pass(self, end: int) -> None:
        """Compare the number of distinct ids with the length of the list."""
        total, gaps, count = self._total.largest, self._gaps, self._seen.count()
        self._length = end - self._start - sum(end - first for first, end in gaps)
        is_single = self._largest_page == 1
        is_untold = not self._total.is_steady and self._more is not False
        must_agree = (is_single and is_untold) or self._is_end_doubtful or bool(gaps)
        if self._is_further_pass and self._pages == self._pages_before:
            self.finish("readings agree")
        elif gaps and (total is not None or self._more is True):
            claim = "says that more rows follow" if total is None else f"reports {total:,} rows"
            self.finish("gaps", gap=f"{gaps[0][0]:,} to {gaps[0][1]:,}", claim=claim)
        elif is_single and count > 1:
            self.finish("pages of one row")
        elif not must_agree and count >= self._length:
            may_be_limit = self._total.reported == self.limit > self._start + count
            end_of_list = "overlaps" if self._recent.is_ordered else "unstable order"
            self.finish("echo of the limit" if may_be_limit else end_of_list, limit=self.limit)
        elif self._facts.passes == MAX_PASSES:
            # a list in order has fewer ids than rows only if it grew
            is_short = count < self._length and not gaps and not self._recent.is_ordered
            self.finish("rows missing" if is_short else "changed")
        else:
            self._must_agree = must_agree
            # a pass that went on to its end at once is no reading that another may agree with
            self._read_again([] if self._handler == self._read_tail else self._pages)

    def finish(self, end: str, **values: Any) -> None:
        """Finish with the evidence of this name, whose sentence needs `values`."""
        facts = self._facts
        if self._seen_behind and end in ("overlaps", "readings agree"):
            end = "changed"
        facts.end, facts.rows_read = end, self._rows
        facts.values = {"length": self._length, **values}
        if end in ("readings agree", "page repeated") and self._trusted is not None:
            facts.least_total = self._trusted - self._start
