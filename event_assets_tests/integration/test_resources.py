"""Additional resources have tables of their own, also with a list for each event."""

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from starlette.requests import Request

from event_assets.http.window import CAUTIOUS
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import complete, source_of, sync_source
from event_assets_tests.support.docs import page
from event_assets_tests.support.event_records import number
from event_assets_tests.support.platforms import definitions, events, paged, run
from event_assets_tests.support.project import Project
from event_assets_tests.support.resources import (
    ATTENDEES,
    OF_EVENT,
    PATH,
    VENUES,
    attendees,
    with_resources,
)

pytestmark = pytest.mark.in_process


def test_there_is_a_row_for_each_record_of_each_event(project: Project) -> None:
    with serving({PATH: paged(events(40)), OF_EVENT: attendees}) as api:
        sync_source(source_of(with_resources(api.url, ATTENDEES)))
    rows = project.rows("select id, _event_data_id, name from events.attendees order by id")
    guests = [(event, i) for event in range(40) for i in range(event % 4)]
    assert rows == sorted((f"e{event}-{i}", f"e{event}", f"Guest {i}") for event, i in guests)
    logged = "select complete, rows_read, reason from events.attendees_syncs"
    (sync,) = project.rows(logged)
    assert sync[0] is True
    assert sync[2] == "All 60 rows were received, in 40 lists."


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ("ab", None),
        ("aa", "but different ones share 2 keys, of each of which only the first is loaded: set"),
    ],
)
def test_different_records_of_a_list_that_share_a_key_are_told(
    kinds: str, said: str | None
) -> None:
    tickets = [{"id": str(at // 2), "kind": kind, "price": at} for at, kind in enumerate(2 * kinds)]
    tickets.append(tickets[0])
    resource = {
        "name": "tickets",
        "endpoint": {"path": "/v1/tickets", "paginator": "single_page"},
        "primary_key": ["id", "kind"],
    }
    with serving({PATH: paged(events(1)), "/v1/tickets": lambda _: {"data": tickets}}) as api:
        config = source_of(with_resources(api.url, resource))
        sync_source(config)
    check = complete(config, "tickets")
    assert check.passed is (said is None)
    assert said is None or said in str(check.description)


def test_the_rows_that_are_still_listed_are_found_as_documented(project: Project) -> None:
    (query,) = page("docs/connect-your-api.md").blocks("sql")
    query = query.replace("concerts.", "events.")
    guests = [{"id": "a"}, {"id": "b"}]
    # without a total, and without a paginator that says so, nothing proves that these are all
    no_paginator = {**ATTENDEES, "endpoint": {**ATTENDEES["endpoint"], "paginator": "auto"}}
    with serving({PATH: paged(events(1)), OF_EVENT: lambda _: {"data": guests}}) as api:
        sync_source(source_of(with_resources(api.url, no_paginator)))
        del guests[1]
        sync_source(source_of(with_resources(api.url, no_paginator)))
        assert len(project.rows(query)) == 2
        single_page = {
            **ATTENDEES,
            "endpoint": {**ATTENDEES["endpoint"], "paginator": "single_page"},
        }
        sync_source(source_of(with_resources(api.url, single_page)))
        assert len(project.rows(query)) == 1


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
        await asyncio.sleep(0.002 * concurrency)  # long enough for it to be worth sending more
        if number(request, "offset") == 0:
            lists += 1
            waiting += 1
            most = max(most, waiting)
            if waiting == concurrency:
                enough.set()
            if lists > 5 * CAUTIOUS:  # more are sent after some responses
                with suppress(asyncio.TimeoutError):  # before it is sent again, and counted twice
                    await asyncio.wait_for(enough.wait(), 20)
                enough.set()
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
    assert asked == [None, "2026-01-01", None]
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


def test_a_repeated_record_is_loaded_once(project: Project) -> None:
    rows = [{"id": i, "meta": {"id": i}, "n": n} for i, n in ((1, 1), (1, 2), (2, 3))]
    handlers = {PATH: paged(events(1)), "/v1/venues": lambda _: {"data": rows}}
    nested = {**VENUES, "name": "nested", "primary_key": "meta.id"}
    with serving(handlers) as api:
        document = with_resources(api.url, {**VENUES, "primary_key": "id"}, nested)
        sync_source(source_of(document))
    for name in ("venues", "nested"):
        assert project.rows(f"select count(*) from events.{name}") == [(2,)]
