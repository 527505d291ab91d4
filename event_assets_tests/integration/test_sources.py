"""Several sources have their own tables and assets, and one view of all events."""

import threading
from typing import Any

import dagster as dg
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse

from event_assets import warehouse
from event_assets.config.program import program
from event_assets.orchestration.derived_assets import build_all_events
from event_assets.orchestration.summary import print_summary
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import failed_sync, source_of, sync_source
from event_assets_tests.support.docs import page
from event_assets_tests.support.platforms import definitions, events, paged, run, source
from event_assets_tests.support.project import Project, failure

pytestmark = pytest.mark.in_process

PATH = "/v1/events"


def test_each_source_has_its_own_schema_and_all_events_has_all(project: Project) -> None:
    with serving({PATH: paged(events(5))}) as one, serving({PATH: paged(events(3))}) as two:
        both = {"events": source(one.url), "concerts": source(two.url)}
        sync_source(source_of(both["events"]), derived=True)
        result = run(project, definitions(both), "sync_concerts", derived=True)
        assert result.success, failure(result)
    assert project.rows("select count(*) from events.event_data") == [(5,)]
    assert project.rows("select count(*) from concerts.event_data") == [(3,)]
    assert project.rows("select source, count(*) from all_events group by 1 order by 1") == [
        ("concerts", 3),
        ("events", 5),
    ]


def test_all_events_has_the_contracts_fields_and_waits_for_no_source(project: Project) -> None:
    other = source(
        "http://127.0.0.1:9", fields={"id": {"type": "text"}, "seats": {"type": "bigint"}}
    )
    other["attributes"]["fields"]["name"] = {"type": "json"}
    with serving({PATH: paged(events(2))}) as one:
        both = definitions({"events": source(one.url), "concerts": other})
        assert run(project, both, derived=True).success
    spec = both.resolve_asset_graph().get(dg.AssetKey("all_events"))
    shown = {each.name: each.description for each in spec.metadata["dagster/column_schema"].columns}
    assert shown["start_time"] == "When the event starts (UTC)."
    described = project.rows(
        "select column_name, data_type from duckdb_columns() "
        "where table_name = 'all_events' and schema_name = 'main'"
    )
    assert dict(described) == {
        "source": "VARCHAR",
        "id": "VARCHAR",
        "name": "VARCHAR",
        "start_time": "TIMESTAMP WITH TIME ZONE",
        "seats": "BIGINT",
    }
    assert project.rows("select distinct source from all_events") == [("events",)]


def test_all_events_does_not_wait_for_a_sync_with_a_changed_contract(project: Project) -> None:
    with serving({PATH: paged(events(1))}) as one, serving({PATH: paged(events(1, 5))}) as two:
        both = {"events": source(one.url), "concerts": source(two.url)}
        sync_source(source_of(both["events"]), derived=True)
        fields = both["events"]["attributes"]["fields"]
        fields |= {"city": {"type": "text"}, "start_time": {"type": "bigint"}}
        both["concerts"]["attributes"]["fields"].pop("start_time")
        result = run(project, definitions(both), "sync_concerts", derived=True)
        assert result.success, failure(result)
    rows = project.rows("select source, id, city, start_time from all_events order by all")
    assert rows == [("concerts", "e5", None, None), ("events", "e0", None, None)]


@pytest.mark.parametrize(
    ("asset", "said"),
    [
        ("all_events", "No source has been synced yet: materialize event_data first."),
        ("event_changes", "exist. Materialize current_events and what it depends on first."),
    ],
)
def test_what_is_made_of_events_needs_a_sync(project: Project, asset: str, said: str) -> None:
    both = definitions({name: source("http://127.0.0.1:9") for name in ("events", "concerts")})
    result = both.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=project.instance, asset_selection=[dg.AssetKey(asset)], raise_on_error=False
    )
    assert failure(result).endswith(said)


def test_the_table_that_an_asset_lacks_is_named(project: Project) -> None:
    with serving({PATH: paged(events(2))}) as api:
        sync_source(source_of(source(api.url)))
        result = definitions({"events": source(api.url)}).resolve_implicit_global_asset_job_def()
        done = result.execute_in_process(
            instance=project.instance,
            asset_selection=[dg.AssetKey("event_calendar")],
            raise_on_error=False,
        )
    assert failure(done).endswith("exist! Materialize current_events and what it depends on first.")


