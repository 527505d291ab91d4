"""How far the first sync of a large account has come, kept in the database beside its rows."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import duckdb

from event_assets import tables
from event_assets.paging import Position
from event_assets.paging.bookmark import ids_in
from event_assets.paging.seen import DistinctIds, row_ids
from event_assets.rejects import rejects_of
from event_assets.source import Resource
from event_assets.syncs import Earlier, Sync, columns_of, syncs_of
from event_assets.tally import Tally, key_of
from event_assets.warehouse import again

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


def checkpoint_of(table: str) -> str:
    """Name the table that says how far the first sync of a table came."""
    return f"{table}_checkpoint"


def part_rows(database: duckdb.DuckDBPyConnection, resource: Resource) -> int | None:
    """Say how many rows a part of the next sync has; None: all is loaded at once.

    In parts comes only what was never read to its end: a table that was whole once changes from
    one whole state to the next.
    """
    source, syncs = resource.source, syncs_of(resource.name)
    if not resource.has_events or resource.increment or source.windows:
        return None
    ended = tables.last_value(
        database,
        source.name,
        syncs,
        "load_id",
        f"complete is not false and {tables.of_account(source.account)}",
    )
    return None if ended else source.checkpoint_rows or None


def keep(database: duckdb.DuckDBPyConnection, resource: Resource, now: Sync, position: str) -> None:
    """Write down where a sync is, whose rows so far are in the table."""
    source, table = resource.source, checkpoint_of(resource.name)
    so_far = now.so_far()
    figures = {name: getattr(so_far, name) for name in FIGURES} | {
        "kept": now.kept,
        "held": now.tally.held,
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
        with tables.transaction(database):
            syncs = syncs_of(resource.name)
            tables.create(database, source.name, syncs, columns_of(source.account))
            tables.create(database, source.name, table, COLUMNS)
            forget(database, resource)
            tables.append(database, source.name, table, COLUMNS, row)

    again(replace)


def forget(database: duckdb.DuckDBPyConnection, resource: Resource) -> None:
    """Remove the checkpoint of a sync that has ended."""
    schema, table = resource.source.name, checkpoint_of(resource.name)
    if tables.has_table(database, schema, table):
        gone = f"delete from {schema}.{table} where pipeline = ?"  # noqa: S608 (our names)
        database.execute(gone, [resource.pipeline])


def go_on(database: duckdb.DuckDBPyConnection, resource: Resource, now: Sync) -> None:
    """Let a sync begin where the one before stopped, if that left a checkpoint that is good."""
    row = _row(database, resource)
    if row is None:
        return
    if problem := _void(resource, row) or _restored(database, resource, now, row):
        LOG.info("The sync of %s that did not end is not gone on with: %s.", resource.name, problem)
        return
    LOG.info("Going on with a sync: %s", _progress(row))


def unfinished(database: duckdb.DuckDBPyConnection, resource: Resource) -> str | None:
    """Say how far a first sync that has not ended came; None where there is none."""
    if row := _row(database, resource):
        problem = _void(resource, row)
        then = f"begins anew: {problem}" if problem else "goes on there"
        return f"The first sync has not ended: {_progress(row)} The next one {then}."
    return None


def _row(database: duckdb.DuckDBPyConnection, resource: Resource) -> dict[str, Any] | None:
    schema, table = resource.source.name, checkpoint_of(resource.name)
    if not tables.has_table(database, schema, table):
        return None
    own = f"pipeline = {tables.literal(resource.pipeline)}"
    rows = tables.rows_of(database.table(f"{schema}.{table}").filter(own))
    return rows[0] if rows else None


def _progress(row: dict[str, Any]) -> str:
    of = f" of {row['total_reported']:,}" if row["total_reported"] else ""
    return f"{row['records']:,} rows{of} came since {row['started_at']:%Y-%m-%d %H:%M} UTC."


def _void(resource: Resource, row: dict[str, Any]) -> str | None:
    """Say why a checkpoint is of no use, if it is not."""
    if (row["api"], row["version"]) != (resource.source.api, _version(resource)):
        return "the API or its configuration is another one now"
    if datetime.now(timezone.utc) - row["kept_at"] > MAX_AGE:
        return f"it is older than {MAX_AGE.days} days"
    return None


def _version(resource: Resource) -> str:
    """Change with the configuration, and with what a checkpoint is made of."""
    return f"{resource.source.version}.{FORMAT}"


def _restored(
    database: duckdb.DuckDBPyConnection, resource: Resource, now: Sync, row: dict[str, Any]
) -> str | None:
    """Give a sync what the one before knew; or say why that cannot be."""
    figures = json.loads(row["figures"])
    seen, missing, id_of = DistinctIds(), ids_in(row["position"]), resource.id_of()
    for (ids,) in _batches(database, LOADED, resource, row):
        seen.add(ids)
        missing.difference_update(ids)
    rejected: set[int] = set()
    for ids, records in _batches(database, REJECTED, resource, row):
        rejected.update(map(key_of, ids, records))
        seen.add(row_ids(list(map(json.loads, records)), id_of))
    # of a rejected record the id may be lacking
    if len(missing) > len(rejected):
        return "rows that it has loaded are not in the table any more"
    now.bookmark.begin = Position(row["position"], seen)
    now.kept, now.first_load = figures["kept"], row["load_id"]
    reasons = {(name, reason): count for name, reason, count in figures["reasons"]}
    now.tally = Tally(figures["held"], Counter(reasons), rejected)
    now.earlier = Earlier(
        row["load_id"],
        row["started_at"],
        row["rows_read"],
        row["records"],
        **{name: figures[name] for name in FIGURES},
    )
    return None


def _batches(
    database: duckdb.DuckDBPyConnection, query: str, resource: Resource, row: dict[str, Any]
) -> Iterator[list[list[Any]]]:
    """Fetch what came since a sync's first load: columns as lists, a few rows at a time."""
    schema = resource.source.name
    names = {
        "table": f"{schema}.{tables.quoted(resource.name)}",
        "rejects": f"{schema}.{rejects_of(resource.name)}",
        "mine": tables.of_account(resource.source.account),
    }
    found = database.execute(query.format_map(names), {"load_id": row["load_id"]})
    for batch in found.to_arrow_reader(FETCHED):
        yield [column.to_pylist() for column in batch.columns]
