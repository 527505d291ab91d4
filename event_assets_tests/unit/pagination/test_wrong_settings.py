"""Paginators whose settings do not fit the API."""

from __future__ import annotations

from typing import Any

import pytest

from event_assets.values.errors import PaginationError
from event_assets_tests.support.paging import Query
from event_assets_tests.support.served_lists import by_a_cursor, read_with, rows_from


@pytest.mark.parametrize("length", [1, 7])
def test_rows_behind_a_page_that_every_offset_before_the_limit_brings_are_a_gap(
    length: int,
) -> None:
    def answer(query: Query) -> dict[str, Any]:
        first = int(query["offset"])
        return {"data": rows_from(first, 50) if first >= 20 else rows_from(0, length)}

    done = read_with({"type": "offset", "limit": 20}, answer)
    assert done.result.complete is False
    assert "pages are empty or lack the row that is at their 'offset'" in done.result.reason


@pytest.mark.parametrize("flag", ["last", "other"])
@pytest.mark.parametrize("length", [60, 2_600])
def test_an_offset_that_counts_pages_is_said_to(flag: str, length: int) -> None:
    def answer(query: Query) -> dict[str, Any]:
        first = 20 * int(query["page"])
        return {"data": rows_from(first, length), flag: first + 20 >= length}

    done = read_with({"type": "offset", "limit": 20, "offset_param": "page"}, answer)
    assert done.result.complete is False
    assert "if it counts pages, use `page_number` with `page_param: page`" in done.result.reason
    assert len(done.asked) == 10


@pytest.mark.parametrize("members", [{}, {"total": 2_600}, {"has_more": True}])
def test_page_numbers_that_count_rows_are_said_to(members: dict[str, Any]) -> None:
    def answer(query: Query) -> dict[str, Any]:
        return {"data": rows_from(int(query["start"]), 2_600), **members}

    done = read_with({"type": "page_number", "page_param": "start"}, answer)
    assert done.result.complete is False
    assert "use `offset` with `offset_param: start`" in done.result.reason
    assert len(done.asked) < 6


@pytest.mark.parametrize("name", ["limit", "maxRecords", "max_records"])
def test_a_list_of_as_many_rows_as_were_asked_for_in_a_page_may_be_cut(name: str) -> None:
    def answer(query: Query) -> dict[str, Any]:
        first = int(query.get("at", 0))
        link = f"/events?{name}=60&at={first + 20}" if first + 20 < 60 else None
        return {"data": rows_from(first, 60), "next": link}

    done = read_with("json_link", answer)
    assert done.result.complete is None
    assert "may limit the whole list" in done.result.reason


@pytest.mark.parametrize(("size", "complete"), [(50, None), (20, True)])
def test_page_numbers_whose_pages_are_shorter_than_was_asked_for_may_have_gaps(
    size: int, complete: bool | None
) -> None:
    """The server sends 20 rows at most, and counts its pages by what was asked for."""

    def answer(query: Query) -> dict[str, Any]:
        return {"data": rows_from(int(query["page"]) * int(query["size"]))}

    done = read_with("page_number", answer, params={"size": size})
    assert done.result.complete is complete
    assert ("ask for 20" in done.result.reason) is (complete is None)


@pytest.mark.parametrize("name", ["before", "prev", "previous_cursor", "first"])
@pytest.mark.parametrize("around", [("paging",), ("paging", "cursors")])
def test_a_cursor_that_leads_back_from_the_first_page_is_not_the_way(
    name: str, around: tuple[str, ...]
) -> None:
    def answer(query: Query) -> dict[str, Any]:
        if "cursor" in query:
            return {"data": []}
        members: dict[str, Any] = {name: "b0", "after": "cx"}
        for parent in reversed(around):
            members = {parent: members}
        return {"data": rows_from(0), **members}

    config = {"type": "cursor", "cursor_path": ".".join((*around, name)), "cursor_param": "cursor"}
    done = read_with(config, answer)
    assert done.result.complete is False
    assert f"`{'.'.join(around)}.after` in the response leads to more" in done.result.reason


