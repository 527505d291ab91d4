"""Streams: the key of a source, what a response must contain, and where a list ends."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse

from event_assets.extract.empty_page import UNCLEAR, has_nothing
from event_assets.extract.response_check import (
    error_beside_rows,
    list_selector_check,
    response_check,
)
from event_assets.http.response import JsonResponse
from event_assets.values.errors import ApiError
from event_assets.values.redaction import hide_random_words
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.platforms import events, source
from event_assets_tests.support.streams import read_all, read_list, reading

pytestmark = pytest.mark.in_process


@pytest.mark.parametrize(
    ("selector", "document", "problem"),
    [
        ("data", {"data": []}, None),
        ("data", {"data": [{"id": 1}]}, None),
        ("data", {"data": {"20": {"id": 1}, "21": {"id": 2}}}, None),  # PHP's of a list with gaps
        ("data", {"data": [], "code": 200, "msg": "ok"}, None),
        ("data", {"data": [], "code": 503, "msg": "busy"}, "has an error in place of records"),
        ("data", {"data": None}, "has null under `data`"),
        ("data", {"data": {"id": 1}}, "has no list under `data`"),
        ("data", {"items": []}, "has no `data`"),
        ("data", [], "has no `data`"),
        ("data", None, "has no `data`"),
        ("result.items", {"result": {"items": []}}, None),
        ("result.items", {"result": {}}, "has no `result.items`"),
        ("_embedded.ea:event", {"_embedded": {"ea:event": []}}, None),
        ("_embedded.ea:event", {"_embedded": {}}, "has no `_embedded.ea:event`"),
        ("gd:feed", {"gd:feed": []}, None),
        ("gd:feed", {"gd": []}, "has no `gd:feed`"),
    ],
)
def test_a_response_must_have_a_list_at_the_selector(
    selector: str, document: Any, problem: str | None
) -> None:
    assert list_selector_check(selector)(document) == problem


def test_a_link_with_a_key_in_its_path_which_is_masked_is_followed() -> None:
    key = f"k3y{uuid4().hex}"
    hide_random_words(f"http://any/{key}")

    def answer(request: Request) -> Any:
        at = int(request.query_params.get("at", 0))
        following = f"{request.url.replace(query='')}?at={at + 1}" if at < 2 else None
        return {"data": [{"id": at, "self": str(request.url)}], "next": following}

    with serving({f"/bot1:{key}/events": answer}) as api:
        paginator = {"type": "json_link", "next_url_path": "next"}
        endpoint = {"path": "/events", "paginator": paginator}
        document = source(f"{api.url}/bot1:{key}", endpoint=endpoint)
        with reading(document["attributes"]["rest_api"]) as stream:
            records = read_all(stream)
    assert [record["id"] for record in records] == [0, 1, 2]
    assert key not in str(records)


ENDED = "Plan expired"
OFFSETS = {"type": "offset", "limit": 20, "total_path": None}
CURSOR = {"type": "cursor", "cursor_path": "next", "cursor_param": "next"}
EMPTY: dict[str, Any] = {"data": {"edges": []}}
FAILED = {"data": None, "errors": [{"message": "too complex"}]}


@pytest.mark.parametrize(
    ("selector", "document"),
    [
        ("data.edges[*].node", EMPTY),
        ("data.edges[*].node", {"data": {"edges": [{"node": None}, {"node": {"id": 1}}]}}),
        ("$..edges[*].node", EMPTY),
        ("$..node", EMPTY),
        ("$.data.edges", EMPTY),
        ("$.data.edges[0:5]", EMPTY),
        ("data.edges[?(@.kind=='x')]", {"data": {"edges": [{"kind": "y"}]}}),
        ("data.*", {"data": {}}),
        ("data.items", {"data": []}),  # PHP's empty object
        ("data[*].items[*].node", {"data": [{"items": []}]}),
        ("$..node", {"days": [{"events": []}]}),
        ("$", []),
        ("$[*]", []),
        *((each, {"total": 0}) for each in ("items[*].event", "items", "data.items")),
        ("body.items.item", {"header": {"code": "00"}, "body": {"items": "", "totalCount": 0}}),
        ("$['body'].items[*].item", {"body": {"items": None, "pageNo": 1, "totalCount": 0}}),
        (
            "data",
            {"data": None, "additional_data": {"pagination": {"more_items_in_collection": False}}},
        ),
        ("data", {"data": None, "total": 0}),
        ("_embedded.events", {"page": {"totalElements": 0}}),
        ("_embedded.events[*]", {"page": {"totalElements": 1300, "number": 65}}),
        ("_embedded.events[*]", {"_links": {"self": {"href": "/v1"}}}),
        (None, {"data": [], "error": None}),
        (None, []),
        (None, {"id": 1, "message": "hello"}),
    ],
)
def test_an_empty_list_is_one_by_any_selector(selector: str | None, document: Any) -> None:
    assert list_selector_check(selector)(document) is None


@pytest.mark.parametrize(
    ("selector", "document"),
    [
        *((each, FAILED) for each in ("data.edges[*].node", "$..node", "$.data.edges")),
        *((each, EMPTY) for each in ("data.nodes[*].node", "$.dta", "$..nodes[*].x")),
        ("data.edges[*].node", {"data": {"edges": [{"nod": {"id": 1, "tags": []}}]}}),
        *((each, {"data": {"items": {}}}) for each in ("$['data']['items']", "$..items")),
        ("$..node", {"message": "no", "errors": []}),
        ("items[*].event", {"total": 7}),
        ("_embedded.events[*]", {"page": {"number": 1}, "errors": [{"detail": "no"}]}),
        ("_embedded.events[*]", {"_links": {}, "_embedded": {"evnts": []}}),
        *((each, {"_links": {}, "message": "no"}) for each in ("events", "$.events", "events[*]")),
        *((each, {"_links": {}, "data": [{"id": 1}]}) for each in ("dta", "$.dta", "$..dta")),
        ("body.items.item", {"body": {"items": "", "totalCount": 7}}),
        ("body.items.item", {"body": {"items": ""}, "other": {"totalCount": 0}}),
        *((each, {"error": "no"}) for each in (None, "$")),
        *((None, {name: value}) for name, value in {"status": "error", "ok": False}.items()),
    ],
)
def test_a_response_without_a_list_is_a_problem_by_any_selector(
    selector: str | None, document: Any
) -> None:
    problem = list_selector_check(selector)(document)
    where = "has an error in place of records"
    assert problem == (where if selector in (None, "$") else f"has no `{selector}`")


@pytest.mark.parametrize("selector", ["data", "$.data", "data[*]", "$..data", "data.*", None])
@pytest.mark.parametrize(
    "error", [{"errors": [{"message": "no"}]}, {"error": {"code": 7}}, {"success": False}]
)
def test_an_empty_list_beside_an_error_is_a_problem(selector: str | None, error: Any) -> None:
    check = list_selector_check(selector)
    assert check({"data": [], **error}) == "has an error in place of records"
    assert check({"data": [{"id": 1}], **error}) is None


@pytest.mark.parametrize("selector", ["data", "$.data", "data[*]", None])
@pytest.mark.parametrize(
    "said",
    [
        {"message": "Rate limit exceeded"},
        {"msg": "system busy"},
        {"info": "temporarily unavailable"},
        {"status": "ERROR"},
        {"status": "maintenance"},
        {"stat": "fail"},
        {"status_message": "quota exceeded"},
        {"success": "false"},
        {"ok": 0},
        {"isError": True},
        {"code": -1},
        {"code": 1001, "message": "busy"},
        {"error_code": "LIMIT_EXCEEDED"},
        {"exception": "java.lang.NullPointerException"},
        {"Message": "An error has occurred."},
        {"meta": {"warning": "results truncated"}},
    ],
)
def test_an_empty_list_that_says_what_no_page_with_records_says_is_a_problem(
    selector: str | None, said: Any
) -> None:
    check = checks(selector)
    assert check({"data": [{"id": 1}]}) is None
    assert check({"data": [], **said}) == "has an error in place of records"
    check = checks(selector)
    assert check({"data": [{"id": 1}], **said}) is None


@pytest.mark.parametrize(
    ("said", "is_error"),
    [
        ({"code": "INTERNAL_ERROR"}, True),
        ({"meta": {"status": 429}}, True),
        ({"exception": "NullPointer"}, True),
        ({"errcode": -1, "msg": "system busy"}, True),
        ({"errorCode": 7}, True),
        ({"notice": "maintenance"}, True),
        ({"hasErrors": True}, True),
        ({"failed": True}, True),
        ({"errors": {"base": ["no"]}}, True),
        ({"maintenance": True}, True),
        ({"responseStatus": "ERROR"}, True),
        ({"hasErrors": False, "failed": False, "error_count": 0}, False),
        ({"code": 404, "message": "No events found"}, False),
        ({"status": "active", "message": "Welcome"}, False),
    ],
)
def test_an_empty_first_page_may_speak_of_an_error(said: Any, is_error: bool) -> None:
    problem = "has an error in place of records" if is_error else None
    assert checks("data")({"data": [], **said}) == problem


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"warnings": ["replica lag"]}, ' It says: "warnings: replica lag".'),
        ({"meta": {"warning": "1 source failed"}}, ' It says: "meta.warning: 1 source failed".'),
        ({"warnings": ["`size` is deprecated"]}, ""),
        ({"warnings": []}, ""),
        ({"status": "error"}, " It gives no message."),
        ({"status": "failed", "message": "shard 3"}, ' It says: "shard 3".'),
    ],
)
def test_a_warning_beside_records_may_say_that_others_are_missing(members: Any, said: str) -> None:
    rows = [{"id": 1}]
    response = JsonResponse(orjson.dumps({"data": rows, **members}), {})
    assert error_beside_rows(response, rows) == said


FIRST_WORDS = [
    ({"status": "processing"}, "status: processing"),
    ({"state": "building"}, "state: building"),
    ({"info": "QUOTA reached"}, "info: QUOTA reached"),
    ({"warning": "This plan is old."}, "warning: This plan is old"),
    ({"warnings": ["some sources did not answer"]}, "warnings: some sources did not answer"),
    ({"meta": {"warnings": [{"message": "no answer"}]}}, "warnings: no answer"),
]


@pytest.mark.parametrize("said", [said for said, _ in FIRST_WORDS])
def test_words_of_an_empty_first_page_may_be_about_an_error(said: Any) -> None:
    assert checks("data")({"data": [], **said}) == UNCLEAR
    check = checks("data")
    assert check({"data": [{"id": 1}], **said}) is None
    assert check({"data": [], **said}) is None


@pytest.mark.usefixtures("project", "waits")
@pytest.mark.parametrize(("said", "quoted"), FIRST_WORDS)
def test_an_empty_list_with_words_that_may_be_about_an_error_is_doubted(
    said: Any, quoted: str
) -> None:
    empty = {"data": [], "has_more": False, **said}
    rows, result = read_list(lambda _: empty, paginator="single_page")
    assert rows == []
    assert result.complete is None
    assert result.reason.endswith(f'may be about an error. It says: "{quoted}".')


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"id": 1}], ""),
        ([None, {"id": 1}], ""),
        ([None], " A page has no record."),
        (["Internal error"], " A page has no record."),
        ([{"code": 500, "message": "boom"}], " A page has no record."),
    ],
)
def test_a_list_without_records_stands_for_an_error(rows: list[Any], said: str) -> None:
    response = JsonResponse(json.dumps({"data": rows}).encode(), {})
    assert error_beside_rows(response, rows) == said


@pytest.mark.parametrize("selector", ["data", "$.data", "data[*]", None])
@pytest.mark.parametrize(
    "said",
    [
        {},
        {"message": "0 events on page 8"},
        {"message": "No more events"},
        {"message": "There is nothing to show"},
        {"message": "Page 8 is out of range"},
        {"message": "This is the last page"},
        {"message": None, "warning": ""},
        {"message": "ok", "success": True, "code": 0},
        {"status": "success", "code": "200"},
        {"status": 204},
        {"status": "no_content"},
        {"code": 404},
        {"error_count": "0", "errorCode": "SUCCESS"},
        {"has_more": False, "next": None, "page": 8, "total_pages": 7, "request_id": "a8"},
        {"links": {"self": "/events?page=8", "first": "/events"}, "object": "list"},
    ],
)
def test_an_empty_list_with_words_about_an_end_or_those_of_each_page_is_none(
    selector: str | None, said: Any
) -> None:
    check = checks(selector)
    assert check({"data": [{"id": 1}], "message": "20 events on page 7"}) is None
    assert check({"data": [], **said}) is None


@pytest.mark.parametrize(
    "said",
    [
        {"message": "Keine Veranstaltungen gefunden"},
        {"message": "Aucun résultat"},
        {"message": "No se encontraron eventos"},
        {"message": "Sorry, we couldn't find any events"},
        {"success": False, "message": "No events found"},
        {"status": False, "msg": "no records found"},
        {"error": True, "message": "Nothing found"},
        {"error": "No events found"},
        {"code": 1, "msg": "empty"},
        {"message": "Requested page exceeds the number of pages"},
    ],
)
def test_words_about_an_end_outweigh_a_flag_of_failure(said: Any) -> None:
    check = checks("data")
    assert check({"data": [{"id": 1}]}) is None
    assert check({"data": [], **said}) is None


@pytest.mark.parametrize("said", [{"error": "No events found"}, {"ok": False, "msg": "empty"}])
def test_a_list_without_records_may_say_so_on_its_first_page(said: Any) -> None:
    check = checks("data")
    assert check({"data": [], **said}) is None
    assert check({"data": [], **said, "code": 500}) == "has an error in place of records"


@pytest.mark.parametrize(
    "said",
    [{"message": "Events retrieved"}, {"info": {"message": "req-abc-123"}}, {"result": False}],
)
def test_words_that_are_not_known_are_unclear(said: Any) -> None:
    check = checks("data")
    assert check({"data": [{"id": 1}]}) is None
    assert check({"data": [], **said}) == UNCLEAR


@pytest.mark.parametrize(
    "error",
    [
        {"data": None, "errors": [{"message": "shard down"}]},
        {"errors": [{"status": "503"}]},
        {"errors": [{"code": 7}]},
        {"error": ["busy"]},
        {"messages": ["Try later"]},
        {"warnings": ["results are incomplete"]},
        {"exceptions": [{"code": 9}]},
        {"notices": [{"text": "down"}]},
        {"data": {"errors": [{"message": "shard down"}]}},
        {"status": "error", "message": "busy"},
        {"success": False},
    ],
)
def test_a_list_of_errors_is_not_nothing(error: Any) -> None:
    assert not has_nothing(JsonResponse(orjson.dumps(error), {}))


@pytest.mark.parametrize(
    "said",
    [
        {"messages": ["No events found"]},
        {"success": True, "paging": {"start": 100, "more_items_in_collection": False}},
        {"ok": True, "search_time": "0.03", "page_count": "1"},
        {"error": "no such page"},
        {"status": "error", "code": "NO_DATA", "message": "no data"},
        {"success": False, "message": "No more events"},
        {"code": 0, "msg": "success"},
        {"links": {"self": "/events?page=8", "first": "/events"}, "object": "list"},
        {"kind": "events#list", "sort": "-start_time"},
    ],
)
def test_null_in_place_of_a_list_is_nothing_beside_words_about_an_end(said: Any) -> None:
    assert has_nothing(JsonResponse(orjson.dumps({"data": None, **said}), {}))


@pytest.mark.parametrize(
    ("members", "is_empty"),
    [
        ({"next": None}, True),
        ({"nextCursor": ""}, True),
        ({"meta": {"cursor": None}}, True),
        ({"links": {"next": None, "self": "/events?page=8"}}, True),
        ({"next": "abc"}, False),
        ({"next": None, "message": "Try again"}, False),
        ({"next": None, "items": [{"id": 1}]}, False),
        ({"name": None}, False),
    ],
)
def test_null_in_place_of_a_list_is_an_empty_one_beside_an_empty_link_or_cursor(
    members: Any, is_empty: bool
) -> None:
    problem = checks("data")({"data": None, **members})
    assert problem is None if is_empty else "null under `data`" in str(problem)


@pytest.mark.usefixtures("project", "waits")
@pytest.mark.parametrize("paginator", [{"type": "page_number", "base_page": 0}, OFFSETS, CURSOR])
@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        ({"message": "Fin de la liste"}, 'It says: "Fin de la liste".'),
        ({"result": "stopped"}, "It gives no message."),
    ],
)
def test_an_end_with_words_that_are_not_known_is_a_warning_that_quotes_them(
    paginator: dict[str, Any], said: dict[str, str], quoted: str
) -> None:
    def page(request: Request) -> Any:
        asked = request.query_params
        first = 20 * int(asked.get("page") or asked.get("next") or 0)
        first = first or int(asked.get("offset") or 0)
        if first >= 50:
            return {"data": [], **said}
        return {"data": events(50)[first : first + 20], "next": f"{first // 20 + 1}"}

    rows, result = read_list(page, paginator=paginator)
    assert len(rows) == 50
    assert result.complete is None
    assert result.reason.endswith(f"may be about an error. {quoted}")


def test_the_words_beside_a_first_page_that_is_empty_are_no_problem() -> None:
    assert checks("data")({"data": [], "message": "Welcome to our API"}) is None


@pytest.mark.usefixtures("project", "waits")
@pytest.mark.parametrize("paginator", [{"type": "page_number", "base_page": 0}, OFFSETS])
def test_a_list_whose_pages_become_empty_with_words_about_an_error_fails_with_them(
    paginator: dict[str, Any],
) -> None:
    def page(request: Request) -> Any:
        asked = request.query_params
        first = 20 * int(asked["page"]) if "page" in asked else int(asked["offset"])
        busy = {"data": [], "message": "Rate limit exceeded"}
        return busy if first > 30 else {"data": events(130)[first : first + 20]}

    with pytest.raises(ApiError, match="Rate limit exceeded"):
        read_list(page, paginator={**paginator, "total_path": None})


def checks(selector: str | None) -> Callable[[Any], str | None]:
    """Return the check of the documents of one list."""
    check = response_check({"data_selector": selector}, has_id)
    return lambda document: check(JsonResponse(orjson.dumps(document), {}))


def has_id(value: Any) -> bool:
    return isinstance(value, dict) and "id" in value


@pytest.mark.parametrize(
    ("selector", "document"),
    [
        ("data", {"data": {"id": 1}}),
        ("$.data", {"data": {"id": 1}}),
        ("$", {"id": 1}),
        (None, {"id": 1}),
        (None, {"page": {"number": 3}}),
    ],
)
def test_a_single_record_is_as_good_as_a_list(selector: str | None, document: Any) -> None:
    assert list_selector_check(selector, has_id)(document) is None


@pytest.mark.parametrize(
    ("selector", "document", "problem"),
    [
        ("data", {"data": {"items": [{"id": 1}]}}, "has no list under `data`"),
        (None, {"message": "Your trial has ended."}, "has no list of records"),
        ("$", {"title": "Forbidden", "status": 403}, "has no list of records"),
        (None, {"data": {"error": ENDED}}, "has no list of records"),
        ("data[*]", {"data": {"error": ENDED}}, "has no list under `data`"),
        ("$[*]", {"error": ENDED}, "has no list under `$`"),
    ],
)
def test_an_object_that_is_no_record_is_a_problem(
    selector: str | None, document: Any, problem: str
) -> None:
    assert list_selector_check(selector, has_id)(document) == problem


@pytest.mark.parametrize(
    ("selector", "document"),
    [
        *(("data", {"data": value}) for value in ({"error": ENDED}, {"message": ENDED}, ENDED)),
        ("data", {"data": [{"error": ENDED}]}),
        ("data[*]", {"data": [{"error": {"message": ENDED}}]}),
        ("data.*", {"data": {"error": ENDED}}),
        (None, [{"error": ENDED, "code": 402}]),
        ("data", {"data": [], "error_message": ENDED}),
        ("data", {"data": [], "meta": {"error_message": ENDED}}),
    ],
)
def test_an_error_under_the_selector_is_no_record(selector: str | None, document: Any) -> None:
    problem = list_selector_check(selector, has_id)(document)
    assert problem == "has an error in place of records"


def test_a_broken_record_with_a_text_is_no_error() -> None:
    assert list_selector_check("data", has_id)({"data": [{"title": "No id"}]}) is None


def test_a_list_of_messages_about_an_error_is_no_list_of_records() -> None:
    check = list_selector_check(None, has_id)
    assert check({"messages": [ENDED]}) == "has no list of records"
    assert check({"messages": [{"id": 1, "text": "hello"}]}) is None


@pytest.mark.parametrize("is_record", [has_id, None])
def test_an_object_has_no_items_but_members(is_record: Any) -> None:
    document = {"data": {"e1": {"id": 1}}}
    assert list_selector_check("data[*]", is_record)(document) == "has no list under `data`"
    assert list_selector_check("data.*", is_record)(document) is None


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([{"id": 1}], "has no `data`, but is a list (`$`)"),
        ({"items": [{"id": 1}]}, "has no `data`, but a list under `items`"),
        (
            {"page": {"items": [{"id": 1}]}, "included": [{"id": 2}]},
            "has no `data`, but a list under `page.items` and `included`",
        ),
        ({"tags": ["a"], "errors": [{"message": "no"}]}, "has no `data`"),
    ],
)
def test_a_wrong_selector_says_where_lists_are(document: Any, problem: str) -> None:
    response = JsonResponse(orjson.dumps(document), {})
    assert response_check({"data_selector": "data"}, has_id)(response) == problem


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("selector", ["data", "$.data", None])
@pytest.mark.parametrize("count", [1, 41])
def test_a_page_of_one_record_may_be_no_list(selector: str | None, count: int) -> None:
    def page(request: Request) -> Any:
        first = 20 * int(request.query_params["page"])
        rows = events(count)[first : first + 20]
        return {"data": rows if len(rows) != 1 else rows[0] if selector else rows, "total": count}

    paginator = {"type": "page_number", "base_page": 0, "total_path": None}
    rows, _ = read_list(page, paginator=paginator, data_selector=selector)
    assert len({row["id"] for row in rows}) == count


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("paginator", "complete", "reason"),
    [
        (
            {"type": "offset", "limit": 20},
            None,
            "20 rows received; paging stopped at a response that response_actions ignore.",
        ),
        (
            {"type": "page_number", "base_page": 0},
            True,
            "All 20 rows were received, the same in two readings.",
        ),
    ],
)
def test_a_response_that_response_actions_ignore_is_reported_as_the_end_of_the_list(
    paginator: dict[str, Any], complete: bool | None, reason: str
) -> None:
    def first_page_only(request: Request) -> Any:
        if any(int(request.query_params.get(name) or 0) for name in ("offset", "page")):
            return JSONResponse({}, status_code=404)
        return {"data": events(20)}

    ignored = [{"status_code": 404, "action": "ignore"}]
    rows, result = read_list(first_page_only, paginator=paginator, response_actions=ignored)
    assert len(rows) == 20
    assert result.complete is complete
    assert result.reason == reason
