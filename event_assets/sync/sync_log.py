"""The table `event_data_syncs`, one row for each sync, and the recorded origin of the tables.

Syncs are in the order of the numbers that the load gives them: a clock may be wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import chain
from typing import Any

from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.values.json_text import decode_stored
from event_assets.values.types import COLUMN_TYPES
from event_assets.warehouse import Database
from event_assets.warehouse.inspection import catalog_columns, fetch_rows, has_table, latest_value
from event_assets.warehouse.sql import insert_row
from event_assets.warehouse.tables import ensure_table

SYNC_LOG = "event_data_syncs"
ORIGIN_TABLE = "event_data_api"
ORIGIN_COLUMNS = {"api": "text", "id_paths": "json"}
# Users' queries rely on the names, so that some are no more those of the code: `seams_held` counts
# overlaps, `shifts_repaired` shifts, `sweeps` passes.
COLUMNS = {
    "load_id": "text",
    "sync_number": "bigint",
    "api": "text",
    "started_at": "timestamp",
    "finished_at": "timestamp",
    "requests": "bigint",
    "retries": "bigint",
    "bytes": "bigint",
    "pages": "bigint",
    "seams_held": "bigint",
    "shifts_repaired": "bigint",
    "sweeps": "bigint",
    "rows_read": "bigint",
    "distinct_ids": "bigint",
    "total_reported": "bigint",
    "rejects": "bigint",
    "columns": "json",
    "complete": "bool",
    "reason": "text",
    "full_sync": "bool",
    "position": "json",
    "version": "text",
    "unmatched": "json",
    "repeated_ids": "bigint",
    "conflicting_ids": "bigint",
    "repeats": "json",
    "read_from": "timestamp",
    "read_until": "timestamp",
    "newest": "json",
    "table_rows": "bigint",
    "warning": "text",
    "began_at": "timestamp",
    "earliest_start": "timestamp",
}
LOADED_COLUMNS = """
from {log} select columns where json_type(columns) = 'OBJECT' and sync_number is not null
group by all order by max(sync_number)
"""


def sync_log_table(table: str) -> str:
    """Return the name of a table's sync log."""
    return f"{table}_syncs"


def record_origin(database: Database, source: SourceConfig) -> None:
    """Record the API that the tables are loaded from, and where the events' ids come from."""
    schema, origin = source.name, (source.events_url, source.events.id_paths)
    if recorded_origin(database, schema) == origin:
        return
    ensure_table(database, schema, ORIGIN_TABLE, ORIGIN_COLUMNS)
    database.execute(f"delete from {schema}.{ORIGIN_TABLE}")
    row = {"api": origin[0], "id_paths": json.dumps(origin[1])}
    insert_row(database, f"{schema}.{ORIGIN_TABLE}", row)


def recorded_origin(database: Database, schema: str) -> tuple[str | None, list[str] | None]:
    """Return the URL of the events in a schema, or the API's alone, and where their ids come from.

    Each is None if it is not recorded.
    """
    if not has_table(database, schema, ORIGIN_TABLE):
        return latest_value(database, schema, SYNC_LOG, "api"), None
    row = next(iter(fetch_rows(database.table(f"{schema}.{ORIGIN_TABLE}"))), {})
    return row.get("api"), decode_stored(row.get("id_paths"), list[str]) or None


def append(database: Database, resource: ResourceConfig, row: Mapping[str, Any]) -> int:
    """Append a row to the sync log of a resource with the next number, and return the number.

    To be called in the transaction of the load. In a lake, two accounts' syncs that load at once
    can get the same number.
    """
    schema, table = resource.source.name, sync_log_table(resource.name)
    columns = {**COLUMNS, **dict.fromkeys(resource.source.partition_columns, "text")}
    number = int(latest_value(database, schema, table, "sync_number") or 0) + 1
    ensure_table(database, schema, table, columns)
    insert_row(database, f"{schema}.{table}", {**row, "sync_number": number})
    return number


def loaded_columns(database: Database, schema: str, table: str) -> dict[str, str]:
    """Return the columns of a table that syncs have filled, and their types, by dlt's names."""
    log = sync_log_table(table)
    if not {"columns", "sync_number"} <= catalog_columns(database, schema, log).keys():
        return {}
    found = database.execute(LOADED_COLUMNS.format(log=f"{schema}.{log}")).fetchall()
    loaded = [(decode_stored(columns, dict[str, Any]) or {}).items() for (columns,) in found]
    return {name: kind for name, kind in chain.from_iterable(loaded) if str(kind) in COLUMN_TYPES}
