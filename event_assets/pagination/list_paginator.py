"""Page through a list as dlt's paginators do, and see whether all of it was received."""

from __future__ import annotations

import copy
from http import HTTPStatus
from math import inf
from typing import Any, Final, NamedTuple, cast

from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    BaseReferencePaginator,
    OffsetPaginator,
    RangePaginator,
    SinglePagePaginator,
)
from requests import Request, Response

from event_assets._compat import dlt as dlt_compat
from event_assets.pagination import counters
from event_assets.pagination.facts import ListFacts, PageFacts
from event_assets.pagination.offset_walk import OffsetWalk
from event_assets.pagination.page_reader import PageReader
from event_assets.pagination.page_walk import PageWalk
from event_assets.pagination.paginator import Paginator
from event_assets.pagination.seen_ids import ReadIds, extract_ids
from event_assets.pagination.totals import AUTO, PAGE_COUNT_PATHS, TotalFinder, compile_path

REFUSALS: Final = (400, 404, 410, 416, 422)  # statuses of a page that does not exist
# Settings of dlt's paginators: where a response has the pointer, and what a request names by it.
POINTER_PATHS: Final = ("next_url_path", "cursor_path")
PARAMETERS: Final = ("param_name", "param_body_path", "cursor_param", "cursor_body_path")


class Options(NamedTuple):
    """Options of dlt's paginators that this project evaluates, with the same meaning.

    `total_path` is the number of rows for offsets and of pages for page numbers; `AUTO`: the usual
    paths are searched; None: there is none.
    """

    total_path: str | None = AUTO
    has_more_path: str | None = None
    stop_after_empty_page: bool | None = None
    maximum: float = inf
    maximum_setting: str = ""


class ListPaginator(Paginator):
    """Writes requests with a paginator of dlt, and decides with a walk which page is next.

    Offsets, and links and cursors that count rows, are walked with overlapping pages; page numbers,
    and other links and cursors, page by page.
    """

    def __init__(self, active: BasePaginator | None, options: Options, read_ids: ReadIds) -> None:
        """Use a paginator of dlt; None: dlt detects it from the first response."""
        super().__init__()
        self.active = active
        self.limit = active.limit if isinstance(active, OffsetPaginator) else 0
        self.cap: float = inf  # how many rows of the list the API returns at most
        self._options = options
        self._read_ids = read_ids
        self.last_page = PageFacts()
        self._is_truncated = False
        self._counters: list[counters.Counter] = []  # of the pointer before
        self._row_links: RowLinks | None = None
        self._reader = _build_reader(active, options)
        self._walk = _build_walk(active, options)
        self._base = 0 if isinstance(self._walk, OffsetWalk) else _first_page(active)

    @property
    def next_row(self) -> int:
        """The place in the list of the first row of the next page, as far as is known."""
        return self._walk.position * self._rows_of_position

    @property
    def _rows_of_position(self) -> int:
        return self._walk.largest if isinstance(self._walk, PageWalk) else 1

    @property
    def facts(self) -> ListFacts:
        """What is known of the list so far."""
        facts = self._walk.facts
        facts.is_truncated = self._is_truncated
        if path := self._reader.total.path:
            facts.total_setting = f"the paginator's total_path `{path}`"
        name, path = _find_setting(self.active, *POINTER_PATHS)
        facts.pointer_setting = f"the paginator's {name} `{path}`" if path else ""
        facts.parameter = _find_setting(self.active, *PARAMETERS)[1] or "cursor"
        facts.maximum = self._options.maximum_setting
        return facts

    def init_request(self, request: Request) -> None:
        """Point the request at the first page."""
        self._request = request
        self._first = request.url, dict(request.params or {}), copy.deepcopy(request.json)
        self._start(request)

    def _start(self, request: Request) -> None:
        request.url, params, body = self._first
        request.params, request.json = dict(params), copy.deepcopy(body)
        if self.active is not None:
            self.active.init_request(request)

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Process a response; `data` is the list that dlt delivers."""
        rows = [] if data is None else data
        if self.active is None:
            self.active = dlt_compat.detect_paginator(response)
            self._reader = _build_reader(self.active, self._options)
            self._walk = _build_walk(self.active, self._options, "no paginator")
        ids, pointer = extract_ids(rows, self._read_ids), self._read_pointer(response)
        page = self._reader.read(response, rows, ids, self._request, pointer)
        self.last_page = page
        self._is_truncated |= page.is_truncated
        walk = self._walk
        if self._row_links:
            self._follow_rows(self._row_links, page, rows)
        else:
            walk.take(page, rows)
            if isinstance(walk, PageWalk) and page.pointer and not walk.done:
                self._examine_pointer(walk, page)
        self._has_next_page = not self._walk.done

    def _read_pointer(self, response: Response) -> Any:
        active = self.active
        if not isinstance(active, BaseReferencePaginator):
            return None
        active.update_state(response)
        return dlt_compat.get_reference(active) or None

    def _examine_pointer(self, walk: PageWalk, page: PageFacts) -> None:
        """See whether the pointer to the next page counts pages, or rows."""
        sent = {(name, str(value)) for name, value in self._first[1].items()}
        found, size = counters.find_counters(page.pointer, sent), len(page.ids)
        counter = counters.find_row_counter(found, size)
        if counter and walk.facts.pages == 1:
            self._row_links = RowLinks(*counter, page, walk)
            self._walk = OffsetWalk(page.size_asked or size)
            self._walk.take(page, list(page.ids))
        walk.is_counted |= counters.counts(found, self._counters, walk.position, size)
        self._counters = found

    def _follow_rows(self, links: RowLinks, page: PageFacts, rows: list[Any]) -> None:
        """Process a page that was requested from the last row of the page before."""
        walk = cast("OffsetWalk", self._walk)
        if walk.facts.pages == 1 and list(page.ids[:1]) != walk.last_ids:
            rows.clear()
            self._follow_pages(links)
        else:
            # the last page has no pointer
            walk.take(page if page.pointer else page._replace(has_more=False), rows)

    def _follow_pages(self, links: RowLinks) -> None:
        """Follow the API's own pointers from the first on: another number leads to no other row."""
        self._row_links, self._walk, self.last_page = None, links.pages, links.first
        links.pages.is_counted = True

    def update_request(self, request: Request) -> None:
        """Point the request at the next page."""
        active, walk = self.active, self._walk
        if active is None or walk.done:
            return
        position = walk.position
        if isinstance(active, RangePaginator):
            active.current_value = self._base + position
        elif not position:
            self._start(request)
            return
        elif isinstance(active, BaseReferencePaginator):
            links = self._row_links
            pointer = links.counter.at(position + links.base) if links else self.last_page.pointer
            dlt_compat.set_reference(active, pointer)
        active.update_request(request)

    def stopped_early(self) -> None:
        """Finish at a response that the configuration ignores; one behind the end is the end."""
        if not self.refused(HTTPStatus.NOT_FOUND):
            self._walk.finish("ignored response")
            self._has_next_page = False

    def refused(self, status: int) -> bool:
        """Take a refused page for one behind the end, if it can be."""
        walk = self._walk
        if status not in REFUSALS:
            return False
        if self._row_links and walk.facts.pages == 1:
            self._follow_pages(self._row_links)
            return True
        accepted = walk.refuse(status)
        self._has_next_page = not self._walk.done
        return accepted

    def upcoming(self, count: int) -> list[dict[str, Any]]:
        """Return query parameters of up to `count` requests after the next; numbers only."""
        active, walk = self.active, self._walk
        if not isinstance(active, RangePaginator) or not active.param_name:
            return []
        limit = getattr(active, "limit_param", None)
        extra = {limit: cast("OffsetPaginator", active).limit} if limit else {}
        rows = self._rows_of_position
        positions = (at for at in walk.upcoming(count) if at * rows < self.cap)
        return [{active.param_name: self._base + at, **extra} for at in positions]


