"""A real `dagster dev` on a free port, an API that the tests rule, and a browser."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect, sync_playwright

from event_assets.sandbox import KEY, Sandbox
from event_assets_tests.conftest import BIN, FILES, ROOT

PATIENCE = 90.0  # seconds
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)


def until(happened: Callable[[], Any]) -> Any:
    """Wait for what must happen, and give what it gave."""
    deadline = time.monotonic() + PATIENCE
    while not (found := happened()):
        assert time.monotonic() < deadline
        time.sleep(0.2)  # between two looks at another process
    return found


@dataclass
class Dagster:
    """A running `dagster dev`."""

    url: str
    folder: Path
    api: Sandbox

    @property
    def log(self) -> str:
        """Give what it has said so far."""
        return (self.folder / "dev.log").read_text()

    def tick_every_minute(self) -> None:
        """Change the schedule in defs.yaml, and load it."""
        contract = self.folder / "event_assets/defs/events/defs.yaml"
        contract.write_text(contract.read_text().replace("*/15 * * * *", "* * * * *"))
        self.ask(
            'mutation { reloadRepositoryLocation(repositoryLocationName: "event_assets") '
            "{ __typename } }"
        )

    def ask(self, query: str) -> Any:
        """Ask its GraphQL API."""
        answer = requests.post(f"{self.url}/graphql", json={"query": query}, timeout=30)
        return answer.json()["data"]

    def runs(self) -> list[dict[str, Any]]:
        """Give all runs, the newest first."""
        fields = "runId status jobName tags { key value }"
        found: list[dict[str, Any]] = self.ask(
            f"{{ runsOrError {{ ... on Runs {{ results {{ {fields} }} }} }} }}"
        )["runsOrError"]["results"]
        return found

    def finished(self, how_many: int) -> list[dict[str, Any]]:
        """Wait until so many runs have ended, and none runs; give all, the newest first."""

        def ended() -> list[dict[str, Any]]:
            runs = self.runs()
            over = all(run["status"] in ("SUCCESS", "FAILURE", "CANCELED") for run in runs)
            return runs if over and len(runs) >= how_many else []

        found: list[dict[str, Any]] = until(ended)
        return found


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="session")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dagster]:
    folder = tmp_path_factory.mktemp("project")
    for name in FILES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    home = folder / "home"
    home.mkdir()
    port = _free_port()
    with Sandbox(500) as api, (folder / "dev.log").open("w") as output:
        environment = {
            **os.environ,
            "HOME": str(home),
            "DAGSTER_HOME": str(folder),
            "EVENTS_API_URL": api.url,
            "API_KEY": KEY,
            "EVENTS_DUCKDB": str(folder / "data" / "warehouse.duckdb"),
            "PYTHONPATH": str(folder),
        }
        process = subprocess.Popen(
            [BIN / "dagster", "dev", "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        running = Dagster(f"http://127.0.0.1:{port}", folder, api)
        try:
            until(lambda: _answers(running))
            yield running
        finally:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _answers(dagster: Dagster) -> bool:
    try:
        return requests.get(f"{dagster.url}/server_info", timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="session")
def page(dagster: Dagster) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        page = browser.new_page(base_url=dagster.url, viewport={"width": 1500, "height": 2400})
        page.set_default_timeout(PATIENCE * 1000)
        expect.set_options(timeout=PATIENCE * 1000)
        yield page
        browser.close()
