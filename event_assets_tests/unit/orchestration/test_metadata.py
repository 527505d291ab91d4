"""Figures, tables, column lineage, observations: what the UI shows of a run."""

from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

import dagster as dg
import pytest

from event_assets import warehouse
from event_assets.definitions import defs
from event_assets.orchestration.metadata import row_metadata, table_schema
from event_assets_tests.support.contracts import CONTRACT, contract, load
from event_assets_tests.support.direct_syncs import source_of
from event_assets_tests.support.platforms import source
from event_assets_tests.support.project import Project, failure, metadata
from event_assets_tests.support.sandbox import EventSimulation, Sandbox

pytestmark = pytest.mark.in_process

WORLD = EventSimulation(300, seed=1).events(datetime.now(UTC))
WORLD.sort(key=itemgetter("start_time"), reverse=True)  # the first are yet to come


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("start", ["-infinity", "infinity", "0044-03-15 (BC)"])
def test_a_time_that_python_cannot_have_is_no_metadata(start: str) -> None:
    api_source = source_of(source("http://127.0.0.1"))
    with warehouse.connect() as database:
        table = f"events.event_data as select timestamptz '{start}' as start_time"
        database.execute(f"create schema events; create table {table}")
        assert row_metadata(database, api_source, "event_data") == {"dagster/row_count": 1}


def test_what_moved_is_a_table_of_the_changes_and_their_fields(project: Project) -> None:
    with Sandbox(WORLD[:200]) as api:
        project.sync(url=api.url)
        api.replace([{**WORLD[0], "name": "New"}, *WORLD[2:201]])
        result = project.sync(url=api.url)
    moves = [dict(row.data) for row in metadata(result, "event_changes")["moves"]]
    assert {(move["what"], move["change"], move["events"]) for move in moves} == {
        ("appeared", "appeared", 1),
        ("changed: name", "changed", 1),
        ("gone", "gone", 1),
    }


@pytest.mark.parametrize("other", [1, True, ["a"], "cancelled"])
def test_the_calendar_takes_a_status_of_any_type(project: Project, other: Any) -> None:
    soon = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    statuses = [1, other, None]
    events = [
        {"id": str(i), "start_time": soon, "status": status} for i, status in enumerate(statuses)
    ]
    with Sandbox(events) as api:
        assert project.sync(url=api.url).success
    rows = project.rows("select sum(events), any_value(typeof(status)) from events.event_calendar")
    assert rows == [(3, "VARCHAR")]


def test_figures_have_names_that_stay_so_that_they_can_be_plotted(
    project: Project, api: Sandbox
) -> None:
    said = metadata(project.sync(url=api.url, derived=False))
    figures = {name for name, value in said.items() if type(value) in (int, float)}
    assert figures >= {
        "dagster/row_count",
        "duration_seconds",
        "events_per_second",
        "requests",
        "retries",
        "bytes",
        "pages",
        "rows_read",
        "distinct_ids",
        "rejects",
    }


def test_current_events_shows_the_columns_of_event_data(project: Project, api: Sandbox) -> None:
    result = project.sync(url=api.url)
    data, current = (
        metadata(result, asset)["dagster/column_schema"]
        for asset in ("event_data", "current_events")
    )
    assert {column.name for column in current.columns} > {"id", "last_seen_at", "venue__name"}
    assert current == data


def test_events_have_descriptions_and_further_lists_none_of_theirs() -> None:
    fields = {"id": {"type": "text"}, "name": {"type": "text", "description": "Its title."}}
    resources = [*CONTRACT["attributes"]["rest_api"]["resources"], {"name": "guests"}]
    rest_api = {**CONTRACT["attributes"]["rest_api"], "resources": resources}
    source = source_of(contract(fields=fields, rest_api=rest_api))
    described = {
        table: [
            column.description
            for column in table_schema(source, table, [("id", "text"), ("name", "text")]).columns
        ]
        for table in ("event_data", "guests")
    }
    assert described == {"event_data": ["The event's id.", "Its title."], "guests": [None, None]}


FIELDS = {"start_time": {"type": "timestamp", "from": ["{day}T{time}", "day"]}}
LINEAGE = [
    ("event_data", "id", ["id"]),
    ("event_data", "name", ["name"]),
    ("event_data", "start_time", ["day", "time"]),
    ("current_events", "name", ["name"]),
    ("event_calendar", "day", ["start_time"]),
    ("event_changes", "id", ["id"]),
]


@pytest.mark.parametrize(("asset", "column", "origins"), LINEAGE)
def test_each_column_names_the_columns_that_it_is_made_from(
    asset: str, column: str, origins: list[str]
) -> None:
    fields = {**CONTRACT["attributes"]["fields"], **FIELDS}
    node = load(contract(fields=fields)).resolve_asset_graph().get(dg.AssetKey(asset))
    (upstream,) = node.parent_keys
    found = node.metadata["dagster/column_lineage"].deps_by_column[column]
    assert found == [dg.TableColumnDep(upstream, origin) for origin in origins]


def observe(project: Project) -> Any:
    job = defs().resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=project.instance, asset_selection=[dg.AssetKey("events_api")], raise_on_error=False
    )


@pytest.mark.in_process(False)
def test_observing_the_api_probes_it_and_says_what_it_is_like(
    project: Project, api: Sandbox
) -> None:
    project.connect_to(api.url)
    (event,) = observe(project).get_asset_observation_events()
    said = event.asset_observation_data.asset_observation.metadata
    assert len(api.requests) == 6
    assert said["total_reported"].value == 250
    assert said["records_on_first_page"].value == 100
    assert said["answer_seconds"].value > 0
    found = {row.data["what"]: row.data["mark"] for row in said["findings"].records}
    assert (found["key"], found["pages"], found["rate limit"]) == ("ok", "ok", "-")
    assert said["verdict"].value == "Ready: all checks passed."
    assert said["bytes"].value > 10_000
    assert not project.database.exists()


def test_observing_an_api_that_refuses_the_key_says_so_in_one_sentence(
    project: Project, api: Sandbox
) -> None:
    project.connect_to(api.url, key="wrong")
    assert failure(observe(project)).startswith(
        f"The API at {api.url}/v1/events answered 401 Unauthorized; set API_KEY"
    )
