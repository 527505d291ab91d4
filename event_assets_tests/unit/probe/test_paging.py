"""A paginator is believed only when its pages bring other records; candidates come from answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from event_assets.http.response import JsonResponse
from event_assets.pagination.facts import ListFacts
from event_assets.probe.page import Page
from event_assets.probe.paging import PagesRead, Paging, find_shift, is_believed
from event_assets.probe.paging_candidates import cursor_names, find_hints, find_pointers


@pytest.mark.parametrize(
    ("after", "shift"),
    [
        ("abcde", 0),
        ("abc", 0),
        ("abcdefg", 0),
        ("xyz", 5),
        ("cdefg", 2),
        ("efghi", 4),
        ("cd", 2),
        ("edcba", None),
        ("axbyc", None),
    ],
)
def test_a_page_begins_some_records_behind_another(after: str, shift: int | None) -> None:
    assert find_shift(list("abcde"), list(after)) == shift


@pytest.mark.parametrize(
    ("pages", "is_done", "believed"),
    [
        (["abc", "def", "ghi"], False, True),
        (["abc", "cde", "efg"], False, True),
        (["abc", "def"], True, True),
        (["abcd", "cdef", "efgh"], False, True),
        (["abc", "", "def", "ghi"], False, True),
        (["abc", "def"], False, False),
        (["abc"], True, False),
        (["abc", "abc", "abc"], False, False),
        (["abc", "def", "def"], False, False),
        (["abc", "def", "abc"], False, False),
        (["abc", "bca", "cab"], False, False),
        (["abc", "bcd", "cde"], False, False),
        (["abcd", "dcef", "fegh"], False, False),
        (["aab", "cde", "fgh"], False, False),
    ],
    ids=[
        "pages",
        "overlapping pages",
        "two pages and the end",
        "pages that begin with the last second's rows",
        "an empty page in mid-list",
        "too few",
        "one page",
        "an ignored parameter",
        "a clamped last page",
        "a wrap-round",
        "a shuffled list",
        "a shift by one",
        "rows that come again in another order",
        "ids that are none",
    ],
)
def test_a_walk_is_believed_by_fresh_pages_only(
    pages: list[str], is_done: bool, believed: bool
) -> None:
    walk = PagesRead([Page(ids=list(page)) for page in pages], is_done=is_done)
    assert is_believed(walk) is believed
    assert not is_believed(replace(walk, error="refused"))


def test_the_last_row_of_a_list_of_offsets_comes_alone_behind_it() -> None:
    walk = PagesRead([Page(ids=ids) for ids in ([*"abc"], ["c"], [])], ListFacts(overlaps=1), True)
    assert is_believed(walk)
    assert not is_believed(replace(walk, facts=ListFacts()))


@pytest.mark.parametrize(
    ("document", "headers", "kind", "path"),
    [
        ({"next": "https://a.example/e?page=2"}, {}, "json_link", "next"),
        ({"links": {"next": "/e?page=2", "self": "/e"}}, {}, "json_link", "links.next"),
        ({"@odata.nextLink": "https://a.example/e?$skip=5"}, {}, "json_link", "@odata.nextLink"),
        ({"_links": {"next": {"href": "/e?p=2"}}}, {}, "json_link", "_links.next.href"),
        (
            {"links": [{"rel": "self", "href": "/e"}, {"rel": "next", "href": "/e?p=2"}]},
            {},
            "json_link",
            "links[?(@.rel=='next')].href",
        ),
        (
            {"link": [{"relation": "self", "url": "/e"}, {"relation": "next", "url": "/e?p=2"}]},
            {},
            "json_link",
            "link[?(@.relation=='next')].url",
        ),
        ({"nextPageToken": "abc"}, {}, "cursor", "nextPageToken"),
        ({"pageInfo": {"endCursor": "a", "startCursor": "x"}}, {}, "cursor", "pageInfo.endCursor"),
        ({"paging": {"cursors": {"after": "abc"}}}, {}, "cursor", "paging.cursors.after"),
        ({"meta": {"next_page": 2}}, {}, "cursor", "meta.next_page"),
        ({"scroll_id": "abc"}, {}, "cursor", "scroll_id"),
        ({"navigation": {"weiter": "/e?seite=2"}}, {}, "json_link", "navigation.weiter"),
        ({"page_suivante": None, "suivante": "abc"}, {}, "cursor", "suivante"),
        ({}, {"Link": '<https://a.example/e?page=2>; rel="next"'}, "header_link", "Link"),
        ({}, {"X-Next-Cursor": "abc"}, "header_cursor", "X-Next-Cursor"),
    ],
)  # fmt: skip
def test_what_leads_to_the_next_page_is_found(
    document: Any, headers: dict[str, str], kind: str, path: str
) -> None:
    found = find_pointers(Page("", JsonResponse(b"", headers), document))
    assert [(pointer.kind, pointer.path) for pointer in found] == [(kind, path)]


@pytest.mark.parametrize(
    "document",
    [
        {"next": None},
        {"nextSyncToken": "abc", "next_update": "2026-01-01"},
        {"previous": "/e?page=1", "first": "/e", "self": "/e"},
        {"prev_cursor": "abc"},
        {"events": [{"next": "/other"}]},
        {"hasNextPage": True},
    ],
)
def test_what_leads_elsewhere_is_no_pointer(document: Any) -> None:
    assert find_pointers(Page("", JsonResponse(b"", {"Retry-After": "3"}), document)) == []


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("nextPageToken", ["nextPageToken", "pageToken"]),
        ("pageInfo.endCursor", ["after", "cursor"]),
        ("next_cursor", ["cursor", "next_cursor", "start_cursor", "pagination_cursor"]),
        ("paging.cursors.after", ["after"]),
        ("pagination.continuation", ["continuation"]),
        ("meta.next", ["cursor", "page"]),
    ],
)
def test_a_cursor_is_sent_by_a_name_like_its_own(path: str, names: list[str]) -> None:
    assert cursor_names(path)[: len(names)] == names


def test_names_that_an_answer_shows_are_tried_first() -> None:
    document = {"per_page": 20, "page": 1, "last": "https://a.example/e?offset=40&limit=20"}
    response = JsonResponse(b"", {"Link": '<https://a.example/e?p=2>; rel="last"'})
    hints = find_hints(Page("", response, document, rows=range(20)))
    assert [*hints] == ["offset", "limit", "p", "per_page", "page", "last"]


def test_what_is_echoed_in_an_object_may_be_sent_in_brackets() -> None:
    document = {"meta": {"pagination": {"page": 1, "pageSize": 20, "total": 90}}}
    hints = find_hints(Page("", None, document, rows=range(20)))
    assert [name for name, own in hints.items() if own == "page"] == ["page", "pagination[page]"]
    assert hints["pagination[pageSize]"] == "pageSize"


def test_an_echo_that_is_not_the_length_of_the_page_is_no_size() -> None:
    assert find_hints(Page("", None, {"count": 90, "limit": 20}, rows=range(20))) == {
        "limit": "limit"
    }


def test_an_offset_paginator_writes_the_size_itself() -> None:
    offset = {"type": "offset", "limit": 5, "offset_param": "skip", "limit_param": "take"}
    paging = Paging(None, {"take": 5, "sort": "id"}, size_param="take")
    paging.keep({"type": "page_number"}, "")
    assert paging.settings == {"take": 5, "sort": "id"}
    paging.keep(offset, "")
    assert paging.settings == {"sort": "id"}
