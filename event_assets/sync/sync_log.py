"""The table `event_data_syncs`: a row for each sync."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from event_assets.config.accounts import ACCOUNT
from event_assets.warehouse.inspection import has_table

SYNC_LOG = "event_data_syncs"
COLUMNS = {
    "load_id": "varchar",
    "api": "varchar",
    "started_at": "timestamptz",
    "finished_at": "timestamptz",
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
    "complete": "boolean",
    "reason": "varchar",
    "full_sync": "boolean",
    "position": "json",
    "version": "varchar",
}


def sync_log_columns(account: str | None) -> Mapping[str, str]:
    """Give the columns of the table of the syncs, and their types."""
    return COLUMNS if account is None else {**COLUMNS, ACCOUNT: "varchar"}


def sync_log_table(table: str) -> str:
    """Name the table that says how the syncs of a table went."""
    return f"{table}_syncs"


def record_origin(database: duckdb.DuckDBPyConnection, schema: str, api: str) -> None:
    """Write down which API the tables of a schema come from, before anything is loaded."""
    if recorded_origin(database, schema) == api:
        return
    database.execute(f"create schema if not exists {schema}")
    database.execute(f"create or replace table {schema}.event_data_api as select ? as api", [api])


def recorded_origin(database: duckdb.DuckDBPyConnection, schema: str) -> str | None:
    """Give the API that the tables of a schema come from, if there are any."""
    if not has_table(database, schema, "event_data_api"):
        return None
    rows = database.table(f"{schema}.event_data_api").fetchall()
    return str(rows[0][0]) if rows else None
