"""The jobs of a source, and their schedules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from event_assets.config.freshness import FreshnessConfig
from event_assets.config.source import EVENT_DATA, SourceConfig
from event_assets.extract.cursor import IncrementalCursor
from event_assets.orchestration.metadata import asset_key
from event_assets.orchestration.schedules import AssetJob, build_accounts_schedule, build_schedule

Jobs = list[AssetJob]
FULL_REFRESH_NOTE = "Reads everything: what does not come is gone."
# The freshness policy knows the newest run of any account only; the check looks at the data of all.
FRESHNESS_CRON = "37 * * * *"


def build_jobs(
    source: SourceConfig,
    schedule: str | None,
    full_sync: str | None,
    freshness: FreshnessConfig | None,
) -> tuple[Jobs, list[dg.ScheduleDefinition]]:
    """Build the jobs of a source and their schedules.

    Args:
        source: the source to sync.
        schedule: cron expression of the syncs; None for no schedule.
        full_sync: cron expression of the full syncs of a source with `incremental`.
        freshness: the age at which the newest sync is too old.
    """
    suffix = "events" if source.is_default_source else source.name
    build = _build_account_jobs if source.accounts else _build_source_jobs
    jobs, schedules = build(source, f"sync_{suffix}", schedule, full_sync)
    if freshness:
        fresh = dg.AssetCheckKey(asset_key(source, EVENT_DATA), "fresh")
        job = dg.define_asset_job(
            f"check_{suffix}_are_fresh",
            selection=dg.AssetSelection.checks(fresh),
            description="Fail when the newest good sync is too old: syncs may have stopped.",
        )
        jobs.append(job)
        if schedule:
            schedules.append(build_schedule(job, FRESHNESS_CRON, None))
    return jobs, schedules


def _build_source_jobs(
    source: SourceConfig, name: str, schedule: str | None, full_sync: str | None
) -> tuple[Jobs, list[dg.ScheduleDefinition]]:
    """Build the jobs that sync a source in one run."""
    selection = _select_independent_resources(source).downstream()
    description = f"Sync {source.name}: from the API into DuckDB, with checks."
    jobs = {name: dg.define_asset_job(name, selection, description=description)}
    if config := _full_refresh_config(source):
        jobs[f"{name}_fully"] = dg.define_asset_job(
            f"{name}_fully",
            selection,
            config=config,
            description=f"{description} {FULL_REFRESH_NOTE}",
        )
    crons = {name: schedule, f"{name}_fully": full_sync}
    schedules = [
        build_schedule(job, cron, source.name) for job in jobs.values() if (cron := crons[job.name])
    ]
    return list(jobs.values()), schedules


def _build_account_jobs(
    source: SourceConfig, name: str, schedule: str | None, full_sync: str | None
) -> tuple[Jobs, list[dg.ScheduleDefinition]]:
    """Build the jobs that sync one account a run, and the job that the schedule runs."""
    synced = [asset_key(source, resource) for resource in source.resources]
    selection = dg.AssetSelection.assets(*synced)
    description = f"Sync an account of {source.name}: from the API into DuckDB, with checks."
    everything = dg.define_asset_job(
        f"{name}_on_schedule",
        _select_independent_resources(source).downstream(),
        description=f"The scheduled runs of {source.name}: one for each account, then one for the "
        f"derived assets. To sync all accounts by hand, start a backfill of {name}.",
    )
    jobs = [dg.define_asset_job(name, selection, description=description), everything]
    config = _full_refresh_config(source)
    if config:
        jobs.append(
            dg.define_asset_job(
                f"{name}_fully",
                selection,
                config=config,
                description=f"{description} {FULL_REFRESH_NOTE}",
            )
        )
    crons = ((name, schedule, None), (f"{name}_fully", full_sync, config))
    return jobs, [
        build_accounts_schedule(source, everything, f"{job}_schedule", cron, synced, run_config)
        for job, cron, run_config in crons
        if cron
    ]


def _select_independent_resources(source: SourceConfig) -> dg.AssetSelection:
    """Select the resources that have no parent resource."""
    keys = [asset_key(source, r.name) for r in source.resources.values() if not r.parent]
    return dg.AssetSelection.assets(*keys)


def _full_refresh_config(source: SourceConfig) -> Mapping[str, Any] | None:
    """Return the run configuration of a full sync; None if every sync is full."""
    incremental = [
        r.name for r in source.resources.values() if IncrementalCursor.from_endpoint(r.endpoint)
    ]
    ops = ["__".join(asset_key(source, name).path) for name in incremental]
    return {"ops": {op: {"config": {"full_sync": True}} for op in ops}} if ops else None
