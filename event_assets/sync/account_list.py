"""List a source's accounts from YAML, a file or a query."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import duckdb

from event_assets import warehouse
from event_assets.config.accounts import AccountsConfig, name_error
from event_assets.config.project import project_path
from event_assets.config.source import SourceConfig
from event_assets.config.source_files import read_accounts
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import KNOWN
from event_assets.warehouse import Database

DATABASE_TIMEOUT = 20.0  # seconds to wait for the database


def list_accounts(source: SourceConfig, database: Database | None = None) -> list[str]:
    """Return the names of a source's accounts, without duplicates, in the order of the list.

    Raises:
        ConfigError: the list cannot be read, is empty, or contains an invalid name.
        WarehouseError, BusyError: the database is needed, but not available.
    """
    if source.accounts is None:
        return []
    names = list(dict.fromkeys(_read_names(source.accounts, source.name, database)))
    if not names:
        raise ConfigError(
            f"The account list of {source.name} is empty: nothing changes until it names an "
            "account."
        )
    for name in names:
        if problem := name_error(name):
            raise ConfigError(f"In the account list of {source.name}, {problem}.")
    return names


def select_account(source: SourceConfig, account: str | None = None) -> SourceConfig:
    """Return a source for one account: the named one, or the first; unchanged without accounts.

    Raises:
        ConfigError: there is no such account, or the list cannot be used.
    """
    names = list_accounts(source)
    require_accounts(source, names, () if account is None else [account])
    if not names:
        return source
    return source.for_account(names[0] if account is None else account, names)


def require_accounts(source: SourceConfig, known: Collection[str], named: Iterable[str]) -> None:
    """Raise ConfigError for an account that a source has not."""
    for account in named:
        if source.accounts is None:
            raise ConfigError(f"{source.name} has no accounts: omit `--account`.")
        if account not in known:
            raise ConfigError(f"There is no account `{account}` of {source.name}.")


def _read_names(accounts: AccountsConfig, source: str, database: Database | None) -> Iterator[str]:
    if accounts.file:
        yield from _read_file(accounts.file, source)
    elif accounts.query and database is not None:
        yield from _run_query(accounts.query, source, database)
    elif accounts.query:
        with warehouse.connect(DATABASE_TIMEOUT) as connection:
            yield from _run_query(accounts.query, source, connection)
    else:
        yield from accounts.names


def _read_file(file: str, source: str) -> Sequence[str]:
    path = project_path(file)
    try:
        return read_accounts(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
    raise ConfigError(f"Cannot read {path}, the account list of {source}: {reason}.")


def _run_query(query: str, source: str, database: Database) -> Sequence[str]:
    try:
        rows = database.sql(query).fetchall()
    except duckdb.Error as error:
        reason = KNOWN.redact_text(str(error).partition("\n")[0])  # it may quote a password
    else:
        return [str(name) for name, *_ in rows if name is not None]
    raise ConfigError(f"The query for the account list of {source} failed: {reason}")
