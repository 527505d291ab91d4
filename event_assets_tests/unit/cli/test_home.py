"""Where Dagster's history and the database are: what cannot be used is named in one sentence."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from event_assets import warehouse
from event_assets._compat.dagster import PlainFailure
from event_assets.cli.home import open_instance
from event_assets.cli.main import run
from event_assets.config.project import writing_problem
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.values.errors import ConfigError
from event_assets_tests.support.project import ROOT, Project


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


def a_link_to_itself(folder: Path) -> Path:
    (folder / "w.duckdb").symlink_to("w.duckdb")
    return folder


def a_link_to_no_folder(folder: Path) -> Path:
    (folder / "w.duckdb").symlink_to("gone/w.duckdb")
    return folder


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (read_only, "/proc: no file can be made there"),
        (below_a_file, "{folder}: Not a directory"),
        (a_folder, "{folder}/w.duckdb: Not a file"),
        (a_link_to_itself, "{folder}/w.duckdb: A symbolic link that leads nowhere"),
        (a_link_to_no_folder, "{folder}/w.duckdb: A symbolic link that leads nowhere"),
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


@pytest.mark.parametrize("file", ["history/runs.db", "schedules/schedules.db"])
def test_a_damaged_history_of_dagster_is_told_with_what_heals_it(
    project: Project, tmp_path: Path, file: str
) -> None:
    def look() -> None:
        with open_instance() as instance:
            instance.get_runs_count()
            instance.all_instigator_state()

    project.environment.setenv("DAGSTER_HOME", str(tmp_path))
    look()
    (tmp_path / file).write_bytes(b"no database" * 100)
    with pytest.raises(PlainFailure, match="away") as failed:
        run_with_plain_errors(look)
    assert f"Dagster's history in {tmp_path} is damaged: file is not a data" in str(failed.value)
    for name in re.findall("`(.+?)`", str(failed.value)):
        (tmp_path / name).rename(tmp_path / f"{name}.away")
    look()


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
