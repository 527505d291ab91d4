"""The jobs of a source, and their schedules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import dagster as dg

from event_assets.config.freshness import FreshnessConfig
from event_assets.config.source import SourceConfig
from event_assets.config.source_files import EVENT_DATA
from event_assets.extract.cursor import IncrementalCursor
from event_assets.orchestration.metadata import asset_key
from event_assets.orchestration.schedules import (
    FRESHNESS_CRON,
    AssetJob,
    DerivedAssets,
    build_accounts_schedule,
    build_schedule,
)

# The tag of a run of `event-assets`, which syncs what it is told to.
BY_COMMAND = ".dagster/by_command"  # the UI hides tags that begin so


def job_name(source: SourceConfig) -> str:
    """Return the name of the job that syncs a source."""
    return f"sync_{_suffix(source)}"


def _suffix(source: SourceConfig) -> str:
    return "events" if source.is_default_source else source.name


def build_jobs(
    source: SourceConfig,
    schedule: str | None,
    full_sync: str | None,
    freshness: FreshnessConfig | None,
) -> tuple[list[AssetJob], list[dg.ScheduleDefinition]]:
    """Build the jobs of a source, and their schedules by the cron expressions that are given."""
    name = job_name(source)
    synced = [asset_key(source, resource) for resource in source.resources]
    everything = dg.AssetSelection.assets(*synced) | DerivedAssets(synced)
    selection = dg.AssetSelection.assets(*synced) if source.accounts else everything
    subject = f"an account of {source.name}" if source.accounts else source.name
    description = f"Syncs {subject} from the API into the database, with checks."
    jobs = [dg.define_asset_job(name, selection, description=description)]
    crons: list[tuple[AssetJob, str | None, Any]] = [(jobs[0], schedule, None)]
    if config := _full_refresh_config(source):
        fully = f"{description} Reads whole lists: events that are missing from them are gone."
        job = dg.define_asset_job(f"{name}_fully", selection, config=config, description=fully)
        jobs.append(job)
        crons.append((job, full_sync, config))
    if source.accounts:
        scheduled = dg.define_asset_job(
            f"{name}_on_schedule",
            everything,
            description=f"The scheduled runs of {source.name}: one for each account, then one for "
            f"the derived assets. To sync all accounts by hand, start a backfill of {name}.",
        )
        jobs.append(scheduled)
    schedules = [
        build_accounts_schedule(source, scheduled, f"{job.name}_schedule", cron, synced, config)
        if source.accounts
        else build_schedule(job, cron)
        for job, cron, config in crons
        if cron
    ]
    if freshness:
        fresh = dg.AssetCheckKey(asset_key(source, EVENT_DATA), "fresh")
        job = dg.define_asset_job(
            f"check_{_suffix(source)}_are_fresh",
            selection=dg.AssetSelection.checks(fresh),
            description="Fails when the newest good sync is too old: syncs may have stopped.",
        )
        jobs.append(job)
        if schedule:
            schedules.append(build_schedule(job, FRESHNESS_CRON))
    return jobs, schedules


def _full_refresh_config(source: SourceConfig) -> dict[str, Any] | None:
    """Return the run configuration of a full sync; None if every sync is full."""
    names = [
        resource.name
        for resource in source.resources.values()
        if IncrementalCursor.from_endpoint(resource.endpoint)
    ]
    return build_run_config(source, names, full_sync=True) if names else None


def build_run_config(
    source: SourceConfig, resources: Iterable[str], **options: bool
) -> dict[str, Any]:
    """Build the run configuration of syncs of these resources, with options of `SyncConfig`."""
    names = ["__".join(asset_key(source, resource).path) for resource in resources]
    return {"ops": {name: {"config": options} for name in names}}
