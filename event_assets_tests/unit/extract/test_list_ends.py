"""Which page is the end of a list, which a limit of the API, and which an error."""

from functools import partial
from itertools import chain, count, repeat
from typing import Any

import pytest
from requests import HTTPError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from event_assets.values.errors import ApiError
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.platforms import events, source
from event_assets_tests.support.streams import read_all, read_list, reading
from event_assets_tests.support.waits import Waits

NOTHING: list[Any] = [
    {"data": None},
    {},
    {"data": {}},
    {"data": {}, "time": "2030-01-01T00:00:00.000-08:00"},
    {"message": "No events found"},
    {"page": {"number": 5, "totalPages": 4, "size": "5"}, "status": "ok", "data": None},
    {"status": 404, "error": "No more results", "data": []},
    None,
]
ERRORS: list[Any] = [
    {"message": "Try again later"},
    {"code": 503, "data": []},
    {"maintenance": True},
    {"info": "temporarily unavailable"},
    {"result": "error", "data": None},
    {"status": 0, "data": None},
    {"data": False},
]
CURSOR = {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"}
PAGINATORS: dict[str, Any] = {  # of 20 events in pages of five
    "page": {"type": "page_number", "base_page": 0, "total_path": None},
    "offset": {"type": "offset", "limit": 5, "total_path": None},
}


def page_of_five(request: Request, behind: Any) -> Any:
    query = request.query_params
    start = int(query["offset"]) if "offset" in query else 5 * int(query["page"])
    return {"data": events(20)[start : start + 5]} if start < 20 else behind


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("behind", [*NOTHING, Response(status_code=204)])
@pytest.mark.parametrize("kind", PAGINATORS)
def test_a_page_behind_the_last_need_not_be_an_empty_list(kind: str, behind: Any) -> None:
    records, result = read_list(partial(page_of_five, behind=behind), paginator=PAGINATORS[kind])
    assert {record["id"] for record in records} == {e["id"] for e in events(20)}
    assert result.complete


@pytest.mark.parametrize(
    "behind",
    [
        Response(status_code=204),
        {"message": "No events found"},
        {"error": {"code": "OUT_OF_RANGE", "message": "No more events"}},
    ],
)
@pytest.mark.parametrize("kind", PAGINATORS)
def test_a_page_that_says_that_nothing_is_there_is_final(
    kind: str, behind: Any, waits: Waits
) -> None:
    records, result = read_list(partial(page_of_five, behind=behind), paginator=PAGINATORS[kind])
    assert {record["id"] for record in records} == {e["id"] for e in events(20)}
    assert result.complete
    assert not waits.seconds


@pytest.mark.parametrize("behind", [{"data": None}, Response()])
def test_a_page_that_holds_nothing_without_a_word_is_requested_again(
    behind: Any, waits: Waits
) -> None:
    read_list(partial(page_of_five, behind=behind), paginator=PAGINATORS["page"])
    assert waits.seconds


@pytest.mark.usefixtures("waits")
def test_what_came_for_all_tries_of_a_request_is_not_tried_again_for_others() -> None:
    with serving({"/v1/events": partial(page_of_five, behind={"data": None})}) as api:
        attributes = source(api.url, endpoint={"paginator": PAGINATORS["page"]})["attributes"]
        with reading(attributes["rest_api"], concurrency=1) as stream:
            read_all(stream)
            assert stream.result.complete
    pages = [int(query["page"]) for query in api.asked_for("/v1/events")]
    # four times the one behind the last, once those further behind, and the second reading
    assert pages == [0, 1, 2, 3, 4, 4, 4, 4, 5, 7, 11, 0, 1, 2, 3, 4]


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("hole", [{"data": None}, {}, Response(), Response(status_code=204)])
@pytest.mark.parametrize("numbers", ["2", "12"])
def test_a_page_in_mid_list_that_holds_nothing_is_not_the_end(numbers: str, hole: Any) -> None:
    def answer(request: Request) -> Any:
        query = {**request.query_params}
        is_hole = query["page"] in numbers
        return hole if is_hole else {"data": events(60)[10 * int(query["page"]) :][:10]}

    records, result = read_list(answer, paginator=PAGINATORS["page"])
    received = {record["id"] for record in records}
    assert len(received) == 60 - 10 * len(numbers)
    assert result.complete is None
    assert "A page in mid-list holds nothing." in result.reason


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("behind", ERRORS)
@pytest.mark.parametrize("kind", PAGINATORS)
def test_an_error_is_not_the_end_of_a_list(kind: str, behind: Any) -> None:
    with pytest.raises(ApiError, match="sent a resp"):
        read_list(partial(page_of_five, behind=behind), paginator=PAGINATORS[kind])


@pytest.mark.usefixtures("waits")
def test_a_page_without_a_list_does_not_end_what_goes_on_by_a_cursor() -> None:
    def broken(request: Request) -> Any:
        at = len(request.query_params.get("cursor") or "")
        return {"data": None} if at else {"data": events(5), "next": "x"}

    with pytest.raises(ApiError, match="has null"):
        read_list(broken, paginator=CURSOR)


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("kind", PAGINATORS)
def test_an_object_in_place_of_a_list_is_no_record_and_no_end(kind: str) -> None:
    sent = count(1)

    def answer(request: Request) -> Any:
        is_broken = 3 <= next(sent) <= 6  # and each time that it is tried again
        return {"data": []} if is_broken else page_of_five(request, {"data": []})["data"]

    records, result = read_list(answer, paginator=PAGINATORS[kind], data_selector="$")
    received = {record["id"] for record in records}
    assert received == {e["id"] for e in events(20)} or not result.complete


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("kind", [*PAGINATORS, "link"])
def test_responses_that_hold_nothing_from_page_2_on_cost_a_handful_of_requests(kind: str) -> None:
    sent = count(1)

    def answer(_: Request) -> Any:
        link = {"next": "?page=1"} if kind == "link" else {}
        return {} if next(sent) > 1 else {"data": events(5), "total": 100, **link}

    paginator = PAGINATORS.get(kind, {"type": "json_link", "next_url_path": "next"})
    paginator = {name: value for name, value in paginator.items() if name != "total_path"}
    with serving({"/v1/events": answer}) as api:
        attributes = source(api.url, endpoint={"paginator": paginator})["attributes"]
        with reading(attributes["rest_api"], concurrency=1) as stream, pytest.raises(ApiError):
            read_all(stream)
    assert len(api.requests) == 1 + 4 + 1


@pytest.mark.parametrize(
    ("words", "complete"),
    [
        ("No more pages", True),
        ("Page 2 is beyond the end of the list", True),
        ("Page 2 is out of range", True),
        ("Invalid page", None),
        ("Page out of range [0, 1]", None),
        ("The number of pages is restricted", None),
    ],
)
def test_a_refusal_that_says_that_the_list_ends_is_no_limit(
    words: str, complete: bool | None
) -> None:
    def answer(request: Request) -> Any:
        first = 25 * int(request.query_params["page"])
        rows = events(50)[first : first + 25]
        return {"data": rows} if rows else JSONResponse({"message": words}, 400)

    records, result = read_list(answer, paginator=PAGINATORS["page"])
    assert len(records) == 50
    assert result.complete is complete


@pytest.mark.parametrize(("name", "last"), [("has_more", False), ("total_pages", 2)])
def test_a_refused_page_behind_the_end_that_the_api_reports_is_no_limit(
    name: str, last: Any
) -> None:
    def answer(request: Request) -> Any:
        page = int(request.query_params["page"])
        if page > 1:
            return JSONResponse({"message": "Not found"}, 404)
        is_more = last is False and page == 0
        return {"data": events(50)[25 * page : 25 * page + 25], name: is_more or last}

    records, result = read_list(answer, paginator={"type": "page_number", "base_page": 0})
    assert len(records) == 50
    assert result.complete


def test_a_refusal_behind_all_pages_of_a_list_that_is_filtered_after_paging_is_its_end() -> None:
    def answer(request: Request) -> Any:
        page = events(60)[20 * int(request.query_params["page"]) :][:20]
        return {"data": page[4:], "total": 60} if page else Response(status_code=404)

    paginator = {"type": "page_number", "base_page": 0}
    records, result = read_list(answer, paginator=paginator, params={"limit": 20})
    assert len(records) == 48
    assert "The API reports 60 rows but sent 48." in result.reason


@pytest.mark.usefixtures("waits")
def test_a_cursor_leads_to_a_page_whose_list_is_left_out() -> None:
    pages: dict[str | None, Any] = {
        None: {"data": events(5), "next": "1"},
        "1": {"next": "2"},
        "2": {"data": events(9)[5:], "next": "3"},
        "3": {},
    }
    records, result = read_list(
        lambda request: pages[request.query_params.get("cursor")], paginator=CURSOR
    )
    assert {record["id"] for record in records} == {e["id"] for e in events(9)}
    assert result.complete is None


@pytest.mark.parametrize(
    ("said", "complete"),
    [
        ("Only the first 20 search results are available", None),
        ("Result window is too large", None),
        ("Page limit of 4 exceeded", None),
        ("Invalid page: Deep API pagination is not allowed", None),
        ("Please narrow your search", None),
        ("Use cursor pagination to access more results", None),
        ("The offset must be less than 20", None),
        ("You cannot request more than 20 items", None),
        ("No more results", True),
        ("Invalid page.", True),
        ("The page number is larger than the number of pages available.", True),
    ],
)
def test_a_refusal_that_names_a_limit_is_not_known_to_be_the_end(
    said: str, complete: bool | None
) -> None:
    behind = JSONResponse({"message": said}, 400)
    records, result = read_list(partial(page_of_five, behind=behind), paginator=PAGINATORS["page"])
    assert len({record["id"] for record in records}) == 20
    assert result.complete is complete
    assert (said.rstrip(".") in result.reason) is (complete is None)


def limited(request: Request, more: dict[str, int], status: int, said: str) -> Any:
    """Pages of five, by number or by a cursor, of which only the first three are shown."""
    query = request.query_params
    page = int(query.get("cursor") or query.get("page") or 0)
    if page > 2:
        return JSONResponse({"message": said}, status)
    return {"data": events(40)[5 * page : 5 * page + 5], "next": page + 1, **more}


FIRST_15 = "Only the first 15 results are available"


@pytest.mark.parametrize(
    ("kind", "more", "status", "said", "complete"),
    [
        ("page", {}, 403, FIRST_15, None),
        ("page", {"total": 40}, 400, FIRST_15, False),
        ("cursor", {}, 400, FIRST_15, None),
        ("cursor", {"total": 40}, 403, FIRST_15, False),
        ("cursor", {}, 404, "No such cursor", None),
        ("cursor", {}, 422, "", None),
        ("cursor", {"total": 40}, 400, "Invalid cursor", False),
    ],
)
def test_what_an_api_shows_of_a_longer_list_is_loaded(
    kind: str, more: dict[str, int], status: int, said: str, complete: bool | None
) -> None:
    paginator = CURSOR if kind == "cursor" else {"type": "page_number", "base_page": 0}
    answer = partial(limited, more=more, status=status, said=said)
    records, result = read_list(answer, paginator=paginator)
    assert {record["id"] for record in records} == {e["id"] for e in events(15)}
    assert result.complete is complete
    assert (said or "It gives no message") in result.reason


@pytest.mark.parametrize("paginator", ["page", "cursor"])
@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "Forbidden"),
        (403, "Rate limit exceeded"),
        (403, "TotalRequests Limit exceeded."),
        (400, "(#4) Application request limit reached"),
        (400, "Daily limit exceeded"),
        (400, "Too many API calls, try again tomorrow"),
    ],
)
def test_a_refusal_for_another_reason_is_no_end(paginator: str, status: int, said: str) -> None:
    answer = partial(limited, more={}, status=status, said=said)
    settings = CURSOR if paginator == "cursor" else {"type": "page_number", "base_page": 0}
    with pytest.raises(HTTPError, match=str(status)):
        read_list(answer, paginator=settings)


