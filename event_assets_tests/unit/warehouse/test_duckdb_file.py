"""The DuckDB file: its path, its lock, and its error messages."""

import errno
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from event_assets import warehouse
from event_assets.orchestration.error_messages import user_message
from event_assets.values.errors import ApiError, WarehouseError
from event_assets.warehouse import connection
from event_assets.warehouse.pipeline import open_pipeline
from event_assets_tests.support.direct_syncs import default_source, failed_sync, sync_default
from event_assets_tests.support.project import ROOT, Project, failure
from event_assets_tests.support.sandbox import Sandbox


def test_the_database_is_in_the_project_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVENTS_DUCKDB", raising=False)
    assert warehouse.database_file() == ROOT / "data" / "warehouse.duckdb"


def test_a_relative_path_starts_at_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTS_DUCKDB", "elsewhere/x.duckdb")
    assert warehouse.database_file() == ROOT / "elsewhere" / "x.duckdb"


def test_a_new_file_has_the_format_of_duckdb_1_3_and_an_older_one_keeps_its_own(
    project: Project,
) -> None:
    def read_format() -> str:
        query = "from duckdb_databases() select tags['storage_version'] where path = ?"
        with warehouse.connect() as database:
            ((found,),) = database.execute(query, [str(project.database)]).fetchall()
        return str(found)

    assert read_format() == "v1.3.0+"
    project.database.unlink()
    duckdb.connect(project.database, config={"storage_compatibility_version": "v1.0.0"}).close()
    assert read_format() == "v1.0.0+"


@pytest.mark.parametrize("reads_only", [False, True])
def test_a_locked_file_is_reported_with_the_process(
    project: Project, monkeypatch: pytest.MonkeyPatch, reads_only: bool
) -> None:
    monkeypatch.setattr(connection, "FOREIGN_LOCK_TIMEOUT", 0.5)
    with warehouse.connect():
        pass
    hold = f"import duckdb, sys; c = duckdb.connect(sys.argv[1], {reads_only})"
    hold += "; print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(project.database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(WarehouseError) as failed, warehouse.connect():
            pass
        assert holder.stdin
        holder.stdin.close()
    assert str(project.database) in str(failed.value)
    assert str(failed.value).endswith(f"(PID {holder.pid}); close what holds it.")
    assert failed.value.__context__ is None