class RowLinks(NamedTuple):
    """Links or cursors that seem to count rows, and so lead to any row.

    Attributes:
        base: the number of the first row.
        first: the first page.
        pages: the walk that follows the API's own pointers, should they not count rows.
    """

    counter: counters.Counter
    base: int
    first: PageFacts
    pages: PageWalk


def _find_setting(active: BasePaginator | None, *names: str) -> tuple[str, Any]:
    """Return the name and the value of the first of dlt's settings that is set."""
    values = ((name, getattr(active, name, None)) for name in names)
    return next(((name, value) for name, value in values if value), ("", None))


def _build_reader(active: BasePaginator | None, options: Options) -> PageReader:
    is_counting_pages = isinstance(active, RangePaginator) and not isinstance(
        active, OffsetPaginator
    )
    path = options.total_path
    return PageReader(
        total=TotalFinder(AUTO if is_counting_pages and path else path),
        page_count=TotalFinder(path if is_counting_pages else AUTO, PAGE_COUNT_PATHS),
        more_path=compile_path(options.has_more_path),
        followed=_find_setting(active, *POINTER_PATHS)[1],
        header=_find_setting(active, "links_next_key", "cursor_key")[1],
    )


def _build_walk(
    active: BasePaginator | None, options: Options, single: str = "single page"
) -> OffsetWalk | PageWalk:
    stop = options.stop_after_empty_page
    if isinstance(active, OffsetPaginator):
        return OffsetWalk(
            active.limit, active.initial_value, maximum=options.maximum, stop_after_empty_page=stop
        )
    return PageWalk(
        is_numbered=isinstance(active, RangePaginator),
        maximum=options.maximum - _first_page(active),
        stop_after_empty_page=stop,
        end_without_pointer=single if isinstance(active, SinglePagePaginator) else "no pointer",
    )


def _first_page(active: BasePaginator | None) -> int:
    return active.initial_value if isinstance(active, RangePaginator) else 0
