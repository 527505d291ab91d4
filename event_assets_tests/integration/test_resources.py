"""Additional resources have tables of their own, also with a list for each event."""

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import dagster as dg
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from event_assets.config.source import SourceConfig
from event_assets.http.window import CAUTIOUS
from event_assets_tests.support.api_server import ApiServer, serving
from event_assets_tests.support.direct_syncs import (
    complete,
    failed_sync,
    source_of,
    sync_source,
    unique,
)
from event_assets_tests.support.event_records import number
from event_assets_tests.support.platforms import definitions, events, paged, run, source
from event_assets_tests.support.project import Project, failure

ATTENDEES: dict[str, Any] = {
    "name": "attendees",
    "endpoint": {
        "path": "/v1/events/{resources.event_data.id}/attendees",
        "data_selector": "data",
        "paginator": {"type": "offset", "limit": 2},
    },
    "include_from_parent": ["id"],
}
VENUES: dict[str, Any] = {
    "name": "venues",
    "endpoint": {"path": "/v1/venues", "data_selector": "data", "paginator": "single_page"},
}
PATH, OF_EVENT = "/v1/events", "/v1/events/{event}/attendees"


def attendees(request: Request) -> Any:
    event = request.path_params["event"]
    rows = [{"id": f"{event}-{i}", "name": f"Guest {i}"} for i in range(int(event[1:]) % 4)]
    return paged(rows)(request)


def with_resources(url: str, *resources: dict[str, Any], **changes: Any) -> dict[str, Any]:
    document = source(url, **changes)
    document["attributes"]["rest_api"]["resources"] += resources
    return document


def test_there_is_a_row_for_each_record_of_each_event(project: Project) -> None:
    with serving({PATH: paged(events(40)), OF_EVENT: attendees}) as api:
        sync_source(source_of(with_resources(api.url, ATTENDEES)))
    rows = project.rows("select id, _event_data_id, name from events.attendees order by id")
    guests = [(event, i) for event in range(40) for i in range(event % 4)]
    assert rows == sorted((f"e{event}-{i}", f"e{event}", f"Guest {i}") for event, i in guests)
    logged = "select complete, rows_read, reason from events.attendees_syncs"
    (sync,) = project.rows(logged)
    assert sync[0] is True
    assert sync[2] == "All 60 rows of 40 lists were received."


def test_it_is_synced_after_the_events_and_checked(project: Project) -> None:
    with serving({PATH: paged(events(3)), OF_EVENT: attendees}) as api:
        loaded = definitions({"concerts": with_resources(api.url, ATTENDEES)})
        result = run(project, loaded, "sync_concerts", derived=True)
    keys = [
        event.materialization.asset_key.path for event in result.get_asset_materialization_events()
    ]
    assert keys.index(["concerts", "event_data"]) < keys.index(["concerts", "attendees"])
    assert any(
        check.asset_key.path == ["concerts", "attendees"] and check.passed
        for check in result.get_asset_check_evaluations()
    )


@pytest.mark.parametrize("concurrency", [1, 12])
@pytest.mark.usefixtures("project")
def test_lists_are_requested_concurrently_up_to_the_limit(concurrency: int) -> None:
    lists, waiting, most = 0, 0, 0
    enough = asyncio.Event()

    async def counted(request: Request) -> Any:
        nonlocal lists, waiting, most
        if number(request, "offset") == 0:
            lists += 1
            waiting += 1
            most = max(most, waiting)
            if waiting == concurrency:
                enough.set()
            if lists > 5 * CAUTIOUS:  # more are sent after some responses
                await enough.wait()
            waiting -= 1
        return attendees(request)

    with serving({PATH: paged(events(60)), OF_EVENT: counted}) as api:
        document = with_resources(api.url, ATTENDEES, concurrency=concurrency)
        sync_source(source_of(document))
    assert most == concurrency


def test_a_field_in_a_path_is_escaped(project: Project) -> None:
    ids = {id_: quote(id_, safe="") for id_ in ("a/b", "c d", "e?f=g", "h%i", "ü", "7", "a..b")}
    ids |= {".": "%252E", "..": "%252E%252E"}
    bound = {"type": "resolve", "resource": "event_data", "field": "id"}
    endpoints: dict[str, Any] = {
        "placeholder": {"path": "/v1/of/{resources.event_data.id}"},
        "resolved": {"path": "/v1/of/{event}", "params": {"event": bound}},
    }
    lists = [
        {
            "name": name,
            "include_from_parent": ["id"],
            "endpoint": {**endpoint, "data_selector": "data", "paginator": "single_page"},
        }
        for name, endpoint in endpoints.items()
    ]

    def seen(request: Request) -> Any:
        raw = request.scope["raw_path"].decode().rpartition("/")[2]
        return {"data": [{"raw": raw}]}

    handlers = {PATH: paged([{"id": id_} for id_ in ids]), "/v1/of/{event:path}": seen}
    with serving(handlers) as api:
        document = with_resources(api.url, *lists)
        document["attributes"]["rest_api"]["resource_defaults"] = {}
        document["attributes"]["rest_api"]["resources"][0]["primary_key"] = "id"
        sync_source(source_of(document))
    for name in endpoints:
        rows = project.rows(f"select _event_data_id, raw from events.{name}")
        assert dict(rows) == ids
        assert len(rows) == len(ids)


