"""The accounts of a source as dynamic partitions, and the sensor that updates them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from event_assets.config.accounts import pipeline_name
from event_assets.config.database_file import failure_file
from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.sync import account_list
from event_assets.values.errors import ConfigError, WarehouseError
from event_assets.values.wording import counted

INTERVAL = 30  # seconds
QUERY_INTERVAL = 900  # seconds; syncs need the database, too
RUNNING = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)


class AccountPartitions(dg.DynamicPartitionsDefinition):
    """A partition for each account, which reads the list of accounts while there are none.

    This way the command line knows all accounts of a new instance.
    """

    source: SourceConfig

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: Any = None
    ) -> Sequence[str]:
        """Return the registered accounts, or the listed ones before any is registered."""
        with dg.partition_loading_context(current_time, dynamic_partitions_store) as context:
            return super().get_partition_keys() or self._list_accounts(context)

    def has_partition_key(
        self,
        partition_key: str,
        current_time: datetime | None = None,
        dynamic_partitions_store: Any = None,
    ) -> bool:
        """Return whether an account is registered or listed."""
        with dg.partition_loading_context(current_time, dynamic_partitions_store) as context:
            is_known = super().has_partition_key(partition_key)
            return is_known or partition_key in self._list_accounts(context)

    def _list_accounts(self, context: Any) -> Sequence[str]:
        store = context.dynamic_partitions_store
        is_instance = isinstance(store, dg.DagsterInstance)
        return update_partitions(self.source, store) if is_instance else []


def partitions_name(source: SourceConfig) -> str:
    """Return the name of a source's partitions, and of the pool that limits their syncs."""
    return f"{source.name}_accounts"


def partitions_def(source: SourceConfig) -> AccountPartitions | None:
    """Return the partitions of a source's tables; None without accounts."""
    if source.accounts is None:
        return None
    partitions = AccountPartitions(name=partitions_name(source))
    partitions.source = source
    return partitions


def build_accounts_sensor(source: SourceConfig) -> dg.SensorDefinition:
    """Build the sensor that updates the partitions of a source with accounts."""
    has_query = source.accounts is not None and source.accounts.query

    @dg.sensor(
        name=f"{partitions_name(source)}_sensor",
        description=f"Keeps the partitions of {source.name} equal to its list of accounts.",
        minimum_interval_seconds=QUERY_INTERVAL if has_query else INTERVAL,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def update_accounts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        names = update_partitions(source, context.instance)
        return dg.SkipReason(f"{counted(len(names), 'account')}.")

    return update_accounts


def update_partitions(source: SourceConfig, instance: dg.DagsterInstance) -> Sequence[str]:
    """Update the partitions from the list of accounts, and return it.

    If the list cannot be read, the partitions stay, and are returned. One whose run is in progress
    stays until that has ended: Dagster fails a run whose partition is gone.
    """
    partitions = partitions_name(source)
    registered = instance.get_dynamic_partitions(partitions)
    try:
        names = account_list.list_accounts(source)
    except (ConfigError, WarehouseError):
        return registered
    if new := [name for name in names if name not in set(registered)]:
        instance.add_dynamic_partitions(partitions, new)
    gone = set(registered) - set(names)
    running = dg.RunsFilter(statuses=[*RUNNING])
    busy = {account_of_run(run) for run in instance.get_runs(running)} if gone else set()
    for name in gone - busy:
        instance.delete_dynamic_partition(partitions, name)
        for resource in source.resources:
            pipeline = pipeline_name(source.name, resource, name)
            for is_full in (False, True):
                failure_file(pipeline, is_full=is_full).unlink(missing_ok=True)
    return names


def account_of_run(run: dg.DagsterRun) -> str | None:
    """Return the account of a run; None if it has none."""
    return run.tags.get("dagster/partition")


def resource_for_run(context: Any, resource: ResourceConfig) -> ResourceConfig:
    """Return a resource for the account of a run.

    Raises:
        ConfigError: if the source has accounts and the run has none, or one that is not listed.
    """
    source = resource.source
    if source.accounts is None:
        return resource
    account = account_of_run(context.run)
    if account is None:
        raise ConfigError(
            f"The source {source.name} has accounts: name one as the partition (--partition "
            "ACCOUNT), or start a backfill."
        )
    known = context.instance.get_dynamic_partitions(partitions_name(source))
    account_list.require_accounts(source, known, [account])  # Dagster would only after the sync
    return source.for_account(account, known).resources[resource.name]
