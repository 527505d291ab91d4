"""Quoting, transactions, and writing to tables of our own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb

from event_assets.config.accounts import ACCOUNT

Database = duckdb.DuckDBPyConnection


@contextmanager
def transaction(database: Database) -> Iterator[None]:
    """Commit everything inside, or roll it back on an error."""
    database.begin()
    try:
        yield
    except BaseException:
        database.rollback()
        raise
    database.commit()


def quote_identifier(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Quote a text for SQL."""
    return "'" + text.replace("'", "''") + "'"


def account_filter(account: str | None) -> str:
    """Return the condition for rows of an account, or `true` if there are no accounts."""
    return "true" if account is None else f"{ACCOUNT} = {quote_literal(account)}"


def append_row(
    database: Database, schema: str, table: str, columns: Mapping[str, str], row: Mapping[str, Any]
) -> None:
    """Append a row to a table of our own; creates the table or its columns if needed."""
    ensure_table(database, schema, table, columns)
    values = [row[column] for column in columns]
    marks = ", ".join("?" * len(values))
    insert = f"insert into {schema}.{table} ({', '.join(columns)}) values ({marks})"  # noqa: S608 (our names)
    database.execute(insert, values)


def ensure_table(database: Database, schema: str, table: str, columns: Mapping[str, str]) -> None:
    """Create a table of our own, or its missing columns."""
    name = f"{schema}.{table}"
    definitions = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    database.execute(f"create table if not exists {name} ({definitions})")
    for column, kind in columns.items():
        database.execute(f"alter table {name} add column if not exists {column} {kind}")


def reserved_schema_names() -> set[str]:
    """Return the words that cannot name a schema."""
    with duckdb.connect() as database:
        words = database.sql("from duckdb_keywords()").filter("keyword_category != 'unreserved'")
        return {str(word) for word, _ in words.fetchall()} | {"temp", "main", "system"}
