"""Reading a list in windows of time, where an API shows only the first rows of a long one."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response

from event_assets.config.time_windows import FIRST, LAST, WRITERS, TimeWindowsConfig, parse_day
from event_assets.pagination.result import OnResult, PaginationResult, no_report
from event_assets.pagination.seen_ids import DistinctIds, row_ids
from event_assets.pagination.totals import AUTO, TotalFinder, overflows

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class WindowPlan:
    """How a list is cut into windows.

    Attributes:
        param_from, param_to: the query parameters that take the bounds.
        write: how a bound is written.
        cap: rows of one list that the API lets be read.
        span: from when to when there may be rows.
        whole: whether that is all there is: then the list is read uncut first, and its total must
            be covered in the end.
        step: the shortest time between two bounds; windows overlap by it, so that it does not
            matter whether the API counts the bounds in.
    """

    param_from: str
    param_to: str
    write: Callable[[datetime], str]
    cap: int
    span: Span
    whole: bool = True
    step: timedelta = timedelta(seconds=1)

    @classmethod
    def from_config(cls, config: TimeWindowsConfig, now: datetime) -> WindowPlan:
        """Build the plan of a list that is read at this moment."""
        start, end = parse_day(config.since or FIRST, now), parse_day(config.until or LAST, now)
        if start is None or end is None:
            raise ValueError("the bounds were not checked")
        by_day = "%" in config.format and "%H" not in config.format
        return cls(
            config.param_from,
            config.param_to,
            WRITERS.get(config.format) or (lambda moment: moment.strftime(config.format)),
            config.cap,
            (start, max(end, start)),
            whole=config.since is None and config.until is None,
            step=timedelta(days=1) if by_day else timedelta(seconds=1),
        )

    def params(self, span: Span) -> dict[str, str]:
        """Give the query parameters of a window."""
        start, end = span
        return {self.param_from: self.write(start - self.step), self.param_to: self.write(end)}

    def halves(self, span: Span) -> list[Span]:
        """Cut a window in two; one that is as short as can be stays as it is."""
        start, end = span
        middle = start + (end - start) // self.step // 2 * self.step
        return [(start, middle), (middle, end)] if start < middle < end else []


class TimeWindowPaginator(BasePaginator):
    """Reads one window of time after the other, each with a paginator of its own.

    A window whose total, or whose rows without one, reach the cap, or that has more rows than the
    API shows in its own words, is cut in two, until none does.
    What was read of it by then is delivered, and comes again. Reports as OffsetPages does.

    Args:
        make: makes the paginator of one window, which tells its outcome to the report it is given.
        cut: how to cut.
        id_of: gives a row's id, or None.
        report: is called with the outcome.
        total_path: where the number of rows stands; left out, in the usual places.
    """

    def __init__(
        self,
        make: Callable[[OnResult], BasePaginator],
        cut: WindowPlan,
        id_of: Callable[[Any], Hashable],
        report: OnResult = no_report,
        *,
        total_path: jsonpath.TJsonPath | None = AUTO,
    ) -> None:
        super().__init__()
        self._make = make
        self._cut = cut
        self._id_of = id_of
        self._report = report
        self._totals = TotalFinder(total_path)
        self._start_over()

    def _start_over(self) -> None:
        self._has_next_page = True
        self._todo: list[Span | None] = [None if self._cut.whole else self._cut.span]
        self._window: Span | None = None
        self._window_ends = True
        self._windows = 0
        self._seen = DistinctIds()
        self._doubts: list[tuple[bool | None, str]] = []
        self._all = PaginationResult(False, "The reading did not finish.")
        self._now = self._all
        self._whole_total: int | None = None
        self._overflowed = False  # the API itself says where it shows only a part

    @property
    def outcome(self) -> PaginationResult:
        """Of this object's current or last run."""
        done, now = self._all, self._now
        return replace(
            done,
            pages=done.pages + now.pages,
            rows=done.rows + now.rows,
            overlaps_confirmed=done.overlaps_confirmed + now.overlaps_confirmed,
            shifts_recovered=done.shifts_recovered + now.shifts_recovered,
            distinct_ids=self._seen.count() if not self._has_next_page else len(self._seen),
            total_reported=self._whole_total,
        )

    def init_request(self, request: Request) -> None:
        """Begin a new run."""
        self._start_over()
        self._first = (request.url, dict(request.params or {}), copy.deepcopy(request.json))
        self._begin_window(request)
        self._report(self.outcome)

    def _begin_window(self, request: Request) -> None:
        self._window = self._todo.pop()
        self._window_ends = False
        self._windows += 1
        self._ids: set[Hashable] = set()
        self._pages = self._largest = 0  # of this window
        request.url, params, body = self._first
        request.params = {**params, **(self._cut.params(self._window) if self._window else {})}
        request.json = copy.deepcopy(body)
        self._inner = self._make(self._note)
        self._inner.init_request(request)

    def _note(self, outcome: PaginationResult) -> None:
        self._now = outcome

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Judge an answer; `data` is what the consumer will get."""
        ids = row_ids(data or [], self._id_of)
        total = self._totals.find(response)
        self._ids.update(ids)
        self._pages += 1
        self._largest = max(self._largest, len(ids))
        self._seen.add(ids)
        if self._window is None and total is not None and self._whole_total is None:
            self._whole_total = total
        self._inner.update_state(response, data)
        self._go_on(total, cut_off=overflows(response))
        self._report(self.outcome)

    def _go_on(self, total: int | None, *, cut_off: bool) -> None:
        # An offset near the end asks for rows beyond it.
        reach = max(1, self._cut.cap - getattr(self._inner, "limit", 0))
        too_deep = self._inner.has_next_page and not self._may_ask(self._pages)
        too_many = len(self._ids) >= reach or too_deep or (total is not None and total >= reach)
        halves = self._cut.halves(self._window) if self._window else [self._cut.span]
        self._overflowed |= cut_off
        if (too_many or cut_off) and halves:
            self._todo += reversed(halves)
            self._end_window(None)
        elif len(self._ids) >= reach or too_deep:
            self._end_window((False, f"the API lets only {self._cut.cap:,} of its rows be read"))
        elif not self._inner.has_next_page:
            self._end_window((self._now.complete, self._now.reason))

    def _end_window(self, verdict: tuple[bool | None, str] | None) -> None:
        if verdict and verdict[0] is not True:
            complete, reason = verdict
            self._doubts.append((complete, f"{self._named(self._window)}: {reason}"))
        alone = verdict and self._window is None
        self._window_ends = True
        self._all, self._now = self.outcome, PaginationResult(False, "")
        if not self._todo:
            self._has_next_page = False
            complete, reason = verdict if verdict and alone else self._verdict()
            self._all = replace(self._all, complete=complete, reason=reason)

    def _named(self, window: Span | None) -> str:
        if window is None:
            return "The whole list"
        start, end = map(self._cut.write, window)
        return f"In the window from {start} to {end}"

    def _verdict(self) -> tuple[bool | None, str]:
        came, windows = self._seen.count(), f"{self._windows:,} windows"
        doubts = sorted(self._doubts, key=lambda doubt: doubt[0] is None)
        # A total that is just the cap may be all that the API counts to.
        counted = self._whole_total is not None and self._whole_total > self._cut.cap
        covered = counted and came >= (self._whole_total or 0)
        if doubts and not (covered and doubts[0][0] is None):
            complete, reason = doubts[0]
            return complete, f"{came:,} rows came in {windows}. {reason.rstrip('.')}."
        if self._whole_total is not None and came < self._whole_total:
            return None, (
                f"{came:,} rows came in {windows}, but the API reports {self._whole_total:,}: rows "
                "without a time, or outside of the windows' span, are in no window."
            )
        if self._cut.whole and not counted and not self._overflowed:
            return None, (
                f"{came:,} rows came in {windows}; no total tells whether there are others, "
                "without a time. Set `since` and `until` to the span that is wanted."
            )
        return True, f"All {came:,} rows came, in {windows}."

    def update_request(self, request: Request) -> None:
        """Point the request at the next page, or at the first of the next window."""
        if not self._has_next_page:
            return
        if self._window_ends:
            self._begin_window(request)
        else:
            self._inner.update_request(request)

    def upcoming(self, count: int) -> list[Mapping[str, Any]]:
        """Query parameters of up to `count` requests after the next, if the list stays still."""
        foresee = getattr(self._inner, "upcoming", None)
        pages = cast("list[Mapping[str, Any]]", foresee(count)) if foresee else []
        return [
            page for page, at in zip(pages, itertools.count(self._pages + 1)) if self._may_ask(at)
        ]

    def _may_ask(self, page: int) -> bool:
        """Does a page of this window, counted from 0, begin before the cap?"""
        return page * self._largest < self._cut.cap

    def __copy__(self) -> TimeWindowPaginator:
        twin = TimeWindowPaginator.__new__(TimeWindowPaginator)
        vars(twin).update(vars(self))
        twin._start_over()
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> TimeWindowPaginator:
        return copy.copy(self)

    def __str__(self) -> str:
        return f"WindowedPages in window {self._windows:,}"
