"""Sync all accounts of a source, one after the other, in this process (`make run`)."""

from __future__ import annotations

import dagster as dg

from event_assets import warehouse
from event_assets._compat.dagster import is_interrupt
from event_assets.cli.run_job import run_job
from event_assets.config.source import SourceConfig
from event_assets.orchestration import partitions
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.orchestration.metadata import asset_key
from event_assets.orchestration.schedules import find_derived_assets, release_stale_slots
from event_assets.sync import account_list


def sync_accounts(
    definitions: dg.Definitions, job_name: str, source: SourceConfig, instance: dg.DagsterInstance
) -> bool:
    """Sync each account, then materialize the derived assets; return whether all succeeded.

    Args:
        definitions: the loaded definitions.
        job_name: the job that syncs one account.
        source: the source that has the accounts.
        instance: keeps the runs.

    Raises:
        PlainFailure: if the accounts cannot be listed.
        KeyboardInterrupt: if one of the runs was interrupted.
    """
    accounts = run_with_plain_errors(lambda: account_list.list_accounts(source))
    partitions.sync_partitions(source, instance)
    release_stale_slots(source, instance)
    job = definitions.resolve_job_def(job_name)
    whole = definitions.resolve_job_def(f"{job_name}_on_schedule")
    assets = [each for each in definitions.assets or () if isinstance(each, dg.AssetsDefinition)]
    synced = [asset_key(source, resource) for resource in source.resources]
    failures = sum(not _has_succeeded(run_job(job, instance, account=name)) for name in accounts)
    derived = run_job(whole, instance, assets=find_derived_assets(synced, assets))
    print(f"accounts  {len(accounts) - failures:,} of {len(accounts):,} synced and checked")
    print(f"database  {warehouse.get_destination().display_name}", flush=True)
    return _has_succeeded(derived) and not failures


def _has_succeeded(result: dg.ExecuteInProcessResult) -> bool:
    """Return whether a run succeeded.

    Raises:
        KeyboardInterrupt: if it was interrupted, which Dagster has caught.
    """
    if any(map(is_interrupt, result.filter_events(lambda event: event.is_step_failure))):
        raise KeyboardInterrupt
    return result.success
