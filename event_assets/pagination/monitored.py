"""dlt's own paginators, watched; and the choice of a paginator for a configuration."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Mapping
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.detector import PaginatorFactory
from dlt.sources.helpers.rest_client.paginators import (
    BaseNextUrlPaginator,
    BasePaginator,
    JSONResponseCursorPaginator,
    RangePaginator,
    SinglePagePaginator,
)
from dlt.sources.helpers.rest_client.paginators import (
    PageNumberPaginator as DltPageNumberPaginator,
)
from dlt.sources.rest_api.config_setup import create_paginator as create_dlt_paginator
from requests import Request, Response

from event_assets.pagination.checkpoint import Bookmark
from event_assets.pagination.offset import OffsetPaginator
from event_assets.pagination.page_monitor import PageMonitor, PaginationKind
from event_assets.pagination.result import OnResult, PaginationResult, mark_truncated, no_report
from event_assets.pagination.seen_ids import row_ids
from event_assets.pagination.totals import (
    AUTO,
    PAGE_COUNT_PLACES,
    TotalFinder,
    find_count,
    overflows,
)
from event_assets.values.errors import PaginationError

COUNTERS = ("page", "page_number", "pageNumber", "offset", "start", "skip")
NOWHERE = "leads to nothing in the API's answer: correct it in defs.yaml."


class _PlainErrors:
    """In place of dlt's own messages, which hold the whole answer."""

    total_path: Any
    has_more_path: Any

    def _handle_missing_total(self, response_json: dict[str, Any]) -> None:  # noqa: ARG002 (dlt's)
        raise PaginationError(f"The paginator's total_path `{self.total_path}` {NOWHERE}")

    def _handle_invalid_total(self, total: Any) -> None:  # noqa: ARG002 (dlt's)
        raise PaginationError(f"The paginator's total_path `{self.total_path}` leads to no number.")

    def _handle_missing_has_more(self, response_json: dict[str, Any]) -> None:  # noqa: ARG002 (dlt's)
        raise PaginationError(f"The paginator's has_more_path `{self.has_more_path}` {NOWHERE}")

    def _handle_invalid_has_more(self, has_more: Any) -> None:  # noqa: ARG002 (dlt's)
        raise PaginationError(
            f"The paginator's has_more_path `{self.has_more_path}` leads to neither true nor false."
        )


class CursorPaginator(_PlainErrors, JSONResponseCursorPaginator):
    """dlt's cursors."""


