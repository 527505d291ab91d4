"""The tables in the DuckDB file: what is in them, and how they change."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb

from event_assets.config.accounts import ACCOUNT


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


def quote_identifier(name: str) -> str:
    """Write a name so that DuckDB takes it as it is."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Write a text so that DuckDB takes it as it is."""
    return "'" + text.replace("'", "''") + "'"


def account_filter(account: str | None) -> str:
    """Give the condition that a row is an account's; any, where there are no accounts."""
    return "true" if account is None else f"{ACCOUNT} = {quote_literal(account)}"


def append_row(
    database: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    columns: Mapping[str, str],
    row: Mapping[str, Any],
) -> None:
    """Add a row to a table of our own, which is made, or gets its new columns, when needed."""
    create_table(database, schema, table, columns)
    values = [row[column] for column in columns]
    marks = ", ".join("?" * len(values))
    insert = f"insert into {schema}.{table} ({', '.join(columns)}) values ({marks})"  # noqa: S608 (our names)
    database.execute(insert, values)


def create_table(
    database: duckdb.DuckDBPyConnection, schema: str, table: str, columns: Mapping[str, str]
) -> None:
    """Make a table of our own, or give it its new columns, when needed."""
    name = f"{schema}.{table}"
    declared = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    database.execute(f"create table if not exists {name} ({declared})")
    for column, kind in columns.items():
        database.execute(f"alter table {name} add column if not exists {column} {kind}")
