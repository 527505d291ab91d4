"""A first sync of a large account, killed: the next one goes on at the last checkpoint."""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest

from event_assets.sandbox import EventSimulation, Faults, Sandbox
from event_assets_tests.faults.killing import MATERIALIZE, Killed, driver
from event_assets_tests.faults.tries import Tries, Try
from event_assets_tests.support.project import ROOT, Project

ROWS, PART, PAGE = 20_000, 2_000, 99  # of a page, all rows but the seam
AHEAD = 8  # pages that are asked for before they are read, at the most
KILLS = 12
EVENTS = EventSimulation(size=ROWS, frozen=True).events(datetime(2026, 1, 1, tzinfo=timezone.utc))


@pytest.fixture
def large(project: Project, clone: Path, tmp_path: Path) -> Iterator[Killed]:
    """A copy of the project with a small `checkpoint_rows`, beside an API of 20,000 events."""
    settings = clone / "event_assets/defs/events/defs.yaml"
    settings.write_text(settings.read_text() + f"  checkpoint_rows: {PART}\n")
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


def found(project: Project, query: str) -> list[tuple[Any, ...]]:
    try:
        return project.rows(query)
    except (duckdb.CatalogException, duckdb.IOException):
        return []  # nothing was loaded so far


def judge(large: Killed, this: Try) -> None:
    """Compare the table with the API after a sync that ended well."""
    rows = large.project.rows("select id, name from events.event_data")
    expected = {event["id"]: event["name"] for event in EVENTS}
    this.doubled += len(rows) - len(dict(rows))
    this.lost += sum(dict(rows).get(key) != name for key, name in expected.items())
    assert dict(rows) == expected
    assert large.project.rows("from events.event_data_checkpoint") == []
    (sync,) = large.project.rows(
        "select complete, distinct_ids, total_reported, load_id from events.event_data_syncs "
        "order by started_at desc limit 1"
    )
    assert sync[:3] == (True, ROWS, ROWS)
    assert large.project.rows("select min(_dlt_load_id) from events.event_data") == [(sync[3],)]


def test_killed_at_90_percent_at_most_the_last_part_comes_again(
    large: Killed, clone: Path, tries: Tries
) -> None:
    def command() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "dagster", *MATERIALIZE],
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
        again = set(before) & set(after)
        assert len(again) <= PART // PAGE + 1 + AHEAD
        assert min(after) >= 0.9 * ROWS - PART - (1 + AHEAD) * PAGE
        assert len(after) < len(before) / 3


def test_killed_at_any_instant_again_and_again_it_loses_and_doubles_nothing(
    large: Killed, clone: Path, tries: Tries
) -> None:
    dice = random.Random(7)
    with driver(large, clone) as runs, tries.trying("killed a first sync again and again") as this:
        reached = 0
        for _ in range(KILLS):
            large.api.requests.clear()
            runs.start()
            while not large.api.requests:
                time.sleep(0.002)
            time.sleep(dice.uniform(0, 3))
            if not runs.kill() or found(large.project, "from events.event_data_syncs"):
                break  # the sync had ended: what is made from it was killed
            kept = found(
                large.project, "select position->>'offset' from events.event_data_checkpoint"
            )
            at = int(kept[0][0]) if kept else 0
            assert min(offsets(large.api)) == reached <= at
            ids = found(large.project, "select id from events.event_data")
            assert len(set(ids)) == len(ids) >= at
            reached = at
        runs.start()
        runs.finish()
        judge(large, this)
