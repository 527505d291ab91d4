"""Flags that say whether more follows: which are believed, and when."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from event_assets_tests.support.paging import Query
from event_assets_tests.support.served_lists import (
    FROM_LETTERS,
    PAGED,
    TO_LETTERS,
    by_a_cursor,
    read_with,
    rows_from,
)

FLAGS_OF_SOMETHING_ELSE: list[dict[str, Any]] = [
    {"facets": {"cities": {"more": False}}},
    {"job": {"done": True}},
    {"venues": {"pageInfo": {"hasNextPage": False, "endCursor": None}}},
    {"done": True},
    {"meta": {"complete": True}},
]
RELAY = {"type": "cursor", "cursor_path": "pageInfo.endCursor", "cursor_param": "after"}


@pytest.mark.parametrize("members", FLAGS_OF_SOMETHING_ELSE, ids=str)
@pytest.mark.parametrize("kind", PAGED)
def test_a_flag_that_speaks_of_something_else_ends_no_list(
    kind: str, members: dict[str, Any]
) -> None:
    config, answer = PAGED[kind]
    done = read_with(config, lambda query: {**members, **answer(query)})
    assert done.ids == set(range(130))
    assert done.result.complete is True


def test_the_flag_beside_the_followed_cursor_counts() -> None:
    def answer(query: Query) -> Any:
        page = by_a_cursor(query)
        info = {"hasNextPage": "next" in page, "endCursor": page.get("next", "z")}
        edges = [{"node": row} for row in page["data"]]
        group = {
            "venues": {"pageInfo": {"hasNextPage": False, "endCursor": "v"}},
            "events": {"pageInfo": info, "edges": edges},
        }
        return {"group": group, "data": page["data"]}

    path = "group.events.pageInfo.endCursor"
    config = {"type": "cursor", "cursor_path": path, "cursor_param": "cursor"}
    done = read_with(config, answer)
    assert done.ids == set(range(130))
    assert done.result.complete is True
    assert "no more follow, though" in done.result.reason
    assert len(done.asked) == 7


def by_a_connection(query: Query, length: int, end_cursor: str | None) -> dict[str, Any]:
    first = int(query["after"][1:].translate(FROM_LETTERS)) if "after" in query else 0
    has_next = first + 20 < length
    following = f"k{first + 20}".translate(TO_LETTERS) if has_next else end_cursor
    info = {"hasNextPage": has_next, "endCursor": following}
    return {"data": rows_from(first, length), "pageInfo": info}


@pytest.mark.parametrize(("length", "behind"), [(130, 0), (140, 1)])
def test_a_flag_beside_a_cursor_is_believed_behind_a_short_page_only(
    length: int, behind: int
) -> None:
    done = read_with(RELAY, lambda query: by_a_connection(query, length, "kbea"))
    assert done.ids == set(range(length))
    assert done.result.complete is True
    assert len(done.asked) == 7 + behind


def test_a_flag_beside_a_cursor_that_is_always_false_ends_no_list() -> None:
    def answer(query: Query) -> Any:
        page = by_a_connection(query, 130, None)
        page["pageInfo"]["hasNextPage"] = False
        return page

    done = read_with(RELAY, answer)
    assert done.ids == set(range(130))
    assert done.result.complete is True
    assert len(done.asked) == 7


@pytest.mark.parametrize(
    ("length", "end_cursor", "requests"), [(19, "k", 1), (20, "k", 2), (20, None, 1)]
)
def test_the_only_page_is_the_last_beside_a_flag_unless_a_cursor_leads_on_from_a_full_one(
    length: int, end_cursor: str | None, requests: int
) -> None:
    def answer(query: Query) -> Any:
        info = {"hasNextPage": False, "endCursor": end_cursor}
        return {"data": [] if "after" in query else rows_from(0, length), "pageInfo": info}

    done = read_with(RELAY, answer)
    assert done.result.complete is True
    assert len(done.asked) == requests


@pytest.mark.parametrize(
    "behind",
    [
        {"data": [], "next": "kz", "has_more": False},
        {"data": rows_from(0), "next": "kca", "has_more": True},
        404,
    ],
)
def test_a_pointer_that_stands_at_an_end_that_is_told_costs_one_request(behind: Any) -> None:
    def answer(query: Query) -> Any:
        if query.get("cursor") == "kz":
            return behind
        page = by_a_cursor(query)
        return {**page, "has_more": "next" in page, "next": page.get("next", "kz")}

    done = read_with({"type": "cursor", "cursor_path": "next"}, answer)
    assert done.delivered == list(range(130))
    assert done.result.complete is True
    assert len(done.asked) == 7 + 1


@pytest.mark.parametrize(
    ("path", "value"), [("last", False), ("is_last", False), ("done", "false"), ("has_prev", False)]
)
@pytest.mark.parametrize("kind", PAGED)
def test_a_flag_that_is_configured_ends_no_list_that_goes_on(
    kind: str, path: str, value: Any
) -> None:
    config, answer = PAGED[kind]
    config = {**(config if isinstance(config, dict) else {"type": config}), "has_more_path": path}

    def flagged(query: Query) -> dict[str, Any]:
        page = answer(query)
        is_last = path != "has_prev" and len(page["data"]) < 20
        return {**page, path: is_last or value}

    done = read_with(config, flagged)
    assert done.ids == set(range(130))
    assert done.result.complete is True


def test_a_total_that_offsets_reach_is_no_end_while_a_flag_says_more() -> None:
    def answer(query: Query) -> dict[str, Any]:
        first = int(query["offset"])
        page = rows_from(first, 40 if first < 40 else 130)
        return {"data": page, "total": 40, "has_more": page[-1:] != [{"id": 129}]}

    done = read_with({"type": "offset", "limit": 20}, answer)
    assert done.ids == set(range(130))


def test_a_flag_that_contradicts_the_pages_is_named() -> None:
    config, answer = PAGED["offset"]
    done = read_with(
        {**config, "has_more_path": "has_prev"},
        lambda query: {**answer(query), "has_prev": query["offset"] != "0"},
    )
    assert done.result.complete is False
    assert "If `has_prev` says something else, set `has_more_path`" in done.result.reason


@pytest.mark.parametrize("kind", ["offset", "page"])
@pytest.mark.parametrize("name", ["has_more", "last"])
@pytest.mark.parametrize(("total", "is_constant"), [(40, False), (130, True)])
def test_a_flag_that_promises_more_than_a_total_costs_a_look_behind_it(
    kind: str, name: str, total: int, is_constant: bool
) -> None:
    """A total may be cut off, and a flag may be the same on each page."""
    config, answer = PAGED[kind]

    def flagged(query: Query) -> dict[str, Any]:
        page = answer(query)
        goes_on = is_constant or len(page["data"]) == 20
        return {**page, "total": total, name: goes_on is (name == "has_more")}

    done = read_with(config, flagged)
    assert done.ids == set(range(130))
    assert done.result.complete is True, done.result.reason
    assert len(done.asked) <= 2 * 7 + 3


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("name", ["first", "isFirst", "hasPrevious", "meta.has_prev"])
def test_a_first_page_that_is_not_the_first_is_told(name: str, base: int) -> None:
    def answer(query: Query) -> dict[str, Any]:
        number = int(query["page"])
        flag: Any = number == 0 if "irst" in name else number > 0
        for part in reversed(name.split(".")):
            flag = {part: flag}
        return {"data": rows_from(20 * number), **flag}

    config = {"type": "page_number", "base_page": base}
    done = read_with(config, answer)
    assert done.result.complete is (base == 0)
    assert (f"a page comes before it (`{name}`)" in done.result.reason) is (base == 1)


def test_what_comes_before_a_page_of_a_cursor_is_no_page_that_is_missing() -> None:
    done = read_with(PAGED["cursor"][0], lambda query: {**by_a_cursor(query), "hasPrevious": True})
    assert done.result.complete is True


PARTS = ["partial", "isTruncated", "incomplete_results", "limitReached"]


def by_an_open_cursor(query: Query, *, stands: bool = False) -> dict[str, Any]:
    page = rows_from(int(query.get("cursor", 0)))
    follows = len(page) == 20
    cursor = str(int(query.get("cursor", 0)) + 20) if follows or (stands and page) else None
    return {"data": page, "next": cursor}


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("is_told", [False, True])
def test_a_page_in_mid_list_that_is_cut_is_a_part(name: str, is_told: bool) -> None:
    """Such a flag means that more follow, but not where pages before it lead on without it."""

    def answer(query: Query) -> dict[str, Any]:
        body = by_an_open_cursor(query)
        if query.get("cursor") == "60":
            return {**body, "data": body["data"][:15], name: True}
        return {**body, name: False} if is_told else body

    done = read_with({"type": "cursor", "cursor_path": "next"}, answer)
    assert done.result.complete is False
    assert f"this is a part (`{name}: true`)" in done.result.reason


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("stands", [False, True])
def test_a_flag_of_a_cut_on_every_page_but_the_last_says_that_more_follow(
    name: str, stands: bool
) -> None:
    """Also in a second reading, as of cursors that count rows."""

    def answer(query: Query) -> dict[str, Any]:
        body = by_an_open_cursor(query, stands=stands)
        return {**body, name: len(body["data"]) == 20}

    done = read_with({"type": "cursor", "cursor_path": "next"}, answer)
    assert done.ids == set(range(130))
    assert done.result.complete is True


@pytest.mark.parametrize("name", ["has_more", "isLast"])
@pytest.mark.parametrize("place", [0, 50])
@pytest.mark.parametrize("at", [2, 3, 4, 5])
def test_a_flag_of_a_page_in_mid_list_says_nothing_of_a_list_that_grew(
    name: str, place: int, at: int
) -> None:
    """The second reading ends there, once it has as many ids as the total says."""
    listed, requests_sent = [*range(95)], count(1)

    def answer(query: Query) -> Any:
        if next(requests_sent) == at:
            listed[place:place] = [1000, 1001, 1002]
        first = int(query["offset"])
        has_more = first + 20 < len(listed)
        page = [{"id": row} for row in listed[first : first + 20]]
        return {"data": page, "total": len(listed), name: has_more is (name == "has_more")}

    done = read_with({"type": "offset", "limit": 20}, answer)
    assert done.ids == {*listed}
    assert done.result.complete is True
