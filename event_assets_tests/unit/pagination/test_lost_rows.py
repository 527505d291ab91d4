"""Lists in which a paginator lost rows, or said what was not so."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import requests

from event_assets.pagination.evidence import judge
from event_assets.pagination.factory import create_paginator
from event_assets_tests.support.list_models import (
    CURSOR,
    LAST_KEY,
    PAGINATORS,
    URL,
    ChangingList,
    by_cursor,
    in_base64,
)
from event_assets_tests.support.list_readers import Reader, read
from event_assets_tests.support.paging import Query, read_ids, read_list

NUMBERED = ["page", "page in the body"]
NUMERIC_KEYS = {
    "numeric key": (CURSOR, by_cursor(LAST_KEY)),
    "numeric key in base64": (CURSOR, by_cursor(in_base64(LAST_KEY))),
}


@pytest.fixture(autouse=True)
def numeric_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, paginator in NUMERIC_KEYS.items():
        monkeypatch.setitem(PAGINATORS, name, paginator)


@pytest.mark.parametrize(
    ("length", "hidden"),
    [(13, {8, 10, 11}), (33, {29, 30, 31}), (22, {18, 19, 20}), (28, {23, 25, 26})],
)
@pytest.mark.parametrize("kind", ["offset", "offset in the body"])
def test_the_look_behind_the_end_leaves_no_row_out(
    kind: str, length: int, hidden: set[int]
) -> None:
    listed = ChangingList(list(range(length)), hidden=frozenset(hidden))
    delivered, _, _ = read(kind, listed)
    assert delivered == listed.staying


@pytest.mark.parametrize("status", [0, 400, 404, 410])
@pytest.mark.parametrize("request_number", [1, 2, 3, 5])
@pytest.mark.parametrize("kind", NUMBERED)
def test_a_page_that_is_refused_once_is_no_end(kind: str, request_number: int, status: int) -> None:
    listed = ChangingList(list(range(25)))
    delivered, result, _ = read(kind, listed, (), {request_number: status})
    assert delivered == listed.staying or result.complete is not True


@pytest.mark.parametrize("total", ["none", "length of the page"])
@pytest.mark.parametrize(
    ("length", "hidden"),
    [(9, range(4, 8)), (25, range(19, 24)), (13, [5, 8, 9, 10, 11]), (33, range(27, 32))],
)
@pytest.mark.parametrize("kind", NUMBERED)
def test_page_numbers_go_on_behind_a_short_and_an_empty_page(
    kind: str, length: int, hidden: Any, total: str
) -> None:
    listed = ChangingList(list(range(length)), total=total, hidden=frozenset(hidden))
    delivered, _, _ = read(kind, listed)
    assert delivered == listed.staying


@pytest.mark.parametrize("config", [{}, {"total_path": None}])
def test_page_numbers_that_stop_at_nothing_end(config: Any) -> None:
    _, serve = PAGINATORS["page"]
    paginator = create_paginator(
        {"type": "page_number", "stop_after_empty_page": False, **config}, read_ids
    )
    reader = Reader()
    reader.read(paginator, serve, ChangingList(list(range(5))))
    assert reader.delivered == set(range(5))


@pytest.mark.parametrize("total", ["none", "true"])
@pytest.mark.parametrize("length", [1, 2, 4, 5, 8, 9])
@pytest.mark.parametrize("kind", PAGINATORS)
def test_a_refused_page_behind_all_rows_is_no_failure(kind: str, length: int, total: str) -> None:
    last = None if total == "true" else {"next": None}
    listed = ChangingList(list(range(length)), total=total, behind="refused", last=last)
    delivered, result, _ = read(kind, listed)
    assert delivered == listed.staying
    assert result.complete is not False


@pytest.mark.parametrize("behind", ["empty", "wraps", "clamps"])
@pytest.mark.parametrize("length", [5, 6, 8, 11])
@pytest.mark.parametrize("kind", PAGINATORS)
def test_a_total_that_is_reached_outweighs_a_pointer(kind: str, length: int, behind: str) -> None:
    listed = ChangingList(list(range(length)), total="true", behind=behind, last=None)
    delivered, result, requests = read(kind, listed)
    assert delivered == listed.staying
    assert result.complete is True
    assert requests <= listed.pages + 4


@pytest.mark.parametrize("kind", NUMERIC_KEYS)
@pytest.mark.parametrize(
    "script", [[], [[("insert", 24, 4)]], [[("delete", 10, 4), ("insert", 0, 3)]]]
)
@pytest.mark.parametrize("gap", [0, 1000])
def test_a_cursor_by_key_is_no_counter(kind: str, script: Any, gap: int) -> None:
    listed = ChangingList(list(range(13)))
    listed.keys = {row: row if row < 4 else row + gap for row in listed.rows}
    delivered, result, _ = read(kind, listed, script)
    assert listed.staying <= delivered
    assert result.complete is not False


def test_a_token_that_counts_rows_and_more_is_followed() -> None:
    def answer(query: Query) -> Any:
        at, flag = map(int, query["cursor"][2:].split("-")) if "cursor" in query else (0, 0)
        if at >= 10 and not flag:
            return {"data": [], "next": f"Cg{at}-1"}
        following = {"next": f"Cg{at + 10}-{flag}"} if at + 10 < 35 else {}
        return {"data": [{"id": row} for row in range(at, min(35, at + 10))], **following}

    done = read_list(create_paginator({"type": "cursor", "cursor_path": "next"}, read_ids), answer)
    assert done.ids == set(range(35))
    assert done.result.complete is True


@pytest.mark.parametrize("kind", [k for k in PAGINATORS if k.startswith("row")])
@pytest.mark.parametrize("hidden", [{2, 3}, {0, 2}])
def test_a_row_behind_short_pages_is_not_lost_by_a_deletion(kind: str, hidden: set[int]) -> None:
    listed = ChangingList(list(range(5)), hidden=frozenset(hidden))
    delivered, result, _ = read(kind, listed, [[("delete", 0, 1)]])
    assert listed.staying <= delivered or result.complete is not True


def test_a_row_that_was_received_but_not_delivered_is_missing() -> None:
    listed = ChangingList(list(range(20)), hidden=frozenset({15, 16, 17, 18}))
    script = [*[[]] * 5, [("insert", 0, 1)]]
    delivered, result, _ = read("offset", listed, script)
    assert listed.staying <= delivered or result.complete is not True


@pytest.mark.parametrize("total", ["true", "pages", "pages as a total"])
@pytest.mark.parametrize("kind", ["page", "page cursor", "page link"])
def test_rows_that_share_ids_are_no_lap_while_more_is_promised(kind: str, total: str) -> None:
    listed = ChangingList([at % 13 for at in range(170)] + list(range(100, 108)), total=total)
    listed.staying = set(listed.rows)
    delivered, _, _ = read(kind, listed)
    assert delivered == listed.staying


@pytest.mark.parametrize(
    "kind", ["row cursor in base64", "row link in base64", "row link", "row cursor"]
)
@pytest.mark.parametrize("hidden", [{4}, {5}, {2}])
def test_rows_behind_a_filtered_page_are_not_lost_by_a_deletion(
    kind: str, hidden: set[int]
) -> None:
    listed = ChangingList(list(range(8)), hidden=frozenset(hidden))
    delivered, result, _ = read(kind, listed, [[], [("delete", 0, 1)]])
    assert listed.staying <= delivered or result.complete is not True


def test_two_readings_that_agree_are_not_complete_below_a_total() -> None:
    delivered, result, _ = read(
        "offset", ChangingList(list(range(8)), total="true", hidden=frozenset({0, 1}))
    )
    assert delivered == set(range(2, 8))
    assert result.complete is False
    assert "reports 8 rows but sent 6" in result.reason


def test_a_list_is_not_complete_below_its_total() -> None:
    listed = ChangingList(list(range(12)), total="shown", hidden=frozenset({9, 10, 5}))
    delivered, result, _ = read("offset", listed, [[("insert", 0, 1)]])
    assert listed.staying <= delivered or result.complete is not True


@pytest.mark.parametrize("length", [12, 24, 44])
@pytest.mark.parametrize("kind", ["offset", "offset in the body", "page"])
def test_a_total_of_what_is_shown_ends_no_offsets(kind: str, length: int) -> None:
    listed = ChangingList(list(range(length)), total="shown", hidden=frozenset({5, 9, 10}))
    delivered, result, _ = read(kind, listed)
    assert delivered == listed.staying
    assert result.complete is True


@pytest.mark.parametrize("kind", ["page", "page in the body"])
def test_has_more_is_an_end_below_a_total(kind: str) -> None:
    listed = ChangingList(
        list(range(7)), total="true", has_more=True, behind="refused", hidden=frozenset({4})
    )
    delivered, result, _ = read(kind, listed)
    assert delivered == listed.staying
    assert "reports 7 rows but sent 6" in result.reason


@pytest.mark.parametrize(
    ("members", "headers"),
    [
        ({"total_pages": 3}, {}),
        ({"page": {"totalPages": 3, "number": 0}}, {}),
        ({"meta": {"pagination": {"total_pages": 3}}}, {}),
        ({"meta": {"last_page": 3, "current_page": 1}}, {}),
        ({"page_count": 3}, {}),
        ({"done": False, "nextRecordsUrl": "/services/query/01g-2000"}, {}),
        ({"isLast": False}, {}),
        ({"links": [{"rel": "next", "href": "/events?page=2"}]}, {}),
        ({"paging": {"cursors": {"before": "MTAx", "after": "MTAxNDE1"}}}, {}),
        ({"info": {"more_records": True}}, {}),
        ({"has_more": "true"}, {}),
        ({"hasMorePages": 1}, {}),
        ({"hasMore": "Y"}, {}),
        ({"end_of_stream": False}, {}),
        ({"truncated": True}, {}),
        ({"incomplete_results": True}, {}),
        ({"totalSize": 64}, {}),
        ({"numberMatched": 64}, {}),
        ({"recordsTotal": 64}, {}),
        ({"nbHits": 64}, {}),
        ({"found": 64}, {}),
        ({"total_events": 64}, {}),
        ({"event_count": 64}, {}),
        ({"opensearch:totalResults": 64}, {}),
        ({"total": "1,064"}, {}),
        ({"pagination": [{"total": 64}]}, {}),
        ({"pages": 4}, {}),
        ({"paging": {"numberOfPages": 4}}, {}),
        ({"after_cursor": "eyJ0"}, {}),
        ({"after_url": "/events?after=eyJ0"}, {}),
        ({"pageToken": "CAoQAA"}, {}),
        ({"resumptionToken": "x1"}, {}),
        ({"LastEvaluatedKey": {"id": "x1"}}, {}),
        ({"continue": {"grncontinue": "x1"}}, {}),
        ({"offset": "itrA/rec100"}, {}),
        ({"links": [{"rel": ["next"], "url": "/events?page=2"}]}, {}),
        ({"_links": {"next": [{"href": "/events?page=2"}]}}, {}),
        ({"count_total": 64}, {}),
        ({"load_more_url": "/events?page=2"}, {}),
        ({"partial": True}, {}),
        ({"total": {"all": 130}}, {}),
        ({"hits": 7, "total": {"value": 130, "relation": "eq"}}, {}),
        ({"page": {"max": 4}}, {}),
        ({"position": "x1"}, {}),
        ({"forward": "x1"}, {}),
        ({"LastEvaluatedKey": {"id": {"S": "x1"}, "start": {"N": "12"}}}, {}),
        ({"meta": {"last_evaluated_key": {"id": "x1"}}}, {}),
        ({"exceededTransferLimit": True}, {}),  # ArcGIS
        ({"pagination": {"has_more_events": 1}}, {}),
        ({"limitReached": True}, {}),
        ({"truncatedResults": True}, {}),
        ({"continueToken": "x1"}, {}),
        ({"hydra:totalItems": 130}, {}),
        ({"hydra:view": {"hydra:next": "/events?page=2"}}, {}),
        ({"resultsTruncated": True}, {}),
        ({"search_cutoff": True}, {}),  # Typesense
        ({"_scroll_id": "DXF1ZXJ5QW5kRmV0Y2gBAAAAAAAAAD4"}, {}),
        ({"$skipToken": "x1"}, {}),
        ({"moreResultsUrl": "/events?page=2"}, {}),
        ({"link": [{"relation": "next", "url": "/events?page=2"}]}, {}),  # FHIR
        ({"totalEstimatedMatches": 130}, {}),
        ({"pageable": {"totalElements": 130}}, {}),
        ({"paginator": {"lastPage": 8}}, {}),
        ({"meta": {"result_set": {"total": 130}}}, {}),
        ({}, {"Pagination-Count": "64"}),
        ({}, {"X-Next-Cursor": "x1"}),
        ({}, {"x-ms-continuation": "x1"}),
        ({}, {"Next-Range": "id x1..; max=7"}),
        ({}, {"Link": '</events?page=2>; rel="Next"'}),
        ({}, {"Link": '</events?page=2>; rel="next last"'}),
        ({}, {"X-Has-More": "true"}),
        ({}, {"X-Total-Results": "64"}),
        ({}, {"X-Pagination-Total-Count": "64"}),
        ({}, {"X-Page-Count": "4"}),
        ({}, {"Content-Range": "items 0-6/64"}),
        ({}, {"X-Pagination": '{"TotalCount": 64}'}),
        ({}, {"X-Pagination": '{"hasNext": true}'}),
        ({}, {"X-Next-Page": "2"}),
        ({}, {"X-Total-Pages": "3"}),
        ({}, {"X-WP-Total": "21", "X-WP-TotalPages": "3"}),
    ],
)
def test_a_response_that_promises_more_is_not_complete(
    members: dict[str, Any], headers: dict[str, str]
) -> None:
    body = {"data": [{"id": row} for row in range(7)], **members}
    done = read_list(create_paginator("single_page", read_ids), lambda _query: (body, headers))
    assert done.result.complete is False, done.result.reason


@pytest.mark.parametrize(
    ("members", "headers"),
    [
        ({}, {"Content-Range": "bytes 0-6/64"}),
        ({}, {"Content-Range": "items 0-6/*"}),
        ({}, {"X-Pagination": "TotalCount 64"}),
        ({"paging": {"cursors": {"before": "MTAx", "after": None}}}, {}),
        ({"total": 7, "total_pages": 1, "overflow": False}, {}),
        ({"facets": {"cities": {"more": True, "has_more": True}}}, {}),
        ({"offset": "0", "page": {"number": 9, "size": 20}}, {}),
        ({"account": {"follower_count": 900}, "pages": 1, "next_sync": "2026-01-01"}, {}),
        ({"timezone": {"offset": "+02:00"}, "event": {"name": "Book fair", "pages": 320}}, {}),
        ({"organization": {"event_count": 500}, "venue": {"count": 90}}, {}),
        ({"quota": {"total": 1000}, "rate_limit": {"total": 1000}}, {}),
        ({"facets": {"city": {"count": 900}}, "categories": {"items": ["a"], "total": 40}}, {}),
        ({"next_steps": "call us", "next_poll_seconds": 60, "nextAction": "none"}, {}),
        ({"more": "Read more on our site", "older": "archive", "page_id": "home"}, {}),
        ({"venues": {"items": ["a"], "next": "/venues?page=2", "has_more": True}}, {}),
        ({"pagination": [{"total": 7}], "previous_cursor": "x1"}, {}),
        ({}, {"Retry-After": "9", "X-RateLimit-Remaining": "64"}),
    ],
)
def test_a_response_that_promises_nothing_more_is_complete(
    members: dict[str, Any], headers: dict[str, str]
) -> None:
    body = {"data": [{"id": row} for row in range(7)], **members}
    done = read_list(create_paginator("single_page", read_ids), lambda _query: (body, headers))
    assert done.result.complete is True, done.result.reason


def test_a_cursor_of_the_page_beside_a_missing_link_is_no_promise() -> None:
    body = {"data": [{"id": row} for row in range(7)], "paging": {"cursors": {"after": "MTAx"}}}
    link = create_paginator({"type": "json_link", "next_url_path": "paging.next"}, read_ids)
    assert read_list(link, lambda _query: body).result.complete is not False


def test_a_total_that_changes_is_not_reached_by_as_many_ids() -> None:
    listed = ChangingList(list(range(16)), total="true")
    delivered, result, _ = read("page", listed, [[("insert", 25, 2), ("delete", 0, 1)]])
    assert listed.staying <= delivered
    assert result.passes > 1


FLAGS_OF_SOMETHING_ELSE: list[dict[str, Any]] = [
    {"facets": {"cities": {"more": False}}},
    {"job": {"done": True}},
    {"venues": {"pageInfo": {"hasNextPage": False, "endCursor": None}}},
    {"done": True},
    {"meta": {"complete": True}},
]


def rows_from(first: int, length: int = 130) -> list[dict[str, Any]]:
    return [{"id": row} for row in range(first, min(length, first + 20))]


def by_a_cursor(query: Query) -> dict[str, Any]:
    first = (
        int(query["cursor"].removeprefix("k").translate(FROM_LETTERS)) if "cursor" in query else 0
    )
    name = f"k{first + 20}".translate(TO_LETTERS)
    return {"data": rows_from(first), **({"next": name} if first + 20 < 130 else {})}


TO_LETTERS, FROM_LETTERS = (
    str.maketrans(*pair) for pair in (("0123456789", "abcdefghij"), ("abcdefghij", "0123456789"))
)
RELAY = {"type": "cursor", "cursor_path": "pageInfo.endCursor", "cursor_param": "after"}
PAGED: dict[str, tuple[Any, Any]] = {
    "cursor": ({"type": "cursor", "cursor_path": "next"}, by_a_cursor),
    "offset": (
        {"type": "offset", "limit": 20},
        lambda query: {"data": rows_from(int(query["offset"]))},
    ),
    "page": ("page_number", lambda query: {"data": rows_from(20 * int(query["page"]))}),
}


@pytest.mark.parametrize("members", FLAGS_OF_SOMETHING_ELSE, ids=str)
@pytest.mark.parametrize("kind", PAGED)
def test_a_flag_that_speaks_of_something_else_ends_no_list(
    kind: str, members: dict[str, Any]
) -> None:
    config, answer = PAGED[kind]
    done = read_list(create_paginator(config, read_ids), lambda query: {**members, **answer(query)})
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
    done = read_list(create_paginator(config, read_ids), answer)
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
    done = read_list(
        create_paginator(RELAY, read_ids), lambda query: by_a_connection(query, length, "kbea")
    )
    assert done.ids == set(range(length))
    assert done.result.complete is True
    assert len(done.asked) == 7 + behind


def test_a_flag_beside_a_cursor_that_is_always_false_ends_no_list() -> None:
    def answer(query: Query) -> Any:
        page = by_a_connection(query, 130, None)
        page["pageInfo"]["hasNextPage"] = False
        return page

    done = read_list(create_paginator(RELAY, read_ids), answer)
    assert done.ids == set(range(130))
    assert done.result.complete is True
    assert len(done.asked) == 7


@pytest.mark.parametrize(("length", "requests"), [(19, 1), (20, 2)])
def test_the_only_page_is_the_last_beside_a_flag_unless_it_is_as_long_as_pages_are(
    length: int, requests: int
) -> None:
    def answer(query: Query) -> Any:
        info = {"hasNextPage": False, "endCursor": "k"}
        return {"data": [] if "after" in query else rows_from(0, length), "pageInfo": info}

    done = read_list(create_paginator(RELAY, read_ids), answer)
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

    done = read_list(create_paginator({"type": "cursor", "cursor_path": "next"}, read_ids), answer)
    assert done.delivered == list(range(130))
    assert done.result.complete is True
    assert len(done.asked) == 7 + 1


def test_status_206_is_a_part() -> None:
    paginator = create_paginator("single_page", read_ids)
    response = requests.Response()
    response.status_code, response._content = 206, b'{"data": []}'
    paginator.init_request(requests.Request("GET", URL))
    paginator.update_state(response, [{"id": row} for row in range(7)])
    assert judge(paginator.facts).complete is False
    assert "the status 206" in judge(paginator.facts).reason


@pytest.mark.parametrize(
    ("members", "complete"),
    [
        ({"total_size": 12345}, None),
        ({"totalValue": 5000}, None),
        ({"total_events": 900}, None),
        ({"summary": {"total": 900}}, None),
        ({"found": "2020"}, None),
        ({"nbHits": 1300, "nbPages": 65}, None),
        ({"meta": {"total_events": 500, "total": 130}}, True),
        ({"meta": {"total_count": 500, "filter_count": 130}}, True),
        ({"recordsTotal": 500, "recordsFiltered": 130}, True),
        ({"count": 20}, True),
        ({"meta": {"total": 20}}, True),
        ({"response": {"count": 20}}, True),
        ({"total": 137}, False),
        ({"resultsPage": {"totalEntries": 137}}, False),
        ({"odata.count": "137"}, False),
        ({"@odata.count": 137}, False),
        ({"recordsFiltered": 137}, False),
        ({"@Microsoft.Dynamics.CRM.totalrecordcount": 137}, None),
        ({"meta": {"pagination": {"totalItems": "1,300"}}}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", PAGED)
def test_only_a_total_that_surely_counts_the_list_is_evidence_against_it(
    kind: str, members: dict[str, Any], complete: bool | None
) -> None:
    config, answer = PAGED[kind]
    done = read_list(create_paginator(config, read_ids), lambda query: {**answer(query), **members})
    assert done.ids == set(range(130))
    assert done.result.complete is complete, done.result.reason


@pytest.mark.parametrize("kind", PAGED)
def test_what_promises_more_is_named_and_how_to_do_without_it(kind: str) -> None:
    config, answer = PAGED[kind]
    members = {"meta": {"count": 20, "total": 137}}
    done = read_list(create_paginator(config, read_ids), lambda query: {**answer(query), **members})
    assert "`meta.total` of 137 counts something else, set `total_path: null`" in done.result.reason
    config = {**(config if isinstance(config, dict) else {"type": config}), "total_path": None}
    done = read_list(create_paginator(config, read_ids), lambda query: {**answer(query), **members})
    assert done.result.complete is True


@pytest.mark.parametrize(
    "kind", ["json_link", "header_link", "header_cursor", "single_page", "auto"]
)
def test_every_paginator_can_be_told_that_there_is_no_total_and_no_flag(kind: str) -> None:
    members = {"total": 137, "has_more": True, "next": None}
    body = {"data": rows_from(0, 7), **members}
    config = {"type": kind, "total_path": None, "has_more_path": None}
    assert read_list(create_paginator(kind, read_ids), lambda _query: body).result.complete is False
    done = read_list(create_paginator(config, read_ids), lambda _query: body)
    assert done.result.complete is not False


@pytest.mark.parametrize(
    ("members", "complete"),
    [
        ({"pages": 65}, None),
        ({"nbPages": 8}, None),
        ({"meta": {"total_pages": 8}}, None),
        ({"meta": {"total_pages": 7}}, True),
        ({"meta": {"total_pages": 65, "total": 130}}, True),
    ],
    ids=str,
)
def test_offsets_that_end_before_the_last_page_that_is_told_are_not_complete(
    members: dict[str, Any], complete: bool | None
) -> None:
    config, answer = PAGED["offset"]
    done = read_list(create_paginator(config, read_ids), lambda query: {**answer(query), **members})
    assert done.ids == set(range(130))
    assert done.result.complete is complete
    assert ("set `total_path: null`" in done.result.reason) is (complete is None)


@pytest.mark.parametrize("members", [{"pages": 320}, {"maxPage": 50}], ids=str)
def test_a_number_of_pages_that_may_be_of_something_else_is_no_evidence_against_a_list(
    members: dict[str, Any],
) -> None:
    config, answer = PAGED["page"]
    done = read_list(create_paginator(config, read_ids), lambda query: {**answer(query), **members})
    assert done.ids == set(range(130))
    assert done.result.complete is None
    assert "total_path" in done.result.reason


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

    done = read_list(create_paginator(config, read_ids), flagged)
    assert done.ids == set(range(130))
    assert done.result.complete is True


@pytest.mark.parametrize("length", [1, 7])
def test_rows_behind_a_page_that_every_offset_before_the_limit_brings_are_a_gap(
    length: int,
) -> None:
    def answer(query: Query) -> dict[str, Any]:
        first = int(query["offset"])
        return {"data": rows_from(first, 50) if first >= 20 else rows_from(0, length)}

    done = read_list(create_paginator({"type": "offset", "limit": 20}, read_ids), answer)
    assert done.result.complete is False
    assert f"the first at offsets {length} to 20." in done.result.reason


@pytest.mark.parametrize("member", ["per_page", "count", "page"])
def test_a_total_path_that_is_no_number_of_pages_loses_no_row(member: str) -> None:
    def answer(query: Query) -> dict[str, Any]:
        page = rows_from(20 * (int(query["page"]) - 1), 600)
        meta = {"per_page": 20, "count": len(page), "page": int(query["page"])}
        return {"data": page, "meta": meta}

    config = {"type": "page_number", "base_page": 1, "total_path": f"meta.{member}"}
    done = read_list(create_paginator(config, read_ids), answer)
    assert done.ids == set(range(600)) or done.result.complete is not True


@pytest.mark.parametrize("name", ["limit", "maxRecords", "max_records"])
def test_a_list_of_as_many_rows_as_were_asked_for_in_a_page_may_be_cut(name: str) -> None:
    def answer(query: Query) -> dict[str, Any]:
        first = int(query.get("at", 0))
        link = f"/events?{name}=60&at={first + 20}" if first + 20 < 60 else None
        return {"data": rows_from(first, 60), "next": link}

    done = read_list(create_paginator("json_link", read_ids), answer)
    assert done.result.complete is None
    assert "may limit the whole list" in done.result.reason


@pytest.mark.parametrize(("size", "complete"), [(50, None), (20, True)])
def test_page_numbers_whose_pages_are_shorter_than_was_asked_for_may_have_gaps(
    size: int, complete: bool | None
) -> None:
    """The server sends 20 rows at most, and counts its pages by what was asked for."""

    def answer(query: Query) -> dict[str, Any]:
        return {"data": rows_from(int(query["page"]) * int(query["size"]))}

    paginator = create_paginator("page_number", read_ids)
    done = read_list(paginator, answer, params={"size": size})
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
    done = read_list(create_paginator(config, read_ids), answer)
    assert done.result.complete is False
    assert f"`{'.'.join(around)}.after` in the response leads to more" in done.result.reason


def test_a_list_that_is_read_backwards_to_its_end_is_complete() -> None:
    def answer(query: Query) -> dict[str, Any]:
        page = by_a_cursor(query)
        return {"data": page["data"], "paging": {"before": page.get("next"), "after": "newer"}}

    config = {"type": "cursor", "cursor_path": "paging.before", "cursor_param": "cursor"}
    done = read_list(create_paginator(config, read_ids), answer)
    assert done.ids == set(range(130))
    assert done.result.complete is True


def test_an_offset_that_begins_behind_a_row_of_the_total_is_reported() -> None:
    def answer(query: Query) -> dict[str, Any]:
        return {"data": rows_from(int(query["offset"])), "total": 130}

    config = {"type": "offset", "limit": 20, "offset": 1}
    done = read_list(create_paginator(config, read_ids), answer)
    assert done.result.complete is False
    assert "reports 130 rows but sent 129" in done.result.reason


AT_LEAST: list[dict[str, Any]] = [
    {"total": {"value": 100, "relation": "gte"}},  # Elasticsearch, OpenSearch
    {"hits": {"total": {"value": 100, "relation": "gte"}}},
    {"numFound": 100, "numFoundExact": False},  # Solr
    {"@odata.count": 100, "@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded": True},
    {"total": 100, "isTotalExact": False},
    {"meta": {"total": 100, "totalIsCapped": True}},
    {"meta": {"total": 100, "total_relation": "gte"}},
]
ESTIMATES: list[dict[str, Any]] = [
    {"nbHits": 100, "exhaustiveNbHits": False},  # Algolia
    {"nbHits": 100, "exhaustive": {"nbHits": False}},
    {"estimatedTotalHits": 100},  # Meilisearch
    {"pagination": {"total": 100, "total_is_estimate": True}},
    {"total": 100, "isEstimatedTotal": True},  # FactSet
    {"total": 100, "total_was_estimated": True},  # CKAN
    {"count": 100, "accuracy": "estimated"},
]


def read_first(kind: str, length: int, members: dict[str, Any]) -> Any:
    """Read a list of which the API shows the first rows only, without a word."""
    config, answer = PAGED[kind]

    def cut(query: Query) -> dict[str, Any]:
        page = answer(query)
        data = [row for row in page.pop("data") if row["id"] < length]
        if data and data[-1]["id"] == length - 1:
            page.pop("next", None)
        return {**page, **members, "hits": {**members.get("hits", {}), "hits": data}, "data": data}

    done = read_list(create_paginator(config, read_ids), cut)
    assert done.ids == set(range(length))
    return done.result


@pytest.mark.parametrize("members", AT_LEAST, ids=str)
@pytest.mark.parametrize("kind", PAGED)
@pytest.mark.parametrize(("length", "complete"), [(80, False), (100, None), (120, True)])
def test_a_lower_bound_is_no_end_where_it_is_reached_and_a_lack_where_it_is_not(
    kind: str, members: dict[str, Any], length: int, complete: bool | None
) -> None:
    result = read_first(kind, length, members)
    assert result.complete is complete, result.reason
    assert ("reports at least 100" in result.reason) is (complete is not True)


@pytest.mark.parametrize("members", ESTIMATES, ids=str)
@pytest.mark.parametrize("kind", PAGED)
@pytest.mark.parametrize(("length", "complete"), [(80, None), (100, True), (120, True)])
def test_an_estimate_is_a_doubt_where_it_is_not_reached(
    kind: str, members: dict[str, Any], length: int, complete: bool | None
) -> None:
    result = read_first(kind, length, members)
    assert result.complete is complete, result.reason


@pytest.mark.parametrize("members", [{}, {"total": 130, "isTotalExact": False}], ids=str)
def test_a_lower_bound_that_is_reached_saves_no_request(members: dict[str, Any]) -> None:
    config, answer = PAGED["page"]
    done = read_list(create_paginator(config, read_ids), lambda query: {**answer(query), **members})
    assert len(done.asked) == 2 * 7 + 5


def by_thousands(kind: str, length: int, **members: Any) -> Any:
    config: dict[str, Any] = {"type": kind, **({"limit": 1000} if kind == "offset" else {})}

    def answer(query: Query) -> dict[str, Any]:
        first = int(query["offset"]) if kind == "offset" else 1000 * int(query["page"])
        return {"data": [{"id": row} for row in range(first, min(length, first + 1000))], **members}

    return read_list(create_paginator(config, read_ids), answer).result


@pytest.mark.parametrize("kind", ["offset", "page_number"])
@pytest.mark.parametrize(
    ("length", "members", "complete"),
    [
        (10_000, {}, None),
        (10_000, {"estimatedTotalHits": 10_000}, None),
        (10_000, {"total": 10_000}, True),
        (9_999, {}, True),
        (10_001, {}, True),
        (11_000, {}, True),
    ],
)
def test_nothing_behind_the_usual_depth_of_search_engines_may_be_their_limit(
    kind: str, length: int, members: dict[str, Any], complete: bool | None
) -> None:
    result = by_thousands(kind, length, **members)
    assert result.distinct_ids == length
    assert result.complete is complete, result.reason
    assert ("`windows`" in result.reason) is (complete is None)


def test_a_flag_that_contradicts_the_pages_is_named() -> None:
    config, answer = PAGED["offset"]
    paginator = create_paginator({**config, "has_more_path": "has_prev"}, read_ids)
    result = read_list(
        paginator, lambda query: {**answer(query), "has_prev": query["offset"] != "0"}
    ).result
    assert result.complete is False
    assert "If `has_prev` says something else, set `has_more_path`" in result.reason


@pytest.mark.parametrize("is_pinned", [True, False])
def test_a_total_that_is_doubtful_is_no_evidence_against_page_numbers(is_pinned: bool) -> None:
    """A row comes at the top of each page, or the total is never the same."""
    totals = itertools.cycle([130] if is_pinned else [131, 128, 132, 129])

    def answer(query: Query) -> dict[str, Any]:
        page = rows_from(20 * int(query["page"]))
        pinned = [{"id": 7}] if page and is_pinned else []
        return {"data": pinned + page, "total": next(totals)}

    done = read_list(create_paginator("page_number", read_ids), answer)
    assert done.ids == set(range(130))
    assert done.result.complete is None, done.result.reason
    assert "leaves open whether more follow" in done.result.reason


def test_a_cursor_that_is_the_first_row_of_its_page_is_named_where_pages_overlap() -> None:
    def answer(query: Query) -> dict[str, Any]:
        first = int(query.get("cursor", "e-1")[1:]) + 1
        return {"data": [{"id": f"e{row['id']}"} for row in rows_from(first)]}

    config = {"type": "cursor", "cursor_path": "data[0].id", "cursor_param": "cursor"}
    result = read_list(create_paginator(config, read_ids), answer).result
    assert result.distinct_ids == 130
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
    done = read_list(
        create_paginator(config, read_ids), lambda query: {"data": rows_from(number(query))}
    )
    assert done.result.complete is not True
    assert way_out in done.result.reason


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
    done = read_list(create_paginator(config, read_ids), answer)
    assert done.result.complete is (base == 0)
    assert (f"a page comes before it (`{name}`)" in done.result.reason) is (base == 1)


def test_what_comes_before_a_page_of_a_cursor_is_no_page_that_is_missing() -> None:
    done = read_list(
        create_paginator(PAGED["cursor"][0], read_ids),
        lambda query: {**by_a_cursor(query), "hasPrevious": True},
    )
    assert done.result.complete is True


def test_a_total_of_0_behind_a_depth_makes_no_total_doubtful() -> None:
    def answer(query: Query) -> dict[str, Any]:
        page = rows_from(20 * int(query["page"]), 100)
        return {"data": page, "total": 130 if page else 0}

    done = read_list(create_paginator("page_number", read_ids), answer)
    assert done.result.complete is False


@pytest.mark.parametrize("name", ["total", "meta.total_count", "count"])
def test_a_number_of_rows_at_the_total_path_of_page_numbers_counts_rows(name: str) -> None:
    def answer(query: Query) -> dict[str, Any]:
        total: Any = 130
        for part in reversed(name.split(".")):
            total = {part: total}
        return {"data": rows_from(20 * int(query["page"])), **total}

    config = {"type": "page_number", "total_path": name}
    done = read_list(create_paginator(config, read_ids), answer)
    assert done.ids == set(range(130))
    assert done.result.complete is True
    assert len(done.asked) == 7
