"""What the system does not let a command do is told in one sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from event_assets.config.database_file import failure_file
from event_assets_tests.support.project import ROOT, Project
from event_assets_tests.support.small_database import write_database

UNBOUND = "-dac_override,-dac_read_search"


AS_A_USER = (  # whom the permissions of files bind, unlike root
    ("setpriv", "--bounding-set", UNBOUND, "--inh-caps", UNBOUND) if os.geteuid() == 0 else ()
)


def run_as_a_user(
    *arguments: str, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `event-assets` as one whom the permissions of files bind."""
    return subprocess.run(
        [*AS_A_USER, sys.executable, "-m", "event_assets", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("mode", "names", "answer"),
    [
        (
            0o555,
            (),
            "The folder {home} (DAGSTER_HOME) cannot be written ({home}: Permission denied",
        ),
        (0o755, ("history", "schedules"), "Dagster's history in {home} (DAGSTER_HOME) cannot be w"),
    ],
    ids=["a folder of another user", "files of another user"],
)
def test_a_dagster_home_of_another_user_is_named(
    project: Project, clone: Path, tmp_path: Path, mode: int, names: list[str], answer: str
) -> None:
    home = tmp_path / "dagster_home"
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    for name in names:
        (home / name).mkdir(mode=0o555)
    home.chmod(mode)
    done = run_as_a_user("sync", cwd=clone, DAGSTER_HOME=str(home))
    assert done.returncode == 1
    assert done.stderr.startswith(answer.format(home=home))
    assert done.stderr.count("\n") == 1
    assert not project.database.exists()


@pytest.mark.parametrize("name", ["", "history", "history/runs", "schedules", "storage"])
def test_make_dev_names_a_folder_that_it_cannot_write(tmp_path: Path, name: str) -> None:
    there = tmp_path / "project" / name
    there.mkdir(parents=True)
    there.chmod(0o555)
    assert make_dev(tmp_path / "project") == (
        f"Dagster cannot use {there}: let the user who runs it write in this folder.\n"
    )


def test_make_dev_names_a_file_in_place_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "history").touch()
    assert f"Dagster cannot use {tmp_path}/history: let the user" in make_dev(tmp_path)


def make_dev(folder: Path) -> str:
    """Run `make dev` in a folder as one whom the permissions of files bind."""
    environment = (f"--old-file={folder}/.venv/.ready", f"VENV={folder}/.venv", "PORT=1")
    command = ["make", f"--file={ROOT}/Makefile", *environment, "dev"]
    done = subprocess.run(
        [*AS_A_USER, *command], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout


def test_too_few_open_files_are_told(project: Project, clone: Path) -> None:
    script = f"ulimit -n 20; exec {sys.executable} -m event_assets sync"
    done = subprocess.run(
        ["bash", "-c", script], cwd=clone, capture_output=True, text=True, check=False
    )
    told = "Only 20 files may be open at a time: allow 256 (`ulimit -n 256`).\n"
    assert (done.returncode, done.stderr) == (1, told)
    assert not project.database.exists()


def test_a_database_of_another_user_can_be_shown_and_not_synced(
    project: Project, clone: Path
) -> None:
    write_database(project.database)
    project.database.chmod(0o444)
    said = {}
    for command in ("check", "show"):
        done = run_as_a_user(command, cwd=clone, EVENTS_DUCKDB=str(project.database))
        said[command] = done.returncode, done.stderr
    assert said["show"] == (0, "")
    assert said["check"] == (
        1,
        f"The database {project.database} cannot be written ({project.database}: Permission "
        "denied): let the user who syncs write there, or name another file in EVENTS_DUCKDB.\n",
    )


def test_what_tells_of_failed_syncs_and_cannot_be_read_is_told(
    project: Project, clone: Path
) -> None:
    database = clone / "readable.duckdb"
    write_database(database)
    project.environment.setenv("EVENTS_DUCKDB", str(database))
    file = failure_file("events")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\nNo key")
    for path in (file, file.parent):
        mode = path.stat().st_mode
        path.chmod(0o000)
        done = run_as_a_user("status", cwd=clone)
        path.chmod(mode)
        assert done.returncode == 1
        assert f"{path}: Permission denied; let the user who syncs read and write" in done.stderr
        assert done.stderr.count("\n") == 1


def test_the_file_of_a_source_that_cannot_be_read_or_removed_is_told(
    project: Project, clone: Path
) -> None:
    write_database(project.database)
    file = clone / "event_assets/defs/events/defs.yaml"
    file.chmod(0o000)
    for command in ("check", "status"):
        done = run_as_a_user(command, cwd=clone, EVENTS_DUCKDB=str(clone / "warehouse.duckdb"))
        assert (done.returncode, done.stderr) == (
            1,
            f"The file {file} cannot be read: Permission denied.\n",
        )
    file.chmod(0o644)
    file.parent.chmod(0o000)
    for command in ("check", "status"):
        done = run_as_a_user(command, cwd=clone, EVENTS_DUCKDB=str(clone / "warehouse.duckdb"))
        assert (done.returncode, done.stderr) == (
            1,
            f"The folder {file.parent} cannot be read: Permission denied.\n",
        )
    file.parent.chmod(0o555)
    done = run_as_a_user("remove", "events", "--drop", "--yes", cwd=clone)
    assert done.stderr == (
        f"The folder {file.parent} cannot be removed ({file.parent}: Permission denied): run it as "
        "the owner.\n"
    )
    assert file.exists()
    assert project.rows("select count(*) > 0 from events.event_data_syncs") == [(True,)]


def test_a_project_that_cannot_be_read_is_told(clone: Path, tmp_path: Path) -> None:
    clone.chmod(0o000)
    done = run_as_a_user("status", cwd=tmp_path, EVENT_ASSETS_PROJECT=str(clone))
    clone.chmod(0o755)
    told = f"The file {clone}/dg.toml cannot be read: Permission denied.\n"
    assert (done.returncode, done.stderr) == (1, told)


def test_secrets_that_cannot_be_read_are_told(project: Project, clone: Path) -> None:
    secrets = clone / ".dlt/secrets.toml"
    secrets.parent.mkdir()
    secrets.touch(0o000)
    done = run_as_a_user("check", cwd=clone, EVENTS_DUCKDB=str(project.database))
    assert done.returncode == 1
    assert done.stderr == f"The file {secrets} cannot be read: Permission denied.\n"


def test_two_may_open_a_new_dagster_home_at_once(tmp_path: Path) -> None:
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    code = (
        "import sys; from event_assets.cli.home import open_instance; print(flush=True); "
        "sys.stdin.readline(); open_instance()"
    )
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "DAGSTER_HOME": str(tmp_path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for opener in openers:
        assert opener.stdout
        opener.stdout.readline()
    for opener in openers:
        assert opener.stdin
        opener.stdin.write(b"\n")
        opener.stdin.flush()
    for opener in openers:
        opener.communicate()
    assert [opener.returncode for opener in openers] == [0, 0]
