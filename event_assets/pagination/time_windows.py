"""Paginate a list in time windows, for APIs that return only the first rows of a long list."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response

from event_assets.config import time_windows
from event_assets.pagination.result import UNFINISHED, OnResult, PaginationResult
from event_assets.pagination.seen_ids import DistinctIds, extract_ids
from event_assets.pagination.totals import TotalFinder, is_truncated

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class WindowPlan:
    """How a list is split into time windows.

    If the span is unrestricted (`whole`), the whole list is read first, and its total must be
    reached in the end. Windows overlap by `step`, the shortest window, so that inclusive and
    exclusive bounds work alike.
    """

    param_from: str
    param_to: str
    write: Callable[[datetime], str]  # formats a bound
    cap: int  # maximum number of rows the API returns of one list
    span: Span  # may contain rows
    whole: bool
    step: timedelta

    @classmethod
    def from_config(cls, config: time_windows.TimeWindowsConfig, now: datetime) -> WindowPlan:
        """Build the plan of a sync that starts at `now`."""
        start = time_windows.parse_day(config.since or time_windows.DEFAULT_SINCE, now)
        end = time_windows.parse_day(config.until or time_windows.DEFAULT_UNTIL, now)
        if start is None or end is None:
            raise ValueError("the bounds were not checked")
        by_day = "%" in config.format and "%H" not in config.format
        return cls(
            config.param_from,
            config.param_to,
            time_windows.EPOCH_FORMATTERS.get(config.format)
            or (lambda moment: moment.strftime(config.format)),
            config.cap,
            (start, max(end, start)),
            whole=config.since is None and config.until is None,
            step=timedelta(days=1) if by_day else timedelta(seconds=1),
        )

    def params(self, span: Span) -> dict[str, str]:
        """Return the query parameters of a window."""
        start, end = span
        return {self.param_from: self.write(start - self.step), self.param_to: self.write(end)}

    def split(self, span: Span) -> list[Span]:
        """Split a window in two; return an empty list if it is too short."""
        start, end = span
        middle = start + (end - start) // self.step // 2 * self.step
        return [(start, middle), (middle, end)] if start < middle < end else []


class TimeWindowPaginator(BasePaginator):
    """Reads one time window after the other, each with its own paginator.

    A window that reaches the cap, by its total or its rows, or that the API truncates, is split in
    two. Its rows so far are delivered, and repeated by its halves. `make_paginator` builds the
    paginator of a window, given a callback for its result. Reports as OffsetPaginator does.
    """

    def __init__(
        self,
        make_paginator: Callable[[OnResult], BasePaginator],
        plan: WindowPlan,
        get_id: Callable[[Any], Hashable],
        on_result: OnResult,
    ) -> None:
        super().__init__()
        self._make_paginator = make_paginator
        self._plan = plan
        self._get_id = get_id
        self._on_result = on_result
        self._totals = TotalFinder()
        self._reset()

    def _reset(self) -> None:
        self._has_next_page = True
        self._pending_windows: list[Span | None] = [None if self._plan.whole else self._plan.span]
        self._window: Span | None = None
        self._is_window_done = True
        self._windows_read = 0
        self._seen = DistinctIds()
        self._problems: list[tuple[bool | None, str]] = []
        self._completed = PaginationResult(False, UNFINISHED)
        self._current = self._completed
        self._whole_total: int | None = None
        self._was_truncated = False  # whether the API says that it returned only a part

    @property
    def result(self) -> PaginationResult:
        """The result of the current or last run."""
        previous, current = self._completed, self._current
        return replace(
            previous,
            pages=previous.pages + current.pages,
            rows=previous.rows + current.rows,
            overlaps_confirmed=previous.overlaps_confirmed + current.overlaps_confirmed,
            shifts_recovered=previous.shifts_recovered + current.shifts_recovered,
            distinct_ids=self._seen.count() if not self._has_next_page else len(self._seen),
            total_reported=self._whole_total,
        )

    def init_request(self, request: Request) -> None:
        """Start a new run."""
        self._reset()
        self._first_request = (request.url, dict(request.params or {}), copy.deepcopy(request.json))
        self._start_window(request)
        self._on_result(self.result)

    def _start_window(self, request: Request) -> None:
        self._window = self._pending_windows.pop()
        self._is_window_done = False
        self._windows_read += 1
        self._ids: set[Hashable] = set()
        self._pages = self._largest = 0  # of this window
        request.url, params, body = self._first_request
        request.params = {**params, **(self._plan.params(self._window) if self._window else {})}
        request.json = copy.deepcopy(body)
        self._inner = self._make_paginator(self._store_result)
        self._inner.init_request(request)

    def _store_result(self, result: PaginationResult) -> None:
        self._current = result

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Process a response; `data` is the list that dlt delivers."""
        ids = extract_ids(data or [], self._get_id)
        total = self._totals.find(response)
        self._ids.update(ids)
        self._pages += 1
        self._largest = max(self._largest, len(ids))
        self._seen.add(ids)
        if self._window is None and total is not None and self._whole_total is None:
            self._whole_total = total
        self._inner.update_state(response, data)
        self._advance(total, is_cut_off=is_truncated(response))
        self._on_result(self.result)

    def _advance(self, total: int | None, *, is_cut_off: bool) -> None:
        # an offset just below the cap requests rows beyond it
        max_rows = max(1, self._plan.cap - getattr(self._inner, "limit", 0))
        is_too_deep = self._inner.has_next_page and not self._is_below_cap(self._pages)
        has_too_many = len(self._ids) >= max_rows or is_too_deep
        has_too_many |= total is not None and total >= max_rows
        halves = self._plan.split(self._window) if self._window else [self._plan.span]
        self._was_truncated |= is_cut_off
        if (has_too_many or is_cut_off) and halves:
            self._pending_windows += reversed(halves)
            self._end_window(None)
        elif len(self._ids) >= max_rows or is_too_deep:
            self._end_window((False, f"the API returns only its first {self._plan.cap:,} rows"))
        elif not self._inner.has_next_page:
            self._end_window((self._current.complete, self._current.reason))

    def _end_window(self, conclusion: tuple[bool | None, str] | None) -> None:
        if conclusion and conclusion[0] is not True:
            complete, reason = conclusion
            window = "The whole list"
            if self._window:
                start, end = map(self._plan.write, self._window)
                window = f"In the window from {start} to {end}"
            self._problems.append((complete, f"{window}: {reason}"))
        self._is_window_done = True
        self._completed, self._current = self.result, PaginationResult(False, "")
        if not self._pending_windows:
            self._has_next_page = False
            if not conclusion or self._window:
                conclusion = self._combine_results()
            complete, reason = conclusion
            self._completed = replace(self._completed, complete=complete, reason=reason)

    def _combine_results(self) -> tuple[bool | None, str]:
        rows, windows = self._seen.count(), f"{self._windows_read:,} windows"
        problems = sorted(self._problems, key=lambda problem: problem[0] is None)
        # a total equal to the cap may be the highest number that the API counts to
        has_true_total = self._whole_total is not None and self._whole_total > self._plan.cap
        is_total_reached = has_true_total and rows >= (self._whole_total or 0)
        if problems and not (is_total_reached and problems[0][0] is None):
            complete, reason = problems[0]
            return complete, f"{rows:,} rows received in {windows}. {reason.rstrip('.')}."
        if self._whole_total is not None and rows < self._whole_total:
            return None, (
                f"{rows:,} rows received in {windows}, but the API reports {self._whole_total:,}: "
                "rows without a time, or outside `since` and `until`, are in no window."
            )
        if self._plan.whole and not has_true_total and not self._was_truncated:
            return None, (
                f"{rows:,} rows received in {windows}; without a total, rows without a time cannot "
                "be ruled out. Set `since` and `until` to the range you need."
            )
        return True, f"All {rows:,} rows were received, in {windows}."

    def update_request(self, request: Request) -> None:
        """Point the request at the next page, or at the first page of the next window."""
        if not self._has_next_page:
            return
        if self._is_window_done:
            self._start_window(request)
        else:
            self._inner.update_request(request)

    def upcoming(self, count: int) -> list[Mapping[str, Any]]:
        """Return query parameters of up to `count` requests after the next one."""
        upcoming = getattr(self._inner, "upcoming", None)
        pages = cast("list[Mapping[str, Any]]", upcoming(count)) if upcoming else []
        numbered = enumerate(pages, self._pages + 1)
        return [page for number, page in numbered if self._is_below_cap(number)]

    def _is_below_cap(self, page: int) -> bool:
        """Return whether a page of this window, counted from 0, starts before the cap."""
        return page * self._largest < self._plan.cap

    def __deepcopy__(self, memo: dict[int, Any]) -> TimeWindowPaginator:
        duplicate = copy.copy(self)
        duplicate._reset()
        return duplicate

    def __str__(self) -> str:
        return f"TimeWindowPaginator in window {self._windows_read:,}"
