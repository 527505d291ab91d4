"""Results of lists are combined and judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from event_assets.pagination.evidence import judge
from event_assets.pagination.facts import NO_PAGE, ListFacts, ListSettings, PageFacts
from event_assets.pagination.per_parent import ListAggregator
from event_assets.pagination.result import PaginationResult

ALL = ListFacts("overlaps", pages=2, rows=4, distinct=3, overlaps=1, shifts=2)
IGNORED = ListFacts("ignored response")
UNVERIFIED = ListFacts("no paginator", pages=1, rows=2, distinct=2)
MISSING = ListFacts("same pointer", pages=1, rows=1, distinct=1)


def combined(*lists: ListFacts) -> PaginationResult:
    aggregator = ListAggregator()
    for facts in lists:
        aggregator.add(facts)
    return judge(aggregator.facts)


def test_lists_that_are_complete_or_ignored_are_complete_together() -> None:
    result = combined(ALL, IGNORED, ALL)
    sums = ListFacts("lists", pages=4, rows=8, distinct=6, overlaps=2, shifts=4)
    assert replace(result.facts, values={}) == sums
    assert (result.complete, result.reason) == (True, "All 6 rows were received, in 3 lists.")
    assert combined().complete is True


@pytest.mark.parametrize("order", [1, -1])
def test_one_list_that_misses_rows_makes_all_of_them_incomplete(order: int) -> None:
    result = combined(*[ALL, UNVERIFIED, MISSING][::order])
    assert result.complete is False
    said = "6 rows received; 2 of 3 lists may be incomplete: The API returned the same cursor"
    assert result.reason.startswith(said)
    assert combined(ALL, UNVERIFIED).complete is None


@pytest.mark.parametrize(
    ("rows", "complete"), [([{"id": 1}], None), ([{"id": 2}], True), ([], True)]
)
def test_the_same_rows_for_each_parent_are_not_called_complete(
    rows: list[Any], complete: bool | None
) -> None:
    first, other = (replace(ALL, first_rows=shown) for shown in ([{"id": 1}], rows))
    result = combined(first, first, other)
    assert result.complete is complete
    assert complete or "the same in each of 3 lists: the API may ignore the par" in result.reason
    assert combined(first).complete is combined(first, first).complete is True
    assert combined(first, replace(first, distinct=4)).complete is True


def test_lists_of_which_none_was_read_are_not_called_complete() -> None:
    result = combined(IGNORED, IGNORED)
    assert result.complete is None
    assert "None of 2 lists was read" in result.reason


def test_the_list_in_progress_counts_only_once_it_is_added() -> None:
    aggregator = ListAggregator()
    aggregator.add(ALL)
    for pages in (1, 2):
        shown = aggregator.unfinished(ListFacts(pages=pages, rows=pages))
        assert (shown.end, shown.pages, shown.rows) == ("unfinished", 2 + pages, 4 + pages)
    assert aggregator.facts.pages == 2


def test_only_a_complete_result_is_doubted() -> None:
    assert judge(ALL).doubted("It changed.")[:2] == (None, "It changed.")
    for unverified in (judge(UNVERIFIED), judge(MISSING)):
        assert unverified.doubted("It changed.") is unverified


@pytest.mark.parametrize("order", [1, -1])
def test_a_pointer_in_one_list_ends_the_others_by_its_absence(order: int) -> None:
    without = ListFacts("no pointer", pages=1, rows=10, distinct=10)
    with_pointer = ListFacts("pointer ended", pages=2, rows=12, distinct=12, pointers=1)
    assert combined(without, ALL).complete is None
    assert combined(*[without, with_pointer][::order]).complete is True


def test_rows_in_one_list_show_that_the_windows_of_the_others_are_right() -> None:
    values = {"windows": "1 window", "param_from": "from", "param_to": "to"}
    without = ListFacts("empty windows", pages=1, values=values)
    assert combined(without, without).complete is None
    assert combined(without, ALL).complete is True


def ended(end: str, *, last: PageFacts = NO_PAGE, **facts: Any) -> ListFacts:
    counted = {"pages": 2, "rows": 12, "distinct": 12, "rows_read": 12, **facts}
    return ListFacts(end, last=last, **counted)


PAGE = PageFacts(tuple(range(7)))
MORE, NO_MORE = PAGE._replace(has_more=True), PAGE._replace(has_more=False)
NEXT = PAGE._replace(unfollowed="`next`")


@pytest.mark.parametrize(
    ("facts", "complete", "said"),
    [
        (ended("page behind"), True, "All 12 rows were received."),
        (ended("page behind", truncated="`overflow: true`"), False, "`overflow: true`"),
        (ended("page behind", least_total=13), False, "reports 13 rows but sent 12"),
        (ended("page behind", least_total=12), True, "All 12 rows were received."),
        (ended("page behind", least_total=13, rows_read=13), None, "share an id"),
        (ended("page behind", rows_read=13), True, "All 12 rows were received."),
        (ended("page behind", least_total=12, rows_read=13), True, "All 12 rows were received."),
        (ended("readings agree", rows_read=13), None, "share an id"),
        (ended("readings agree"), True, "the same in two readings"),
        (ListFacts("readings agree"), True, "the same in two readings"),
        (ended("lap", is_total_reached=True), True, "as the API reports"),
        (ended("changed", is_total_reached=True), None, "no two of which agree"),
        (ended("page behind", last=MORE), False, "more follow (`has_more`)"),
        (ended("overlaps", last=MORE), False, "more follow (`has_more`)"),
        (ended("limit", last=MORE), None, "stopped at"),
        (ended("pointer ended", last=NO_MORE), True, "no more follow"),
        (ended("lap", last=NO_MORE), True, "no more follow"),
        (ended("overlaps", last=NO_MORE), True, "All 12 rows were received."),
        (ended("single page", last=NEXT), False, "`next` in the response leads to more"),
        (ended("short page", last=NEXT), False, "`next` in the response leads to more"),
        (ended("pointer ended", last=NEXT, pointers=1), True, "All 12 rows were received."),
        (ended("page behind", last=NEXT), True, "All 12 rows were received."),
        (ended("no pointer", last=PAGE), None, "a link or cursor was not found"),
        (ended("no pointer", last=PAGE, is_pointer_found=True), True, "All 12 rows were received."),
        (ended("no pointer", last=PAGE._replace(size_asked=9)), True, "All 12 rows"),
        (ended("no pointer", last=PAGE._replace(size_asked=7)), None, "was not found"),
        (
            ended("no pointer", last=PAGE._replace(size_asked=7), is_pointer_found=True),
            None,
            "as many as a page has",
        ),
        (ended("overlaps", rows=0), True, "The list is empty."),
        (ended("single page", rows=0), True, "The list is empty."),
        (ended("overlaps", rows=0, said=" It says: oops."), None, "may be about an error"),
        (ended("page behind", last=NO_MORE, said=" It says: oops."), True, "no more follow"),
        (ended("limit", rows=0), None, "stopped at"),
    ],
)
def test_the_first_evidence_that_holds_decides(
    facts: ListFacts, complete: bool | None, said: str
) -> None:
    result = judge(facts)
    assert result.complete is complete
    assert said in result.reason


def test_a_pointer_that_still_stands_at_an_end_is_named() -> None:
    for last in (NO_MORE._replace(pointer="x"), NO_MORE._replace(unfollowed="`next`")):
        named = "the cursor or link" if last.pointer else "`next`"
        assert f", though {named} still leads on." in judge(ended("lap", last=last)).reason
    assert "though" not in judge(ended("lap", last=NO_MORE)).reason


@pytest.mark.parametrize(
    ("pointer", "said"),
    [
        ("the paginator's next_url_path `n`", "check the paginator's next_url_path `n`."),
        ("the paginator's cursor_path `n`", "and that the API takes the parameter 'after'."),
        ("", "check the `paginator`."),
    ],
)
def test_what_to_check_is_named_where_a_pointer_comes_again(pointer: str, said: str) -> None:
    settings = ListSettings(pointer=pointer, parameter="after")
    assert judge(ended("same pointer", settings=settings)).reason.endswith(said)


def test_a_path_that_was_not_found_is_named() -> None:
    paths = ListSettings(pointer="the paginator's next_url_path `n`", total="total_path")
    said = judge(ended("single page", last=NEXT, settings=paths)).reason
    assert "follow it (the paginator's next_url_path `n` was not found)" in said
    assert "No number was found at total_path." in said
    facts = ended("single page", last=NEXT, is_pointer_found=True, reported=7, settings=paths)
    found = judge(facts)
    assert "was not found" not in found.reason
    assert "No number" not in found.reason
