"""dlt's offset paging, with OffsetWalk deciding what to ask."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable
from typing import Any, cast

from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response

from event_assets.pagination.checkpoint import Bookmark
from event_assets.pagination.offset_walk import OffsetWalk
from event_assets.pagination.result import OnResult, PaginationResult, mark_truncated, no_report
from event_assets.pagination.seen_ids import row_ids
from event_assets.pagination.totals import AUTO, TotalFinder, compile_path, find_more, overflows


class OffsetPaginator(BasePaginator):
    """A paginator with the options of dlt's OffsetPaginator that misses no row, or says so.

    `report` is called with the outcome when a run begins (not finished: False), after every
    answer, and with the verdict after the last; so whatever ends a run early, the last report
    stands. It is called before the answer's rows are handed on. A copy, deep or not, shares
    `report` and `id_of`, and every run starts fresh.

    Pages that are not to be delivered come out empty, and the seam row is taken out of its page:
    while the list stays still, every row comes out once.
    """

    def __init__(
        self,
        limit: int,
        offset: int = 0,
        offset_param: str | None = None,
        limit_param: str | None = None,
        total_path: jsonpath.TJsonPath | None = AUTO,
        maximum_offset: int | None = None,
        stop_after_empty_page: bool | None = None,
        *,
        has_more_path: jsonpath.TJsonPath | None = None,
        offset_body_path: str | None = None,
        limit_body_path: str | None = None,
        id_of: Callable[[Any], Hashable],
        report: OnResult = no_report,
        bookmark: Bookmark | None = None,
    ) -> None:
        """Options as in dlt, with these differences.

        `total_path` may be left out: the usual places are searched; None: there is no total. A
        total or has-more that is not in the answer is no error. `id_of` gives a row's id, or None.
        `bookmark` says where to begin, and is told where the run is; copies share it.

        Raises ValueError for both or neither of a parameter's name and its place in the body,
        a limit below 1, or a negative offset.
        """
        super().__init__()
        self.offset_param = _one_place("offset", offset_param, offset_body_path)
        self.limit_param = _one_place("limit", limit_param, limit_body_path)
        self.offset_body_path = offset_body_path
        self.limit_body_path = limit_body_path
        self.limit = int(limit)
        self.offset = int(offset)
        self.maximum_offset = None if maximum_offset is None else int(maximum_offset)
        self.stop_after_empty_page = stop_after_empty_page
        self._totals = TotalFinder(total_path)
        self._more_path = compile_path(has_more_path)
        self._id_of = id_of
        self._report = report
        self._bookmark = bookmark or Bookmark()
        self._walk = self._new_walk()
        self._overflows = False
        self._frontier: Hashable = None

    def _new_walk(self) -> OffsetWalk:
        return OffsetWalk(
            self.limit,
            self.offset,
            maximum=self.maximum_offset,
            stop_after_empty_page=self.stop_after_empty_page,
            parameter=self.offset_param or self.offset_body_path or "",
        )

    @property
    def outcome(self) -> PaginationResult:
        """Of this object's current or last run."""
        return mark_truncated(self._walk.outcome) if self._overflows else self._walk.outcome

    def init_request(self, request: Request) -> None:
        """Begin a new run."""
        self._walk = self._new_walk()
        self._overflows = False
        if self._bookmark.begin:
            self._walk.resume(self._bookmark.begin)
        self._bookmark.new_ids = self._walk.new_ids
        self._bookmark.at = lambda: None if self._overflows else self._walk.position()
        self._frontier = self._walk.last_id
        self._has_next_page = True
        self._report(self.outcome)
        self.update_request(request)

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Judge an answer; `data` is what the consumer will get."""
        rows = [] if data is None else data
        self._overflows |= overflows(response)
        total = self._totals.find(response)
        more = find_more(response, self._more_path)
        ids = row_ids(rows, self._id_of)
        if not self._walk.receive(ids, total, more):
            rows.clear()
        elif ids:
            if ids[0] == self._frontier:
                del rows[0]
            self._frontier = ids[-1]
        self._has_next_page = not self._walk.done
        self._report(self.outcome)

    def update_request(self, request: Request) -> None:
        """Point the request at the next page."""
        params = self._params(self._walk.offset)
        if params:
            # a new dict: the one in the request may be the caller's configuration
            request.params = {**cast("dict[str, Any]", request.params or {}), **params}
        body = [
            (self.offset_body_path, self._walk.offset),
            (self.limit_body_path, self._walk.limit),
        ]
        for path, value in body:
            if path:
                document = cast("dict[str, Any]", request.json or {})
                jsonpath.set_value_at_path(document, path, value)
                request.json = document

    def stopped_early(self) -> None:
        """The pages ended before this paginator did: the configuration ignores an answer."""
        self._walk.stopped_early()
        self._report(self.outcome)

    def upcoming(self, count: int) -> list[dict[str, Any]]:
        """Query parameters of up to `count` requests after the next, if the list stays still.

        Empty where the offset travels in the body.
        """
        if not self.offset_param:
            return []
        return [self._params(offset) for offset in self._walk.upcoming(count)]

    def _params(self, offset: int) -> dict[str, Any]:
        values = ((self.offset_param, offset), (self.limit_param, self._walk.limit))
        return {name: value for name, value in values if name}

    def __copy__(self) -> OffsetPaginator:
        twin = OffsetPaginator.__new__(OffsetPaginator)
        vars(twin).update(vars(self))
        twin._walk = twin._new_walk()
        twin._overflows = False
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> OffsetPaginator:
        return copy.copy(self)

    def __str__(self) -> str:
        return f"OffsetPages at offset {self._walk.offset}, limit {self.limit}"


def _one_place(name: str, param: str | None, body_path: str | None) -> str | None:
    """The query parameter to use; None if the value travels in the body."""
    if param is None and body_path is None:
        return name
    if bool(param) == bool(body_path):
        raise ValueError(f"give either '{name}_param' or '{name}_body_path', not both")
    return param or None
