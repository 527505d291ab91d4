"""What a person does to the tables, the next sync heals, or says in a sentence what to do."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from event_assets import warehouse
from event_assets.config.accounts import AccountsConfig
from event_assets.config.source import SourceConfig
from event_assets.orchestration.error_messages import user_message
from event_assets.orchestration.schema_stable import evaluate_schema_stable
from event_assets.sync.reconcile import reconcile
from event_assets.values.errors import UserError
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.damages import HEALED, SAID
from event_assets_tests.support.direct_syncs import source_of, sync_accounts, sync_source
from event_assets_tests.support.platforms import events, paged, source
from event_assets_tests.support.project import Project, new_project

COUNT = 20
ROWS: list[dict[str, Any]] = [
    {**event, "seats": 10 + number, "status": "scheduled", "tags": ["a"], "Last_Seen_At": "x"}
    for number, event in enumerate(events(COUNT))
]


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
        sync_source(self.source, derived=True)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synced]:
    """Sync once for all tests of this module."""
    folder = tmp_path_factory.mktemp("once")
    rows = [dict(row) for row in ROWS]
    with pytest.MonkeyPatch.context() as patch, serving({"/v1/events": paged(rows)}) as api:
        patch.setenv("EVENTS_DUCKDB", str(folder / "warehouse.duckdb"))
        patch.setenv("HOME", str(folder))
        synced = Synced(source_of(source(api.url)), rows, folder / "warehouse.duckdb")
        synced.sync()
        yield synced


@pytest.fixture
def synced(once: Synced, project: Project) -> Iterator[Synced]:
    """A copy of its tables, and a list in which an event has moved."""
    project.database.parent.mkdir()
    shutil.copy(once.file, project.database)
    once.change()
    with project.kept_open():
        yield once


def table(project: Project) -> dict[str, Any]:
    """Return the types and the values of each column of `event_data`."""
    with project.connect() as database:
        rows = database.sql("from events.event_data order by id")
        names = list(map(str.lower, rows.columns))
        values = dict(zip(names, zip(*rows.fetchall(), strict=True), strict=True))
        types = dict(zip(names, map(str, rows.types), strict=True))
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


@pytest.mark.parametrize("columns", ["null", "[1]", '"x"', '{"id": nan}'])
def test_columns_in_the_log_that_are_none_are_not_compared(
    synced: Synced, project: Project, columns: str
) -> None:
    project.rows(f"update events.event_data_syncs set columns = '{columns}'")
    synced.sync()
    result = warehouse.run(lambda database: evaluate_schema_stable(database, synced.source))
    assert result.passed


def test_a_row_that_a_foreign_key_refers_to_is_told(synced: Synced, project: Project) -> None:
    synced.rows[5]["seats"] = ROWS[5]["seats"]  # no column changes its type
    project.rows("alter table events.event_data add primary key (id)")
    project.rows("create table events.mine (id varchar references events.event_data(id))")
    project.rows("insert into events.mine values ('e3')")
    with pytest.raises(duckdb.Error) as error:
        synced.sync()
    said = str(user_message(error.value))
    assert '"id: e3" is still referenced by a foreign key in a different table' in said
    assert "; undo that, or rename or drop the table" in said


def test_a_column_of_ones_own_keeps_its_values_for_events_that_stay(
    synced: Synced, project: Project
) -> None:
    project.rows("create sequence numbers; alter table events.event_data add column note varchar")
    project.rows("alter table events.event_data add column n bigint default nextval('numbers')")
    project.rows("alter table events.event_data add column s integer")
    project.rows("update events.event_data set note = 'mine ' || id, s = 7 where id < 'e15'")
    before = project.rows("select id, note, n, s from events.event_data order by id")
    synced.rows.append({**ROWS[0], "id": "new"})
    for _ in range(2):
        synced.sync()
    assert project.rows("select id, note, n, s from events.event_data order by id") == [
        *before,
        ("new", None, COUNT + 1, None),
    ]
    assert project.rows("select name from events.event_data where id = 'e3'") == [("New",)]


def test_a_row_that_is_there_twice_beside_a_column_of_ones_own_comes_once(
    synced: Synced, project: Project
) -> None:
    project.rows("alter table events.event_data add column mine integer default 7")
    project.rows("insert into events.event_data by name from events.event_data limit 2")
    for _ in range(2):
        synced.sync()
    assert project.rows("select count(*), sum(mine) from events.current_events") == [
        (COUNT, 7 * COUNT)
    ]


def test_a_column_of_ones_own_takes_no_field_of_the_api(synced: Synced, project: Project) -> None:
    project.rows("alter table events.event_data add column owner integer default 7")
    project.rows('alter table events.event_data add column "Moved" integer default 5')
    synced.rows[0] |= {"owner": "Ann", "moved": [1]}
    for _ in range(2):
        synced.sync()
    assert project.rows(
        'select "Moved", moved__x2, owner, owner__x2 from events.event_data where id in '
        "('e0', 'e1') order by id"
    ) == [(5, "[1]", 7, "Ann"), (5, None, 7, None)]


def test_a_row_of_the_snapshot_that_is_there_twice_makes_no_second_change(
    synced: Synced, project: Project
) -> None:
    project.rows("insert into events.event_changes_snapshot from events.event_changes_snapshot")
    synced.sync()
    changes = "select id, field from events.event_changes order by all"
    assert project.rows(changes) == [("e3", "name"), ("e5", "seats"), ("e6", "name")]
    assert len(project.ids("event_changes_snapshot")) == COUNT


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


def test_a_unique_index_is_no_obstacle_to_rows_that_are_replaced(
    synced: Synced, project: Project
) -> None:
    rows = [*(dict(row) for row in ROWS), {**ROWS[0], "id": "bad", "start_time": "soon"}]
    unique = ("data(id)", "data_rejects(id)", "calendar(day)", "changes_snapshot(id)")
    for name in ("One", "Two", "Three"):
        rows[3]["name"] = name
        synced.rows[:] = rows
        synced.sync()
        for at, columns in enumerate(unique):
            project.rows(f"create unique index if not exists mine{at} on events.event_{columns}")
    indexes = "select index_name from duckdb_indexes() order by all"
    assert project.rows(indexes) == [(f"mine{at}",) for at in range(len(unique))]
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
    project.rows("create schema events")
    project.rows("create table events.event_data (id varchar, account varchar)")
    project.rows("create table events.event_data_syncs as select 'a' as account, 1 as sync_number")
    warehouse.run(lambda database: reconcile(database, accounts))
    assert project.rows("select account, is_listed from events.event_data_accounts") == [
        ("a", True)
    ]


def test_the_accounts_of_syncs_that_a_person_dropped_are_no_obstacle(
    once: Synced, project: Project
) -> None:
    once.change()
    accounts = replace(once.source, accounts=AccountsConfig(names=["a", "b"]))
    sync_accounts(accounts, "a", "b")
    project.rows("alter table events.event_data_syncs drop column account")
    sync_accounts(accounts, "a", "b")
    assert project.rows(
        "select account, count(*) from events.event_data_syncs group by all order by all"
    ) == [("a", 1), ("b", 1), (None, 2)]
    assert len(project.ids()) == 2 * COUNT
