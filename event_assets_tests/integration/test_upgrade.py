"""What an earlier release wrote goes on: its database, its configuration, its definitions' names.

A release adds `upgrade/VERSION`:

- `database`: exported by DuckDB after two syncs of the default source, of three events, then of two
  of them, and each time `evt_9`, which breaks the contract;
- `lists`: of a list for each of three events, `attendees`, with ids that are unique in it only;
- `accounts`: the same of the account `berlin`, beside `evt_5` of `anna@example.com`;
- `defs.yaml`: the default source, `every_key.yaml`: a source with all keys there are;
- `definitions.json`: the names of what these two define.
"""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from starlette.requests import Request

from event_assets import EventApi
from event_assets_tests.support.accounts import derive, serving_accounts, sync, with_accounts
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.contracts import complaint, load
from event_assets_tests.support.platforms import paged, run, source
from event_assets_tests.support.project import Project, checks, failure
from event_assets_tests.support.sandbox import Sandbox

pytestmark = pytest.mark.in_process

UPGRADE = Path(__file__).with_name("upgrade")
DATABASES = sorted(UPGRADE.glob("*/database"))
CONFIGURED = sorted(file.parent for file in UPGRADE.glob("*/definitions.json"))
NOW: list[dict[str, Any]] = [
    {"id": "evt_1", "name": "Event 1", "start_time": "2026-03-01T18:00:00Z", "size": 10.5},
    {"id": "evt_4", "name": "Event 4", "start_time": "2026-03-04T18:00:00Z", "size": 40},
    {"id": "evt_9", "name": "Good now", "start_time": "2026-03-09T18:00:00Z"},
]


def restore(project: Project, folder: Path) -> Project:
    """Make a project's database what a release exported."""
    with project.connect() as database:
        database.execute((folder / "schema.sql").read_text())
        database.execute((folder / "load.sql").read_text().replace("FOLDER", str(folder)))
    return project


def move(project: Project, url: str) -> None:
    """Let the API that a release recorded be at another address."""
    project.rows(f"update events.event_data_api set api = '{url}'")


@pytest.fixture(params=CONFIGURED, ids=lambda folder: folder.name)
def release(request: pytest.FixtureRequest) -> Path:
    """The folder of an earlier release."""
    folder: Path = request.param
    return folder


def loaded_from(file: Path) -> dg.Definitions:
    """Load a configuration without the keys that are gone since."""
    document = yaml.safe_load(file.read_text())
    for key in EventApi.superseded.keys() & document["attributes"].keys():
        del document["attributes"][key]
    return load(document)


@pytest.mark.parametrize("database", DATABASES, ids=lambda folder: folder.parent.name)
def test_its_configuration_syncs_its_database(database: Path, project: Project) -> None:
    restore(project, database)
    assert project.ids() == ["evt_1", "evt_2", "evt_3"]
    (configured, *_) = [folder for folder in CONFIGURED if folder.name in database.parent.name]
    with Sandbox(NOW) as api:
        project.connect_to(api.url)
        move(project, api.url)
        result = run(project, loaded_from(configured / "defs.yaml"), derived=True)
    assert result.success, failure(result)
    failed = {name for name, check in checks(result).items() if not check.passed}
    assert failed == {"schema_stable"}  # tags and venue__city are gone
    assert project.ids() == ["evt_1", "evt_2", "evt_3", "evt_4", "evt_9"]
    assert project.ids("current_events") == ["evt_1", "evt_4", "evt_9"]
    sizes = "select size from events.event_data order by id limit 2"
    assert project.rows(sizes) == [(10.5,), (20.0,)]
    changes = "select change, id from events.event_changes where field is null"
    assert project.rows(f"{changes} order by changed_at, id") == [
        ("gone", "evt_3"),
        ("appeared", "evt_4"),
        ("appeared", "evt_9"),
        ("passed", "evt_2"),
    ]
    assert project.rows("select count(*) from events.event_data_syncs") == [(3,)]
    assert project.rows("select count(*) from events.event_data_rejects") == [(0,)]


