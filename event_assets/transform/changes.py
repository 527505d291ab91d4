"""`event_changes`: a row for each event that appeared, changed, or went away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from event_assets.config.accounts import ACCOUNT
from event_assets.config.fields import LAST_SEEN, START_DAY
from event_assets.config.source import SourceConfig
from event_assets.records.column_names import DLT_PREFIX
from event_assets.sync.current_events import ENDED, event_times
from event_assets.transform import change_statements as sql
from event_assets.warehouse import Database
from event_assets.warehouse.inspection import fetch_rows, has_table
from event_assets.warehouse.sql import quote_identifier, quote_literal, transaction
from event_assets.warehouse.tables import ensure_kind, ensure_table, without_indexes

CHANGES = "event_changes"
SNAPSHOT = "event_changes_snapshot"  # the current events as they were when last compared
KINDS = ("appeared", "changed", "cancelled", "gone", "passed", "reappeared")
LEFT = ("gone", "passed", "cancelled")  # after these, an event is no longer current
CANCELLED = ("cancelled", "canceled")
TIME_TYPES = ("TIMESTAMP WITH TIME ZONE", "DATE")

COLUMNS = {
    "changed_at": "When the sync began that saw the change; of an event that left, when it ended.",
    "change": "appeared, changed, cancelled, gone, passed or reappeared.",
    "id": "The event's id.",
    "name": "The event's name; of an event that left, as it last was.",
    "field": "Which field changed.",
    "old": "The field's value before, as text.",
    "new": "The field's value after, as text.",
    "load_id": "The sync that saw the change: `load_id` in event_data_syncs.",
    "comparison_number": "The order in which rows were added; those of one comparison share it.",
}
TYPES = {**dict.fromkeys(COLUMNS, "text"), "changed_at": "timestamp", "comparison_number": "bigint"}
MAX_NEW_FIELD_SHARE = 0.5  # a new field that more events have is a change of the API
MAX_PREVIEW_ROWS = 10  # Dagster keeps them of every run


class Changes(NamedTuple):
    """The changes since the last comparison."""

    events: Mapping[str, int]  # number of events by change
    rows: Sequence[Mapping[str, Any]]  # the first rows that were added
    moves: Sequence[Mapping[str, Any]]  # `events` by `what` (change and field), most first


def record_changes(database: Database, source: SourceConfig) -> Changes:
    """Compare the current events with the snapshot of the last comparison, and record changes.

    The first comparison records none, nor does the first of an account. There is no snapshot before
    the end of the first sync, which may have loaded only a part.
    """
    schema, has_accounts = source.name, bool(source.accounts)
    parameters = {
        name: values[has_accounts].format(schema=schema)
        for name, values in sql.KEY_PARAMETERS.items()
    }
    parameters["schema"] = schema
    parameters["newest_syncs"] = sql.NEWEST_SYNCS.format(ended=ENDED, **parameters)
    removed = "({before_key}) in (select ({key}) from {schema}.event_data_removed)"
    parameters["is_removed"] = removed.format_map(parameters) if source.removed_when else "false"
    now = _read_columns(database, schema, "current_events")
    ensure_kind(database, schema, SNAPSHOT)
    has_snapshot = has_table(database, schema, SNAPSHOT)
    before = _read_columns(database, schema, SNAPSHOT) if has_snapshot else {}
    if any(before.get(name) != "VARCHAR" for name in ("id", *source.partition_columns)):
        before = {}  # cannot be compared: the snapshot is created again
    columns = column_types(source)
    ensure_table(database, schema, CHANGES, columns)
    with without_indexes(database, schema, SNAPSHOT), transaction(database):
        noted = ", ".join(name for name in columns if name != "comparison_number")
        database.execute(sql.CREATE.format(columns=noted, schema=schema))
        is_outdated = now != before
        if before:
            filled = _filled_shares(database, schema, "current_events", now)
            was_filled = _filled_shares(database, schema, SNAPSHOT, before)
            compared = _columns_to_compare(source, now, before, filled, was_filled)
            changed = _compare_events(database, parameters, compared, now, before)
            others = now.keys() - compared.keys() - {"id", ACCOUNT}
            # a field that the API begins to send is compared from now on, in every event
            is_outdated |= any(filled[name] and not was_filled.get(name) for name in others)
        ended = database.table(f"{schema}.event_data_syncs").limit(1).fetchall()
        parameters["columns"] = ", ".join(map(quote_identifier, now))
        if not is_outdated:
            database.execute(sql.DELETE_FROM_SNAPSHOT.format_map(parameters))
            if updated := [quote_identifier(name) for name in (*changed, *others)]:
                parameters["updated_columns"] = ", ".join(updated)
                parameters["updated"] = ", ".join(f"{name} = now.{name}" for name in updated)
                database.execute(sql.UPDATE_SNAPSHOT.format_map(parameters))
            database.execute(sql.ADD_TO_SNAPSHOT.format_map(parameters))
        elif ended:
            database.execute(sql.REPLACE_SNAPSHOT.format_map(parameters))
        for statement in (sql.NUMBER, sql.ADD):
            database.execute(statement.format(schema=schema))
        if has_accounts:
            database.execute(sql.COMPARED.format(schema=schema))
    found = database.table("changes_now")
    counts = f"change, count(distinct ({parameters['key']}))"
    return Changes(
        dict(found.aggregate(counts, "change").fetchall()),
        fetch_rows(found.project("change, name, field, old, new, id").limit(MAX_PREVIEW_ROWS)),
        fetch_rows(database.sql(sql.MOVES.format_map(parameters))),
    )


def column_types(source: SourceConfig) -> dict[str, str]:
    """Return the columns of `event_changes`, with dlt's types."""
    return {**TYPES, **dict.fromkeys(source.partition_columns, "text")}