@pytest.mark.parametrize("name", ["current_events", "event_data_syncs", "Attendees", "my list"])
def test_a_name_that_can_be_no_table_of_its_own_is_refused(name: str) -> None:
    with pytest.raises(Exception) as refused:  # noqa: PT011 (Dagster wraps it)
        definitions({"events": with_resources("http://127.0.0.1:9", {**VENUES, "name": name})})
    error: BaseException = refused.value
    while error.__cause__:
        error = error.__cause__
    assert f"a resource cannot be called `{name}`" in str(error)


def test_a_second_sync_merges_by_the_key(project: Project) -> None:
    with serving({PATH: paged(events(8)), OF_EVENT: attendees}) as api:
        loaded = source_of(with_resources(api.url, ATTENDEES))
        for _ in range(2):
            sync_source(loaded)
    assert project.rows("select count(*), count(distinct id) from events.attendees") == [(12, 12)]


def test_an_additional_resource_may_be_incremental(project: Project) -> None:
    rows = [{"id": "v1", "at": "2026-01-01"}, {"id": "v2", "at": "2026-02-01"}]
    venues: dict[str, Any] = {
        "name": "venues",
        "endpoint": {
            "path": "/v1/venues",
            "data_selector": "data",
            "paginator": "single_page",
            "incremental": {"start_param": "since", "cursor_path": "at"},
        },
    }

    def newer(request: Request) -> Any:
        since = request.query_params.get("since", "")
        return {"data": [row for row in rows if row["at"] >= since]}

    with serving({PATH: paged(events(1)), "/v1/venues": newer}) as api:
        loaded = source_of(with_resources(api.url, venues))
        for is_full in (False, False, True):
            sync_source(loaded, full_refresh=is_full)
        asked = [query.get("since") for query in api.asked_for("/v1/venues")]
    assert asked == [None, "2026-02-01", None]
    assert project.rows("select count(*) from events.venues") == [(2,)]


def without_key(url: str) -> dict[str, Any]:
    document = with_resources(url, VENUES)
    document["attributes"]["rest_api"]["resource_defaults"] = {}
    document["attributes"]["rest_api"]["resources"][0]["primary_key"] = "id"
    return document


def test_a_list_without_a_key_is_replaced(project: Project) -> None:
    venues = [{"name": "Hall", "seats": 1}, {"name": "Arena", "seats": 2}]
    handlers = {PATH: paged(events(1)), "/v1/venues": lambda _: {"data": venues}}
    with serving(handlers) as api:
        loaded = source_of(without_key(api.url))
        sync_source(loaded)
        venues[:] = [{"name": "Hall", "seats": 1.5}]
        sync_source(loaded)
    assert project.rows("select name, seats from events.venues") == [("Hall", 1.5)]


def test_a_list_without_a_key_is_replaced_at_once_or_not_at_all(project: Project) -> None:
    venues = [{"name": "Hall"}]
    handlers = {PATH: paged(events(1)), "/v1/venues": lambda _: {"data": venues}}
    with serving(handlers) as api:
        loaded = source_of(without_key(api.url))
        sync_source(loaded)
        venues[:] = [{"name": "Arena"}]
        with project.failing_loads(), pytest.raises(RuntimeError):
            sync_source(loaded)
    assert project.rows("select name from events.venues") == [("Hall",)]


def test_one_list_that_fails_fails_the_resource_and_not_the_events(project: Project) -> None:
    def broken(request: Request) -> Any:
        if request.path_params["event"] == "e2":
            return JSONResponse({}, status_code=403)
        return attendees(request)

    with serving({PATH: paged(events(4)), OF_EVENT: broken}) as api:
        said = failed_sync(source_of(with_resources(api.url, ATTENDEES)))
    assert "answered 403 Forbidden" in said
    assert project.rows("select count(*) from events.event_data") == [(4,)]


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


