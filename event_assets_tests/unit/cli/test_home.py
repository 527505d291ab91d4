"""Where Dagster's history and the database are: what cannot be used is named in one sentence."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from event_assets import warehouse
from event_assets._compat.dagster import PlainFailure
from event_assets.cli.home import open_instance
from event_assets.cli.main import run
from event_assets.config.database_file import failure_file
from event_assets.config.project import writing_problem
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.values.errors import ConfigError
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


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        *(
            (
                f"home{character}",
                f"Dagster works in no folder with `{character}` in its path: move {{home}}, or set "
                "DAGSTER_HOME to another.",
            )
            for character in "?%*["
        ),
        ("missing", "There is no folder {home} (DAGSTER_HOME): make it, or name another."),
    ],
)
@pytest.mark.usefixtures("source_file")
def test_a_dagster_home_that_cannot_be_is_named(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, answer: str
) -> None:
    if name != "missing":
        (tmp_path / name).mkdir()
    project.environment.setenv("DAGSTER_HOME", str(tmp_path / name))
    for command in ("check", "sync"):
        assert run([command]) == 1
        assert capsys.readouterr() == ("", f"{answer.format(home=tmp_path / name)}\n")
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


@pytest.mark.usefixtures("source_file")
def test_telemetry_that_cannot_be_written_is_told(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project.environment.setenv("DAGSTER_HOME", str(tmp_path))
    project.environment.setenv("HOME", "/proc/event_assets")
    assert run(["check"]) == 1
    assert capsys.readouterr().err == (
        f"Dagster cannot use its settings in {tmp_path}/dagster.yaml: its telemetry cannot be "
        "written (/proc: no file can be made there); turn it off there, by `telemetry: {enabled: "
        "false}`.\n"
    )
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}")
    assert run(["check"]) == 0


def test_too_few_open_files_are_told(project: Project, clone: Path) -> None:
    script = f"ulimit -n 20; exec {sys.executable} -m event_assets sync"
    done = subprocess.run(
        ["bash", "-c", script], cwd=clone, capture_output=True, text=True, check=False
    )
    told = "Only 20 files may be open at a time: allow 256 (`ulimit -n 256`).\n"
    assert (done.returncode, done.stderr) == (1, told)
    assert not project.database.exists()


def read_only(folder: Path) -> Path:
    """Return a folder in which the system lets nobody make a file."""
    assert folder
    return Path("/proc/event_assets")


def below_a_file(folder: Path) -> Path:
    file = folder / "file"
    file.touch()
    return file


def a_folder(folder: Path) -> Path:
    (folder / "data/w.duckdb").mkdir(parents=True)
    return folder / "data"


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (read_only, "/proc: no file can be made there"),
        (below_a_file, "{folder}: Not a directory"),
        (a_folder, "{folder}/w.duckdb: Not a file"),
    ],
)
def test_a_database_that_cannot_be_written_is_told_by_every_command(
    project: Project,
    source_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], Path],
    problem: str,
) -> None:
    assert source_file.exists()
    folder = make(tmp_path)
    project.environment.setenv("EVENTS_DUCKDB", str(folder / "w.duckdb"))
    for command in ("check", "sync", "show", "status"):
        assert run([command]) == 1
        assert capsys.readouterr() == (
            "",
            f"The database {folder}/w.duckdb cannot be written ({problem.format(folder=folder)}): "
            "let the user who syncs write there, or name another file in EVENTS_DUCKDB.\n",
        )


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_not_taken_for_one_that_may_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    def fail(**_: object) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr("event_assets.config.project.TemporaryFile", fail)
    assert writing_problem(tmp_path) is None


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


@pytest.mark.filterwarnings("ignore:Handling yaml-defined logging")  # of Dagster: beta
@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (b"a: [\n", "in line 2, a value is missing, or what opens here is not closed."),
        (b"a:\n\tb: 1\n", "in line 2, indent with spaces: YAML allows no tabs there."),
        (b"nonsense: 1\n", 'Received unexpected config entry "nonsense" at'),
        (b"retention: {schedule: 1}\n", "Value at path root:retention:sch"),
        (b"- a\n", "to parse to dictionary"),
        (b"caf\xe9: 1\n", "UnicodeDecodeError: "),
        (b"a: \0\n", "ReaderError: "),
        (b"concurrency: {pools: {granularity: ops}}\n", "Found value `ops` for `granularity`"),
        (b"storage: {sqlite: {base_dir: {env: NOT_SET}}}\n", 'variable "NOT_SET" which is not set'),
        (b"storage: {custom: {module: no_module, class: A}}\n", "no_module"),
        (b"run_launcher: {module: no_module, class: A}\n", "No module named 'no_module'"),
        (b"run_launcher: {module: dagster, class: NoLauncher}\n", "no attribute 'NoLauncher'"),
        (b"python_logs: {python_log_level: LOUD}\n", "CheckError: Bad value for log level LOUD"),
        (
            b"python_logs: {dagster_handler_config: {handlers: {a: {class: no.Class}}}}\n",
            "Unable to configure handler 'a'",
        ),
    ],
)
def test_a_mistake_in_dagster_yaml_is_told_in_one_sentence(
    project: Project, tmp_path: Path, text: bytes, answer: str
) -> None:
    (tmp_path / "dagster.yaml").write_bytes(text)
    project.environment.setenv("DAGSTER_HOME", str(tmp_path))
    with pytest.raises(ConfigError) as failed:
        open_instance()
    told = f"Dagster cannot use its settings in {tmp_path}/dagster.yaml: "
    assert str(failed.value).startswith(told)
    assert answer in str(failed.value)
    assert "\n" not in str(failed.value)
    assert len(str(failed.value)) < 300


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


@pytest.mark.parametrize("name", ["history", "storage"])
def test_a_file_in_the_way_of_dagsters_folders_is_told(
    project: Project, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "dagster_home"
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    (home / name).touch()
    project.environment.setenv("DAGSTER_HOME", str(home))
    assert run(["sync"]) == 1
    assert capsys.readouterr().err.startswith(f"Dagster cannot use {home}/{name}")


def test_a_damaged_history_of_dagster_is_told_with_what_heals_it(
    project: Project, tmp_path: Path
) -> None:
    project.environment.setenv("DAGSTER_HOME", str(tmp_path))
    with open_instance() as instance:
        instance.get_runs_count()
    (tmp_path / "history/runs.db").write_bytes(b"no database" * 100)
    with pytest.raises(PlainFailure, match="`storage` away") as failed:
        run_with_plain_errors(lambda: open_instance().get_runs_count())
    assert f"Dagster's history in {tmp_path} is damaged: file is not a data" in str(failed.value)


def test_a_folder_whose_files_cannot_be_locked_is_told(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")  # as of a network's folder

    project.environment.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setattr("fcntl.flock", refuse)
    told = r"A file beside .*/warehouse.duckdb, or in DAGSTER_HOME, cannot be locked: No locks ava"
    with pytest.raises(ConfigError, match=told):
        open_instance()
    with pytest.raises(PlainFailure, match=told):
        run_with_plain_errors(lambda: warehouse.run(lambda _: None))


@pytest.mark.usefixtures("project")
def test_a_limit_of_threads_is_told() -> None:
    def start() -> None:
        raise RuntimeError("can't start new thread")

    with pytest.raises(PlainFailure, match="This process can start no more threads"):
        run_with_plain_errors(start)