@pytest.mark.parametrize("promise", [{"total": 130}, {"done": False}, {"hasMore": True}], ids=str)
@pytest.mark.parametrize(
    ("config", "members", "said"),
    [
        (
            {"type": "json_link", "next_url_path": "nextURL"},
            {"nextUrl": "/events?at=20"},
            "does not follow `nextUrl`, which leads to more (the paginator's next_url_path "
            "`nextURL` was not found): correct it",
        ),
        (
            "single_page",
            {"nextUrl": "/events?at=20"},
            "does not follow `nextUrl`, which leads to more: correct it",
        ),
        (
            {"type": "cursor", "cursor_path": "meta.marker"},
            {},
            "Nothing was found at the paginator's cursor_path `meta.marker`: correct it",
        ),
    ],
)
def test_a_promise_that_is_not_kept_names_what_the_paginator_does_not_follow(
    config: Any, members: dict[str, Any], said: str, promise: dict[str, Any]
) -> None:
    done = read_with(config, lambda _: {"data": rows_from(0), **members, **promise})
    assert done.result.complete is False
    assert said in done.result.reason


def test_a_list_that_is_read_backwards_to_its_end_is_complete() -> None:
    def answer(query: Query) -> dict[str, Any]:
        page = by_a_cursor(query)
        return {"data": page["data"], "paging": {"before": page.get("next"), "after": "newer"}}

    config = {"type": "cursor", "cursor_path": "paging.before", "cursor_param": "cursor"}
    done = read_with(config, answer)
    assert done.ids == set(range(130))
    assert done.result.complete is True


def test_an_offset_that_begins_behind_a_row_of_the_total_is_reported() -> None:
    def answer(query: Query) -> dict[str, Any]:
        return {"data": rows_from(int(query["offset"])), "total": 130}

    config = {"type": "offset", "limit": 20, "offset": 1}
    done = read_with(config, answer)
    assert done.result.complete is False
    assert "reports 130 rows but sent 129" in done.result.reason


def test_a_cursor_that_is_the_first_row_of_its_page_is_named_where_pages_overlap() -> None:
    def answer(query: Query) -> dict[str, Any]:
        first = int(query.get("cursor", "e-1")[1:]) + 1
        return {"data": [{"id": f"e{row['id']}"} for row in rows_from(first)]}

    config = {"type": "cursor", "cursor_path": "data[0].id", "cursor_param": "cursor"}
    result = read_with(config, answer).result
    assert result.facts.distinct == 130
    assert "pages overlap: check the paginator's cursor_path `data[0].id`." in result.reason


@pytest.mark.parametrize(
    ("config", "number", "way_out"),
    [
        ({"type": "offset", "limit": 20}, lambda query: 20 * int(query["offset"]), "`page_number`"),
        ({"type": "page_number"}, lambda query: int(query["page"]), "use `offset`"),
    ],
    ids=["offset that counts pages", "page that counts rows"],
)
def test_a_parameter_that_counts_something_else_is_told_with_the_way_out(
    config: Any, number: Any, way_out: str
) -> None:
    done = read_with(config, lambda query: {"data": rows_from(number(query))})
    assert done.result.complete is not True
    assert way_out in done.result.reason


def test_pages_that_come_empty_where_a_row_was_are_said_to_be() -> None:
    """As of an API that sends nothing more once a quota is used up."""

    def answer(query: Query) -> dict[str, Any]:
        first = int(query["offset"])
        return {"data": rows_from(first) if first < 20 else [], "total": 130}

    done = read_with({"type": "offset", "limit": 20}, answer)
    assert done.result.complete is False
    assert "pages are empty or lack the row that is at their 'offset'" in done.result.reason


@pytest.mark.parametrize(
    "link",
    [5, {"page": 2}, ["/events"], "mailto:x", "ftp://api/p2", "http://[::1/p2", "http://*.x/p2"],
)
def test_a_link_that_is_no_url_is_said_to(link: Any) -> None:
    with pytest.raises(PaginationError) as failed:
        read_with("json_link", lambda _: {"data": rows_from(0, 60), "next": link})
    assert str(failed.value) == (
        f"The paginator's next_url_path `next` leads to no URL, but to `{link}`: correct it in "
        "defs.yaml."
    )
