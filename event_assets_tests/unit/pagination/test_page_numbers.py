"""Lists by page numbers are read completely, or reported as not."""

from __future__ import annotations

from typing import Any

import pytest

from event_assets_tests.support.paging import Query
from event_assets_tests.support.served_lists import NUMBERED, PAGED, numbered, read_with, rows_from


def test_page_numbers_without_a_total_are_read_twice() -> None:
    done = read_with({"type": "page_number"}, numbered)
    assert done.ids == set(range(95))
    assert done.delivered == sorted(done.ids)
    assert done.result.complete is True
    assert "two readings" in done.result.reason
    assert len(done.asked) == 2 * 5 + 5


def test_page_numbers_with_a_total_are_complete_and_ask_nothing_past_the_end() -> None:
    done = read_with("page_number", lambda query: {**numbered(query), "total": 95})
    assert done.result.complete is True
    assert [query["page"] for query in done.asked] == list("012340123")


@pytest.mark.parametrize(("length", "behind"), [(95, 0), (100, 1)])
def test_page_numbers_end_at_the_number_of_pages_or_behind_a_full_one(
    length: int, behind: int
) -> None:
    done = read_with(
        "page_number", lambda query: {**numbered(query, length), "meta": {"last_page": 5}}
    )
    assert done.ids == set(range(length))
    assert done.result.complete is True
    assert {query["page"] for query in done.asked} == set("012345"[: 5 + behind])
    assert len(done.asked) == 2 * (5 + behind)


def test_page_numbers_read_past_an_empty_page_while_the_total_promises_more() -> None:
    def answer(query: Query) -> Any:
        rows = [row for row in numbered(query)["data"] if not 40 <= row["id"] < 60]
        return {"data": rows, "total": 95}

    done = read_with("page_number", answer)
    assert done.ids == {*range(40), *range(60, 95)}
    assert done.result.complete is False
    stopped = read_with({"type": "page_number", "stop_after_empty_page": True}, answer)
    assert stopped.ids == set(range(40))
    assert stopped.result.complete is False


def test_a_page_parameter_that_is_ignored_is_named() -> None:
    done = read_with({"type": "page_number", "page_param": "p"}, numbered)
    assert done.result.complete is None
    assert "'p'" in done.result.reason
    assert "single_page" in done.result.reason
    assert len(done.asked) == 3


@pytest.mark.parametrize(
    ("size", "said", "complete"),
    [
        (7, {}, None),
        (7, {"total": 7}, None),
        (7, {"total": 9}, False),
        (7, {"has_more": True}, False),
        (7, {"total_pages": 3}, False),
        (7, {"next_url": "/events?p=2"}, False),
        (7, {"meta": {"total": 9, "relation": "gte"}}, False),
        (7, {"hasPrevious": True}, False),
        (10, {}, None),
        (20, {}, None),
        (37, {}, None),
        (20, {"total": 20}, None),  # it may be the length of the page
        (20, {"total": 21}, False),
        (20, {"total_pages": 2}, False),
        (20, {"total_pages": 1}, True),
        (20, {"has_more": False}, True),
        (7, {"has_more": False}, True),
    ],
)
@pytest.mark.parametrize("params", [{"limit": 20}, {}])
def test_the_same_page_for_every_number_may_be_the_whole_list(
    params: Any, size: int, said: Any, complete: bool | None
) -> None:
    rows = [{"id": row} for row in range(size)]
    done = read_with("page_number", lambda _: {"data": rows, **said}, params=params)
    assert done.ids == set(range(size))
    assert done.result.complete is complete, done.result.reason


@pytest.mark.parametrize("length", [0, 7, 20, 40, 95])
def test_a_first_page_with_two_numbers_is_read_once(length: int) -> None:
    """The server counts from 1, and takes 0 for 1."""
    done = read_with(
        "page_number", lambda query: numbered({"page": max(0, int(query["page"]) - 1)}, length)
    )
    assert done.delivered == list(range(length))
    assert done.result.complete is (None if 0 < length <= 20 else True), done.result.reason


