"""Lists of additional resources that fail, are cut short, ignored or empty, or have bad records."""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import complete, failed_sync, source_of, sync_source
from event_assets_tests.support.platforms import definitions, events, paged, run
from event_assets_tests.support.project import Project, failure
from event_assets_tests.support.resources import (
    ATTENDEES,
    OF_EVENT,
    PATH,
    VENUES,
    attendees,
    with_resources,
)

pytestmark = pytest.mark.in_process


def test_one_list_that_fails_fails_the_resource_and_not_the_events(project: Project) -> None:
    def broken(request: Request) -> Any:
        if request.path_params["event"] == "e2":
            return JSONResponse({}, status_code=403)
        return attendees(request)

    with serving({PATH: paged(events(4)), OF_EVENT: broken}) as api:
        said = failed_sync(source_of(with_resources(api.url, ATTENDEES)))
    assert "answered 403 Forbidden" in said
    assert project.rows("select count(*) from events.event_data") == [(4,)]


@pytest.mark.usefixtures("project")
def test_a_record_that_has_no_list_is_named_with_the_setting_that_allows_it() -> None:
    def missing(request: Request) -> Any:
        is_last = request.path_params["event"] == "e3"
        return JSONResponse({"message": "No such event."}, 404) if is_last else attendees(request)

    with serving({PATH: paged(events(4)), OF_EVENT: missing}) as api:
        said = failed_sync(source_of(with_resources(api.url, ATTENDEES)))
    assert "/v1/events/e3/attendees answered 404 Not Found, but has the lists of other" in said
    assert "`response_actions: [{ status_code: 404, action: ignore }]` of the endpoint." in said
    assert said.strip().endswith('It says: "No such event".')


def test_an_ignored_response_is_an_empty_list(project: Project) -> None:
    def gone(request: Request) -> Any:
        if request.path_params["event"] == "e2":
            return JSONResponse({}, status_code=404)
        return attendees(request)

    ignoring = {**ATTENDEES, "endpoint": {**ATTENDEES["endpoint"]}}
    ignoring["endpoint"]["response_actions"] = [{"status_code": 404, "action": "ignore"}]
    with serving({PATH: paged(events(4)), OF_EVENT: gone}) as api:
        sync_source(source_of(with_resources(api.url, ignoring)))
    assert project.rows("select count(*) from events.attendees") == [(4,)]


IGNORED: list[tuple[dict[str, Any], Response]] = [
    ({"status_code": 204}, Response(status_code=204)),
    ({"status_code": 202}, JSONResponse({"retry": "later"}, status_code=202)),
    ({"content": "No attendees"}, JSONResponse({"message": "No attendees found"})),
    ({"content": "No guests", "status_code": 200}, PlainTextResponse("No guests")),
]


def test_a_good_response_may_be_ignored_too(project: Project) -> None:
    def none(request: Request) -> Any:
        number = int(request.path_params["event"][1:])
        return IGNORED[number - 2][1] if number >= 2 else attendees(request)

    ignoring = {**ATTENDEES, "endpoint": {**ATTENDEES["endpoint"]}}
    ignoring["endpoint"]["response_actions"] = [
        {**action, "action": "ignore"} for action, _ in IGNORED
    ]
    with serving({PATH: paged(events(6)), OF_EVENT: none}) as api:
        sync_source(source_of(with_resources(api.url, ignoring)))
        paths = [asked.url.path for asked in api.requests]
    assert [paths.count(f"{PATH}/e{number}/attendees") for number in range(2, 6)] == [1] * 4
    assert project.rows("select count(*) from events.attendees") == [(1,)]


