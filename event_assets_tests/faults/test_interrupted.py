"""Syncs that are ended: killed, by Ctrl-C, by a closed terminal, without their output."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from event_assets.config.http import DEFAULT_CONCURRENCY
from event_assets_tests.faults.killing import MATERIALIZE, PAGES, Killed, driver
from event_assets_tests.faults.tries import Tries, Try
from event_assets_tests.support.project import BIN, ROOT, Project
from event_assets_tests.support.sandbox import EventSimulation, Faults, Sandbox

ROWS = 20_000
# Requests: those in flight at a kill, at the most, and the one that compares the list.
AGAIN = DEFAULT_CONCURRENCY + 1
KILLS, PATIENCE = 6, 60.0  # seconds
COMMAND = """
from dagster._cli import main
from event_assets_tests.faults.forking import record_at_once
record_at_once()
main()
"""
EVENTS = EventSimulation(size=ROWS, frozen=True).events(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def large(project: Project, clone: Path, tmp_path: Path) -> Iterator[Killed]:  # noqa: ARG001
    """A copy of the project beside an API of 20,000 events."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    project.environment.setenv("TMPDIR", str(temporary))
    project.environment.setenv("PYTHONPATH", str(ROOT))  # for the driver; the copy comes first
    with Sandbox(EVENTS, faults=Faults(latency=0.01)) as api:
        project.connect_to(api.url)
        yield Killed(project, api, temporary)


def offsets(api: Sandbox) -> list[int]:
    return [request.offset or 0 for request in api.requests]


def waited_for(happened: Callable[[], bool], process: "subprocess.Popen[Any]") -> None:
    while not happened():
        assert process.poll() is None, "it ended too soon"
        time.sleep(0.002)


def judge(large: Killed, this: Try) -> None:
    """Compare the table with the API after a sync that ended well."""
    rows = large.project.rows("select id, name from events.event_data")
    expected = {event["id"]: event["name"] for event in EVENTS}
    this.doubled += len(rows) - len(dict(rows))
    this.lost += sum(dict(rows).get(key) != name for key, name in expected.items())
    assert dict(rows) == expected
    (sync,) = large.project.rows(
        "select complete, distinct_ids, total_reported from events.event_data_syncs"
    )
    assert sync == (True, ROWS, ROWS)
    assert list(large.project.database.parent.rglob("*.journal")) == []


def test_killed_at_90_percent_only_the_rest_is_requested(
    large: Killed, clone: Path, tries: Tries
) -> None:
    def command() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-c", COMMAND, *MATERIALIZE],
            cwd=clone,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    with tries.trying("killed a first sync at 90 % and went on") as this:
        with command() as sync:
            waited_for(lambda: max(offsets(large.api), default=0) >= 0.9 * ROWS, sync)
            sync.kill()
        before = offsets(large.api)
        large.api.requests.clear()
        with command() as sync:
            assert sync.wait(300) == 0
        after = offsets(large.api)
        judge(large, this)
        assert len(after) - len(set(after) - set(before)) <= AGAIN


def test_killed_at_any_instant_again_and_again_it_loses_and_doubles_nothing(
    large: Killed, clone: Path, tries: Tries
) -> None:
    dice = random.Random(7)
    requested: list[list[int]] = []
    with driver(large, clone) as runs, tries.trying("killed a first sync again and again") as this:
        for _ in range(KILLS):
            large.api.requests.clear()
            runs.start()
            number = dice.randint(3, 20)  # of 203 requests: no run gets to the end
            deadline = time.monotonic() + PATIENCE
            while len(large.api.requests) < number:
                assert time.monotonic() < deadline, "it requests nothing more"
                time.sleep(0.002)
            assert runs.kill()
            requested.append(offsets(large.api))
        large.api.requests.clear()
        runs.start()
        runs.finish()
        judge(large, this)
    every = [offset for run in requested for offset in run]
    assert len(every) - len(set(every)) <= AGAIN * len(requested)


SYNC = ("python", "-m", "event_assets")
ENDS = {  # the command, when it is ended, by what, its exit status, what it says last
    "Ctrl-C while it imports": (SYNC, None, signal.SIGINT, 130),
    "Ctrl-C while it requests": (SYNC, 5, signal.SIGINT, 130),
    "the terminal closed while it requests": (SYNC, 5, signal.SIGHUP, 129),
    "Ctrl-C in dagster": (("dagster", *MATERIALIZE), 5, signal.SIGINT, 130),
    "the terminal closed in dagster": (("dagster", *MATERIALIZE), 5, signal.SIGHUP, 129),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_command_that_is_interrupted_says_so_in_one_line(
    large: Killed, clone: Path, tries: Tries, tmp_path: Path, how: str
) -> None:
    command, requests, number, status = ENDS[how]
    home = with_home(large, tmp_path)
    with tries.trying(f"ended: {how}"):
        process = subprocess.Popen(
            [BIN / command[0], *command[1:]],
            cwd=clone,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        with process:
            try:
                if requests:
                    waited_for(lambda: len(large.api.requests) >= requests, process)
                else:
                    waited_for(lambda: imports(process.pid), process)
                os.killpg(process.pid, number)  # as a terminal does
                said, _ = process.communicate(timeout=60)
            finally:
                process.kill()
        assert process.returncode == status, said
        assert said.splitlines()[-1] == "Interrupted."
        assert said.count("Interrupted.\n") == 1
        assert "Traceback" not in said
        assert "passed" not in said
        with dg.DagsterInstance.from_config(str(home)) as instance:
            assert {run.status.value for run in instance.get_runs()} <= {"FAILURE"}


def imports(pid: int) -> bool:
    """Return whether a command has begun to import Dagster."""
    return "pydantic" in Path(f"/proc/{pid}/maps").read_text()


def with_home(large: Killed, folder: Path) -> Path:
    home = folder / "dagster"
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    large.project.environment.setenv("DAGSTER_HOME", str(home))
    return home


def test_a_killed_run_is_failed_by_the_next_command_and_leaves_no_folder(
    killed: Killed, tries: Tries, tmp_path: Path
) -> None:
    home = with_home(killed, tmp_path)
    killed.next_generation()
    with tries.trying("killed: its run and its folders") as this:
        with subprocess.Popen(
            [BIN / "dagster", *MATERIALIZE], cwd=ROOT, stderr=subprocess.DEVNULL
        ) as sync:
            waited_for(lambda: len(killed.api.requests) > PAGES // 2, sync)
            sync.kill()
        done = killed.project.run(*SYNC)
        assert done.returncode == 0, done.stderr
        killed.judge_recovered(this, is_first=True)
        with dg.DagsterInstance.from_config(str(home)) as instance:
            last, first = instance.get_runs()
        assert (first.status.value, last.status.value) == ("FAILURE", "SUCCESS")
        assert not list(killed.temporary.glob("events-*"))


OUTPUTS = {  # the end of the command line, the exit status
    "a reader that does not read": ("| true", 141),
    "a reader that goes": ("| head -1", 141),
    "a full disk": ("> /dev/full 2>&1", 0),
    "a closed terminal": (">&- 2>&-", 0),
}


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_sync_does_not_depend_on_its_output(killed: Killed, tries: Tries, output: str) -> None:
    redirect, status = OUTPUTS[output]
    killed.next_generation()
    with tries.trying(f"output: {output}") as this:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", f"{BIN}/python -m event_assets {redirect}"],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, done.stderr
        killed.judge_recovered(this, is_first=True)
