"""Read a list by offset and limit without missing a row. Pure: no HTTP, no dlt."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from math import inf
from typing import Any

from event_assets.pagination.facts import NO_PAGE, PageFacts
from event_assets.pagination.walk import LOOKS_BEHIND, MAX_EMPTY, Walk


class OffsetWalk(Walk):
    """Decides which offset to request next, and which pages to deliver.

    Consecutive pages overlap by one row: the next offset is that of the last row received. A page
    is connected if it starts the list or contains a recently delivered row. Connected pages miss
    no row, whatever is inserted or deleted (proof: docs/completeness.md). A page that is not
    connected means that the list has shifted: the page is dropped, and the walk steps back by half
    a page, doubling, until a page connects.

    The list ends at a connected page of one row (if the server can send two), at a trusted total,
    or where `has_more` is False. Without either, the walk looks behind the end. If pages in
    mid-list are empty, rows have moved, or there are fewer ids than rows, the list is read again:
    until the counts agree, or two passes.

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
        self._start, self._max_pages = start, max_pages
        self._max_empty = 20 if stop_after_empty_page is not False else max_pages
        self._trusted: int | None = None  # the total that the last response says
        self._more: bool | None = None  # whether more rows follow, by the last response
        self._progress = 0  # pages that end with a new row
        self._seen_behind = set[Hashable]()  # ids behind the end that were not delivered yet
        self._length = 0  # of the list, as the pass before measured it
        self._must_agree = False  # whether two passes must have the same pages
        super().__init__(maximum, stop_after_empty_page, limit)

    def _start_pass(self) -> None:
        super()._start_pass()
        self.position = self._start
        self._handler: Callable[[Sequence[Hashable]], bool] = self._read_forward
        self._back_step = self._repeats = self._idle = 0  # idle: pages without progress
        self._is_end_doubtful = False  # whether known rows may have moved
        self._end_moved_from: int | None = None  # the last end that was found to be elsewhere
        self._gaps: list[tuple[int, int]] = []  # empty pages in mid-list, as (first, end) offsets

    def upcoming(self, count: int) -> list[int]:
        """Return up to `count` offsets that follow `offset` if the list does not change.

        Empty while the page size is unknown, after a shift, and where the list seems to end.
        """
        if self._looks:
            return self._looks[1 : count + 1]
        is_known = len(self._last_page) == self.largest or self._total.largest
        if self.done or self._back_step or not self._last_page or not is_known:
            return []
        step = max(1, self.largest - (self._handler == self._read_forward))
        after = range(self.position + step, self.position + step * (count + 1), step)
        return [at for at in after if at < min(self._maximum, self._total.largest or inf)]

    def take(self, page: PageFacts, rows: list[Any]) -> None:
        """Process the next page, and take the rows that must not be delivered out of `rows`."""
        if self.done:
            raise RuntimeError("the walk is done")
        ids, is_further_pass = page.ids, self._is_further_pass
        is_overlap = bool(ids) and self._last_page[-1:] == [ids[0]]
        unknown = self._recent.find_unknown(ids)
        new = [at for at, key in enumerate(ids) if key in unknown]
        page = self._check_flag(page, is_fresh=bool(new))
        if not self._receive(page):
            rows.clear()
        elif is_overlap and not is_further_pass:
            del rows[:1]
        else:
            rows[:] = [rows[at] for at in (self._unseen if is_further_pass else new)]

    def refuse(self, _status: int, *, is_limit: bool = False) -> bool:
        """Process a refused request; return False if it cannot be behind the end of the list."""
        is_one_row = self._handler == self._read_forward and self.largest == 1
        is_possible = is_one_row or self._handler == self._read_behind
        if is_possible and is_limit:
            self.finish("depth")
        elif is_possible:
            self._receive(NO_PAGE)
        return is_possible

    def _receive(self, page: PageFacts) -> bool:
        """Process the page at `position`; return whether to deliver it; set the next `position`."""
        facts, ids, is_further_pass = self._facts, page.ids, self._is_further_pass
        facts.pages += 1
        self._idle, self._empty = self._idle + 1, self._empty + (not ids)
        self._more = page.has_more
        self.largest = max(self.largest, len(ids))
        new_size = 0 if list(ids) == self._last_page else len(ids)  # what comes again counts once
        self._trusted = self._total.evaluate(page.total, self.position, new_size)
        facts.reported = self._total.reported
        deliver = self._handler(ids)
        if deliver:
            facts.rows += len(self._unseen if is_further_pass else ids)
        is_idle = self._idle > 200 + 2 * self._progress or self._empty > self._max_empty
        if (is_idle or facts.pages >= self._max_pages) and not self.done:
            if self._handler == self._read_behind:
                self._end_gap()
            else:
                self.finish("too fast", idle=self._idle)
        return deliver

    def _read_forward(self, ids: Sequence[Hashable]) -> bool:
        offset, size = self.position, len(ids)
        overlaps = offset > self._start and self.largest > 1
        if overlaps and not self._recent.overlaps(ids):
            self._back_step = self._back_step * 2 or max(1, self.largest // 2)
            self._is_behind_end = not size  # it steps back from an empty page
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
        if size:
            self._deliver(ids)
            self._go_on(offset + size, size, is_before_end=is_before_end)
        else:
            self._end_pages(offset)
        return bool(size)

    def _go_on(self, end: int, size: int, *, is_before_end: bool) -> None:
        """Move on behind a page that ends at `end`, or end this pass."""
        is_short, trusted = size < self.largest, self._trusted
        is_total_reached = trusted is not None and end >= trusted
        # a list that gets shorter has no last page of one row
        is_last = is_short and (size == 1 or (is_before_end and self._known_rows))
        is_counting = self._is_further_pass and not self._must_agree
        if self._repeats == 2:
            self._move_forward(end + LOOKS_BEHIND[-1] * size)  # a list that grows in front ends
        elif self._repeats == 3:
            self.finish("page repeated")
        elif self._known_rows >= 2 * len(self._seen) and not self._is_promised(end):
            self.finish("lap")  # stepping back is half of two laps
        elif self._pages == self._pages_before and not self._is_short_of_total:
            self.finish("readings agree")
        elif is_counting and self._seen.count() >= (trusted or self._length):
            self._handler = self._read_tail
            self.position = max(end, self._start + self._length)
            if trusted is not None:
                self._end_pass(trusted)
        elif is_last or self._more is False or (is_total_reached and is_short):
            self._is_end_doubtful = not (self._recent.is_at_end and self._recent.is_continuous)
            self._end_pages(end)
        else:
            self._move_forward(end)

    def _deliver(self, ids: Sequence[Hashable]) -> None:
        page = list(ids)
        fresh = self._add(page)
        self._seen_behind.difference_update(page)
        is_overlap = self._last_page[-1:] == page[:1]
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
            self.position = end - 1 if self.largest > 1 else end

    def _is_promised(self, offset: float) -> bool:
        """Return whether rows at this offset are promised, by a total or otherwise."""
        is_told = self._more is True and self._trusted is None
        return is_told or max(self._trusted or 0, self._reads_to) > offset

    @property
    def _is_short_of_total(self) -> bool:
        return (self._trusted or 0) > self._start + self._seen.count()

    def _end_pages(self, end: int) -> None:
        """Process the end of the pages: of the list, if the API says so, or if none follow."""
        is_short = self._pages == self._pages_before and self._is_short_of_total
        is_told = self._more is False or (self._total.largest is not None and not is_short)
        is_told |= not self._facts.rows and self._total.reported == 0
        asked, self._handler = self.position, self._read_behind
        self._end = self.position = end
        if self._stop_after_empty_page is False and not is_told:
            self._reads_to = 0 if self._maximum == inf else self._maximum
        if self._is_promised(end):
            if self._stop_after_empty_page or end >= self._maximum:
                self._end_gap()
            return
        if not is_told and not self._stop_after_empty_page:
            page = self.largest if self._progress else self.limit
            self._start_looking(asked, page, 2 if self.largest == 1 else 3)
        if not self._looks:
            self._end_pass(end)

    def _read_behind(self, ids: Sequence[Hashable]) -> bool:
        """Process a page behind the end: of an empty one, or of a list without a total."""
        asked, end, size = self.position, self._end, max(1, self.largest)
        is_outdated = not ids and self._trusted is not None and self._trusted <= end
        if self._looks:
            unknown = self._recent.find_unknown(ids)
            self._seen_behind |= unknown
            if not self._look(self.largest, has_rows=self._is_promised(end) or bool(unknown)):
                self._end_gap()
        elif self._recent.overlaps(ids):
            self._handler = self._read_forward
            return self._read_forward(ids)
        elif asked == end != self._end_moved_from and (ids or is_outdated):
            self._end_moved_from = end
            self._handler = self._read_forward
            self.position = max(self._start, end - 1)  # read it again, overlapping
        elif ids:
            self._handler = self._read_forward
            self._gaps.append((end, asked))
            self._deliver(ids)
            self._move_forward(asked + len(ids))
            return True
        else:
            self.position += size
            furthest = inf if self._trusted else max(self._reads_to, end + MAX_EMPTY * size)
            if self.position >= min(furthest, self._maximum) or not self._is_promised(
                self.position
            ):
                self._end_gap()
        return False

    def _end_gap(self) -> None:
        start, promised = self._end, self._total.largest or 0
        if self._more is True or promised > start:
            self._gaps.append((start, max(promised, self.position)))
        self._end_pass(start)

    def _end_pass(self, end: int) -> None:
        """Compare the number of distinct ids with the length of the list."""
        total, gaps, count = self._total.largest, self._gaps, self._seen.count()
        self._length = end - self._start
        is_single = self.largest == 1
        is_untold = not self._total.is_steady and self._more is not False
        must_agree = (is_single and is_untold) or self._is_end_doubtful or bool(gaps)
        if gaps and (total is not None or self._more is True):
            claim = "says that more rows follow" if total is None else f"reports {total:,} rows"
            self.finish("gaps", gap=f"{gaps[0][0]:,} to {gaps[0][1]:,}", claim=claim)
        elif is_single and count > 1:
            self.finish("pages of one row")
        elif not must_agree and count >= self._length:
            may_be_limit = self._total.reported == self.limit > self._start + count
            end_of_list = "overlaps" if self._recent.is_ordered else "unstable order"
            self.finish("echo of the limit" if may_be_limit else end_of_list, limit=self.limit)
        else:
            self._must_agree = must_agree
            # a list in order has fewer ids than rows only if it grew
            is_short = count < self._length and not gaps and not self._recent.is_ordered
            # a pass that went on to its end at once is no reading that another may agree with
            is_tail = self._handler == self._read_tail
            pages = [-1, self._facts.passes] if is_tail else self._pages  # no hash is -1
            self._read_again(pages, unless="rows missing" if is_short else "changed")

    def finish(self, end: str, **values: Any) -> None:
        """Finish with the evidence of this name, whose sentence needs `values`."""
        if self._seen_behind and end in ("overlaps", "readings agree"):
            end = "changed"
        super().finish(end, length=self._length, **values)
