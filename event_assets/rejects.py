"""The records that break the contract: kept whole, with the reason, until they are good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from event_assets.records import Reject
from event_assets.tables import transaction

REJECTS = "event_data_rejects"
MAX_REJECTS = 0.05  # of all records
NOT_LOADED = ""  # stands for the load of a sync that failed

CREATE = """
create table if not exists {schema}.event_data_rejects (
    id varchar, record json, field varchar, reason varchar,
    first_rejected_at timestamptz, rejected_at timestamptz, load_id varchar
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
    from {schema}.event_data_rejects group by key
) as known using (key)
"""
REPLACED = """
delete from {schema}.event_data_rejects
where coalesce(id, md5(record)) in (select coalesce(id, md5(record)) from rejected_merged)
"""
GOOD = """
delete from {schema}.event_data_rejects
where (? and id is null) or id in (select id from {schema}.event_data where _dlt_load_id = ?)
"""
ADD = """
insert into {schema}.event_data_rejects
select id, record, field, reason, coalesce(since, ?), ?, ? from rejected_merged
"""


class TooManyRejectsError(Exception):
    """More records break the contract than may. The message says how many, and why."""


class Found:
    """What the sync that is running has rejected so far, on disk when it is much."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database
        self._database.execute(FOUND)

    def add(self, rejects: Sequence[Reject]) -> None:
        """Note records."""
        rows = pa.table([list(values) for values in zip(*rejects, strict=True)], Reject._fields)
        self._database.from_arrow(rows).insert_into("rejected_now")

    def keep(self, schema: str, load_id: str, now: datetime, complete: bool) -> None:
        """Put them into `event_data_rejects`, and take out what is good by now.

        A record without an id that is not here any more leaves with the next complete sync: what
        became of it cannot be known.
        """
        database = self._database
        with transaction(database):
            database.execute(f"create schema if not exists {schema}")
            database.execute(CREATE.format(schema=schema))
            database.execute(MERGED.format(schema=schema))
            database.execute(REPLACED.format(schema=schema))
            if load_id:
                database.execute(GOOD.format(schema=schema), [complete, load_id])
            database.execute(ADD.format(schema=schema), [now, now, load_id])


def check_share(reasons: Counter[tuple[str | None, str]], records: int, share: float) -> None:
    """Stop when too many records are rejected; a single one never is too many.

    Raises:
        TooManyRejectsError: with the counts by reason.
    """
    rejected = sum(reasons.values())
    if rejected <= max(1, share * records):
        return
    why = ", ".join(
        f"{said(field, reason)} ({n:,})" for (field, reason), n in reasons.most_common(5)
    )
    raise TooManyRejectsError(
        f"{rejected:,} of {records:,} records break the contract, more than max_rejects "
        f"({100 * share:.3g} % of all) allows, and nothing was changed: {why}; correct `fields` in "
        f"defs.yaml, with the help of the table {REJECTS}."
    )


def said(field: str | None, reason: str) -> str:
    """Say a reason with its field."""
    return f"`{field}` {reason}" if field else f"a record {reason}"
