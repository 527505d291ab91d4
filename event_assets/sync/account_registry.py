"""What the database knows of accounts: whose rows it has, and what their syncs made of a table."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from event_assets.config.accounts import ACCOUNT
from event_assets.config.source import ResourceConfig
from event_assets.sync.sync_log import SYNC_LOG
from event_assets.warehouse import inspection, sql

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


def register_account(database: duckdb.DuckDBPyConnection, schema: str, account: str) -> None:
    """Write down that there is an account; one that is new is listed."""
    database.execute(CREATE.format(schema=schema))
    database.execute(ADD.format(schema=schema), [account, account])


def update_listed(database: duckdb.DuckDBPyConnection, schema: str, names: Sequence[str]) -> None:
    """Write down which accounts are listed; the events of the others are not current any more."""
    database.execute(CREATE.format(schema=schema))
    database.execute("create or replace temp table given (account varchar)")
    database.executemany("insert into given values (?)", [[name] for name in names])
    database.execute(LIST.format(schema=schema))


def mixes_account_modes(
    database: duckdb.DuckDBPyConnection, schema: str, account: str | None
) -> bool:
    """Was the table of events filled the other way: with accounts, or without?"""
    if not inspection.has_table(database, schema, SYNC_LOG):
        return False
    return inspection.has_column(database, schema, SYNC_LOG, ACCOUNT) != (account is not None)


def count_rows(database: duckdb.DuckDBPyConnection, resource: ResourceConfig) -> int:
    """Count the rows of a table; where the resource is for an account, those of this one."""
    rows = database.table(f"{resource.source.name}.{sql.quote_identifier(resource.name)}")
    rows = rows.filter(sql.account_filter(resource.source.account))
    ((count,),) = rows.aggregate("count(*)").fetchall()
    return int(count)