def test_a_limit_that_is_named_behind_a_short_page_is_the_end() -> None:
    def answer(request: Request) -> Any:
        page = int(request.query_params["page"])
        behind = JSONResponse({"message": f"Page {page} exceeds the maximum of 4"}, 400)
        return {"data": events(18)[5 * page : 5 * page + 5]} if page < 4 else behind

    records, result = read_list(answer, paginator=PAGINATORS["page"])
    assert len({record["id"] for record in records}) == 18
    assert result.complete


@pytest.mark.parametrize("said", ["Result window is too large, from + size must be <= 100", ""])
@pytest.mark.parametrize("total", ["none", "true", "capped"])
@pytest.mark.parametrize("length", [600, 790, 800, 801, 950, 960, 990, 999, 1000, 1001, 1370])
def test_all_rows_are_received_up_to_where_offset_and_limit_may_reach(
    length: int, total: str, said: str
) -> None:
    listed = events(length)
    totals = {"none": {}, "true": {"total": length}, "capped": {"total": min(length, 1000)}}

    def answer(request: Request) -> Any:
        first = int(request.query_params["offset"])
        if first + 200 > 1000:
            return JSONResponse({"error": {"reason": said}}, 400)
        return {"data": listed[first : first + 200], **totals[total]}

    records, result = read_list(answer, paginator={"type": "offset", "limit": 200})
    received = {record["id"] for record in records}
    complete = result.complete
    assert received == {event["id"] for event in listed[:1000]}
    if length > 1000:
        assert complete is (False if total == "true" else None)
    elif length < 1000 and total == "true":
        assert complete is True


