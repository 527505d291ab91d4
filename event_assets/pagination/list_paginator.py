"""Page through a list as dlt's paginators do, and see whether all of it was received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from http import HTTPStatus
from math import inf
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from dlt.sources.helpers.rest_client.paginators import (
    BaseNextUrlPaginator,
    BasePaginator,
    BaseReferencePaginator,
    OffsetPaginator,
    PageNumberPaginator,
    RangePaginator,
    SinglePagePaginator,
)
from requests import Request, Response

from event_assets._compat import dlt as dlt_compat
from event_assets.pagination import counters
from event_assets.pagination.facts import NO_PAGE, ListFacts, ListSettings, PageFacts, begin_again
from event_assets.pagination.links import POINTER_PATHS, find_setting, read_pointer
from event_assets.pagination.number_walk import NumberWalk
from event_assets.pagination.offset_walk import OffsetWalk
from event_assets.pagination.page_reader import PageReader
from event_assets.pagination.page_walk import PageWalk
from event_assets.pagination.pointer_walk import PointerWalk
from event_assets.pagination.seen_ids import ReadIds, extract_ids
from event_assets.pagination.ties import TieFinder
from event_assets.pagination.totals import AUTO
from event_assets.values.urls import origin

REFUSALS: Final = (204, 400, 404, 410, 416, 422)  # statuses of a page that does not exist
# Settings of dlt's paginators: what a request names by the number of a page, or by the pointer.
PARAMETERS: Final = ("param_name", "param_body_path", "cursor_param", "cursor_body_path")


class ListPaginator:
    """Writes requests with a paginator of dlt, and decides with a walk which page is next.

    Offsets, and links and cursors that count rows, are walked with overlapping pages; page numbers,
    and other links and cursors, page by page. So is a list whose API sends whole pages only,
    whatever row is asked for.
    """

    def __init__(
        self, active: BasePaginator | None, read_ids: ReadIds, options: Mapping[str, Any]
    ) -> None:
        """Use a paginator of dlt; None: dlt detects it from the first response.

        `options`: those that `factory` lists, with compiled paths. Without `total_path` or
        `has_more_path`, the usual names are searched; if it is None, there is none.
        """
        self.cap: float = inf  # rows of the list that the API returns at most
        self.last_page = NO_PAGE  # of the newest response
        self._read_ids = read_ids
        self._options = options
        self._pointer: Any = None  # the newest link or cursor
        self._is_cut_open = False  # whether rows may follow in spite of what says "truncated"
        self._no_cut = ""  # what said so, until rows followed
        self._counters: list[counters.Counter] = []  # numbers in the pointer of the page before
        self._row_counter: counters.Counter | None = None  # if links or cursors seem to count rows
        self._use(active)

    def _use(self, active: BasePaginator | None, single: str = "single page") -> None:
        """Use a paginator of dlt; `single` names the end of a list that has no pages."""
        self.active, options = active, self._options
        is_numbered, is_offset, is_single = (
            isinstance(active, kind)
            for kind in (PageNumberPaginator, OffsetPaginator, SinglePagePaginator)
        )
        self.limit: int = getattr(active, "limit", 1)  # rows that a request asks for, if it says
        start: int = getattr(active, "initial_value", 0)
        # the number of position 0, also if rows count from 1, and the step to the next position
        self._base, self._step = (start if is_numbered or start == 1 else 0), 1
        maximum = next((name for name in options if name.startswith("maximum")), "")
        self._maximum: float = int(options[maximum]) if options.get(maximum) else inf
        self._stop: bool | None = options.get("stop_after_empty_page")
        name, path = find_setting(active, *POINTER_PATHS)
        header = find_setting(active, "links_next_key", "cursor_key")[1]
        total, more = (options.get(name, AUTO) for name in ("total_path", "has_more_path"))
        self._reader = PageReader(total, is_numbered, more, followed=path, header=header)
        is_total_set = total not in (AUTO, None) and not is_numbered
        self._settings = ListSettings(
            asked_by="page_number" if is_numbered else "offset" if is_offset else "",
            pointer=f"the paginator's {name} `{path}`" if path else "",
            total=f"the paginator's total_path `{total}`" if is_total_set else "",
            parameter=find_setting(active, *PARAMETERS)[1] or "cursor",
            maximum=f"{maximum} {self._maximum:,}",
            first_page=self._base,
            is_alone=options.get("is_alone", False),
            end_without_pointer=single if is_single else "no pointer",
        )
        facts = ListFacts(settings=self._settings)
        self._walk: OffsetWalk | PageWalk = (
            self._walk_rows(facts, self.limit, start - self._base)
            if is_offset
            else self._walk_pages(facts)
        )

    def _walk_rows(self, facts: ListFacts, limit: int, start: int = 0) -> OffsetWalk:
        return OffsetWalk(limit, start, self._maximum - self._base, self._stop, facts)

    def _walk_pages(self, facts: ListFacts) -> PageWalk:
        walk = NumberWalk if isinstance(self.active, RangePaginator) else PointerWalk
        return walk((self._maximum - self._base) / self._step, self._stop, facts)

    @property
    def facts(self) -> ListFacts:
        """What is known of the list so far."""
        return self._walk.facts

    def init_request(self, request: Request) -> None:
        """Point the request at the first page."""
        self._first = copy_parts(request)
        self._start(request)

    def _start(self, request: Request) -> None:
        self._request = request
        self._reader.begin()
        url, params, _ = self._first
        self._sent = counters.named_values(url)
        self._sent |= {(name, str(value)) for name, value in params.items()}
        self._ties = TieFinder(self._sent)
        request.url, request.params, request.json = deepcopy(self._first)
        if self.active is not None:
            self.active.init_request(request)

    @property
    def has_next_page(self) -> bool:
        """Whether another page is to be requested."""
        return not self._walk.done

    def receive(self, response: Response, rows: Sequence[Any], *, said: str = "") -> list[Any]:
        """Process a response and its rows; return the rows to deliver.

        `said`: the words of an empty page that may not be about an end, or about an error.
        """
        if self.active is None:
            self._use(dlt_compat.detect_paginator(response), "no paginator")
        ids, facts = extract_ids(rows, self._read_ids), self._walk.facts
        is_short = len(rows) < self._walk.largest
        pointer = read_pointer(self.active, response, facts, is_last=is_short or not facts.pages)
        page = self._reader.read(response, rows, ids, self._request, pointer)
        if not facts.pages:
            facts.first_rows = list(rows)
        if page.truncated != self._no_cut and not facts.truncated:
            facts.truncated = page.truncated
            # the flag of an empty page, as of those before, may say no more than that others follow
            self._is_cut_open = not rows and bool(self.last_page.has_more)
        facts.tie = facts.tie or self._ties.find(rows, pointer)
        if said and not rows:
            facts.said = said
        elif said and ids != self.last_page.ids[-1:]:  # an overlap alone says nothing
            facts.error = facts.error or said
        if self._is_of_other_rows(page):
            self._read_whole_pages()
            return []
        first = self.last_page.ids
        delivered = self._take(page)
        if delivered and self._is_cut_open:
            self._no_cut, self._walk.facts.truncated = facts.truncated, ""
        is_second = self._walk.facts.pages == 2 and first != ids != []
        if is_second and 0 < len(first) < self._step:
            self._walk.finish("counts pages")  # rows between the pages cannot be requested
        return [rows[at] for at in delivered]

    def receive_nothing(self) -> None:
        """Process a response without content: an empty page."""
        self._take(PageFacts())

    def _take(self, page: PageFacts) -> Sequence[int]:
        """Process a page; return the positions of its rows to deliver."""
        before = self.last_page
        if page.total is None and page.at_least is None and before.is_total_of_list:
            page = page._replace(at_least=before.at_least)  # some say it on the first page alone
        walk, self.last_page = self._walk, page
        self._pointer = page.pointer or self._pointer
        if self._row_counter and not page.pointer:
            page = page._replace(has_more=False)
        delivered = walk.take(page)
        if isinstance(walk, PageWalk) and page.pointer and not walk.done:
            self._examine_pointer(walk, page)
        return delivered

    def _examine_pointer(self, walk: PageWalk, page: PageFacts) -> None:
        """See whether the pointer to the next page counts pages, or rows."""
        param = self._settings.parameter.rpartition(".")[2]
        found, size = counters.find_counters(page.pointer, self._sent, param), len(page.ids)
        counter = counters.find_row_counter(found, size)
        if counter and walk.facts.pages == 1 and not walk.is_counted:
            self._row_counter, self._base = counter
            self._walk = self._walk_rows(begin_again(walk.facts), page.size_asked or size)
            self._walk.take(page)
        walk.is_counted |= counters.counts(found, self._counters, walk.position, size)
        self._counters = found

    def _is_of_other_rows(self, page: PageFacts) -> bool:
        """Return whether a second page shows that the API does not begin at any row asked for."""
        active, first = self.active, self.last_page.ids
        if not (first and self._walk.position) or self._walk.facts.pages != 1:
            return False
        if self._row_counter:
            return page.ids[:1] != first[-1:]
        is_offset = isinstance(active, OffsetPaginator) and not active.initial_value
        is_untried = isinstance(self._walk, OffsetWalk) or self._step < self.limit
        return is_offset and page.ids == first and is_untried

    def _read_whole_pages(self) -> None:
        """Go on behind the first page: as many rows as it has, or as are asked for, further."""
        page = self.last_page
        if self._row_counter is None:
            is_first_try = isinstance(self._walk, OffsetWalk)
            self._step = len(page.ids) if is_first_try else self.limit
        self._row_counter, self._base = None, 0
        walk = self._walk = self._walk_pages(begin_again(self._walk.facts))
        walk.is_counted = True
        self._take(page)

    def update_request(self, request: Request) -> None:
        """Point the request at the next page, if there is one."""
        active, walk = self.active, self._walk
        if active is None or walk.done:
            return
        number = self._base + walk.position * self._step
        if isinstance(active, RangePaginator):
            active.current_value = number
        elif not walk.position:
            self._start(request)
            return
        elif isinstance(active, BaseReferencePaginator):
            counter = self._row_counter
            pointer = counter.at(number) if counter else self._pointer
            dlt_compat.set_reference(active, pointer)
        active.update_request(request)
        url, params, _ = self._first
        if isinstance(active, BaseNextUrlPaginator) and origin(request.url) == origin(url):
            sent = {**parse_qs(urlsplit(url).query), **params}
            request.params = counters.find_left_out(request.url, sent)

    def build_request_before(self) -> Request | None:
        """Return a request for the page before the first one, if only that can show that one is.

        A total, or the number of pages, would have been missed.
        """
        facts, settings, active = self.facts, self._settings, self.active
        is_told = facts.is_total_reached or facts.last.page_count == facts.pages_with_rows
        may_begin_late = settings.first_page > 0 and settings.is_alone and not is_told
        if not (isinstance(active, RangePaginator) and may_begin_late):
            return None
        self._start(self._request)
        active.current_value = self._base - 1
        active.update_request(self._request)
        return self._request

    def receive_before(self, rows: Sequence[Any]) -> None:
        """Take the rows of the page before the first one; no others are delivered after."""
        known = set(extract_ids(self.facts.first_rows, self._read_ids))
        ids = set(extract_ids(rows, self._read_ids))
        unknown = self._walk.find_unknown(ids) - known
        # a page of fewer others may be the first one again, with rows inserted since
        others = 0 if self._settings.asked_by == "offset" else len(ids) // 2
        if len(unknown) > others:
            self.facts.end, self.facts.values = "page before", {"page": self._base - 1}

    def stopped_early(self) -> None:
        """Finish at a response that the configuration ignores (`response_actions`).

        One behind the end is the end.
        """
        if not self.refused(HTTPStatus.NO_CONTENT):
            self._walk.finish("ignored response")

    def refused(self, status: int, *, limit: str = "", said: str = "") -> bool:
        """Take an error status for the end of the list; return False if it cannot be its end.

        `limit`: the words, as a sentence, with which the API says that it shows no more of a list.
        `said`: the words of any other refusal, which is final; a list of several pages ends there
        if links or cursors lead on. Beside a 204, they tell an empty page.
        """
        if status not in REFUSALS and not (limit and status == HTTPStatus.FORBIDDEN):
            return False
        if self._row_counter and self._walk.facts.pages == 1:
            self._read_whole_pages()
            return True
        pages, is_told = self._walk.facts.pages, said and status == HTTPStatus.NO_CONTENT
        if is_told and not (pages or self._settings.is_alone):
            self._walk.facts.pages = 1
            self._walk.finish("short page")
        accepted = self._walk.done or self._walk.refuse(status, is_limit=bool(limit))
        if said and isinstance(self.active, BaseReferencePaginator) and not accepted:
            accepted = pages > (0 if is_told else 1)
            if accepted:
                self._take(PageFacts()) if is_told else self._walk.finish("depth")
        if self._walk.facts.end == "depth":
            self._walk.facts.said = limit or said
        return accepted

    def leads_behind_cap(self) -> bool:
        """Return whether the next page is behind the cap, and cannot be taken for a refused one."""
        is_whole_page = self._settings.asked_by == "offset" and isinstance(self._walk, PageWalk)
        while self.has_next_page and self._is_behind_cap(self._walk.position):
            if is_whole_page or not self.refused(HTTPStatus.NO_CONTENT):
                return True
        return False

    def _is_behind_cap(self, position: int) -> bool:
        """Return whether a page there, with as many rows as are asked for, has rows behind it."""
        rows = self._walk.largest if isinstance(self._walk, PageWalk) else 1
        return position * rows + self.limit > self.cap

    def upcoming(self, count: int) -> list[dict[str, Any]]:
        """Return query parameters of up to `count` requests after the next one, if foreseeable."""
        active, walk = self.active, self._walk
        if not isinstance(active, RangePaginator) or not active.param_name:
            return []
        limit = getattr(active, "limit_param", None)
        extra = {limit: self.limit} if limit else {}
        return [
            {active.param_name: self._base + at * self._step, **extra}
            for at in walk.upcoming(count)
            if self.cap == inf or not self._is_behind_cap(at)
        ]


def copy_parts(request: Request) -> tuple[Any, dict[str, Any], Any]:
    """Return a copy of what paginators change: the URL, the parameters, and the JSON."""
    return deepcopy((request.url, dict(request.params or {}), request.json))
