"""Inspect the tables of the warehouse."""

import json
from typing import Any

import duckdb

from event_assets.values.types import COLUMN_TYPES, MAX_EXACT_INTEGER
from event_assets.warehouse.sql import Database, quote_identifier


def column_types(database: Database, schema: str, table: str) -> dict[str, str]:
    """Return the columns of a table and their types, by dlt's names."""
    names = {column_type.duckdb: name for name, column_type in COLUMN_TYPES.items()}
    found = catalog_columns(database, schema, table).items()
    return {column: names[kind] for column, kind in found if kind in names}


def catalog_columns(database: Database, schema: str, table: str) -> dict[str, str]:
    """Return the columns of a table and their types, by DuckDB's names; none without a table."""
    found = database.execute(
        "select column_name, data_type from duckdb_columns() "
        "where database_name = current_database() and schema_name = ? and table_name = ?",
        [schema, table],
    ).fetchall()
    return dict(found)


def losslessly_widenable(database: Database, schema: str, table: str) -> frozenset[str]:
    """Return the integer columns whose values all stay the same as floats."""
    integers = [
        name for name, kind in column_types(database, schema, table).items() if kind == "bigint"
    ]
    if not integers:
        return frozenset()
    maxima = ", ".join(
        f"greatest(-min({quote_identifier(name)})::hugeint, max({quote_identifier(name)}))"
        for name in integers
    )
    (largest,) = database.table(f"{schema}.{table}").aggregate(maxima).fetchall()
    return frozenset(
        name
        for name, value in zip(integers, largest, strict=True)
        if (value or 0) <= MAX_EXACT_INTEGER
    )


def stored_columns(database: Database, schema: str, table: str) -> dict[str, Any]:
    """Return dlt's hints for the columns of a table, by name, from the schemas in `_dlt_version`.

    They are there as soon as the columns are, even if the load that added them has failed.
    """
    if not has_table(database, schema, "_dlt_version"):
        return {}
    versions = (
        database.table(f"{schema}._dlt_version").filter("json_valid(schema)").order("inserted_at")
    )
    tables = [json.loads(stored)["tables"] for (stored,) in versions.project("schema").fetchall()]
    return {
        name: column
        for known in tables
        for name, column in known.get(table, {}).get("columns", {}).items()
    }


def fetch_rows(relation: duckdb.DuckDBPyRelation) -> list[dict[str, Any]]:
    """Fetch rows as dicts by column."""
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def has_table(database: Database, schema: str, table: str) -> bool:
    """Return whether there is a table of this name."""
    return _exists(database, "duckdb_tables()", schema_name=schema, table_name=table)


def has_view(database: Database, schema: str, view: str) -> bool:
    """Return whether there is a view of this name."""
    return _exists(database, "duckdb_views()", schema_name=schema, view_name=view)


def has_column(database: Database, schema: str, table: str, column: str) -> bool:
    """Return whether there is a table with a column of this name."""
    return _exists(
        database, "duckdb_columns()", schema_name=schema, table_name=table, column_name=column
    )


def latest_value(
    database: Database, schema: str, table: str, column: str, where: str = "true"
) -> Any:
    """Return a column of the newest sync in a sync log, or None if there is none."""
    if not has_column(database, schema, table, column):
        return None
    rows = database.table(f"{schema}.{table}").filter(where).order("sync_number desc").limit(1)
    return next((value for (value,) in rows.project(column).fetchall()), None)


def _exists(database: Database, function: str, **names: str) -> bool:
    conditions = " and ".join(f"{column} = ?" for column in names)
    query = f"from {function} where database_name = current_database() and {conditions} limit 1"
    return bool(database.execute(query, [*names.values()]).fetchall())
