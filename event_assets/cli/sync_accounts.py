"""All accounts of a source, one after the other, in this process (`make run`)."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from event_assets import warehouse
from event_assets._compat.dagster import is_interrupt
from event_assets.config.source import SourceConfig
from event_assets.orchestration import partitions, summary
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.orchestration.metadata import asset_key
from event_assets.orchestration.schedules import find_derived_assets, release_stale_slots
from event_assets.sync import account_list


def sync_all(
    loaded: dg.Definitions, name: str, source: SourceConfig, instance: dg.DagsterInstance
) -> bool:
    """Run a job for each account, then what is made from all; say whether all went well.

    Args:
        loaded: the definitions.
        name: the job's.
        source: whose accounts.
        instance: where the runs are kept.

    Raises:
        PlainFailure: when the accounts cannot be listed.
        KeyboardInterrupt: when one of the runs was interrupted.
    """
    accounts = run_with_plain_errors(lambda: account_list.list_accounts(source))
    partitions.sync_partitions(source, instance)
    release_stale_slots(source, instance)
    job = loaded.resolve_job_def(name)
    failed = sum(not _run(job, instance, account) for account in accounts)
    whole = loaded.resolve_job_def(f"{name}_on_schedule")
    assets = [each for each in loaded.assets or () if isinstance(each, dg.AssetsDefinition)]
    synced = [asset_key(source, resource) for resource in source.resources]
    made = _run(whole, instance, assets=find_derived_assets(synced, assets))
    print(f"accounts  {len(accounts) - failed:,} of {len(accounts):,} synced, with no check failed")
    print(f"database  {warehouse.get_destination().display_name}", flush=True)
    return made and not failed


def _run(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    account: str | None = None,
    assets: Sequence[dg.AssetKey] | None = None,
) -> bool:
    result = job.execute_in_process(
        run_config=summary.SILENT_LOGGERS,
        instance=instance,
        partition_key=account,
        asset_selection=assets,
        raise_on_error=False,
    )
    summary.print_summary(instance, result.run_id)
    if any(map(is_interrupt, result.filter_events(lambda event: event.is_step_failure))):
        raise KeyboardInterrupt  # Dagster has caught it
    return result.success
