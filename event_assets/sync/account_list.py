"""Which accounts a source has: read from the YAML, a file or the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from event_assets import warehouse
from event_assets.config.accounts import AccountsConfig, name_error
from event_assets.config.project import find_project
from event_assets.config.source import SourceConfig
from event_assets.values.errors import ConfigError

PATIENCE = 20.0  # seconds to wait for the database, which a sync may have


def list_accounts(
    source: SourceConfig, database: duckdb.DuckDBPyConnection | None = None
) -> list[str]:
    """Give the names of a source's accounts, each once, in the order of the list.

    Args:
        source: whose accounts; none where it has no `accounts`.
        database: a connection for a query, where there is one already.

    Raises:
        ConfigError: when they cannot be read, one cannot be a name, or there are none.
        WarehouseError, BusyError: when the database is needed and cannot be had.
    """
    if source.accounts is None:
        return []
    names = list(dict.fromkeys(_names(source.accounts, source.name, database)))
    if not names:
        raise ConfigError(
            f"The list of the accounts of {source.name} is empty: nothing is changed until it "
            "names one."
        )
    for name in names:
        if problem := name_error(name):
            raise ConfigError(f"In the list of the accounts of {source.name}, {problem}.")
    return names


def select_account(source: SourceConfig, account: str | None = None) -> SourceConfig:
    """Give a source as it is for one account: a named one, or the first; if it has any.

    Raises:
        ConfigError: when there is no such account, or as for `listed`.
    """
    names = list_accounts(source)
    if not names and account is None:
        return source
    if account is not None and account not in names:
        raise ConfigError(f"There is no account `{account}` of {source.name}.")
    return source.for_account(names[0] if account is None else account, names)


def _names(
    accounts: AccountsConfig, source: str, database: duckdb.DuckDBPyConnection | None
) -> Iterator[str]:
    if accounts.file:
        yield from _lines(accounts.file, source)
    elif accounts.query and database is not None:
        yield from _rows(accounts.query, source, database)
    elif accounts.query:
        with warehouse.connect(PATIENCE) as opened:
            yield from _rows(accounts.query, source, opened)
    else:
        yield from accounts.names


def _lines(file: str, source: str) -> Sequence[str]:
    path = find_project() / file
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
    else:
        return [line.strip() for line in text.splitlines() if line.strip()]
    raise ConfigError(f"The file {path} with the accounts of {source} cannot be read: {why}.")


def _rows(query: str, source: str, database: duckdb.DuckDBPyConnection) -> Sequence[str]:
    try:
        rows = database.sql(query).fetchall()
    except duckdb.Error as error:
        why = str(error).partition("\n")[0]
    else:
        return [str(name) for name, *_ in rows if name is not None]
    raise ConfigError(f"The query for the accounts of {source} does not work: {why}")
