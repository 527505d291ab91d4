"""Results of lists are combined and judged."""

from __future__ import annotations

import pytest

from event_assets.pagination.evidence import judge
from event_assets.pagination.facts import ListFacts
from event_assets.pagination.per_parent import ResultAggregator
from event_assets.pagination.result import PaginationResult, mark_changed_while_interrupted

ALL = ListFacts("overlaps", pages=2, rows=4, distinct=3, overlaps=1, shifts=2)
IGNORED = ListFacts("ignored response")
UNVERIFIED = ListFacts("no paginator", pages=1, rows=2, distinct=2)
MISSING = ListFacts("same pointer", pages=1, rows=1, distinct=1)


def combined(*lists: ListFacts) -> PaginationResult:
    aggregator = ResultAggregator()
    for facts in lists:
        aggregator.add(facts)
    return aggregator.result


def test_lists_that_are_complete_or_ignored_are_complete_together() -> None:
    result = combined(ALL, IGNORED, ALL)
    said = "All 6 rows of 3 lists were received."
    assert result == PaginationResult(
        complete=True,
        reason=said,
        pages=4,
        rows=8,
        distinct_ids=6,
        overlaps_confirmed=2,
        shifts_recovered=4,
        passes=1,
        total_reported=None,
    )
    assert combined().complete is True


@pytest.mark.parametrize("order", [1, -1])
def test_one_list_that_misses_rows_makes_all_of_them_incomplete(order: int) -> None:
    result = combined(*[ALL, UNVERIFIED, MISSING][::order])
    assert result.complete is False
    said = "6 rows received; 2 of 3 lists may be incomplete: The API returned the same cursor"
    assert result.reason.startswith(said)
    assert combined(ALL, UNVERIFIED).complete is None


def test_lists_of_which_none_was_read_are_not_called_complete() -> None:
    result = combined(IGNORED, IGNORED)
    assert result.complete is None
    assert "None of 2 lists was read" in result.reason


def test_the_list_in_progress_counts_only_once_it_is_added() -> None:
    aggregator = ResultAggregator()
    aggregator.add(ALL)
    for pages in (1, 2):
        shown = aggregator.unfinished(ListFacts(pages=pages, rows=pages))
        assert (shown.done, shown.pages, shown.rows) == (False, 2 + pages, 4 + pages)
    assert aggregator.result.pages == 2


def test_a_list_that_changed_while_the_sync_was_interrupted_is_not_called_complete() -> None:
    result = mark_changed_while_interrupted(judge(ALL))
    assert result.complete is None
    assert result.reason.startswith("3 rows received, but the list changed while the sync was")
    for unverified in (judge(UNVERIFIED), judge(MISSING)):
        assert mark_changed_while_interrupted(unverified) is unverified


@pytest.mark.parametrize("order", [1, -1])
def test_a_pointer_in_one_list_ends_the_others_by_its_absence(order: int) -> None:
    without = ListFacts("no pointer", pages=1, rows=10, distinct=10)
    with_pointer = ListFacts("pointer ended", pages=2, rows=12, distinct=12, pointers=1)
    assert combined(without, ALL).complete is None
    assert combined(*[without, with_pointer][::order]).complete is True
