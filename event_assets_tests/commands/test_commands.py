"""The command lines that people and CI use."""

import hashlib
import importlib.metadata
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance
from dagster._cli import cli

from event_assets.cli.main import run
from event_assets_tests.support.project import ROOT, Project
from event_assets_tests.support.sandbox import Faults, Sandbox

MATERIALIZE = ("dagster", "asset", "materialize", "-m", "event_assets.definitions", "--select")


def contents(folder: Path) -> dict[str, str]:
    """Return a digest of every file under a folder, except Python's own caches."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_definitions_load_without_key_network_or_database_and_write_no_file(
    project: Project, clone: Path, tmp_path: Path
) -> None:
    dagster_home = tmp_path / "dagster_home"  # Dagster's own files, and its telemetry setting
    dagster_home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", dagster_home)
    before = contents(clone)
    done = project.run(
        "dg",
        "list",
        "defs",
        cwd=clone,
        EVENTS_API_URL="http://unreachable.invalid",
        PYTHONDONTWRITEBYTECODE="1",
        DAGSTER_HOME=str(dagster_home),
        COLUMNS="160",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) <= 60
    assert done.stderr == ""
    assert contents(clone) == before
    assert not project.database.parent.exists()
    assert contents(Path.home()) == {}


@pytest.fixture
def materialize(
    project: Project, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Callable[[], tuple[int, str, str]]:
    """Dagster's command line for `event_data` in this process: status, output and errors."""
    project.environment.chdir(tmp_path)  # where there is no `.env`

    def run() -> tuple[int, str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli([*MATERIALIZE[1:], "event_data"], prog_name="dagster")
        assert isinstance(ended.value.code, int)
        return ended.value.code, *capfd.readouterr()

    return run


def test_a_job_of_dagsters_command_line_prints_its_summary_once(
    project: Project, api: Sandbox, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    project.environment.chdir(tmp_path)
    project.connect_to(api.url)
    job = ("job", "execute", "-m", "event_assets.definitions", "-j", "sync_events")
    with pytest.raises(SystemExit) as ended:
        cli(job, prog_name="dagster")
    assert ended.value.code == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["events", "starting", "checks", "database"]


def test_a_wrong_key_fails_the_command_in_one_sentence(
    project: Project, api: Sandbox, materialize: Callable[[], tuple[int, str, str]]
) -> None:
    project.connect_to(api.url, key="wrong-key")
    status, output, errors = materialize()
    assert status != 0
    assert "answered 401 Unauthorized; set API_KEY" in errors
    assert "Traceback" not in errors
    assert "Stack Trace" not in errors
    assert "wrong-key" not in output + errors
    assert f"event_data failed: The API at {api.url}/v1/events answered 401" in errors
    assert f"This run loaded no events into {project.database}." in output


def test_a_failed_error_check_fails_the_command(
    project: Project, api: Sandbox, materialize: Callable[[], tuple[int, str, str]]
) -> None:
    project.sync(url=api.url, derived=False)
    project.rows("insert into events.event_data by name select * from events.event_data limit 1")
    api.replace([])
    status, _, errors = materialize()
    assert status != 0
    assert "1 duplicate," in errors


def test_the_dagster_cli_materializes_everything_with_the_env_file_from_any_folder(
    project: Project, clone: Path, api: Sandbox, tmp_path: Path
) -> None:
    (clone / ".env").write_text(f"EVENTS_API_URL={api.url}\nAPI_KEY=sandbox\n")
    done = project.run(*MATERIALIZE, "*", cwd=tmp_path, PYTHONPATH=str(clone))
    assert done.returncode == 0, done.stderr
    assert "Executing steps in process" in done.stderr
    assert project.ids() == project.ids("current_events") == sorted(api.ids())


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """What `event-assets sync` calls, in a folder without `.env`."""
    monkeypatch.chdir(tmp_path)
    return lambda: run(["sync"])


def test_make_run_says_why_it_failed_and_fails(
    project: Project, main: Callable[[], int], api: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    project.connect_to(api.url, key="wrong-key")
    assert main() == 1
    out, err = capfd.readouterr()
    assert err.startswith(f"event_data failed: The API at {api.url}/v1/events answered 401")
    assert err.count("\n") == 1
    assert out.splitlines()[-1].startswith("This run loaded no events into ")


def test_make_run_says_which_check_failed(
    project: Project, main: Callable[[], int], api: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    api.faults = Faults(ignore_offset=True)
    project.connect_to(api.url)
    assert main() == 1
    err = capfd.readouterr().err
    assert err.startswith("ERROR complete: The server sends the same 100 rows")
    assert err.count("\n") == 1


WITHOUT = """
import runpy, sys

sys.modules.update(dict.fromkeys({hidden!r}))  # as if they were not installed
runpy.run_module("event_assets", run_name="__main__")
"""


def not_locked() -> list[str]:
    """Return the modules that are installed here, but are none of what a user installs."""
    lock = (ROOT / "requirements.txt").read_text()
    locked = {*re.findall(r"^([a-z0-9-]+).*==", lock, flags=re.MULTILINE), "event-assets"}
    hidden = [
        module
        for module, owners in importlib.metadata.packages_distributions().items()
        if locked.isdisjoint(re.sub(r"[-_.]+", "-", owner).lower() for owner in owners)
    ]
    assert {"hypothesis", "playwright"} <= set(hidden)
    return hidden


def test_make_run_needs_no_more_than_the_lock_the_env_file_and_the_secrets_of_the_project(
    project: Project, clone: Path, api: Sandbox, tmp_path: Path
) -> None:
    home, elsewhere = tmp_path / "dagster_home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    (clone / ".env").write_text(f"EVENTS_API_URL={api.url}\n", "utf-8-sig")
    (clone / ".dlt").mkdir()
    (clone / ".dlt/secrets.toml").write_text('api_key = "sandbox"\n')
    project.environment.delenv("DLT_PROJECT_DIR")
    done = project.run(
        *("python", "-W", "error:::event_assets", "-c", WITHOUT.format(hidden=not_locked())),
        cwd=elsewhere,
        PYTHONPATH=str(clone),
        DAGSTER_HOME=str(home),
    )
    assert done.returncode == 0, done.stderr
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert lines["events"] == "250"
    assert lines["checks"] == "5 of 5 passed"
    assert lines["database"] == str(project.database)
    assert " to " in lines["starting"]
    looked = project.run("event-assets", "show", cwd=elsewhere)
    assert "of 250 rows of events.current_events" in looked.stdout, looked.stderr
    assert lines["look"].endswith("event-assets show")
    assert done.stderr == ""
    assert project.ids() == sorted(api.ids())
    in_location = {".dagster/repository": "__repository__@event_assets"}
    of_job = dg.RunsFilter(job_name="sync_events", tags=in_location)  # as the UI lists them
    with DagsterInstance.from_config(str(home)) as instance:
        assert len(instance.get_runs(of_job)) == 1
    # neither Dagster nor dlt counts its users; dlt makes up an id for each but root, and sends none
    assert contents(Path.home()).keys() <= {".dlt/.anonymous_id"}
