"""Inspect the tables of the warehouse."""

from typing import Any

import duckdb

from event_assets.values.types import DUCKDB_TYPES, MAX_EXACT_INTEGER
from event_assets.warehouse.sql import quote_identifier, quote_literal


def column_types(database: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, str]:
    """Give the columns that a table has and their types, by dlt's names."""
    names = {duck: name for name, duck in DUCKDB_TYPES.items()}
    found = database.execute(
        "select column_name, data_type from duckdb_columns() "
        "where database_name = current_database() and schema_name = ? and table_name = ?",
        [schema, table],
    ).fetchall()
    return {column: names[kind] for column, kind in found if kind in names}


def losslessly_widenable(
    database: duckdb.DuckDBPyConnection, schema: str, table: str
) -> frozenset[str]:
    """Give the columns of whole numbers that can become floats: their values stay the same."""
    whole = [
        name for name, kind in column_types(database, schema, table).items() if kind == "bigint"
    ]
    if not whole:
        return frozenset()
    ends = ", ".join(
        f"greatest(-min({quote_identifier(name)})::hugeint, max({quote_identifier(name)}))"
        for name in whole
    )
    largest = database.table(f"{schema}.{table}").aggregate(ends).fetchone() or ()
    return frozenset(
        name
        for name, value in zip(whole, largest, strict=True)
        if (value or 0) <= MAX_EXACT_INTEGER
    )


def fetch_rows(relation: duckdb.DuckDBPyRelation) -> list[dict[str, Any]]:
    """Fetch rows as dicts by column."""
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def has_table(database: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Is there a table of this name?"""
    found = database.execute(
        "select count(*) from duckdb_tables() "
        "where database_name = current_database() and schema_name = ? and table_name = ?",
        [schema, table],
    ).fetchone()
    return found != (0,)


def has_view(database: duckdb.DuckDBPyConnection, schema: str, view: str) -> bool:
    """Is there a view of this name?"""
    found = database.execute(
        "select count(*) from duckdb_views() "
        "where database_name = current_database() and schema_name = ? and view_name = ?",
        [schema, view],
    ).fetchone()
    return found != (0,)


def has_column(database: duckdb.DuckDBPyConnection, schema: str, table: str, column: str) -> bool:
    """Has a table a column of this name? Not, if there is no such table."""
    found = database.execute(
        "select count(*) from duckdb_columns() "
        "where database_name = current_database() "
        "and schema_name = ? and table_name = ? and column_name = ?",
        [schema, table, column],
    ).fetchone()
    return found != (0,)


def latest_value(
    database: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    column: str,
    where: str = "true",
) -> Any:
    """Give a column of the newest row of a table of our own; None where there is none."""
    if not has_column(database, schema, table, column):
        return None
    newest = database.table(f"{schema}.{table}").filter(where).order("started_at desc").limit(1)
    row = newest.project(column).fetchone()
    return row[0] if row else None


def latest_load_id(database: duckdb.DuckDBPyConnection, schema: str, pipeline: str) -> str:
    """Give the id of the newest load of a pipeline into a schema."""
    loads = database.table(f"{schema}._dlt_loads").filter(
        f"schema_name = {quote_literal(pipeline)}"
    )
    newest = loads.order("inserted_at desc").limit(1).project("load_id").fetchone()
    return str(newest[0]) if newest else ""
