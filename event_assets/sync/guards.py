"""Refuse to mix origins in a table, and distrust results that would empty it."""

from __future__ import annotations

from dataclasses import replace

from event_assets import warehouse
from event_assets.config.source import EVENT_DATA, SANDBOX, ResourceConfig, SourceConfig
from event_assets.pagination.result import PaginationResult
from event_assets.sync import account_registry, sync_log
from event_assets.sync.sync_log import SYNC_LOG
from event_assets.values.errors import ConfigError
from event_assets.warehouse import Database, inspection

EMPTY_EVENTS = "The API returned no events, but did before: the existing events stay current."
EMPTY_LIST = "The API returned no records, but did before: the existing rows are kept."


def keeps_existing_rows(
    database: Database, resource: ResourceConfig, records: int, result: PaginationResult
) -> bool:
    """Return whether existing rows stay: an empty or incomplete result must not replace them."""
    is_replaced = not resource.primary_key_columns and (not records or result.complete is False)
    return is_replaced and account_registry.count_rows(database, resource) > 0


def distrust_empty_result(
    database: Database, resource: ResourceConfig, records: int, result: PaginationResult
) -> PaginationResult:
    """Treat the empty result of a full sync as unverified if the table has rows."""
    is_verdict = resource.is_events or not resource.primary_key_columns
    if records or not result.complete or not is_verdict:
        return result
    if not account_registry.count_rows(database, resource):
        return result
    reason = EMPTY_EVENTS if resource.is_events else EMPTY_LIST
    return replace(result, complete=None, reason=reason)


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
