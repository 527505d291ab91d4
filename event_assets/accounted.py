"""What the database knows of accounts: whose rows it has, and what their syncs made of a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import duckdb

from event_assets import tables
from event_assets.accounts import ACCOUNT
from event_assets.source import Resource
from event_assets.syncs import SYNCS, Sync

PATHS = "event_data_paths"
# Whether the account is listed still; whether its events were compared with others before.
CREATE = """
create table if not exists {schema}.event_data_accounts
(account varchar, is_listed boolean, was_compared boolean)
"""
ADD = """
insert into {schema}.event_data_accounts
select ?, true, false
where not exists (select 1 from {schema}.event_data_accounts where account = ?)
"""
LIST = """
update {schema}.event_data_accounts set is_listed = account in (from given)
where is_listed <> (account in (from given))
"""
CREATE_PATHS = """
create table if not exists {schema}.event_data_paths
(table_name varchar, column_name varchar, path json)
"""
Paths = Mapping[str, Sequence[str | None]]


class TableMovedError(Exception):
    """Another account's sync changed the table while this one read: its columns do not fit."""


def note(database: duckdb.DuckDBPyConnection, schema: str, account: str) -> None:
    """Write down that there is an account; one that is new is listed."""
    database.execute(CREATE.format(schema=schema))
    database.execute(ADD.format(schema=schema), [account, account])


def keep_listed(database: duckdb.DuckDBPyConnection, schema: str, names: Sequence[str]) -> None:
    """Write down which accounts are listed; the events of the others are not current any more."""
    database.execute(CREATE.format(schema=schema))
    database.execute("create or replace temp table given (account varchar)")
    database.executemany("insert into given values (?)", [[name] for name in names])
    database.execute(LIST.format(schema=schema))


def are_mixed(database: duckdb.DuckDBPyConnection, schema: str, account: str | None) -> bool:
    """Was the table of events filled the other way: with accounts, or without?"""
    if not tables.has_table(database, schema, SYNCS):
        return False
    return tables.has_column(database, schema, SYNCS, ACCOUNT) != (account is not None)


def paths(database: duckdb.DuckDBPyConnection, schema: str, table: str) -> Paths:
    """Say where the values of a table's columns come from whose names do not say it."""
    if not tables.has_table(database, schema, PATHS):
        return {}
    known = database.table(f"{schema}.{PATHS}").filter(f"table_name = {tables.literal(table)}")
    return {name: json.loads(path) for _, name, path in known.fetchall()}


def refuse_if_moved(database: duckdb.DuckDBPyConnection, resource: Resource, now: Sync) -> None:
    """Look whether the columns of a table are still such that what was read goes into them.

    Raises:
        TableMovedError: when they are not, and all must be read again.
    """
    schema, table, shaped = resource.source.name, resource.name, now.shaped
    if resource.source.account is None or shaped is None:
        return
    there, known = tables.types(database, schema, table), paths(database, schema, table)
    changed = {name for name, kind in there.items() if now.types.get(name) != kind}
    if shaped.widened and not tables.exact(database, schema, table).issuperset(
        name for name in shaped.widened if name not in changed
    ):
        raise TableMovedError
    made = shaped.paths
    for name in changed:
        held = shaped.held.get(name)
        fits = held is None or there[name] == held or (held, there[name]) == ("bigint", "double")
        plain = name.split("__")
        same = held is None or list(made.get(name, plain)) == list(known.get(name, plain))
        if not fits or not same or name in shaped.retyped:
            raise TableMovedError


def keep_paths(database: duckdb.DuckDBPyConnection, resource: Resource, now: Sync) -> None:
    """Write down where the values of new columns come from, for the other accounts' syncs."""
    if resource.source.account is None or now.shaped is None:
        return
    schema, table = resource.source.name, resource.name
    known = paths(database, schema, table)
    database.execute(CREATE_PATHS.format(schema=schema))
    for name, path in now.shaped.paths.items():
        if name not in known and name in now.shaped.held:
            database.execute(
                f"insert into {schema}.{PATHS} values (?, ?, ?)",  # noqa: S608 (our names)
                [table, name, json.dumps(path)],
            )


def count(database: duckdb.DuckDBPyConnection, resource: Resource) -> int:
    """Count the rows of a table; where the resource is for an account, those of this one."""
    rows = database.table(f"{resource.source.name}.{tables.quoted(resource.name)}")
    found = rows.filter(tables.of_account(resource.source.account)).aggregate("count(*)").fetchone()
    return int(found[0]) if found else 0