def test_a_table_in_place_of_all_events_is_told_and_kept(project: Project) -> None:
    project.rows("create table all_events as select 1 as mine")
    with serving({PATH: paged(events(2))}) as one:
        both = definitions({"events": source(one.url), "concerts": source("http://127.0.0.1:9")})
        result = run(project, both, derived=True)
    assert "main.all_events in " in failure(result)
    assert failure(result).endswith("is a table, and was a view: rename it, and sync again.")
    assert project.rows("from all_events") == [(1,)]


def test_an_asset_of_ones_own_is_built_with_the_source_unless_a_check_fails(
    project: Project,
) -> None:
    code: dict[str, Any] = {}
    exec(page("docs/own-project.md").blocks("python")[-1], code)
    own = dg.Definitions([one for one in code.values() if isinstance(one, dg.AssetsDefinition)])
    rows, total = events(2), {"total": 2}
    with serving({PATH: lambda _: JSONResponse({"data": rows, **total})}) as api:
        loaded = dg.Definitions.merge(definitions({"events": source(api.url)}), own)
        assert run(project, loaded, derived=True).success
        assert project.rows("select count(*) from main.event_names") == [(2,)]
        rows, total["total"] = events(1), 5
        project.rows("drop table main.event_names")
        assert not run(project, loaded, derived=True).success
    assert project.rows("from duckdb_tables() where table_name = 'event_names'") == []


@pytest.mark.parametrize("accounts", [{}, {"accounts": ["a", "b"]}], ids=["without", "accounts"])
def test_assets_of_ones_own_with_partitions_are_left_to_themselves(
    project: Project, accounts: dict[str, Any]
) -> None:
    partitions = {
        "daily": dg.DailyPartitionsDefinition("2026-11-01"),
        "weekly": dg.WeeklyPartitionsDefinition("2026-11-01"),
        "plain": None,
    }
    own = [
        dg.asset(lambda: None, name=name, deps=["current_events"], partitions_def=each)
        for name, each in partitions.items()
    ]
    own.append(dg.asset(lambda: None, name="report", deps=["current_events", "daily"]))
    with serving({PATH: paged(events(2))}) as api:
        loaded = definitions({"events": source(api.url, **accounts)})
        loaded = dg.Definitions.merge(loaded, dg.Definitions(own))
        job = loaded.resolve_job_def("sync_events_on_schedule" if accounts else "sync_events")
        built = {key.path[-1] for key in job.asset_layer.executable_asset_keys}
        assert accounts or run(project, loaded, derived=True).success
    assert built & {*partitions, "report"} == {"plain"}


def test_there_is_no_all_events_with_one_source_beside_a_table_of_ones_own() -> None:
    mine = dg.AssetSpec(["mine", "current_events"])
    assert build_all_events([mine, mine]) == []
    graph = definitions({"events": source("http://127.0.0.1:9")}).resolve_asset_graph()
    assert dg.AssetKey("all_events") not in graph.get_all_asset_keys()


def test_the_sandbox_is_not_synced_beside_an_api(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving({PATH: paged(events(2))}) as api:
        both = definitions({"events": source(""), "concerts": source(api.url)})
        capsys.readouterr()
        everything = both.resolve_asset_graph().materializable_asset_keys
        result = both.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=project.instance, asset_selection=list(everything), raise_on_error=False
        )
    assert result.success
    print_summary(project.instance, result.run_id)
    assert project.rows("select source, count(*) from all_events group by all") == [("concerts", 2)]
    assert not project.rows("from duckdb_tables() where schema_name = 'events'")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "events is not synced: it has no URL, and the invented events of the built-in sandbox are "
        "kept apart from those of an API; set `base_url` in its defs.yaml, or run "
        f"`{program()} remove events`."
    )
    assert lines[1:3] == ["source    concerts", "events    2"]


def test_the_sandbox_has_no_schedule_and_no_freshness_beside_an_api() -> None:
    often = {"warn_after_minutes": 30, "fail_after_minutes": 60}
    scheduled: dict[str, Any] = {"schedule": "*/15 * * * *", "freshness": often}
    both = {"events": source("", **scheduled), "concerts": source("http://api.test", **scheduled)}
    loaded = definitions(both)
    assert {schedule.name for schedule in loaded.schedules or ()} == {
        "sync_concerts_schedule",
        "check_concerts_are_fresh_schedule",
        "housekeeping_schedule",
    }
    fresh = [key for key in loaded.resolve_asset_graph().asset_check_keys if key.name == "fresh"]
    assert [key.asset_key.path for key in fresh] == [["concerts", "event_data"]]


def test_a_source_that_lost_its_address_fails_beside_another(project: Project) -> None:
    with serving({PATH: paged(events(2))}) as api:
        sync_source(source_of(source(api.url)))
        both = definitions({"events": source(""), "concerts": source(api.url)})
        said = failure(run(project, both))
    assert f"contains events of {api.url}{PATH}, not of the built-in sandbox" in said


