"""The project under test: its settings, its database, its command line."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
import duckdb
import pytest
from dagster import DagsterInstance, ExecuteInProcessResult

from event_assets.definitions import defs
from event_assets.sandbox import KEY
from event_assets.warehouse import Database
from event_assets.warehouse.destination import DUCKDB_CONFIG

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
DERIVED = {"current_events", "event_changes", "event_calendar", "all_events"}
FILES = ("event_assets", "dagster.yaml", "pyproject.toml", "setup.cfg", "workspace.yaml")


@dataclass(frozen=True)
class Project:
    """One user's set-up: where the database is, and how to sync and to look."""

    database: Path
    open_instance: Callable[[], DagsterInstance]
    environment: pytest.MonkeyPatch

    @property
    def instance(self) -> DagsterInstance:
        """The Dagster instance, in memory, which is opened for those tests that use it."""
        return self.open_instance()

    def connect_to(self, url: str | None, key: str | None = KEY) -> None:
        """Point the project at an API, as `.env` would; None leaves the variable unset."""
        for name, value in {"EVENTS_API_URL": url, "API_KEY": key}.items():
            if value is None:
                self.environment.delenv(name, raising=False)
            else:
                self.environment.setenv(name, value)

    def sync(
        self,
        *,
        url: str | None = None,
        key: str | None = KEY,
        derived: bool = True,
        **options: bool | None,
    ) -> ExecuteInProcessResult:
        """Run the main job in this process, with or without its derived assets."""
        self.connect_to(url, key)
        job = _load_definitions(tuple(sorted(os.environ.items()))).resolve_job_def("sync_events")
        return execute(job, self.instance, derived=derived, **options)

    @contextmanager
    def failing_loads(self) -> Iterator[None]:
        """Let each load fail at its end, when the sync is logged."""

        def fail(*_: Any) -> None:
            raise RuntimeError("at the end of the load")

        with self.environment.context() as patch:
            patch.setattr("event_assets.sync.sync_log.append", fail)
            yield

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Read the database as a user would."""
        with self.connect() as database:
            return database.execute(query).fetchall()

    def connect(self) -> Database:
        """Open the database; while it is open, this process opens it again in no time."""
        self.database.parent.mkdir(exist_ok=True)
        return duckdb.connect(self.database, config=DUCKDB_CONFIG)

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Keep the database open, and do not write its log into the file that nobody reads."""
        with self.connect() as database:
            database.execute("pragma disable_checkpoint_on_shutdown")
            yield

    def ids(self, table: str = "event_data") -> list[str]:
        """Return the ids in a table, sorted."""
        return [row[0] for row in self.rows(f"select id from events.{table} order by id")]

    def run(
        self, *command: str, cwd: Path = ROOT, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command line of the project's environment, as in a terminal."""
        program = [sys.executable, *command[1:]] if command[0] == "python" else command
        if program is command:
            program = [str(BIN / command[0]), *command[1:]]
        return subprocess.run(
            program,
            cwd=cwd,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@contextmanager
def new_project(folder: Path, environment: pytest.MonkeyPatch) -> Iterator[Project]:
    """Make a project with an empty home, an empty database folder and no settings."""
    for name in ("EVENTS_API_URL", "API_KEY"):
        environment.delenv(name, raising=False)
    shutil.copytree(_dagster_home().name, folder / "history")
    environment.setenv("DAGSTER_HOME", str(folder / "history"))
    home = folder / "home"
    home.mkdir()
    database = folder / "data" / "warehouse.duckdb"
    environment.setenv("HOME", str(home))
    environment.setenv("EVENTS_DUCKDB", str(database))
    with ExitStack() as opened:
        open_instance = cache(lambda: opened.enter_context(DagsterInstance.ephemeral()))
        yield Project(database, open_instance, environment)


@lru_cache
def _dagster_home() -> TemporaryDirectory[str]:
    """Make a DAGSTER_HOME with its databases: two processes that make them at once conflict."""
    folder = TemporaryDirectory(prefix="dagster_home")
    shutil.copy(ROOT / "dagster.yaml", folder.name)
    with DagsterInstance.from_config(folder.name) as instance:
        instance.get_runs(limit=1)
    return folder


def execute(
    job: dg.JobDefinition, instance: DagsterInstance, *, derived: bool, **options: bool | None
) -> ExecuteInProcessResult:
    """Run a job in this process, with or without its derived assets, with options of its syncs."""
    synced = [key for key in job.asset_layer.executable_asset_keys if key.path[-1] not in DERIVED]
    return job.execute_in_process(
        instance=instance,
        asset_selection=None if derived else synced,
        run_config={"ops": {"__".join(key.path): {"config": options} for key in synced}}
        if options
        else None,
        raise_on_error=False,
    )


@lru_cache(maxsize=1)
def _load_definitions(environment: tuple[tuple[str, str], ...]) -> dg.Definitions:  # noqa: ARG001
    """Load the project once for all syncs of a test that have the same environment."""
    return defs()


def metadata(result: ExecuteInProcessResult, asset: str = "event_data") -> dict[str, Any]:
    """Return the metadata of an asset's materialization in a run."""
    found = [
        event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(asset)
    ]
    assert len(found) == 1
    return {
        name: entry.records if isinstance(entry, dg.TableMetadataValue) else entry.value
        for name, entry in found[0].items()
    }


def checks(result: ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    """Return the check results of a run, by the check's name."""
    return {check.check_name: check for check in result.get_asset_check_evaluations()}


def failure(result: ExecuteInProcessResult) -> str:
    """Return the error message of the failed step of a run."""
    (step,) = [event for event in result.all_events if event.is_step_failure]
    error = step.step_failure_data.error
    assert error is not None
    return error.to_string()


def shown(check: dg.AssetCheckEvaluation | dg.AssetCheckResult, name: str) -> list[dict[str, Any]]:
    """Return the rows of a table in a check's metadata."""
    table = check.metadata[name]
    assert isinstance(table, dg.TableMetadataValue)
    return [dict(record.data) for record in table.records]
