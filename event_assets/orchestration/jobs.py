"""The jobs of a source, and their schedules: of one run, or of one for each account."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import dagster as dg
from dagster import DagsterRunStatus

from event_assets.config.freshness import FreshnessConfig
from event_assets.config.source import SourceConfig
from event_assets.config.source_files import EVENT_DATA
from event_assets.extract.cursor import IncrementalCursor
from event_assets.orchestration import partitions
from event_assets.orchestration.metadata import asset_key, synced_keys
from event_assets.transform.all_events import CURRENT_EVENTS

AssetJob: TypeAlias = Any  # what `dg.define_asset_job` returns; Dagster does not publish its type
FULLY, ON_SCHEDULE = "_fully", "_on_schedule"  # of the names of jobs
# The tag of a run of `event-assets`, which syncs what it is told to.
BY_COMMAND = ".dagster/by_command"  # the UI hides tags that begin so
# Once an hour, between the full hours at which most syncs run: the freshness policy knows only the
# newest run of any account, the check looks at the data of each.
FRESHNESS_CRON = "37 * * * *"
MAX_WAIT = 900.0  # seconds for which the derived assets wait for accounts that are being synced
KIND_TAG = "event_assets/kind"  # separates runs that need not wait for each other
WAITING = (DagsterRunStatus.NOT_STARTED, DagsterRunStatus.QUEUED, DagsterRunStatus.STARTING)
UNFINISHED = [*WAITING, *partitions.RUNNING]
MAX_ACTIVE_RUNS = 2  # one runs, and one waits for it


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


def job_name(source: SourceConfig) -> str:
    """Return the name of the job that syncs a source."""
    return f"sync_{_suffix(source)}"


def build_jobs(
    source: SourceConfig,
    schedule: str | None,
    full_sync: str | None,
    freshness: FreshnessConfig | None,
) -> tuple[list[AssetJob], list[dg.ScheduleDefinition]]:
    """Build the jobs of a source, and their schedules by the cron expressions that are given."""
    synced = synced_keys(source)
    everything = dg.AssetSelection.assets(*synced) | DerivedAssets(synced)
    selection = dg.AssetSelection.assets(*synced) if source.accounts else everything
    jobs = [*_define_sync_jobs(source, selection)]
    crons = (schedule, full_sync)
    timed = [(job, cron) for job, cron in zip(jobs, crons, strict=False) if cron]
    if source.accounts:
        scheduled = dg.define_asset_job(
            f"{job_name(source)}{ON_SCHEDULE}",
            everything,
            description=f"The scheduled runs of {source.name}, one for each account, and those of "
            "the derived assets. To sync all accounts by hand, start a backfill of "
            f"{job_name(source)}.",
        )
        jobs.append(scheduled)
        schedules = [_build_accounts_schedule(source, scheduled, *each) for each in timed]
    else:
        schedules = [_build_schedule(*each) for each in timed]
    if freshness:
        jobs.append(_define_freshness_job(source))
        schedules += [_build_schedule(jobs[-1], FRESHNESS_CRON)] if schedule else []
    return jobs, schedules


def build_sensors(source: SourceConfig) -> list[dg.SensorDefinition]:
    """Build the sensors of the accounts and of what is derived of them; none without accounts."""
    if source.accounts is None:
        return []
    return [partitions.build_accounts_sensor(source), _build_derived_sensor(source)]


def build_run_config(
    source: SourceConfig, resources: Iterable[str], **options: bool
) -> dict[str, Any]:
    """Build the run configuration of syncs of these resources, with options of `SyncConfig`."""
    names = ["__".join(asset_key(source, resource).path) for resource in resources]
    return {"ops": {name: {"config": options} for name in names}}


def _suffix(source: SourceConfig) -> str:
    return "events" if source.is_default_source else source.name


def _define_sync_jobs(source: SourceConfig, selection: dg.AssetSelection) -> Iterator[AssetJob]:
    """Yield the job that syncs a source, and the one that reads everything, if that is another."""
    subject = f"an account of {source.name}" if source.accounts else source.name
    description = f"Syncs {subject} from the API into the database, with checks."
    yield dg.define_asset_job(job_name(source), selection, description=description)
    incremental = [
        resource.name
        for resource in source.resources.values()
        if IncrementalCursor.from_endpoint(resource.endpoint)
    ]
    if incremental:
        yield dg.define_asset_job(
            f"{job_name(source)}{FULLY}",
            selection,
            config=build_run_config(source, incremental, full_sync=True),
            description=f"{description} Reads whole lists: events that are missing from them are "
            "gone.",
        )


def _define_freshness_job(source: SourceConfig) -> AssetJob:
    fresh = dg.AssetCheckKey(asset_key(source, EVENT_DATA), "fresh")
    return dg.define_asset_job(
        f"check_{_suffix(source)}_are_fresh",
        selection=dg.AssetSelection.checks(fresh),
        description="Fails when the newest good sync is too old: syncs may have stopped.",
    )


def _define_schedule(
    name: str, job: AssetJob, cron: str, evaluate: Callable[..., Any]
) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"{name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_fn=evaluate,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def _build_schedule(job: AssetJob, cron: str) -> dg.ScheduleDefinition:
    """Build a schedule, in UTC, that lets at most one run of its job wait."""

    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        runs = context.instance.get_runs(dg.RunsFilter(job_name=job.name, statuses=UNFINISHED))
        waiting = [run for run in runs if run.status in WAITING]
        if waiting or len(runs) >= MAX_ACTIVE_RUNS:
            return dg.SkipReason(f"Run {(waiting or runs)[0].run_id[:8]} is already waiting.")
        return dg.RunRequest()

    return _define_schedule(job.name, job, cron, evaluate)


def _build_accounts_schedule(
    source: SourceConfig, job: AssetJob, sync_job: AssetJob, cron: str
) -> dg.ScheduleDefinition:
    """Build a schedule that requests a run for each account.

    An account with an unfinished run gets no other. With a run configuration, only runs of the same
    configuration count.

    Args:
        job: has the synced and the derived assets.
        sync_job: names the schedule, and has the configuration of the accounts' runs.
    """
    config = sync_job.config
    kind = {KIND_TAG: f"{sync_job.name}_schedule"} if config else {}

    def evaluate(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        unfinished = _find_unfinished(source, context.instance, kind)
        active = {partitions.account_of_run(run) for run in unfinished}
        at = context.scheduled_execution_time.isoformat()
        accounts = partitions.update_partitions(source, context.instance)
        requests = [
            dg.RunRequest(
                run_key=f"{at} {account}",
                partition_key=account,
                asset_selection=synced_keys(source),
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

    return _define_schedule(sync_job.name, job, cron, evaluate)


def _build_derived_sensor(source: SourceConfig) -> dg.SensorDefinition:
    """Build a sensor that requests a run of the derived assets once the accounts are synced."""
    events, current = (asset_key(source, table) for table in (EVENT_DATA, CURRENT_EVENTS))

    @dg.sensor(
        name=f"{source.name}_derived_sensor",
        job_name=f"{job_name(source)}{ON_SCHEDULE}",
        description=f"Builds what is derived of {source.name} when no account is being synced any "
        f"more, or {MAX_WAIT // 60:.0f} minutes after the first one was.",
        minimum_interval_seconds=partitions.INTERVAL,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def request_derived(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        instance = context.instance
        built = instance.get_latest_materialization_event(current)
        since = dg.AssetRecordsFilter(events, after_timestamp=built.timestamp if built else 0.0)
        first, newest = (
            instance.fetch_materializations(since, limit=1, ascending=is_first).records
            for is_first in (True, False)
        )
        if not (first and newest) or context.repository_def is None:
            return dg.SkipReason("No account was synced since.")
        accounts = {*map(partitions.account_of_run, _find_unfinished(source, instance))}
        is_built = None in accounts  # at this moment
        if is_built or (accounts and time.time() < first[0].timestamp + MAX_WAIT):
            return dg.SkipReason(f"Runs of {source.name} are not finished yet.")
        assets = context.repository_def.assets_defs_by_key.values()
        derived = sorted(DerivedAssets(synced_keys(source)).resolve(assets))
        return dg.RunRequest(str(newest[0].storage_id), asset_selection=derived)

    return request_derived


def _find_unfinished(
    source: SourceConfig, instance: dg.DagsterInstance, tags: Mapping[str, str] = {}
) -> list[dg.DagsterRun]:
    """Return the unfinished runs of a source: of a schedule, of a backfill, or started by hand."""
    jobs = [f"{job_name(source)}{suffix}" for suffix in ("", FULLY, ON_SCHEDULE)]
    synced = asset_key(source, next(iter(source.resources)))
    return [
        run
        for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED, tags=tags))
        if run.job_name in jobs or synced in (run.asset_selection or ())
    ]
