"""What looks like more and is not followed is evidence against completeness."""

from __future__ import annotations

from typing import Any

import pytest

from event_assets_tests.support.paging import Query
from event_assets_tests.support.served_lists import PAGED, read_with, rows

CURSOR = {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"}


MORE: dict[str, Any] = {
    "next": {"next": "https://api.example.com/events?token=abc"},
    "@odata.nextLink": {"@odata.nextLink": "https://api.example.com/events?token=abc"},
    "paging.next": {"paging": {"next": {"after": "100"}}},
    "cursor": {"cursor": "abc"},
    "has_more": {"has_more": True},
    "total": {"total": 300},
    "total_pages": {"meta": {"page": 1, "total_pages": 3}},
    "links": {"links": [{"rel": "self", "href": "/"}, {"rel": "next", "href": "/events?page=2"}]},
    "remaining": {"remaining": 40},
    "more_topics_url": {"more_topics_url": "/events?page=2"},
    "load_more_link": {"load_more_link": "/events/batch/2"},
}


OBJECTS = (
    *("paginationInfo", "pagination_info", "pagingData", "_pagination", "pageDetails", "page_meta"),
    *("pageable", "listMeta", "responseMetadata", "collectionInfo", "counts", "totals", "stats"),
    *("nav", "header", "envelope", "searchResult", "additional_data"),
)


@pytest.mark.parametrize("name", MORE)
@pytest.mark.parametrize(
    "paginator", [{**CURSOR, "cursor_path": "paging.nxt.after"}, "header_link"]
)
def test_what_looks_like_more_and_is_not_followed_is_a_failure(paginator: Any, name: str) -> None:
    done = read_with(paginator, lambda _: {"data": rows(0, 100), **MORE[name]})
    assert done.result.complete is False


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("more", [{"total": 300}, {"next": "/?page=2"}, {"hasMore": True}], ids=str)
def test_what_looks_like_more_is_found_in_any_description_of_pages(name: str, more: Any) -> None:
    done = read_with("single_page", lambda _: {"data": rows(0, 100), name: more})
    assert done.result.complete is False


@pytest.mark.parametrize("name", ["truncated", "partial", "incomplete_results", "limitReached"])
def test_a_response_that_is_whole_is_no_end_of_the_list(name: str) -> None:
    body = {"data": rows(0, 30), name: False, "next_url": "/events?page=2"}
    assert read_with("single_page", lambda _: body).result.complete is False


@pytest.mark.parametrize("kind", ["offset", "page"])
def test_a_flag_of_a_cut_behind_the_end_outweighs_a_total_that_is_reached(kind: str) -> None:
    """A search that ran out of time counts only what it found until then."""
    config, answer = PAGED[kind]
    said = {"total_count": 130, "incomplete_results": True}
    done = read_with(config, lambda query: {**answer(query), **said})
    assert done.ids == set(range(130))
    assert done.result.complete is False
    assert "`incomplete_results: true`" in done.result.reason


def test_a_link_in_a_header_that_is_not_followed_is_a_failure() -> None:
    link = {"Link": '<https://api.example.com/events?page=2>; rel="next"'}
    done = read_with("single_page", lambda _: ({"data": rows(0, 37)}, link))
    assert done.result.complete is False
    assert "`Link: rel=next`" in done.result.reason


@pytest.mark.parametrize(
    "said",
    [
        {"search_after": []},
        {"after_key": None},
        {"tooManyToCount": False},
        {"metadata": {"remainingItemCount": 0}},
        {"is_complete": True},
        {"complete": True, "exhaustive": True, "finished": True, "partial": False},
        {"remaining": 0, "left": "0"},
        {"meta": {"remaining": 59, "reset": 1767225600}},  # of requests
        {"remaining": None, "left": "12px", "complete": 0},
        {"quota": {"itemsRemaining": 113}},
        {"meta": {"requests_remaining": 59}},
        {"noMore": True, "allLoaded": True, "canLoadMore": False},
        {"nextSyncToken": "abc", "read_more_url": "/about?a=1", "older": 7},
        {"more_events_url": "/events", "nextVersion": "/v3", "olderVersion": "https://x/v1"},
        {"next": "About us", "next_start": "18:30", "offset": "+01:00"},
        {"next_start": "2027-01-11 10:00:00", "next_show": "Jan 11, 20:00"},
    ],
    ids=str,
)
def test_what_says_that_nothing_follows_is_no_sign_of_more(said: Any) -> None:
    assert read_with("single_page", lambda _: {"data": rows(0, 17), **said}).result.complete is True


@pytest.mark.parametrize("word", [{"complete": False}, {"remaining": 40}], ids=str)
def test_a_word_that_says_something_else_is_named_with_the_way_out(word: Any) -> None:
    body, name = {"data": rows(0, 17), **word}, next(iter(word))
    reason = read_with("single_page", lambda _: body).result.reason
    assert f"If `{name}` says something else, set `has_more_path`" in reason
    silenced = {"type": "single_page", "has_more_path": None}
    assert read_with(silenced, lambda _: body).result.complete is True


@pytest.mark.parametrize(("value", "complete"), [(False, False), (True, True)])
def test_a_word_of_completeness_as_the_has_more_path_says_the_contrary(
    value: bool, complete: bool
) -> None:
    config = {"type": "single_page", "has_more_path": "complete"}
    done = read_with(config, lambda _: {"data": rows(0, 17), "complete": value})
    assert done.result.complete is complete


@pytest.mark.parametrize(
    "member",
    [{"next_start": "2027-01-11"}, {"position": "homepage"}, {"after": "words"}, {"next": "/v3"}],
    ids=str,
)
def test_a_pointer_that_is_none_is_named_with_the_way_out(member: dict[str, str]) -> None:
    body, name = {"data": rows(0, 17), **member}, next(iter(member))
    done = read_with("single_page", lambda _: body)
    assert done.result.complete is False
    assert f"If `{name}` says something else, set `has_more_path`, or null" in done.result.reason
    silenced = {"type": "single_page", "has_more_path": None}
    assert read_with(silenced, lambda _: body).result.complete is True


@pytest.mark.parametrize(("offset", "complete"), [(1, False), (0, True)])
def test_a_total_at_the_path_that_was_set_may_be_the_limit(offset: int, complete: bool) -> None:
    def answer(query: Query) -> Any:
        first = int(query["offset"])
        return {"data": rows(first, min(100, first + 100)), "total": 100}

    paginator = {"type": "offset", "limit": 100, "offset": offset, "total_path": "total"}
    assert read_with(paginator, answer).result.complete is complete


def test_a_flag_of_a_cut_on_empty_pages_in_mid_list_says_that_more_follow() -> None:
    """As of a server that filters after paging, and so sends some pages without rows."""

    def answer(query: Query) -> Any:
        first = int(query["offset"])
        shown = [row for row in rows(first, 230)[:50] if not 100 <= row["id"] < 160]
        return {"data": shown, **({"exceededTransferLimit": True} if first < 180 else {})}

    done = read_with({"type": "offset", "limit": 50, "total_path": None}, answer)
    assert done.ids == {*range(100), *range(160, 230)}
    assert done.result.complete


def test_of_two_totals_the_filtered_one_is_that_of_the_list() -> None:
    def answer(query: Query) -> Any:
        first = int(query["offset"])
        return {"data": rows(first, 130)[:50], "total": 300, "filtered": 130}

    done = read_with({"type": "offset", "limit": 50}, answer)
    assert done.result.complete
