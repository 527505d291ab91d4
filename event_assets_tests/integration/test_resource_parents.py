"""A list for each parent: one of several records, one that events depend on, and their ids."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse

from event_assets.config.source import SourceConfig
from event_assets_tests.support.api_server import ApiServer, serving
from event_assets_tests.support.direct_syncs import complete, source_of, sync_source, unique
from event_assets_tests.support.platforms import definitions, events, paged, run
from event_assets_tests.support.project import Project, failure
from event_assets_tests.support.resources import ATTENDEES, OF_EVENT, PATH, with_resources

pytestmark = pytest.mark.in_process


def test_ids_that_are_unique_within_an_event_only_stay_apart(project: Project) -> None:
    def tickets(_: Request) -> Any:
        return {"data": [{"id": 1}, {"id": 2}]}

    with serving({PATH: paged(events(3)), OF_EVENT: tickets}) as api:
        resource = {**ATTENDEES, "endpoint": {**ATTENDEES["endpoint"], "paginator": "single_page"}}
        loaded = source_of(with_resources(api.url, resource))
        for _ in range(2):
            sync_source(loaded)
    assert project.rows("select count(*) from events.attendees") == [(6,)]


def test_the_path_of_one_record_needs_no_paginator(project: Project) -> None:
    def guest(request: Request) -> Any:
        return {"id": request.path_params["event"], "seats": 2}

    with serving({PATH: paged(events(3)), "/v1/guests/{event}": guest}) as api:
        path = "/v1/guests/{resources.event_data.id}"
        resource = {"name": "guests", "primary_key": "id", "endpoint": {"path": path}}
        loaded = source_of(with_resources(api.url, resource))
        sync_source(loaded)
    assert project.rows("select count(*), sum(seats)::int from events.guests") == [(3, 6)]
    assert complete(loaded, "guests").passed


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


@pytest.mark.usefixtures("project")
def test_a_parent_without_a_value_is_left_out() -> None:
    organizers = [{"id": "o1"}, {"id": ""}, {"id": None}, {}, None]
    rows = [{**event, "organizer": o} for event, o in zip(events(5), organizers, strict=True)]
    members = "/v1/organizers/{organizer}/members"
    with serving({PATH: paged(rows), members: lambda _: {"data": [{"id": "m1"}]}}) as api:
        config = by_organizer(api.url)
        sync_source(config)
    check = complete(config, "members")
    assert (check.passed, check.description) == (True, "The only row was received, in 1 list.")


def test_a_field_that_all_parents_have_lost_is_told_until_one_has_it_again(
    project: Project,
) -> None:
    rows = [{**event, "organizer": {"id": f"o{i}"}} for i, event in enumerate(events(3))]
    members = "/v1/organizers/{organizer}/members"
    with serving({PATH: paged(rows), members: lambda _: {"data": [{"id": "m1"}]}}) as api:
        config = by_organizer(api.url)
        sync_source(config)
        for row in rows:
            row["organiser"] = row.pop("organizer")
        for _ in range(2):
            sync_source(config)
            check = complete(config, "members")
            assert (check.passed, check.severity.name) == (False, "WARN")
            assert check.description == (
                "The list is empty, but there may be more `event_data` than these: none has a "
                "value for `organizer.id`."
            )
        rows.clear()
        sync_source(config)
        assert project.rows("select count(*) from events.members") == [(3,)]
        rows += [{**events(1)[0], "organizer": {"id": "o1"}}]
        sync_source(config)
    assert complete(config, "members").passed


@pytest.mark.parametrize(
    ("third", "why"),
    [
        ({"organizer": {"id": "o3"}}, "have a value of another type, which is in the column"),
        ({"start_time": "soon"}, "are in event_data_rejects"),
    ],
)
@pytest.mark.usefixtures("project")
def test_parents_that_are_left_out_are_told(third: dict[str, Any], why: str) -> None:
    rows = [{**event, "organizer": {"id": n}} for n, event in enumerate(events(3))]
    rows[2] |= third
    members = "/v1/organizers/{organizer}/members"
    with serving({PATH: paged(rows), members: lambda r: {"data": [{"id": r.url.path}]}}) as api:
        config = by_organizer(api.url)
        sync_source(config)
    found = complete(config, "members")
    assert (found.passed, found.severity.name) == (False, "WARN")
    assert f"there may be more `event_data` than these: some {why}" in str(found.description)


@pytest.mark.usefixtures("project")
def test_rejects_that_left_the_api_leave_no_doubt() -> None:
    rows = [{**event, "organizer": {"id": n}} for n, event in enumerate(events(3))]
    rows[2] |= {"start_time": "soon"}
    members = "/v1/organizers/{organizer}/members"
    with serving({PATH: paged(rows), members: lambda r: {"data": [{"id": r.url.path}]}}) as api:
        config = by_organizer(api.url)
        for _ in range(2):  # it is still there, then it has left
            sync_source(config)
            assert complete(config, "members").passed is (len(rows) == 2)
            del rows[2:]
    assert complete(config, "members").description == "All 2 rows were received, in 2 lists."


@pytest.mark.parametrize(
    ("field", "values"),
    [("start_time", ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"]), ("free", ["true", "false"])],
)
@pytest.mark.usefixtures("project")
def test_a_time_and_a_flag_of_a_parent_are_sent_as_json_has_them(
    field: str, values: list[str]
) -> None:
    rows = [{**event, "free": not n} for n, event in enumerate(events(2))]
    with serving({PATH: paged(rows), OF_EVENT: lambda _: {"data": []}}) as api:
        path = f"/v1/events/{{resources.event_data.{field}}}/attendees"
        endpoint = {**ATTENDEES["endpoint"], "path": path}
        sync_source(source_of(with_resources(api.url, {**ATTENDEES, "endpoint": endpoint})))
        asked = {r.path_params["event"] for r in api.requests if r.url.path != PATH}
    assert asked == set(values)


@pytest.mark.parametrize(
    ("key", "fields"), [(["id", "day"], {}), ("slug", {}), ("id", {"id": {"from": "slug"}})]
)
@pytest.mark.usefixtures("project")
def test_requests_have_the_field_of_the_record_whatever_the_contract_calls_so(
    key: Any, fields: dict[str, Any]
) -> None:
    rows = [
        {**event, "id": f"e{n % 2}", "day": n // 2, "slug": f"s{n}"}
        for n, event in enumerate(events(4))
    ]
    with serving({PATH: paged(rows), OF_EVENT: lambda _: {"data": [{"id": 1}]}}) as api:
        document = with_resources(api.url, ATTENDEES)
        document["attributes"]["rest_api"]["resources"][0]["primary_key"] = key
        document["attributes"]["fields"]["id"] |= fields.get("id", {})
        sync_source(source_of(document))
        asked = {request.url.path for request in api.requests} - {PATH}
    assert asked == {f"{PATH}/e0/attendees", f"{PATH}/e1/attendees"}


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
    names = ["id", "organizer.id"]
    included = by_organizer(organized.url, include_from_parent=names, **key)
    for _ in range(2):
        sync_source(included)
    assert len([r for r in organized.requests if r.url.path != PATH]) == 4
    columns = "_event_data_id, _event_data_organizer_id, id"
    rows = project.rows(f"select {columns} from events.members order by all")
    numbered = [(f"e{i}", f"o{i % 2}", number) for i in range(6) for number in range(2)]
    assert rows == [(event, of, f"{of}-m{number}") for event, of, number in numbered]


@pytest.mark.parametrize("is_ignored", [True, False])
@pytest.mark.usefixtures("project")
def test_a_parameter_that_the_api_ignores_is_told_by_lists_of_the_same_rows(
    is_ignored: bool,
) -> None:
    def members(request: Request) -> Any:
        of = "all" if is_ignored else request.query_params["of"]
        return {"data": [{"id": 1, "name": of}]}

    rows = [{**event, "organizer": {"id": f"o{i}"}} for i, event in enumerate(events(3))]
    with serving({PATH: paged(rows), "/v1/members": members}) as api:
        endpoint = {
            "path": "/v1/members",
            "params": {"of": "{resources.event_data.organizer.id}"},
            "data_selector": "data",
            "paginator": "single_page",
        }
        loaded = by_organizer(api.url, endpoint=endpoint)
        sync_source(loaded)
    found = complete(loaded, "members")
    assert found.passed is not is_ignored
    said = "may ignore `resources.event_data.organizer.id`" in str(found.description)
    assert said is is_ignored


@pytest.mark.parametrize("path", ["/v1/organizers/{}/members", "/v1/members?of={}"])
@pytest.mark.parametrize("behind", [[], 404, 403, [{"id": 7, "name": "a"}]])
@pytest.mark.usefixtures("project")
def test_lists_that_share_their_rows_are_complete_if_that_of_no_parent_is_another(
    path: str, behind: Any
) -> None:
    def members(request: Request) -> Any:
        of = request.query_params.get("of") or request.url.path.split("/")[3]
        if of in ("o0", "o1"):
            return {"data": [{"id": number, "name": "a"} for number in range(3)]}
        return {"data": behind} if isinstance(behind, list) else JSONResponse({}, behind)

    rows = [{**event, "organizer": {"id": f"o{i % 2}"}} for i, event in enumerate(events(4))]
    paths = ["/v1/members", *(f"/v1/organizers/{of}/members" for of in ("o0", "o1", "00"))]
    with serving({PATH: paged(rows), **dict.fromkeys(paths, members)}) as api:
        asked, _, query = path.format("{resources.event_data.organizer.id}").partition("?")
        endpoint = {"path": asked, "params": dict([query.split("=")] if query else [])}
        endpoint |= {"data_selector": "data", "paginator": "single_page"}
        loaded = by_organizer(api.url, endpoint=endpoint)
        sync_source(loaded)
        assert len([request for request in api.requests if request.url.path != PATH]) == 3
    found = complete(loaded, "members")
    assert found.passed, found.description


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
        "/v1/users/1/events": paged(events(3)),
        "/v1/users/2/events": paged(events(3, 3)),
    }
    with serving(answers) as api:
        config = source_of(with_parent_of_events(api.url))
        sync_source(config)
    found = complete(config, "event_data")
    assert (found.passed, found.severity.name) == (False, "WARN")
    assert "there may be more `users` than these" in str(found.description)
    assert project.ids() == [f"e{number}" for number in range(6)]


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


def test_lists_without_a_key_may_begin_as_the_one_before_ends(project: Project) -> None:
    prices = {"e0": ["Adult", "Child"], "e1": ["Child", "Senior"], "e2": ["Senior"]}

    def of_event(request: Request) -> Any:
        return {"data": [{"kind": kind} for kind in prices[request.path_params["event"]]]}

    with serving({PATH: paged(events(3)), OF_EVENT: of_event}) as api:
        endpoint = {**ATTENDEES["endpoint"], "paginator": "single_page"}
        resource = {"name": "prices", "endpoint": endpoint, "primary_key": None}
        config = source_of(with_resources(api.url, resource))
        sync_source(config)
    loaded = project.rows("select kind, count(*) from events.prices group by kind order by kind")
    assert loaded == [("Adult", 1), ("Child", 2), ("Senior", 2)]
    assert complete(config, "prices").description == "All 5 rows were received, in 3 lists."
