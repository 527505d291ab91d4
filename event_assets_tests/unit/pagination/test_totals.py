"""Totals that an API reports: where they are, and whether they can be trusted."""

from __future__ import annotations

from typing import Any

import pytest

from event_assets.pagination.totals import RowTotal, parse_count


@pytest.mark.parametrize(
    ("value", "count"),
    [
        *((0, 0), (7, 7), (7.0, 7), ("7", 7), (7.5, None), (-1, None), ("-1", None), ("", None)),
        *((True, None), (None, None), ([7], None), ("7 rows", None)),
        *((2**63 - 1, 2**63 - 1), (2**63, None), (10**30, None), (1e30, None)),  # of 64 bits
        *((f"{2**63}", None), ("9" * 5000, None), ("007", 7)),
    ],
)
def test_a_count_is_a_whole_number_or_its_digits(value: Any, count: int | None) -> None:
    assert parse_count(value) == count


@pytest.mark.parametrize(
    ("pages", "trusted"),
    [
        ([(20, 10)], [20]),  # more than was received
        ([(11, 10)], [11]),
        ([(10, 10)], [None]),  # may be the length of the page
        ([(10, 10), (10, 0)], [None, 10]),  # or not: it is the same on two pages
        ([(10, 10), (9, 9)], [None, None]),
        ([(20, 10), (None, 5), (20, 5)], [20, None, 20]),
        ([(20, 10), (19, 9), (19, 0)], [20, 19, 19]),
        ([(20, 10), (12, 3), (30, 10)], [20, None, None]),  # disproved for good
        ([(20, 10), (0, 0)], [20, None]),  # too deep
        ([(0, 0)], [None]),
        ([(0, 0), (0, 0)], [None, None]),  # the length of both
        ([(20, 10), (10, 10)], [20, 20]),  # what is left
    ],
)
def test_a_total_is_trusted_once_it_cannot_be_the_length_of_a_page(
    pages: list[tuple[int | None, int]], trusted: list[int | None]
) -> None:
    total, before, found = RowTotal(), 0, []
    for reported, rows in pages:
        found.append(total.evaluate(reported, before, rows))
        before += rows
    assert found == trusted


def test_a_total_is_steady_if_it_did_not_change() -> None:
    total = RowTotal()
    assert total.steady is None
    for reported, steady in ((20, 20), (20, 20), (22, None), (20, None)):
        total.evaluate(reported, 0, 5)
        assert total.steady == steady
    assert (total.least, total.largest, total.reported) == (20, 22, 20)
