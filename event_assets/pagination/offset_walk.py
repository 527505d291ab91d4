"""Reading a list by offset and limit so that no row is missed. Pure: no HTTP, no dlt."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence

from event_assets.pagination.checkpoint import Position
from event_assets.pagination.offset_recount import Recount
from event_assets.pagination.result import IGNORED, PaginationResult
from event_assets.pagination.seen_ids import DistinctIds, RecentIds, as_id
from event_assets.pagination.totals import OffsetTotal

Answer = Callable[[Sequence[Hashable], int | None, bool | None], bool]
# what a position holds, beside the ids and the totals
KEPT = (
    *("offset", "_pages", "_rows", "_productive", "_stalled", "_seams", "_shifts", "_largest"),
    *("_last_size", "_last_offset", "_repeats", "_holes", "_hole_from", "_uncounted", "_retracted"),
    *("_trusted", "_changed_while_away"),
)


class OffsetWalk:
    """Decides which offset to ask next, and which answers may be delivered.

    The next offset is where the received rows end, less one, so that the last row must come back:
    the seam. A page is joined if it begins the list or holds a row delivered lately. Proof that
    joined pages miss nothing, whatever is inserted or deleted meanwhile: rows that exist together
    keep their order. Let F be the furthest delivered row, and let every row that stays up to F be
    delivered. A joined page is an unbroken run of the list at the moment it was read, and holds a
    delivered row K, which is not beyond F. Rows that stay and lie between K and the page's last
    row are in the page; those before K were delivered. So every staying row up to the further of
    F and the page's last row is delivered. The moment of reading does not enter: pages fetched
    ahead are as good. A page that is not joined means rows left in front; it is dropped, its ids
    stay unknown, and the walk steps back by half a page, doubling, until a page joins.

    The list ends where the server says so in a joined page: a page of one row (given that it
    can send two), a trusted total, or `more` False. The length of the list then must be
    covered by different ids; where it is not, rows entered or moved behind the reading position,
    and it is read again from its start until the counts agree: at most two whole further sweeps.

    What no offset paging can see: a row that moves from ahead of the reading position to behind
    it while as many rows are deleted (their ids count for the missing), or, with pages fetched
    ahead, while as many are inserted. Pages of one row have no seam: their outcome is None.

    It always ends: at most 300 + 8 x P answers, and at most 200 + 2 x P in a row that bring
    nothing new, with P the pages whose last row was not among the last 20,000 delivered (so P
    is at most the number of rows, and about rows / (page size - 1) in a quiet list); and never more
    than `max_pages`, for a list that grows at its end as fast as it is read.
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
        """`start` is the offset of the list's first row.

        Reading ends where it reaches offset `maximum`. An empty page in mid-list is read past
        while a trusted total promises more, unless `stop_after_empty_page` is True; if it is
        False, also without a total, up to `maximum`. `parameter` names the offset in reasons.

        Raises ValueError for a limit below 1 or a negative start.
        """
        if limit < 1 or start < 0:
            raise ValueError(f"paging needs limit >= 1 and offset >= 0, got {limit} and {start}")
        self.limit = limit
        self.offset: int = start
        self.done = False
        self._start = start
        self._maximum = maximum
        self._past_empty = stop_after_empty_page
        self._parameter = parameter
        self._max_pages = max_pages
        self._recent = RecentIds()
        self._seen = DistinctIds()
        self._total = OffsetTotal(limit)
        self._answer: Answer = self._sweep
        self._verdict: tuple[bool | None, str] = (False, "The reading did not finish.")
        self._pages = self._rows = self._productive = self._stalled = 0
        self._seams = self._shifts = self._back = 0
        # the page before, for servers that ignore the offset
        self._largest = self._last_size = self._repeats = 0
        self._last_page: list[Hashable] = []
        self._last_offset: int = start
        self._rereading_only_row = False
        # stretches that came empty in mid-list, as (first, end) offsets
        self._holes: list[tuple[int, int]] = []
        self._hole_from = self._uncounted = self._retracted = 0
        self._recounting: Recount | None = None
        self._trusted: int | None = None
        self._is_back = self._changed_while_away = False

    def position(self) -> str | None:
        """Where the walk is, for `resume`; None while it does not read forward."""
        elsewhere = self._back or self._rereading_only_row or not self._productive
        if self.done or elsewhere or self._answer != self._sweep:
            return None
        state = {name: getattr(self, name) for name in KEPT}
        totals = vars(self._total)
        return json.dumps(
            state | {"recent": self._recent.kept(), "page": self._last_page, "totals": totals}
        )

    def resume(self, position: Position) -> None:
        """Be where another walk was, to go on as it would have done.

        That a row may have moved from ahead of the position to behind it while a deletion hides
        it is as likely as the time between is long. So where the next page shows that the list
        has changed in that time, complete is None at the best.
        """
        state = json.loads(position.text)
        for name in KEPT:
            setattr(self, name, state[name])
        self._recent.restore(state["recent"])
        self._last_page = [as_id(key) for key in state["page"]]
        vars(self._total).update(state["totals"])
        self._seen = position.seen
        self._seen.mark()
        self._is_back = True

    def new_ids(self) -> int | None:
        """How many different ids were new since the last time; None if that is not known."""
        count = self._seen.since_mark()
        self._seen.mark()
        return count

    @property
    def last_id(self) -> Hashable:
        """The id of the last row of the page before; None before the first."""
        return self._last_page[-1] if self._last_page else None

    @property
    def outcome(self) -> PaginationResult:
        """What is known so far; `complete` is False until `done`."""
        return PaginationResult(
            complete=self._verdict[0],
            reason=self._verdict[1],
            pages=self._pages,
            rows=self._rows,
            distinct_ids=self._seen.count() if self.done else len(self._seen),
            overlaps_confirmed=self._seams,
            shifts_recovered=self._shifts,
            passes=1 + (self._recounting.passes if self._recounting else 0),
            total_reported=self._total.reported,
        )

    def upcoming(self, count: int) -> list[int]:
        """Up to `count` offsets that follow `offset` if the list stays still.

        Empty while the page size is not known, while the place is being searched, and where the
        list seems to end; never beyond a trusted total.
        """
        step = self._stride()
        if not step:
            return []
        after = range(self.offset + step, self.offset + step * (count + 1), step)
        ends = [end for end in (self._total.largest_trusted, self._maximum) if end is not None]
        return [at for at in after if at < min(ends, default=at + 1)]

    def _stride(self) -> int:
        if self.done or self._back or self._rereading_only_row or not self._last_size:
            return 0
        if self._answer == self._sweep:
            full = self._last_size == self._largest
            return max(1, self._largest - 1) if full or self._total.largest_trusted else 0
        if self._recounting:
            return 0 if self._recounting.at_tail else self._largest
        return self._largest if self._answer == self._read_on else 0

    def receive(
        self, ids: Sequence[Hashable], total: int | None = None, more: bool | None = None
    ) -> bool:
        """Take the answer to the request at `offset`; are its rows to be delivered?

        `ids` are the page's ids in order; `total` is the total in the same answer, `more` its own
        word on whether rows follow. Sets the next `offset`, or `done`.

        Raises RuntimeError after the end.
        """
        if self.done:
            raise RuntimeError("the walk is over")
        self._pages += 1
        self._stalled += 1
        trusted = self._total.judge(total, self.offset, len(ids))
        if trusted is None and not total:
            self._uncounted += 1
        else:
            self._uncounted = 0
        if self._is_back:
            self._is_back = False
            same_total = None in (trusted, self._trusted) or trusted == self._trusted
            self._changed_while_away |= list(ids[:1]) != [self.last_id] or not same_total
        self._trusted = self._trusted if trusted is None else trusted
        deliver = self._answer(ids, trusted, more)
        if deliver:
            self._rows += len(ids)
        if not self.done and (
            self._stalled > 200 + 2 * self._productive
            or self._pages >= min(300 + 8 * self._productive, self._max_pages)
        ):
            self._give_up()
        return deliver

    def stopped_early(self) -> None:
        """The configuration ended the reading: it ignores an answer."""
        if not self.done:
            came = self._seen.count()
            self._finish(None, f"{came:,} rows came; {IGNORED}.")

    # reading forward

    def _sweep(self, ids: Sequence[Hashable], trusted: int | None, more: bool | None) -> bool:
        offset, size = self.offset, len(ids)
        end = offset + size
        self._largest = max(self._largest, size)
        promised = more is True or (trusted is not None and trusted > end)
        if offset > self._start and self._largest > 1 and not self._recent.joins(ids):
            self._step_back()
            return False
        if self._back:
            self._back = 0
            self._shifts += 1
        elif offset > self._start and self._largest > 1:
            self._seams += 1
        if not size:
            self._empty_page(offset, promised)
            return False
        only_row_again = self._rereading_only_row and size == 1 and self._recent.joins(ids)
        self._rereading_only_row = False
        ignored = self._note_page(ids)
        self._deliver(ids)
        ended = (
            (size == 1 and (self._largest > 1 or only_row_again))
            or more is False
            or (trusted is not None and end >= trusted and size < self._largest)
        )
        if ignored:
            self._answer = self._check_ignored
            self.offset = self._start
        elif ended and promised:
            self._enter_hole(end)
        elif ended:
            self._end_of_list(end)
        else:
            self._go_on(end)
        return True

    def _deliver(self, ids: Sequence[Hashable]) -> None:
        fresh = self._recent.add(ids)
        self._seen.add(fresh)
        # new rows in front of known ones, or at the start again, are no progress: a list that
        # grows in front as fast as it is read would bring them for ever
        if fresh and fresh[-1] == ids[-1] and (self.offset > self._start or not self._productive):
            self._productive += 1
            self._stalled = 0

    def _go_on(self, end: int) -> None:
        if self._maximum is not None and end >= self._maximum:
            self._finish(None, f"Stopped where maximum_offset {self._maximum:,} was reached.")
        else:
            self.offset = end - 1 if self._largest > 1 else end

    def _step_back(self) -> None:
        self._back = self._back * 2 or max(1, self._largest // 2)
        self.offset = max(self._start, self.offset - self._back)

    def _empty_page(self, offset: int, promised: bool) -> None:
        """Nothing at the list's start, or after pages of a single row."""
        if promised:
            self._enter_hole(offset)
        elif offset == self._start:
            self._end_of_list(offset)
        elif self._pages == 2:
            # one row, then none: is it the list's only row, or did rows move up meanwhile?
            self._rereading_only_row = True
            self.offset = self._start
        else:
            self._end_of_list(offset)

    def _note_page(self, ids: Sequence[Hashable]) -> bool:
        """Did the same page come for three offsets? Then the server may ignore the offset."""
        page = list(ids)
        same = page == self._last_page and self.offset != self._last_offset
        self._repeats = self._repeats + 1 if same else 0
        self._last_page, self._last_offset, self._last_size = page, self.offset, len(page)
        return self._repeats >= 2

    def _check_ignored(
        self, ids: Sequence[Hashable], trusted: int | None, more: bool | None
    ) -> bool:
        """The list's start again: the same page, or did insertions only look like it?"""
        self._answer = self._sweep
        self._repeats = 0
        if list(ids) != self._last_page:
            return self._sweep(ids, trusted, more)
        self._finish(
            False,
            f"The server sends the same {len(ids):,} rows for every offset: it ignores the "
            f"parameter '{self._parameter}'. Check its name, or set `paginator: single_page` "
            "if the API has no pages.",
        )
        return True

    # empty stretches in mid-list

    def _enter_hole(self, end: int) -> None:
        """The pages end here, but the server says that there is more."""
        self._hole_from = end
        self._uncounted = 0
        if self._past_empty is True:
            self._finish_hole(end)
        else:
            self._answer = self._read_on
            self.offset = end
            self._check_maximum()

    def _check_maximum(self) -> None:
        if self._maximum is not None and self.offset >= self._maximum:
            self._finish_hole(self.offset)

    def _read_on(self, ids: Sequence[Hashable], trusted: int | None, more: bool | None) -> bool:
        if ids:
            self._largest = max(self._largest, len(ids))
            self._answer = self._sweep
            if self._recent.joins(ids):
                return self._sweep(ids, trusted, more)
            if self.offset == self._hole_from and self._retracted < 3:
                # rows were added at the end meanwhile: join them by their seam
                self._retracted += 1
                self.offset = max(self._start, self._hole_from - 1)
                return False
            self._holes.append((self._hole_from, self.offset))
            self._last_page, self._last_offset = list(ids), self.offset
            self._last_size = len(ids)
            self._deliver(ids)
            self._go_on(self.offset + len(ids))
            return True
        if trusted is not None and trusted <= self._hole_from and self._retracted < 3:
            # the total was a moment behind
            self._retracted += 1
            self._answer = self._sweep
            self.offset = max(self._start, self._hole_from - 1)
            return False
        self.offset += max(1, self._largest)
        promised = trusted if trusted is not None else self._total.largest_trusted
        unbounded = more is True or (self._past_empty is False and self._maximum is not None)
        if self._uncounted > 2 or not (unbounded or (promised or 0) > self.offset):
            self._finish_hole(promised or self.offset)
        else:
            self._check_maximum()
        return False

    def _finish_hole(self, end: int) -> None:
        self._holes.append((self._hole_from, max(end, self._hole_from)))
        self._finish(False, self._holes_in_words())

    def _holes_in_words(self) -> str:
        shown = ", ".join(f"{first:,} to {end:,}" for first, end in self._holes[:3])
        others = f" and {len(self._holes) - 3:,} more" if len(self._holes) > 3 else ""
        said = self._total.largest_trusted
        claim = f"reports {said:,} rows" if said is not None else "says that more rows follow"
        return (
            f"The API {claim} but sent {self._seen.count():,} different ids: nothing came at "
            f"offsets {shown}{others}."
        )

    # the end, and the counts

    def _end_of_list(self, end: int) -> None:
        """A joined page showed the end: do the ids that came cover the list's length?"""
        length, distinct = end - self._start, self._seen.count()
        missing = length - distinct
        if self._holes:
            self._finish(False, self._holes_in_words())
        elif not length:
            self._finish(True, "The list is empty.")
        elif self._largest == 1 and self.offset != self._start:
            self._finish(
                None,
                f"{distinct:,} rows came one a page: pages of one row cannot show whether rows "
                "were missed. Ask for a larger limit.",
            )
        elif missing <= 0:
            self._counts_agree()
        elif missing <= self._recent.twice_in_a_page:
            self._finish(
                None,
                f"The list's {length:,} rows have only {distinct:,} different ids, some of them "
                "twice in one page: is the primary key right?",
            )
        else:
            self._start_recount(length)

    def _counts_agree(self) -> None:
        if self._total.unexplained(self._start + self._seen.count()):
            self._finish(
                None,
                f"{self._seen.count():,} rows came, and the API reports {self.limit:,}: that may "
                "be the limit it was asked for. Ask for another limit, or set total_path.",
            )
        elif not self._recent.in_order:
            self._finish(
                None,
                f"{self._seen.count():,} rows came, but the order is not stable: rows came back "
                "in another order. Ask the API for one (a sort parameter).",
            )
        elif self._changed_while_away:
            self._finish(
                None,
                f"{self._seen.count():,} rows came, but the list changed while its reading was "
                "interrupted: rows that moved may be missing. The next reading brings them.",
            )
        else:
            self._finish(True, f"All {self._seen.count():,} rows came.")

    def _start_recount(self, length: int) -> None:
        self._recounting = Recount(self._seen, self._start, length, self._largest)
        self._stalled = 0
        self._answer = self._recount
        self.offset = self._start

    def _recount(self, ids: Sequence[Hashable], trusted: int | None, more: bool | None) -> bool:
        """Every page is delivered: that nothing which stayed in place is missing is proved."""
        recounting = self._recounting
        if recounting is None:
            raise RuntimeError("no recount is under way")
        self._largest = max(self._largest, len(ids))
        before = recounting.passes
        recounting.receive(ids, trusted, more)
        if recounting.passes > before:
            self._stalled = 0
        self.offset = recounting.offset
        if recounting.agrees:
            self._counts_agree()
        elif recounting.agrees is False:
            self._rows_missing(recounting)
        return bool(ids)

    def _rows_missing(self, recounting: Recount) -> None:
        figures = (
            f"the list has {recounting.length:,} rows, but {self._seen.count():,} different ids "
            f"came in {1 + recounting.passes} sweeps"
        )
        if not self._recent.in_order:
            self._finish(
                False,
                f"Rows are missing: {figures}. The order is not stable: ask the API for one "
                "(a sort parameter).",
            )
        elif recounting.grew:
            self._finish(None, f"Rows enter faster than they can be counted: {figures}.")
        else:
            self._finish(
                False,
                f"Rows are missing: {figures}. The API leaves rows out, or gives several rows "
                "the same id.",
            )

    def _give_up(self) -> None:
        if self._answer == self._read_on:
            self._finish_hole(self.offset)
        else:
            self._finish(
                False,
                f"The list changes faster than it can be read: the last {self._stalled:,} of "
                f"{self._pages:,} pages brought nothing new.",
            )

    def _finish(self, complete: bool | None, reason: str) -> None:
        self._verdict = (complete, reason)
        self.done = True
