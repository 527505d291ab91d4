"""Bring the tables of a source into the state that a sync, a check or a view starts from.

What a person dropped, renamed or altered is made again; older versions' tables are taken over.
"""

from __future__ import annotations

from event_assets.config.accounts import ACCOUNT
from event_assets.config.source import EVENT_DATA, SourceConfig
from event_assets.sync import account_registry, rejects, removed, sync_log
from event_assets.sync.numbering import number_syncs
from event_assets.warehouse import Database, inspection
from event_assets.warehouse.reconcile import (
    drop_damaged_dlt_tables,
    ensure_kind,
    ensure_table,
    reconcile_columns,
)


def reconcile(database: Database, source: SourceConfig) -> None:
    """Make what is missing of the tables that exist, before anything reads them.

    Raises:
        WarehouseError: what a person made of them cannot be undone without losing data.
    """
    schema = source.name
    accounts = dict.fromkeys(source.partition_columns, "varchar")
    drop_damaged_dlt_tables(database, schema)
    for table, resource in source.resources.items():
        log = sync_log.sync_log_table(table)
        has_log = inspection.has_table(database, schema, log)
        has_accounts = not has_log or inspection.has_column(database, schema, log, ACCOUNT)
        known = accounts if has_accounts else {}  # else it is of the other mode
        stored = inspection.stored_columns(database, schema, table)
        key = [*resource.own_key_columns, *known]
        reconcile_columns(database, schema, table, key, stored)
        if has_log or inspection.has_table(database, schema, table):
            ensure_table(database, schema, log, {**sync_log.COLUMNS, **known})
            rejected = {**rejects.COLUMNS, **known}
            ensure_table(database, schema, rejects.rejects_table(table), rejected)
            number_syncs(database, schema, table)
    if inspection.has_table(database, schema, EVENT_DATA):
        ensure_kind(database, schema, "current_events", is_view=True)
        if source.removed_when:
            removed.ensure_removed_table(database, source)
        if source.accounts:
            account_registry.restore_accounts(database, schema)
