"""A sync that is killed at any instant: the table is readable, and the next sync puts it right.

A command starts for some 5 s before it syncs for one. So a small driver (`driver.py`), which has
imported and defined everything, forks a child for each sync, which runs the whole job `sync_events`
from the first request to the last table: 24 children of a first sync and 36 of a later one are
killed (SIGKILL). Half of the instants are spread evenly from the first request to the end, half
over the time from when the load package is there until it is loaded, as measured beforehand. The
API changes before each: all records get a new version, some leave, some come. Four times `dagster
asset materialize` itself is killed, in a process of its own. Where the kills fell is seen by what
is on the disk, and said in the table.
"""

import subprocess
import time
from dataclasses import dataclass

import pytest

from event_assets_tests.faults.killing import MATERIALIZE, Driver, Killed, driver, waited_for
from event_assets_tests.faults.tries import Tries
from event_assets_tests.support.project import BIN, ROOT

FIRST, LATER, COMMANDS = 24, 36, 4  # kills


@dataclass(frozen=True)
class Instants:
    """When a sync did what, in seconds since its start."""

    asked: float
    loading: float
    loaded: float
    ended: float


def measured(killed: Killed, runs: Driver) -> Instants:
    """Sync once to the end, and look when what happens."""
    killed.next_generation()
    began = time.monotonic()
    runs.start()
    waited_for(killed.is_loading)
    loading = time.monotonic()
    waited_for(lambda: not killed.is_loading())
    loaded = time.monotonic()
    runs.finish()
    ended = time.monotonic()
    killed.good = killed.rows()
    assert killed.good == killed.expected
    asked = killed.api.requests[0].at
    return Instants(asked - began, loading - began, loaded - began, ended - began)


@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_a_sync_killed_at_any_instant_does_no_harm(
    killed: Killed, tries: Tries, first: bool
) -> None:
    count, which = (FIRST, "a first sync") if first else (LATER, "a later sync")
    with driver(killed) as runs:
        measured(killed, runs)  # the very first one of a process is slower
        if first:
            killed.start_again()
        at = measured(killed, runs)
        beside = killed.files()
        for number in range(count):
            share = (number // 2 + 0.5) / (count // 2)
            with tries.trying(f"killed in {which}") as this:
                if first:
                    killed.start_again()
                killed.next_generation()
                runs.start()
                if number % 2:
                    waited_for(killed.is_loading)
                    time.sleep((at.loaded - at.loading) * share)
                else:
                    time.sleep(at.asked + (at.ended - at.asked) * share)
                was_running = runs.kill()
                doing = killed.judge()
                this.fault = f"killed in {which}: {doing if was_running else 'too late'}"
                runs.start()
                runs.finish()
                killed.judge_recovered(this, first)
        assert killed.files() == beside  # nothing grows


def test_the_command_killed_at_any_instant_does_no_harm(killed: Killed, tries: Tries) -> None:
    def command() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [BIN / "dagster", *MATERIALIZE],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    killed.next_generation()
    with command() as whole:
        assert whole.wait(120) == 0
        lasted = time.monotonic() - killed.api.requests[0].at
    killed.good = killed.rows()
    for number in range(COMMANDS):
        with tries.trying("killed `dagster asset materialize`") as this:
            killed.next_generation()
            with command() as sync:
                while not killed.api.requests:
                    assert sync.poll() is None
                    time.sleep(0.002)
                time.sleep(max(lasted - 1, 0.5) * number / COMMANDS)
                sync.kill()
            this.fault = f"killed `dagster asset materialize`: {killed.judge()}"
            with command() as sync:
                assert sync.wait(120) == 0
            killed.judge_recovered(this)
