"""Read pages of a list that overlap, so that no row between them is missed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import inf

from event_assets.pagination.facts import ListFacts, PageFacts
from event_assets.pagination.walk import REFUSED, Ask, Steps, Walk


class ConnectedWalk(Walk):
    """Reads pages at offsets, and finds out whether they are connected.

    A page is connected if it starts the list or contains a recently delivered row. Connected pages
    miss no row, whatever is inserted or deleted (proof: docs/completeness.md). Where one does not
    connect, the list has shifted, and the walk steps back by half a page, doubling.
    """

    def __init__(
        self,
        limit: int,
        start: int,
        maximum: float,
        stop_after_empty_page: bool | None,
        facts: ListFacts | None,
    ) -> None:
        self._start = start
        self._trusted: int | None = None  # the total that the last response says
        self._more: bool | None = None  # whether more rows follow, by the last response
        self._idle = 0  # pages without progress
        self._repeats = 0  # pages like the last one
        self._progress = 0  # pages that end with a new row
        self._refused_from: float = inf  # the last offset that was refused in the list
        self._last_in_window: int | None = None  # a page with rows of one that was refused
        self._lack = ""  # what was wrong with a page that did not connect
        self._denials = 0  # pages without the row at their offset, since the last progress
        self._has_grown = False  # whether a page brought rows again, besides that at its offset
        self._seen_behind = set[Hashable]()  # ids behind the end that were not delivered yet
        super().__init__(maximum, stop_after_empty_page, facts, limit)

    def _request(self, at: int, step: int = 0, *, is_behind: bool = False) -> Steps[PageFacts]:
        """Request a page, behind which others follow by `step`; note what its response says."""
        total, last_page = self._reading.total.largest, self._reading.last_page
        is_foreseen = step and last_page and (total or len(last_page) == self.largest)
        end = min(total or self._maximum, self._maximum) if is_foreseen else 0
        page = yield Ask(at, range(at + step, end, step or 1), is_behind)
        return self._note(page)

    def _note(self, page: PageFacts) -> PageFacts:
        reading, ids = self._reading, list(page.ids)
        if page is not REFUSED:
            self.facts.last = page = self._check_flag(page)
        self._more = page.has_more
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
        was_empty = not page.ids
        while at > self._start and self.largest > 1 and not recent.overlaps(page.ids):
            back = back * 2 or self.largest // 2
            at = max(self._start, at - back)
            reading.is_end_said = False  # said by a page further on
            page = yield from self._request(at)
        if at < asked:
            self.facts.shifts += 1
            is_denied = page.ids[asked - at : asked - at + 1] == reading.last_page[-1:]
            self._denials += is_denied
            self._has_grown |= is_denied
            self._lack = "are empty, and lack" if was_empty else "lack"
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