def _compare_events(
    database: Database,
    key: Mapping[str, str],
    compared: Mapping[str, str],
    columns: Mapping[str, str],
    before: Mapping[str, str],
) -> list[str]:
    """Note what changed, and return the columns in which any event did."""
    flags = {name: f'"differs {at}"' for at, name in enumerate(compared)}  # not a column's name
    differences = "".join(
        f", now.{quote_identifier(name)} is distinct from {old} as {flags[name]}"
        for name, old in compared.items()
    )
    has_name = "name" in columns
    typed = {name: kind for name, kind in before.items() if kind in TIME_TYPES}
    parameters = {
        **key,
        "differences": differences,
        "differs": " or ".join(flags.values()) or "false",
        "cancelled": CANCELLED,
        "left_changes": LEFT,
        "end": event_times("before", typed)[1],
        "name": "now.name" if has_name else "null",
        "old_name": "before.name" if "name" in before else "null",
    }
    database.execute(sql.FIND_DIFFERENCES.format_map(parameters))
    twins = database.table("moved").aggregate(f"count(*) > count(distinct ({key['key']}))")
    if twins.fetchall() == [(True,)]:  # only a person can have added one
        database.execute(sql.DROP_TWINS.format_map(parameters))
        database.execute(sql.FIND_DIFFERENCES.format_map(parameters))
    flagged = ", ".join(f"bool_or({flag})" for flag in ("false", *flags.values()))
    both = database.table("moved").filter('not ("is new" or "is gone")')
    ((_, *differ),) = both.aggregate(flagged).fetchall()
    changed = [name for name, is_changed in zip(compared, differ, strict=True) if is_changed]
    database.execute(sql.APPEARED.format_map(parameters))
    for is_json, is_change in sql.IS_CHANGE.items():  # comparing JSON takes ten times as long
        names = [name for name in changed if (columns[name] == "JSON") is is_json]
        parts = ", ".join(_part(name, flags[name], compared[name]) for name in names)
        if parts:
            changes = sql.CHANGED.format(parts=parts, is_change=is_change, **parameters)
            database.execute(changes)
    database.execute(sql.GONE.format_map(parameters))
    return changed


def _part(name: str, flag: str, old: str) -> str:
    """Return the SQL of a field's values, where they differ."""
    new = f"now.{quote_identifier(name)}::varchar"
    members = f"'field': {quote_literal(name)}, 'old': ({old})::varchar, 'new': {new}"
    return f"if({flag}, {{{members}}}, null)"


def _columns_to_compare(
    source: SourceConfig,
    now: Mapping[str, str],
    before: Mapping[str, str],
    filled: Mapping[str, float],
    was_filled: Mapping[str, float],
) -> dict[str, str]:
    """Return the columns to compare, those of the contract first, with the SQL of their old values.

    A column that became a float is compared by value. The contract's and `status` are always
    compared. Of the others, one that no event has any more is not, nor one that no event had and
    more than half have: the API has changed, not the events.
    """
    compared, important = {}, (*source.fields, "status")
    for name in dict.fromkeys((*important, *now)):
        if name not in now or name in ("id", START_DAY, *source.ignore_changes):
            continue
        if not (name in important or filled[name]):
            continue
        if not (name in before and (name in important or was_filled[name])):
            if filled[name] <= MAX_NEW_FIELD_SHARE:
                compared[name] = f"null::{now[name]}"
        elif now[name] == before[name]:
            compared[name] = f"before.{quote_identifier(name)}"
        elif (before[name], now[name]) == ("BIGINT", "DOUBLE"):
            compared[name] = f"before.{quote_identifier(name)}::double"
    return compared


def _filled_shares(
    database: Database, schema: str, table: str, columns: Collection[str]
) -> dict[str, float]:
    """Return the share of the events that have each column."""
    counts = ", ".join(
        f"count({quote_identifier(name)}) / system.main.greatest(count(*), 1)" for name in columns
    )
    (shares,) = database.sql(f"from {schema}.{table}").aggregate(counts).fetchall()
    return dict(zip(columns, shares, strict=True))


def _read_columns(database: Database, schema: str, table: str) -> dict[str, str]:
    relation = database.sql(f"from {schema}.{table}")
    return {
        name: str(kind)
        for name, kind in zip(relation.columns, relation.types, strict=True)
        if not name.startswith(DLT_PREFIX) and name != LAST_SEEN
    }
