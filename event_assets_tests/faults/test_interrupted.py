"""A sync of a large account, killed: the next one requests only what the API has not sent."""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import duckdb
import pytest

from event_assets.sandbox import EventSimulation, Faults, Sandbox
from event_assets_tests.faults.killing import MATERIALIZE, Killed, driver
from event_assets_tests.faults.tries import Tries, Try
from event_assets_tests.support.project import ROOT, Project

ROWS = 20_000
AGAIN = 9  # requests: those in flight at a kill, at the most, and the one that compares the list
KILLS = 10
COMMAND = """
from dagster._cli import main
from event_assets_tests.faults.forking import record_at_once
record_at_once()
main()
"""
EVENTS = EventSimulation(size=ROWS, frozen=True).events(datetime(2026, 1, 1, tzinfo=timezone.utc))


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


def waited_for(happened: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    while not happened():
        assert process.poll() is None, "it ended too soon"
        time.sleep(0.002)


def is_loaded(project: Project) -> bool:
    try:
        return bool(project.rows("from events.event_data_syncs"))
    except (duckdb.CatalogException, duckdb.IOException):
        return False


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
        assert len(set(before) & set(after)) <= AGAIN
        assert len(after) < len(before) / 5


def test_killed_at_any_instant_again_and_again_it_loses_and_doubles_nothing(
    large: Killed, clone: Path, tries: Tries
) -> None:
    dice = random.Random(7)
    requested: list[list[int]] = []
    with driver(large, clone) as runs, tries.trying("killed a first sync again and again") as this:
        for _ in range(KILLS):
            large.api.requests.clear()
            runs.start()
            time.sleep(dice.uniform(0.3, 1.5))  # it may request nothing any more
            is_killed = runs.kill()
            requested.append(offsets(large.api))
            if not is_killed or is_loaded(large.project):
                break  # the sync had ended: what is made from it was killed
        large.api.requests.clear()
        runs.start()
        runs.finish()
        judge(large, this)
    every = [offset for run in requested for offset in run]
    assert len(requested) > 3
    assert len(every) - len(set(every)) <= AGAIN * len(requested)
