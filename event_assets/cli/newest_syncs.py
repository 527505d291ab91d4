"""What `event-assets status` reads: the newest syncs of each source, and what is left of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import duckdb

from event_assets.cli.database import MissingDatabaseError, fetch, open_database, schemas
from event_assets.config.project import get_nested
from event_assets.config.source_files import EVENT_DATA, SourceFile

TURNS = 9  # syncs before the newest one, in which two projects take turns
Row = Mapping[str, Any]  # a row of a sync log, with the name of its table
ACCOUNTS = "event_data_accounts"
# The newest sync of a table, of each listed account, and what the newest full one has found.
NEWEST = """
select syncs.* replace (
        started_at::timestamptz as started_at, finished_at::timestamptz as finished_at,
        complete::boolean as complete
    ),
    '{table}' as "table", {left} < table_rows as has_lost_rows, {is_behind} as is_behind,
    json_keys(columns) as filled,
    bool_or(json_exists(columns, '$.name')) over (partition by {account}) as had_name,
    bool_or(json_exists(columns, '$.start_time')) over (partition by {account}) as had_start_time,
    arg_max(
        struct_pack(
            finished_at := finished_at::timestamptz, complete := complete::boolean,
            reason := reason, rows_read := rows_read, filled := json_keys(columns)
        ),
        sync_number
    ) filter (full_sync::boolean is not false and finished_at is not null)
        over (partition by {account}) as newest_full,
    list(version) over (
        partition by {account} order by sync_number rows {turns} preceding
    ) as versions
from "{schema}"."{table}_syncs" as syncs {listed}
qualify row_number() over (partition by {account} order by sync_number desc) = 1
    and finished_at is not null
"""
LISTED = 'join "{schema}".event_data_accounts as known using (account) where known.is_listed'
ROWS = '(select count(*) from "{schema}"."{table}")'
# What is derived has other events, and a run that derives it would have ended.
IS_BEHIND = """finished_at::timestamptz < now() - interval 5 minutes and
    (select count(*) from "{schema}".current_events)
    <> (select count(*) from "{schema}".event_changes_snapshot)"""
DERIVED = {EVENT_DATA, "current_events", "event_changes_snapshot"}
LEFT = 'select account from "{schema}".event_data_accounts where not is_listed'


class Synced(NamedTuple):
    """What is left of the syncs of a source."""

    syncs: Sequence[Row] = ()  # the newest ones
    events: int | None = None  # current ones
    left: Collection[str] = ()  # accounts that are not listed any more
    queried: Collection[str] = ()  # accounts that a query lists


def read_syncs(sources: Mapping[str, SourceFile]) -> dict[str, Synced]:
    """Return what is left of the syncs of each source that was synced."""
    found: dict[str, Synced] = {}
    with suppress(MissingDatabaseError), open_database() as database:
        for name, tables in schemas(database).items():
            if name in sources:
                found[name] = _read_source(database, sources[name], tables)
        for name, synced in found.items():
            queried = _query_accounts(database, sources[name])
            found[name] = synced._replace(queried=queried)
    return found


def _read_source(
    database: duckdb.DuckDBPyConnection, source: SourceFile, tables: Sequence[str]
) -> Synced:
    syncs, events, left = [*_newest_syncs(database, source, tables)], None, set[str]()
    if "current_events" in tables:
        view = database.sql(f'from "{source.name}".current_events')
        ((events,),) = view.count("*").fetchall()
    if ACCOUNTS in tables:
        left = {row["account"] for row in fetch(database, LEFT.format(schema=source.name))}
    return Synced(syncs, events, left)


def _newest_syncs(
    database: duckdb.DuckDBPyConnection, source: SourceFile, tables: Sequence[str]
) -> Iterator[Row]:
    schema = source.name
    has_accounts = ACCOUNTS in tables
    names = {
        "schema": schema,
        "listed": LISTED.format(schema=schema) if has_accounts else "",
        "account": "account" if has_accounts else "true",
        "turns": TURNS,
    }
    for table in source.tables:
        if {table, f"{table}_syncs"} <= {*tables}:
            left = "null" if has_accounts else ROWS.format(schema=schema, table=table)
            can_be_behind = table == EVENT_DATA and not has_accounts and {*tables} >= DERIVED
            is_behind = IS_BEHIND.format(schema=schema) if can_be_behind else "false"
            query = NEWEST.format(table=table, left=left, is_behind=is_behind, **names)
            own = {"source": schema, "has_accounts": has_accounts}
            yield from ({**row, **own} for row in fetch(database, query))


def _query_accounts(database: duckdb.DuckDBPyConnection, source: SourceFile) -> list[str]:
    """Return the accounts that a query lists; none if it fails, of which the sync tells."""
    query = get_nested(source.attributes, "accounts", "query")
    with suppress(duckdb.Error):
        rows = database.execute(query).fetchall() if isinstance(query, str) else []
        return [str(name) for name, *_ in rows if name is not None]
    return []
