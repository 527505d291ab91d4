"""What else a response says of whether more follows, for every paginator."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from event_assets.pagination.evidence import judge
from event_assets.pagination.factory import create_paginator
from event_assets_tests.support.list_models import URL
from event_assets_tests.support.paging import Query, read_ids, read_list
from event_assets_tests.support.served_lists import read_with, rows_from


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
        ({"count": 64}, {}),
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
        ({"moreComing": True}, {}),  # CloudKit
        ({"degraded": True}, {}),
        ({"failed_sources": 2}, {}),
        ({"responseHeader": {"partialResults": True}}, {}),  # Solr
        ({"incompleteSearch": True}, {}),  # Google Drive
        ({"resultTruncated": "true"}, {}),  # Azure
        ({"jobComplete": False}, {}),
        ({"tooManyResults": True}, {}),
        ({"rowLimitHit": True}, {}),
        ({"isLastBatch": False}, {}),
        ({"totalDocs": 64}, {}),  # Mongoose
        ({"status": "partial"}, {}),
        ({"meta": {"status": "PARTIAL_CONTENT"}}, {}),
        ({"limitExceeded": True}, {}),
        ({"last_page_reached": False}, {}),
        ({"resume_from": "x1"}, {}),
        ({"offset_next": 7}, {}),
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
        ({"nextLink": "https://api.example.com/events?token=abc"}, {}),
        ({"meta": {"next_page": 2}}, {}),
        ({"nextPageToken": "abc"}, {}),
        ({"pageInfo": {"hasNextPage": True}}, {}),
        ({"meta": {"page": 1, "total_pages": 2}}, {}),
        ({"bookmark": "abc"}, {}),
        ({"search_after": [1463538857, "654323"]}, {}),
        ({"after_key": {"id": 7}}, {}),
        ({"pagingMetadata": {"count": 100, "tooManyToCount": True}}, {}),
        ({"metadata": {"remainingItemCount": 3}}, {}),
        ({"itemsRemaining": "113"}, {}),
        ({"is_complete": False}, {}),
        ({"next": "2026-11-27 13:00:00|123"}, {}),
        ({"next_offset": '["1517505643000", "7"]'}, {}),
        ({"complete": False}, {}),
        ({"exhaustive": "false"}, {}),
        ({"meta": {"finished": False}}, {}),
        ({"left": "40"}, {}),
        ({"results_left": 40}, {}),
        ({"omitted": 207}, {}),
        ({"maxReached": True}, {}),
        ({"more_items_in_collection": True}, {}),
        ({"canLoadMore": True}, {}),
        ({"has_additional_results": True}, {}),
        ({"noMore": False}, {}),
        ({"end_reached": False}, {}),
        ({"allLoaded": False}, {}),
        ({"nextCursorMark": "AoE="}, {}),
        ({"next_max_id": "1030"}, {}),
        ({"nextSkip": 100}, {}),
        ({"nextExclusiveStartKey": "e17"}, {}),
        ({"next_checkpoint": "c17"}, {}),
        ({"next_page_path": "/events?page=2"}, {}),
        ({"linkNext": "/events?page=2"}, {}),
        ({"next_rest_url": "https://api.example.com/events?page=2"}, {}),
        ({"olderUrl": "/events?page=2"}, {}),
        ({"pagingState": "abc"}, {}),
        ({"queryLocator": "/query/01g-2000"}, {}),
        ({"iTotalRecords": 300}, {}),
        ({"totalNumberOfItems": 300}, {}),
        ({"total_results_size": 300}, {}),
        ({"fullCount": 300}, {}),
        ({"lastPageNumber": 3}, {}),
        ({"noOfPages": 3}, {}),
        ({"weiter": "/events?page=2"}, {}),
        ({"navigation": {"weiter": f"{URL}?seite=2"}}, {}),
        ({"suivante": "https://other.test/events?limit=7&von=7"}, {}),
        ({"siguiente": "?cursor=x1"}, {}),
        ({"fortsetzung": "/events?offset=7"}, {}),
        ({}, {"Pagination-Count": "64"}),
        ({}, {"X-Next-Cursor": "x1"}),
        ({}, {"x-ms-continuation": "x1"}),
        ({}, {"X-Paging-Next": "x1"}),
        ({}, {"X-List-Continuation-Token": "x1"}),
        ({}, {"X-After-Id": "x1"}),
        ({}, {"Next-Range": "id x1..; max=7"}),
        ({}, {"Link": '</events?page=2>; rel="Next"'}),
        ({}, {"Link": '</events?page=2>; rel="next last"'}),
        ({}, {"X-Has-More": "true"}),
        ({}, {"X-Total-Results": "64"}),
        ({}, {"X-Pagination-Total-Count": "64"}),
        ({}, {"X-Page-Count": "4"}),
        ({}, {"Content-Range": "items 0-6/64"}),
        ({}, {"Content-Range": "0-6/64"}),
        ({}, {"X-Pagination": '{"TotalCount": 64}'}),
        ({}, {"Pagination": '{"TotalCount": 64}'}),
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
    done = read_with("single_page", lambda _query: (body, headers))
    assert done.result.complete is False, done.result.reason


@pytest.mark.parametrize(
    ("members", "headers"),
    [
        ({}, {"Content-Range": "bytes 0-6/64"}),
        ({}, {"Content-Range": "items 0-6/*"}),
        ({}, {"Content-Range": "0-6/*"}),
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
        (
            {"links": [{"rel": "first", "href": "/events"}, {"rel": "up", "href": "/years?id=2"}]},
            {},
        ),
        ({"selbst": "/events", "anfang": "/events?page=1", "ende": "/events?page=0"}, {}),
        ({"archiv": "/events?year=2025", "karte": "/events?zoom=12", "rss": "/events?as=rss"}, {}),
        ({"range": "2026-01-01/2026-12-31", "showing": "7 events", "page": "1-2"}, {}),
        ({"degraded": False, "failed_sources": 0, "user": {"status": "incomplete"}}, {}),
        ({"orte": "/venues?page=2", "last": "/events?page=2", "self": "/events?page=2"}, {}),
        ({}, {"Retry-After": "9", "X-RateLimit-Remaining": "64"}),
    ],
)
def test_a_response_that_promises_nothing_more_is_complete(
    members: dict[str, Any], headers: dict[str, str]
) -> None:
    body = {"data": [{"id": row} for row in range(7)], **members}
    done = read_with("single_page", lambda _query: (body, headers))
    assert done.result.complete is True, done.result.reason


@pytest.mark.parametrize("length", [7, 20, 130])
@pytest.mark.parametrize(
    ("path", "name"), [("nextPageToken", "nextSyncToken"), ("@odata.nextLink", "@odata.deltaLink")]
)
def test_what_starts_the_next_sync_comes_with_the_last_page(
    path: str, name: str, length: int
) -> None:
    def answer(query: Query) -> Any:
        first = int(query.get("cursor", 0))
        token = {path: str(first + 20)} if first + 20 < length else {name: "x1"}
        return {"data": rows_from(first, length), **token}

    done = read_with({"type": "cursor", "cursor_path": path}, answer)
    assert done.ids == set(range(length))
    assert done.result.complete is True, done.result.reason


def test_what_starts_the_next_sync_is_no_end_beside_what_leads_on() -> None:
    more = {"nextPageToken": "pt20", "nextSyncToken": "x1"}
    body = {"data": [{"id": row} for row in range(20)], **more}
    done = read_with("single_page", lambda _query: body)
    assert done.result.complete is False, done.result.reason


def test_a_cursor_of_the_page_beside_a_missing_link_is_no_promise() -> None:
    body = {"data": [{"id": row} for row in range(7)], "paging": {"cursors": {"after": "MTAx"}}}
    done = read_with({"type": "json_link", "next_url_path": "paging.next"}, lambda _query: body)
    assert done.result.complete is not False


def test_status_206_is_a_part() -> None:
    paginator = create_paginator("single_page", read_ids)
    response = requests.Response()
    response.status_code, response._content = 206, b'{"data": []}'
    paginator.init_request(requests.Request("GET", URL))
    paginator.receive(response, [{"id": row} for row in range(7)])
    assert judge(paginator.facts).complete is False
    assert "the status 206" in judge(paginator.facts).reason


def test_a_total_beside_a_list_that_is_empty_only_in_the_last_page_is_not_that_of_the_list() -> (
    None
):
    def answer(query: Query) -> Any:
        first = int(query["offset"])
        page = [{"id": row} for row in range(first, min(first + 10, 20))]
        venues = {"found": [{"id": "v"}] if len(page) > 1 else [], "total": 90}
        return {"data": page, "facets": {"venues": venues}}

    done = read_list(create_paginator({"type": "offset", "limit": 10}, read_ids), answer)
    assert (done.result.complete, done.result.facts.distinct) == (True, 20)


def test_an_empty_header_of_the_cursor_says_that_no_page_follows() -> None:
    paginator = {"type": "header_cursor", "cursor_key": "X-Next-Page", "cursor_param": "page"}
    page = {"data": [{"id": row} for row in range(7)]}
    told = read_list(create_paginator(paginator, read_ids), lambda _: (page, {"x-next-page": ""}))
    untold = read_list(create_paginator(paginator, read_ids), lambda _: page)
    assert (told.result.complete, untold.result.complete) == (True, None)


@pytest.mark.parametrize(
    "kind", ["json_link", "header_link", "header_cursor", "single_page", "auto"]
)
def test_every_paginator_can_be_told_that_there_is_no_total_and_no_flag(kind: str) -> None:
    members = {"total": 137, "has_more": True, "next": None}
    body = {"data": rows_from(0, 7), **members}
    config = {"type": kind, "total_path": None, "has_more_path": None}
    assert read_with(kind, lambda _query: body).result.complete is False
    done = read_with(config, lambda _query: body)
    assert done.result.complete is not False


def test_a_configured_flag_of_the_end_outweighs_what_else_says_more() -> None:
    config = {"type": "cursor", "cursor_path": "next", "has_more_path": "again"}
    body = {"data": [{"id": 1}], "next": None, "again": False, "left": 40}
    assert read_with(config, lambda _query: body).result.complete is True
