"""The table `event_data_removed`: events that the API has marked as removed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from event_assets.config.source import SourceConfig
from event_assets.config.source_files import EVENT_DATA
from event_assets.warehouse import Database
from event_assets.warehouse.sql import account_filter, quote_literal
from event_assets.warehouse.tables import ensure_table

if TYPE_CHECKING:
    import pyarrow as pa

REMOVED_TABLE = "event_data_removed"
REMOVED_WHEN = "removed_when"  # in place of a field in which the records of an id differ
COLUMNS = {"id": "text", "removed_at": "timestamp", "load_id": "text"}
# With the few ids at the right of a join, DuckDB keeps them in memory, not those of all events.
DELETE_RETURNED = """
delete from {removed} where {own} and id in (
    select id from (from {events} where {own} and _dlt_load_id = ?) semi join {removed} using (id)
)
"""
INSERT_REMOVED = """
insert into {removed} by name
select distinct id, ?::timestamptz as removed_at, ? as load_id{account}
from (from {events} where {own}) semi join removed_now using (id)
where id not in (select id from {removed} where {own} and id is not null)
"""


def ensure_removed_table(database: Database, source: SourceConfig) -> None:
    """Create the table, which the view of current events needs."""
    accounts = dict.fromkeys(source.partition_columns, "text")
    ensure_table(database, source.name, REMOVED_TABLE, {**COLUMNS, **accounts})


def record_removed(
    database: Database, source: SourceConfig, ids: pa.Table, load_id: str, removed_at: datetime
) -> None:
    """Record which known events a sync saw as removed, and forget those that it has loaded.

    To be called in the transaction of the load.
    """
    ensure_removed_table(database, source)
    account = source.account
    names = {
        "removed": f"{source.name}.{REMOVED_TABLE}",
        "events": f"{source.name}.{EVENT_DATA}",
        "own": account_filter(account),
        "account": "" if account is None else f", {quote_literal(account)} as account",
    }
    database.execute(DELETE_RETURNED.format_map(names), [load_id])
    database.register("removed_now", ids)
    database.execute(INSERT_REMOVED.format_map(names), [removed_at, load_id])
