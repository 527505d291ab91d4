"""The job `housekeeping`: Dagster's history of runs is kept for some time, not for ever."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import dagster as dg
from dagster import DagsterRunStatus, RunRecord, RunsFilter

from event_assets import warehouse
from event_assets.orchestration.failures import run_with_plain_errors

RETENTION_SETTING = "EVENTS_KEEP_RUNS_DAYS"
DAYS = 30
CRON = "41 3 * * *"
BATCH = 200  # runs looked at together
ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


def build_housekeeping() -> dg.Definitions:
    """Build the job and its schedule, which is on."""

    @dg.op(
        name="delete_old_runs",
        description=f"Deletes runs that ended more than {RETENTION_SETTING} days ago "
        f"({DAYS} when it is unset), with their logs; the newest run of each asset stays.",
    )
    def delete_old_runs(context: dg.OpExecutionContext) -> None:
        days = retention_days()
        deleted = purge_runs(context.instance, datetime.now(timezone.utc) - timedelta(days=days))
        context.log.info(f"Deleted {deleted:,} runs that ended more than {days:g} days ago.")
        context.add_output_metadata({"runs_deleted": deleted})

    @dg.op(
        name="tidy_warehouse",
        description="Puts small files of a DuckLake together, and deletes those that its tables "
        "have not needed for EVENTS_DUCKLAKE_KEEP_DAYS days (7); elsewhere there is nothing to do.",
    )
    def tidy_warehouse() -> None:
        run_with_plain_errors(warehouse.run_maintenance)

    @dg.job(
        name="housekeeping",
        description="Deletes old runs from Dagster's history, and what a DuckLake does not need "
        "any more. The tables keep everything.",
        executor_def=dg.in_process_executor,
    )
    def housekeeping() -> None:
        delete_old_runs()
        tidy_warehouse()

    schedule = dg.ScheduleDefinition(
        name="housekeeping_schedule",
        job=housekeeping,
        cron_schedule=CRON,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    return dg.Definitions(jobs=[housekeeping], schedules=[schedule])


def retention_days() -> float:
    """How many days a run is kept.

    Raises:
        Failure: when the setting is no number.
    """
    text = os.environ.get(RETENTION_SETTING) or str(DAYS)
    try:
        days = float(text)
    except ValueError:
        days = -1
    if not days >= 0:
        raise dg.Failure(f"{RETENTION_SETTING} must be a number of days, not `{text}`.")
    return days


def purge_runs(instance: dg.DagsterInstance, before: datetime) -> int:
    """Delete the runs that were made and ended before, except the newest of each asset."""
    needed = set(_newest_runs(instance))
    deleted = 0
    for record in _ended(instance, before):
        run_id = record.dagster_run.run_id
        if run_id not in needed:
            instance.delete_run(run_id)
            instance.compute_log_manager.delete_logs(prefix=[run_id])
            deleted += 1
    return deleted


def _newest_runs(instance: dg.DagsterInstance) -> Iterator[str]:
    for key in instance.all_asset_keys():
        if newest := instance.get_latest_materialization_event(key):
            yield newest.run_id


def _ended(instance: dg.DagsterInstance, before: datetime) -> list[RunRecord]:
    """Give the records of old runs, fetched a few at a time."""
    asked = RunsFilter(statuses=ENDED, created_before=before, updated_before=before)
    found: list[RunRecord] = []
    cursor = None
    while batch := instance.get_run_records(asked, limit=BATCH, cursor=cursor):
        found += batch
        cursor = batch[-1].dagster_run.run_id
    return found