def test_connect_waits_for_a_locked_file(project: Project) -> None:
    project.database.parent.mkdir()
    hold = (
        "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True); "
        "input(); time.sleep(1)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(project.database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout
        assert holder.stdin
        assert holder.stdout.readline() == b"held\n"
        holder.stdin.write(b"go\n")
        holder.stdin.flush()
        with warehouse.connect() as database:
            assert database.execute("select 1").fetchall() == [(1,)]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("name", ["events", "Events", "events.v2", "information_schema"])
def test_a_database_named_like_its_schema_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv("EVENTS_DUCKDB", str(tmp_path / f"{name}.duckdb"))
    with pytest.raises(WarehouseError, match="another name"), open_pipeline("events", "events"):
        pass


@pytest.mark.usefixtures("project")
def test_a_device_in_its_place_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EVENTS_DUCKDB", str(tmp_path / "x.duckdb"))
    os.mkfifo(tmp_path / "x.duckdb")
    with (
        pytest.raises(WarehouseError, match="no file, but a device"),
        open_pipeline("events", "events"),
    ):
        pass


def test_a_connection_of_this_process_is_named(project: Project, api: Sandbox) -> None:
    project.database.parent.mkdir()
    with duckdb.connect(project.database):
        said = failed_sync(default_source(project, api.url))
    assert said.endswith("; close the connection of this process that has it open.")


def test_a_lock_that_is_a_dangling_link_is_named(project: Project, api: Sandbox) -> None:
    project.database.parent.mkdir()
    Path(f"{project.database}.lock").symlink_to("/nowhere/x")
    assert "symbolic links; move what is in" in failed_sync(default_source(project, api.url))


def test_a_path_may_have_any_character(project: Project, api: Sandbox) -> None:
    odd = project.database.parent / 'it\'s %20 of "100%" #1 ~ü 日本' / "%s $HOME a?b.duckdb"
    project.environment.setenv("EVENTS_DUCKDB", str(odd))
    for _ in range(2):
        sync_default(project, api.url, derived=True)
    looked = project.run("event-assets", "show", "events", "--json")
    assert looked.returncode == 0, looked.stderr
    with duckdb.connect(odd, read_only=True) as database:
        assert database.sql("from events.event_data").fetchall()


def test_a_folder_with_a_question_mark_is_refused_before_it_is_made(
    project: Project, api: Sandbox
) -> None:
    odd = project.database.parent / "a?b" / "x.duckdb"
    project.environment.setenv("EVENTS_DUCKDB", str(odd))
    assert "has a question mark in the name of a folder" in failure(project.sync(url=api.url))


def test_a_database_of_sqlite_is_refused(project: Project, api: Sandbox) -> None:
    project.database.parent.mkdir()
    with closing(sqlite3.connect(project.database)) as database:
        database.execute("create table notes (text)")
        database.commit()
    assert "is no database of DuckDB" in failure(project.sync(url=api.url))


@pytest.mark.parametrize(
    ("given", "meant"), [("~/x.db", "home/x.db"), ("~nobody9/x", "~nobody9/x")]
)
def test_a_tilde_is_the_home_and_else_a_name(
    project: Project, tmp_path: Path, given: str, meant: str
) -> None:
    project.environment.setenv("EVENT_ASSETS_PROJECT", str(tmp_path))
    project.environment.setenv("EVENTS_DUCKDB", given)
    assert warehouse.database_file() == tmp_path / meant


def test_a_file_in_the_way_of_dlts_folder_is_named(project: Project, api: Sandbox) -> None:
    folder = project.database.parent / "dlt"
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("no folder")
    said = failure(project.sync(url=api.url))
    assert f"{folder}" in said
    assert "move what is in the way, or name another file in EVENTS_DUCKDB." in said


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "make room on its disk"),
        (
            PermissionError(errno.EACCES, "Permission denied"),
            "let the user who syncs read and write",
        ),
        (duckdb.IOException("IO Error: something new"), "something new; see docs/operations.md."),
    ],
)
def test_a_disk_error_says_what_to_do(error: Exception, said: str) -> None:
    sentence = user_message(error)
    assert sentence is not None
    assert sentence.startswith(f"The database {warehouse.database_file()} cannot be used: ")
    assert said in sentence


@pytest.mark.parametrize(
    ("name", "is_own"),
    [("..", True), ("w.duckdb.lock", True), ("dlt/w", True), (".dlt/secrets.toml", False)],
)
def test_a_file_beside_the_database_is_not_taken_for_it(
    project: Project, tmp_path: Path, name: str, is_own: bool
) -> None:
    project.environment.setenv("EVENTS_DUCKDB", str(tmp_path / "folder/w.duckdb"))
    file = os.path.normpath(tmp_path / "folder" / name)
    sentence = user_message(PermissionError(errno.EACCES, "Permission denied", file)) or ""
    assert sentence.startswith("The database ") is is_own
    assert f"{file}: Permission denied; let the user who syncs" in sentence


@pytest.mark.parametrize("kind", [pa.ArrowMemoryError, duckdb.OutOfMemoryException])
def test_memory_that_does_not_suffice_is_told(kind: type[Exception]) -> None:
    assert (user_message(kind("failed")) or "").startswith("The memory of this process does not")


@pytest.mark.usefixtures("project")
def test_a_network_error_is_not_reported_as_a_disk_error() -> None:
    refused = ApiError("The API cannot be reached (operation not permitted).")
    assert user_message(refused) == str(refused)
    assert user_message(FileNotFoundError(errno.ENOENT, "No such file", "x")) is None
