"""How far the first sync of a large account has come, kept in the database beside its rows."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import duckdb

from event_assets.config.source import ResourceConfig
from event_assets.extract.cursor import IncrementalCursor
from event_assets.extract.stream_state import ResumedTotals, Sync
from event_assets.pagination import Position
from event_assets.pagination.checkpoint import ids_in
from event_assets.pagination.seen_ids import DistinctIds, row_ids
from event_assets.records.contract import build_id_reader
from event_assets.records.stats import RecordStats, reject_key
from event_assets.sync.rejects import rejects_table
from event_assets.sync.sync_log import sync_log_columns, sync_log_table
from event_assets.warehouse import get_destination, inspection, sql

LOG = logging.getLogger("dagster")
MAX_AGE = timedelta(days=7)
FORMAT = 1  # of positions and figures
FETCHED = 20_000  # rows at a time
FIGURES = ("runs", "requests", "retries", "bytes")
COLUMNS = {
    "pipeline": "varchar",
    "api": "varchar",
    "version": "varchar",
    "load_id": "varchar",
    "started_at": "timestamptz",
    "kept_at": "timestamptz",
    "rows_read": "bigint",
    "records": "bigint",
    "total_reported": "bigint",
    "figures": "json",
    "position": "varchar",
}
LOADED = "select id::varchar from {table} where _dlt_load_id >= $load_id and {mine}"
REJECTED = "select id, record::varchar from {rejects} where load_id >= $load_id and {mine}"


def checkpoint_table(table: str) -> str:
    """Name the table that says how far the first sync of a table came."""
    return f"{table}_checkpoint"


def batch_rows(database: duckdb.DuckDBPyConnection, resource: ResourceConfig) -> int | None:
    """Say how many rows a part of the next sync has; None: all is loaded at once.

    In parts comes only what was never read to its end: a table that was whole once changes from
    one whole state to the next.
    """
    source, syncs = resource.source, sync_log_table(resource.name)
    if (
        not resource.is_events
        or IncrementalCursor.from_endpoint(resource.endpoint)
        or source.windows
    ):
        return None
    ended = inspection.latest_value(
        database,
        source.name,
        syncs,
        "load_id",
        f"complete is not false and {sql.account_filter(source.account)}",
    )
    return None if ended else source.checkpoint_rows or None


def save(
    database: duckdb.DuckDBPyConnection, resource: ResourceConfig, now: Sync, position: str
) -> None:
    """Write down where a sync is, whose rows so far are in the table."""
    source, table = resource.source, checkpoint_table(resource.name)
    so_far = now.so_far()
    figures = {name: getattr(so_far, name) for name in FIGURES} | {
        "kept": now.kept,
        "held": now.tally.observed_types,
        "reasons": [[*reason, count] for reason, count in now.tally.reasons.items()],
    }
    row = {
        "pipeline": resource.pipeline,
        "api": source.api,
        "version": _version(resource),
        "load_id": so_far.load_id,
        "started_at": so_far.started_at,
        "kept_at": datetime.now(timezone.utc),
        "rows_read": so_far.rows,
        "records": so_far.records,
        "total_reported": now.outcome.total_reported,
        "figures": json.dumps(figures),
        "position": position,
    }

    def replace() -> None:
        with sql.transaction(database):
            syncs = sync_log_table(resource.name)
            sql.ensure_table(database, source.name, syncs, sync_log_columns(source.account))
            sql.ensure_table(database, source.name, table, COLUMNS)
            delete(database, resource)
            sql.append_row(database, source.name, table, COLUMNS, row)

    get_destination().retry_on_conflict(replace)


def delete(database: duckdb.DuckDBPyConnection, resource: ResourceConfig) -> None:
    """Remove the checkpoint of a sync that has ended."""
    schema, table = resource.source.name, checkpoint_table(resource.name)
    if inspection.has_table(database, schema, table):
        gone = f"delete from {schema}.{table} where pipeline = ?"  # noqa: S608 (our names)
        database.execute(gone, [resource.pipeline])


def resume(database: duckdb.DuckDBPyConnection, resource: ResourceConfig, now: Sync) -> None:
    """Let a sync begin where the one before stopped, if that left a checkpoint that is good."""
    row = _row(database, resource)
    if row is None:
        return
    if problem := _invalid_reason(resource, row) or _restore(database, resource, now, row):
        LOG.info("The sync of %s that did not end is not gone on with: %s.", resource.name, problem)
        return
    LOG.info("Going on with a sync: %s", _progress(row))


def describe_pending(database: duckdb.DuckDBPyConnection, resource: ResourceConfig) -> str | None:
    """Say how far a first sync that has not ended came; None where there is none."""
    if row := _row(database, resource):
        problem = _invalid_reason(resource, row)
        then = f"begins anew: {problem}" if problem else "goes on there"
        return f"The first sync has not ended: {_progress(row)} The next one {then}."
    return None


def _row(database: duckdb.DuckDBPyConnection, resource: ResourceConfig) -> dict[str, Any] | None:
    schema, table = resource.source.name, checkpoint_table(resource.name)
    if not inspection.has_table(database, schema, table):
        return None
    own = f"pipeline = {sql.quote_literal(resource.pipeline)}"
    rows = inspection.fetch_rows(database.table(f"{schema}.{table}").filter(own))
    return rows[0] if rows else None


def _progress(row: dict[str, Any]) -> str:
    of = f" of {row['total_reported']:,}" if row["total_reported"] else ""
    return f"{row['records']:,} rows{of} came since {row['started_at']:%Y-%m-%d %H:%M} UTC."


def _invalid_reason(resource: ResourceConfig, row: dict[str, Any]) -> str | None:
    """Say why a checkpoint is of no use, if it is not."""
    if (row["api"], row["version"]) != (resource.source.api, _version(resource)):
        return "the API or its configuration is another one now"
    if datetime.now(timezone.utc) - row["kept_at"] > MAX_AGE:
        return f"it is older than {MAX_AGE.days} days"
    return None


def _version(resource: ResourceConfig) -> str:
    """Change with the configuration, and with what a checkpoint is made of."""
    return f"{resource.source.version}.{FORMAT}"


def _restore(
    database: duckdb.DuckDBPyConnection, resource: ResourceConfig, now: Sync, row: dict[str, Any]
) -> str | None:
    """Give a sync what the one before knew; or say why that cannot be."""
    figures = json.loads(row["figures"])
    seen, missing, id_of = DistinctIds(), ids_in(row["position"]), build_id_reader(resource)
    for (ids,) in _batches(database, LOADED, resource, row):
        seen.add(ids)
        missing.difference_update(ids)
    rejected: set[int] = set()
    for ids, records in _batches(database, REJECTED, resource, row):
        rejected.update(map(reject_key, ids, records))
        seen.add(row_ids(list(map(json.loads, records)), id_of))
    # of a rejected record the id may be lacking
    if len(missing) > len(rejected):
        return "rows that it has loaded are not in the table any more"
    now.bookmark.begin = Position(row["position"], seen)
    now.kept, now.first_load = figures["kept"], row["load_id"]
    reasons = {(name, reason): count for name, reason, count in figures["reasons"]}
    now.tally = RecordStats(figures["held"], Counter(reasons), rejected)
    now.earlier = ResumedTotals(
        row["load_id"],
        row["started_at"],
        row["rows_read"],
        row["records"],
        **{name: figures[name] for name in FIGURES},
    )
    return None


def _batches(
    database: duckdb.DuckDBPyConnection, query: str, resource: ResourceConfig, row: dict[str, Any]
) -> Iterator[list[list[Any]]]:
    """Fetch what came since a sync's first load: columns as lists, a few rows at a time."""
    schema = resource.source.name
    names = {
        "table": f"{schema}.{sql.quote_identifier(resource.name)}",
        "rejects": f"{schema}.{rejects_table(resource.name)}",
        "mine": sql.account_filter(resource.source.account),
    }
    found = database.execute(query.format_map(names), {"load_id": row["load_id"]})
    for batch in found.to_arrow_reader(FETCHED):
        yield [column.to_pylist() for column in batch.columns]
