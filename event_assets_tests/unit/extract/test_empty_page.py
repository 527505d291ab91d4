"""An empty list: whether it is the end, an error, or unclear."""

import json
from typing import Any

import orjson
import pytest
from starlette.requests import Request

from event_assets.extract.empty_page import UNCLEAR, has_nothing
from event_assets.extract.response_check import error_beside_rows, list_selector_check
from event_assets.http.response import JsonResponse
from event_assets.values.errors import ApiError
from event_assets_tests.support.platforms import events
from event_assets_tests.support.streams import checks, read_list

pytestmark = pytest.mark.in_process

OFFSETS = {"type": "offset", "limit": 20, "total_path": None}
CURSOR = {"type": "cursor", "cursor_path": "next", "cursor_param": "next"}


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
        ({"unreachable": ["locations/eu"]}, ' It says: "unreachable: locations/eu".'),  # Google
        ({"meta": {"failedSources": ["b"]}}, ' It says: "failedSources: b".'),
        ({"partialErrors": [{"message": "no b"}]}, ' It says: "partialErrors: no b".'),
        ({"remark": "Query timed out"}, ' It says: "remark: Query timed out".'),  # Overpass
        ({"unreachable": [], "missing_fields": ["venue"], "remark": "In UTC"}, ""),
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
    ({"unreachable": ["locations/eu"]}, "unreachable: locations/eu"),
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
    assert result.reason.endswith(f'may be about an error or a limit. It says: "{quoted}".')


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
        {"errorMessages": ["The index is rebuilding"], "data": []},
        [{"error": "The index is rebuilding"}],
        {"data": [{"error": "The index is rebuilding"}]},
        {"data": None, "error": 1},
        17,
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
    assert result.reason.endswith(f"may be about an error or a limit. {quoted}")


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
