"""Quoting and transactions."""

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


def quote_name(schema: str, name: str) -> str:
    """Quote the name of a table or an index, with its schema, for SQL."""
    return f"{quote_identifier(schema)}.{quote_identifier(name)}"


def quote_literal(text: str) -> str:
    """Quote a text for SQL."""
    return "'" + text.replace("'", "''") + "'"


def insert_row(database: Database, table: str, row: Mapping[str, Any]) -> None:
    """Insert a row, given by column, into a table with a quoted name."""
    # no parameters: for each, DuckDB looks for pandas twice, whether it is installed or not
    columns, values = ", ".join(map(quote_identifier, row)), ", ".join(map(_literal, row.values()))
    database.execute(f"insert into {table} ({columns}) values ({values})")


def _literal(value: Any) -> str:
    if value is None or isinstance(value, int):
        return "null" if value is None else str(value)
    return quote_literal(str(value).replace("\0", ""))  # it would end the statement


def account_filter(account: str | None) -> str:
    """Return the condition for rows of an account, or `true` if there are no accounts."""
    return "true" if account is None else f"{ACCOUNT} = {quote_literal(account)}"


def is_reserved(word: str) -> bool:
    """Return whether a word cannot name a schema."""
    if word in ("temp", "main", "system"):
        return True
    if duckdb.tokenize(word) == [(0, duckdb.token_type.identifier)]:
        return False  # the rest takes a hundredth of a second
    with duckdb.connect() as database:
        words = database.sql("from duckdb_keywords()").filter("keyword_category != 'unreserved'")
        return word in {str(reserved) for reserved, _ in words.fetchall()}
