"""Read the parent records from which child requests are made."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from duckdb import DuckDBPyRelation

from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.config.source_files import EVENT_DATA
from event_assets.records.column_names import VARIANT, ColumnNamer, SourcePaths
from event_assets.records.contract import build_contract
from event_assets.sync.current_events import current_events_query
from event_assets.sync.rejects import rejects_table
from event_assets.sync.schema_changes import load_source_paths
from event_assets.sync.sync_log import sync_log_table
from event_assets.values.errors import ConfigError
from event_assets.values.json_paths import parse_path
from event_assets.values.naming import normalize_name
from event_assets.warehouse import Database, inspection, sql

# The rows, or the rejects, of the newest complete sync, and of newer ones.
CURRENT_QUERY = """
with syncs as (from {log} where {own}), complete as (
    select max(sync_number) as newest from syncs where complete and full_sync is not false
)
select * from {table} where {own} and (
    (select newest from complete) is null or {load} in (
        select load_id from syncs where sync_number >= (select newest from complete)
    )
)
"""

# Rows of 0.1.0 and 0.2.0 without their parent, by which others of the same id were replaced.
DELETE_SUPERSEDED = """
delete from {table} where {own} and {parent} is null
    and ({key}) in (select {key} from {table} where {own} and {parent} is not null)
"""


def load_parent_rows(database: Database, resource: ResourceConfig) -> tuple[Any, str]:
    """Load the fields of current parent records from which requests are built.

    Returns:
        An Arrow table with a column for each field, named as in the API: distinct rows, those of
        the same request one after the other. And why they may not be all; empty if they are.

    Raises:
        ConfigError: the parent's table or a column does not exist.
    """
    source, parent = resource.source, str(resource.parent)
    name = f"{source.name}.{sql.quote_identifier(parent)}"
    if not inspection.has_table(database, source.name, parent):
        raise ConfigError(
            f"The requests for {resource.name} are built from the table {name}, which does not "
            f"exist yet: materialize {parent} first."
        )
    query = current_events_query(source) if parent == EVENT_DATA else _current(resource, parent)
    rows = database.sql(query)
    paths = load_source_paths(database, source.resources[parent])
    columns = {
        field: _column(resource, field, rows.columns, paths) for field in resource.parent_fields
    }
    selection = ", ".join(
        f"{sql.quote_identifier(column)} as {sql.quote_identifier(field)}"
        for field, column in columns.items()
    )
    requested = [columns[field] for field in resource.requested_fields]
    doubt = _find_doubt(database, resource, rows, requested)
    # without a value in its place, another address would be requested
    texts = (f"{sql.quote_identifier(column)}::varchar" for column in requested)
    usable = rows.filter(" and ".join(f"length({text}) > 0" for text in texts))
    table = usable.project(selection).distinct().order("all").to_arrow_table()
    if not doubt and not len(table) and rows.limit(1).fetchall():
        names = " and ".join(f"`{field}`" for field in resource.requested_fields)
        doubt = f"none has a value for {names}"  # the API may have renamed it
    return table, doubt


def identify_rows(database: Database, source: SourceConfig, key: str) -> dict[str, list[str]]:
    """Return the columns that tell the event of a row, in any table, and their values for an event.

    A list may be requested for another field of an event than its id: it counts as one of the event
    if no two events have the same value there.
    """
    table = f"{source.name}.{EVENT_DATA}"
    known = [*inspection.catalog_columns(database, source.name, EVENT_DATA)]
    paths = load_source_paths(database, source.events)
    values = {path: [key] for path in source.events.id_paths}
    for resource in source.resources.values():
        is_of_events = known and resource.parent == EVENT_DATA
        if not (is_of_events and inspection.has_table(database, source.name, resource.name)):
            continue
        for field in {*resource.parent_key} - values.keys():
            column = sql.quote_identifier(_column(resource, field, known, paths))
            rows = database.execute(
                f"select {column}::varchar from {table} where nfc_normalize(id) = nfc_normalize(?) "
                f"and (select count(*) = count(distinct {column}) from {table})",
                [key],
            )
            values[field] = [value for (value,) in rows.fetchall()]
    named = ((f"_{EVENT_DATA}_{field}", found) for field, found in values.items() if found)
    return {"id": [key], **{normalize_name(name): found for name, found in named}}


def _current(resource: ResourceConfig, table: str, load: str = "_dlt_load_id") -> str:
    """Return the query of what current syncs of the parent have brought into a table."""
    schema = resource.source.name
    return CURRENT_QUERY.format(
        table=sql.quote_name(schema, table),
        log=sql.quote_name(schema, sync_log_table(str(resource.parent))),
        own=sql.account_filter(resource.source.account),
        load=load,
    )


def _find_doubt(
    database: Database, resource: ResourceConfig, rows: DuckDBPyRelation, requested: Collection[str]
) -> str:
    """Return why requests may be made for fewer than all records of the parent; empty if not."""
    schema, parent = resource.source.name, str(resource.parent)
    own, rejects = sql.account_filter(resource.source.account), rejects_table(parent)
    if not inspection.latest_value(database, schema, sync_log_table(parent), "complete", own):
        return "their newest sync is not proven to be complete"
    if database.sql(_current(resource, rejects, "load_id")).limit(1).fetchall():
        return f"some are in {rejects}"
    for column in rows.columns:
        if VARIANT not in column or column.partition(VARIANT)[0] not in requested:
            continue
        if rows.filter(f"{sql.quote_identifier(column)} is not null").limit(1).fetchall():
            return f"some have a value of another type, which is in the column `{column}`"
    return ""


def _column(
    resource: ResourceConfig, field: str, columns: Iterable[str], paths: SourcePaths
) -> str:
    """Return the column of a parent's table that contains a field of its records."""
    known = list(columns)
    parent = resource.source.resources[str(resource.parent)]
    typed = {
        ".".join(map(str, reader.plain_path)): name
        for name, reader in build_contract(parent).items()
        if reader.plain_path
    }
    path = parse_path(field)
    # of a field whose name the contract gives to another: `id__x2`
    renamed = next((name for name, parts in paths.items() if tuple(parts or ()) == path), None)
    default = ColumnNamer((), (), {}).column(path)
    for column in (typed.get(field), renamed, default):
        if column in known:
            return str(column)
    raise ConfigError(
        f"The requests for {resource.name} need `{field}` of each record of {parent.name}, but the "
        f"table has no such column; its columns are {', '.join(c for c in known if c[0] != '_')}."
    )


def delete_rows_without_parent(database: Database, resource: ResourceConfig) -> None:
    """Delete rows that were loaded when the parent was no part of their key, and came again."""
    columns = [sql.quote_identifier(column) for column in resource.primary_key_columns]
    parts = len(columns) - len(resource.own_key)
    if not parts:
        return
    names = {
        "table": f"{resource.source.name}.{sql.quote_identifier(resource.name)}",
        "own": sql.account_filter(resource.source.account),
        "parent": columns[0],
        "key": ", ".join(columns[parts:]),
    }
    database.execute(DELETE_SUPERSEDED.format_map(names))
