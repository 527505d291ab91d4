"""Checkpoints of large first syncs, stored in the database next to the rows."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from event_assets.config.source import ResourceConfig
from event_assets.extract.stream_state import ResumedTotals, Sync
from event_assets.pagination.checkpoint import PaginationCheckpoint, recent_ids
from event_assets.pagination.seen_ids import DistinctIds, extract_ids
from event_assets.records.contract import build_id_reader
from event_assets.records.stats import RecordStats, reject_key
from event_assets.sync.rejects import rejects_table
from event_assets.sync.sync_log import sync_log_columns, sync_log_table
from event_assets.warehouse import Database, inspection, sql

LOG = logging.getLogger("dagster")
MAX_AGE = timedelta(days=7)
FORMAT = 2  # of `position` and `figures`; older checkpoints are invalid
FETCH_SIZE = 20_000  # rows
SUMMED_METRICS = ("runs", "requests", "retries", "bytes")
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
LOADED_IDS = "select id::varchar from {table} where _dlt_load_id >= $load_id and {own_rows}"
REJECTED_RECORDS = (
    "select id, record::varchar from {rejects} where load_id >= $load_id and {own_rows}"
)


def checkpoint_table(table: str) -> str:
    """Return the name of a table's checkpoint table."""
    return f"{table}_checkpoint"


def batch_rows(_database: Database, _resource: ResourceConfig) -> int | None:
    """Return the batch size of the next sync in rows; None: everything is loaded at once."""
    return None


def save(
    database: Database, resource: ResourceConfig, sync: Sync, checkpoint: str, first_load: str
) -> None:
    """Save the checkpoint of a sync in the transaction that loads its rows."""
    source, table = resource.source, checkpoint_table(resource.name)
    totals = sync.totals()
    figures = {name: getattr(totals, name) for name in SUMMED_METRICS} | {
        "loaded_records": sync.loaded_records,
        "observed_types": sync.stats.observed_types,
        "reasons": [[*reason, count] for reason, count in sync.stats.reasons.items()],
    }
    row = {
        "pipeline": resource.pipeline_name,
        "api": source.origin,
        "version": _version(resource),
        "load_id": first_load,
        "started_at": totals.started_at,
        "kept_at": datetime.now(timezone.utc),
        "rows_read": totals.rows,
        "records": totals.records,
        "total_reported": sync.result.total_reported,
        "figures": json.dumps(figures),
        "position": checkpoint,
    }
    syncs = sync_log_table(resource.name)
    sql.ensure_table(database, source.name, syncs, sync_log_columns(source.account))
    sql.ensure_table(database, source.name, table, COLUMNS)
    delete(database, resource)
    sql.append_row(database, source.name, table, COLUMNS, row)


def delete(database: Database, resource: ResourceConfig) -> None:
    """Delete the checkpoint of a resource."""
    schema, table = resource.source.name, checkpoint_table(resource.name)
    if inspection.has_table(database, schema, table):
        statement = f"delete from {schema}.{table} where pipeline = ?"  # noqa: S608 (our names)
        database.execute(statement, [resource.pipeline_name])


def resume(database: Database, resource: ResourceConfig, sync: Sync) -> None:
    """Resume the previous sync if it left a valid checkpoint."""
    row = _load(database, resource)
    if row is None:
        return
    if problem := _invalid_reason(resource, row) or _restore(database, resource, sync, row):
        LOG.info("Not resuming the interrupted sync of %s: %s.", resource.name, problem)
        return
    LOG.info("Resuming the interrupted sync of %s: %s", resource.name, _describe_progress(row))


def describe_pending(database: Database, resource: ResourceConfig) -> str | None:
    """Describe the first sync that has not finished; None if there is none."""
    if row := _load(database, resource):
        problem = _invalid_reason(resource, row)
        plan = f"starts over: {problem}" if problem else "resumes there"
        return f"The first sync is not finished: {_describe_progress(row)} The next sync {plan}."
    return None


def _load(database: Database, resource: ResourceConfig) -> dict[str, Any] | None:
    schema, table = resource.source.name, checkpoint_table(resource.name)
    if not inspection.has_table(database, schema, table):
        return None
    own = f"pipeline = {sql.quote_literal(resource.pipeline_name)}"
    rows = inspection.fetch_rows(database.table(f"{schema}.{table}").filter(own))
    return rows[0] if rows else None


def _describe_progress(row: dict[str, Any]) -> str:
    of = f" of {row['total_reported']:,}" if row["total_reported"] else ""
    return f"{row['records']:,} rows{of} read since {row['started_at']:%Y-%m-%d %H:%M} UTC."


def _invalid_reason(resource: ResourceConfig, row: dict[str, Any]) -> str | None:
    """Return why a checkpoint cannot be resumed, or None."""
    if (row["api"], row["version"]) != (resource.source.origin, _version(resource)):
        return "the API or its configuration has changed"
    if datetime.now(timezone.utc) - row["kept_at"] > MAX_AGE:
        return f"the checkpoint is older than {MAX_AGE.days} days"
    return None


def _version(resource: ResourceConfig) -> str:
    """Return the version of the configuration and of the checkpoint's format."""
    return f"{resource.source.config_hash}.{FORMAT}"


def _restore(
    database: Database, resource: ResourceConfig, sync: Sync, row: dict[str, Any]
) -> str | None:
    """Restore the state of the previous sync, or return why that is not possible."""
    figures = json.loads(row["figures"])
    seen, missing, get_id = DistinctIds(), recent_ids(row["position"]), build_id_reader(resource)
    for (ids,) in _batches(database, LOADED_IDS, resource, row):
        seen.add(ids)
        missing.difference_update(ids)
    rejected: set[int] = set()
    for ids, records in _batches(database, REJECTED_RECORDS, resource, row):
        rejected.update(map(reject_key, ids, records))
        seen.add(extract_ids(list(map(json.loads, records)), get_id))
    # a rejected record may have no id
    if len(missing) > len(rejected):
        return "rows that were loaded are no longer in the table"
    sync.checkpoint.resume_from = PaginationCheckpoint(row["position"], seen)
    sync.loaded_records, sync.first_load = figures["loaded_records"], row["load_id"]
    reasons = {(name, reason): count for name, reason, count in figures["reasons"]}
    sync.stats = RecordStats(figures["observed_types"], Counter(reasons), rejected)
    sync.resumed = ResumedTotals(
        row["load_id"],
        row["started_at"],
        row["rows_read"],
        row["records"],
        **{name: figures[name] for name in SUMMED_METRICS},
    )
    return None


def _batches(
    database: Database, query: str, resource: ResourceConfig, row: dict[str, Any]
) -> Iterator[list[list[Any]]]:
    """Yield batches of the rows since a sync's first load, as lists of columns."""
    schema = resource.source.name
    names = {
        "table": f"{schema}.{sql.quote_identifier(resource.name)}",
        "rejects": f"{schema}.{rejects_table(resource.name)}",
        "own_rows": sql.account_filter(resource.source.account),
    }
    result = database.sql(query.format_map(names), params={"load_id": row["load_id"]})
    for batch in result.to_arrow_reader(FETCH_SIZE):
        yield [column.to_pylist() for column in batch.columns]
