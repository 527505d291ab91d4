"""dlt's paginators, whose lists are read again where only a second reading can show a shift."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Final, NoReturn, cast

from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    BaseReferencePaginator,
    HeaderCursorPaginator,
    HeaderLinkPaginator,
    JSONLinkPaginator,
    JSONResponseCursorPaginator,
    RangePaginator,
    SinglePagePaginator,
)
from requests import Request, Response

from event_assets._compat import dlt as dlt_compat
from event_assets.pagination import counters, totals
from event_assets.pagination.evidence import ListFacts
from event_assets.pagination.offset_walk import OffsetWalk
from event_assets.pagination.page_facts import PageFacts, PageReader
from event_assets.pagination.paginator import REFUSALS, Paginator
from event_assets.pagination.reading import Reading
from event_assets.pagination.seen_ids import ReadIds, extract_ids
from event_assets.values.errors import PaginationError

NOT_FOUND = "was not found in the API's response: correct it in defs.yaml."
INVALID = {
    "total_path": "is not a number in the API's response.",
    "has_more_path": "is neither true nor false.",
}
# consecutive empty pages allowed; an API that filters after paging sends some
MAX_EMPTY_NUMBERED: Final = 3
MAX_EMPTY_LINKED: Final = 25
MAX_PASSES: Final = 4
COUNTED_ENDS: Final = ("page behind", "page repeated", "pointer ended")


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
        self.has_total = options.get("total_path", totals.AUTO) is not None
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
    """Any other dlt paginator; `setting` is the path of its pointer, as in the configuration.

    A link or cursor that counts rows is followed by overlapping pages, as offsets are. A list whose
    pages are counted, by numbers, links or cursors, is read again until two readings agree, unless
    a total that did not change is reached. `dlt_paginator` None: dlt detects it from the first
    response.
    """

    def __init__(
        self, dlt_paginator: BasePaginator | None, read_ids: ReadIds, setting: str = ""
    ) -> None:
        super().__init__()
        self._active = dlt_paginator
        self._is_detected = dlt_paginator is None
        self._read_ids = read_ids
        self._facts = ListFacts(setting=setting)
        self._reader = _build_reader(dlt_paginator)
        self._reading = Reading()
        self._previous: Reading | None = None
        self._all = self._reading.seen  # the ids of all readings
        self._requested: set[int] = set()
        self._counters: list[counters.Counter] = []  # of the pointer before
        self._rows: RowLinks | None = None  # of a list whose pointers count rows
        self._refusal = 0  # the status behind the last page, which is read again
        self._is_rewound = False
        self._pointer: Any = None  # of the page before
        self._looks: list[int] | None = None  # numbers of pages behind an empty one
        self._empty_page = self._rows_behind = 0  # numbers of pages
        self._request = Request()

    @property
    def facts(self) -> ListFacts:
        """What is known of the list so far."""
        if self._rows:
            facts = self._rows.walk.facts
            facts.last, facts.is_truncated = self._facts.last, self._facts.is_truncated
            if facts.end == "ignored parameter":
                facts.end = "same pointer"
            return facts
        self._facts.distinct = self._all.count() if self._facts.done else len(self._all)
        return self._facts

    @property
    def active_paginator(self) -> BasePaginator | None:
        """dlt's paginator; None until it is detected."""
        return self._active

    def init_request(self, request: Request) -> None:
        """Point the request at the first page."""
        self._request = request
        self._first = request.url, dict(request.params or {}), copy.deepcopy(request.json)
        self._start(request)

    def _start(self, request: Request) -> None:
        request.url, params, body = self._first
        request.params, request.json = dict(params), copy.deepcopy(body)
        if self._active is not None:
            self._active.init_request(request)
        self._requested = {_fingerprint(request)}

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Process a response; `data` is the list that dlt delivers."""
        rows = [] if data is None else data
        if self._active is None:
            self._active = dlt_compat.detect_paginator(response)
            self._reader = _build_reader(self._active)
        ids = extract_ids(rows, self._read_ids)
        page, facts, active = (
            self._reader.read(response, ids, self._request),
            self._facts,
            self._active,
        )
        facts.last, facts.reported = page, page.total if page.total is not None else facts.reported
        facts.pages += 1
        facts.pointers += page.pointer is not None
        facts.is_pointer_found |= page.is_pointer_found
        facts.is_truncated |= page.is_truncated
        if self._refusal:
            self._end_at_refusal(page, rows)
            return
        if self._looks is not None:
            self._look_behind(page, rows)
            return
        end = "" if self._rows else self._reading.receive(page)
        if isinstance(active, PageNumberPaginator):
            reads_on = active.current_value < self._rows_behind
            active.expects_rows = self._reading.expects_more or reads_on
        active.update_state(response, data)
        if self._reference in ("", False):
            self._reference = None
        if self._rows:
            self._follow_rows(page, rows)
        else:
            if self._previous:
                rows[:] = [rows[at] for at in self._all.add_unseen(ids)]
            facts.rows += len(rows)
            self._follow(page, end)
        self._has_next_page = not self.facts.done

    def _follow(self, page: PageFacts, end: str) -> None:
        """Decide whether the reading goes on behind a page; it ends with `end`, if given."""
        reading, active = self._reading, cast("BasePaginator", self._active)
        is_range = isinstance(active, RangePaginator)
        self._facts.is_numbered |= is_range
        most_empty = MAX_EMPTY_NUMBERED if is_range else MAX_EMPTY_LINKED
        if isinstance(active, PageNumberPaginator) and active.configured_stop is False:
            most_empty = 0
        if end == "page repeated" and not is_range:
            end = "same pointer" if active.has_next_page else ""
        elif end == "ignored parameter" and self._reference and self._reference == self._pointer:
            end = "same pointer"
        self._pointer = self._reference
        if end:
            self._end_reading(end)
        elif not active.has_next_page:
            if not self._starts_to_look(page):
                self._end_reading(self._find_end(active))
        elif (
            self._facts.is_numbered and self._rows_behind >= getattr(active, "current_value", 0) > 0
        ):
            pass
        elif most_empty and reading.empty >= most_empty:
            is_open = not is_range or reading.promises_rows
            self._end_reading("empty pages" if is_open else "page behind")
        elif self._agrees():
            self._finish("readings agree")
        elif is_range and reading.is_total_reached and page.is_total_certain:
            self._end_reading("page behind")
        elif not is_range:
            self._examine_pointer(page)

    def _starts_to_look(self, page: PageFacts) -> bool:
        """Return whether to look behind an empty page, where a server that filters has rows."""
        active, reading = self._active, self._reading
        if (
            not isinstance(active, PageNumberPaginator)
            or active.configured_stop is not None
            or page.ids
            or page.total == 0
            or reading.trusted_totals
            or reading.ends_short
        ):
            return False
        self._empty_page = active.current_value
        most = active.last_page
        ahead = [active.current_value + pages for pages in (1, 3, 7)[: len(reading.hashes)]]
        self._looks = [number for number in ahead if most is None or number <= most]
        if self._looks:
            active.current_value = self._looks[0]
            return True
        self._looks = None
        return False

    def _look_behind(self, page: PageFacts, rows: list[Any]) -> None:
        active, looks = cast("PageNumberPaginator", self._active), self._looks or []
        rows.clear()
        if page.ids:
            self._rows_behind = looks[0]
            active.init_request(Request(params={}, json={}))  # there is a next page again
            active.current_value = self._empty_page + 1
            self._looks = None
        elif looks[1:]:
            self._looks = looks[1:]
            active.current_value = looks[1]
        else:
            self._looks = None
            self._end_reading("page behind")
        self._has_next_page = not self._facts.done

    def _find_end(self, active: BasePaginator) -> str:
        if isinstance(active, SinglePagePaginator):
            return "no paginator" if self._is_detected else "single page"
        if isinstance(active, RangePaginator):
            limit = active.maximum_value
            return "limit" if limit is not None and active.current_value >= limit else "page behind"
        return "pointer ended" if self._facts.pointers else "no pointer"

    def _agrees(self) -> bool:
        return self._previous is not None and self._reading.agrees_with(self._previous)

    def _end_reading(self, end: str) -> None:
        """Finish, or read again where only a second reading can tell whether rows were missed."""
        facts, reading = self._facts, self._reading
        reading.count()
        facts.totals, facts.is_total_reached = reading.trusted_totals, reading.is_total_reached
        is_counted = facts.is_numbered and facts.pages > 1 and end in COUNTED_ENDS and facts.rows
        if not is_counted or facts.is_total_reached:
            self._finish(end)
        elif self._agrees():
            self._finish("readings agree")
        elif facts.passes == MAX_PASSES:
            self._finish("changed")
        else:
            self._all.build_index()
            self._previous, self._reading = reading, Reading()
            facts.passes += 1
            self._is_rewound = True

    def _finish(self, end: str) -> None:
        facts, active = self._facts, self._active
        facts.totals = self._reading.trusted_totals
        facts.end = end
        name = getattr(active, "param_name", None) or getattr(active, "cursor_param", None)
        facts.values = {
            "size": self._reading.last_size,
            "empty": self._reading.empty,
            "parameter": name or getattr(active, "param_body_path", None) or "cursor",
            "limit": f"maximum_page {getattr(active, 'maximum_value', 0)}",
        }

    @property
    def _reference(self) -> Any:
        active = self._active
        if isinstance(active, BaseReferencePaginator):
            return dlt_compat.get_reference(active)
        return None

    @_reference.setter
    def _reference(self, reference: Any) -> None:
        dlt_compat.set_reference(cast("BaseReferencePaginator", self._active), reference)

    def _examine_pointer(self, page: PageFacts) -> None:
        """See whether the pointer to the next page counts pages, or rows."""
        facts, size = self._facts, len(page.ids)
        sent = {(name, str(value)) for name, value in self._first[1].items()}
        found = counters.find_counters(self._reference, sent)
        if facts.pages == 1 and (counter := counters.find_row_counter(found, size)):
            self._rows = RowLinks(self._reference, *counter, OffsetWalk(page.size_asked or size))
            self._rows.walk.take(page, more=True, rows=[])
        facts.is_numbered |= counters.counts(found, self._counters, facts.pages, size)
        self._counters = found

    def _follow_rows(self, page: PageFacts, rows: list[Any]) -> None:
        """Process a page that was asked for from the last row of the page before."""
        links = cast("RowLinks", self._rows)
        is_first = links.walk.facts.pages == 1
        if is_first and (not page.ids or page.ids[0] != links.walk.last_delivered):
            self._give_rows_up(rows)
        else:
            has_next = cast("BasePaginator", self._active).has_next_page
            links.walk.take(page, more=has_next, rows=rows)

    def _give_rows_up(self, rows: list[Any]) -> None:
        """Follow the API's own pointers: this one does not count rows, or the list moved."""
        self._reference = cast("RowLinks", self._rows).first
        self._rows = None
        self._facts.is_numbered = True
        rows.clear()

    def update_request(self, request: Request) -> None:
        """Point the request at the next page."""
        if self._active is None or not self._has_next_page:
            return
        if self._is_rewound:
            self._is_rewound = False
            self._start(request)
            return
        if links := self._rows:
            if links.walk.offset == 0:
                self._start(request)
                return
            self._reference = links.counter.at(links.walk.offset + links.base)
        self._active.update_request(request)
        fingerprint = _fingerprint(request)
        is_pointer = isinstance(self._active, BaseReferencePaginator) and not self._rows
        if is_pointer and fingerprint in self._requested and not self._reading.had_fresh_rows:
            self._end_reading("same pointer" if self._reading.last_size else "pointer ended")
            self._has_next_page = not self._facts.done
            self.update_request(request)
        self._requested.add(fingerprint)

    def stopped_early(self) -> None:
        """Finish at a response that the configuration ignores."""
        if self._looks is not None:
            self._look_behind(PageFacts(()), [])
            return
        if not self._facts.done:
            self._reading.count()
            self._facts.is_total_reached = self._reading.is_total_reached
            self._rows = None
            self._finish("ignored response")
        self._has_next_page = False

    def refused(self, status: int) -> bool:
        """Take a refused page for the end if the page before is still good."""
        active = self._active
        if status in REFUSALS and self._looks is not None:
            self._look_behind(PageFacts(()), [])
            return True
        if status not in REFUSALS or not self._facts.pages or self._refusal:
            return False
        if self._rows:
            self._give_rows_up([])
            return True
        reading = self._reading
        if not isinstance(active, RangePaginator):
            return False
        if not reading.last_size or reading.promises_rows:
            return False
        self._refusal = status
        active.current_value -= active.value_step
        self._requested.clear()
        return True

    def _end_at_refusal(self, page: PageFacts, rows: list[Any]) -> None:
        reading, status = self._reading, self._refusal
        rows.clear()
        self._refusal = 0
        if not page.ids:
            self._finish("changed")
        elif status != 404 and len(page.ids) == reading.largest and not reading.distinct % 1000:
            self._finish("depth")
        else:
            self._end_reading("page behind")
        self._has_next_page = not self._facts.done

    def upcoming(self, count: int) -> list[dict[str, Any]]:
        """Return query parameters of up to `count` requests after the next; page numbers only."""
        active, reading = self._active, self._reading
        is_full = 0 < reading.last_size == reading.largest
        if not isinstance(active, PageNumberPaginator) or not active.param_name or not is_full:
            return []
        expected = len(self._previous.hashes) if self._previous else reading.expected_pages
        last = None if expected is None else active.initial_value + expected - 1
        ends = [end for end in (last, active.last_page) if end is not None]
        after = range(active.current_value + 1, active.current_value + count + 1)
        return [{active.param_name: page} for page in after if page <= min(ends, default=page)]


@dataclass
class RowLinks:
    """Links or cursors that count rows: they lead to any row.

    Attributes:
        first: the first pointer that the API sent.
        base: the number of the first row.
    """

    first: Any
    counter: counters.Counter
    base: int
    walk: OffsetWalk


def _build_reader(active: BasePaginator | None) -> PageReader:
    """Build what reads the pages that a paginator of dlt follows."""
    path = header = None
    if isinstance(active, JSONLinkPaginator):
        path = active.next_url_path
    elif isinstance(active, JSONResponseCursorPaginator):
        path = active.cursor_path
    elif isinstance(active, HeaderLinkPaginator):
        header = active.links_next_key
    elif isinstance(active, HeaderCursorPaginator):
        header = active.cursor_key
    has_total = not isinstance(active, PageNumberPaginator) or active.has_total
    finder = totals.TotalFinder(totals.AUTO if has_total else None)
    return PageReader(finder, getattr(active, "has_more_path", None), path, header)


def _fingerprint(request: Request) -> int:
    """Return a value that is equal for requests of the same page."""
    return hash((request.url, repr(request.params), repr(request.json)))
