"""All accounts of a source, one after the other, in this process (`make run`)."""

from __future__ import annotations

import dagster as dg
from dagster._core.execution.plan.objects import ErrorSource

from event_assets import account_list, partitions, summary, warehouse
from event_assets.account_schedules import free_slots
from event_assets.failures import plainly
from event_assets.source import EventSource


def sync_all(
    loaded: dg.Definitions, name: str, source: EventSource, instance: dg.DagsterInstance
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
    accounts = plainly(lambda: account_list.listed(source))
    partitions.keep(source, instance)
    free_slots(source, instance)
    job = loaded.resolve_job_def(name)
    failed = sum(not _run(job, instance, account) for account in accounts)
    whole = loaded.resolve_job_def(f"{name}_on_schedule")
    derived = set(whole.asset_layer.selected_asset_keys) - set(job.asset_layer.selected_asset_keys)
    made = _run(whole.get_subset(asset_selection=derived), instance)
    print(f"accounts  {len(accounts) - failed:,} of {len(accounts):,} synced, with no check failed")
    print(f"database  {warehouse.place().shown}", flush=True)
    return made and not failed


def _run(job: dg.JobDefinition, instance: dg.DagsterInstance, account: str | None = None) -> bool:
    result = job.execute_in_process(
        run_config=summary.QUIET, instance=instance, partition_key=account, raise_on_error=False
    )
    summary.show(instance, result.run_id)
    if any(
        event.step_failure_data.error_source is ErrorSource.INTERRUPT
        for event in result.filter_events(lambda event: event.is_step_failure)
    ):
        raise KeyboardInterrupt  # Dagster has caught it
    return result.success
