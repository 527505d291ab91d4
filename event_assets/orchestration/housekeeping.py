"""The job `housekeeping`: delete old runs, and maintain a DuckLake."""

import json
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unicodedata import normalize

import dagster as dg
from dagster import DagsterRunStatus

from event_assets.orchestration.code_locations import LOCATION_TAG, is_in_location
from event_assets.orchestration.executors import in_process_executor
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.values.json_text import as_in_json
from event_assets.values.wording import counted
from event_assets.warehouse.connection import run_maintenance

RETENTION_VARIABLE = "EVENTS_KEEP_RUNS_DAYS"
DEFAULT_RETENTION = 30  # days
ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


def build_housekeeping() -> dg.Definitions:
    """Build the job and its schedule."""

    @dg.op(
        description=f"Deletes runs that ended more than {RETENTION_VARIABLE} "
        f"({DEFAULT_RETENTION}) days ago, with their logs. The newest run of each asset stays, "
        "and so do the runs of other code locations."
    )
    def delete_old_runs(context: dg.OpExecutionContext) -> None:
        days = float(os.environ.get(RETENTION_VARIABLE) or DEFAULT_RETENTION)
        before = datetime.now(UTC) - timedelta(days=days)
        deleted = purge_runs(context.instance, before, context.run.tags.get(LOCATION_TAG))
        context.log.info(
            f"Deleted {counted(deleted, 'run')} that ended more than {days:g} days ago."
        )
        context.add_output_metadata({"runs_deleted": deleted})

    @dg.op(
        description="Merges small files of a DuckLake, and deletes those that its tables have not "
        "needed for EVENTS_DUCKLAKE_KEEP_DAYS days (7). Does nothing in a DuckDB file."
    )
    def tidy_warehouse() -> None:
        run_with_plain_errors(run_maintenance)

    @dg.job(
        description="Deletes old runs from Dagster's history, and unused files of a DuckLake.",
        executor_def=in_process_executor,
    )
    def housekeeping() -> None:
        delete_old_runs()
        tidy_warehouse()

    schedule = dg.ScheduleDefinition(
        name="housekeeping_schedule",
        job=housekeeping,
        cron_schedule="41 3 * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    return dg.Definitions(jobs=[housekeeping], schedules=[schedule])


def purge_runs(instance: dg.DagsterInstance, before: datetime, location: str | None = None) -> int:
    """Delete a code location's runs that ended before a time, except the newest of each asset.

    Return how many.
    """
    newest = map(instance.get_latest_materialization_event, instance.all_asset_keys())
    kept = {event.run_id for event in newest if event}
    deleted = 0
    old = dg.RunsFilter(statuses=ENDED, created_before=before, updated_before=before)
    for run in instance.get_runs(old):
        if run.run_id not in kept and is_in_location(run, location):
            instance.delete_run(run.run_id)
            instance.compute_log_manager.delete_logs(prefix=[run.run_id])
            deleted += 1
    return deleted


def find_runs(instance: dg.DagsterInstance, text: str, is_id: bool) -> dict[str, set[dg.AssetKey]]:
    """Return the ids of the runs whose logs hold a text, each with its assets.

    An id counts as a whole word of a text only: `42` is not found in counts and times.
    """
    words = f"(?:{'|'.join(map(re.escape, as_in_json(normalize('NFC', text))))})"
    word = rf"(?<![\w:.-]){words}(?![\w:-]|\.\d)" if is_id else words
    pattern = re.compile(word, re.IGNORECASE)
    found: dict[str, set[dg.AssetKey]] = {}
    for run in instance.get_runs():
        logs = instance.all_logs(run.run_id)
        texts = (each for log in logs for each in _texts(json.loads(dg.serialize_value(log))))
        if any(pattern.search(normalize("NFC", each)) for each in texts):
            events = [log.dagster_event for log in logs if log.dagster_event]
            found[run.run_id] = {event.asset_key for event in events if event.asset_key}
    return found


def erase_runs(instance: dg.DagsterInstance, found: Mapping[str, set[dg.AssetKey]]) -> None:
    """Delete runs, and the previews of their assets."""
    assets = set().union(*found.values())
    for key in assets:  # Dagster keeps the last materialization, also of an asset that is wiped
        instance.report_runless_asset_event(dg.AssetMaterialization(key))
    instance.wipe_assets(list(assets))
    for run_id in found:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
    home = Path(instance.root_directory)  # where the database may be, as another *.db
    for file in (*home.glob("history/**/*.db"), *home.glob("schedules/*.db")) if found else ():
        with closing(sqlite3.connect(file)) as history:
            history.execute("vacuum")  # else what was deleted stays in the file
            history.execute("pragma wal_checkpoint(truncate)")


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _texts(member)
