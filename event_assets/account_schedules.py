"""The schedule of a source with accounts: a run of each, and one of what is made from all."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster import RunRecord
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)
from dagster._core.storage.tags import PRIORITY_TAG

from event_assets import partitions, warehouse
from event_assets.accounts import pipeline_of
from event_assets.schedules import UNDER_WAY, WAITING
from event_assets.source import EventSource

KIND = "event_assets/kind"  # tells apart runs of an account that may wait for one another
LAST = "-1"  # the priority of the run that is to be taken out of the queue after all others
BEGINNING = 120.0  # seconds in which a run that has started may not be at its work yet


def build_accounts_schedule(
    source: EventSource,
    job: UnresolvedAssetJobDefinition,
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
            and _goes_on(context.instance, record, source)
        ]
        taken = {partitions.account_in(run) for run in unfinished}
        free_slots(source, context.instance)
        at = context.scheduled_execution_time.isoformat()
        accounts = partitions.keep(source, context.instance)
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
        if None not in map(partitions.account_in, waiting) and context.repository_def:
            made = context.repository_def.get_job(job.name).asset_layer.selected_asset_keys
            derived = sorted(made - set(synced))
            yield dg.RunRequest(at, asset_selection=derived, tags={PRIORITY_TAG: LAST})

    return dg.ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_fn=evaluate,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def _syncs(
    run: dg.DagsterRun, job: UnresolvedAssetJobDefinition, synced: Sequence[dg.AssetKey]
) -> bool:
    """Is it a run of this source: of the schedule, of a backfill, or by hand?"""
    backfilled = job.name.removesuffix("_on_schedule")
    return run.job_name in (job.name, backfilled, f"{backfilled}_fully") or synced[0] in (
        run.asset_selection or ()
    )


def _goes_on(instance: dg.DagsterInstance, record: RunRecord, source: EventSource) -> bool:
    """Will it end by itself? One that has started and was killed holds no lock any more."""
    run = record.dagster_run
    account = partitions.account_in(run)
    if run.status in WAITING or instance.run_launcher.supports_check_run_worker_health:
        return True
    if account is None or time.time() - (record.start_time or 0) < BEGINNING:
        return True
    return _is_at_work(source, account)


def _is_at_work(source: EventSource, account: str) -> bool:
    return any(
        warehouse.is_at_work(pipeline_of(source.name, resource, account))
        for resource in source.resources
    )


def free_slots(source: EventSource, instance: dg.DagsterInstance) -> None:
    """Free the slots of the pool that runs hold which were killed: no other could ever begin.

    Where runs are on other machines, Dagster's monitoring does it.
    """
    storage = instance.event_log_storage
    if (
        not storage.supports_global_concurrency_limits
        or instance.run_launcher.supports_check_run_worker_health
    ):
        return
    for run_id in storage.get_concurrency_info(partitions.name_of(source)).active_run_ids:
        run = instance.get_run_by_id(run_id)
        account = partitions.account_in(run) if run and not run.is_finished else None
        if account is None or not _is_at_work(source, account):
            storage.free_concurrency_slots_for_run(run_id)
