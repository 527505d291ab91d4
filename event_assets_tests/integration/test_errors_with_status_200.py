"""An error that comes with status 200 fails the sync in the API's words, wherever it comes."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request

from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import (
    complete,
    derive_tables,
    failed_sync,
    source_of,
    sync_source,
)
from event_assets_tests.support.platforms import events, paged, source
from event_assets_tests.support.project import Project

pytestmark = [pytest.mark.in_process, pytest.mark.usefixtures("waits")]
PATH = "/v1/events"
# each with the data_selector that the list has
ERRORS: list[tuple[dict[str, Any], str | None]] = [
    ({"data": None, "errors": [{"message": "Try again later"}]}, "data[*]"),  # GraphQL
    ({"data": [], "errors": [{"message": "Try again later"}]}, "data"),
    ({"error": {"code": 17, "message": "Try again later"}}, "$..data"),
    (
        {"type": "about:blank", "title": "Busy", "status": 429, "detail": "Try again later"},
        None,
    ),  # RFC 7807
    ({"status": "error", "message": "Try again later"}, "$.data"),
    ({"_links": {"help": {"href": "/help"}}, "message": "Try again later"}, None),
]
Fails = Callable[[Request], bool]


def list_of_events(url: str) -> dict[str, Any]:
    document = source(url)
    endpoint_of(document)["paginator"] = {"type": "offset", "limit": 10}
    return document


def windowed(url: str) -> dict[str, Any]:
    limits = {"since": "2025-12-01", "until": "2027-01-01", "cap": 20}
    document = source(url, windows={"param_from": "from", "param_to": "to", **limits})
    endpoint_of(document)["paginator"] = {"type": "offset", "limit": 10}
    return document


def of_users(url: str) -> dict[str, Any]:
    document = list_of_events(url)
    endpoint_of(document)["path"] = "/v1/users/{resources.users.id}/events"
    users = {"path": "/v1/users", "data_selector": "data", "paginator": "single_page"}
    document["attributes"]["rest_api"]["resources"].append({"name": "users", "endpoint": users})
    return document


def endpoint_of(document: dict[str, Any]) -> dict[str, Any]:
    endpoint: dict[str, Any] = document["attributes"]["rest_api"]["resources"][0]["endpoint"]
    return endpoint


def in_the_middle_of_the_list(request: Request) -> bool:
    return request.query_params.get("offset", "0") not in ("0", "9")


def in_a_window(request: Request) -> bool:
    return bool(request.query_params.get("from"))


def in_the_list_of_one_parent(request: Request) -> bool:
    return "/2/" in request.url.path


@pytest.mark.parametrize(
    ("configured", "is_failing", "error", "selector"),
    [
        *((list_of_events, in_the_middle_of_the_list, *pair) for pair in ERRORS),
        (list_of_events, lambda _: True, *ERRORS[0]),
        (windowed, in_a_window, *ERRORS[1]),
        (of_users, in_the_list_of_one_parent, *ERRORS[2]),
    ],
)
def test_an_error_fails_the_sync_and_no_event_goes(
    project: Project,
    configured: Callable[[str], dict[str, Any]],
    is_failing: Fails,
    selector: str | None,
    error: dict[str, Any],
) -> None:
    failing: list[Fails] = []

    def answer(request: Request) -> Any:
        first = 100 * int(request.path_params.get("user", 0))
        since, until = (request.query_params.get(name, "") for name in ("from", "to"))
        rows = [e for e in events(30, first) if since <= e["start_time"] <= (until or "9")]
        return error if any(fails(request) for fails in failing) else paged(rows)(request)

    users = [{"id": "1"}, {"id": "2"}]
    lists = {
        PATH: answer,
        "/v1/users/{user}/events": answer,
        "/v1/users": lambda _: {"data": users},
    }
    with serving(lists) as api:
        document = configured(api.url)
        endpoint_of(document)["data_selector"] = selector
        config = source_of(document)
        sync_source(config, derived=True)
        before = project.ids("current_events")
        failing.append(is_failing)
        said = failed_sync(config)
    derive_tables(config)
    assert 'It says: "Try again later".' in said
    assert project.ids("current_events") == before


@pytest.mark.parametrize(
    "error",
    [
        {"errors": [{"message": "A venue could not be loaded", "path": ["events", 7]}]},
        {"error": "A venue could not be loaded"},
        {"success": False, "message": "A venue could not be loaded"},
    ],
)
@pytest.mark.parametrize("times", [1, 9])
def test_an_error_beside_records_is_a_doubt_unless_it_passes(
    project: Project, error: dict[str, Any], times: int
) -> None:
    rows, left = events(30), [times]

    def answer(request: Request) -> Any:
        page = paged(rows)(request)
        if request.query_params.get("offset") == "9" and left[0]:
            left[0] -= 1
            return {"data": page["data"][:5], **error}
        return {"data": page["data"]}

    with serving({PATH: answer}) as api:
        document = list_of_events(api.url)
        endpoint_of(document)["paginator"] = {"type": "offset", "limit": 10, "total_path": None}
        config = source_of(document)
        sync_source(config)
    check = complete(config)
    assert check.passed is (times == 1)
    said = "what came beside some of them says that others may be missing"
    assert (said in str(check.description)) is (times > 1)
    assert ('It says: "A venue could not be loaded".' in str(check.description)) is (times > 1)
    assert project.ids() == sorted(event["id"] for event in rows)


@pytest.mark.parametrize(
    "words",
    [
        {"errorCode": 0, "errorMessage": "success"},
        {"error": "OK"},
        {"error": "none"},
        {"error_message": "No errors."},
    ],
)
def test_words_that_there_is_no_error_are_no_doubt(project: Project, words: dict[str, Any]) -> None:
    lists = paged(events(30))
    with serving({PATH: lambda request: {**lists(request), **words}}) as api:
        config = source_of(list_of_events(api.url))
        sync_source(config)
    assert complete(config).passed
    assert len(project.ids()) == 30
