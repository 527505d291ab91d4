"""Read a list by offset and limit without missing a row. Pure: no HTTP, no dlt."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from http import HTTPStatus
from math import inf
from typing import Any, Final

from event_assets.pagination.facts import ListFacts, PageFacts
from event_assets.pagination.walk import LOOKS_BEHIND, MAX_EMPTY, REFUSED, Ask, Steps, Walk

LIMIT_ROWS: Final = 500  # a limit on the depth of offsets is a multiple of it
NO_LIMIT: Final = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND)  # nothing is there
MAX_PAGES: Final = 2_000_000
MAX_DENIALS: Final = 3  # once or twice, rows may have moved to and fro


class OffsetWalk(Walk):
    """Decides which offset to request next, and which pages to deliver.

    Each page begins with the last row received, or contains a recent one, and so misses no row
    (proof: docs/completeness.md). Where one does not, the list has shifted, and the walk steps back
    by half a page, doubling.

    It goes on after an empty page while more rows are promised, unless `stop_after_empty_page` is
    True; if it is False, also without. It always ends: after `MAX_PAGES`, 200 + 2 x P pages without
    a new row at their ends (P: of those with one), or 25 empty ones of them, unless it is False.
    """

    def __init__(
        self,
        limit: int,
        start: int = 0,
        maximum: float = inf,
        stop_after_empty_page: bool | None = None,
        facts: ListFacts | None = None,
    ) -> None:
        """Start at offset `start`, and stop at offset `maximum`; ValueError: limit < 1."""
        if limit < 1 or start < 0:
            raise ValueError(f"limit must be >= 1 and offset >= 0, got {limit} and {start}")
        self.limit, self._start = limit, start
        self._end = start  # where the last page ended
        self._max_empty = MAX_PAGES if stop_after_empty_page is False else MAX_EMPTY
        self._length = 0  # rows of the list, if another reading may end at as many ids
        self._trusted: int | None = None  # the total that the last response says
        self._progress = 0  # pages that end with a new row
        self._refused_from: float = inf  # the last offset that was refused in the list
        self._denials = 0  # pages without the row at their offset, since the last progress
        self._has_more_rows = False  # whether rows came further on that are not in the last page
        self._has_grown = False  # whether a page brought rows again, besides that at its offset
        self._seen_behind = set[Hashable]()  # ids behind the end that were not delivered yet
        super().__init__(maximum, stop_after_empty_page, facts)

    def refuse(self, status: int, *, is_limit: bool = False) -> bool:
        """Process a refused request; return False if it cannot be behind the end of the list."""
        is_accepted, is_in_list = self._asked.is_behind, self.position < self._end
        # many refuse an offset that is, with the limit, above 10,000: the last page below may do
        last = self.position - self.position % self.limit
        has_more = is_in_list and last < self.position and last + self.largest > self._end
        self._last_in_window = last if has_more else None  # a page with rows of the refused one
        is_round = self._end % LIMIT_ROWS == 0 or self.position % LIMIT_ROWS == 0
        is_limit |= is_in_list and is_round and status not in NO_LIMIT
        if is_accepted and is_limit and not has_more:
            self.finish("depth")
        elif is_accepted:
            self._go_on(REFUSED)
        return is_accepted

    def _read_once(self) -> Steps[None]:
        self._has_gap = False  # whether pages in mid-list are empty
        self._end_moved_from: int | None = None  # the last end that was found to be elsewhere
        self._idle = self._repeats = 0  # pages without progress; and like the last page
        page: PageFacts | None = yield from self._read_connected(self._start)
        while page:
            size = len(page.ids)
            self._end = after = self.position + size
            if size:
                self._deliver(page.ids)
                found = self._find_end()
                if found == "page repeated":
                    # a row may be in several pages of a list that is filtered after paging
                    look = self._look_behind(self.position, self.largest, 3)
                    if not (self._is_uneven and (yield from look)):
                        self._end = self._start + self._seen.count()
                        is_told = self.facts.last.total is not None or self._more is not None
                        if self._end % LIMIT_ROWS == 0 and size == self.largest and not is_told:
                            return self.finish("depth")  # the API may go no further
                        return self._conclude()
                elif found:
                    return self.finish(found)
                if 0 < self._length <= self._seen.count() and not self._is_short_of_total:
                    return (yield from self._read_tail())
            if self._is_last(size):
                page = yield from self._read_behind()
                continue
            if self._repeats == 2 and self.largest > 1:
                after += LOOKS_BEHIND[-1] * size  # a list that grows in front ends
            if after >= self._maximum:
                return self.finish("limit")
            page = yield from self._read_connected(after - (self.largest > 1))
        return self._conclude()

    def _request(self, at: int, step: int = 0, *, is_behind: bool = False) -> Steps[PageFacts]:
        """Request a page, behind which others follow by `step`; note what its response says."""
        total, last_page = self._reading.total.largest, self._reading.last_page
        is_foreseen = step and last_page and (total or len(last_page) == self.largest)
        end = min(total or self._maximum, self._maximum)
        page = yield Ask(at, range(at + step, end, step) if is_foreseen else (), is_behind)
        return self._note(page)

    def _note(self, page: PageFacts) -> PageFacts:
        reading, ids = self._reading, list(page.ids)
        if page is not REFUSED:
            self.facts.last = page = self._check_flag(page)
        self._more = page.has_more  # whether more rows follow, by the last response
        self.largest = max(self.largest, len(ids))
        self._idle, reading.empty = self._idle + 1, reading.empty + (not ids)
        self._repeats = self._repeats + 1 if ids == reading.last_page else 0
        new_size = 0 if self._repeats else len(ids)  # rows that come again count once
        self._trusted = reading.total.evaluate(page.total, self.position, new_size)
        return page

    def _read_connected(self, at: int) -> Steps[PageFacts]:
        """Return the page at an offset; if it is not connected, step back until one is."""
        reading, recent, asked, back = self._reading, self._reading.recent, at, 0
        is_behind = self.largest == 1 or self._start < at < self._refused_from
        page = yield from self._request(at, self.largest - 1, is_behind=is_behind)
        if page is REFUSED and self._last_in_window is not None:
            at = asked = self._last_in_window
            page = yield from self._request(at, is_behind=True)
        if page is REFUSED:
            self._refused_from = at  # the list may have ended there; asked once
        further = frozenset[Hashable]()
        while at > self._start and self.largest > 1 and not recent.overlaps(page.ids):
            back = back * 2 or self.largest // 2
            at = max(self._start, at - back)
            reading.is_end_said = False  # said by a page further on
            further = further.union(page.ids)
            page = yield from self._request(at)
        self._has_more_rows = not further.issubset(page.ids)
        if at < asked:
            self.facts.shifts += 1
            self._denials += (is_denied := page.ids[asked - at :][:1] == reading.last_page[-1:])
            self._has_grown |= is_denied
            reading.known_rows = 0  # stepping back is no lap
        elif at > self._start and self.largest > 1:
            self.facts.overlaps += 1
            self.facts.rows += 1
            self._has_grown |= page.ids[:1] != reading.last_page[-1:]
        return page

    def _deliver(self, ids: Sequence[Hashable]) -> None:
        reading, page = self._reading, list(ids)
        is_overlap = reading.last_page[-1:] == page[:1]
        new: Sequence[int] = range(is_overlap, len(page))
        if reading.pages and not is_overlap:
            unknown = reading.recent.find_unknown(page)
            new = [at for at, key in enumerate(page) if key in unknown]
        fresh = self._add(page, new)
        self._seen_behind.difference_update(page)
        reading.rows += len(new)
        reading.last_page = page
        # new rows at the start are no progress: a list that grows there has them forever
        if fresh and fresh[-1] == page[-1] and self.position > self._start:
            self._progress += 1
            self._idle = self._denials = reading.empty = 0

    def _go_on(self, page: PageFacts) -> None:
        super()._go_on(page)
        if self._is_stuck and not self.done:
            self.finish("too fast")

    @property
    def _is_stuck(self) -> bool:
        is_idle = self._idle > 200 + 2 * self._progress or self._reading.empty > self._max_empty
        return is_idle or self.facts.pages >= MAX_PAGES

    def _find_end(self) -> str:
        """Return the name of the evidence with which all ends here; empty if it goes on."""
        reading = self._reading
        if self._denials >= MAX_DENIALS:
            return "counts pages"
        if self._repeats:
            end = "page repeated" if self._has_moved_on else "ignored parameter"
            return end if self._repeats > 2 and self._end >= self._reads_to else ""
        # pages that overlap show where the list begins again, as rows in another order
        may_be_lap = self.largest == 1 or not reading.recent.is_ordered
        is_known = reading.known_rows >= 2 * len(self._seen)
        if may_be_lap and is_known and self._promised_end <= self._end:
            return "lap"
        is_same = reading.pages == self._pages_before and not self._is_short_of_total
        return "readings agree" if is_same else ""

    def _is_last(self, size: int) -> bool:
        """Return whether a page is the last, by its size or by what its response says."""
        is_total_reached = not self._is_uneven and self._end >= (self._trusted or inf)
        has_nothing_new = size < 2 or self._reading.known_rows > 0
        is_short = size < max(1, self.largest) and not self._has_more_rows
        return self._more is False or (is_short and (has_nothing_new or is_total_reached))

    @property
    def _told_end(self) -> float:
        """The offset up to which the last response promises rows."""
        is_told = self._more is True if self._trusted is None else self._trusted > self._end
        return max(self._trusted or 0, is_told * (self._end + MAX_EMPTY * max(1, self.largest)))

    @property
    def _promised_end(self) -> float:
        """The offset up to which rows are promised, by a response or otherwise."""
        return max(self._told_end, self._reading.reads_to)

    @property
    def _is_short_of_total(self) -> bool:
        return (self._trusted or 0) > self._start + self._seen.count()

    def _read_behind(self) -> Steps[PageFacts | None]:
        """Return the page with which the list goes on behind its end; None: with none."""
        reading, last, asked, end = self._reading, self.facts.last, self.position, self._end
        is_short = reading.pages == self._pages_before and self._is_short_of_total
        is_doubtful = is_short or self._is_uneven or self._more is True
        is_doubtful |= bool(last.pointer) and not last.is_total_of_rows
        is_told = self._more is False or (reading.total.largest is not None and not is_doubtful)
        is_told |= not self.facts.rows and last.says_list_is_empty
        if not is_told:
            reading.reads_to = max(reading.reads_to, self._reads_to)
        may_go_on = not self._stop_after_empty_page
        if self._promised_end <= end and (is_told or not may_go_on):
            return None
        at, size = end, self.largest or self.limit
        width, most = self.largest if self._progress else self.limit, 2 if self.largest == 1 else 3
        while may_go_on and at < self._maximum:
            is_read = is_told or self._told_end > end  # to where the API says that the list ends
            if at >= self._promised_end and (
                is_read or not (yield from self._look_behind(asked, width, most))
            ):
                break
            page = yield from self._request(at, size, is_behind=True)
            is_outdated = not page.ids and self._trusted is not None and self._trusted <= end
            if reading.recent.overlaps(page.ids):
                return page
            if at == end != self._end_moved_from and (page.ids or is_outdated):
                self._end_moved_from = end
                reading.is_end_said = False  # said by a page further on
                return (yield from self._read_connected(max(self._start, end - 1)))
            if page.ids:
                self._has_gap = True
                return page
            asked, at, may_go_on = at, at + size, not self._is_stuck
        self._has_gap |= self._more is True or (reading.total.largest or 0) > end
        return None

    def _has_rows(self, page: PageFacts) -> bool:
        self._note(page)
        self._seen_behind |= (unknown := self._reading.recent.find_unknown(page.ids))
        return self._told_end > self._end or bool(unknown)

    def _read_tail(self) -> Steps[None]:
        """Measure the length of the list again, after a reading that came to as many ids."""
        self._reading.pages.append(self.facts.passes)  # such a reading agrees with no other
        at, self._has_more_rows = self._start + self._length, False
        self._end, is_last = self._trusted or at, self._trusted is not None
        self.facts.last = self.facts.last._replace(has_more=None)  # no end in mid-list
        while not is_last:
            page = yield from self._request(at, is_behind=True)
            self._to_deliver = self._seen.add_unseen(page.ids)
            self._end = at + len(page.ids)
            is_last, at = self._is_last(len(page.ids)), self._end - 1
        self._conclude()

    def _conclude(self) -> None:
        """Compare the number of distinct ids with the length of the list."""
        reading, count, length = self._reading, self._seen.count(), self._end - self._start
        total, recent, known = reading.total, reading.recent, max(count, reading.rows)
        is_single, is_untold = self.largest == 1, total.steady is None and self._more is not False
        has_moved = not (recent.is_at_end and recent.is_continuous)
        # rows that moved behind the walk are as many as those that were deleted there
        has_moved |= self._has_grown and self.facts.shifts > 0
        must_agree = (is_single and is_untold) or has_moved or self._has_gap
        is_short = self._more is True if total.least is None else total.least > known
        if is_single and count > 1 and not (self._has_gap and is_short):
            self.finish("pages of one row")
        elif (self._has_gap and is_short) or (not must_agree and count >= length):
            self.finish("overlaps" if recent.is_ordered else "unstable order")
        else:
            self._length = 0 if must_agree else length
            # a list in order has fewer ids than rows only if it grew
            unless = "rows missing" if count < length and not recent.is_ordered else "changed"
            self._read_again(reading.pages, unless, length=length)

    def finish(self, end: str, **values: Any) -> None:
        """Finish with the evidence of this name, whose sentence needs `values`."""
        if self._seen_behind and end in ("overlaps", "readings agree"):
            end = "changed"
        reading, rows = self._reading, self._start + self._seen.count()
        # in a list that did not change, pages begin with a row that is not at their offset
        if end == "readings agree" and reading.recent.has_inserted and reading.rows == rows:
            end = "unstable order"
        self.facts.is_total_reached = reading.total.lowest == reading.total.highest == rows
        super().finish(end, idle=self._idle, **values)
