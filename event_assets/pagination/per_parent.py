"""Combine the results of many lists, one for each parent record."""

from __future__ import annotations

from typing import Final

from event_assets.pagination.evidence import judge
from event_assets.pagination.facts import ListFacts, add_counts
from event_assets.pagination.result import PaginationResult

# Ends that prove nothing by themselves, unless a count of all lists together is not 0: a link or
# cursor that came in one list ends the others by its absence, and rows show that windows work.
PROVEN_BY: Final = {"no pointer": "pointers", "empty windows": "distinct"}


class ResultAggregator:
    """Combines the results of many lists.

    The result is complete if each list is, and not all have the same rows. A list without a
    response, because the configuration ignores it (`response_actions`), counts as empty.
    """

    def __init__(self, asked_by: str = "the parent") -> None:
        """`asked_by` names what the requests of the lists differ in."""
        self._asked_by = asked_by
        self._first: ListFacts | None = None
        self._are_same = True  # the lists so far
        self._sums = ListFacts()
        self._lists = 0
        self._incomplete: list[PaginationResult] = []
        self._open: list[tuple[str, PaginationResult]] = []  # with the count that would prove it

    def add(self, facts: ListFacts) -> None:
        """Add the facts of a list that has ended."""
        result = judge(facts)
        self._lists += 1
        first = self._first = self._first or facts
        self._are_same &= facts.distinct == first.distinct and facts.first_rows == first.first_rows
        self._sums = add_counts(self._sums, facts)
        if result.pages and result.complete is not True:
            if result.complete is None and facts.end in PROVEN_BY:
                self._open.append((PROVEN_BY[facts.end], result))
            else:
                self._incomplete.append(result)

    def unfinished(self, current: ListFacts) -> ListFacts:
        """Return the counts so far, with those of the list in progress."""
        return add_counts(self._sums, current)

    @property
    def result(self) -> PaginationResult:
        """The combined result, after all lists have ended."""
        rows, lists = self._sums.distinct, f"{self._lists:,} lists"
        unproven = [result for count, result in self._open if not getattr(self._sums, count)]
        found = self._incomplete + unproven
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
        elif self._lists > 1 and self._are_same and self._first and self._first.first_rows:
            complete = None
            reason = (
                f"{rows:,} rows received, the same in each of {lists}: the API may ignore "
                f"{self._asked_by}."
            )
        return judge(self._sums)._replace(complete=complete, reason=reason)