def test_requests_are_made_from_other_fields_too(project: Project) -> None:
    rows = [{"id": f"{i}", "slug": f"s{i}", "meta": {"code": f"s{i}"}} for i in range(3)]
    fields = {"of_slugs": "slug", "of_codes": "meta.code"}
    lists = [
        {
            "name": name,
            "endpoint": {
                "path": f"/v1/lists/{{resources.event_data.{field}}}",
                "data_selector": "data",
                "paginator": "single_page",
            },
        }
        for name, field in fields.items()
    ]
    handlers = {
        PATH: paged(rows),
        "/v1/lists/{slug}": lambda request: {"data": [{"id": request.path_params["slug"]}]},
    }
    with serving(handlers) as api:
        sync_source(source_of(with_resources(api.url, *lists)))
    for name in fields:
        rows_of = project.rows(f"select id from events.{name} order by id")
        assert rows_of == [("s0",), ("s1",), ("s2",)]


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


def test_a_repeated_record_is_loaded_once(project: Project) -> None:
    rows = [{"id": i, "meta": {"id": i}, "n": n} for i, n in ((1, 1), (1, 2), (2, 3))]
    handlers = {PATH: paged(events(1)), "/v1/venues": lambda _: {"data": rows}}
    nested = {**VENUES, "name": "nested", "primary_key": "meta.id"}
    with serving(handlers) as api:
        document = with_resources(api.url, {**VENUES, "primary_key": "id"}, nested)
        sync_source(source_of(document))
    for name in ("venues", "nested"):
        assert project.rows(f"select count(*) from events.{name}") == [(2,)]


def test_ids_that_are_unique_within_an_event_only_stay_apart(project: Project) -> None:
    def tickets(_: Request) -> Any:
        return {"data": [{"id": 1}, {"id": 2}]}

    with serving({PATH: paged(events(3)), OF_EVENT: tickets}) as api:
        resource = {**ATTENDEES, "endpoint": {**ATTENDEES["endpoint"], "paginator": "single_page"}}
        loaded = source_of(with_resources(api.url, resource))
        for _ in range(2):
            sync_source(loaded)
    assert project.rows("select count(*) from events.attendees") == [(6,)]


def by_organizer(url: str, **changes: Any) -> SourceConfig:
    members: dict[str, Any] = {
        "name": "members",
        "endpoint": {
            "path": "/v1/organizers/{resources.event_data.organizer.id}/members",
            "data_selector": "data",
            "paginator": "single_page",
        },
    }
    return source_of(with_resources(url, members | changes))


@pytest.fixture
def organized() -> Iterator[ApiServer]:
    """An API of six events of two organizers, each with a list of two members."""
    rows = [{**event, "organizer": {"id": f"o{i % 2}"}} for i, event in enumerate(events(6))]

    def members(request: Request) -> Any:
        organizer = request.path_params["organizer"]
        return {"data": [{"id": f"{organizer}-m{number}"} for number in range(2)]}

    with serving({PATH: paged(rows), "/v1/organizers/{organizer}/members": members}) as api:
        yield api


@pytest.mark.parametrize("key", [{"primary_key": []}, {"primary_key": "id"}])
def test_a_list_of_several_parents_is_requested_once(
    project: Project, organized: ApiServer, key: dict[str, Any]
) -> None:
    sync_source(by_organizer(organized.url, **key))
    asked = [request.url.path for request in organized.requests if request.url.path != PATH]
    assert sorted(asked) == ["/v1/organizers/o0/members", "/v1/organizers/o1/members"]
    ids = project.rows("select id from events.members order by id")
    assert ids == [("o0-m0",), ("o0-m1",), ("o1-m0",), ("o1-m1",)]


@pytest.mark.parametrize("key", [{"primary_key": []}, {"primary_key": "id"}])
def test_its_records_are_there_for_each_parent_that_they_include(
    project: Project, organized: ApiServer, key: dict[str, Any]
) -> None:
    included = by_organizer(organized.url, include_from_parent=["id"], **key)
    for _ in range(2):
        sync_source(included)
    assert len([r for r in organized.requests if r.url.path != PATH]) == 4
    rows = project.rows("select _event_data_id, id from events.members order by all")
    assert rows == [(f"e{i}", f"o{i % 2}-m{number}") for i in range(6) for number in range(2)]


def test_the_share_of_rejects_is_that_of_the_records_of_all_parents(project: Project) -> None:
    rows = [{**event, "organizer": {"id": "o"}} for event in events(10)]
    members = [{"id": f"m{number}"} for number in range(39)] + [{"name": "without"}]
    lists = {PATH: paged(rows), "/v1/organizers/o/members": lambda _: {"data": members}}
    with serving(lists) as api:
        loaded = by_organizer(api.url, include_from_parent=["id"], primary_key="id")
        sync_source(loaded)
    assert project.rows("select count(*) from events.members") == [(390,)]


USERS: dict[str, Any] = {
    "name": "users",
    "endpoint": {"path": "/v1/users", "data_selector": "data"},
}


def with_parent_of_events(url: str) -> dict[str, Any]:
    document = with_resources(url, USERS)
    endpoint = document["attributes"]["rest_api"]["resources"][0]["endpoint"]
    document["attributes"]["rest_api"]["client"]["paginator"] = endpoint["paginator"]
    endpoint["path"] = "/v1/users/{resources.users.id}/events"
    return document


