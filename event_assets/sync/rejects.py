"""The table `event_data_rejects`: records that break the contract, with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import IO

import pyarrow as pa

from event_assets.config.accounts import ACCOUNT
from event_assets.config.source import ResourceConfig
from event_assets.records.arrow_builder import Reject
from event_assets.values.errors import TooManyRejectsError
from event_assets.warehouse import Database
from event_assets.warehouse.sql import account_filter, quote_identifier, quote_literal
from event_assets.warehouse.tables import ensure_table

Reasons = Counter[tuple[str | None, str]]  # counts by field and reason
REJECTS = "event_data_rejects"
SCHEMA = pa.schema([(name, pa.string()) for name in Reject._fields])
NOT_LOADED = ""  # load id of a failed sync: records that are known as rejects keep theirs
COLUMNS = {
    "id": "text",
    "record": "json",
    "field": "text",
    "reason": "text",
    "first_rejected_at": "timestamp",
    "rejected_at": "timestamp",
    "load_id": "text",
}
CREATE_BUFFER = "create or replace temp table rejected_now as from rejects_read"
# The first record of an id counts; records without an id are identified by their text.
MERGE_BUFFER = """
create or replace temp table rejected_merged as
select id, record, field, reason, known.since, known.load_id
from (
    select *, coalesce(id, md5(record)) as key from rejected_now
    where rowid in (select min(rowid) from rejected_now group by coalesce(id, md5(record)))
) as buffered
left join (
    select coalesce(id, md5(record)) as key, min(first_rejected_at) as since,
        any_value(load_id) as load_id
    from {rejects} where {own_rows} group by key
) as known using (key)
"""
DELETE_REPLACED = """
delete from {rejects}
where {own_rows}
    and coalesce(id, md5(record)) in (select coalesce(id, md5(record)) from rejected_merged)
"""
DELETE_FIXED = "delete from {rejects} where {own_rows} and ((? and id is null) or {is_fixed})"
# With the rejects at the right of the join, DuckDB keeps only their ids in memory.
IS_FIXED = """id in (
    select id from (from {table} where {own_rows} and _dlt_load_id = {load_id})
    semi join {rejects} using (id)
)"""
INSERT_REJECTS = """
insert into {rejects} by name
select id, record, field, reason, coalesce(since, ?) as first_rejected_at, ? as rejected_at,
    coalesce(nullif(?, ''), load_id, '') as load_id{value}
from rejected_merged
"""


class RejectBuffer:
    """The rejects of the running sync, buffered in a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._writer = pa.ipc.new_stream(file, SCHEMA)
        self._is_empty = True

    def append(self, rejects: Sequence[Reject]) -> None:
        """Append records to the buffer."""
        self._is_empty = False
        columns = [list(values) for values in zip(*rejects, strict=True)]
        self._writer.write_batch(pa.record_batch(columns, SCHEMA))

    def merge_into_table(
        self,
        database: Database,
        resource: ResourceConfig,
        load_id: str,
        rejected_at: datetime,
        *,
        complete: bool = False,
    ) -> None:
        """Merge the buffer into the table of rejects and delete fixed records, in a transaction.

        A reject without an id cannot be found again: the next complete sync deletes it.
        """
        schema, account = resource.source.name, resource.source.account
        has_ids = "id" in resource.primary_key_columns
        parameters = {
            "rejects": f"{schema}.{rejects_table(resource.name)}",
            "table": f"{schema}.{quote_identifier(resource.name)}",
            "own_rows": account_filter(account),
            "load_id": quote_literal(load_id),
            "value": "" if account is None else f", {quote_literal(account)} as {ACCOUNT}",
        }
        accounts = dict.fromkeys(resource.source.partition_columns, "text")
        ensure_table(database, schema, rejects_table(resource.name), {**COLUMNS, **accounts})
        if not self._is_empty:
            self._writer.close()
            self._file.seek(0)
            database.register("rejects_read", pa.ipc.open_stream(self._file))
            database.execute(CREATE_BUFFER)
            database.execute(MERGE_BUFFER.format_map(parameters))
            database.execute(DELETE_REPLACED.format_map(parameters))
        if load_id:
            fixed = IS_FIXED.format_map(parameters) if has_ids else "false"
            database.execute(DELETE_FIXED.format(is_fixed=fixed, **parameters), [complete])
        if not self._is_empty:
            times = [rejected_at, rejected_at]
            database.execute(INSERT_REJECTS.format_map(parameters), [*times, load_id])


def rejects_table(table: str) -> str:
    """Return the name of a table's table of rejects."""
    return f"{table}_rejects"


def enforce_reject_limit(table: str, reasons: Reasons, records: int, share: float) -> None:
    """Raise TooManyRejectsError if more than one record, and more than a share, are rejected."""
    rejected = sum(reasons.values())
    if rejected <= max(1, share * records):
        return
    why = ", ".join(
        f"{describe_reject(field, reason)} ({n:,})" for (field, reason), n in reasons.most_common(5)
    )
    raise TooManyRejectsError(
        f"{rejected:,} of {records:,} records break the contract, more than max_rejects "
        f"({100 * share:.3g} % of all) allows, and none was loaded: {why}; {fix_hint(table)} "
        f"in defs.yaml, with the help of the table {rejects_table(table)}."
    )


def fix_hint(table: str) -> str:
    """Return how to fix the records that are rejected for a table."""
    if rejects_table(table) == REJECTS:
        return "correct `fields`"
    return f"correct the `primary_key` of `{table}`"


def describe_reject(field: str | None, reason: str) -> str:
    """Return a reason with its field."""
    return f"`{field}` {reason}" if field else f"a record {reason}"
