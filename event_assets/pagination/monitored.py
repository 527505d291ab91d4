"""dlt's paginators, monitored for completeness."""

from __future__ import annotations

from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

from dlt.sources.helpers.rest_client.paginators import (
    BaseNextUrlPaginator,
    BasePaginator,
    JSONResponseCursorPaginator,
    RangePaginator,
    SinglePagePaginator,
)
from requests import Request, Response

from event_assets._compat import dlt as dlt_compat
from event_assets.pagination import totals
from event_assets.pagination.page_monitor import PageMonitor, PaginationKind
from event_assets.pagination.paginator import Paginator
from event_assets.pagination.result import PaginationResult, mark_truncated
from event_assets.pagination.seen_ids import ReadIds, extract_ids
from event_assets.values.errors import PaginationError

COUNTING_PARAMS = ("page", "page_number", "pageNumber", "offset", "start", "skip")
NOT_FOUND = "was not found in the API's response: correct it in defs.yaml."
INVALID = {
    "total_path": "is not a number in the API's response.",
    "has_more_path": "is neither true nor false.",
}


class _ShortErrors(dlt_compat.PathErrors):
    """Replaces dlt's messages, which contain the whole response."""

    def raise_path_error(self, setting: str, *, found: bool) -> NoReturn:
        problem = INVALID[setting] if found else NOT_FOUND
        raise PaginationError(f"The paginator's {setting} `{getattr(self, setting)}` {problem}")


class CursorPaginator(_ShortErrors, JSONResponseCursorPaginator):
    """dlt's cursor paginator, with short messages."""


class PageNumberPaginator(_ShortErrors, dlt_compat.PageNumberPaginator):
    """dlt's page number paginator, which continues after an empty page while a total promises more.

    Ends at an empty page, at the number of pages the API reports (`total_path`, or the usual paths
    such as total_pages), or at `maximum_page`. An explicit `stop_after_empty_page` is respected.
    """

    def __init__(self, *, stop_after_empty_page: bool | None = None, **options: Any) -> None:
        self._find_page_count = "total_path" not in options
        options.setdefault("total_path", None)
        super().__init__(stop_after_empty_page=stop_after_empty_page is not False, **options)
        self.configured_stop = stop_after_empty_page
        self.expects_rows = False
        self.last_page = None if self.maximum_value is None else self.maximum_value - 1

    def is_last_page(self, data: list[Any] | None) -> bool:
        """Return whether to stop after a page, which an empty one causes only without a total."""
        if self.configured_stop is None:
            return not data and not self.expects_rows
        return self.configured_stop and not data

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Process a response; `data` is the list that dlt delivers."""
        super().update_state(response, data)
        if self._has_next_page and self._find_page_count:
            count = totals.find_count(response.json(), totals.PAGE_COUNT_PATHS)
            if count is not None and self.current_value >= count + self.base_index:
                self._has_next_page = False
            if count:
                ends = (count + self.base_index - 1, self.last_page)
                self.last_page = min(end for end in ends if end is not None)


class MonitoredPaginator(Paginator):
    """Any other dlt paginator; its result depends on what the protocol can show.

    `dlt_paginator` None: dlt detects it from the first response.
    """

    def __init__(self, dlt_paginator: BasePaginator | None, read_ids: ReadIds) -> None:
        super().__init__()
        self._active = dlt_paginator
        self._read_ids = read_ids
        self._totals = totals.TotalFinder()
        self._monitor = _build_monitor(self._active)
        self._requested: set[int] = set()
        self._is_truncated = False

    @property
    def result(self) -> PaginationResult:
        """The result so far; `complete` is False until there is no next page."""
        return mark_truncated(self._monitor.result) if self._is_truncated else self._monitor.result

    @property
    def active_paginator(self) -> BasePaginator | None:
        """dlt's paginator; None until it is detected."""
        return self._active

    def init_request(self, request: Request) -> None:
        """Point the request at the first page."""
        if self._active is not None:
            self._active.init_request(request)
        self._requested.add(_fingerprint(request))

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Process a response; `data` is the list that dlt delivers."""
        if self._active is None:
            self._active = dlt_compat.detect_paginator(response)
            self._monitor = _build_monitor(self._active)
        monitor, active = self._monitor, self._active
        self._is_truncated |= totals.is_truncated(response)
        monitor.receive(extract_ids(data or [], self._read_ids), self._totals.find(response))
        if isinstance(active, PageNumberPaginator):
            active.expects_rows = monitor.expects_more
        active.update_state(response, data)
        if not monitor.done and (
            not active.has_next_page
            or (isinstance(active, PageNumberPaginator) and monitor.covers_total)
        ):
            monitor.end(limited=_describe_limit(active))
        self._has_next_page = not monitor.done

    def update_request(self, request: Request) -> None:
        """Point the request at the next page."""
        if self._active is None or not self._has_next_page:
            return
        self._active.update_request(request)
        if isinstance(self._active, BaseNextUrlPaginator):
            self._monitor.has_counting_links |= _is_counting_link(request.url)
        fingerprint = _fingerprint(request)
        if fingerprint in self._requested:
            self._monitor.stop("The API returned the same cursor or link to the next page twice.")
            self._has_next_page = False
        self._requested.add(fingerprint)

    def stopped_early(self) -> None:
        """Finish at a response that the configuration ignores."""
        self._monitor.stopped_early()
        self._has_next_page = False

    def upcoming(self, count: int) -> list[dict[str, Any]]:
        """Return query parameters of up to `count` requests after the next; page numbers only."""
        active, monitor = self._active, self._monitor
        if (
            not isinstance(active, PageNumberPaginator)
            or not active.param_name
            or not monitor.expects_full_pages
        ):
            return []
        expected = monitor.expected_pages
        last = None if expected is None else active.initial_value + expected - 1
        ends = [end for end in (last, active.last_page) if end is not None]
        after = range(active.current_value + 1, active.current_value + count + 1)
        return [{active.param_name: page} for page in after if page <= min(ends, default=page)]


def _build_monitor(active: BasePaginator | None) -> PageMonitor:
    if isinstance(active, SinglePagePaginator):
        return PageMonitor(PaginationKind.SINGLE)
    if isinstance(active, RangePaginator):
        unlimited = isinstance(active, PageNumberPaginator) and active.configured_stop is False
        name = active.param_name or active.param_body_path or "page"
        return PageMonitor(PaginationKind.NUMBERED, parameter=name, limit_empty_pages=not unlimited)
    cursor = active.cursor_param if isinstance(active, JSONResponseCursorPaginator) else None
    return PageMonitor(PaginationKind.LINKED, parameter=cursor or "cursor")


def _describe_limit(active: BasePaginator) -> str | None:
    """Return the configured limit, if it was reached."""
    if not isinstance(active, RangePaginator) or active.maximum_value is None:
        return None
    is_reached = active.current_value >= active.maximum_value
    return f"maximum_page {active.maximum_value:,}" if is_reached else None


def _is_counting_link(link: str | None) -> bool:
    """Return whether a link to the next page contains its number or offset."""
    query = parse_qs(urlsplit(link or "").query)
    return any(value.isdecimal() for name in COUNTING_PARAMS for value in query.get(name, ()))


def _fingerprint(request: Request) -> int:
    """Return a value that is equal for requests of the same page."""
    return hash((request.url, repr(request.params), repr(request.json)))
