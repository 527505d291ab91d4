"""A database as syncs leave it, made by a few statements: for what only reads it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from event_assets.sync.sync_log import COLUMNS
from event_assets.values.types import COLUMN_TYPES

EVENTS = """
create schema if not exists {schema};
create or replace table {schema}.event_data as
    select 'e' || n as id, 'Event ' || n as name, 'x' as _dlt_load_id,
        now() + to_hours(n::int) - interval 1 hour as start_time, repeat('long ', 20) as text
    from range({events}) as numbers(n);
create or replace view {schema}.current_events as from {schema}.event_data;
create or replace table {schema}.event_changes as
    select now() as changed_at, 'gone' as change, 'e9' as id, 'Gone' as name,
        null::varchar as field, null::varchar as old, null::varchar as new;
create or replace table {schema}.event_data_rejects as
    select 'e8' as id, 'start_time' as field, 'is not a timestamp' as reason,
        'soon' as record, '1' as load_id;
"""


def write_database(file: Path, schema: str = "events", events: int = 3) -> None:
    """Write the tables of a source into a DuckDB file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(file) as database:
        database.execute(EVENTS.format(schema=schema, events=events))
    log_sync(file, schema)


def log_sync(
    file: Path,
    schema: str = "events",
    table: str = "event_data",
    *,
    minutes_ago: float = 0,
    **values: Any,
) -> None:
    """Add a sync to a table of syncs; by default a complete one that has just ended."""
    ended = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    row: Mapping[str, Any] = {
        **dict.fromkeys(COLUMNS),
        "started_at": ended,
        "finished_at": ended,
        "complete": True,
        "reason": "All came.",
        **values,
    }
    kinds = {**COLUMNS, **({"account": "text"} if "account" in values else {})}
    columns = {name: COLUMN_TYPES[kind].duckdb for name, kind in kinds.items()}
    with duckdb.connect(file) as database:
        declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        log = f"{schema}.{table}_syncs"
        database.execute(f"create table if not exists {log} ({declared})")
        ((number,),) = database.sql(f"select count(*) + 1 from {log}").fetchall()
        database.execute(
            f"insert into {log} by name select "
            + ", ".join(f"?::{kind} as {name}" for name, kind in columns.items()),
            [{**row, "sync_number": number}[name] for name in columns],
        )
