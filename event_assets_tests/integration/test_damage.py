"""What a person does to the tables, the next sync heals, or says in a sentence what to do."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from event_assets import warehouse
from event_assets.config.accounts import AccountsConfig
from event_assets.config.fields import FieldConfig
from event_assets.config.source import SourceConfig
from event_assets.orchestration.error_messages import user_message
from event_assets.sync import runner
from event_assets.sync.current_events import current_events_query
from event_assets.sync.reconcile import reconcile
from event_assets.transform import calendar, changes
from event_assets.values.errors import UserError
from event_assets.warehouse import Database
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.platforms import events, paged, source
from event_assets_tests.support.project import Project, new_project

COUNT = 20
ROWS: list[dict[str, Any]] = [
    {**event, "seats": 10 + number, "status": "scheduled", "tags": ["a"], "Last_Seen_At": "x"}
    for number, event in enumerate(events(COUNT))
]
HEALED = (
    """
drop table events.event_data
delete from events.event_data
delete from events.event_data where id < 'e2'
alter table events.event_data rename to old
drop schema events cascade
alter table events.event_data drop column name; alter table events.event_data drop column status
alter table events.event_data drop column _dlt_load_id
alter table events.event_data drop column last_seen_at
alter table events.event_data rename column status to state
alter table events.event_data rename column status to "Status"
alter table events.event_data alter start_time type varchar
alter table events.event_data alter start_time type timestamp
alter table events.event_data alter start_time type date
alter table events.event_data alter seats type varchar
alter table events.event_data alter seats type integer
alter table events.event_data alter seats type decimal(10, 2)
alter table events.event_data alter tags type varchar
alter table events.event_data alter _dlt_load_id type double
create type mood as enum ('scheduled'); alter table events.event_data alter status type mood
create table copy as from events.event_data; drop table events.event_data; \
    create table events.event_data as from copy
drop table events.event_data; create table events.event_data (id integer, name varchar)
insert into events.event_data by name from events.event_data limit 1
alter table events.event_data alter _dlt_load_id drop not null; \
    insert into events.event_data (id, name) values ('e1', 'by hand'); \
    update events.event_data set _dlt_load_id = null
create table copy as select id, _dlt_load_id from events.event_data; \
    drop table events.event_data; create table events.event_data \
    (id varchar check (length(id) > 1), _dlt_load_id varchar, mine varchar as (upper(id))); \
    insert into events.event_data by name from copy
create macro main.upper2(a) as upper(a); create schema other; create table other.event_data as \
    from events.event_data; create table main.event_data as select 1 as a; \
    create table main.package as select 1 as a; create table main.kept as select 1 as a; \
    create table main.moved as select 1 as a; create table main.events as select 1 as id
comment on table events.event_data is 'mine'; comment on column events.event_data.name is 'mine'
alter table events.event_data alter id drop not null
alter table events.event_data add primary key (id)
create index mine on events.event_data(start_time); create index other on events.event_data(seats)
create unique index mine on events.event_data(id); create index other on events.event_data(seats)
create unique index mine on events.event_data_rejects(id)
create index mine on events.event_data_syncs(sync_number)
create table events.event_data__indexes as select 'mine' as index_name, 'junk' as sql
create table events.event_data__indexes as select 1 as a
create view events.mine as from events.event_data
drop table events._dlt_loads
drop table events._dlt_pipeline_state
drop table events._dlt_version
drop table events._dlt_loads; drop table events._dlt_pipeline_state; drop table events._dlt_version
delete from events._dlt_loads; delete from events._dlt_version
alter table events._dlt_loads drop column schema_name
alter table events._dlt_version drop column schema
alter table events._dlt_pipeline_state drop column state
update events._dlt_version set schema = 'junk'
update events._dlt_version set schema = '5'
update events._dlt_version set schema = '{"tables": []}'
update events._dlt_version set schema = '{"name": "events", "tables": {"event_data": null}}'
update events._dlt_version set \
    schema = '{"name": "events", "tables": {"event_data": {"columns": {"id": 5}}}}'
update events._dlt_version set schema = replace(schema, '"text"', '"wei"')
update events._dlt_version set schema = replace(schema, '"text"', '[]')
update events._dlt_pipeline_state set state = 'junk'
drop table events.event_data_syncs; drop table events.event_data_api
delete from events.event_data_syncs; delete from events.event_data_api
alter table events.event_data_syncs drop column sync_number
alter table events.event_data_syncs rename column load_id to mine
alter table events.event_data_syncs alter sync_number type varchar; \
    alter table events.event_data_syncs alter complete type varchar; \
    alter table events.event_data_syncs alter started_at type varchar
alter table events.event_data_api drop column id_paths
update events.event_data_api set id_paths = '5'
alter table events.event_data_paths drop column path
update events.event_data_paths set path = '5'
drop table events.event_data_rejects
alter table events.event_data_rejects drop column record; \
    alter table events.event_data_rejects add column mine varchar; \
    alter table events.event_data_rejects alter first_rejected_at type varchar
