"""Combine the facts of many lists, one for each parent record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from event_assets.pagination.evidence import judge
from event_assets.pagination.facts import ListFacts, add_counts
from event_assets.values.wording import counted

# Ends that prove nothing by themselves, unless a count of all lists together is not 0: a link or
# cursor that came in one list ends the others by its absence, and rows show that windows work.
PROVEN_BY: Final = {"no pointer": "pointers", "empty windows": "distinct"}


class ListAggregator:
    """Combines the facts of many lists.

    They are complete if each list is, and not all have the same rows. A list whose responses are
    all ignored counts as empty.
    """

    def __init__(self, parent: str = "the parent") -> None:
        """`parent` names what the requests of the lists differ in."""
        self._parent = parent
        self.filters_by_parent = False  # whether the API is known to do so
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
    def facts(self) -> ListFacts:
        """The combined facts, after all lists have ended."""
        sums = self._sums
        found = [
            (complete, reason)
            for proof, complete, reason in self._problems
            if not (proof and getattr(sums, proof))
        ]
        complete, worst = min(found, key=lambda one: one[0] is None, default=(True, ""))
        ends = {
            "lists ignored": self._lists and not sums.pages,
            "list incomplete": complete is False,
            "list unverified": complete is None,
            "same lists": self.repeated and not self.filters_by_parent,
            "lists": True,
        }
        end = next(name for name, holds in ends.items() if holds)
        lists, doubted = counted(self._lists, "list"), len(found)
        values = {"lists": lists, "doubted": doubted, "problem": worst, "parent": self._parent}
        return replace(sums, end=end, values=values)
