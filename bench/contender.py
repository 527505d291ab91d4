"""This project's sync, from outside: its job, and its command."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.contenders import COLUMNS, Prepared, rows_in
from event_assets.sandbox import KEY

if TYPE_CHECKING:
    from event_assets.config.fields import FieldConfig

ASSET = "event_data"
TABLE = f"events.{ASSET}"
DATABASE = "warehouse.duckdb"
JOB = "sync_events"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
COMMAND = ("-m", "dagster", "asset", "materialize", "--select", ASSET)


def in_process(url: str, folder: Path) -> Prepared:
    """Prepare the job in this process, definitions loaded, for `event_data` and its checks."""
    database = _configure(url, folder)
    import dagster as dg

    from event_assets.definitions import defs

    job = defs().resolve_job_def(JOB)

    def run() -> bool:
        with dg.DagsterInstance.ephemeral() as instance:
            return job.execute_in_process(
                run_config=QUIET,
                instance=instance,
                asset_selection=[dg.AssetKey(ASSET)],
                raise_on_error=False,
            ).success

    return Prepared(run, lambda: rows_in(database, TABLE), database)


def command(url: str, folder: Path) -> Prepared:
    """Prepare the whole command, as CI runs it: a process that imports, loads and syncs."""
    database = _configure(url, folder)

    def run() -> bool:
        done = subprocess.run(
            [sys.executable, *COMMAND, "-m", "event_assets.definitions"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            print(done.stderr, file=sys.stderr)
        return done.returncode == 0

    return Prepared(run, lambda: rows_in(database, TABLE), database)


def contract() -> dict[str, "FieldConfig"]:
    """Give the typed columns of the default source."""
    from event_assets.config.fields import FieldConfig

    return {
        name: FieldConfig.model_validate({"type": str(hint["data_type"])})
        for name, hint in COLUMNS.items()
    }


def _configure(url: str, folder: Path) -> Path:
    database = folder / DATABASE
    os.environ.update(EVENTS_API_URL=url, API_KEY=KEY, EVENTS_DUCKDB=str(database))
    return database