class PageNumberPaginator(_PlainErrors, DltPageNumberPaginator):
    """dlt's page numbers, which read past an empty page while a total promises more.

    Ends at an empty page, at the number of pages the API reports (`total_path`, or the usual
    places such as total_pages), or at `maximum_page`. An explicit `stop_after_empty_page` is the
    user's choice and obeyed.
    """

    def __init__(self, *, stop_after_empty_page: bool | None = None, **options: Any) -> None:
        self._find_page_count = "total_path" not in options
        options.setdefault("total_path", None)
        chosen = stop_after_empty_page
        super().__init__(stop_after_empty_page=chosen is not False, **options)
        self.chosen_stop = chosen
        self.rows_expected = False
        self.last_page = None if self.maximum_value is None else self.maximum_value - 1

    def _stop_after_this_page(self, data: list[Any] | None = None) -> bool:
        if self.chosen_stop is None:
            return not data and not self.rows_expected
        return self.chosen_stop and not data

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Judge an answer; `data` is what the consumer will get."""
        super().update_state(response, data)
        if self._has_next_page and self._find_page_count:
            count = find_count(response.json(), PAGE_COUNT_PLACES)
            if count is not None and self.current_value >= count + self.base_index:
                self._has_next_page = False
            if count:
                ends = (count + self.base_index - 1, self.last_page)
                self.last_page = min(end for end in ends if end is not None)


class MonitoredPaginator(BasePaginator):
    """Any other dlt paginator, with an outcome as far as its protocol allows one.

    `inner` None: dlt's detection, from the first answer. Reports as OffsetPages does.
    """

    def __init__(
        self,
        inner: BasePaginator | None,
        id_of: Callable[[Any], Hashable],
        report: OnResult = no_report,
        *,
        total_path: jsonpath.TJsonPath | None = AUTO,
    ) -> None:
        """`total_path` is where the number of rows stands; left out, in the usual places."""
        super().__init__()
        self._inner = inner
        self._id_of = id_of
        self._report = report
        self._totals = TotalFinder(total_path)
        self._start_over()

    def _start_over(self) -> None:
        self._has_next_page = True
        self._run = copy.deepcopy(self._inner)
        self._watch = _monitor_for(self._run)
        self._asked: set[int] = set()
        self._overflows = False

    @property
    def outcome(self) -> PaginationResult:
        """Of this object's current or last run."""
        return mark_truncated(self._watch.outcome) if self._overflows else self._watch.outcome

    @property
    def following(self) -> BasePaginator | None:
        """dlt's paginator that this run follows; None until it is detected."""
        return self._run

    def init_request(self, request: Request) -> None:
        """Begin a new run."""
        self._start_over()
        if self._run is not None:
            self._run.init_request(request)
        self._asked.add(_fingerprint(request))
        self._report(self.outcome)

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Judge an answer; `data` is what the consumer will get."""
        if self._run is None:
            self._run, _ = PaginatorFactory().create_paginator(response)
            self._watch = _monitor_for(self._run)
        watch, run = self._watch, self._run
        self._overflows |= overflows(response)
        watch.receive(row_ids(data or [], self._id_of), self._totals.find(response))
        if isinstance(run, PageNumberPaginator):
            run.rows_expected = watch.expects_more
        run.update_state(response, data)
        if not watch.done and (
            not run.has_next_page or (isinstance(run, PageNumberPaginator) and watch.covers_total)
        ):
            watch.end(limited=_limit_reached(run))
        self._has_next_page = not watch.done
        self._report(self.outcome)

    def update_request(self, request: Request) -> None:
        """Point the request at the next page."""
        if self._run is None or not self._has_next_page:
            return
        self._run.update_request(request)
        if isinstance(self._run, BaseNextUrlPaginator):
            self._watch.links_count |= _counts(request.url)
        asks = _fingerprint(request)
        if asks in self._asked:
            self._watch.stop("The API gave the same cursor or link to the next page twice.")
            self._has_next_page = False
            self._report(self.outcome)
        self._asked.add(asks)

    def stopped_early(self) -> None:
        """The pages ended before this paginator did: the configuration ignores an answer."""
        self._watch.stopped_early()
        self._report(self.outcome)

    def upcoming(self, count: int) -> list[dict[str, Any]]:
        """Query parameters of up to `count` requests after the next; for page numbers only."""
        run, watch = self._run, self._watch
        if (
            not isinstance(run, PageNumberPaginator)
            or not run.param_name
            or not watch.expects_full_pages
        ):
            return []
        promised = watch.pages_promised
        last = None if promised is None else run.initial_value + promised - 1
        ends = [end for end in (last, run.last_page) if end is not None]
        after = range(run.current_value + 1, run.current_value + count + 1)
        return [{run.param_name: page} for page in after if page <= min(ends, default=page)]

    def __copy__(self) -> MonitoredPaginator:
        twin = MonitoredPaginator.__new__(MonitoredPaginator)
        vars(twin).update(vars(self))
        twin._start_over()
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> MonitoredPaginator:
        return copy.copy(self)

    def __str__(self) -> str:
        return f"WatchedPages around {type(self._run).__name__}"


OWN: Mapping[str, Callable[..., BasePaginator]] = {
    "page_number": PageNumberPaginator,
    "cursor": CursorPaginator,
}


def create_paginator(
    paginator: str | Mapping[str, Any] | BasePaginator | None,
    id_of: Callable[[Any], Hashable],
    report: OnResult = no_report,
    bookmark: Bookmark | None = None,
) -> BasePaginator:
    """The paginator for a REST API configuration's `paginator` value.

    `offset` becomes OffsetPages, everything else dlt's own paginator inside WatchedPages. None or
    "auto": dlt's detection looks at the first answer (it never finds offsets: name those), and
    what it found is watched too. For `page_number`, `total_path` is the number of pages, as in
    dlt; it may be left out. `bookmark` is used by OffsetPages only.

    Raises ValueError for a type dlt does not know, or options the type does not take.
    """
    if isinstance(paginator, (OffsetPaginator, MonitoredPaginator)):
        return paginator
    if isinstance(paginator, BasePaginator) or paginator is None:
        return MonitoredPaginator(paginator, id_of, report)
    options: dict[str, Any] = {"type": paginator} if isinstance(paginator, str) else dict(paginator)
    kind = options.pop("type", "auto")
    try:
        if kind == "offset":
            return OffsetPaginator(**options, id_of=id_of, report=report, bookmark=bookmark)
        if own := OWN.get(kind):
            return MonitoredPaginator(own(**options), id_of, report)
        config = cast("Any", {"type": kind, **options})
        return MonitoredPaginator(create_dlt_paginator(config), id_of, report)
    except TypeError as error:
        problem = str(error)
    raise ValueError(f"paginator of type {kind!r}: {problem.rpartition('__init__() ')[2]}")


def _monitor_for(run: BasePaginator | None) -> PageMonitor:
    if isinstance(run, SinglePagePaginator):
        return PageMonitor(PaginationKind.SINGLE)
    if isinstance(run, RangePaginator):
        unlimited = isinstance(run, PageNumberPaginator) and run.chosen_stop is False
        name = run.param_name or run.param_body_path or "page"
        return PageMonitor(PaginationKind.NUMBERED, parameter=name, limit_empty_pages=not unlimited)
    cursor = run.cursor_param if isinstance(run, JSONResponseCursorPaginator) else None
    return PageMonitor(PaginationKind.LINKED, parameter=cursor or "cursor")


def _limit_reached(run: BasePaginator) -> str | None:
    """The user's own bound, if that is what ended the reading."""
    if isinstance(run, RangePaginator) and run.maximum_value is not None:
        reached = run.current_value >= run.maximum_value
        return f"maximum_page {run.maximum_value:,}" if reached else None
    return None


def _counts(link: str | None) -> bool:
    """Does a link to the next page say its number, or how many rows to skip?"""
    query = parse_qs(urlsplit(link or "").query)
    return any(value.isdecimal() for name in COUNTERS for value in query.get(name, ()))


def _fingerprint(request: Request) -> int:
    """The same for requests that ask for the same page."""
    return hash((request.url, repr(request.params), repr(request.json)))