def test_the_list_that_events_depend_on_is_read_first(project: Project) -> None:
    def of_user(request: Request) -> Any:
        first = 10 * int(request.path_params["user"])
        return paged(events(3, first))(request)

    users = [{"id": "1"}, {"id": "2"}]
    lists = {"/v1/users": lambda request: paged(users)(request), "/v1/users/{user}/events": of_user}
    with serving(lists) as api:
        loaded = definitions({"events": with_parent_of_events(api.url)})
        result = run(project, loaded, derived=True)
        assert result.success, failure(result)
        assert project.ids("current_events") == ["e10", "e11", "e12", "e20", "e21", "e22"]
        users.pop()
        api.requests.clear()
        assert run(project, loaded, derived=True).success
    assert "/v1/users/2/events" not in {request.url.path for request in api.requests}
    assert project.ids("current_events") == ["e10", "e11", "e12"]
    graph = loaded.resolve_asset_graph()
    assert graph.get(dg.AssetKey("event_data")).parent_keys == {dg.AssetKey("users")}


def test_a_list_is_no_more_complete_than_the_one_whose_records_it_is_requested_by(
    project: Project,
) -> None:
    users = [{"id": "1"}, {"id": "2"}]
    answers = {
        "/v1/users": lambda _: {"data": users, "total": 3},
        "/v1/users/{user}/events": paged(events(3)),
    }
    with serving(answers) as api:
        config = source_of(with_parent_of_events(api.url))
        sync_source(config)
    found = complete(config, "event_data")
    assert (found.passed, found.severity.name) == (False, "WARN")
    assert "there may be more `users` than these" in str(found.description)
    assert project.ids() == ["e0", "e1", "e2"]


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


@pytest.mark.parametrize("included", [[], ["id", "name"]])
def test_ids_are_unique_within_the_list_of_a_parent_only(
    project: Project, included: list[str]
) -> None:
    def numbered(request: Request) -> Any:
        event = request.path_params["event"]
        guests = [{"id": number, "guest": f"{event}-{number}"} for number in range(3)]
        return paged(guests)(request)

    resource = {**ATTENDEES, "include_from_parent": included}
    rows = events(4)
    with serving({PATH: paged(rows), OF_EVENT: numbered}) as api:
        loaded = source_of(with_resources(api.url, resource))
        for _ in range(2):
            sync_source(loaded)
            rows[0] = {**rows[0], "name": "Another name"}  # the parent, not another one
    found = project.rows("select _event_data_id, id, guest from events.attendees order by all")
    assert found == [(f"e{e}", str(n), f"e{e}-{n}") for e in range(4) for n in range(3)]
    assert project.rows("select count(*) from events.attendees_rejects") == [(0,)]


def test_a_field_below_another_may_tell_the_parents_apart(project: Project) -> None:
    rows = [{**row, "venue": {"code": f"v{at % 2}"}} for at, row in enumerate(events(4))]
    rooms: dict[str, Any] = {
        "name": "rooms",
        "endpoint": {
            "path": "/v1/venues/{resources.event_data.venue.code}/rooms",
            "data_selector": "data",
            "paginator": "single_page",
        },
    }

    def numbered(request: Request) -> Any:
        return {"data": [{"id": at, "of": request.path_params["venue"]} for at in range(3)]}

    with serving({PATH: paged(rows), "/v1/venues/{venue}/rooms": numbered}) as api:
        sync_source(source_of(with_resources(api.url, rooms)))
    found = project.rows("select _event_data_venue_code, id, of from events.rooms order by all")
    assert found == [(f"v{v}", str(n), f"v{v}") for v in range(2) for n in range(3)]


def test_events_that_depend_on_a_list_have_their_own_ids(project: Project) -> None:
    users = [{"id": f"u{number}"} for number in range(3)]

    def meetings(request: Request) -> Any:
        user = request.path_params["user"]
        own = {"id": f"of-{user}", "name": user}
        return {"data": [own, {"id": "shared", "name": "Together"}]}

    document = with_resources("", {"name": "users", "endpoint": {"path": "/v1/users"}})
    events_of = document["attributes"]["rest_api"]["resources"][0]
    events_of["endpoint"]["path"] = "/v1/users/{resources.users.id}/meetings"
    events_of["endpoint"]["paginator"] = "single_page"
    events_of["include_from_parent"] = ["id"]
    handlers = {"/v1/users": lambda _: users, "/v1/users/{user}/meetings": meetings}
    with serving(handlers) as api:
        document["attributes"]["rest_api"]["client"]["base_url"] = api.url
        config = source_of(document)
        sync_source(config)
    assert project.ids() == ["of-u0", "of-u1", "of-u2", "shared"]
    assert unique(config).passed
