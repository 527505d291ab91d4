"""dlt's offset pagination, driven by `OffsetWalk`."""

from __future__ import annotations

from typing import Any, cast

from dlt.common import jsonpath
from requests import Request, Response

from event_assets.pagination import totals
from event_assets.pagination.evidence import ListFacts
from event_assets.pagination.offset_walk import OffsetWalk
from event_assets.pagination.page_facts import PageFacts, PageReader
from event_assets.pagination.paginator import REFUSALS, Paginator
from event_assets.pagination.seen_ids import ReadIds, extract_ids


class OffsetPaginator(Paginator):
    """A paginator with the options of dlt's OffsetPaginator that misses no row, or reports it.

    Pages that must not be delivered are emptied, and the overlapping row is removed from its page:
    while the list does not change, every row is delivered once.
    """

    def __init__(
        self,
        limit: int,
        offset: int = 0,
        offset_param: str | None = None,
        limit_param: str | None = None,
        total_path: jsonpath.TJsonPath | None = totals.AUTO,
        maximum_offset: int | None = None,
        stop_after_empty_page: bool | None = None,
        *,
        has_more_path: jsonpath.TJsonPath | None = None,
        offset_body_path: str | None = None,
        limit_body_path: str | None = None,
        read_ids: ReadIds,
    ) -> None:
        """Accept dlt's options, with these differences.

        `total_path` is optional: the usual paths are searched; None: there is no total. A missing
        total or has-more is not an error. `read_ids` returns the ids of rows, or None. Raises
        ValueError for invalid options.
        """
        super().__init__()
        self.offset_param = _query_param("offset", offset_param, offset_body_path)
        self.limit_param = _query_param("limit", limit_param, limit_body_path)
        self.offset_body_path = offset_body_path
        self.limit_body_path = limit_body_path
        self.limit = int(limit)
        self.offset = int(offset)
        self.maximum_offset = None if maximum_offset is None else int(maximum_offset)
        self.stop_after_empty_page = stop_after_empty_page
        self._more_path = totals.compile_path(has_more_path)
        self._reader = PageReader(totals.TotalFinder(total_path), self._more_path)
        self._last = PageFacts(())
        self._read_ids = read_ids
        self._is_truncated = False
        self._walk = OffsetWalk(
            self.limit,
            self.offset,
            maximum=self.maximum_offset,
            stop_after_empty_page=self.stop_after_empty_page,
            parameter=self.offset_param or self.offset_body_path or "",
        )

    @property
    def facts(self) -> ListFacts:
        """What is known of the list so far."""
        facts = self._walk.facts
        facts.last, facts.is_truncated = self._last, self._is_truncated
        return facts

    def init_request(self, request: Request) -> None:
        """Point the request at the first page."""
        self._request = request
        self.update_request(request)

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Process a response; `data` is the list that dlt delivers."""
        rows = [] if data is None else data
        page = self._reader.read(response, extract_ids(rows, self._read_ids), self._request)
        self._last = page
        self._is_truncated |= page.is_truncated
        self._walk.take(page, rows, more=totals.find_has_more(response, self._more_path))
        self._has_next_page = not self._walk.done

    def refused(self, status: int) -> bool:
        """Take a refused page behind the end for an empty one."""
        if status not in REFUSALS or not self._walk.is_behind_end:
            return False
        self._walk.receive(())
        self._has_next_page = not self._walk.done
        return True

    def update_request(self, request: Request) -> None:
        """Point the request at the next page."""
        if params := self._params(self._walk.offset):
            # a new dict: the request's may be the caller's configuration
            request.params = {**cast("dict[str, Any]", request.params or {}), **params}
        offset, limit = self._walk.offset, self._walk.limit
        for path, value in ((self.offset_body_path, offset), (self.limit_body_path, limit)):
            if path:
                document = cast("dict[str, Any]", request.json or {})
                jsonpath.set_value_at_path(document, path, value)
                request.json = document

    def stopped_early(self) -> None:
        """Finish at a response that the configuration ignores; behind the end, it is empty."""
        if self._walk.is_behind_end:
            self._walk.receive(())
        else:
            self._walk.stopped_early()
        self._has_next_page = not self._walk.done

    def upcoming(self, count: int) -> list[dict[str, Any]]:
        """Return query parameters of up to `count` requests after the next; none in a body."""
        if not self.offset_param:
            return []
        return [self._params(offset) for offset in self._walk.upcoming(count)]

    def _params(self, offset: int) -> dict[str, Any]:
        values = ((self.offset_param, offset), (self.limit_param, self._walk.limit))
        return {name: value for name, value in values if name}


def _query_param(name: str, param: str | None, body_path: str | None) -> str | None:
    """Return the name of the query parameter; None if the value is sent in the body."""
    if param is None and body_path is None:
        return name
    if bool(param) == bool(body_path):
        raise ValueError(f"set either '{name}_param' or '{name}_body_path', not both")
    return param or None
