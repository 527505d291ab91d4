"""The table `event_data_accounts`: the accounts that were synced."""

from __future__ import annotations

from collections.abc import Sequence

from event_assets.config.accounts import ACCOUNT
from event_assets.config.source import ResourceConfig
from event_assets.sync.sync_log import SYNC_LOG
from event_assets.warehouse import Database, inspection, sql

# is_listed: in the current list; was_compared: its events were compared by event_changes
CREATE_TABLE = """
create table if not exists {schema}.event_data_accounts
(account varchar, is_listed boolean, was_compared boolean)
"""
ADD_ACCOUNT = """
insert into {schema}.event_data_accounts
select ?, true, false
where not exists (select 1 from {schema}.event_data_accounts where account = ?)
"""
UPDATE_LISTED = """
update {schema}.event_data_accounts set is_listed = account in (from given)
where is_listed <> (account in (from given))
"""


def register_account(database: Database, schema: str, account: str) -> None:
    """Add an account, as listed, unless it is registered."""
    database.execute(CREATE_TABLE.format(schema=schema))
    database.execute(ADD_ACCOUNT.format(schema=schema), [account, account])


def update_listed(database: Database, schema: str, names: Sequence[str]) -> None:
    """Update which accounts are listed; events of other accounts are no longer current."""
    database.execute(CREATE_TABLE.format(schema=schema))
    database.execute("create or replace temp table given (account varchar)")
    database.executemany("insert into given values (?)", [[name] for name in names])
    database.execute(UPDATE_LISTED.format(schema=schema))


def mixes_account_modes(database: Database, schema: str, account: str | None) -> bool:
    """Return whether the events were loaded in the other mode: with or without accounts."""
    if not inspection.has_table(database, schema, SYNC_LOG):
        return False
    return inspection.has_column(database, schema, SYNC_LOG, ACCOUNT) != (account is not None)


def count_rows(database: Database, resource: ResourceConfig) -> int:
    """Return the number of rows of a table, of the resource's account if it has one."""
    if not inspection.has_table(database, resource.source.name, resource.name):
        return 0
    rows = database.table(f"{resource.source.name}.{sql.quote_identifier(resource.name)}")
    rows = rows.filter(sql.account_filter(resource.source.account))
    ((count,),) = rows.aggregate("count(*)").fetchall()
    return int(count)
