"""The jobs of a source, and their schedules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    synced = [asset_key(source, resource) for resource in source.resources]
    everything = dg.AssetSelection.assets(*synced) | DerivedAssets(synced)
    selection = dg.AssetSelection.assets(*synced) if source.accounts else everything
    jobs = [*_define_sync_jobs(source, selection)]
    crons = (schedule, full_sync)
    timed = [(job, cron) for job, cron in zip(jobs, crons, strict=False) if cron]
    if source.accounts:
        scheduled = dg.define_asset_job(
            f"{job_name(source)}_on_schedule",
            everything,
            description=f"The scheduled runs of {source.name}: one for each account, then one for "
            "the derived assets. To sync all accounts by hand, start a backfill of "
            f"{job_name(source)}.",
        )
        jobs.append(scheduled)
        schedules = [build_accounts_schedule(source, scheduled, synced, *each) for each in timed]
    else:
        schedules = [build_schedule(*each) for each in timed]
    if freshness:
        jobs.append(_define_freshness_job(source))
        schedules += [build_schedule(jobs[-1], FRESHNESS_CRON)] if schedule else []
    return jobs, schedules


def _define_sync_jobs(source: SourceConfig, selection: dg.AssetSelection) -> Iterator[AssetJob]:
    """Yield the job that syncs a source, and the one that reads everything, if that is another."""
    subject = f"an account of {source.name}" if source.accounts else source.name
    description = f"Syncs {subject} from the API into the database, with checks."
    yield dg.define_asset_job(job_name(source), selection, description=description)
    if config := _full_refresh_config(source):
        description += " Reads whole lists: events that are missing from them are gone."
        name = f"{job_name(source)}_fully"
        yield dg.define_asset_job(name, selection, config=config, description=description)


def _define_freshness_job(source: SourceConfig) -> AssetJob:
    fresh = dg.AssetCheckKey(asset_key(source, EVENT_DATA), "fresh")
    return dg.define_asset_job(
        f"check_{_suffix(source)}_are_fresh",
        selection=dg.AssetSelection.checks(fresh),
        description="Fails when the newest good sync is too old: syncs may have stopped.",
    )


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