def test_all_events_leaves_invented_events_out(project: Project) -> None:
    with serving({PATH: paged(events(2))}) as api:
        both = definitions({"events": source(api.url), "concerts": source(api.url)})
        sync_source(source_of(source(api.url), "concerts"), derived=True)
        project.rows("update concerts.event_data_api set api = 'the built-in sandbox'")
        assert run(project, both, derived=True).success
    assert project.rows("select distinct source from all_events") == [("events",)]


def test_a_source_takes_its_own_key_first(project: Project) -> None:
    project.environment.setenv("API_KEY", "general")
    project.environment.setenv("CONCERTS__API_KEY", "own")
    keyed = {"auth": {"type": "api_key", "name": "key", "location": "query"}}
    with serving({PATH: paged(events(1))}) as api:
        project.environment.setenv("EVENTS_API_URL", f"{api.url}/elsewhere")
        document = source(api.url, client=keyed)
        for name in ("concerts", "plays"):
            sync_source(source_of(document, name))
        asked = [query["key"] for query in api.asked_for(PATH)]
    assert sorted(set(asked)) == ["general", "own"]
    assert asked[0] == "own"


def test_the_missing_key_of_a_source_is_named(project: Project) -> None:
    document = source("http://127.0.0.1:9", client={"auth": {"type": "bearer"}})
    said = failed_sync(source_of(document, "concerts"))
    assert "set CONCERTS__API_KEY in .env" in said
    assert "(or api_key in .dlt/secrets.toml, under [concerts])." in said
    project.environment.setenv("CONCERTS_API_KEY", "of-one-underscore")
    said = failed_sync(source_of(document, "concerts"))
    assert "; CONCERTS_API_KEY, which is set, is not read for it." in said
    assert "of-one-underscore" not in said


def test_the_key_of_the_first_api_goes_to_no_other_host(project: Project) -> None:
    project.environment.setenv("API_KEY", "of-another-platform")
    project.environment.setenv("EVENTS_API_URL", "http://127.0.0.1:9")
    with serving({PATH: paged(events(1))}) as api:
        document = source(api.url, client={"auth": {"type": "bearer"}})
        said = failed_sync(source_of(document, "concerts"))
        assert not api.requests
    assert f"No key for the API at {api.url}: set CONCERTS__API_KEY in .env" in said


@pytest.mark.parametrize(
    ("auth", "names"),
    [
        ({"type": "bearer"}, "CONCERTS__API_KEY"),
        ({"type": "http_basic"}, "CONCERTS__API_USERNAME and CONCERTS__API_PASSWORD"),
        ({"type": "http_basic", "password": ""}, "CONCERTS__API_KEY"),
    ],
)
def test_a_key_that_is_refused_is_named_as_it_is_set(
    project: Project, auth: dict[str, str], names: str
) -> None:
    for secret in ("API_KEY", "API_USERNAME", "API_PASSWORD"):
        if not (secret == "API_USERNAME" and "password" in auth):
            project.environment.setenv(f"CONCERTS__{secret}", "wrong")
    with serving({PATH: lambda _: JSONResponse({}, status_code=401)}) as api:
        document = source(api.url, client={"auth": auth})
        said = failed_sync(source_of(document, "concerts"))
    assert f"answered 401 Unauthorized; set {names} (in .env" in said


def test_a_source_that_waits_for_its_api_does_not_hold_the_database(project: Project) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow(request: Request) -> object:
        asked.set()
        assert go_on.wait(60)
        return paged(events(3))(request)

    with serving({PATH: slow}) as api:
        first = threading.Thread(target=sync_source, args=(source_of(source(api.url)),))
        first.start()
        try:
            assert asked.wait(60)
            with warehouse.connect(timeout=0) as database:
                assert database.sql("select 1").fetchall() == [(1,)]
        finally:
            go_on.set()
            first.join()
    assert project.rows("select count(*) from events.event_data") == [(3,)]


@pytest.mark.parametrize(
    "name", ["Concerts", "select", "my-source", "events_staging", "events_fully"]
)
def test_a_folder_that_can_name_no_schema_is_refused(name: str) -> None:
    with pytest.raises(Exception) as refused:  # noqa: PT011 (Dagster wraps it)
        definitions({name: source("http://127.0.0.1:9")})
    error: BaseException = refused.value
    while error.__cause__:
        error = error.__cause__
    assert "give it a name of at most 40 small letters, digits and underscores" in str(error)
