"""The commands in docs/operations.md, each run as it stands there."""

import asyncio
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from starlette.requests import Request

from event_assets.definitions import defs
from event_assets.orchestration.housekeeping import purge_runs
from event_assets_tests.faults.holding import holding
from event_assets_tests.faults.killing import generation
from event_assets_tests.faults.tries import Tries
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.commands import run_script, start_script
from event_assets_tests.support.docs import page
from event_assets_tests.support.http_sessions import PATH
from event_assets_tests.support.platforms import paged
from event_assets_tests.support.project import Project
from event_assets_tests.support.sandbox import Sandbox

BACK_UP, CHECK, RESTORE, MOVE, COMPACT, RESCUE, SHRINK, *_ = page("docs/operations.md").blocks()
HEADERS, BLOCK = 3 * 4096, 256 * 1024  # bytes, of a DuckDB file


def run(command: str, here: Path) -> str:
    done = run_script(command, here)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def content(file: Path) -> dict[str, Any]:
    """Return all tables and views of a database, with their columns and rows."""
    with duckdb.connect(file) as database:
        names = database.sql(
            "select schema_name, table_name from duckdb_tables() union all "
            "select schema_name, view_name from duckdb_views() where not internal"
        ).fetchall()
        return {
            f"{schema}.{name}": (
                sorted(database.sql(f'describe "{schema}"."{name}"').fetchall(), key=str),
                sorted(database.sql(f'from "{schema}"."{name}"').fetchall(), key=str),
            )
            for schema, name in names
        }


def test_a_backup_is_restored_and_the_next_sync_goes_on(
    project: Project, tries: Tries, here: Path
) -> None:
    file = here / "data" / 'it\'s "ours".duckdb'
    project.environment.setenv("EVENTS_DUCKDB", str(file))
    with tries.trying("operations: back up and restore") as this, Sandbox(generation(0)) as api:
        project.sync(url=api.url)
        with duckdb.connect(file) as database:
            database.execute("create schema concerts")  # of another source
            database.execute("create table concerts.event_data as from events.event_data limit 7")
        before = content(file)
        run(BACK_UP, here)
        (backup,) = (here / "backups").iterdir()
        assert content(backup) == before
        checked = run(CHECK, here)
        assert " events 1500 " in checked
        assert " concerts 7 " in checked
        api.replace(generation(1))
        project.sync(url=api.url)
        file.write_bytes(b"broken")
        run(RESTORE, here)
        assert content(file) == before
        assert (here / "data" / "aside" / file.name).read_bytes() == b"broken"
        assert project.sync(url=api.url).success
        with duckdb.connect(file) as database:
            found = dict(database.sql("select id, version from events.event_data").fetchall())
            noted = database.sql(
                "select count(*) from events.event_changes where field = 'version'"
            ).fetchall()
        this.lost = sum(found.get(event["id"]) != 1 for event in generation(1))
        assert noted == [(1450,)]


def test_a_backup_can_be_made_while_a_sync_runs(project: Project, tries: Tries, here: Path) -> None:
    rows, requested, may_answer = generation(0), threading.Event(), threading.Event()

    async def answer(request: Request) -> Any:
        requested.set()
        await asyncio.to_thread(may_answer.wait)
        return paged(rows)(request)

    with tries.trying("operations: back up during a sync") as this, serving({PATH: answer}) as api:
        may_answer.set()
        project.sync(url=api.url)
        rows[:] = generation(1)
        requested.clear()
        may_answer.clear()
        sync = threading.Thread(target=project.sync, kwargs={"url": api.url})
        sync.start()
        try:
            assert requested.wait(60)
            run(BACK_UP, here)
            assert in_backup(here) == (1500, 0)
        finally:
            may_answer.set()
        done = run_script(BACK_UP, here)  # while the sync loads, or after it
        sync.join()
        assert done.returncode == 0, done.stderr
        assert all(line.startswith("Waiting for ") for line in done.stderr.splitlines())
        assert in_backup(here) in [(1500, 0), (1550, 1)]
        this.lost = len({event["id"] for event in generation(1)} - {*ids(here)})


def in_backup(here: Path) -> tuple[int, int]:
    """Return the number of events in the only backup, and their newest version."""
    (backup,) = (here / "backups").iterdir()
    with duckdb.connect(backup) as database:
        (found,) = database.sql("select count(*), max(version) from events.event_data").fetchall()
    return found


