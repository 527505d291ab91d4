"""Results of lists are combined and judged."""

from __future__ import annotations

import pytest

from event_assets.pagination.per_parent import ResultAggregator
from event_assets.pagination.result import PaginationResult, mark_changed_while_interrupted

ALL = PaginationResult(True, "All 3 rows were received.", 2, 4, 3, 1)
IGNORED = PaginationResult(None, "0 rows received.")
UNVERIFIED = PaginationResult(None, "No total.", 1, 2, 2)
MISSING = PaginationResult(False, "Rows are missing.", 1, 1, 1)


def combined(*results: PaginationResult) -> PaginationResult:
    aggregator = ResultAggregator()
    for result in results:
        aggregator.add(result)
    return aggregator.result


def test_lists_that_are_complete_or_ignored_are_complete_together() -> None:
    result = combined(ALL, IGNORED, ALL)
    assert result == PaginationResult(True, "All 6 rows of 3 lists were received.", 4, 8, 6, 2)
    assert combined().complete is True


@pytest.mark.parametrize("order", [1, -1])
def test_one_list_that_misses_rows_makes_all_of_them_incomplete(order: int) -> None:
    result = combined(*[ALL, UNVERIFIED, MISSING][::order])
    assert result.complete is False
    assert result.reason == ("6 rows received; 2 of 3 lists may be incomplete: Rows are missing.")
    assert combined(ALL, UNVERIFIED).complete is None


def test_lists_of_which_none_was_read_are_not_called_complete() -> None:
    result = combined(IGNORED, IGNORED)
    assert result.complete is None
    assert "None of 2 lists was read" in result.reason


def test_the_list_in_progress_counts_only_once_it_is_added() -> None:
    aggregator = ResultAggregator()
    aggregator.add(ALL)
    for pages in (1, 2):
        shown = aggregator.unfinished(PaginationResult(False, "", pages=pages, rows=pages))
        assert (shown.complete, shown.pages, shown.rows) == (False, 2 + pages, 4 + pages)
    assert aggregator.result.pages == 2


def test_a_list_that_changed_while_the_sync_was_interrupted_is_not_called_complete() -> None:
    result = mark_changed_while_interrupted(ALL)
    assert result.complete is None
    assert result.reason.startswith("3 rows received, but the list changed while the sync was")
    assert mark_changed_while_interrupted(UNVERIFIED) is UNVERIFIED
    assert mark_changed_while_interrupted(MISSING) is MISSING
