"""Streams: the key of a source, what a response must contain, and what ends a list."""

from typing import Any
from uuid import uuid4

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse

from event_assets.extract.response_check import list_selector_check, response_check
from event_assets.http.response import JsonResponse
from event_assets.values.redaction import hide_random_words
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.platforms import events, source
from event_assets_tests.support.project import Project
from event_assets_tests.support.streams import has_id, read_all, read_list, reading

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


@pytest.mark.parametrize("auth", [None, "bearer", {"type": "http_basic"}, {"type": "api_key"}])
def test_the_sandbox_asks_for_no_key_whatever_the_auth(project: Project, auth: Any) -> None:
    project.connect_to(None, key=None)
    document = source("", client={"auth": auth})
    with reading(document["attributes"]["rest_api"]) as stream:
        assert read_all(stream)


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
        ("_embedded.events[*]", {"_links": {"next": {"href": "/v1?page=2"}}}),
        ("events", {"events": None, "_links": {"self": {"href": "/v1"}}}),
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
        ("events", {"_links": {"next": {"href": "/v1?page=2"}}}),
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
