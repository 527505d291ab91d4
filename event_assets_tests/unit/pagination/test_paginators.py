"""Paginators deliver every row, or report that they may not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from event_assets.pagination.evidence import judge
from event_assets.pagination.factory import create_paginator
from event_assets.values.errors import PaginationError
from event_assets_tests.support.paging import Api, Query, read_ids, read_pages
from event_assets_tests.support.served_lists import read_with


class Events:
    """An offset API over a list that may change every third request."""

    def __init__(self, length: int, *, cap: int = 50, total: str | None = "total") -> None:
        self.rows = list(range(length))
        self.staying = set(self.rows)
        self.cap = cap
        self.total = total
        self.deleting = self.inserting = False
        self.requests = 0

    def __call__(self, query: Query) -> Any:
        offset, limit = int(query["offset"]), int(query["limit"])
        page = self.rows[offset : offset + min(limit, self.cap)]
        body: dict[str, Any] = {"data": [{"id": row} for row in page]}
        if self.total:
            body[self.total] = len(self.rows)
        self.requests += 1
        if self.requests % 3 == 0:
            self.change()
        return body

    def change(self) -> None:
        if self.deleting and len(self.staying) > 500:
            self.staying.discard(self.rows.pop(0))
        if self.inserting:
            self.rows.insert(1, 10_000 + self.requests)


OFFSETS = {"type": "offset", "limit": 100}


@pytest.mark.parametrize("total", ["total", "count", None])
def test_a_server_that_caps_pages_is_read_completely(total: str | None) -> None:
    events = Events(1000, total=total)
    done = read_with(OFFSETS, events)
    assert done.ids == events.staying
    assert done.result.complete is True
    assert done.result.facts.distinct == 1000


@pytest.mark.parametrize("deleting", [True, False])
@pytest.mark.parametrize("inserting", [True, False])
@pytest.mark.parametrize("total", ["total", None])
def test_a_list_that_changes_every_third_request_is_read_completely(
    deleting: bool, inserting: bool, total: str | None
) -> None:
    events = Events(1000, total=total)
    events.deleting, events.inserting = deleting, inserting
    done = read_with(OFFSETS, events)
    assert done.ids >= events.staying
    assert done.result.complete is True


@pytest.mark.parametrize(
    "reported",
    [
        {"meta": {"pagination": {"total": 120}}},
        {"page": {"totalElements": "120"}},
        {"count": 2, "pagination": {"total": 120}},
        {"total": True, "total_count": 120},
    ],
)
def test_a_total_is_found_at_the_usual_paths(reported: dict[str, Any]) -> None:
    events = Events(120, total=None)
    done = read_with(OFFSETS, lambda query: {**events(query), **reported})
    assert done.result.facts.reported == 120
    assert done.result.facts.pages == 3


def test_a_total_is_found_in_a_header() -> None:
    events = Events(120, total=None)
    done = read_with(OFFSETS, lambda query: (events(query), {"X-Total-Count": "120"}))
    assert done.result.facts.reported == 120


def test_a_total_path_of_its_own_is_read() -> None:
    events = Events(120, total="howmany")
    assert read_with({**OFFSETS, "total_path": "howmany"}, events).result.facts.reported == 120
    assert read_with({**OFFSETS, "total_path": None}, Events(120)).result.facts.reported is None


@pytest.mark.parametrize("length", [1, 3, 50])
@pytest.mark.parametrize("total", [{}, {"total": 500}])
def test_an_ignored_offset_is_reported_with_its_name(length: int, total: dict[str, int]) -> None:
    rows = [{"id": row} for row in range(length)]
    done = read_with({**OFFSETS, "offset_param": "skip"}, lambda _: {"data": rows, **total})
    assert done.result.complete is (False if total else None)
    assert "'skip'" in done.result.reason
    assert len(done.asked) == 5


@pytest.mark.parametrize("total", [None, "total", "count"])
@pytest.mark.parametrize("length", [0, 1, 3, 49, 50, 51, 100, 101, 470])
@pytest.mark.parametrize("size", [50, 100])
def test_offsets_are_read_in_whole_pages_where_the_server_floors_them(
    size: int, length: int, total: str | None
) -> None:
    events = Events(length, cap=size, total=total)
    done = read_with(
        OFFSETS, lambda query: events({**query, "offset": int(query["offset"]) // size * size})
    )
    assert done.ids == set(range(length))
    assert done.result.complete is True
    assert len(done.asked) <= 2 * -(-length // size) + (7 if length in (50, 100) else 6)


def test_whole_pages_of_which_some_cannot_be_asked_for_are_not_complete() -> None:
    def answer(query: Query) -> Any:
        first = int(query["offset"]) // 100 * 100
        return {"data": [{"id": row} for row in range(first, min(400, first + 50))]}

    done = read_with(OFFSETS, answer)
    assert done.result.complete is False
    assert "at offsets 50 to 100" in done.result.reason


def test_a_deletion_between_two_whole_pages_loses_no_row() -> None:
    events = Events(400, cap=100, total=None)
    events.deleting = True

    def answer(query: Query) -> Any:
        return events({**query, "offset": int(query["offset"]) // 100 * 100})

    done = read_with(OFFSETS, answer)
    assert done.ids >= events.staying or done.result.complete is not True


def test_empty_pages_in_the_middle_are_skipped() -> None:
    events = Events(300)

    def answer(query: Query) -> Any:
        body = events(query)
        body["data"] = [row for row in body["data"] if not 100 <= row["id"] < 200]
        return body

    done = read_with(OFFSETS, answer)
    assert done.ids == {*range(100), *range(200, 300)}
    assert done.result.complete is False
    assert "reports 300 rows" in done.result.reason


def test_has_more_ends_the_pages() -> None:
    events = Events(120, total=None)

    def answer(query: Query) -> Any:
        body = events(query)
        return {**body, "more": "true" if int(query["offset"]) < 90 else "false"}

    done = read_with({**OFFSETS, "has_more_path": "more"}, answer)
    assert done.ids == events.staying
    assert done.result.complete is True
    assert done.result.facts.pages == 3


def test_a_has_more_path_that_was_found_may_be_missing_from_the_last_page() -> None:
    def answer(query: Query) -> Any:
        at = int(query.get("cursor", 0))
        more = {"more": True, "cursors": {"next": at + 1}} if at < 4 else {}
        return {**numbered({"page": at}), **more}

    done = read_with({"type": "cursor", "has_more_path": "more"}, answer)
    assert done.ids == set(range(95))
    assert done.result.complete is True


def test_offset_and_limit_can_travel_in_the_body() -> None:
    events = Events(120)
    done = read_with(
        {**OFFSETS, "offset_body_path": "page.from", "limit_body_path": "page.size"},
        lambda body: events({"offset": body["page"]["from"], "limit": body["page"]["size"]}),
        method="POST",
    )
    assert done.ids == events.staying


def test_rows_without_an_id_are_delivered_and_do_not_overlap() -> None:
    rows = [{"id": None, "name": str(row)} for row in range(120)]

    def answer(query: Query) -> Any:
        offset = int(query["offset"])
        return {"data": rows[offset : offset + 50]}

    done = read_with(OFFSETS, answer)
    assert done.result.complete is True
    assert done.result.facts.distinct == 120


def test_a_list_ended_by_an_error_is_not_complete() -> None:
    events = Events(500)
    paginator = create_paginator(OFFSETS, read_ids)
    api = Api(lambda query: events(query) if query["offset"] == "0" else 500)
    with pytest.raises(requests.HTTPError):
        list(read_pages(api, paginator))
    assert judge(paginator.facts).complete is False
    assert paginator.facts.pages == 1


def test_the_result_of_each_page_is_there_before_the_next_request() -> None:
    paginator = create_paginator(OFFSETS, read_ids)
    pages = [paginator.facts.pages for _ in read_pages(Api(Events(120)), paginator)]
    assert pages == [1, 2, 3]


def test_an_ignored_page_behind_a_good_one_is_the_end_of_page_numbers() -> None:
    done = read_with(
        "page_number", lambda q: numbered(q) if int(q["page"]) < 3 else 404, ignored=[404]
    )
    assert done.ids == set(range(60))
    assert done.result.complete is True


@pytest.mark.parametrize(("kind", "requests_sent"), [(OFFSETS, 3), ("cursor", 2)])
def test_an_ignored_response_ends_the_list(kind: Any, requests_sent: int) -> None:
    rows = [{"id": row} for row in range(100)]

    def answer(query: Query) -> Any:
        is_first = query.get("offset", query.get("page", "0")) == "0" and "cursor" not in query
        return {"data": rows, "cursors": {"next": "a"}} if is_first else 404

    done = read_with(kind, answer, ignored=[404])
    assert done.ids == set(range(100))
    assert done.result.complete is None
    assert "response_actions ignore" in done.result.reason
    assert len(done.asked) == requests_sent  # offsets may have moved to the front


def test_an_ignored_response_behind_the_last_page_is_an_end() -> None:
    def answer(query: Query) -> Any:
        page = numbered(query, 100)
        return {**page, "total": 100} if page["data"] else 404

    done = read_with({"type": "page_number"}, answer, ignored=[404])
    assert done.result.complete is True


def test_the_parameters_of_upcoming_pages_are_requested() -> None:
    paginator = create_paginator(
        {**OFFSETS, "offset_param": "skip", "limit_param": "take"}, read_ids
    )
    events = Events(200)
    api = Api(lambda q: events({"offset": q["skip"], "limit": q["take"]}))
    pages = read_pages(api, paginator)
    next(pages)
    expected = paginator.upcoming(2)
    for _ in pages:
        pass
    assert expected == [{"skip": 98, "take": 100}, {"skip": 147, "take": 100}]
    asked = [{name: int(value) for name, value in query.items()} for query in api.asked[2:4]]
    assert asked == expected


def numbered(query: Query, length: int = 95, size: int = 20) -> dict[str, Any]:
    start = int(query.get("page", 0)) * size
    return {"data": [{"id": row} for row in range(start, min(start + size, length))]}


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


def test_the_last_page_given_again_is_an_end() -> None:
    done = read_with("page_number", lambda query: numbered({"page": min(query["page"], "4")}))
    assert done.ids == set(range(95))
    assert done.result.complete is True
    assert len(done.asked) == 2 * (5 + 1)


def test_page_numbers_that_wrap_round_end_after_a_lap() -> None:
    done = read_with("page_number", lambda query: numbered({"page": int(query["page"]) % 5}))
    assert done.ids == set(range(95))
    assert done.result.complete is None
    assert "wraps round" in done.result.reason
    assert len(done.asked) <= 2 * 5 + 1


@pytest.mark.parametrize("base", [0, 1])
def test_a_maximum_page_ends_unverified(base: int) -> None:
    done = read_with({"type": "page_number", "base_page": base, "maximum_page": 2}, numbered)
    assert [int(query["page"]) for query in done.asked] == list(range(base, 2))
    assert done.result.complete is None
    assert done.result.reason.endswith("stopped at maximum_page 2.")


def test_a_total_path_of_offsets_that_is_never_found_is_named() -> None:
    done = read_with({**OFFSETS, "total_path": "nowhere"}, Events(120))
    assert done.result.complete is True
    assert "No number was found at the paginator's total_path `nowhere`." in done.result.reason


@pytest.mark.parametrize(
    ("kind", "setting"),
    [("page_number", "total_path"), ("page_number", "has_more_path"), ("offset", "has_more_path")],
)
def test_a_path_that_is_never_found_is_reported_without_the_response(
    kind: str, setting: str
) -> None:
    options = {"type": kind, setting: "nowhere", **({"limit": 20} if kind == "offset" else {})}
    with pytest.raises(PaginationError, match=f"{setting} `nowhere`") as caught:
        read_with(options, lambda query: numbered({"page": query.get("page", "0")}))
    assert "data" not in str(caught.value)


def test_a_path_of_something_else_is_reported_as_what_it_is() -> None:
    with pytest.raises(PaginationError, match="`more` is neither true nor false in the API's"):
        read_with(
            {"type": "page_number", "has_more_path": "more"}, lambda q: {**numbered(q), "more": "?"}
        )


def cursors(query: Query) -> dict[str, Any]:
    at = int(query.get("cursor", 0))
    return {**numbered({"page": str(at)}), "cursors": {"next": str(at + 1) if at < 4 else None}}


@pytest.mark.parametrize(
    ("said", "members"),
    [
        ("overflow: true", {"overflow": True}),
        ("timed_out: true", {"timed_out": True, "_shards": {"failed": 0}}),
        ("_shards.failed: 1", {"timed_out": False, "_shards": {"failed": 1}}),
        ("partial_results: true", {"partial_results": True}),
    ],
)
@pytest.mark.parametrize("kind", [OFFSETS, "page_number", "single_page"])
def test_a_truncated_list_is_not_complete(kind: Any, said: str, members: Any) -> None:
    def answer(query: Query) -> Any:
        offset = int(query.get("offset", 0))
        rows = list(range(offset, 90)) if not int(query.get("page", 0)) else []
        return {"data": [{"id": row} for row in rows], "total": 90, **members}

    done = read_with(kind, answer)
    assert done.ids == set(range(90))
    assert done.result.complete is False
    assert f"`{said}`" in done.result.reason


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
    "end", ["#", "#top", "javascript:void(0)", "None", " ", "0", "-1", "False", "END", "LTE="]
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
        (35, {}, None),
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


def test_the_only_page_of_page_numbers_is_complete() -> None:
    done = read_with(
        "page_number", lambda query: {**numbered(query, 9), "total": 9, "total_pages": 1}
    )
    assert done.ids == set(range(9))
    assert done.result.complete is True
    assert len(done.asked) == 1


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


def test_a_single_page_proves_nothing_if_it_is_as_long_as_pages_are() -> None:
    assert read_with("single_page", numbered).result.complete is None
    assert read_with("single_page", lambda query: numbered(query, 7)).result.complete is True
    assert read_with(None, lambda query: numbered(query, 7)).result.complete is None
    assert read_with("single_page", lambda _: {"data": []}).result.complete is True
    more = read_with("single_page", lambda query: {**numbered(query), "total": 95})
    assert more.result.complete is False


def test_a_paginator_detected_by_dlt_is_monitored() -> None:
    # dlt's detection goes on with page 1, which this API has sent as the first
    done = read_with(
        None,
        lambda query: {
            **numbered({"page": max(0, int(query.get("page", 1)) - 1)}),
            "total_pages": 5,
        },
    )
    assert done.delivered == list(range(95))
    assert done.result.complete is True


@pytest.mark.parametrize(
    ("config", "word"),
    [
        ({"type": "offset", "limit": 10, "limitt": 1}, "limitt"),
        ({"type": "offset"}, "limit"),
        ({"type": "page_number", "pages": 1}, "pages"),
        ({"type": "nothing"}, "nothing"),
        ({"type": "offset", "limit": 0}, "limit"),
    ],
)
def test_an_option_that_does_not_exist_is_named(config: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        create_paginator(config, read_ids)
