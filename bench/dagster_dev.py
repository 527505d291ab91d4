"""Run `dagster dev` in a copy of the project."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import requests

ROOT = Path(__file__).resolve().parents[1]
FILES = ("event_assets", "dagster.yaml", "pyproject.toml", "setup.cfg", "workspace.yaml")
LAUNCH = """mutation { launchRun(executionParams: {selector: {jobName: "%s",
  repositoryName: "__repository__", repositoryLocationName: "event_assets"}})
  { ... on LaunchRunSuccess { run { runId } } } }"""
STATUS = '{ runOrError(runId: "%s") { ... on Run { status } } }'
FINAL_STATUSES = ("SUCCESS", "FAILURE", "CANCELED")

T = TypeVar("T")


@dataclass(frozen=True)
class DagsterDev:
    """A running `dagster dev` with `folder` as DAGSTER_HOME."""

    url: str
    folder: Path
    pid: int

    def run(self, job: str) -> str:
        """Run a job to its end and return its status."""
        run_id = self._query(LAUNCH % job)["launchRun"]["run"]["runId"]

        def final_status() -> str:
            status = str(self._query(STATUS % run_id)["runOrError"]["status"])
            return status if status in FINAL_STATUSES else ""

        return wait_for(final_status, seconds=300)

    def count_runs(self) -> int:
        """Return the number of runs in Dagster's history."""
        found = self._query("{ runsOrError { ... on Runs { results { runId } } } }")
        return len(found["runsOrError"]["results"])

    def is_ready(self) -> bool:
        """Return whether the webserver responds and the code location is loaded."""
        try:
            found = self._query("{ repositoriesOrError { __typename } }")
        except requests.ConnectionError:
            return False
        return bool(found["repositoriesOrError"]["__typename"] == "RepositoryConnection")

    def _query(self, query: str) -> Any:
        response = requests.post(f"{self.url}/graphql", json={"query": query}, timeout=60)
        return response.json()["data"]


def wait_for(condition: Callable[[], T], seconds: float = 90) -> T:
    """Call `condition` until its result is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise SystemExit(f"dagster dev: timeout after {seconds:g} s")
        time.sleep(0.2)
    return found


def copy_project(folder: Path, cron: str) -> None:
    """Copy the project into `folder`, with `cron` as its sync schedule."""
    for name in FILES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    contract = folder / "event_assets/defs/events/defs.yaml"
    contract.write_text(contract.read_text().replace("*/15 * * * *", cron))


@contextmanager
def run_dagster_dev(folder: Path, settings: Mapping[str, str]) -> Iterator[DagsterDev]:
    """Run `dagster dev` in a copy of the project and stop it at the end."""
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "DAGSTER_HOME": str(folder),
        "EVENTS_DUCKDB": str(folder / "data" / "warehouse.duckdb"),
        "PYTHONPATH": str(folder),
        **settings,
    }
    with (folder / "dev.log").open("w") as log:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("dagster"), "dev", "-h", "127.0.0.1", "-p", str(port)],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            dagster = DagsterDev(f"http://127.0.0.1:{port}", folder, process.pid)
            wait_for(dagster.is_ready)
            yield dagster
        finally:
            os.killpg(process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=30)
            with suppress(ProcessLookupError):  # a run may still be active
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