def test_its_accounts_go_on(release: Path, project: Project) -> None:
    restore(project, release / "accounts")
    assert project.ids() == ["evt_1", "evt_2", "evt_3", "evt_5"]
    with serving_accounts({"berlin": NOW, "anna@example.com": []}) as api:
        move(project, api.url)
        loaded = load(with_accounts(api.url, ["berlin", "anna@example.com"]))
        results = [*sync(project, loaded, "berlin", "anna@example.com"), derive(project, loaded)]
    assert all(result.success for result in results)
    assert project.ids() == ["evt_1", "evt_2", "evt_3", "evt_4", "evt_5", "evt_9"]
    # An account that suddenly has no events is doubted: its events stay current.
    assert project.ids("current_events") == ["evt_1", "evt_4", "evt_5", "evt_9"]
    changes = "select change, id, account from events.event_changes where field is null"
    assert project.rows(f"{changes} order by load_id, id") == [
        ("gone", "evt_3", "berlin"),
        ("passed", "evt_2", "berlin"),
        ("appeared", "evt_4", "berlin"),
        ("appeared", "evt_9", "berlin"),
    ]


def test_a_key_that_is_gone_is_answered_with_its_line_and_what_to_do(release: Path) -> None:
    document = yaml.safe_load((release / "every_key.yaml").read_text())
    gone = EventApi.superseded.keys() & document["attributes"].keys()
    assert gone
    said = complaint(document)
    for key in gone:
        assert f"`{key}` is gone, delete it: " in said
    assert said.partition("\n>> ")[2].strip().partition(":")[0] in gone


def test_rows_of_its_lists_of_each_event_get_their_parent(project: Project) -> None:
    restore(project, UPGRADE / "0.1.0" / "lists")
    before = project.rows("select id, guest from events.attendees order by id")
    assert before == [("1", "e1-1"), ("2", "e1-2"), ("3", "e1-3")]  # of 7
    happenings = [{**NOW[0], "id": key} for key in ("e1", "e2", "e3")]

    def attendees(request: Request) -> Any:
        event = request.path_params["event"]
        return {"data": [{"id": number, "guest": f"{event}-{number}"} for number in (1, 2)]}

    handlers = {"/v1/events": paged(happenings), "/v1/events/{event}/attendees": attendees}
    with serving(handlers) as api:
        move(project, api.url)
        document = source(api.url)
        document["attributes"]["rest_api"]["resources"].append(
            {
                "name": "attendees",
                "primary_key": "id",
                "endpoint": {
                    "path": "/v1/events/{resources.event_data.id}/attendees",
                    "data_selector": "data",
                    "paginator": "single_page",
                },
            }
        )
        for _ in range(2):
            result = run(project, load(document))
            assert result.success, failure(result)
    rows = project.rows("select _event_data_id, id, guest from events.attendees order by guest")
    of_events = [(f"e{event}", str(n), f"e{event}-{n}") for event in (1, 2, 3) for n in (1, 2)]
    assert rows == sorted([*of_events, (None, "3", "e1-3")], key=lambda row: row[2])


def taken_over(project: Project, release: Path) -> None:
    """Make only what is derived, before any sync of this version."""
    loaded = loaded_from(release / "defs.yaml")
    job = loaded.resolve_job_def("sync_events")
    derived = [dg.AssetKey("current_events"), dg.AssetKey("event_changes")]
    result = job.execute_in_process(
        instance=project.instance, asset_selection=derived, raise_on_error=False
    )
    assert result.success, failure(result)


def numbers(project: Project, order: str = "load_id, started_at") -> list[int | None]:
    rows = project.rows(f"select sync_number from events.event_data_syncs order by {order}")
    return [number for (number,) in rows]


