"""Read a list by offset and limit without missing a row. Pure: no HTTP, no dlt."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from event_assets.pagination.evidence import ListFacts
from event_assets.pagination.offset_recount import Recount
from event_assets.pagination.page_facts import PageFacts
from event_assets.pagination.seen_ids import DistinctIds, Lap, RecentIds
from event_assets.pagination.totals import OffsetTotal

PageHandler = Callable[[Sequence[Hashable], int | None, bool | None], bool]


class OffsetWalk:
    """Decides which offset to request next, and which pages to deliver.

    Consecutive pages overlap by one row: the next offset is that of the last row received. A page
    is connected if it starts the list or contains a recently delivered row. Connected pages miss
    no row, whatever is inserted or deleted during the sync. Proof: rows keep their relative order.
    Let F be the furthest delivered row, and let every remaining row up to F be delivered. A
    connected page is a contiguous part of the list when it was read, and contains a delivered row
    K, at or before F. Remaining rows between K and the end of the page are in the page; those
    before K were delivered. So every remaining row up to F and up to the end of the page is
    delivered. This does not depend on when a page was read, so reading ahead is equally safe.
    A page that is not connected means that the list has shifted: the page is dropped, and the
    walk steps back by half a page, doubling, until a page connects.

    The list ends at a connected page of one row (if the server can send two), at a trusted total,
    or where `more` is False. Without either, the walk looks 2, 4 and 8 pages further: a
    server that filters after paging sends empty pages in the middle of a list. The number of
    distinct ids must match the length of the list. If it does not, rows were inserted or moved
    behind the current offset, and the list is read again until the counts agree, in at most two
    more full passes; a list of which both readings show the same pages has repeats.

    Offset pagination cannot detect a row that moves from ahead of the current offset to behind it
    while as many rows are deleted, or, with pages read ahead, inserted. Pages of one row do not
    overlap: `complete` is None then.

    The walk always ends: after at most 300 + 8 x P pages, at most 200 + 2 x P consecutive ones
    without a new row, where P is the number of pages that end with a row not among the last 20,000
    delivered (in a quiet list about rows / (page size - 1)); and after `max_pages`, for a list
    that grows at its end as fast as it is read.
    """

    def __init__(
        self,
        limit: int,
        start: int = 0,
        *,
        maximum: int | None = None,
        stop_after_empty_page: bool | None = None,
        parameter: str = "offset",
        max_pages: int = 2_000_000,
    ) -> None:
        """Start at offset `start`, and stop at offset `maximum`.

        The walk continues after an empty page while a trusted total promises more rows, unless
        `stop_after_empty_page` is True; if it is False, also without a total, up to `maximum`.
        `parameter` names the offset in messages. Raises ValueError for a limit below 1.
        """
        if limit < 1 or start < 0:
            raise ValueError(f"limit must be >= 1 and offset >= 0, got {limit} and {start}")
        self.limit = limit
        self.offset: int = start
        self.done = False
        self._start = start
        self._maximum = maximum
        self._stop_after_empty_page = stop_after_empty_page
        self._parameter = parameter
        self._max_pages = max_pages
        self._recent = RecentIds()
        self._seen = DistinctIds()
        self._total = OffsetTotal(limit)
        self._handler: PageHandler = self._read_forward
        self._end = "unfinished"
        self._values: dict[str, Any] = {}
        self._hashes: list[int] = []  # of the pages of this reading
        self._lap = Lap(self._seen, laps=2)  # stepping back is half of one
        self.last_delivered: Hashable = None
        self._more: bool | None = None  # what the last response says
        self._behind: list[int] = []  # offsets behind the end that may have rows
        self._skip_to = start  # where rows were found behind empty pages
        self._pages = self._rows = self._pages_with_progress = self._pages_without_progress = 0
        self._overlaps = self._shifts = self._back_step = 0
        # the previous page, to detect servers that ignore the offset
        self._largest_page = self._repeats = 0
        self._last_page: list[Hashable] = []
        self._last_offset: int = start
        self._rereading_only_row = False
        # ranges of empty pages in the middle of the list, as (first, end) offsets
        self._gaps: list[tuple[int, int]] = []
        self._gap_start = self._pages_without_total = self._gap_retries = self._list_end = 0
        self._recount: Recount | None = None

    @property
    def facts(self) -> ListFacts:
        """What is known of the list so far."""
        distinct = self._seen.count() if self.done else len(self._seen)
        trusted = self._total.largest_trusted
        return ListFacts(
            end=self._end,
            values=self._values,
            pages=self._pages,
            rows=self._rows,
            distinct=distinct,
            overlaps=self._overlaps,
            shifts=self._shifts,
            passes=1 + (self._recount.passes if self._recount else 0),
            reported=self._total.reported,
            is_total_reached=trusted is not None and distinct == trusted - self._start,
        )

    @property
    def is_behind_end(self) -> bool:
        """Whether the walk looks behind the end, where requests may be refused."""
        return self._handler == self._look_behind

    def take(self, page: PageFacts, rows: list[Any], *, more: bool | None) -> None:
        """Process a page, and take the rows that must not be delivered out of `rows`."""
        if not self.receive(page.ids, page.total, more):
            rows.clear()
        elif page.ids:
            if page.ids[0] == self.last_delivered:
                del rows[:1]
            self.last_delivered = page.ids[-1]

    def upcoming(self, count: int) -> list[int]:
        """Return up to `count` offsets that follow `offset` if the list does not change.

        Empty while the page size is unknown, after a shift, and where the list seems to end;
        never beyond a trusted total.
        """
        if self.is_behind_end:
            return self._behind[:count]
        step = self._read_ahead_step()
        if not step:
            return []
        after = range(self.offset + step, self.offset + step * (count + 1), step)
        ends = [end for end in (self._total.largest_trusted, self._maximum) if end is not None]
        return [at for at in after if at < min(ends, default=at + 1)]

    def _read_ahead_step(self) -> int:
        if self.done or self._back_step or self._rereading_only_row or not self._last_page:
            return 0
        if self._handler == self._read_forward:
            full = len(self._last_page) == self._largest_page
            return max(1, self._largest_page - 1) if full or self._total.largest_trusted else 0
        if self._recount:
            return 0 if self._recount.is_at_tail else max(1, self._largest_page - 1)
        return self._largest_page if self._handler == self._skip_gap else 0

    def receive(
        self, ids: Sequence[Hashable], total: int | None = None, more: bool | None = None
    ) -> bool:
        """Process the page at `offset`; return whether to deliver it; set the next `offset`.

        `total` and `more` (whether more rows follow) are what the response says. Sets `done` at
        the end, and raises RuntimeError after it.
        """
        if self.done:
            raise RuntimeError("the walk is done")
        self._pages += 1
        self._pages_without_progress += 1
        trusted = self._total.evaluate(total, self.offset, len(ids))
        self._more = more
        has_total = trusted is not None or bool(total)
        self._pages_without_total = 0 if has_total else self._pages_without_total + 1
        deliver = self._handler(ids, trusted, more)
        if deliver:
            self._rows += len(ids)
        if not self.done and (
            self._pages_without_progress > 200 + 2 * self._pages_with_progress
            or self._pages >= min(300 + 8 * self._pages_with_progress, self._max_pages)
        ):
            self._give_up()
        return deliver

    def stopped_early(self) -> None:
        """Finish at a response that the configuration ignores."""
        if not self.done:
            self._finish("ignored response")

    def _read_forward(
        self, ids: Sequence[Hashable], trusted: int | None, more: bool | None
    ) -> bool:
        offset, size = self.offset, len(ids)
        end = offset + size
        self._hashes.append(hash(tuple(ids)))
        self._largest_page = max(self._largest_page, size)
        promised = more is True or (trusted is not None and trusted > end)
        if offset > self._start and self._largest_page > 1 and not self._recent.overlaps(ids):
            self._step_back()
            return False
        if self._back_step:
            self._back_step = 0
            self._shifts += 1
        elif offset > self._start and self._largest_page > 1:
            self._overlaps += 1
        if not size:
            self._handle_empty_page(offset, promised)
            return False
        is_only_row_again = self._rereading_only_row and size == 1 and self._recent.overlaps(ids)
        self._rereading_only_row = False
        follows = size > 2 and self._last_page[-1:] == [ids[0]]
        is_offset_ignored = self._repeats_page(ids)
        self._deliver(ids)
        has_lapped = self._lap.has_passed(ids, ids[1:3] if follows else ())
        ended = (
            (size == 1 and (self._largest_page > 1 or is_only_row_again))
            or more is False
            or (trusted is not None and end >= trusted and size < self._largest_page)
        )
        if is_offset_ignored:
            self._handler = self._confirm_ignored_offset
            self.offset = self._start
        elif has_lapped:
            self._finish("lap")
        elif ended and promised:
            self._enter_gap(end)
        elif ended:
            self._end_of_list(end)
        else:
            self._move_forward(end)
        return True

    def _deliver(self, ids: Sequence[Hashable]) -> None:
        fresh = self._recent.add(ids)
        self._seen.add(fresh)
        # new rows before known ones, or at the start again, are no progress: a list that grows
        # at its start as fast as it is read would have them forever
        if (
            fresh
            and fresh[-1] == ids[-1]
            and (self.offset > self._start or not self._pages_with_progress)
        ):
            self._pages_with_progress += 1
            self._pages_without_progress = 0

    def _move_forward(self, end: int) -> None:
        if self._maximum is not None and end >= self._maximum:
            self._finish("limit", limit=f"maximum_offset {self._maximum:,}")
        else:
            self.offset = end - 1 if self._largest_page > 1 else end

    def _step_back(self) -> None:
        self._back_step = self._back_step * 2 or max(1, self._largest_page // 2)
        self.offset = max(self._start, self.offset - self._back_step)

    def _handle_empty_page(self, offset: int, promised: bool) -> None:
        """Process an empty page at the start of the list, or after pages of one row."""
        if promised:
            self._enter_gap(offset)
        elif offset == self._start:
            self._end_of_list(offset)
        elif self._pages == 2:
            # one row, then none: either the list has one row, or rows were deleted in between
            self._rereading_only_row = True
            self.offset = self._start
        else:
            self._end_of_list(offset)

    def _repeats_page(self, ids: Sequence[Hashable]) -> bool:
        """Return whether three offsets had the same page: the server may ignore the offset."""
        page = list(ids)
        same = page == self._last_page and self.offset != self._last_offset
        self._repeats = self._repeats + 1 if same else 0
        self._last_page, self._last_offset = page, self.offset
        return self._repeats >= 2

    def _confirm_ignored_offset(
        self, ids: Sequence[Hashable], trusted: int | None, more: bool | None
    ) -> bool:
        """Finish if the start of the list is the same page again; continue if it is not."""
        self._handler = self._read_forward
        self._repeats = 0
        if list(ids) != self._last_page:
            return self._read_forward(ids, trusted, more)
        self._finish("ignored parameter", size=len(ids), parameter=self._parameter)
        return True

    def _enter_gap(self, end: int) -> None:
        """Process the end of the pages where the server says that more rows follow."""
        self._gap_start = end
        self._pages_without_total = 0
        if self._stop_after_empty_page is True:
            self._finish_gap(end)
        else:
            self._handler = self._skip_gap
            self.offset = end
            self._check_maximum()

    def _check_maximum(self) -> None:
        if self._maximum is not None and self.offset >= self._maximum:
            self._finish_gap(self.offset)

    def _look_behind(self, ids: Sequence[Hashable], trusted: int | None, more: bool | None) -> bool:
        """Process a page behind the end of a list without a total: it should be empty."""
        unknown = self._recent.find_unknown(ids)
        if unknown and len(unknown) < len(set(ids)):
            self._handler = self._read_forward
            return self._read_forward(ids, trusted, more)
        if unknown or more is True or trusted is not None:
            self._skip_to = self.offset
            self._enter_gap(self._list_end)
        else:
            self._look_further()
        return False

    def _look_further(self) -> None:
        if self._behind:
            self.offset = self._behind.pop(0)
        else:
            self._compare_length(self._list_end)

    def _skip_gap(self, ids: Sequence[Hashable], trusted: int | None, more: bool | None) -> bool:
        if ids:
            self._largest_page = max(self._largest_page, len(ids))
            self._handler = self._read_forward
            if self._recent.overlaps(ids):
                return self._read_forward(ids, trusted, more)
            if self.offset == self._gap_start and self._gap_retries < 3:
                # rows were added at the end: read them again, overlapping by one row
                self._gap_retries += 1
                self.offset = max(self._start, self._gap_start - 1)
                return False
            self._gaps.append((self._gap_start, self.offset))
            self._last_page, self._last_offset = list(ids), self.offset
            self._deliver(ids)
            self._move_forward(self.offset + len(ids))
            return True
        if trusted is not None and trusted <= self._gap_start and self._gap_retries < 3:
            # the total was outdated
            self._gap_retries += 1
            self._handler = self._read_forward
            self.offset = max(self._start, self._gap_start - 1)
            return False
        self.offset += max(1, self._largest_page)
        promised = trusted if trusted is not None else self._total.largest_trusted
        reads_on = self.offset < self._skip_to + self._largest_page or self._reads_to_maximum
        is_promised = more is True or (promised or 0) > self.offset
        if not reads_on and (self._pages_without_total > 2 or not is_promised):
            self._finish_gap(promised or self.offset)
        else:
            self._check_maximum()
        return False

    @property
    def _reads_to_maximum(self) -> bool:
        return self._stop_after_empty_page is False and self._maximum is not None

    def _finish_gap(self, end: int) -> None:
        promised = self._total.largest_trusted
        if self._more is True or (promised or 0) > self._gap_start:
            self._gaps.append((self._gap_start, max(end, self._gap_start)))
            self._finish_with_gaps()
        else:
            self._compare_length(self._gap_start)

    def _finish_with_gaps(self) -> None:
        shown = ", ".join(f"{first:,} to {end:,}" for first, end in self._gaps[:3])
        others = f" and {len(self._gaps) - 3:,} more" if len(self._gaps) > 3 else ""
        total = self._total.largest_trusted
        claim = f"reports {total:,} rows" if total is not None else "says that more rows follow"
        is_promised = total is not None or self._more is True
        self._finish("gaps" if is_promised else "unconnected", gaps=shown + others, claim=claim)

    def _end_of_list(self, end: int) -> None:
        """Look behind the end of the list, unless the API says that it is the end."""
        is_told = self._more is False or self._total.largest_trusted is not None
        is_empty = not self._rows and self._total.reported == 0
        if is_told or is_empty or self._stop_after_empty_page is True:
            self._compare_length(end)
        elif self._reads_to_maximum:
            self._enter_gap(end)
        else:
            self._list_end = end
            page = self._largest_page if self._pages_with_progress > 1 else self.limit
            steps = (1, 3, 7) if self._largest_page != 1 else (1, 3)
            behind = (self.offset + page * step for step in steps)
            self._behind = [at for at in behind if self._maximum is None or at < self._maximum]
            self._handler = self._look_behind
            self._look_further()

    def _compare_length(self, end: int) -> None:
        """Compare the number of distinct ids with the length of the list."""
        length = end - self._start - sum(end - first for first, end in self._gaps)
        missing = length - self._seen.count()
        if self._gaps:
            self._finish_with_gaps()
        elif self._largest_page == 1 and self._pages_with_progress > 1:
            self._finish("pages of one row")
        elif missing <= 0:
            self._finish_matched()
        elif missing <= self._recent.repeats_in_page:
            self._finish("many to an id", counts=self._describe_counts(length))
        else:
            self._start_recount(length)

    def _describe_counts(self, length: int) -> str:
        passes = 1 + (self._recount.passes if self._recount else 0)
        return (
            f"the list has {length:,} rows, but {self._seen.count():,} distinct ids were received "
            f"in {passes} passes"
        )

    def _finish_matched(self) -> None:
        if self._total.may_echo_limit(self._start + self._seen.count()):
            self._finish("echo of the limit", limit=self.limit)
        else:
            self._finish("overlaps" if self._recent.is_ordered else "unstable order")

    def _start_recount(self, length: int) -> None:
        self._recount = Recount(self._seen, self._start, length, self._largest_page, self._hashes)
        self._pages_without_progress = 0
        self._handler = self._read_again
        self.offset = self._start

    def _read_again(self, ids: Sequence[Hashable], trusted: int | None, more: bool | None) -> bool:
        """Process a page of a further pass; all its rows are delivered."""
        recount = self._recount
        if recount is None:
            raise RuntimeError("no recount is running")
        self._largest_page = max(self._largest_page, len(ids))
        before = recount.passes
        recount.receive(ids, trusted, more)
        if recount.passes > before:
            self._pages_without_progress = 0
        self.offset = recount.offset
        if recount.counts_agree:
            self._finish_matched()
        elif recount.counts_agree is False:
            counts = self._describe_counts(recount.length)
            if recount.is_stable:
                self._finish("many to an id", counts=counts)
            elif self._recent.is_ordered and recount.has_grown:
                self._finish("growing", counts=counts)
            else:
                cause = "The API omits rows, or several share an id."
                if not self._recent.is_ordered:
                    cause = "The order is not stable: set a sort parameter."
                self._finish("rows missing", counts=counts, cause=cause)
        return bool(ids)

    def _give_up(self) -> None:
        if self._handler == self._skip_gap:
            self._finish_gap(self.offset)
        else:
            self._finish("too fast", idle=self._pages_without_progress)

    def _finish(self, end: str, **values: Any) -> None:
        self._end, self._values = end, values
        self.done = True
