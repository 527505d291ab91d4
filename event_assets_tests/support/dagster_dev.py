"""A real `dagster dev` of a copy of the project, on a free port."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from event_assets_tests.support.polling import free_port, until
from event_assets_tests.support.project import BIN, FILES, ROOT

LAUNCH = """mutation { launchRun(executionParams: {selector: {jobName: "%s",
  repositoryName: "__repository__", repositoryLocationName: "event_assets"}})
  { __typename ... on LaunchRunSuccess { run { runId } } } }"""
ERRORS = """
{ logsForRun(runId: "%s", limit: 1000) { ... on EventConnection { events {
    ... on ErrorEvent { error { message } } } } } }
"""
TICKS = """{ scheduleOrError(scheduleSelector: {scheduleName: "%s",
  repositoryName: "__repository__", repositoryLocationName: "event_assets"})
  { ... on Schedule { scheduleState { ticks { status skipReason timestamp runIds } } } } }"""
ENDED = ("SUCCESS", "FAILURE", "CANCELED")


@dataclass(frozen=True)
class Dagster:
    """A running `dagster dev`; all that it keeps is in its folder."""

    url: str
    folder: Path
    pid: int

    @property
    def log(self) -> str:
        """Return its output so far."""
        return (self.folder / "dev.log").read_text()

    def tick_every_minute(self) -> None:
        """Change the schedule in defs.yaml, and load it."""
        sync_at(self.folder, "* * * * *")
        self.ask(
            'mutation { reloadRepositoryLocation(repositoryLocationName: "event_assets") '
            "{ __typename } }"
        )

    def ask(self, query: str) -> Any:
        """Ask its GraphQL API."""
        answer = requests.post(f"{self.url}/graphql", json={"query": query}, timeout=60)
        return answer.json()["data"]

    def answers(self) -> bool:
        """Is it there, with its code loaded?"""
        try:
            found = self.ask("{ repositoriesOrError { __typename } }")
        except requests.ConnectionError:
            return False
        return bool(found["repositoriesOrError"]["__typename"] == "RepositoryConnection")

    def runs(self) -> list[dict[str, Any]]:
        """Return all runs, the newest first."""
        fields = "runId status jobName tags { key value }"
        found: list[dict[str, Any]] = self.ask(
            f"{{ runsOrError {{ ... on Runs {{ results {{ {fields} }} }} }} }}"
        )["runsOrError"]["results"]
        return found

    def errors(self, run_id: str) -> list[str]:
        """Return the messages of what failed in a run."""
        events = self.ask(ERRORS % run_id)["logsForRun"]["events"]
        return [event["error"]["message"] for event in events if event.get("error")]

    def ticks(self, schedule: str) -> list[dict[str, Any]]:
        """Return the ticks of a schedule, the newest first."""
        state = self.ask(TICKS % schedule)["scheduleOrError"]["scheduleState"]
        found: list[dict[str, Any]] = state["ticks"]
        return found

    def run(self, job: str) -> str:
        """Run a job to its end, as the button in the UI does, and give its status."""
        run_id = self.ask(LAUNCH % job)["launchRun"]["run"]["runId"]
        query = f'{{ runOrError(runId: "{run_id}") {{ ... on Run {{ status }} }} }}'

        def ended() -> str:
            status = str(self.ask(query)["runOrError"]["status"])
            return status if status in ENDED else ""

        return until(ended, patience=300)

    def finished(self, how_many: int) -> list[dict[str, Any]]:
        """Wait until so many runs have ended and none runs; return all, the newest first."""

        def ended() -> list[dict[str, Any]]:
            runs = self.runs()
            over = all(run["status"] in ENDED for run in runs)
            return runs if over and len(runs) >= how_many else []

        return until(ended)


def sync_at(folder: Path, cron: str) -> None:
    """Change the schedule of a copy of the project."""
    contract = folder / "event_assets/defs/events/defs.yaml"
    contract.write_text(re.sub('schedule: ".*"', f'schedule: "{cron}"', contract.read_text()))


def copied(folder: Path) -> Path:
    """Copy the project into a folder."""
    for name in FILES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder


@contextmanager
def dagster_dev(folder: Path, settings: Mapping[str, str]) -> Iterator[Dagster]:
    """Run it in a folder with a copy of the project, until it is stopped as by Ctrl-C."""
    for name in ("home", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    port = free_port()
    environment = {
        **os.environ,
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "DAGSTER_HOME": str(folder),
        "EVENTS_DUCKDB": str(folder / "data" / "warehouse.duckdb"),
        "PYTHONPATH": str(folder),
        **settings,
    }
    with (folder / "dev.log").open("w") as output:
        process = subprocess.Popen(
            [BIN / "dagster", "dev", "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        running = Dagster(f"http://127.0.0.1:{port}", folder, process.pid)
        try:
            until(running.answers)
            yield running
        finally:
            os.killpg(process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=30)
            with suppress(ProcessLookupError):  # a run may still be at work
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