drop view events.current_events; drop table events.event_calendar; drop table events.event_changes
alter table events.event_calendar drop column status; \
    alter table events.event_calendar add column mine varchar
alter table events.event_changes rename column new to newer; \
    alter table events.event_changes add column mine varchar
drop table events.event_changes_snapshot
alter table events.event_changes_snapshot drop column id
alter table events.event_changes_snapshot drop column name; \
    create index mine on events.event_changes(id)
""".replace("\\\n", "")
    .strip()
    .splitlines()
)
SAID = {
    "alter table events.event_data drop column id": "has no column `id` any more",
    "alter table events.event_data rename column id to uid": "has no column `id` any more",
    "alter table events.event_data alter name set not null": "NOT NULL constraint failed",
    "alter table events.event_data add column mine int; "
    "update events.event_data set mine = 1; "
    "alter table events.event_data alter mine set not null": "NOT NULL constraint failed",
    "create table copy as from events.event_data; drop table events.event_data; "
    "create view events.event_data as from copy": "is a view, and was a table: rename it",
    "drop view events.current_events; create table events.current_events as select 1 as a": "is a "
    "table, and was a view: rename it",
    "drop table events.event_calendar; create view events.event_calendar as select 1 as a": "is a "
    "view, and was a table: rename it",
    "drop table events._dlt_loads; create view events._dlt_loads as select 1 as a": "_dlt_loads",
    "drop table events.event_data_api; create view events.event_data_api as select 1 as a": "is a "
    "view, and was a table: rename it",
    "update events.event_data_syncs set sync_number = 9223372036854775807": "The newest row of "
    "events.event_data_syncs",
    "alter table events.event_data_syncs alter complete type varchar; "
    "update events.event_data_syncs set complete = 'maybe'": "`alter complete type BOOLEAN` fails",
    "alter table events.event_data_api alter id_paths type varchar; "
    "update events.event_data_api set id_paths = 'junk'": "The table events.event_data_api",
    "alter table events.event_data alter last_seen_at type varchar using 'never'": "correct the "
    "values of this column, or drop it, and sync again",
    "create unique index mine on events._dlt_loads(schema_name)": "unique constraint",
    "create table events.mine (id varchar); alter table events.event_data add primary key (id); "
    "drop table events.mine; create table events.mine (id varchar references events.event_data(id))"
    "": "depend on it",
}


@dataclass(frozen=True)
class Synced:
    """A source that was synced once, and the file of its tables."""

    source: SourceConfig
    rows: list[dict[str, Any]]
    file: Path

    def change(self) -> None:
        """Let the API have its rows, three of them changed."""
        self.rows[:] = [dict(row) for row in ROWS]
        self.rows[3]["name"], self.rows[5]["seats"], self.rows[6]["name"] = "New", 1.5, None

    def sync(self) -> None:
        """Sync, and derive the other tables."""
        runner.run_sync(self.source.events, lambda _: None, lambda *_: None)
        warehouse.run(self._derive)

    def _derive(self, database: Database) -> None:
        name = self.source.name
        reconcile(database, self.source)
        query = current_events_query(self.source)
        database.execute(f"create or replace view {name}.current_events as {query}")
        changes.record_changes(database, name)
        calendar.update_calendar(database, name)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synced]:
    """Sync once for all tests of this module."""
    folder = tmp_path_factory.mktemp("once")
    rows = [dict(row) for row in ROWS]
    with pytest.MonkeyPatch.context() as patch, serving({"/v1/events": paged(rows)}) as api:
        patch.setenv("EVENTS_DUCKDB", str(folder / "warehouse.duckdb"))
        patch.setenv("HOME", str(folder))
        given = source(api.url)["attributes"]
        fields = {name: FieldConfig(**field) for name, field in given["fields"].items()}
        config = SourceConfig(name="events", rest_api=given["rest_api"], fields=fields)
        synced = Synced(config, rows, folder / "warehouse.duckdb")
        synced.sync()
        yield synced


@pytest.fixture
def synced(once: Synced, project: Project) -> Synced:
    """A copy of its tables, and a list in which an event has moved."""
    project.database.parent.mkdir()
    shutil.copy(once.file, project.database)
    once.change()
    return once


def table(project: Project) -> dict[str, Any]:
    """Return the types and the values of each column of `event_data`."""
    with duckdb.connect(project.database) as database:
        rows = database.sql("from events.event_data order by id")
        values = dict(zip(rows.columns, zip(*rows.fetchall(), strict=True), strict=True))
        types = dict(zip(rows.columns, map(str, rows.types), strict=True))
    changing = ("last_seen_at", "_dlt_load_id")
    return {name: (types[name], name in changing or values[name]) for name in types}


@pytest.fixture(scope="module")
def fresh(once: Synced, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The table as a first sync makes it."""
    once.change()
    folder = tmp_path_factory.mktemp("fresh")
    with pytest.MonkeyPatch.context() as patch, new_project(folder, patch) as project:
        once.sync()
        return table(project)


