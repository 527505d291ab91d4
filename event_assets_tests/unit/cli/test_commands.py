"""The command lines that people and CI use, each as a process of its own."""

import hashlib
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance

from event_assets.sandbox import EventSimulation, Faults, Sandbox
from event_assets_tests.support.project import BIN, ROOT, Project

MATERIALIZE = ("dagster", "asset", "materialize", "-m", "event_assets.definitions", "--select")


def contents(folder: Path) -> dict[str, str]:
    """Give a digest of every file under a folder, but for Python's own caches."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


@pytest.mark.parametrize(
    "command",
    [
        ("dagster", "definitions", "validate"),
        ("dg", "check", "defs", "--no-check-yaml"),
        ("dg", "list", "defs"),
    ],
    ids=lambda command: "-".join(command[:3]),
)
def test_definitions_load_without_key_network_or_database_and_write_no_file(
    project: Project, clone: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    dagster_home = tmp_path / "dagster_home"  # Dagster's own files, and its telemetry setting
    dagster_home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", dagster_home)
    before = contents(clone)
    done = project.run(
        *command,
        cwd=clone,
        EVENTS_API_URL="http://unreachable.invalid",
        PYTHONDONTWRITEBYTECODE="1",
        DAGSTER_HOME=str(dagster_home),
        COLUMNS="160",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) <= 60
    assert command[0] != "dg" or done.stderr == ""
    assert contents(clone) == before
    assert not project.database.parent.exists()
    assert contents(Path.home()) == {}


def test_materializing_everything_three_times_follows_a_changing_api(project: Project) -> None:
    now = datetime(2026, 3, 1, tzinfo=timezone.utc)
    with Sandbox(EventSimulation(size=400), clock=lambda: now) as api:
        seen: set[str] = set()
        for _ in range(3):
            project.connect_to(api.url)
            done = project.run(*MATERIALIZE, "*")
            assert "Executing steps in process" in done.stderr
            seen |= set(api.ids())
            assert done.returncode == 0, done.stderr
            assert project.ids() == sorted(seen)
            now += timedelta(days=3)


def test_a_wrong_key_fails_the_command_in_one_sentence(project: Project, api: Sandbox) -> None:
    project.connect_to(api.url, key="wrong-key")
    done = project.run(*MATERIALIZE, "event_data")
    assert done.returncode != 0
    assert "answered 401 Unauthorized; set API_KEY" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Stack Trace" not in done.stderr
    assert "wrong-key" not in done.stdout + done.stderr
    assert f"event_data failed: The API at {api.url}/v1/events answered 401" in done.stderr
    assert f"Nothing was changed in {project.database}." in done.stdout


def test_a_failed_error_check_fails_the_command(project: Project, api: Sandbox) -> None:
    project.sync(url=api.url)
    project.rows("insert into events.event_data by name select * from events.event_data limit 1")
    api.replace([])
    done = project.run(*MATERIALIZE, "event_data")
    assert done.returncode != 0
    assert "1 doubled" in done.stderr


def test_the_dagster_cli_takes_the_address_and_the_key_from_the_env_file(
    project: Project, clone: Path, api: Sandbox
) -> None:
    (clone / ".env").write_text(f"EVENTS_API_URL={api.url}\nAPI_KEY=sandbox\n")
    done = project.run(*MATERIALIZE, "event_data", cwd=clone)
    assert done.returncode == 0, done.stderr
    assert project.ids() == sorted(api.ids())


def test_make_run_ends_with_a_summary(project: Project, clone: Path, api: Sandbox) -> None:
    (clone / ".env").write_text(f"EVENTS_API_URL={api.url}\nAPI_KEY=sandbox\n")
    done = project.run("python", "-m", "event_assets", cwd=clone)
    assert done.returncode == 0, done.stderr
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert lines["events"] == "250"
    assert lines["checks"] == "5 of 5 passed"
    assert lines["database"] == str(project.database)
    assert " to " in lines["starting"]
    looked = subprocess.run(lines["look"], shell=True, capture_output=True, text=True, check=False)
    assert "evt_" in looked.stdout, looked.stderr
    assert done.stderr == ""


def test_make_run_says_why_it_failed_and_fails(project: Project, clone: Path, api: Sandbox) -> None:
    project.connect_to(api.url, key="wrong-key")
    done = project.run("python", "-m", "event_assets", cwd=clone)
    assert done.returncode == 1
    assert done.stderr.startswith(f"event_data failed: The API at {api.url}/v1/events answered 401")
    assert done.stderr.count("\n") == 1
    assert done.stdout.splitlines()[-1].startswith("Nothing was changed in ")


def test_make_run_answers_a_typo_with_its_line_and_no_traceback(
    project: Project, clone: Path
) -> None:
    file = clone / "event_assets/defs/events/defs.yaml"
    file.write_text(file.read_text().replace("limit: 100", "limitt: 100"))
    done = project.run("python", "-m", "event_assets", cwd=clone)
    assert done.returncode == 1
    assert f"{file}:16 - attributes.rest_api.resources.0.endpoint.paginator.limitt" in done.stderr
    assert "Traceback" not in done.stderr


def test_make_run_says_which_check_failed(project: Project, clone: Path, api: Sandbox) -> None:
    api.faults = Faults(ignore_offset=True)
    project.connect_to(api.url)
    done = project.run("python", "-m", "event_assets", cwd=clone)
    assert done.returncode == 1
    assert done.stderr.startswith("ERROR complete: The server sends the same 100 rows")
    assert done.stderr.count("\n") == 1


def test_two_syncs_at_once_take_turns(project: Project, clone: Path) -> None:
    with Sandbox(500, faults=Faults(latency=0.2)) as api:
        project.connect_to(api.url)
        both = [
            subprocess.Popen(
                [BIN / "python", "-m", "event_assets"],
                cwd=clone,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert project.rows("select count(*) from events.event_data_syncs") == [(2,)]
    assert project.ids() == sorted(api.ids())


def test_a_sync_that_is_killed_leaves_the_table_and_the_next_one_puts_it_right(
    project: Project, clone: Path, api: Sandbox, tmp_path: Path
) -> None:
    home = tmp_path / "dagster_home"
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    project.environment.setenv("DAGSTER_HOME", str(home))
    project.sync(url=api.url)
    before = project.rows("from events.event_data order by id")
    api.faults = Faults(latency=0.5)
    asked = len(api.requests)
    with subprocess.Popen(
        [BIN / "python", "-m", "event_assets"],
        cwd=clone,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as sync:
        while len(api.requests) == asked:
            assert sync.poll() is None
        sync.kill()
    assert project.rows("from events.event_data order by id") == before
    api.faults = Faults()
    api.replace([{"id": "only", "name": "one left", "start_time": None}])
    done = project.run("python", "-m", "event_assets", cwd=clone)
    assert done.returncode == 0, done.stderr
    assert project.ids("current_events") == ["only"]


def test_a_run_in_dagster_home_is_kept_in_its_history(
    project: Project, clone: Path, api: Sandbox, tmp_path: Path
) -> None:
    home = tmp_path / "dagster_home"
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    project.connect_to(api.url)
    done = project.run("python", "-m", "event_assets", cwd=clone, DAGSTER_HOME=str(home))
    assert done.returncode == 0, done.stderr
    in_location = {".dagster/repository": "__repository__@event_assets"}
    of_job = dg.RunsFilter(job_name="sync_events", tags=in_location)  # as the UI lists them
    with DagsterInstance.from_config(str(home)) as instance:
        assert len(instance.get_runs(of_job)) == 1
    assert contents(Path.home()) == {}  # neither Dagster nor dlt counts its users


@pytest.mark.usefixtures("project")
def test_the_lock_alone_makes_a_working_environment(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    uv = shutil.which("uv") or str(ROOT / ".venv-uv/bin/uv")
    for command in (
        [uv, "venv", "--quiet", "--python", str(BIN / "python"), str(venv)],
        [uv, "pip", "install", "--quiet", "--require-hashes", "--link-mode", "hardlink",
         "--python", str(venv / "bin/python"), "-r", str(ROOT / "requirements.txt")],
        [uv, "pip", "install", "--quiet", "--no-deps",
         "--python", str(venv / "bin/python"), "-e", str(ROOT)],
    ):  # fmt: skip
        subprocess.run(command, check=True, timeout=300)
    done = subprocess.run(
        [venv / "bin/python", "-W", "error:::event_assets", "-m", "event_assets"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "5 of 5 passed" in done.stdout
