"""Combine the results of many lists, one for each parent record."""

from __future__ import annotations

from event_assets.pagination.evidence import judge
from event_assets.pagination.facts import ListFacts, add_counts
from event_assets.pagination.result import PaginationResult


class ResultAggregator:
    """Combines the results of many lists.

    The result is complete if each list is. A list without a response, because the configuration
    ignores it (`response_actions`), counts as empty.
    """

    def __init__(self) -> None:
        self._sums = ListFacts()
        self._lists = self._incomplete = 0
        self._worst: PaginationResult | None = None  # the first that is False, or else None

    def add(self, facts: ListFacts) -> None:
        """Add the facts of a list that has ended."""
        result = judge(facts)
        self._lists += 1
        self._sums = add_counts(self._sums, facts)
        if result.pages and result.complete is not True:
            self._incomplete += 1
            if self._worst is None or (self._worst.complete is None and result.complete is False):
                self._worst = result

    def unfinished(self, current: ListFacts) -> ListFacts:
        """Return the counts so far, with those of the list in progress."""
        return add_counts(self._sums, current)

    @property
    def result(self) -> PaginationResult:
        """The combined result, after all lists have ended."""
        rows, lists, worst = self._sums.distinct, f"{self._lists:,} lists", self._worst
        complete: bool | None = True
        reason = f"All {rows:,} rows of {lists} were received."
        if self._lists and not self._sums.pages:
            complete = None
            reason = (
                f"None of {lists} was read: response_actions ignored every response. Check the "
                "endpoint's path."
            )
        elif worst:
            complete = worst.complete
            reason = (
                f"{rows:,} rows received; {self._incomplete:,} of {lists} may be incomplete: "
                f"{worst.reason}"
            )
        return judge(self._sums)._replace(complete=complete, reason=reason)