@pytest.mark.parametrize("staged", ["_dlt_version", "mine"])
def test_its_syncs_are_numbered_before_their_order_is_read(
    release: Path, project: Project, staged: str
) -> None:
    restore(project, release / "database")
    project.rows("create table events.event_data_checkpoint as select 'x' as pipeline")
    project.rows("drop schema if exists events_staging cascade; create schema events_staging")
    project.rows(f"create table events_staging.{staged} (a int)")
    current = project.ids("current_events")
    changed = project.rows("select count(*) from events.event_changes")
    for _ in range(2):
        taken_over(project, release)
        assert numbers(project) == [1, 2]
        assert project.ids("current_events") == current
        assert project.rows("select count(*) from events.event_changes") == changed
    left = (
        "select table_name from duckdb_tables() where schema_name = 'events_staging' "
        "or table_name = 'event_data_checkpoint'"
    )
    assert project.rows(left) == ([("mine",)] if staged == "mine" else [])


def test_rows_of_the_later_batches_of_its_first_sync_stay_current(
    release: Path, project: Project
) -> None:
    restore(project, release / "database")
    ((newest,),) = project.rows("select max(load_id) from events.event_data_syncs")
    later = f"= '{newest}5' where"
    project.rows(f"update events.event_data set _dlt_load_id {later} id = 'evt_1'")
    project.rows(f"update events.event_data_rejects set load_id {later} load_id = '{newest}'")
    current = project.ids("current_events")
    assert current == ["evt_1", "evt_2"]
    taken_over(project, release)
    assert project.ids("current_events") == current
    loads = "select distinct _dlt_load_id from events.current_events"
    assert project.rows(loads) == [(newest,)]
    assert project.rows("select distinct load_id from events.event_data_rejects") == [(newest,)]


def test_rows_of_its_unfinished_first_sync_stay(release: Path, project: Project) -> None:
    restore(project, release / "database")
    project.rows("delete from events.event_data_syncs")
    taken_over(project, release)
    assert project.ids("current_events") == ["evt_1", "evt_2", "evt_3"]


@pytest.mark.parametrize(
    "loss",
    [
        "drop table events.event_data_syncs",
        "delete from events.event_data_syncs",
        "delete from events.event_data_syncs where load_id = (select min(load_id) from "
        "events.event_data_syncs)",
    ],
)
def test_a_log_that_lost_rows_loses_no_current_event(
    release: Path, project: Project, loss: str
) -> None:
    restore(project, release / "database")
    for _ in range(2):
        current = set(project.ids("current_events"))
        project.rows(loss)
        taken_over(project, release)
        assert set(project.ids("current_events")) >= current
        with Sandbox(NOW) as api:
            project.connect_to(api.url)
            move(project, api.url)
            result = run(project, loaded_from(release / "defs.yaml"), derived=True)
        assert result.success, failure(result)
        assert project.ids("current_events") == ["evt_1", "evt_4", "evt_9"]


def test_syncs_of_an_older_version_that_follow_are_numbered_after(
    release: Path, project: Project
) -> None:
    restore(project, release / "database")
    taken_over(project, release)
    project.rows(
        "insert into events.event_data_syncs by name select * replace (null as sync_number, "
        "load_id || '0' as load_id) from events.event_data_syncs order by load_id"
    )
    taken_over(project, release)
    assert sorted(numbers(project), key=str) == [1, 2, 3, 4]
    assert numbers(project, "length(load_id), load_id") == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["defs.yaml", "every_key.yaml"])
def test_its_configuration_defines_what_it_did(release: Path, name: str) -> None:
    before = json.loads((release / "definitions.json").read_text())[name]
    definitions = loaded_from(release / name)
    graph = definitions.resolve_asset_graph()
    for key, columns in before["assets"].items():
        schema = graph.get(dg.AssetKey(key.split("/"))).metadata.get("dagster/column_schema")
        assert set(columns) <= {column.name for column in schema.columns} if schema else not columns
    assert set(before["checks"]) <= {key.to_user_string() for key in graph.asset_check_keys}
    assert set(before["jobs"]) <= {job.name for job in definitions.jobs or ()}
    assert set(before["schedules"]) <= {each.name for each in definitions.schedules or ()}
    assert set(before["sensors"]) <= {each.name for each in definitions.sensors or ()}
