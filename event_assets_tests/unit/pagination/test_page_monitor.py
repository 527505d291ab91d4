"""Page numbers, cursors and single pages are evaluated for completeness."""

from __future__ import annotations

from collections.abc import Sequence

from event_assets.pagination.page_monitor import PageMonitor, PaginationKind
from event_assets.pagination.result import PaginationResult


def monitored(
    kind: PaginationKind, pages: Sequence[Sequence[int]], totals: Sequence[int]
) -> PaginationResult:
    monitor = PageMonitor(kind)
    for page, total in zip(pages, totals, strict=True):
        monitor.receive(page, total)
    monitor.end()
    return monitor.result


def test_page_numbers_are_complete_only_if_a_steady_total_agrees() -> None:
    pages = [[1, 2], [3, 4], [5]]
    assert monitored(PaginationKind.NUMBERED, pages, [5, 5, 5]).complete is True
    assert monitored(PaginationKind.NUMBERED, pages, [2, 2, 1]).complete is None
    assert monitored(PaginationKind.NUMBERED, pages, [6, 5, 5]).complete is None
    assert monitored(PaginationKind.NUMBERED, pages, [6, 6, 6]).complete is False


def test_a_single_last_page_cannot_shift() -> None:
    assert monitored(PaginationKind.NUMBERED, [[1, 2]], [2]).complete is True
    assert monitored(PaginationKind.NUMBERED, [[1, 2]], [3]).complete is False


def test_cursors_are_complete_unless_a_total_disagrees() -> None:
    pages = [[1, 2], [3, 4], [5]]
    assert monitored(PaginationKind.LINKED, pages, [2, 2, 1]).complete is True
    assert monitored(PaginationKind.LINKED, pages, [5, 5, 6]).complete is True
    assert monitored(PaginationKind.LINKED, pages, [6, 6, 6]).complete is False
