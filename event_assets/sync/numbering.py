"""Take over the tables of 0.1.0, where the order of syncs was that of their load ids."""

from __future__ import annotations

from event_assets.config.accounts import ACCOUNT
from event_assets.sync.rejects import rejects_table
from event_assets.sync.sync_log import sync_log_table
from event_assets.warehouse import Database, sql
from event_assets.warehouse.inspection import has_column, has_table
from event_assets.warehouse.sql import quote_identifier

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
NUMBER_SYNCS = """
update {log} as syncs set sync_number = numbered.number
from (
    select rowid as row, row_number() over (order by load_id, started_at)
        + (select coalesce(max(sync_number), 0) from {log}) as number
    from {log} where sync_number is null
) as numbered
where syncs.rowid = numbered.row
"""


def number_syncs(database: Database, schema: str, table: str) -> None:
    """Number the syncs of a table that have no number."""
    log = sync_log_table(table)
    unnumbered = database.table(f"{schema}.{log}").filter("sync_number is null")
    if not unnumbered.limit(1).fetchall():
        return
    names = {
        "log": f"{schema}.{log}",
        "account": ACCOUNT if has_column(database, schema, log, ACCOUNT) else "''",
    }
    for name, column in ((table, "_dlt_load_id"), (rejects_table(table), "load_id")):
        if has_table(database, schema, name):
            loaded = {"table": f"{schema}.{quote_identifier(name)}", "column": column}
            statement = LOG_BATCHES.format_map({**names, **loaded})
            while database.execute(statement).fetchall() != [(0,)]:
                pass
    with sql.transaction(database):
        database.execute(NUMBER_SYNCS.format_map(names))
        database.execute(f"drop table if exists {schema}.{table}_checkpoint")
