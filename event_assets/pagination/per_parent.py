"""Paginate many lists, one for each parent record, and combine their results."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response

from event_assets.pagination.result import UNFINISHED, OnResult, PaginationResult

SUMMED_FIELDS = ("pages", "rows", "distinct_ids", "overlaps_confirmed", "shifts_recovered")


class ResultAggregator:
    """Combines the results of many lists. Thread-safe.

    The result is complete if each list is. A list without a response, because the configuration
    ignores it (`response_actions`), counts as empty.
    """

    def __init__(self, on_result: OnResult) -> None:
        self._on_result = on_result
        self._lock = threading.Lock()
        self._sums = dict.fromkeys(SUMMED_FIELDS, 0)
        self._started = 0
        self._latest: dict[int, PaginationResult] = {}

    def start_list(self) -> OnResult:
        """Return the callback for the results of one more list."""
        with self._lock:
            self._started += 1
            number = self._started
        return lambda result: self._add(number, result)

    def _add(self, number: int, result: PaginationResult) -> None:
        with self._lock:
            previous = self._latest.get(number, PaginationResult(False, ""))
            for name in SUMMED_FIELDS:
                self._sums[name] += getattr(result, name) - getattr(previous, name)
            self._latest[number] = result
            combined = PaginationResult(False, UNFINISHED, **self._sums)
        self._on_result(combined)

    def finish(self) -> PaginationResult:
        """Return the combined result, after all lists have ended."""
        read = [result for result in self._latest.values() if result.pages]
        incomplete = [result for result in read if result.complete is not True]
        incomplete.sort(key=lambda result: result.complete is None)
        rows, lists = self._sums["distinct_ids"], f"{len(self._latest):,} lists"
        reason = f"All {rows:,} rows of {lists} were received."
        if self._latest and not read:
            reason = f"None of {lists} was read: response_actions ignored every response."
            return PaginationResult(None, f"{reason} Check the endpoint's path.", **self._sums)
        if incomplete:
            reason = f"{rows:,} rows received; {len(incomplete):,} of {lists} may be incomplete: "
            reason += incomplete[0].reason
        complete = incomplete[0].complete if incomplete else True
        return PaginationResult(complete, reason, **self._sums)


class PerParentPaginator(BasePaginator):
    """A paginator that builds a new one for each list, when dlt copies it."""

    def __init__(self, make_paginator: Callable[[], BasePaginator]) -> None:
        super().__init__()
        self._make_paginator = make_paginator

    def __deepcopy__(self, memo: dict[int, Any]) -> BasePaginator:
        return self._make_paginator()

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Raise: only copies may be used."""
        raise TypeError(f"use a copy for {response} and {data}")

    def update_request(self, request: Request) -> None:
        """Raise: only copies may be used."""
        raise TypeError(f"use a copy for {request}")
