"""Paginators deliver every row, or report that they may not have."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from event_assets.pagination.evidence import judge
from event_assets.pagination.factory import create_paginator
from event_assets.values.errors import PaginationError
from event_assets_tests.support.paging import Api, Query, read_ids, read_pages
from event_assets_tests.support.served_lists import numbered, read_with


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
    assert "lack the row that is at their 'offset'" in done.result.reason


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