@pytest.mark.parametrize("first", [20, 40])
@pytest.mark.parametrize("kind", ["page", "cursor"])
def test_a_page_that_a_cache_sends_for_the_next_one_is_a_doubt_and_no_end(
    kind: str, first: int
) -> None:
    config, answer = PAGED[kind]

    def cached(query: Query) -> Any:
        page = {"page": int(query["page"]) - 1} if kind == "page" else query
        body = answer(page)
        is_cached = body["data"][:1] == [{"id": first}]
        return {**body, "data": rows_from(first - 20)} if is_cached else body

    done = read_with(NUMBERED if kind == "page" else config, cached)
    assert done.ids == {*range(first), *range(first + 20, 130)}
    assert done.result.complete is None
    assert "A page in mid-list came twice." in done.result.reason


@pytest.mark.parametrize(("pages", "complete"), [(4, True), (5, None)])
def test_a_page_that_comes_again_in_place_of_the_last_one_that_is_told_is_a_doubt(
    pages: int, complete: bool | None
) -> None:
    def answer(query: Query) -> Any:
        return {**numbered({"page": min(3, int(query["page"]) - 1)}), "total_pages": pages}

    done = read_with(NUMBERED, answer)
    assert done.ids == set(range(80))
    assert done.result.complete is complete, done.result.reason


def test_the_last_page_given_again_is_an_end() -> None:
    done = read_with("page_number", lambda query: numbered({"page": min(query["page"], "4")}))
    assert done.ids == set(range(95))
    assert done.result.complete is True
    assert len(done.asked) == 2 * (5 + 1) + 1


@pytest.mark.parametrize("pages", [7, 1_000])
@pytest.mark.parametrize("cap", [100, 500, 1_000, 10_000])
def test_page_numbers_go_on_behind_a_total_that_may_be_a_cap(cap: int, pages: int) -> None:
    def answer(query: Query) -> Any:
        page = {"page": int(query["page"]) % pages}  # the server may begin again behind the end
        return {**numbered(page, cap + cap // 4, cap // 5), "total": cap}

    done = read_with("page_number", answer)
    assert done.ids == set(range(cap + cap // 4))
    assert done.result.complete is True, done.result.reason
    assert len(done.asked) <= 35


@pytest.mark.parametrize(("length", "behind"), [(100, "5"), (2_500, "")])
def test_a_total_of_a_round_number_is_confirmed_by_the_page_behind(
    length: int, behind: str
) -> None:
    done = read_with(
        "page_number", lambda query: {**numbered(query, length, length // 5), "total": length}
    )
    assert done.ids == set(range(length))
    assert done.result.complete is True
    assert {query["page"] for query in done.asked} == {*"01234", *behind}
    assert len(done.asked) <= 5 + 4


@pytest.mark.parametrize("lap", [[0, 1, 2, 3, 4], [0]])
def test_page_numbers_end_where_the_first_page_comes_again(lap: list[int]) -> None:
    """As of servers that begin again behind the end, or take any wrong number for the first."""

    def answer(query: Query) -> Any:
        page = int(query["page"])
        return numbered({"page": page if page < 5 else lap[page % len(lap)]})

    done = read_with("page_number", answer)
    assert done.ids == set(range(95))
    assert done.result.complete is True, done.result.reason
    assert done.result.facts.rows_read == 95
    assert len(done.asked) == 2 * (5 + 1) + 1


def test_the_first_page_again_behind_a_full_one_may_be_a_limit() -> None:
    done = read_with("page_number", lambda query: numbered({"page": int(query["page"]) % 5}, 300))
    assert done.ids == set(range(100))
    assert done.result.complete is None
    assert "may be its limit" in done.result.reason


def test_the_first_page_in_mid_list_is_no_end_while_more_is_promised() -> None:
    def answer(query: Query) -> Any:
        page = int(query["page"])
        return {**numbered({"page": 0 if page == 2 else page}), "total": 95}

    done = read_with("page_number", answer)
    assert done.ids == {*range(40), *range(60, 95)}
    assert done.result.complete is not True


@pytest.mark.parametrize("base", [0, 1])
def test_a_maximum_page_ends_unverified(base: int) -> None:
    done = read_with({"type": "page_number", "base_page": base, "maximum_page": 2}, numbered)
    assert [int(query["page"]) for query in done.asked] == list(range(base, 2))
    assert done.result.complete is None
    assert done.result.reason.endswith("stopped at maximum_page 2.")


def test_the_only_page_of_page_numbers_is_complete() -> None:
    done = read_with(
        "page_number", lambda query: {**numbered(query, 9), "total": 9, "total_pages": 1}
    )
    assert done.ids == set(range(9))
    assert done.result.complete is True
    assert len(done.asked) == 1
