"""Refuse to mix origins in a table, and distrust results that would empty it."""

from __future__ import annotations

from dataclasses import replace

from event_assets import warehouse
from event_assets.config.source import EVENT_DATA, SANDBOX, ResourceConfig, SourceConfig
from event_assets.extract.stream_state import Sync
from event_assets.sync import account_registry, sync_log
from event_assets.sync.sync_log import SYNC_LOG
from event_assets.values.errors import ConfigError
from event_assets.warehouse import Database, inspection


def keeps_existing_rows(database: Database, resource: ResourceConfig, sync: Sync) -> bool:
    """Return whether existing rows stay: an empty or incomplete result must not replace them."""
    schema, table = resource.source.name, resource.name
    if not inspection.has_table(database, schema, table):
        return False
    if not account_registry.count_rows(database, resource) or (
        sync.loaded_records and sync.result.complete is not False
    ):
        return False
    if sync.result.complete:
        reason = "The API returned no records, but did before: the existing rows are kept."
        sync.result = replace(sync.result, complete=None, reason=reason)
    return True


def distrust_empty_result(database: Database, events: ResourceConfig, sync: Sync) -> None:
    """Treat an empty result as unverified if the table has rows."""
    is_empty = sync.is_full and sync.result.complete and not sync.loaded_records
    if is_empty and account_registry.count_rows(database, events):
        reason = "The API returned no events, but did before: the existing events stay current."
        sync.result = replace(sync.result, complete=None, reason=reason)


def ensure_same_origin(database: Database, source: SourceConfig) -> None:
    """Raise ConfigError if sandbox and real events, or both account modes, would be mixed."""
    if not inspection.has_table(database, source.name, EVENT_DATA):
        return
    destination = warehouse.get_destination()
    recorded = sync_log.recorded_origin(database, source.name) or inspection.latest_value(
        database, source.name, SYNC_LOG, "api"
    )
    if recorded and recorded != source.origin and SANDBOX in (recorded, source.origin):
        raise ConfigError(
            f"The database {destination.display_name} contains events of {recorded}, not of "
            f"{source.origin}: {destination.new_database_hint}, and sync again."
        )
    if account_registry.mixes_account_modes(database, source.name, source.account):
        mode = "without `accounts`" if source.account is not None else "with `accounts`"
        raise ConfigError(
            f"The table {source.name}.{EVENT_DATA} in {destination.display_name} was loaded "
            f"{mode}: rename the folder of the source, or {destination.new_database_hint}."
        )
