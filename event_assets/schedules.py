"""Schedules whose runs do not pile up."""

from __future__ import annotations

import dagster as dg
from dagster import DagsterRunStatus
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

WAITING = (DagsterRunStatus.NOT_STARTED, DagsterRunStatus.QUEUED, DagsterRunStatus.STARTING)
UNDER_WAY = (DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)
MOST = 2  # one that works, and one that waits for it; a run whose process died counts for a while


def build_schedule(job: UnresolvedAssetJobDefinition, cron: str) -> dg.ScheduleDefinition:
    """Run a job at times, but let no more than one of its runs wait for another."""

    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        unfinished = context.instance.get_runs(
            dg.RunsFilter(job_name=job.name, statuses=[*WAITING, *UNDER_WAY])
        )
        waiting = [run for run in unfinished if run.status in WAITING]
        if not waiting and len(unfinished) < MOST:
            return dg.RunRequest()
        runs = ", ".join(run.run_id[:8] for run in unfinished)
        return dg.SkipReason(f"Runs of {job.name} wait or are under way already: {runs}.")

    return dg.ScheduleDefinition(
        name=f"{job.name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_fn=evaluate,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
