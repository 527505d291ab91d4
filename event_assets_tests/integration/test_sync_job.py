"""The job `sync_events`: from the API to DuckDB in one run."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from event_assets.cli.main import run as run_command
from event_assets.definitions import defs
from event_assets.orchestration.summary import print_summary
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import (
    default_source,
    failed_sync,
    source_of,
    sync_default,
    sync_source,
    unique,
)
from event_assets_tests.support.platforms import definitions, events, paged, run, source
from event_assets_tests.support.project import (
    Project,
    checks,
    failure,
    metadata,
    new_project,
    shown,
)
from event_assets_tests.support.sandbox import EventSimulation, Sandbox

pytestmark = pytest.mark.in_process


@dataclass
class Synced:
    """A project after a sync of 101 events, which tests only read."""

    project: Project
    ids: list[str]
    result: dg.ExecuteInProcessResult


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synced]:
    folder = tmp_path_factory.mktemp("synced")
    with pytest.MonkeyPatch.context() as patch, new_project(folder, patch) as project:
        with Sandbox(101) as api:
            result = project.sync(url=api.url, derived=False)
            ids = sorted(api.ids())
        assert result.success, failure(result)
        yield Synced(project, ids, result)


def test_every_event_is_in_the_table(synced: Synced) -> None:
    assert synced.project.ids() == synced.ids
    assert len(synced.ids) == 101
    assert metadata(synced.result)["dagster/row_count"] == 101
    assert metadata(synced.result)["rows_read"] >= 101


def test_columns_have_the_types_of_the_contract(synced: Synced) -> None:
    described = synced.project.rows("describe events.event_data")
    columns = {name: (kind, null) for name, kind, null, *_ in described}
    assert columns["id"] == ("VARCHAR", "NO")
    assert columns["name"] == ("VARCHAR", "YES")
    assert columns["start_time"] == ("TIMESTAMP WITH TIME ZONE", "YES")
    assert columns["end_time"] == ("TIMESTAMP WITH TIME ZONE", "YES")


def test_metadata_matches_duckdb(synced: Synced) -> None:
    said, project = metadata(synced.result), synced.project
    node = defs().resolve_asset_graph().get(dg.AssetKey("event_data"))
    table = node.metadata["dagster/table_name"]
    described = project.rows("describe events.event_data")
    first, last = project.rows("select min(start_time), max(start_time) from events.event_data")[0]
    assert table == "warehouse.events.event_data"
    assert project.rows(f"select count(*) from {table}") == [(101,)]
    assert [(c.name, c.type) for c in said["dagster/column_schema"].columns] == [
        (name, kind.lower()) for name, kind, *_ in described
    ]
    assert said["first_start_time"] == first.timestamp()
    assert said["last_start_time"] == last.timestamp()
    assert said["duration_seconds"] > 0
    assert node.metadata["database"].value == str(project.database)


def test_values_arrive_unchanged_and_times_as_instants(project: Project) -> None:
    start, end = "2026-05-01T20:30:00+02:00", None
    event = {"id": "ü-1", "name": "夏まつり 🎆", "start_time": start, "end_time": end}
    with Sandbox([event]) as api:
        sync_default(project, api.url)
    ((row),) = project.rows("select id, name, start_time, end_time from events.event_data")
    assert row[:2] == ("ü-1", "夏まつり 🎆")
    assert row[2] == datetime(2026, 5, 1, 18, 30, tzinfo=UTC)
    assert row[3] is None


def test_an_empty_api_gives_empty_tables_and_full_metadata(project: Project) -> None:
    with Sandbox(0) as api:
        result = project.sync(url=api.url)
    assert result.success
    assert metadata(result)["dagster/row_count"] == 0
    assert metadata(result)["rows_read"] == 0
    assert [c.name for c in metadata(result)["dagster/column_schema"].columns][:4] == [
        "id", "name", "start_time", "end_time",
    ]  # fmt: skip
    assert project.rows("select count(*) from events.current_events") == [(0,)]
    assert project.rows("select count(*) from events.event_calendar") == [(0,)]


def test_syncing_a_changing_api_again_keeps_every_id_once(project: Project) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with Sandbox(EventSimulation(size=600), clock=lambda: now) as api:
        seen: set[str] = set()
        for _ in range(3):
            sync_default(project, api.url, derived=True)
            seen |= set(api.ids())
            assert project.ids() == sorted(seen)
            assert project.ids("current_events") == sorted(api.ids())
            now += timedelta(days=2)


def test_an_event_that_changed_is_updated(project: Project) -> None:
    event = {"id": "a", "name": "Old", "start_time": "2026-01-01T10:00:00Z", "end_time": None}
    with Sandbox([event]) as api:
        sync_default(project, api.url)
        api.replace([event | {"name": "New"}])
        sync_default(project, api.url)
    assert project.rows("select id, name from events.event_data") == [("a", "New")]


def test_the_calendar_counts_current_events_by_day(project: Project) -> None:
    starts = ["2026-01-01T10:00:00Z", "2026-01-01T23:59:00Z", "2026-01-02T00:00:00+02:00"]
    events = [{"id": str(i), "name": "", "start_time": s} for i, s in enumerate(starts)]
    with Sandbox(events) as api:
        sync_default(project, api.url, derived=True)
    calendar = project.rows("select day::varchar, events from events.event_calendar")
    assert calendar == [("2026-01-01", 3)]


def test_without_an_address_the_built_in_sandbox_is_synced_and_stopped(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    result = project.sync(url=None, key=None, derived=False)
    assert result.success
    print_summary(project.instance, result.run_id)
    assert 4_000 < metadata(result)["dagster/row_count"] < 6_000
    assert metadata(result)["api"] == "the built-in sandbox"
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "api       the built-in sandbox, whose events are invented"
    (first, *_) = (
        line for line in err.splitlines() if "- event_data - " in line and "WARN" in line
    )
    assert "This syncs the built-in sandbox, whose events are invented: to sync an API, " in first


def test_an_api_is_requested_through_the_proxy_of_the_environment(project: Project) -> None:
    with serving({"/v1/events": paged(events(3))}) as proxy:
        project.environment.setenv("HTTP_PROXY", proxy.url)
        project.environment.setenv("http_proxy", proxy.url)
        sync_source(source_of(source("http://api.invalid")))
    assert {request.headers["host"] for request in proxy.requests} == {"api.invalid"}
    assert project.ids() == ["e0", "e1", "e2"]


def test_the_sandbox_is_requested_through_no_proxy(project: Project) -> None:
    with serving({}) as proxy:
        project.environment.setenv("HTTP_PROXY", proxy.url)
        project.environment.setenv("http_proxy", proxy.url)
        sync_default(project, None)
        assert run_command(["probe"]) == 0
        assert not proxy.requests


def test_an_option_of_a_run_without_a_value_is_not_set(project: Project, api: Sandbox) -> None:
    assert project.sync(url=api.url, derived=False, full_sync=None).success


def test_a_key_without_an_address_is_refused(project: Project) -> None:
    assert failed_sync(default_source(project, "", "of-an-api")) == (
        "A key is set for the source events (API_KEY), but no URL: set EVENTS_API_URL in .env. "
        "Without a key, the built-in sandbox is synced."
    )
    assert not project.rows("from duckdb_tables() where table_name = 'event_data'")


def test_a_wrong_key_fails_in_one_sentence_and_leaves_the_table(
    project: Project, api: Sandbox
) -> None:
    sync_default(project, api.url)
    before = project.rows("from events.event_data order by id")
    assert failed_sync(default_source(project, api.url, "wrong-key")) == (
        f"The API at {api.url}/v1/events answered 401 Unauthorized; "
        "set API_KEY (in .env or the environment) to a key that this API accepts. "
        'It says: "the api_key is wrong".'
    )
    assert project.rows("from events.event_data order by id") == before


@pytest.mark.in_process(False)
@pytest.mark.usefixtures("source_file")
def test_the_status_says_why_the_newest_sync_failed(
    project: Project, api: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not project.sync(url=api.url, key="a-wrong-key", derived=False).success
    assert run_command(["status"]) == 1
    assert f"failed less than a minute ago: The API at {api.url}/v1/events answered 401" in (
        capsys.readouterr().out
    )
    with project.failing_loads():
        project.sync(url=api.url, derived=False)
    assert run_command(["status"]) == 1
    assert "ago: RuntimeError: at the end of the load\n" in capsys.readouterr().out


def test_a_missing_key_names_the_variable_to_set(project: Project, api: Sandbox) -> None:
    for missing in (None, ""):
        said = failed_sync(default_source(project, api.url, missing))
        assert said.startswith(f"No key for the API at {api.url}: set API_KEY in .env")
    assert not api.requests


def test_ids_that_are_doubled_in_the_table_fail_the_run_until_they_are_deleted_as_it_says(
    project: Project, api: Sandbox
) -> None:
    sync_default(project, api.url)
    project.rows("insert into events.event_data by name select * from events.event_data limit 2")
    api.replace([])
    result = project.sync(url=api.url, derived=False)
    assert not result.success
    check = checks(result)["unique_ids"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert check.description == (
        "252 rows, 250 ids, 2 duplicates, 0 null: something else writes to the table; run `delete "
        "from events.event_data where id is null or rowid not in (select min(rowid) from "
        "events.event_data group by id)`, and sync again."
    )
    assert [row["rows"] for row in shown(check, "examples")] == [2, 2]
    assert "current_events" not in {
        event.asset_key.path[-1]
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }
    project.rows(check.description.split("`")[1])
    assert unique(sync_default(project, api.url)).passed


def test_an_api_without_a_sync_does_not_claim_the_database(project: Project, api: Sandbox) -> None:
    failed_sync(default_source(project, api.url, "wrong"))
    sync_default(project, None)  # the sandbox
    assert len(project.ids()) > 4_000


def test_a_database_without_the_note_is_known_by_its_syncs(project: Project, api: Sandbox) -> None:
    sync_default(project, api.url)
    project.rows("drop table events.event_data_api")
    assert f"contains events of {api.url}, not of the built-in sandbox" in failed_sync(
        default_source(project, None)
    )


def test_a_sync_that_fails_in_its_load_claims_no_database(project: Project, api: Sandbox) -> None:
    with project.failing_loads():
        failed_sync(default_source(project, api.url))
    assert project.rows("from duckdb_tables() where table_name = 'event_data'") == []
    with Sandbox(3) as other:
        sync_default(project, other.url)
    assert len(project.ids()) == 3


def test_the_sandboxs_events_and_real_ones_are_not_mixed(project: Project, api: Sandbox) -> None:
    sync_default(project, None)
    before = project.ids()
    assert failed_sync(default_source(project, api.url)) == (
        f"The database {project.database} contains events of the built-in sandbox, not of "
        f"{api.url}/v1/events: name another file in EVENTS_DUCKDB, and sync again."
    )
    assert project.ids() == before


def test_the_summary_of_a_failed_sync_says_where_none_succeeded(
    project: Project, api: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    with project.failing_loads():
        failed = project.sync(url=api.url, derived=False)
    print_summary(project.instance, failed.run_id)
    assert f"This run loaded no events into {project.database}.\n" in capsys.readouterr().out


def test_the_summary_of_a_table_alone_counts_no_checks(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving({"/v1/events": paged(events(7))}) as api:
        assets = definitions({"events": source(api.url)}).assets or ()
        (table,) = (
            one
            for one in assets
            if isinstance(one, dg.AssetsDefinition) and "event_data" in str(one.keys)
        )
        result = dg.materialize([table], instance=project.instance)
    assert result.success
    print_summary(project.instance, result.run_id)
    said = capsys.readouterr().out
    assert "events    7" in said
    assert "checks" not in said


def test_the_summary_of_some_tables_counts_events_not_changes(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving({"/v1/events": paged(events(7))}) as api:
        loaded = definitions({"events": source(api.url)})
        assert run(project, loaded, derived=True).success
        some = [dg.AssetKey(name) for name in ("event_data", "event_changes")]
        result = loaded.resolve_job_def("sync_events").execute_in_process(
            instance=project.instance, asset_selection=some
        )
    print_summary(project.instance, result.run_id)
    assert "events    7 (no changes)\n" in capsys.readouterr().out
