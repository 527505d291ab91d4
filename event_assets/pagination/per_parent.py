"""Many short lists, one for each parent record, as one reading."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response

from event_assets.pagination.result import OnResult, PaginationResult, no_report

FIGURES = ("pages", "rows", "distinct_ids", "overlaps_confirmed", "shifts_recovered")


class ResultAggregator:
    """Adds up the outcomes of many readings, from any thread.

    Complete is what every single one is. One that ended without an answer, because the
    configuration ignores it (`response_actions`), counts as an empty list.
    """

    def __init__(self, report: OnResult = no_report) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._sums = dict.fromkeys(FIGURES, 0)
        self._begun = 0
        self._latest: dict[int, PaginationResult] = {}

    def begin(self) -> OnResult:
        """Give the report for one more reading."""
        with self._lock:
            self._begun += 1
            number = self._begun
        return lambda outcome: self._note(number, outcome)

    def _note(self, number: int, outcome: PaginationResult) -> None:
        with self._lock:
            before = self._latest.get(number, PaginationResult(False, ""))
            for name in FIGURES:
                self._sums[name] += getattr(outcome, name) - getattr(before, name)
            self._latest[number] = outcome
            now = PaginationResult(False, "The reading did not finish.", **self._sums)
        self._report(now)

    def finish(self) -> PaginationResult:
        """Give the verdict, when all readings have ended."""
        read = [outcome for outcome in self._latest.values() if outcome.pages]
        bad = [outcome for outcome in read if outcome.complete is not True]
        bad.sort(key=lambda outcome: outcome.complete is None)
        came, lists = self._sums["distinct_ids"], f"{len(self._latest):,} lists"
        reason = f"All {came:,} rows of {lists} came."
        if self._latest and not read:
            reason = f"Of {lists} none was answered, but by what response_actions ignore."
            return PaginationResult(None, f"{reason} Is the endpoint's path right?", **self._sums)
        if bad:
            reason = f"{came:,} rows came; of {lists}, {len(bad):,} give reason to doubt: "
            reason += bad[0].reason
        return PaginationResult(bad[0].complete if bad else True, reason, **self._sums)


class PerParentPaginator(BasePaginator):
    """Stands for the paginators of many readings: dlt copies it for each."""

    def __init__(self, make: Callable[[], BasePaginator]) -> None:
        super().__init__()
        self._make = make

    def __deepcopy__(self, memo: dict[int, Any]) -> BasePaginator:
        return self._make()

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Never called: only copies are used."""
        raise TypeError(f"a copy is to be used for {response} and {data}")

    def update_request(self, request: Request) -> None:
        """Never called: only copies are used."""
        raise TypeError(f"a copy is to be used for {request}")
