"""Kill syncs at a chosen point."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from event_assets_tests.faults.tries import Try
from event_assets_tests.support.project import ROOT, Project
from event_assets_tests.support.sandbox import Sandbox

EVENTS = 1500
MOVED = 50  # leave, and as many come, with each generation
PAGES = EVENTS // 100 + 1
MATERIALIZE = ("asset", "materialize", "-m", "event_assets.definitions", "--select", "*")
Rows = dict[str, int]  # versions by id


def generation(number: int) -> list[dict[str, Any]]:
    """Return the API's events at a time; the version of an event tells when it was written."""
    first = number * MOVED
    return [
        {
            "id": f"evt_{i:05}",
            "name": f"event {i}, version {number}",
            "start_time": f"2026-01-{1 + i % 28:02}T12:00:00Z",
            "version": number,
            "price": number + number % 2 / 2,  # becomes a column of floats
            "venue": {"name": f"hall {i % 7}", "city": "x" * 200},
        }
        for i in range(first, first + EVENTS)
    ]


@dataclass
class Killed:
    """A project whose syncs are killed.

    Attributes:
        number: of the API's generation.
        good: what the newest good sync has left.
    """

    project: Project
    api: Sandbox
    temporary: Path
    number: int = -1
    good: Rows = field(default_factory=dict)

    def next_generation(self) -> None:
        """Let the API change."""
        self.number += 1
        self.api.replace(generation(self.number))
        self.api.requests.clear()

    @property
    def expected(self) -> Rows:
        """What the table holds after a good sync of now."""
        return {**self.good, **{event["id"]: self.number for event in generation(self.number)}}

    def start_again(self) -> None:
        """Remove the database and everything beside it."""
        self.good = {}
        for file in sorted(self.project.database.parent.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()

    def rows(self) -> Rows:
        """Read the table: not there is empty."""
        try:
            rows = self.project.rows("select id, version from events.event_data")
        except (duckdb.CatalogException, duckdb.BinderException):
            return {}  # not there, or without data so far
        assert len(rows) == len(dict(rows)), "doubled"
        return dict(rows)

    def judge(self) -> str:
        """Look right after a kill; say what the sync was doing."""
        fetching = len(self.api.requests) < PAGES
        if self.project.database.exists():
            found = self.rows()
            assert found in (self.good, self.expected), (
                f"neither the old events nor the new ones, but {self.differences(found)}"
            )
        else:
            found = {}
        if fetching:
            return "fetching"
        if found == self.expected:
            return "finishing, after the load"
        return "loading" if self.is_loading() else "extracting"

    def differences(self, found: Rows) -> str:
        """Return how many events of the old and of the new table are missing or differ."""
        wrong = {
            name: sum(found.get(key) != version for key, version in rows.items())
            for name, rows in {"of the old": self.good, "of the new": self.expected}.items()
        }
        return f"{len(found)} events; wrong or lacking: {wrong}"

    def is_loading(self) -> bool:
        """Is there a load package that is not loaded yet?"""
        packages = self.folder / "events" / "normalize" / "extracted"
        try:
            return any((package / "schema.json").exists() for package in packages.iterdir())
        except FileNotFoundError:  # not there yet, or just removed
            return False

    def judge_recovered(self, this: Try, is_first: bool = False) -> None:
        """Look after the next sync that was let run to its end."""
        rows = self.project.rows("select id, version from events.event_data")
        found = dict(rows)
        this.doubled += len(rows) - len(found)
        this.lost += sum(found.get(key) != version for key, version in self.expected.items())
        assert found == self.expected
        self.good = found
        assert self.project.ids("current_events") == [e["id"] for e in generation(self.number)]
        changes = self.project.rows(
            "select change, field, new, id from events.event_changes where field is null "
            f"or (field = 'version' and new = '{self.number}')"
        )
        this.doubled += len(changes) - len(set(changes))
        if not is_first:
            changed = sum(change == "changed" for change, *_ in changes)
            assert changed == EVENTS - MOVED, f"{changed} changes were noted"

    @property
    def folder(self) -> Path:
        """Where dlt works."""
        return self.project.database.parent / "dlt" / self.project.database.stem

    def files(self) -> list[str]:
        """List all that lies beside the database, with load ids left out."""
        return sorted(
            str(file.relative_to(self.project.database.parent))
            for file in self.project.database.parent.rglob("*")
            if "loaded" not in file.parts
        )


class Driver:
    """Starts syncs at once, in processes that can be killed."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process = process
        self._log = log
        self._running = 0
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def start(self, line: str = "") -> None:
        """Start a sync, as a line says, when the one before has ended."""
        if self._running:
            self.kill()
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        self._running = int(self._line())
        assert self._running > 1

    def kill(self) -> bool:
        """Kill it; say whether it still ran."""
        with suppress(ProcessLookupError):
            os.kill(self._running, signal.SIGKILL)
        return self._status() == -signal.SIGKILL

    def has_finished(self) -> bool:
        """Wait for its end; say whether it was not killed."""
        return self._status() != -signal.SIGKILL

    def finish(self) -> None:
        """Let it run to its end, which must be a good one."""
        status = self._status()
        assert status == 0, f"status {status}: {self._log.read_text()[-1500:]}"

    def _status(self) -> int:
        """Wait for its end; give its exit status, negative for a signal."""
        self._running = 0
        return int(self._line())


def driver(killed: Killed, folder: Path = ROOT) -> AbstractContextManager[Driver]:
    """Start a driver of the whole job, in a project's folder."""
    return starting("driver", killed.temporary / "driver.log", folder)


@contextmanager
def starting(module: str, log: Path, folder: Path = ROOT) -> Iterator[Driver]:
    """Start a driver, a module beside this one."""
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-m", f"event_assets_tests.faults.{module}"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        yield Driver(process, log)
        assert process.stdin
        process.stdin.close()


def waited_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.001)
