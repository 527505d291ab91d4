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
        self._lists = 0
        self._incomplete: list[PaginationResult] = []
        self._without_pointer: list[PaginationResult] = []  # which prove nothing by themselves

    def add(self, facts: ListFacts) -> None:
        """Add the facts of a list that has ended."""
        result = judge(facts)
        self._lists += 1
        self._sums = add_counts(self._sums, facts)
        if result.pages and result.complete is not True:
            is_open = facts.end == "no pointer" and result.complete is None
            (self._without_pointer if is_open else self._incomplete).append(result)

    def unfinished(self, current: ListFacts) -> ListFacts:
        """Return the counts so far, with those of the list in progress."""
        return add_counts(self._sums, current)

    @property
    def result(self) -> PaginationResult:
        """The combined result, after all lists have ended."""
        rows, lists = self._sums.distinct, f"{self._lists:,} lists"
        # a link or cursor that came in one list ends the others by its absence
        found = self._incomplete + ([] if self._sums.pointers else self._without_pointer)
        worst = min(found, key=lambda result: result.complete is None, default=None)
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
                f"{rows:,} rows received; {len(found):,} of {lists} may be incomplete: "
                f"{worst.reason}"
            )
        return judge(self._sums)._replace(complete=complete, reason=reason)
