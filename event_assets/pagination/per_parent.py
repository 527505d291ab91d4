"""Combine the results of many lists, one for each parent record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from event_assets.pagination.evidence import judge
from event_assets.pagination.facts import ListFacts, add_counts
from event_assets.pagination.result import PaginationResult
from event_assets.values.wording import counted

# Ends that prove nothing by themselves, unless a count of all lists together is not 0: a link or
# cursor that came in one list ends the others by its absence, and rows show that windows work.
PROVEN_BY: Final = {"no pointer": "pointers", "empty windows": "distinct"}


class ResultAggregator:
    """Combines the results of many lists.

    The result is complete if each list is, and not all have the same rows. A list without a
    response, because the configuration ignores it (`response_actions`), counts as empty.

    Attributes:
        filters_by_parent: whether the API is known to filter by the parent.
    """

    def __init__(self, asked_by: str = "the parent") -> None:
        """`asked_by` names what the requests of the lists differ in."""
        self._asked_by = asked_by
        self.filters_by_parent = False
        self._first: ListFacts | None = None
        self._are_same = True  # whether all lists so far have the same rows
        self._sums = ListFacts()
        self._lists = 0
        # of lists, with the count that would prove them complete, if any
        self._problems: list[tuple[str, bool | None, str]] = []

    def add(self, facts: ListFacts) -> None:
        """Add the facts of a list that has ended."""
        result = judge(facts)
        self._lists += 1
        first = self._first = self._first or facts
        self._are_same &= facts.distinct == first.distinct and facts.first_rows == first.first_rows
        self._sums = add_counts(self._sums, facts)
        if facts.pages and result.complete is not True:
            proof = "" if result.complete is False else PROVEN_BY.get(facts.end, "")
            self._problems.append((proof, result.complete, result.reason))

    @property
    def repeated(self) -> Sequence[Any]:
        """The first page of all lists, if they have the same rows; two may honestly share one."""
        rows = self._first.first_rows if self._are_same and self._first else ()
        return rows if (self._lists - 1) * len(rows) > 1 else ()

    def unfinished(self, current: ListFacts) -> ListFacts:
        """Return the counts so far, with those of the list in progress."""
        return add_counts(self._sums, current)

    @property
    def result(self) -> PaginationResult:
        """The combined result, after all lists have ended."""
        sums, lists = self._sums, counted(self._lists, "list")
        found = [
            (complete, reason)
            for proof, complete, reason in self._problems
            if not (proof and getattr(sums, proof))
        ]
        complete, worst = min(found, key=lambda one: one[0] is None, default=(True, ""))
        rows = "The only row" if sums.distinct == 1 else f"All {sums.distinct:,} rows"
        reason = f"{rows} of {lists} {'was' if sums.distinct == 1 else 'were'} received."
        if self._lists and not sums.pages:
            complete = None
            reason = (
                f"None of {lists} was read: response_actions ignored every response. Check the "
                "endpoint's path."
            )
        elif found:
            reason = (
                f"{sums.distinct:,} rows received; {len(found):,} of {lists} may be incomplete: "
                f"{worst}"
            )
        elif self.repeated and not self.filters_by_parent:
            complete = None
            reason = (
                f"{sums.distinct:,} rows received, the same in each of {lists}: the API may ignore "
                f"{self._asked_by}."
            )
        return PaginationResult(complete, reason, sums)