@pytest.mark.usefixtures("project")
def test_a_list_that_is_cut_short_makes_complete_fail() -> None:
    def short(request: Request) -> Any:
        return (
            {"data": [], "total": 3} if request.path_params["event"] == "e3" else attendees(request)
        )

    with serving({PATH: paged(events(4)), OF_EVENT: short}) as api:
        config = source_of(with_resources(api.url, ATTENDEES))
        sync_source(config)
    check = complete(config, "attendees")
    assert (check.passed, check.severity.name) == (False, "ERROR")
    assert "1 of 4 lists may be incomplete" in str(check.description)


@pytest.mark.usefixtures("project")
def test_a_field_that_no_column_holds_is_named() -> None:
    wrong = {**ATTENDEES, "endpoint": {**ATTENDEES["endpoint"]}, "include_from_parent": ["code"]}
    with serving({PATH: paged(events(4)), OF_EVENT: attendees}) as api:
        said = failed_sync(source_of(with_resources(api.url, wrong)))
    assert "need `code` of each record of event_data, but the table has no such" in said


def test_an_empty_response_does_not_empty_a_replaced_table(project: Project) -> None:
    venues = [{"name": "Hall"}, {"name": "Arena"}]
    handlers = {PATH: paged(events(1)), "/v1/venues": lambda _: {"data": venues}}
    with serving(handlers) as api:
        document = with_resources(api.url, VENUES)
        document["attributes"]["rest_api"]["resource_defaults"] = {}
        document["attributes"]["rest_api"]["resources"][0]["primary_key"] = "id"
        loaded = source_of(document)
        sync_source(loaded)
        venues.clear()
        sync_source(loaded)
    assert project.rows("select count(*) from events.venues") == [(2,)]
    doubted = project.rows("select complete, reason from events.venues_syncs order by started_at")
    assert doubted[-1] == (
        None,
        "The API returned no records, but did before: the existing rows are kept.",
    )


@pytest.mark.usefixtures("project")
def test_lists_that_are_all_ignored_are_doubted() -> None:
    ignoring = {**ATTENDEES, "endpoint": {**ATTENDEES["endpoint"]}}
    ignoring["endpoint"]["response_actions"] = [{"status_code": 404, "action": "ignore"}]
    ignoring["endpoint"]["path"] = "/v1/misspelt/{resources.event_data.id}"
    with serving({PATH: paged(events(3))}) as api:
        config = source_of(with_resources(api.url, ignoring))
        sync_source(config)
    check = complete(config, "attendees")
    assert (check.passed, check.severity.name) == (False, "WARN")
    assert "Check the endpoint's path." in str(check.description)


@pytest.mark.usefixtures("project")
def test_records_without_their_key_are_reported_with_a_fix() -> None:
    rows = [{"id": "a", "name": "Hall"}, {"name": "Arena"}, {"name": "Field"}]
    handlers = {PATH: paged(events(1)), "/v1/venues": lambda _: {"data": rows}}
    with serving(handlers) as api:
        said = failed_sync(source_of(with_resources(api.url, VENUES)))
    assert said.startswith("2 of ")
    assert said.strip().endswith(
        "`id` is missing (2); correct the `primary_key` of `venues` in defs.yaml, with the help of "
        "the table venues_rejects."
    )


def test_rejected_records_are_reported(project: Project) -> None:
    rows = [{"id": f"v{i}", "name": "Hall"} for i in range(30)] + [{"name": "Arena"}]
    resource = {**VENUES, "primary_key": "id"}
    handlers = {PATH: paged(events(1)), "/v1/venues": lambda _: {"data": rows}}
    with serving(handlers) as api:
        result = run(project, definitions({"events": with_resources(api.url, resource)}))
    assert result.success, failure(result)
    found = {
        c.asset_key.path[-1]: c
        for c in result.get_asset_check_evaluations()
        if c.check_name == "no_rejects"
    }
    assert found["event_data"].passed
    assert not found["venues"].passed
    assert found["venues"].description == (
        "1 record breaks the contract: `id` is missing (1); correct the `primary_key` of `venues` "
        "in defs.yaml, or have the API's operator correct the records."
    )
