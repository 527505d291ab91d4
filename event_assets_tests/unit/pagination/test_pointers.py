"""Lists by cursors and links are read completely, or reported as not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from event_assets.pagination.factory import create_paginator
from event_assets_tests.support.paging import URL, Api, Query, read_ids
from event_assets_tests.support.served_lists import numbered, read_with, rows


def cursors(query: Query) -> dict[str, Any]:
    at = int(query.get("cursor", 0))
    return {**numbered({"page": str(at)}), "cursors": {"next": str(at + 1) if at < 4 else None}}


def test_cursors_that_end_by_themselves_are_complete() -> None:
    done = read_with("cursor", cursors)
    assert done.ids == set(range(95))
    assert done.result.complete is True


def test_a_total_above_what_the_cursors_brought_is_reported() -> None:
    done = read_with("cursor", lambda query: {**cursors(query), "total": 120})
    assert done.result.complete is False
    assert "reports 120 rows but sent 95" in done.result.reason


def test_a_cursor_that_stays_the_same_is_followed_while_fresh_rows_come() -> None:
    pages = iter(range(100))

    def answer(_: Query) -> Any:
        rows = [{"id": page} for page in [next(pages, None)] if page is not None]
        return {"data": rows, "cursors": {"next": "a"}}

    done = read_with("cursor", answer)
    assert done.ids == set(range(100))
    assert done.result.complete is True
    assert len(done.asked) == 101


def test_a_cursor_that_repeats_with_no_fresh_row_ends_the_list() -> None:
    names = {None: "a", "a": "b", "b": "c", "c": "a"}

    def answer(query: Query) -> Any:
        cursor = query.get("cursor")
        rows = [{"id": f"{cursor} {row}"} for row in range(3)]
        return {"data": rows, "cursors": {"next": names[cursor]}}

    done = read_with("cursor", answer)
    assert len(done.ids) == 12
    assert done.result.complete is False
    assert "twice" in done.result.reason
    assert len(done.asked) == 5


@pytest.mark.parametrize("length", [7, 15, 20, 35, 40])
@pytest.mark.parametrize(
    "end",
    [
        *("#", "#top", "javascript:void(0)", "None", " ", "0", "-1", "False", "END", "LTE="),
        *("N/A", "last", "no_more", "00000000-0000-0000-0000-000000000000"),
    ],
)
@pytest.mark.parametrize("kind", ["json_link", {"type": "cursor", "cursor_path": "next"}])
def test_what_leads_nowhere_is_no_link_to_more(kind: Any, end: str, length: int) -> None:
    def answer(query: Query) -> Any:
        page = 2 if "cursor" in query else 1
        link = "/events?cursor=2" if kind == "json_link" else "2"
        rows = [{"id": row} for row in range(length)][20 * page - 20 : 20 * page]
        return {"data": rows, "next": end if length <= 20 * page else link}

    done = read_with(kind, answer)
    assert done.ids == set(range(length))
    assert done.result.complete is (None if length == 20 else True), done.result.reason
    assert "leads to more" not in done.result.reason


@pytest.mark.parametrize(
    ("length", "said", "complete"),
    [
        (7, {}, True),
        (20, {}, None),
        (35, {}, True),
        (40, {}, None),
        (40, {"total": 40}, True),
        (40, {"total": 41}, False),
        (40, {"has_more": True}, False),
        (60, {}, None),
    ],
)
def test_a_page_whose_link_leads_to_itself_may_be_the_last(
    length: int, said: Any, complete: bool | None
) -> None:

    def answer(query: Query) -> Any:
        page = int(query.get("cursor", 1))
        following = "/events?cursor=2" if length > 20 else "/events"
        rows = [{"id": row} for row in range(length)][20 * page - 20 : 20 * page]
        return {"data": rows, "next": following, **said}

    done = read_with("json_link", answer)
    assert done.ids == set(range(min(length, 40)))
    assert done.result.complete is complete, done.result.reason


def test_too_many_empty_pages_end_the_list() -> None:
    cursor = iter(range(1, 1000))
    done = read_with("cursor", lambda _: {"data": [], "cursors": {"next": str(next(cursor))}})
    assert done.result.complete is False
    assert len(done.asked) == 25
    numbers = read_with("page_number", lambda _: {"data": [], "total": 9})
    assert numbers.result.complete is False
    assert len(numbers.asked) == 25


@pytest.mark.parametrize("paginator", ["page_number", "cursor", {"type": "offset", "limit": 20}])
@pytest.mark.parametrize("said", ["total", "has_more"])
@pytest.mark.parametrize("holes", [[(2, 10)], [(0, 1), (4, 9)], [(1, 2), (3, 20)], [(3, 24)]])
def test_pages_that_a_filter_empties_end_no_list_of_which_more_is_promised(
    paginator: Any, said: str, holes: list[tuple[int, int]]
) -> None:
    pages, size = 22, 20
    hidden = {page for first, last in holes for page in range(first, last)}
    rows = [{"id": row} if row // size not in hidden else None for row in range(pages * size)]
    shown = {row["id"] for row in rows if row}

    def answer(query: Query) -> Any:
        page = int(query.get("page") or query.get("cursor") or 0)
        at = int(query["offset"]) if "offset" in query else page * size
        has_more = at + size < len(rows)
        promise = {"total": len(shown)} if said == "total" else {"has_more": has_more}
        cursors = {"next": str(page + 1) if has_more else None}
        return {"data": [row for row in rows[at:][:size] if row], "cursors": cursors, **promise}

    done = read_with(paginator, answer)
    assert done.ids == shown
    assert done.result.complete is True, done.result.reason


def test_a_cursor_that_leads_on_for_ever_ends_behind_as_many_rows_as_the_total_says() -> None:
    def answer(query: Query) -> Any:
        page = int(query.get("cursor", "k0")[1:])
        rows = [{"id": row} for row in range(130)][page * 20 :][:20]
        return {"data": rows, "cursors": {"next": f"k{page + 1}"}, "total": 130}

    done = read_with("cursor", answer)
    assert done.ids == set(range(130))
    assert done.result.complete is True, done.result.reason
    assert len(done.asked) == 7 + 4


@pytest.mark.parametrize("paginator", ["page_number", "cursor"])
@pytest.mark.parametrize("members", [{}, {"total": 130}])
@pytest.mark.parametrize("stride", [17, 19])
def test_pages_that_overlap_on_purpose_are_complete(
    paginator: str, members: dict[str, Any], stride: int
) -> None:
    def answer(query: Query) -> Any:
        page = int(query.get("page") or query.get("cursor", "k0")[1:])
        rows = [{"id": row} for row in range(130)][page * stride :][:20]
        cursors = {"next": f"k{page + 1}" if (page + 1) * stride + 3 < 130 else None}
        return {"data": rows, "cursors": cursors, **members}

    done = read_with(paginator, answer)
    assert sorted(done.delivered) == list(range(130))
    assert done.result.complete is True, done.result.reason


def test_rows_that_some_pages_repeat_are_no_overlap() -> None:
    pages = [[0, 1, 2, 3], [3, 4, 5, 6], [7, 8, 9, 10], [11]]

    def answer(query: Query) -> Any:
        page = "abcd".index(query.get("cursor", "a"))
        rows = [{"id": row} for row in pages[page]]
        return {"data": rows, "cursors": {"next": "bcd"[page : page + 1]}}

    done = read_with("cursor", answer)
    assert done.ids == set(range(12))
    assert done.result.complete is None
    assert "but the list has 13" in done.result.reason


def linked(query: Query) -> tuple[dict[str, Any], str | None]:
    page = int(query.get("page", 0))
    return numbered(query), f"/events?page={page + 1}" if page < 4 else None


def in_the_body(query: Query) -> Any:
    body, link = linked(query)
    return {**body, "next": link}


def in_the_header(query: Query) -> Any:
    body, link = linked(query)
    return body, {"Link": f'<{link}>; rel="next"'} if link else {}


def cursor_in_the_header(query: Query) -> Any:
    body, link = linked({"page": query.get("cursor", "0")})
    return body, {"next": link.rpartition("=")[2]} if link else {}


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("json_link", in_the_body),
        ("header_link", in_the_header),
        ("header_cursor", cursor_in_the_header),
        (None, in_the_header),
        ("auto", in_the_body),
    ],
)
def test_links_that_end_by_themselves_are_complete(
    kind: str | None, answer: Callable[[Query], Any]
) -> None:
    done = read_with(kind, answer)
    assert done.ids == set(range(95))
    assert done.result.complete is True


@pytest.mark.parametrize(
    "form",
    [
        '<{}>; rel="Next"',
        "<{}>; REL = next",
        '<{}>; rel="next last"',
        '<{}>; title="Events; more, and older"; rel="next"',
        "</events?page=0>; rel='first', <{}&of=a,b>;rel='next'; title=\"On\"",
    ],
)
def test_a_link_in_the_header_is_followed_in_each_form(form: str) -> None:
    def answer(query: Query) -> Any:
        body, link = linked(query)
        return body, {"Link": form.format(link)} if link else {}

    done = read_with("header_link", answer)
    assert done.ids == set(range(95))
    assert done.result.complete is True


def test_a_link_in_the_header_that_says_it_has_no_results_is_not_followed() -> None:
    def answer(query: Query) -> Any:
        at = int(query.get("cursor", "0:0:0").split(":")[1])
        link = f'</events?cursor=0:{at + 20}:0>; rel="next"; results="{str(at < 80).lower()}"'
        return numbered({"page": str(at // 20)}), {"Link": link}

    done = read_with("header_link", answer)
    assert done.ids == set(range(95))
    assert done.result.complete is True
    assert done.asked[-1]["cursor"] == "0:80:0"


def test_links_that_count_pages_are_read_again_when_the_list_gets_shorter() -> None:
    rows = list(range(95))

    def answer(query: Query) -> Any:
        page = int(query.get("page", 0))
        shown = rows[20 * page : 20 * page + 20]
        link = f"/events?page={page + 1}" if 20 * (page + 1) < len(rows) else None
        body = {"data": [{"id": row} for row in shown], "next": link, "total": len(rows)}
        if page == 1:
            del rows[0]
        return body

    done = read_with("json_link", answer)
    assert set(rows) <= done.ids
    assert done.result.facts.passes > 1


def test_a_link_to_a_previous_page_ends_the_list() -> None:
    done = read_with("json_link", lambda query: {**numbered(query), "next": "/events?page=1"})
    assert done.result.complete is None
    assert len(done.asked) == 3


@pytest.mark.parametrize(
    ("link", "requested"),
    [
        ("http://backend.internal:8080/events?page=2", f"{URL}?page=2"),
        ("http://10.0.0.7/events?page=2", f"{URL}?page=2"),
        ("https://events.test:8443/events?page=2", f"{URL}?page=2"),
        ("http://backend/v2/events?page=2", "http://backend/v2/events?page=2"),
        ("http://other.test/events?page=2", "http://other.test/events?page=2"),
    ],
)
def test_a_link_to_a_host_behind_a_proxy_is_followed_at_that_of_the_list(
    link: str, requested: str
) -> None:
    paginator, request = create_paginator("json_link", read_ids), requests.Request("GET", URL)
    paginator.init_request(request)
    response = Api(lambda _: {"data": rows(0, 20), "next": link}).respond(request)
    paginator.receive(response, rows(0, 20))
    paginator.update_request(request)
    assert request.url == requested


@pytest.mark.parametrize("length", [130, 139])
def test_a_list_ends_where_its_last_id_brings_that_row_alone(length: int) -> None:
    """As by `max_id`, which includes the row that it names."""
    config = {"type": "cursor", "cursor_path": "data[-1].id", "cursor_param": "max_id"}
    rows = [{"id": number} for number in range(length, 0, -1)]

    def answer(query: Query) -> Any:
        at = length - int(query.get("max_id", length))
        return {"data": rows[at : at + 20]}

    done = read_with(config, answer)
    assert len(done.ids) == length
    assert done.result.complete is True
    stuck = read_with(config, lambda _: {"data": rows[:20]})
    assert stuck.result.complete is False