def test_a_last_record_that_is_none_is_no_error_beside_others() -> None:
    listed: list[Any] = [*events(40), None]

    def answer(request: Request) -> Any:
        first = int(request.query_params["offset"])
        return {"data": listed[first : first + 100], "total": 41}

    records, result = read_list(answer, paginator={"type": "offset", "limit": 100})
    assert len(records) >= 41
    assert result.complete, result.reason


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("unready", [{"status_code": 202}, {"headers": {"Retry-After": "2"}}])
@pytest.mark.parametrize("tries", [2, 99])
@pytest.mark.parametrize("kind", [*PAGINATORS, "cursor"])
def test_an_empty_page_that_asks_to_try_again_is_no_end(
    kind: str, tries: int, unready: Any
) -> None:
    sent = count(1)

    def answer(request: Request) -> Any:
        query = {"page": request.query_params.get("cursor") or 0, **request.query_params}
        start = int(query["offset"]) if "offset" in query else 5 * int(query["page"])
        if 3 <= next(sent) < 3 + tries:
            return JSONResponse({"data": [], "next": None}, **unready)
        link = {"next": start // 5 + 1} if kind == "cursor" and start < 15 else {}
        return {"data": events(20)[start : start + 5], **link}

    def read() -> Any:
        return read_list(answer, paginator=PAGINATORS.get(kind, CURSOR))

    if tries > 3:
        with pytest.raises(ApiError, match="has no records yet"):
            read()
    else:
        records, result = read()
        assert {record["id"] for record in records} == {e["id"] for e in events(20)}
        assert result.complete


@pytest.mark.parametrize("status", [202, 207, 300])
def test_records_of_a_status_that_leaves_others_out_are_a_doubt(status: int) -> None:
    records, result = read_list(
        lambda _: JSONResponse({"data": events(7)}, status), paginator="single_page"
    )
    assert len(records) == 7
    assert result.complete is None
    assert f"The status is {status}." in result.reason


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("name", ["message", "warning", "note"])
@pytest.mark.parametrize("more", [{}, {"total": 20}, {"has_more": False}])
def test_words_about_a_limit_on_an_empty_page_outweigh_a_total_that_is_cut_off_too(
    name: str, more: dict[str, Any]
) -> None:
    words = "Only the first 20 results are shown. Refine your search."

    def answer(request: Request) -> Any:
        page = "vwxyz".index(request.query_params.get("cursor") or "v")
        total = {"total": 20} if "total" in more else {}
        said = {"next": "vwxyz"[page + 1], **total} if page < 4 else {name: words, **more}
        return {"data": events(20)[5 * page :][:5], **said}

    records, result = read_list(answer, paginator=CURSOR)
    assert len(records) == 20
    assert result.complete is None
    assert "Refine your search" in result.reason


@pytest.mark.parametrize("selector", ["days[0].events", "days[-1].events[*]", "$[0].events"])
@pytest.mark.parametrize("others", [[], events(3, 7)])
def test_lists_beside_the_one_that_an_index_selects_are_a_doubt(
    selector: str, others: list[Any]
) -> None:
    days = [{"day": 1, "events": events(7)}, {"day": 2, "events": others}]
    if "-1" in selector:
        days.reverse()
    body = days if selector.startswith("$") else {"days": days}
    records, result = read_list(
        lambda _: JSONResponse(body), data_selector=selector, paginator="single_page"
    )
    assert len(records) == 7
    assert result.complete is (None if others else True)
    assert ("leads to other records" in result.reason) is bool(others)


@pytest.mark.parametrize("pages", [1, 3])
@pytest.mark.parametrize(
    "behind",
    [
        Response(status_code=204),
        {"message": "No more events"},
        JSONResponse({"message": "No more results"}, 404),
    ],
)
def test_a_cursor_that_leads_to_nothing_ends_the_list(behind: Any, pages: int) -> None:
    def answer(request: Request) -> Any:
        page = "vwxyz".index(request.query_params.get("cursor") or "v")
        if page == pages:
            return behind
        return {"data": events(5, first=5 * page), "next": "vwxyz"[page + 1]}

    records, result = read_list(answer, paginator=CURSOR)
    assert len(records) == 5 * pages
    assert result.complete is True, result.reason


def test_a_cursor_that_leads_to_nothing_leaves_a_lower_bound_unreached() -> None:
    def answer(request: Request) -> Any:
        if "cursor" in request.query_params:
            return Response(status_code=204)
        return {"data": events(5), "next": "page2", "total": {"value": 20, "relation": "gte"}}

    _, result = read_list(answer, paginator=CURSOR)
    assert result.complete is False
    assert "reports at least 20 rows but sent 5" in result.reason


def numbered_from(start: int, before: Any, request: Request) -> Any:
    page = int(request.query_params["page"]) - start
    return {"data": events(23)[5 * page : 5 * page + 5]} if page >= 0 else before


BY_NUMBER = {"type": "page_number", "total_path": None}


@pytest.mark.parametrize("start", [0, 1])
def test_a_list_that_begins_before_the_first_page_is_not_complete(start: int) -> None:
    answer = partial(numbered_from, start, {"data": []})
    records, result = read_list(answer, paginator={**BY_NUMBER, "base_page": start + 1})
    assert len(records) == 18
    assert result.complete is False
    assert f"the page before the first one ('page' {start}) has others" in result.reason


@pytest.mark.parametrize("length", [4, 5, 23])
def test_an_offset_that_leaves_the_first_row_out_is_told(length: int) -> None:
    def answer(request: Request) -> Any:
        return {"data": events(length)[int(request.query_params["offset"]) :][:5]}

    records, result = read_list(answer, paginator={**PAGINATORS["offset"], "offset": 1})
    assert len(records) == length - 1
    assert result.complete is False
    assert "the page before the first one ('offset' 0) has others" in result.reason


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("before", [{"data": []}, {"data": events(5)}, JSONResponse({}, 400)])
def test_an_offset_that_counts_from_1_is_complete(before: Any) -> None:
    def answer(request: Request) -> Any:
        first = int(request.query_params["offset"]) - 1
        return {"data": events(23)[first:][:5]} if first >= 0 else before

    records, result = read_list(answer, paginator={**PAGINATORS["offset"], "offset": 1})
    assert len(records) == 23
    assert result.complete is True


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize(
    "before",
    [
        {"data": []},
        {"data": events(5)},
        {"data": [*events(1, first=99), *events(4)]},  # inserted since
        {"data": events(3, first=20)},  # counted from the end
        {"error": "page must be at least 1"},
        *(Response(status_code=status) for status in (204, 400, 403, 404, 422, 500)),
    ],
)
def test_an_answer_without_other_rows_before_the_first_page_changes_nothing(before: Any) -> None:
    answer = partial(numbered_from, 1, before)
    records, result = read_list(answer, paginator={**BY_NUMBER, "base_page": 1})
    assert len(records) == 23
    assert result.reason == "All 23 rows were received, the same in two readings."


@pytest.mark.parametrize("kind", [None, "single_page", "header_link", CURSOR, *PAGINATORS.values()])
def test_a_list_without_content_is_empty(kind: Any) -> None:
    records, result = read_list(lambda _: Response(status_code=204), paginator=kind)
    assert not records
    assert (result.complete, result.reason) == (True, "The list is empty.")


@pytest.mark.parametrize("kind", PAGINATORS.values())
def test_a_first_page_without_content_is_no_end_of_a_list_that_goes_on(kind: Any) -> None:
    answers = chain([Response(status_code=204)], repeat(None))
    records, _ = read_list(
        lambda request: next(answers) or page_of_five(request, {"data": []}), paginator=kind
    )
    assert len(records) == 20