@pytest.mark.parametrize("damage", HEALED)
def test_the_next_sync_makes_of_it_what_a_first_one_does(
    synced: Synced, project: Project, fresh: dict[str, Any], damage: str
) -> None:
    project.rows(damage)
    indexes = project.rows("select index_name from duckdb_indexes() order by all")
    synced.sync()
    healed = table(project)
    assert {name: healed.get(name) for name in fresh} == fresh
    assert project.rows(
        "select (select count(*) from events.current_events), "
        "(select sum(events) from events.event_calendar), "
        "(select max_by(complete, sync_number) from events.event_data_syncs)"
    ) == [(COUNT, COUNT, True)]
    assert project.rows("select index_name from duckdb_indexes() order by all") == indexes


ODD = ("drop table events._dlt_loads;", "delete from events.event_data_syncs;", "create view")


@pytest.mark.parametrize("damage", [damage for damage in HEALED if damage.startswith(ODD)])
def test_the_sync_after_it_goes_on(synced: Synced, project: Project, damage: str) -> None:
    project.rows(damage)
    for _ in range(2):
        synced.sync()
    assert len(project.ids("current_events")) == COUNT


@pytest.mark.parametrize("damage", SAID)
def test_what_it_cannot_heal_it_says_in_a_sentence(
    synced: Synced, project: Project, damage: str
) -> None:
    project.rows(damage)
    synced.rows.append({**ROWS[0], "id": "new"})
    with pytest.raises((UserError, duckdb.Error)) as error:
        synced.sync()
    said = user_message(error.value) or ""
    assert SAID[damage] in said
    assert "\n" not in said
    assert str(project.database) in said


def test_a_column_of_ones_own_keeps_its_values_for_events_that_stay(
    synced: Synced, project: Project
) -> None:
    project.rows("create sequence numbers; alter table events.event_data add column note varchar")
    project.rows("alter table events.event_data add column n bigint default nextval('numbers')")
    project.rows("update events.event_data set note = 'mine ' || id where id < 'e15'")
    before = project.rows("select id, note, n from events.event_data order by id")
    synced.rows.append({**ROWS[0], "id": "new"})
    for _ in range(2):
        synced.sync()
    assert project.rows("select id, note, n from events.event_data order by id") == [
        *before,
        ("new", None, COUNT + 1),
    ]
    assert project.rows("select name from events.event_data where id = 'e3'") == [("New",)]


def test_the_indexes_that_a_killed_sync_has_dropped_are_made_again(
    synced: Synced, project: Project
) -> None:
    project.rows("create unique index mine on events.event_data(id)")
    project.rows("create index other on events.event_data(name)")
    project.rows(
        "create table events.event_data__indexes as select index_name, sql from duckdb_indexes()"
    )
    project.rows("drop index events.mine")
    indexes = "select index_name from duckdb_indexes() where schema_name = 'events' order by all"
    synced.sync()
    assert project.rows(indexes) == [("mine",), ("other",)]
    tables = project.rows("select table_name from duckdb_tables()")
    assert ("event_data__indexes",) not in tables


@pytest.mark.parametrize(
    "columns",
    [
        "event_data(id)",
        "event_data_rejects(id)",
        "event_calendar(day)",
        "event_changes_snapshot(id)",
    ],
)
def test_a_unique_index_is_no_obstacle_to_rows_that_are_replaced(
    synced: Synced, project: Project, columns: str
) -> None:
    rows = [*(dict(row) for row in ROWS), {**ROWS[0], "id": "bad", "start_time": "soon"}]
    for name in ("One", "Two", "Three"):
        rows[3]["name"] = name
        synced.rows[:] = rows
        synced.sync()
        project.rows(f"create unique index if not exists mine on events.{columns}")
    assert project.rows("select index_name from duckdb_indexes()") == [("mine",)]
    assert project.rows("select name from events.current_events where id = 'e3'") == [("Three",)]
    assert project.ids("event_data_rejects") == ["bad"]


def test_an_index_that_the_rows_break_is_dropped(
    synced: Synced, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    project.rows("create unique index mine on events.event_data(name)")
    synced.rows[1]["name"] = synced.rows[0]["name"]
    synced.sync()
    assert "The index mine of event_data is gone: Data contains duplicates" in caplog.text
    assert project.rows("select count(*) from events.event_data") == [(COUNT,)]


def test_an_account_that_is_missing_from_the_accounts_is_found_in_the_log(project: Project) -> None:
    accounts = SourceConfig(
        name="events",
        rest_api={"client": {}, "resources": [{"name": "event_data"}]},
        accounts=AccountsConfig(names=["a"]),
    )
    project.database.parent.mkdir()
    project.rows("create schema events")
    project.rows("create table events.event_data (id varchar, account varchar)")
    project.rows("create table events.event_data_syncs as select 'a' as account, 1 as sync_number")
    warehouse.run(lambda database: reconcile(database, accounts))
    assert project.rows("select account, is_listed from events.event_data_accounts") == [
        ("a", True)
    ]
