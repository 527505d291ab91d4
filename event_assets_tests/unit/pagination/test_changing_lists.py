"""Rows that stay in a list while it is read are delivered, or `complete` is not passed."""

from __future__ import annotations

from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from event_assets_tests.support.list_models import PAGINATORS, ChangingList, read
from event_assets_tests.support.offset_lists import (
    Edit,
    deletions,
    insertions,
    moves,
    quick,
    scripts,
)

# hypothesis caches the constants it finds in the code; not in the project
storage = TemporaryDirectory()
set_hypothesis_home_dir(storage.name)
KINDS = st.sampled_from(sorted(PAGINATORS))
COUNTING_PAGES = st.sampled_from(["page", "page cursor", "page link"])


@quick
@given(KINDS, st.integers(0, 40), scripts(insertions, deletions), st.booleans())
def test_no_row_that_stays_is_lost_by_insertions_and_deletions(
    kind: str, length: int, script: list[list[Edit]], refuses: bool
) -> None:
    listed = ChangingList(list(range(length)), refuses_past_end=refuses)
    delivered, result, _ = read(kind, listed, script)
    assert listed.staying <= delivered or result.complete is not True


@quick
@given(KINDS, st.integers(0, 40), scripts(deletions), st.booleans())
def test_no_row_that_stays_is_lost_by_deletions_with_a_total(
    kind: str, length: int, script: list[list[Edit]], refuses: bool
) -> None:
    listed = ChangingList(list(range(length)), has_total=True, refuses_past_end=refuses)
    delivered, result, _ = read(kind, listed, script)
    assert listed.staying <= delivered or result.complete is not True


@quick
@given(COUNTING_PAGES, st.integers(0, 40), scripts(moves, insertions))
def test_no_row_that_moves_is_lost_where_pages_are_counted(
    kind: str, length: int, script: list[list[Edit]]
) -> None:
    listed = ChangingList(list(range(length)))
    delivered, result, _ = read(kind, listed, script)
    assert listed.staying <= delivered or result.complete is not True


@quick
@given(
    KINDS,
    st.integers(0, 60),
    st.frozensets(st.integers(0, 60), max_size=40),
    scripts(deletions),
    st.booleans(),
)
def test_no_row_is_lost_behind_short_pages(
    kind: str, length: int, hidden: frozenset[int], script: list[list[Edit]], has_total: bool
) -> None:
    listed = ChangingList(list(range(length)), hidden=hidden, has_total=has_total)
    delivered, result, _ = read(kind, listed, script)
    assert listed.staying <= delivered or result.complete is not True


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 8, 30, 40])
@pytest.mark.parametrize("has_total", [True, False])
@pytest.mark.parametrize("kind", PAGINATORS)
def test_a_quiet_list_is_complete_and_costs_no_more_than_it_must(
    kind: str, has_total: bool, length: int
) -> None:
    listed = ChangingList(list(range(length)), has_total=has_total)
    delivered, result, requests = read(kind, listed, [])
    pages = max(1, -(-length // listed.size))
    overlapping = max(1, -(-length // (listed.size - 1)))
    assert delivered == set(range(length))
    assert result.complete is True or (pages == 1 and length and kind not in ("offset", "page"))
    looks_behind = 4 if kind == "page" and not has_total else 0
    assert requests <= max(overlapping + 4, 2 * pages + looks_behind)