def ids(here: Path) -> list[str]:
    with duckdb.connect(here / "data" / "warehouse.duckdb") as database:
        return [id for (id,) in database.sql("select id from events.event_data").fetchall()]


def test_a_backup_waits_for_a_program_that_holds_the_file(
    project: Project, tries: Tries, here: Path
) -> None:
    with tries.trying("operations: back up a file that is held"), Sandbox(10) as api:
        project.sync(url=api.url)
        with holding(here / "data" / "warehouse.duckdb", "write") as holder:
            assert holder.stdin
            with start_script(BACK_UP, here) as backup:
                assert backup.stderr
                assert f"(PID {holder.pid}); close what holds it" in backup.stderr.readline()
                holder.stdin.close()
            assert backup.returncode == 0


def test_a_moved_database_is_synced_where_it_is(project: Project, tries: Tries, here: Path) -> None:
    project.environment.setenv("EVENTS_DUCKDB", str(here / "data" / "ours.duckdb"))
    with tries.trying("operations: move") as this, Sandbox(generation(0)) as api:
        project.sync(url=api.url)
        before = content(here / "data" / "ours.duckdb")
        (here / ".env").write_text("EVENTS_PROGRESS=log")
        run(MOVE, here)
        moved = here / "elsewhere" / "ours.duckdb"
        assert content(moved) == before
        said = (here / ".env").read_text()
        assert said == "EVENTS_PROGRESS=log\nEVENTS_DUCKDB=elsewhere/ours.duckdb\n"
        api.replace(generation(1))
        done = project.run("python", "-m", "event_assets", cwd=here, PYTHONPATH=str(here))
        assert done.returncode == 0, done.stderr
        assert not (here / "data" / "ours.duckdb").exists()
        with duckdb.connect(moved) as database:
            (count,) = database.sql("select count(*) from events.event_data").fetchall()
        this.lost = 1550 - count[0]


def test_a_compacted_database_is_smaller_and_the_same(
    project: Project, tries: Tries, here: Path
) -> None:
    file = here / "data" / 'it\'s "ours".duckdb'
    project.environment.setenv("EVENTS_DUCKDB", str(file))
    with tries.trying("operations: compact"), Sandbox(generation(0)) as api:
        project.sync(url=api.url)
        with duckdb.connect(file) as database:
            database.execute("create table filler as select random() from range(500_000)")
        for number in range(1, 4):
            api.replace(generation(number))
            project.sync(url=api.url)
        with duckdb.connect(file) as database:
            database.execute("drop table filler")
        before, size = content(file), file.stat().st_size
        run(COMPACT, here)
        assert content(file) == before
        assert file.stat().st_size < size
        assert not list(file.parent.glob("*.new"))
        api.replace(generation(4))
        assert project.sync(url=api.url).success


def test_what_can_be_read_of_a_broken_file_is_rescued(
    project: Project, tries: Tries, here: Path
) -> None:
    with tries.trying("operations: rescue a broken file"), Sandbox(generation(0)) as api:
        project.sync(url=api.url)
        run(COMPACT, here)
        file = here / "data" / "warehouse.duckdb"
        with duckdb.connect(file) as database:
            (block,) = database.sql(
                "select max(block_id) from pragma_storage_info('events.event_data')"
            ).fetchall()
        with file.open("r+b") as harmed:
            harmed.seek(HEADERS + block[0] * BLOCK + 100)
            harmed.write(b"\xff" * 8)
        said = run(RESCUE, here)
        rescued = {path.stem for path in (here / "rescued").glob("*.parquet")}
        assert "Corrupt database file" in said
        assert len(rescued) >= 3


def test_the_history_of_dagster_is_shrunk_and_still_there(
    project: Project, tries: Tries, here: Path
) -> None:
    with tries.trying("operations: shrink the history"), Sandbox(generation(0)) as api:
        project.connect_to(api.url)
        project.environment.delenv("DAGSTER_HOME")  # the project's folder, as by default
        job = defs().resolve_job_def("sync_events")
        with dg.DagsterInstance.from_config(str(here)) as instance:
            runs = [job.execute_in_process(instance=instance).run_id for _ in range(3)]
            purge_runs(instance, datetime.now(UTC))
        file = here / "history" / "runs" / "index.db"
        size = file.stat().st_size
        run(SHRINK, here)
        assert file.stat().st_size < size
        with dg.DagsterInstance.from_config(str(here)) as instance:
            assert [record.dagster_run.run_id for record in instance.get_run_records()] == runs[2:]
            assert job.execute_in_process(instance=instance).success
