"""The command lines that people and CI use, each as a process of its own."""

import hashlib
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from event_assets.sandbox import Sandbox, World
from event_assets_tests.conftest import BIN, ROOT, Project

MATERIALIZE = ("dagster", "asset", "materialize", "-m", "event_assets.definitions", "--select")
FILES = ("event_assets", "dagster.yaml", "pyproject.toml", "setup.cfg", "workspace.yaml")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the project in a folder of its own."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in FILES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder


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
        ("dg", "list", "defs", "--json"),
    ],
    ids=lambda command: "-".join(command[:3]),
)
def test_definitions_load_without_key_network_or_database_and_write_no_file(
    project: Project, clone: Path, command: tuple[str, ...]
) -> None:
    before = contents(clone)
    done = project.run(
        *command,
        cwd=clone,
        EVENTS_API_URL="http://unreachable.invalid",
        PYTHONDONTWRITEBYTECODE="1",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(clone) == before
    assert not project.database.parent.exists()
    assert not [file for file in contents(Path.home()) if "dlt" in file]


def test_materializing_everything_three_times_follows_a_changing_api(project: Project) -> None:
    now = datetime(2026, 3, 1, tzinfo=timezone.utc)
    with Sandbox(World(size=400), clock=lambda: now) as api:
        seen: set[str] = set()
        for _ in range(3):
            project.connect_to(api.url)
            done = project.run(*MATERIALIZE, "*")
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
    assert lines["checks"] == "3 of 3 passed"
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
    assert done.stdout.splitlines()[-1].startswith("Nothing was changed: ")


def test_a_run_in_dagster_home_is_kept_in_its_history(
    project: Project, clone: Path, api: Sandbox, tmp_path: Path
) -> None:
    home = tmp_path / "dagster_home"
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    project.connect_to(api.url)
    done = project.run("python", "-m", "event_assets", cwd=clone, DAGSTER_HOME=str(home))
    assert done.returncode == 0, done.stderr
    listed = project.run("dagster", "run", "list", cwd=clone, DAGSTER_HOME=str(home))
    assert "sync_events" in listed.stdout


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
    assert "3 of 3 passed" in done.stdout
