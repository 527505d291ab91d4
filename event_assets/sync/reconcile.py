"""Bring the tables of a source into the state that a sync, a check or a view starts from.

What a person dropped, renamed or altered is restored; older versions' tables are migrated.
"""

from __future__ import annotations

from event_assets.config.accounts import ACCOUNT
from event_assets.config.fields import LAST_SEEN
from event_assets.config.source import SourceConfig
from event_assets.config.source_files import EVENT_DATA
from event_assets.sync import account_registry, rejects, removed, schema_changes, sync_log
from event_assets.warehouse import Database, inspection, sql
from event_assets.warehouse.tables import ensure_kind, ensure_table, reconcile_columns

# The later loads of a sync in batches are not in the log: their rows get the sync's load id.
# Some at once, since DuckDB holds what an update replaces in memory.
LOG_BATCHES = """
update {table} as loaded set {column} = found.logged
from (
    select known.rowid as row, complete.load_id as logged
    from {table} as known
    join (
        select {account} as owner, max(load_id) as load_id
        from {log} where complete and full_sync is not false group by all
    ) as complete on {account} = complete.owner and known.{column} > complete.load_id
    where known.{column} not in (select load_id from {log} where load_id is not null)
    limit 200_000
) as found
where loaded.rowid = found.row
"""
TABLES_OF_SOURCE = {
    sync_log.ORIGIN_TABLE: sync_log.ORIGIN_COLUMNS,
    schema_changes.PATHS_TABLE: schema_changes.PATHS_COLUMNS,
}
NUMBER_SYNCS = """
update {log} as syncs set sync_number = numbered.number
from (
    select rowid as row, row_number() over (order by load_id, started_at)
        + (select coalesce(max(sync_number), 0) from {log}) as number
    from {log} where sync_number is null
) as numbered
where syncs.rowid = numbered.row
"""


def reconcile(database: Database, source: SourceConfig) -> dict[str, dict[str, str]]:
    """Make what is missing of the tables that exist, before anything reads them.

    Returns:
        The columns of each resource's table that syncs have filled, and their types, by dlt's
        names.

    Raises:
        WarehouseError: what a person made of them cannot be undone without losing data.
    """
    schema = source.name
    accounts, loaded = dict.fromkeys(source.partition_columns, "text"), {}
    for table, columns in TABLES_OF_SOURCE.items():
        if inspection.has_table(database, schema, table):
            ensure_table(database, schema, table, columns)
    for table, resource in source.resources.items():
        log = sync_log.sync_log_table(table)
        has_log = inspection.has_table(database, schema, log)
        has_accounts = (
            not (accounts and has_log)
            or inspection.has_column(database, schema, log, ACCOUNT)
            or inspection.has_table(database, schema, account_registry.ACCOUNTS_TABLE)
        )
        known = accounts if has_accounts else {}  # else the table is of the other account mode
        if has_log or inspection.has_table(database, schema, table):
            ensure_table(database, schema, log, {**sync_log.COLUMNS, **known})
            rejected = {**rejects.COLUMNS, **known}
            ensure_table(database, schema, rejects.rejects_table(table), rejected)
            _number_syncs(database, schema, table)
        loaded[table] = sync_log.loaded_columns(database, schema, table)
        types = {LAST_SEEN: "timestamp", **loaded[table]}
        reconcile_columns(database, schema, table, [*resource.own_key_columns, *known], types)
    if inspection.has_table(database, schema, EVENT_DATA):
        ensure_kind(database, schema, "current_events", is_view=True)
        if source.removed_when:
            removed.ensure_removed_table(database, source)
        if source.accounts:
            account_registry.restore_accounts(database, schema)
    return loaded


def _number_syncs(database: Database, schema: str, table: str) -> None:
    """Number the syncs of a table that have no number."""
    log = sync_log.sync_log_table(table)
    unnumbered = database.table(f"{schema}.{log}").filter("sync_number is null")
    if not unnumbered.limit(1).fetchall():
        return
    names = {
        "log": f"{schema}.{log}",
        "account": ACCOUNT if inspection.has_column(database, schema, log, ACCOUNT) else "''",
    }
    for name, column in ((table, "_dlt_load_id"), (rejects.rejects_table(table), "load_id")):
        if inspection.has_table(database, schema, name):
            loaded = {"table": f"{schema}.{sql.quote_identifier(name)}", "column": column}
            statement = LOG_BATCHES.format_map({**names, **loaded})
            while database.execute(statement).fetchall() != [(0,)]:
                pass
    with sql.transaction(database):
        database.execute(NUMBER_SYNCS.format_map(names))
        database.execute(f"drop table if exists {schema}.{table}_checkpoint")
        if inspection.has_table(database, f"{schema}_staging", "_dlt_version"):
            database.execute(f"drop schema {schema}_staging cascade")
