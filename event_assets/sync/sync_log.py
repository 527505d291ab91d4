"""The table `event_data_syncs`, one row for each sync, and the recorded origin of the tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from event_assets.config.accounts import ACCOUNT
from event_assets.extract.stream_state import Sync
from event_assets.values.conversion import to_json
from event_assets.warehouse import Database
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
    """Return the columns of the sync log and their types."""
    return COLUMNS if account is None else {**COLUMNS, ACCOUNT: "varchar"}


def sync_log_table(table: str) -> str:
    """Return the name of a table's sync log."""
    return f"{table}_syncs"


def build_row(sync: Sync, load_id: str, api: str, version: str) -> dict[str, Any]:
    """Build a sync's row of the sync log, by column."""
    result, totals = sync.result, sync.totals()
    return {
        "load_id": sync.first_load or load_id,
        "api": api,
        "started_at": totals.started_at,
        "finished_at": datetime.now(timezone.utc),
        "requests": totals.requests,
        "retries": totals.retries,
        "bytes": totals.bytes,
        "pages": result.pages,
        "seams_held": result.overlaps_confirmed,
        "shifts_repaired": result.shifts_recovered,
        "sweeps": result.passes,
        "rows_read": result.rows,
        "distinct_ids": result.distinct_ids,
        "total_reported": result.total_reported,
        "rejects": sum(sync.stats.reasons.values()),
        "columns": to_json(sync.stats.observed_types),
        "complete": result.complete,
        "reason": _describe_result(sync),
        "full_sync": sync.is_full,
        "position": json.dumps(sync.next_cursor_value),
        "version": version,
        **({} if sync.account is None else {ACCOUNT: sync.account}),
    }


def _describe_result(sync: Sync) -> str:
    reason, totals = sync.result.reason, sync.totals()
    if not sync.is_full:
        reason = f"Changes since {str(sync.cursor_value)[:40]}: {reason}"
    if totals.runs > 1 and totals.started_at:
        reason += f" In {totals.runs:,} runs, since {totals.started_at:%Y-%m-%d %H:%M} UTC."
    return reason


def record_origin(database: Database, schema: str, api: str) -> None:
    """Record the API that the tables of a schema are loaded from."""
    if recorded_origin(database, schema) == api:
        return
    database.execute(f"create schema if not exists {schema}")
    database.execute(f"create or replace table {schema}.event_data_api as select ? as api", [api])


def recorded_origin(database: Database, schema: str) -> str | None:
    """Return the API that the tables of a schema were loaded from; None if not recorded."""
    if not has_table(database, schema, "event_data_api"):
        return None
    rows = database.table(f"{schema}.event_data_api").fetchall()
    return str(rows[0][0]) if rows else None
