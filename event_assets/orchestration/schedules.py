"""When syncs run by themselves: one schedule for a source, or one for all its accounts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

import dagster as dg
from dagster import DagsterRun, DagsterRunStatus, RunRecord

from event_assets import warehouse
from event_assets._compat.dagster import can_check_workers, free_slots, runs_holding_slots
from event_assets.config.accounts import pipeline_name
from event_assets.config.freshness import FreshnessConfig
from event_assets.config.source import SourceConfig
from event_assets.orchestration import partitions

AssetJob: TypeAlias = Any  # of `dg.define_asset_job`, whose type Dagster does not publish
PRIORITY_TAG = "dagster/priority"
KIND = "event_assets/kind"  # tells apart runs of an account that may wait for one another
LAST = "-1"  # the priority of the run that is to be taken out of the queue after all others
BEGINNING = 120.0  # seconds in which a run that has started may not be at its work yet


def build_accounts_schedule(
    source: SourceConfig,
    job: AssetJob,
    name: str,
    cron: str,
    synced: Sequence[dg.AssetKey],
    config: Mapping[str, Any] | None = None,
) -> dg.ScheduleDefinition:
    """Ask for a run of each account at times, and for one of what is made from all, the last.

    An account whose run waits or is under way gets no other; with a configuration of their own,
    only runs with the same one count.

    Args:
        source: whose accounts.
        job: of which the runs are; it has both kinds of assets.
        name: the schedule's.
        cron: when.
        synced: the assets that a run of an account makes.
        config: the configuration of the runs of accounts.
    """
    kind = {KIND: name} if config else {}

    def evaluate(
        context: dg.ScheduleEvaluationContext,
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        unfinished = [
            record.dagster_run
            for record in context.instance.get_run_records(
                dg.RunsFilter(statuses=[*WAITING, *UNDER_WAY], tags=kind)
            )
            if _syncs(record.dagster_run, job, synced)
            and _is_progressing(context.instance, record, source)
        ]
        taken = {partitions.account_of_run(run) for run in unfinished}
        release_stale_slots(source, context.instance)
        at = context.scheduled_execution_time.isoformat()
        accounts = partitions.sync_partitions(source, context.instance)
        asked = [
            dg.RunRequest(
                run_key=f"{at} {account}",
                partition_key=account,
                asset_selection=synced,
                run_config=config,
                tags=kind,
            )
            for account in accounts
            if account not in taken
        ]
        if not asked:
            yield dg.SkipReason(
                f"Runs of all accounts of {source.name} wait or are under way already."
                if accounts
                else f"No account of {source.name} is known: the list cannot be read, or is empty."
            )
            return
        yield from asked
        waiting = [run for run in unfinished if run.status in WAITING]
        if None not in map(partitions.account_of_run, waiting) and context.repository_def:
            assets = context.repository_def.assets_defs_by_key.values()
            derived = find_derived_assets(synced, assets)
            yield dg.RunRequest(at, asset_selection=derived, tags={PRIORITY_TAG: LAST})

    return dg.ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_fn=evaluate,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def find_derived_assets(
    synced: Sequence[dg.AssetKey], assets: Iterable[dg.AssetsDefinition]
) -> list[dg.AssetKey]:
    """Return the assets that are made from synced ones, directly or not."""
    return sorted(dg.AssetSelection.assets(*synced).downstream(include_self=False).resolve(assets))


def _syncs(run: dg.DagsterRun, job: AssetJob, synced: Sequence[dg.AssetKey]) -> bool:
    """Is it a run of this source: of the schedule, of a backfill, or by hand?"""
    backfilled = job.name.removesuffix("_on_schedule")
    return run.job_name in (job.name, backfilled, f"{backfilled}_fully") or synced[0] in (
        run.asset_selection or ()
    )


def _is_progressing(instance: dg.DagsterInstance, record: RunRecord, source: SourceConfig) -> bool:
    """Will it end by itself? One that has started and was killed holds no lock any more."""
    run = record.dagster_run
    account = partitions.account_of_run(run)
    if run.status in WAITING or can_check_workers(instance):
        return True
    if account is None or time.time() - (record.start_time or 0) < BEGINNING:
        return True
    return _is_running(source, account)


def _is_running(source: SourceConfig, account: str) -> bool:
    return any(
        warehouse.is_sync_running(pipeline_name(source.name, resource, account))
        for resource in source.resources
    )


def release_stale_slots(source: SourceConfig, instance: dg.DagsterInstance) -> None:
    """Free the slots of the pool that runs hold which were killed: no other could ever begin.

    Where runs are on other machines, Dagster's monitoring does it.
    """
    if can_check_workers(instance):
        return
    for run_id in runs_holding_slots(instance, partitions.partitions_name(source)):
        run = instance.get_run_by_id(run_id)
        account = partitions.account_of_run(run) if run and not run.is_finished else None
        if account is None or not _is_running(source, account):
            free_slots(instance, run_id)


WAITING = (DagsterRunStatus.NOT_STARTED, DagsterRunStatus.QUEUED, DagsterRunStatus.STARTING)
UNDER_WAY = (DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)
MAX_ACTIVE_RUNS = 2  # one that works, and one that waits for it


def build_schedule(job: AssetJob, cron: str, schema: str | None) -> dg.ScheduleDefinition:
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
        if waits := _pending_run(context.instance, runs, schema):
            return dg.SkipReason(f"{waits} waits for its turn already.")
        return dg.RunRequest()

    return dg.ScheduleDefinition(
        name=f"{job.name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_fn=evaluate,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def _pending_run(
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
    if can_check_workers(instance):
        return f"Run {runs[0].run_id[:8]}" if len(runs) >= MAX_ACTIVE_RUNS else None
    return f"A sync of {schema}" if schema and warehouse.is_sync_waiting(schema) else None


def freshness_cron(freshness: FreshnessConfig) -> str:
    """Return when to check the age: twice in the time after which it is late, between syncs."""
    every = min(max(int(freshness.warn_after_minutes / 2), 1), 30)
    return f"{every // 2}-59/{every} * * * *"


def build_freshness_policy(freshness: FreshnessConfig) -> dg.FreshnessPolicy:
    """Build Dagster's own policy, which the UI shows and the daemon evaluates."""
    return dg.FreshnessPolicy.time_window(
        fail_window=timedelta(minutes=freshness.fail_after_minutes),
        warn_window=timedelta(minutes=freshness.warn_after_minutes),
    )
