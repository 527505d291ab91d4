"""The schedules of a source: one for its job, or one that starts a run for each account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import dagster as dg
from dagster import DagsterRunStatus

from event_assets.config.source import SourceConfig
from event_assets.orchestration import partitions

AssetJob: TypeAlias = Any  # what `dg.define_asset_job` returns; Dagster does not publish its type
# Once an hour, between the full hours at which most syncs run: the freshness policy knows only the
# newest run of any account, the check looks at the data of each.
FRESHNESS_CRON = "37 * * * *"
LAST_IN_QUEUE = {"dagster/priority": "-1"}  # lower than all other runs
KIND_TAG = "event_assets/kind"  # separates runs that need not wait for each other
WAITING = (DagsterRunStatus.NOT_STARTED, DagsterRunStatus.QUEUED, DagsterRunStatus.STARTING)
MAX_ACTIVE_RUNS = 2  # one runs, and one waits for it


def build_schedule(job: AssetJob, cron: str) -> dg.ScheduleDefinition:
    """Build a schedule, in UTC, that lets at most one run of its job wait."""

    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        runs = context.instance.get_runs(
            dg.RunsFilter(job_name=job.name, statuses=[*WAITING, *partitions.RUNNING])
        )
        waiting = [run for run in runs if run.status in WAITING]
        if waiting or len(runs) >= MAX_ACTIVE_RUNS:
            return dg.SkipReason(f"Run {(waiting or runs)[0].run_id[:8]} is already waiting.")
        return dg.RunRequest()

    return dg.ScheduleDefinition(
        name=f"{job.name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_fn=evaluate,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def build_accounts_schedule(
    source: SourceConfig,
    job: AssetJob,
    synced: Sequence[dg.AssetKey],
    sync_job: AssetJob,
    cron: str,
) -> dg.ScheduleDefinition:
    """Build a schedule that requests a run for each account, and last one for the derived assets.

    An account with an unfinished run gets no other. With a run configuration, only runs of the same
    configuration count.

    Args:
        job: has the synced and the derived assets.
        synced: the assets that the run of an account materializes.
        sync_job: names the schedule, and has the configuration of the accounts' runs.
    """
    name, config = f"{sync_job.name}_schedule", sync_job.config
    kind = {KIND_TAG: name} if config else {}

    def evaluate(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        unfinished = [
            run
            for run in context.instance.get_runs(
                dg.RunsFilter(statuses=[*WAITING, *partitions.RUNNING], tags=kind)
            )
            if _is_run_of_source(run, job, synced)
        ]
        active = {partitions.account_of_run(run) for run in unfinished}
        at = context.scheduled_execution_time.isoformat()
        accounts = partitions.update_partitions(source, context.instance)
        requests = [
            dg.RunRequest(
                run_key=f"{at} {account}",
                partition_key=account,
                asset_selection=synced,
                run_config=config,
                tags=kind,
            )
            for account in accounts
            if account not in active
        ]
        if not requests:
            yield dg.SkipReason(
                f"All accounts of {source.name} have an unfinished run."
                if accounts
                else f"{source.name} has no accounts: their list is empty or cannot be read."
            )
            return
        yield from requests
        waiting = [run for run in unfinished if run.status in WAITING]
        if None not in map(partitions.account_of_run, waiting) and context.repository_def:
            assets = context.repository_def.assets_defs_by_key.values()
            derived = sorted(DerivedAssets(synced).resolve(assets))
            yield dg.RunRequest(at, asset_selection=derived, tags=LAST_IN_QUEUE)

    return dg.ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_fn=evaluate,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


class DerivedAssets(dg.AssetSelection):
    """The assets downstream of synced ones, but for those with partitions, and what needs these.

    A job has the partitions of its assets: with a user's own, it could not be loaded or run.
    """

    def __init__(self, synced: Sequence[dg.AssetKey]) -> None:
        self._downstream = dg.AssetSelection.assets(*synced).downstream(include_self=False)

    def resolve_inner(self, asset_graph: Any, allow_missing: bool) -> set[dg.AssetKey]:
        """Return the keys of the assets."""
        found = self._downstream.resolve(asset_graph, allow_missing)
        others = [key for key in found if asset_graph.get(key).partitions_def]
        return {*found} - dg.AssetSelection.assets(*others).downstream().resolve(asset_graph)


def _is_run_of_source(run: dg.DagsterRun, job: AssetJob, synced: Sequence[dg.AssetKey]) -> bool:
    """Return whether a run belongs to a source: of its schedule, of a backfill, or by hand."""
    backfilled = job.name.removesuffix("_on_schedule")
    jobs = (job.name, backfilled, f"{backfilled}_fully")
    return run.job_name in jobs or synced[0] in (run.asset_selection or ())
