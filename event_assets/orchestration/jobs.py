"""The jobs of one source, and when they run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from event_assets.config.freshness import FreshnessConfig
from event_assets.config.source import EVENT_DATA, SourceConfig
from event_assets.extract.cursor import IncrementalCursor
from event_assets.orchestration.metadata import asset_key
from event_assets.orchestration.schedules import (
    AssetJob,
    build_accounts_schedule,
    build_schedule,
    freshness_cron,
)

Jobs = list[AssetJob]
FULL_REFRESH_NOTE = "Everything is read: what does not come is gone."


def build_jobs(
    source: SourceConfig,
    schedule: str | None,
    full_sync: str | None,
    freshness: FreshnessConfig | None,
) -> tuple[Jobs, list[dg.ScheduleDefinition]]:
    """Build a source's jobs and their schedules.

    Args:
        source: whose.
        schedule: when to sync, as a cron expression; None: never.
        full_sync: when to read everything, where the other syncs ask for what is new.
        freshness: when the newest sync is too old.
    """
    suffix = "events" if source.is_default_source else source.name
    build = _of_accounts if source.accounts else _of_source
    jobs, schedules = build(source, f"sync_{suffix}", schedule, full_sync)
    if freshness:
        event_data = asset_key(source, EVENT_DATA)
        look = dg.define_asset_job(
            f"check_{suffix}_are_fresh",
            selection=dg.AssetSelection.checks(dg.AssetCheckKey(event_data, "fresh")),
            description="Fail when the newest good sync is too old: syncs may have stopped.",
        )
        jobs.append(look)
        if schedule:
            schedules.append(build_schedule(look, freshness_cron(freshness), None))
    return jobs, schedules


def _of_source(
    source: SourceConfig, name: str, schedule: str | None, full_sync: str | None
) -> tuple[Jobs, list[dg.ScheduleDefinition]]:
    """Build the jobs that sync everything in one run."""
    selection = _roots(source).downstream()
    description = f"Sync {source.name}: the API, into DuckDB, checked."
    jobs = {name: dg.define_asset_job(name, selection, description=description)}
    if config := _full_refresh_config(source):
        jobs[f"{name}_fully"] = dg.define_asset_job(
            f"{name}_fully",
            selection,
            config=config,
            description=f"{description} {FULL_REFRESH_NOTE}",
        )
    times = {name: schedule, f"{name}_fully": full_sync}
    schedules = [
        build_schedule(job, cron, source.name) for job in jobs.values() if (cron := times[job.name])
    ]
    return list(jobs.values()), schedules


def _of_accounts(
    source: SourceConfig, name: str, schedule: str | None, full_sync: str | None
) -> tuple[Jobs, list[dg.ScheduleDefinition]]:
    """Build the jobs that sync one account in each run, and the one that the schedule starts."""
    synced = [asset_key(source, resource) for resource in source.resources]
    selection = dg.AssetSelection.assets(*synced)
    description = f"Sync an account of {source.name}: the API, into DuckDB, checked."
    everything = dg.define_asset_job(
        f"{name}_on_schedule",
        _roots(source).downstream(),
        description=f"What the schedule starts for {source.name}: a run of each account, then one "
        "of what is made from all. To sync all accounts by hand, start a backfill of "
        f"{name}.",
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
    times = ((name, schedule, None), (f"{name}_fully", full_sync, config))
    return jobs, [
        build_accounts_schedule(source, everything, f"{of}_schedule", cron, synced, settings)
        for of, cron, settings in times
        if cron
    ]


def _roots(source: SourceConfig) -> dg.AssetSelection:
    """Select what is read of the API without knowing anything else of it."""
    found = [asset_key(source, r.name) for r in source.resources.values() if not r.parent]
    return dg.AssetSelection.assets(*found)


def _full_refresh_config(source: SourceConfig) -> Mapping[str, Any] | None:
    """Give the configuration of a run that reads everything; None: every run does."""
    asked_for_news = [
        r.name for r in source.resources.values() if IncrementalCursor.from_endpoint(r.endpoint)
    ]
    names = ["__".join(asset_key(source, name).path) for name in asked_for_news]
    return {"ops": {op: {"config": {"full_sync": True}} for op in names}} if names else None
