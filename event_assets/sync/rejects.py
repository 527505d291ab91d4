"""The records that break the contract: kept whole, with the reason, until they are good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import IO

import duckdb
import pyarrow as pa

from event_assets.config.accounts import ACCOUNT
from event_assets.records.arrow_builder import Reject
from event_assets.values.errors import TooManyRejectsError
from event_assets.warehouse import get_destination
from event_assets.warehouse.sql import account_filter, quote_identifier, quote_literal, transaction

Reasons = Counter[tuple[str | None, str]]  # of rejecting a record, with its field
REJECTS = "event_data_rejects"
SCHEMA = pa.schema([(name, pa.string()) for name in Reject._fields])
NOT_LOADED = ""  # stands for the load of a sync that failed
CREATE = """
create table if not exists {rejects} (
    id varchar, record json, field varchar, reason varchar,
    first_rejected_at timestamptz, rejected_at timestamptz, load_id varchar{column}
)
"""
FOUND = """
create or replace temp table rejected_now
(id varchar, record varchar, field varchar, reason varchar)
"""
# Of records with one id the first counts; one without an id is told from others by its text.
MERGED = """
create or replace temp table rejected_merged as
select id, record, field, reason, known.since
from (
    select *, coalesce(id, md5(record)) as key from rejected_now
    where rowid in (select min(rowid) from rejected_now group by coalesce(id, md5(record)))
) as found
left join (
    select coalesce(id, md5(record)) as key, min(first_rejected_at) as since
    from {rejects} where {mine} group by key
) as known using (key)
"""
REPLACED = """
delete from {rejects}
where {mine}
    and coalesce(id, md5(record)) in (select coalesce(id, md5(record)) from rejected_merged)
"""
GOOD = """
delete from {rejects}
where {mine} and (
    (? and id is null and load_id < ?)
    or id in (select id from {table} where {mine} and _dlt_load_id = ?)
)
"""
GOOD_WITHOUT_IDS = "delete from {rejects} where {mine} and ? and id is null and load_id < ?"
ADD = """
insert into {rejects}
select id, record, field, reason, coalesce(since, ?), ?, ?{value} from rejected_merged
"""


class RejectBuffer:
    """What the sync that is running has rejected so far, in a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._start_over()

    def _start_over(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._writer = pa.ipc.new_stream(self._file, SCHEMA)

    def add(self, rejects: Sequence[Reject]) -> None:
        """Note records."""
        columns = [list(values) for values in zip(*rejects, strict=True)]
        self._writer.write_batch(pa.record_batch(columns, SCHEMA))

    def keep(
        self,
        database: duckdb.DuckDBPyConnection,
        schema: str,
        table: str,
        load_id: str,
        now: datetime,
        *,
        complete: bool,
        has_ids: bool = True,
        first_load: str = "",
        account: str | None = None,
    ) -> None:
        """Put them into the table's rejects, and take out what is good by now; then note anew.

        A record without an id that is not here any more leaves with the next complete sync: what
        became of it cannot be known. `first_load` is the first load of a sync that has several.
        """
        words = {
            "rejects": f"{schema}.{rejects_table(table)}",
            "table": f"{schema}.{quote_identifier(table)}",
            "mine": account_filter(account),
            "column": "" if account is None else f", {ACCOUNT} varchar",
            "value": "" if account is None else f", {quote_literal(account)}",
        }
        database.execute(FOUND)
        self._writer.close()
        self._file.seek(0)
        for batch in pa.ipc.open_stream(self._file):
            database.from_arrow(pa.Table.from_batches([batch])).insert_into("rejected_now")

        def change() -> None:
            with transaction(database):
                database.execute(f"create schema if not exists {schema}")
                database.execute(CREATE.format_map(words))
                database.execute(MERGED.format_map(words))
                database.execute(REPLACED.format_map(words))
                if load_id:
                    good = GOOD if has_ids else GOOD_WITHOUT_IDS
                    given = [complete, first_load or load_id, *([load_id] if has_ids else ())]
                    database.execute(good.format_map(words), given)
                database.execute(ADD.format_map(words), [now, now, load_id])

        get_destination().retry_on_conflict(change)
        self._start_over()


def rejects_table(table: str) -> str:
    """Name the table that keeps the records that are not good enough for a table."""
    return f"{table}_rejects"


def exceeds_limit(reasons: Reasons, records: int, share: float) -> bool:
    """Are too many records rejected? A single one never is too many."""
    return sum(reasons.values()) > max(1, share * records)


def enforce_reject_limit(
    table: str, reasons: Reasons, records: int, share: float, *, had_parts: bool = False
) -> None:
    """Stop when too many records are rejected, of a sync that may have loaded some before.

    Args:
        table: the one that they are for.
        reasons: why, with how many.
        records: that came.
        share: of them that may be rejected.
        had_parts: some were loaded.

    Raises:
        TooManyRejectsError: with the counts by reason.
    """
    rejected = sum(reasons.values())
    if not exceeds_limit(reasons, records, share):
        return
    harm = "nothing more was loaded" if had_parts else "nothing was changed"
    why = ", ".join(
        f"{describe_reject(field, reason)} ({n:,})" for (field, reason), n in reasons.most_common(5)
    )
    raise TooManyRejectsError(
        f"{rejected:,} of {records:,} records break the contract, more than max_rejects "
        f"({100 * share:.3g} % of all) allows, and {harm}: {why}; {fix_hint(table)} in defs.yaml, "
        f"with the help of the table {rejects_table(table)}."
    )


def fix_hint(table: str) -> str:
    """Say what decides which records are good enough for a table."""
    if rejects_table(table) == REJECTS:
        return "correct `fields`"
    return f"correct the `primary_key` of `{table}`"


def describe_reject(field: str | None, reason: str) -> str:
    """Say a reason with its field."""
    return f"`{field}` {reason}" if field else f"a record {reason}"
