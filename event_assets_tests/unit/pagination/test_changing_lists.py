"""Rows that stay in a list while it is read are delivered, or `complete` is not passed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_assets_tests.support.list_models import PAGINATORS, ChangingList
from event_assets_tests.support.list_readers import read, read_in_windows, read_lists
from event_assets_tests.support.offset_lists import (
    EXAMPLES,
    Edit,
    deletions,
    insertions,
    moves,
    quick,
    scripts,
)

NUMBERED = ["page", "page in the body"]
WHOLE_PAGES = "offset of whole pages"
COUNTING_PAGES = [WHOLE_PAGES, *(kind for kind in PAGINATORS if kind.startswith("page"))]
BY_KEY = [kind for kind in PAGINATORS if kind.startswith("key")]
LASTS: list[Mapping[str, Any] | None] = [{"next": None}, {}, {"next": False}, {"next": ""}, None]
kinds = st.sampled_from(sorted(PAGINATORS))
lengths = st.integers(0, 40)
few = settings(quick, max_examples=EXAMPLES // 2)


@dataclass
class Found:
    """A list, and what a paginator found in it."""

    listed: ChangingList
    delivered: set[int]
    complete: bool | None

    @property
    def is_safe(self) -> bool:
        return self.listed.staying <= self.delivered or self.complete is not True


def found(
    kind: str,
    length: int,
    script: list[list[Edit]],
    accidents: Mapping[int, int] | None = None,
    **server: Any,
) -> Found:
    listed = ChangingList(list(range(length)), **server)
    delivered, result, _ = read(kind, listed, script, accidents)
    return Found(listed, delivered, result.complete)


@quick
@given(
    kinds,
    lengths,
    scripts(insertions, deletions),
    st.sampled_from(["none", "too high", "length of the page", "always zero"]),
    st.sampled_from(["none", "has_more"]),
    st.sampled_from(["empty", "refused"]),
    st.sampled_from(LASTS),
)
def test_no_row_that_stays_is_lost_by_insertions_and_deletions(
    kind: str,
    length: int,
    script: list[list[Edit]],
    total: str,
    flag: str,
    behind: str,
    last: Mapping[str, Any] | None,
) -> None:
    server: dict[str, Any] = {"total": total, "flag": flag, "behind": behind, "last": last}
    assert found(kind, length, script, **server).is_safe


@quick
@given(
    kinds,
    lengths,
    scripts(deletions),
    st.sampled_from(["true", "pages", "pages as a total"]),
    st.sampled_from(["empty", "refused"]),
)
def test_no_row_that_stays_is_lost_by_deletions_with_a_total(
    kind: str, length: int, script: list[list[Edit]], total: str, behind: str
) -> None:
    assert found(kind, length, script, total=total, behind=behind).is_safe


@pytest.mark.parametrize("at", [1, 2, 3, 4])
@pytest.mark.parametrize("length", [9, 16, 17, 20])
@pytest.mark.parametrize("kind", COUNTING_PAGES)
def test_an_insertion_hides_no_deletion_in_the_total_of_five_pages(
    kind: str, length: int, at: int
) -> None:
    script: list[list[Edit]] = [[] for _ in range(at - 1)]
    listed = ChangingList(list(range(length)), total="true")
    change: list[Edit] = [("delete", 0, 1), ("insert", 30, 1)]
    delivered, result, _ = read(kind, listed, [*script, change])
    assert listed.staying <= delivered or (kind == WHOLE_PAGES and result.complete is False)


@pytest.mark.parametrize("at", range(1, 16))
@pytest.mark.parametrize("kind", COUNTING_PAGES)
def test_an_insertion_hides_no_deletion_at_the_start_of_a_list(kind: str, at: int) -> None:
    script: list[list[Edit]] = [[] for _ in range(at - 1)]
    listed = ChangingList(list(range(62)), total="true")
    change: list[Edit] = [("delete", 0, 1), ("insert", 30, 1)]
    delivered, result, _ = read(kind, listed, [*script, change])
    assert listed.staying <= delivered or (kind == WHOLE_PAGES and result.complete is False)


@few
@given(st.sampled_from(COUNTING_PAGES), lengths, scripts(moves, insertions))
def test_no_row_that_moves_is_lost_where_pages_are_counted(
    kind: str, length: int, script: list[list[Edit]]
) -> None:
    assert found(kind, length, script).is_safe


@few
@given(st.sampled_from(BY_KEY), lengths, scripts(insertions, deletions))
def test_lists_by_key_deliver_every_row_that_stays_and_are_complete(
    kind: str, length: int, script: list[list[Edit]]
) -> None:
    result = found(kind, length, script)
    assert result.listed.staying <= result.delivered
    assert result.complete is not False


@few
@given(
    kinds,
    st.integers(0, 60),
    st.frozensets(st.integers(0, 60), max_size=40),
    scripts(deletions),
    st.sampled_from(["none", "true"]),
)
def test_no_row_is_lost_behind_short_pages(
    kind: str, length: int, hidden: frozenset[int], script: list[list[Edit]], total: str
) -> None:
    assert found(kind, length, script, hidden=hidden, total=total).is_safe


@pytest.mark.parametrize(
    ("kind", "length", "hidden", "server"),
    [
        ("offset", 40, [3, 11, 19, 21, 22, 23], {"size": 2}),  # nothing behind a page that had rows
        ("row link", 21, [14, 15, 17, 18, 19], {"size": 3}),
        ("row header", 48, [41, 42, 44, 45, 46], {"size": 3}),  # the same row in three pages
        ("offset", 12, range(4), {"total": "length of the page"}),  # 0, as of an empty list
        ("page", 12, range(4), {"total": "length of the page"}),
        ("row link", 21, [6], {"total": "pages as a total"}),  # 6, as many as the rows so far
    ],
)
def test_a_quiet_list_that_is_filtered_after_paging_is_read_to_its_end(
    kind: str, length: int, hidden: Iterable[int], server: dict[str, Any]
) -> None:
    result = found(kind, length, [], hidden=frozenset(hidden), **server)
    assert result.listed.staying <= result.delivered
    assert result.complete is True


def test_a_number_of_pages_that_is_the_number_of_rows_in_mid_list_is_no_end() -> None:
    """The server filters after paging: 48 rows have come at an empty page, and 48 pages exist."""
    hidden = {3, 9, 14, 17, 22, 23, 25, 30, 31, 33, 35, 45, 47, *range(50, 54)}
    hidden |= {59, 60, 61, 64, 69, 70, 71}
    server: dict[str, Any] = {"size": 2, "total": "pages as a total"}
    result = found("row cursor", 95, [], hidden=frozenset(hidden), **server)
    assert result.listed.staying <= result.delivered


@pytest.mark.parametrize("kind", ["key link", "key cursor in the body"])
def test_the_lengths_of_empty_pages_are_no_total(kind: str) -> None:
    shown = {5, 10, 18}
    server: dict[str, Any] = {"size": 2, "total": "length of the page", "flag": "has_more"}
    result = found(kind, 35, [], hidden=frozenset(range(35)) - shown, **server)
    assert result.delivered == shown
    assert result.complete is True


def test_a_flag_of_a_page_further_on_ends_no_list() -> None:
    """The page behind says that it is the last; then the list is read from further back."""
    server: dict[str, Any] = {"size": 2, "flag": "has_more", "hidden": frozenset({18})}
    result = found("offset", 24, [[], [], [], [("delete", 26, 6)]], **server)
    assert result.listed.staying <= result.delivered


@pytest.mark.parametrize("rest", [("delete", 7, 60), ("delete", 2, 64)])  # of several pages, or one
def test_a_page_that_is_refused_when_it_is_compared_has_changed(rest: Edit) -> None:
    """A deletion that an insertion hides in the total; then most of the list goes."""
    hidden = [("delete", 4, 1), ("insert", 30, 1)]
    script: list[list[Edit]] = [[], [], hidden, *[[]] * 13, [rest]]
    result = found("page", 68, script, total="true", behind="refused")
    assert result.listed.staying <= result.delivered


@pytest.mark.parametrize("kind", ["page cursor", "row cursor", "page cursor in base64"])
def test_a_list_that_ends_earlier_when_it_is_compared_is_followed_no_further(kind: str) -> None:
    result = found(kind, 12, [[], [], [("delete", 11, 8)]], total="true")
    assert result.listed.staying <= result.delivered
    assert result.complete is True


@pytest.mark.parametrize("kind", ["offset", "row link", "row header"])
def test_a_list_that_grows_in_front_by_each_page_ends_at_none_that_comes_again(kind: str) -> None:
    """Three rows more in front, and the page behind the last row is the same one again."""
    result = found(kind, 60, [[], [], [], *[[("insert", 0, 3)]] * 3])
    assert result.listed.staying <= result.delivered
    assert result.complete is True


@few
@given(kinds, lengths, st.sampled_from(["wraps", "clamps"]), st.sampled_from(["none", "true"]))
def test_lists_without_an_end_are_read_to_their_last_row(
    kind: str, length: int, behind: str, total: str
) -> None:
    result = found(kind, length, [], behind=behind, total=total)
    assert result.listed.staying <= result.delivered


@few
@given(
    st.sampled_from(sorted(set(PAGINATORS) - set(NUMBERED))),
    lengths,
    st.dictionaries(st.integers(0, 12), st.sampled_from([0, 400, 404, 410]), max_size=2),
)
def test_a_response_that_fails_by_accident_is_no_end(
    kind: str, length: int, accidents: dict[int, int]
) -> None:
    assert found(kind, length, [], accidents).is_safe


@pytest.mark.parametrize("kind", [*BY_KEY, "page cursor", "row link in base64"])
def test_a_refusal_where_a_number_of_pages_is_that_of_the_rows_is_no_end(kind: str) -> None:
    assert found(kind, 30, [], {2: 400}, total="pages as a total").complete is not True


@few
@given(kinds, st.lists(st.integers(0, 15), max_size=4), scripts(insertions, deletions))
def test_no_row_that_stays_is_lost_in_the_lists_of_parents(
    kind: str, lengths: list[int], script: list[list[Edit]]
) -> None:
    lists = [
        ChangingList(list(range(at * 100, at * 100 + length)))
        for at, length in enumerate(lengths, 1)
    ]
    delivered, result = read_lists(kind, lists, script)
    assert set[int]().union(*(each.staying for each in lists)) <= delivered or not result.complete


@few
@given(
    kinds,
    lengths,
    scripts(deletions),
    st.integers(5, 12),
    st.sampled_from(["none", "true"]),
    st.sampled_from([{}, {"since": "2026-01-01", "until": "2026-03-01"}]),
)
def test_no_row_that_stays_is_lost_in_time_windows(
    kind: str, length: int, script: list[list[Edit]], cap: int, total: str, span: dict[str, str]
) -> None:
    listed = ChangingList(list(range(length)), total=total)
    delivered, result = read_in_windows(kind, listed, script, cap, **span)
    assert listed.staying <= delivered or result.complete is not True


@pytest.mark.parametrize("kind", BY_KEY)
def test_a_window_that_nearly_reaches_the_cap_is_split(kind: str) -> None:
    """Two rows that are added in front of it leave 18 of 20 to be read, by key, and cut off 18."""
    listed = ChangingList(list(range(27)))
    span = {"since": "2026-01-01", "until": "2026-03-01"}
    delivered, result = read_in_windows(kind, listed, [[("insert", 0, 2)]], cap=20, **span)
    assert listed.staying <= delivered
    assert result.complete is True


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 8, 30, 40])
@pytest.mark.parametrize("total", ["none", "true"])
@pytest.mark.parametrize("kind", PAGINATORS)
def test_a_quiet_list_is_complete_and_costs_no_more_than_it_must(
    kind: str, total: str, length: int
) -> None:
    listed = ChangingList(list(range(length)), total=total)
    delivered, result, requests = read(kind, listed)
    pages = max(1, listed.pages)
    overlapping = max(1, -(-length // (listed.size - 1)))
    assert delivered == set(range(length))
    assert result.facts.rows - result.facts.overlaps == length
    numbered = kind in NUMBERED or kind.startswith("offset")
    assert result.complete is True or (pages == 1 and length and not numbered)
    looks_behind = 5 if kind in (*NUMBERED, WHOLE_PAGES) and total == "none" else 0
    tries = 2 if kind == WHOLE_PAGES else 0
    assert requests <= max(overlapping + 4, 2 * pages + looks_behind) + tries
