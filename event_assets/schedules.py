"""Schedules whose runs do not pile up."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg
from dagster import DagsterRun, DagsterRunStatus
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

from event_assets import warehouse

WAITING = (DagsterRunStatus.NOT_STARTED, DagsterRunStatus.QUEUED, DagsterRunStatus.STARTING)
UNDER_WAY = (DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)
MOST = 2  # one that works, and one that waits for it


def build_schedule(
    job: UnresolvedAssetJobDefinition, cron: str, schema: str | None
) -> dg.ScheduleDefinition:
    """Run a job at times, but let no more than one of its runs wait.

    Args:
        job: what to run.
        cron: when.
        schema: the one that it syncs; None: it waits for no sync.
    """

    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        runs = context.instance.get_runs(
            dg.RunsFilter(job_name=job.name, statuses=[*WAITING, *UNDER_WAY])
        )
        if waits := _waits(context.instance, runs, schema):
            return dg.SkipReason(f"{waits} waits for its turn already.")
        return dg.RunRequest()

    return dg.ScheduleDefinition(
        name=f"{job.name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_fn=evaluate,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def _waits(
    instance: dg.DagsterInstance, runs: Sequence[DagsterRun], schema: str | None
) -> str | None:
    """Say what waits for its turn, if anything does.

    A run that has started and waits for another is known by its lock: it ends with its process,
    while Dagster may believe for hours that a run goes on whose process was killed. Where runs are
    on other machines, where no lock is seen, Dagster's launcher looks after them.
    """
    waiting = next((run for run in runs if run.status in WAITING), None)
    if waiting:
        return f"Run {waiting.run_id[:8]}"
    if instance.run_launcher.supports_check_run_worker_health:
        return f"Run {runs[0].run_id[:8]}" if len(runs) >= MOST else None
    return f"A sync of {schema}" if schema and warehouse.is_waited_for(schema) else None
