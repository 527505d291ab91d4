"""The tables in the DuckDB file: what is in them, and how they change."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

from event_assets.accounts import ACCOUNT
from event_assets.kinds import EXACT
from event_assets.warehouse import make_room

TYPES = {  # DuckDB's names for dlt's types
    "text": "VARCHAR",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "date": "DATE",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "json": "JSON",
}


@contextmanager
def transaction(database: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Do everything inside, or nothing."""
    database.begin()
    try:
        yield
    except BaseException:
        database.rollback()
        raise
    database.commit()


def quoted(name: str) -> str:
    """Write a name so that DuckDB takes it as it is."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Write a text so that DuckDB takes it as it is."""
    return "'" + text.replace("'", "''") + "'"


def of_account(account: str | None) -> str:
    """Give the condition that a row is an account's; any, where there are no accounts."""
    return "true" if account is None else f"{ACCOUNT} = {literal(account)}"


def types(database: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, str]:
    """Give the columns that a table has and their types, by dlt's names."""
    names = {duck: name for name, duck in TYPES.items()}
    found = database.execute(
        "select column_name, data_type from duckdb_columns() "
        "where database_name = current_database() and schema_name = ? and table_name = ?",
        [schema, table],
    ).fetchall()
    return {column: names[kind] for column, kind in found if kind in names}


def exact(database: duckdb.DuckDBPyConnection, schema: str, table: str) -> frozenset[str]:
    """Give the columns of whole numbers that can become floats: their values stay the same."""
    whole = [name for name, kind in types(database, schema, table).items() if kind == "bigint"]
    if not whole:
        return frozenset()
    ends = ", ".join(
        f"greatest(-min({quoted(name)})::hugeint, max({quoted(name)}))" for name in whole
    )
    largest = database.table(f"{schema}.{table}").aggregate(ends).fetchone() or ()
    return frozenset(
        name for name, value in zip(whole, largest, strict=True) if (value or 0) <= EXACT
    )


def prepare(
    database: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    widened: Sequence[str],
    retyped: Mapping[str, str],
    columns: int,
) -> list[str]:
    """Make dlt's staging of a table ready for what is loaded next.

    Args:
        database: a connection.
        schema: the source's.
        table: its name.
        widened: columns of whole numbers that become floats; their values stay the same.
        retyped: columns that the contract has as another type: what is in them moves to a column
            beside, `NAME__v_TYPE`, and the API's events fill the new one.
        columns: how many the table will have.

    Returns:
        What makes the table itself ready, as `alter table` takes it: done together with the load.
    """
    make_room(database, columns)
    before = types(database, schema, table)
    changes = [f"alter {quoted(column)} type {TYPES['double']}" for column in widened]
    staged = {**dict.fromkeys(widened, "double"), **retyped}
    for column, kind in retyped.items():
        beside, number = f"{column}__v_{before[column]}", 1
        while beside in before:
            number += 1
            beside = f"{column}__v_{before[column]}__x{number}"
        changes.append(f"rename {quoted(column)} to {quoted(beside)}")
        changes.append(f"add {quoted(column)} {TYPES[kind]}")
        staged[beside] = before[column]
    staging = f"{schema}_staging"
    if has_table(database, staging, table):
        with transaction(database):
            for column, kind in staged.items():  # its rows are done with
                alter = f"alter table {quoted(staging)}.{quoted(table)}"
                database.execute(f"{alter} drop column if exists {quoted(column)}")
                database.execute(f"{alter} add {quoted(column)} {TYPES[kind]}")
    return changes


def rows_of(relation: duckdb.DuckDBPyRelation) -> list[dict[str, Any]]:
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


def last_value(
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


def note_api(database: duckdb.DuckDBPyConnection, schema: str, api: str) -> None:
    """Write down which API the tables of a schema come from, before anything is loaded."""
    if noted_api(database, schema) == api:
        return
    database.execute(f"create schema if not exists {schema}")
    database.execute(f"create or replace table {schema}.event_data_api as select ? as api", [api])


def noted_api(database: duckdb.DuckDBPyConnection, schema: str) -> str | None:
    """Give the API that the tables of a schema come from, if there are any."""
    if not has_table(database, schema, "event_data_api"):
        return None
    found = database.table(f"{schema}.event_data_api").fetchone()
    return str(found[0]) if found else None


def last_load_id(database: duckdb.DuckDBPyConnection, schema: str, pipeline: str) -> str:
    """Give the id of the newest load of a pipeline into a schema."""
    loads = database.table(f"{schema}._dlt_loads").filter(f"schema_name = {literal(pipeline)}")
    newest = loads.order("inserted_at desc").limit(1).project("load_id").fetchone()
    return str(newest[0]) if newest else ""


def append(
    database: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    columns: Mapping[str, str],
    row: Mapping[str, Any],
) -> None:
    """Add a row to a table of our own, which is made, or gets its new columns, when needed."""
    create(database, schema, table, columns)
    values = [row[column] for column in columns]
    marks = ", ".join("?" * len(values))
    insert = f"insert into {schema}.{table} ({', '.join(columns)}) values ({marks})"  # noqa: S608 (our names)
    database.execute(insert, values)


def create(
    database: duckdb.DuckDBPyConnection, schema: str, table: str, columns: Mapping[str, str]
) -> None:
    """Make a table of our own, or give it its new columns, when needed."""
    name = f"{schema}.{table}"
    declared = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    database.execute(f"create table if not exists {name} ({declared})")
    for column, kind in columns.items():
        database.execute(f"alter table {name} add column if not exists {column} {kind}")
