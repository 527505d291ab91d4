"""Whatever dlt's REST API configuration says: the same requests and records as dlt's own source."""

import copy
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, cast

import dlt
import pytest
from dlt.sources.rest_api import rest_api_source
from dlt.sources.rest_api.typing import RESTAPIConfig
from starlette.requests import Request
from starlette.responses import JSONResponse

from event_assets_tests.support.api_server import ApiServer, serving
from event_assets_tests.support.streams import read_all, reading

ROWS = [{"id": f"{n}", "updated_at": f"2024-01-{n + 1:02}"} for n in range(25)]
PARENTS: list[dict[str, Any]] = [{"id": "a", "venue": {"id": 7}}, {"id": "b", "venue": {"id": 8}}]
SIZE = 10


def start_of(cursor: str | None) -> int:
    """Return the row of a cursor, which is a letter: one that counted rows would overlap."""
    return ord(cursor) - ord("A") if cursor else 0


def position(request: Request) -> int:
    query = request.query_params
    return start_of(query.get("cursor")) + SIZE * int(query.get("page") or 0)


def page(start: int) -> list[dict[str, str]]:
    return ROWS[start : start + SIZE]


def following(start: int) -> str | None:
    return chr(ord("A") + start + SIZE) if start + SIZE < len(ROWS) else None


def by_page(request: Request) -> Any:
    start = position(request)
    return {"rows": page(start)} if page(start) else JSONResponse({}, 404)


def by_link(request: Request) -> Any:
    start = position(request)
    link = following(start) and f"/link?cursor={following(start)}"
    return {"rows": page(start), "links": {"next": link}}


def by_header_link(request: Request) -> Any:
    start = position(request)
    url = str(request.url.replace(query=f"cursor={following(start)}"))
    headers = {"Link": f'<{url}>; rel="next"'} if following(start) else {}
    return JSONResponse({"rows": page(start)}, headers=headers)


def by_header_cursor(request: Request) -> Any:
    start = position(request)
    headers = {"X-Next": following(start) or ""} if following(start) else {}
    return JSONResponse({"rows": page(start)}, headers=headers)


async def by_body(request: Request) -> Any:
    asked = await request.json()
    start = start_of(asked["page"].get("cursor"))
    return {"d": {"rows": page(start)}, "next": following(start)}


def of_parent(request: Request) -> Any:
    parent = request.path_params["parent"]
    rows = [{"id": f"{parent}-{n}", "given": str(request.query_params)} for n in range(3)]
    return {"rows": rows}


API: Mapping[str, Callable[[Request], Any]] = {
    "/page": by_page,
    "/link": by_link,
    "/header-link": by_header_link,
    "/header-cursor": by_header_cursor,
    "/search": by_body,
    "/of/{parent}": of_parent,
}
LINKED = {"type": "json_link", "next_url_path": "links.next"}
IGNORE = [{"status_code": 404, "action": "ignore"}]
CASES: dict[str, dict[str, Any]] = {
    "cursor in the body of a POST": {
        "path": "search",
        "method": "POST",
        "json": {"q": {"all": True, "braces": "{{x}}"}, "page": {"size": SIZE}},
        "data_selector": "d.rows",
        "paginator": {"type": "cursor", "cursor_path": "next", "cursor_body_path": "page.cursor"},
    },
    "cursor in a header": {
        "path": "header-cursor",
        "data_selector": "rows",
        "paginator": {"type": "header_cursor", "cursor_key": "X-Next", "cursor_param": "cursor"},
    },
    "link in the body": {"path": "link", "data_selector": "rows", "paginator": LINKED},
    "link in a header": {
        "path": "header-link",
        "data_selector": "rows",
        "paginator": "header_link",
    },
    "paginator found by dlt": {"path": "header-link", "data_selector": "rows"},
    "records found by dlt": {"path": "link", "paginator": LINKED},
    "records found by a JSON path": {
        "path": "link",
        "data_selector": "$.rows[*].id",
        "paginator": LINKED,
    },
    "parameters and headers": {
        "path": "link",
        "params": {"status": ["live", "new"], "none": None, "text": "a b&c"},
        "headers": {"X-Version": "3"},
        "data_selector": "rows",
        "paginator": "single_page",
    },
    "a cursor as a parameter": {
        "path": "link",
        "data_selector": "rows",
        "paginator": LINKED,
        "params": {
            "since": {"type": "incremental", "cursor_path": "updated_at", "initial_value": "2023"}
        },
    },
    "a cursor in placeholders": {
        "path": "link",
        "data_selector": "rows",
        "paginator": LINKED,
        "params": {"since": "{incremental.start_value}", "first": "{incremental.initial_value}"},
        "incremental": {"cursor_path": "updated_at", "initial_value": "2023"},
    },
    "a cursor with two bounds": {
        "path": "link",
        "data_selector": "rows",
        "paginator": LINKED,
        "incremental": {
            "cursor_path": "updated_at",
            "initial_value": "2023",
            "end_value": "2025",
            "start_param": "since",
            "end_param": "until",
        },
    },
}
PER_PARENT: dict[str, dict[str, Any]] = {
    "parents in the path": {"path": "of/{resources.parents.id}"},
    "parents as parameters": {
        "path": "of/{parent}",
        "params": {
            "parent": {"type": "resolve", "resource": "parents", "field": "id"},
            "venue": "{resources.parents.venue.id}",
        },
        "headers": {"X-Venue": "{resources.parents.venue.id}"},
    },
}


def compare(api: ApiServer, endpoint: dict[str, Any], **options: Any) -> None:
    """Read a list in both ways, and compare the requests and the records."""
    listed = {"name": "listed", "primary_key": "id", "endpoint": endpoint, **options}
    has_parent = "parents" in str(endpoint)
    parents = dlt.resource([PARENTS], name="parents", selected=False)
    config: dict[str, Any] = {"client": {"base_url": api.url}, "resources": [listed]}
    theirs = copy.deepcopy(config)
    theirs["resources"] += [parents] if has_parent else []
    source = rest_api_source(cast("RESTAPIConfig", theirs), name="events")
    expected = list(source.resources["listed"])
    requests = Counter(described(request) for request in api.requests)
    api.requests.clear()
    event_data = {"name": "event_data", "endpoint": "link"}
    config["resources"] += [event_data, *([{"name": "parents", "endpoint": "link"}] * has_parent)]
    rows = [{"id": row["id"], "venue.id": row["venue"]["id"]} for row in PARENTS]
    with reading(config, "listed", parents=rows, concurrency=1) as stream:
        records = read_all(stream)
    assert records == expected
    assert records
    assert Counter(described(request) for request in api.requests) == requests


def described(request: Request) -> str:
    sent = {name: value for name, value in request.headers.items() if name.startswith("x-")}
    return f"{request.method} {request.url.path}?{request.url.query} {sent}"


@pytest.mark.parametrize("kind", CASES)
def test_a_list_is_read_as_dlt_reads_it(kind: str) -> None:
    with serving(API) as api:
        compare(api, copy.deepcopy(CASES[kind]))


@pytest.mark.parametrize("kind", PER_PARENT)
def test_the_lists_of_parents_are_read_as_dlt_reads_them(kind: str) -> None:
    endpoint = {**PER_PARENT[kind], "data_selector": "rows", "paginator": "single_page"}
    with serving(API) as api:
        compare(api, copy.deepcopy(endpoint), include_from_parent=["id"])
