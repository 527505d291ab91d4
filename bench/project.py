"""This project's sync: its job in process, and its command."""

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from bench.contenders import COLUMNS, NO_ROWS, Prepared, count_rows
from event_assets.sandbox import KEY

if TYPE_CHECKING:
    from event_assets.config.fields import FieldConfig

ASSET = "event_data"
TABLE = f"events.{ASSET}"
DATABASE = "warehouse.duckdb"
JOB = "sync_events"
SILENT_LOGS = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
MODULE = ("-m", "event_assets.definitions")


def prepare_in_process(url: str, folder: Path, assets: Sequence[str] = (ASSET,)) -> Prepared:
    """Prepare the job for the assets and their checks in this process, all of it imported."""
    database = _configure(url, folder)
    import dagster as dg

    from event_assets.definitions import defs

    job = defs().resolve_job_def(JOB)
    for steps in ("steps", "check_results"):  # imported when one begins
        import_module(f"event_assets.orchestration.{steps}")
    with dg.DagsterInstance.ephemeral():  # Dagster imports its storage with the first one
        pass

    def run() -> bool:
        with dg.DagsterInstance.ephemeral() as instance:
            return job.execute_in_process(
                run_config=SILENT_LOGS,
                instance=instance,
                asset_selection=[dg.AssetKey(name) for name in assets],
                raise_on_error=False,
            ).success

    return Prepared(run, lambda: count_rows(database, TABLE), database)


def prepare_command(url: str, folder: Path) -> Prepared:
    """Prepare the command as CI runs it: a process that imports, loads and syncs."""
    database = _configure(url, folder)

    def run() -> bool:
        return run_dagster(folder, "asset", "materialize", "--select", ASSET, *MODULE)

    return Prepared(run, lambda: count_rows(database, TABLE), database)


def prepare_validate(url: str, folder: Path) -> Prepared:
    """Prepare the command that validates the definitions."""
    _configure(url, folder)
    return Prepared(
        lambda: run_dagster(folder, "definitions", "validate", *MODULE), lambda: NO_ROWS
    )


def run_dagster(folder: Path, *arguments: str) -> bool:
    """Run a command of Dagster in a folder, and return whether it reports success."""
    return run_python(folder, "-m", "dagster", *arguments)


def run_python(folder: Path, *arguments: str, python: str = sys.executable) -> bool:
    """Run a Python in a folder, show its errors, and return whether it reports success."""
    command = [python, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
    return done.returncode == 0


def build_contract() -> dict[str, "FieldConfig"]:
    """Return the typed columns of the default source."""
    from event_assets.config.fields import FieldConfig

    return {
        name: FieldConfig.model_validate({"type": str(hint["data_type"])})
        for name, hint in COLUMNS.items()
    }


def _configure(url: str, folder: Path) -> Path:
    database = folder / DATABASE
    os.environ.update(EVENTS_API_URL=url, API_KEY=KEY, EVENTS_DUCKDB=str(database))
    return database
