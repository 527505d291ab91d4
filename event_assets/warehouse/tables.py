"""Create tables, and restore what syncs need of tables that a person has changed.

They are compared with the catalog of the database, never with what a sync before remembers.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb

from event_assets.values.errors import WarehouseError
from event_assets.values.types import COLUMN_TYPES
from event_assets.warehouse.inspection import catalog_columns, has_table, has_view
from event_assets.warehouse.registry import get_destination
from event_assets.warehouse.sql import Database, quote_identifier, quote_literal, quote_name

LOG = logging.getLogger("dagster")
LOAD_ID = "_dlt_load_id"
ROW_ID = "_dlt_id"  # of tables that dlt loaded by itself; syncs leave it empty
OWN_TYPES = {column_type.duckdb for column_type in COLUMN_TYPES.values()}
NUMBERS = {"BIGINT", "DOUBLE"}


def ensure_table(database: Database, schema: str, table: str, columns: Mapping[str, str]) -> None:
    """Create a table of our own, or what it lacks: columns, and the types of those that it has.

    Types are those of dlt.

    Raises:
        WarehouseError: a view has its name.
    """
    found = catalog_columns(database, schema, table)
    types = {column: COLUMN_TYPES[kind].duckdb for column, kind in columns.items()}
    if not found:
        ensure_kind(database, schema, table)
        add_columns(database, schema, table, columns)
        return
    missing = [column for column in types if column not in found]
    changed = [column for column, kind in types.items() if found.get(column, kind) != kind]
    statements = [f"add {quote_identifier(column)} {types[column]}" for column in missing]
    statements += [f"alter {column} type {types[column]}" for column in changed]
    _alter(database, schema, table, statements)


def add_columns(
    database: Database,
    schema: str,
    table: str,
    columns: Mapping[str, str],
    required: Collection[str] = (),
) -> None:
    """Create a table, or the columns that it lacks: without an index of the table.

    Types are those of dlt; `required` columns of a new table are not null.
    """
    name, found = quote_name(schema, table), catalog_columns(database, schema, table)
    missing = {
        column: f"{quote_identifier(column)} {COLUMN_TYPES[kind].duckdb}"
        for column, kind in columns.items()
        if column not in found
    }
    if not found:
        made = (f"{each} not null" if one in required else each for one, each in missing.items())
        database.execute(f"create schema if not exists {quote_identifier(schema)}")
        database.execute(f"create table {name} ({', '.join(made)})")
        return
    for column in missing.values():
        database.execute(f"alter table {name} add {column}")


def ensure_kind(database: Database, schema: str, name: str, *, is_view: bool = False) -> None:
    """Raise a WarehouseError if a table has the name of a view of ours, or a view of a table."""
    if (has_table if is_view else has_view)(database, schema, name):
        is_now, was = ("a table", "a view") if is_view else ("a view", "a table")
        raise WarehouseError(
            f"{schema}.{name} in {get_destination().display_name} is {is_now}, and was {was}: "
            "rename it, and sync again."
        )


def reconcile_columns(
    database: Database, schema: str, table: str, key: Sequence[str], loaded: Mapping[str, str]
) -> None:
    """Restore the types of the columns that syncs load.

    Args:
        key: the columns that the table cannot be without.
        loaded: the types, by dlt's names, of the columns that earlier syncs loaded.

    Raises:
        WarehouseError: a column of the key is gone, or a view has the table's name.
    """
    found = catalog_columns(database, schema, table)
    if not found:
        ensure_kind(database, schema, table)
        return
    texts = dict.fromkeys([*key, LOAD_ID], "text")
    for name in key:
        if name not in found:
            raise WarehouseError(
                f"The table {schema}.{table} in {get_destination().display_name} has no column "
                f"`{name}` any more, by which its rows are told apart: rename it back, or drop the "
                "table, and sync again."
            )
    statements = [] if LOAD_ID in found else [f"add {LOAD_ID} {COLUMN_TYPES['text'].duckdb}"]
    if ROW_ID in found and _is_required(database, schema, table, ROW_ID):
        statements.append(f"alter {ROW_ID} drop not null")
    for name, data_type in {**loaded, **texts}.items():
        wanted = COLUMN_TYPES[data_type].duckdb
        kind = found.get(name, wanted)
        is_own = kind in OWN_TYPES and name not in texts
        is_number = {kind, wanted} == NUMBERS  # one becomes the other without a person
        if kind != wanted and not (
            is_number or (is_own and not _can_cast(database, schema, table, name, wanted))
        ):
            statements.append(f"alter {quote_identifier(name)} type {wanted}")
    _alter(database, schema, table, statements)


@contextmanager
def without_indexes(
    database: Database, schema: str, table: str, updated: Sequence[str] = ()
) -> Iterator[None]:
    """Drop a user's indexes of a table while it changes, and make them again; in no transaction.

    DuckDB changes no column under an index, and takes a row that is replaced for a second one.
    Without a change of columns, only unique indexes go, and those of columns that are `updated` in
    every row, which takes three times as long with them. A table keeps them meanwhile: if the sync
    is killed, the next one makes them again.
    """
    kept, is_updated = f"{table}__indexes", quote_literal("|".join(updated))
    query = (  # without parameters: half the time
        "select index_name, sql from duckdb_indexes() where database_name = current_database() "
        f"and schema_name = {quote_literal(schema)} and table_name = {quote_literal(table)} "
        f"and (is_unique or regexp_matches(expressions, {is_updated}))"
    )
    if not has_table(database, schema, kept) and database.execute(query).fetchall():
        database.execute(f"create table {quote_name(schema, kept)} as {query}")
    is_kept = {"index_name", "sql"} <= catalog_columns(database, schema, kept).keys()
    query = f"select index_name, sql from {quote_name(schema, kept)}"
    found = database.execute(query).fetchall() if is_kept else []
    for name, _ in found:
        database.execute(f"drop index if exists {quote_name(schema, name)}")
    try:
        yield
    finally:
        for name, statement in found:
            try:
                database.execute(statement)
            except (duckdb.IntegrityError, duckdb.ProgrammingError) as error:
                reason = get_destination().error_reason(error)
                LOG.warning("The index %s of %s is gone: %s.", name, table, reason)
        if is_kept:
            database.execute(f"drop table if exists {quote_name(schema, kept)}")


def _alter(database: Database, schema: str, table: str, statements: Sequence[str]) -> None:
    if statements:
        with without_indexes(database, schema, table):
            for statement in statements:
                try:
                    database.execute(f"alter table {quote_name(schema, table)} {statement}")
                except (duckdb.DataError, duckdb.BinderException) as error:
                    destination, advice = get_destination(), "rename or drop the table"
                    if isinstance(error, duckdb.DataError):
                        advice = "correct the values of this column, or drop it"
                    raise WarehouseError(
                        f"The table {schema}.{table} in {destination.display_name} was changed, "
                        f"and syncs cannot change it back: `{statement}` fails, as "
                        f"{destination.error_reason(error)}; {advice}, and sync again."
                    ) from None


def _is_required(database: Database, schema: str, table: str, column: str) -> bool:
    """Return whether a column is not null."""
    described = database.execute(f"describe {quote_name(schema, table)}").fetchall()
    return any(name == column and null == "NO" for name, _, null, *_ in described)


def _can_cast(database: Database, schema: str, table: str, column: str, kind: str) -> bool:
    """Return whether all values of a column can be of a type."""
    name = quote_identifier(column)
    lost = f"{name} is not null and try_cast({name} as {kind}) is null"
    return not database.execute(f"from {quote_name(schema, table)} where {lost} limit 1").fetchall()
