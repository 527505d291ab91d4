"""The accounts of a source as Dagster's partitions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.sync import account_list
from event_assets.values.errors import ConfigError, WarehouseError

PARTITION_TAG = "dagster/partition"


class AccountPartitions(dg.DynamicPartitionsDefinition):
    """A partition for each account; one that is listed becomes one when it is first asked for.

    So command lines know all accounts, also where nothing ran before.
    """

    source: SourceConfig

    def get_partition_keys(
        self,
        current_time: datetime | None = None,
        dynamic_partitions_store: Any = None,
    ) -> Sequence[str]:
        """Give the accounts that are known; before any is, those that are listed."""
        with dg.partition_loading_context(current_time, dynamic_partitions_store) as context:
            known = super().get_partition_keys()
            store = context.dynamic_partitions_store
            if known or not isinstance(store, dg.DagsterInstance):
                return known
            return sync_partitions(self.source, store)

    def has_partition_key(
        self,
        partition_key: str,
        current_time: datetime | None = None,
        dynamic_partitions_store: Any = None,
    ) -> bool:
        """Is it an account that is known, or listed?"""
        with dg.partition_loading_context(current_time, dynamic_partitions_store) as context:
            if super().has_partition_key(partition_key):
                return True
            store = context.dynamic_partitions_store
            return isinstance(store, dg.DagsterInstance) and partition_key in sync_partitions(
                self.source, store
            )


def partitions_name(source: SourceConfig) -> str:
    """Name the partitions of a source's tables, and the pool that bounds their syncs."""
    return f"{source.name}_accounts"


def partitions_def(source: SourceConfig) -> AccountPartitions | None:
    """Give the partitions of a source's tables; None where it has no accounts."""
    if source.accounts is None:
        return None
    made = AccountPartitions(name=partitions_name(source))
    made.source = source
    return made


def registered_accounts(source: SourceConfig, instance: dg.DagsterInstance) -> Sequence[str]:
    """Give the accounts that Dagster knows."""
    return instance.get_dynamic_partitions(partitions_name(source))


def sync_partitions(source: SourceConfig, instance: dg.DagsterInstance) -> Sequence[str]:
    """Make the partitions those of the accounts that are listed, and give these.

    Where the list cannot be read now, they stay as they are.
    """
    before = registered_accounts(source, instance)
    try:
        names = account_list.list_accounts(source)
    except (ConfigError, WarehouseError):
        return before
    if new := [name for name in names if name not in set(before)]:
        instance.add_dynamic_partitions(partitions_name(source), new)
    for gone in set(before) - set(names):
        instance.delete_dynamic_partition(partitions_name(source), gone)
    return names


def account_of_run(run: dg.DagsterRun) -> str | None:
    """Give the account that a run is for; None where it is for none, or for all."""
    return run.tags.get(PARTITION_TAG)


def resource_for_run(context: Any, resource: ResourceConfig) -> ResourceConfig:
    """Give a resource as it is for the account of the run that syncs it.

    Raises:
        ConfigError: when the run is for no account, and there are accounts.
    """
    source = resource.source
    if source.accounts is None:
        return resource
    account = account_of_run(context.run)
    if account is None:
        raise ConfigError(
            f"The source {source.name} has accounts: say which one to sync, as the partition "
            "(--partition ACCOUNT), or start a backfill of all."
        )
    of_account = source.for_account(account, registered_accounts(source, context.instance))
    return of_account.resources[resource.name]
