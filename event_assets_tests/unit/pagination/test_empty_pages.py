"""An empty page is the end of a list only where nothing says that more follows."""

from __future__ import annotations

from typing import Any

import pytest

from event_assets_tests.support.paging import Query
from event_assets_tests.support.served_lists import NUMBERED, paged, read_with, rows


@pytest.mark.parametrize("length", [7, 30, 60, 137])
@pytest.mark.parametrize("name", ["", "totalElements"])
def test_an_empty_last_page_is_a_doubt_or_a_lack_of_the_rows_of_a_total(
    name: str, length: int
) -> None:
    """The API counts from 0."""

    def answer(query: Query) -> Any:
        page, total = {"page": int(query["page"]) + 1}, {name: length} if name else {}
        return {"data": paged(page, length, 20), "totalPages": -(-length // 20), **total}

    done = read_with(NUMBERED, answer)
    assert len(done.ids) == max(0, length - 20)
    assert done.result.complete is (False if name else None)
    assert "base_page" in done.result.reason


@pytest.mark.parametrize(
    ("paginator", "said"),
    [
        *(("single_page", {"has_more": False}), ("single_page", {"total": 0})),
        *((NUMBERED, {"has_more": False}), (NUMBERED, {"last_page": 1, "total": 0})),
        ("page_number", {"total_pages": 1}),
    ],
)
def test_an_empty_list_is_called_so(paginator: Any, said: dict[str, Any]) -> None:
    result = read_with(paginator, lambda _: {"data": [], **said}).result
    assert result.complete is True
    assert result.reason.startswith("The list is empty")


def test_page_numbers_that_begin_at_0_go_on_to_the_only_page_of_an_api_that_counts_from_1() -> None:
    done = read_with(
        "page_number",
        lambda query: {"data": rows(0, 7) if query["page"] == "1" else [], "total_pages": 1},
    )
    assert done.ids == set(range(7))


@pytest.mark.parametrize(
    "said",
    [
        {"next": "/events?page=2"},
        {"links": {"next": "/events?page=2"}},
        {"next_cursor": "abc123"},
        {"remaining": 137},
        {"total_pages": 3},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "paginator",
    [
        "single_page",
        {"type": "json_link", "next_url_path": "paging.nxt"},
        {"type": "cursor", "cursor_path": "nothing", "cursor_param": "c"},
    ],
    ids=str,
)
def test_an_empty_page_beside_what_leads_to_more_is_a_failure(said: Any, paginator: Any) -> None:
    assert read_with(paginator, lambda _: {"data": [], **said}).result.complete is False


@pytest.mark.parametrize("kind", [{"type": "offset", "limit": 20}, NUMBERED])
@pytest.mark.parametrize(
    "more", [{"next": "/e?page=2"}, {"links": {"next": "/e?page=2"}}, {"remaining": 137}], ids=str
)
def test_an_empty_list_that_leads_to_more_is_a_failure(kind: Any, more: dict[str, Any]) -> None:
    assert read_with(kind, lambda _: {"data": [], **more}).result.complete is False


@pytest.mark.parametrize(
    "kind", [{"type": "offset", "limit": 20}, NUMBERED, {**NUMBERED, "total_path": None}]
)
def test_a_flag_stands_until_a_page_with_rows_takes_it_back(kind: Any) -> None:
    def answer(query: Query) -> Any:
        first = int(query["offset"]) if "offset" in query else 20 * (int(query["page"]) - 1)
        page = rows(first, min(first + 20, 50))
        return {"data": page, "exceededTransferLimit": True} if page else {"data": []}

    assert read_with(kind, answer).result.complete is False


def test_a_server_that_takes_rows_out_of_its_pages_loses_none_that_it_shows() -> None:
    def answer(query: Query) -> Any:
        first = int(query["offset"])
        return {"data": [row for row in rows(first, min(95, first + 20)) if row["id"] % 3]}

    done = read_with({"type": "offset", "limit": 20}, answer)
    assert done.ids == {row for row in range(95) if row % 3}
    assert done.result.complete is not False


@pytest.mark.parametrize("hidden", [range(20), range(20, 60), range(40, 180)])
def test_page_numbers_go_on_behind_pages_that_come_empty(hidden: range) -> None:
    def answer(query: Query) -> Any:
        return {"data": [row for row in paged(query, 300, 20) if row["id"] not in hidden]}

    done = read_with(NUMBERED, answer)
    assert done.ids == set(range(300)) - set(hidden)
