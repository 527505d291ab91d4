"""What `erase` leaves in a lake: nothing in its files, and nothing in its catalog."""

import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest

from event_assets import warehouse
from event_assets.cli.main import run
from event_assets.config import project as project_module
from event_assets.values.errors import BusyError, WarehouseError
from event_assets.warehouse.erase import erase
from event_assets_tests.scale.destinations import ducklake, ducklake_file
from event_assets_tests.scale.servers import Postgres
from event_assets_tests.support.platforms import events
from event_assets_tests.support.project import Project, failure
from event_assets_tests.support.sandbox import Sandbox

ANNA = "anna@example.org"
BY_HAND = (
    # Whole files go, without one that takes their place: what is known of the columns stays.
    f"create table events.emptied as select '{ANNA}' as host, i from range(200) as t(i)",
    "delete from events.emptied",
    f"create table events.Short as select i, '{ANNA}' as host from range(200) as t(i)",
    "alter table events.Short drop column host",
    # Few rows stay in the catalog.
    f"create table events.few as select {ANNA!r} as host",
    f"insert into events.few values ('by {ANNA}'), ('Jo')",
    "update events.few set host = 'Jo' where host like 'by%'",
    f"create table events.dropped as select '{ANNA}' as host",
    "drop table events.dropped",
)


@pytest.fixture(params=[ducklake, ducklake_file])
def place(
    request: pytest.FixtureRequest, project: Project, postgres: Postgres, tmp_path: Path
) -> Project:
    """A project on a lake."""
    for name, value in request.param(postgres, tmp_path).items():
        project.environment.setenv(name, value)
    project.environment.setattr(project_module, "_loaded", None)
    return project


def sync(place: Project) -> None:
    rows = [{**event, "host": f"{event['id']}@example.org"} for event in events(200)]
    with Sandbox([*rows, {"id": "of-anna", "host": ANNA, "name": "A very odd name"}]) as api:
        first = place.sync(url=api.url)
        assert first.success, failure(first)
        rows[7] |= {"host": f"{ANNA} moved"}
        api.replace(rows)
        second = place.sync(url=api.url)
        assert second.success, failure(second)


def rows(query: str) -> list[tuple[Any, ...]]:
    with warehouse.connect() as database:
        return database.execute(query).fetchall()


def holders(text: str, folder: Path, catalog: str) -> list[str]:
    """Return the files below a folder, and the tables of a catalog, that hold a text."""
    found = []
    for file in folder.rglob("*"):
        if not file.is_file() or file.suffix == ".lock":
            continue
        content = file.read_bytes()
        if file.suffix == ".parquet":
            content += repr(duckdb.read_parquet(str(file)).fetchall()).encode()
        found += [str(file.relative_to(folder))] if text.encode() in content else []
    if "://" not in catalog:
        with duckdb.connect(catalog, read_only=True) as database:
            names = database.sql("select table_name from duckdb_tables()").fetchall()
            tables = {name: [*map(repr, database.table(name).fetchall())] for (name,) in names}
    else:
        with closing(psycopg2.connect(catalog)) as connection:
            cursor = connection.cursor()
            cursor.execute(
                "select table_name from information_schema.tables where table_schema = 'public'"
            )
            tables = {}
            for (name,) in cursor.fetchall():
                cursor.execute(f'select * from "{name}"')
                cells = [cell for row in cursor for cell in row]  # a text in bytes, where inlined
                tables[name] = [
                    repr(bytes(cell) if isinstance(cell, memoryview) else cell) for cell in cells
                ]
    assert "ducklake_file_column_stats" in tables
    return found + [name for name, cells in tables.items() if any(text in cell for cell in cells)]


def test_erasing_leaves_nothing_in_the_files_and_the_catalog(
    place: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog = os.environ["EVENTS_DUCKLAKE_CATALOG"]
    sync(place)
    for statement in BY_HAND:
        rows(statement)
    assert len(holders(ANNA, tmp_path, catalog)) > 8
    assert run(["erase", "--value", "nobody@example.org"]) == 2  # for the snapshots, it asks
    assert len(holders(ANNA, tmp_path, catalog)) > 8
    assert run(["erase", "--value", ANNA, "--yes"]) == 0
    assert holders(ANNA, tmp_path, catalog) == []
    said = capsys.readouterr().out
    assert "events.event_data: 2 rows\n" in said
    assert "All old snapshots of the lake are deleted. Not reached: " in said
    assert "A very odd name" in repr(rows("from events.event_data"))
    assert holders("A very odd name", tmp_path, catalog)
    assert run(["erase", "--id", "of-anna", "--yes"]) == 0
    assert holders("A very odd name", tmp_path, catalog) == []
    assert holders("of-anna", tmp_path, catalog) == []
    assert rows("select count(*), min(id), max(id) from events.event_data") == [(200, "e0", "e99")]
    # What DuckLake knows of the values is true again: it looks for them in the files.
    rows("insert into events.emptied select 'm', i from range(50) as t(i)")
    assert rows("select count(*) from events.emptied where host = 'm'") == [(50,)]
    assert rows("select count(*) from events.event_data where id = 'e150'") == [(1,)]


def test_erasing_waits_for_transactions_that_may_need_the_old_files(
    project: Project, postgres: Postgres, tmp_path: Path
) -> None:
    for name, value in ducklake(postgres, tmp_path).items():
        project.environment.setenv(name, value)
    project.environment.setattr(project_module, "_loaded", None)
    catalog = os.environ["EVENTS_DUCKLAKE_CATALOG"]
    rows("create schema events")
    rows(f"create table events.event_data as select '{ANNA}' as host from range(200)")

    def change(_: Mapping[str, int]) -> None:
        rows("delete from events.event_data")

    with pytest.raises(BusyError, match="A sync of events is running"):
        erase("events", ANNA, confirm=change)
    assert holders(ANNA, tmp_path, catalog) != []
    rows(f"insert into events.event_data select '{ANNA}' as host from range(200)")
    with warehouse.connect() as other:
        other.execute("begin")
        assert other.sql("from events.event_data").count("*").fetchall() == [(200,)]
        project.environment.setattr("event_assets.warehouse.ducklake_purge.TIMEOUT", 0)
        with pytest.raises(WarehouseError, match="its transaction has not ended"):
            erase("events", ANNA)
        assert other.sql("from events.event_data").count("host").fetchall() == [(200,)]
    assert holders(ANNA, tmp_path, catalog) != []
    assert erase("events", ANNA) == {}
    assert holders(ANNA, tmp_path, catalog) == []
