"""What a sync refuses: mixed origins, and results that would empty a table."""

from __future__ import annotations

from dataclasses import replace

import duckdb

from event_assets import warehouse
from event_assets.config.source import EVENT_DATA, SANDBOX, ResourceConfig, SourceConfig
from event_assets.extract.stream_state import Sync
from event_assets.sync import account_registry, sync_log
from event_assets.sync.sync_log import SYNC_LOG
from event_assets.values.errors import ConfigError
from event_assets.warehouse import inspection


def keeps_existing_rows(
    database: duckdb.DuckDBPyConnection, resource: ResourceConfig, now: Sync
) -> bool:
    """Keep a table that would be replaced by nothing, or by less than there is."""
    schema, table = resource.source.name, resource.name
    if not inspection.has_table(database, schema, table):
        return False
    if not account_registry.count_rows(database, resource) or (
        now.kept and now.outcome.complete is not False
    ):
        return False
    if now.outcome.complete:
        reason = "The API answered with no records, where it had some before: these stay."
        now.outcome = replace(now.outcome, complete=None, reason=reason)
    return True


def distrust_empty_result(
    database: duckdb.DuckDBPyConnection, events: ResourceConfig, now: Sync
) -> None:
    """An API that has no events any more is more likely one that does not show them."""
    nothing = now.is_full and now.outcome.complete and not now.kept
    if nothing and account_registry.count_rows(database, events):
        reason = "The API answered with no events, where it had some before: these stay current."
        now.outcome = replace(now.outcome, complete=None, reason=reason)


def ensure_same_origin(database: duckdb.DuckDBPyConnection, source: SourceConfig) -> None:
    """Keep the sandbox's invented events and real ones apart."""
    if not inspection.has_table(database, source.name, EVENT_DATA):
        return
    destination = warehouse.get_destination()
    before = sync_log.recorded_origin(database, source.name) or inspection.latest_value(
        database, source.name, SYNC_LOG, "api"
    )
    if before and before != source.api and SANDBOX in (before, source.api):
        raise ConfigError(
            f"The database {destination.display_name} holds the events of {before}, not of "
            f"{source.api}: {destination.new_database_hint}, and sync again."
        )
    if account_registry.mixes_account_modes(database, source.name, source.account):
        way = "without `accounts`" if source.account is not None else "with `accounts`"
        raise ConfigError(
            f"The table {source.name}.{EVENT_DATA} in {destination.display_name} was filled {way}: "
            f"give the source a folder of another name, or {destination.new_database_hint}."
        )
