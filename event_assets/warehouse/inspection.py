"""Inspect the tables of the warehouse."""

from typing import Any

import duckdb

from event_assets.values.conversion import MAX_EXACT_INTEGER
from event_assets.values.types import COLUMN_TYPES
from event_assets.warehouse.sql import (
    Database,
    account_filter,
    quote_identifier,
    quote_literal,
    quote_name,
)


def column_types(database: Database, schema: str, table: str) -> dict[str, str]:
    """Return the columns of a table and their types, by dlt's names."""
    names = {column_type.duckdb: name for name, column_type in COLUMN_TYPES.items()}
    found = catalog_columns(database, schema, table).items()
    return {column: names[kind] for column, kind in found if kind in names}


def column_defaults(database: Database, schema: str, table: str) -> dict[str, str]:
    """Return the defaults of a table's columns as SQL, but for generated ones."""
    # the default of a generated column, which only one of the two catalogs shows, is its value
    defaults = database.execute(
        "select column_name, coalesce(column_default, 'null') from duckdb_columns() "
        f"join (describe {quote_name(schema, table)}) as shown using (column_name) "
        "where database_name = current_database() and schema_name = ? and table_name = ? "
        "and column_default is not distinct from shown.default",
        [schema, table],
    )
    return dict(defaults.fetchall())


def catalog_columns(database: Database, schema: str, table: str) -> dict[str, str]:
    """Return the columns of a table and their types, by DuckDB's names; none without a table.

    They are in small letters: DuckDB tells no others apart.
    """
    try:  # to bind a query takes a tenth of the time of a look into `duckdb_columns()`
        rows = database.sql(f"from {quote_name(schema, table)} where rowid is null limit 0")
    except (duckdb.ProgrammingError, duckdb.NotSupportedError):  # a view has no `rowid`
        return {}
    if "rowid" in rows.columns and has_view(database, schema, table):  # a field may be named so
        return {}
    return dict(zip(map(str.lower, rows.columns), map(str, rows.types), strict=True))


def losslessly_widenable(database: Database, schema: str, table: str) -> frozenset[str]:
    """Return the integer columns whose values all stay the same as floats."""
    integers = [
        name for name, kind in column_types(database, schema, table).items() if kind == "bigint"
    ]
    if not integers:
        return frozenset()
    maxima = ", ".join(
        f"system.main.greatest(-min({name})::hugeint, max({name}))"
        for name in map(quote_identifier, integers)
    )
    (largest,) = database.table(f"{schema}.{table}").aggregate(maxima).fetchall()
    return frozenset(
        name
        for name, value in zip(integers, largest, strict=True)
        if (value or 0) <= MAX_EXACT_INTEGER
    )


def fetch_rows(relation: duckdb.DuckDBPyRelation) -> list[dict[str, Any]]:
    """Fetch rows as dicts by column."""
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def has_table(database: Database, schema: str, table: str) -> bool:
    """Return whether there is a table of this name."""
    return bool(catalog_columns(database, schema, table))


def has_view(database: Database, schema: str, view: str) -> bool:
    """Return whether there is a view of this name."""
    query = (  # without parameters: half the time
        "select 1 from duckdb_views() where database_name = current_database() "
        f"and schema_name = {quote_literal(schema)} and view_name = {quote_literal(view)}"
    )
    return bool(database.execute(query).fetchall())


def has_column(database: Database, schema: str, table: str, column: str) -> bool:
    """Return whether there is a table with a column of this name."""
    return column in catalog_columns(database, schema, table)


def count_rows(database: Database, schema: str, table: str, account: str | None = None) -> int:
    """Return the number of rows of a table, of an account if it is given; 0 without a table."""
    if not has_table(database, schema, table):
        return 0
    rows = f"from {quote_name(schema, table)} select count(*) where {account_filter(account)}"
    # a subquery fails, in DuckDB's words, where a macro of the user's replaces its `count_star`
    ((count,),) = database.execute(f"select ({rows})").fetchall()
    return int(count or 0)


def latest_value(
    database: Database, schema: str, table: str, column: str, where: str = "true"
) -> Any:
    """Return a column of the newest sync in a sync log, or None if there is none."""
    if not has_column(database, schema, table, column):
        return None
    newest = f"from {schema}.{table} select arg_max_null({column}, sync_number) where {where}"
    ((value,),) = database.execute(newest).fetchall()
    return value
