"""The table `event_data_accounts`: the accounts that were synced."""

from __future__ import annotations

from collections.abc import Sequence

from event_assets.config.accounts import ACCOUNT
from event_assets.sync.sync_log import SYNC_LOG
from event_assets.warehouse import Database, inspection, sql
from event_assets.warehouse.tables import ensure_table

ACCOUNTS_TABLE = "event_data_accounts"
# is_listed: in the current list; was_compared: its events were compared by event_changes
COLUMNS = {"account": "text", "is_listed": "bool", "was_compared": "bool"}
ADD_ACCOUNTS = """
insert into {schema}.event_data_accounts by name
select distinct account, true as is_listed, false as was_compared from {accounts} as synced
where account is not null
    and not exists (from {schema}.event_data_accounts as known where known.account = synced.account)
"""
UPDATE_LISTED = """
update {schema}.event_data_accounts set is_listed = list_contains($1::varchar[], account)
where is_listed is distinct from list_contains($1::varchar[], account)
"""


def register_account(database: Database, schema: str, account: str) -> None:
    """Add an account, as listed, unless it is registered."""
    _add_accounts(database, schema, f"(select {sql.quote_literal(account)} as account)")


def restore_accounts(database: Database, schema: str) -> None:
    """Add the accounts that were synced, and that a person deleted."""
    if inspection.has_column(database, schema, SYNC_LOG, ACCOUNT):
        _add_accounts(database, schema, f"{schema}.{SYNC_LOG}")


def _add_accounts(database: Database, schema: str, accounts: str) -> None:
    ensure_table(database, schema, ACCOUNTS_TABLE, COLUMNS)
    database.execute(ADD_ACCOUNTS.format(schema=schema, accounts=accounts))


def update_listed(database: Database, schema: str, names: Sequence[str]) -> None:
    """Update which accounts are listed; events of other accounts are no longer current."""
    ensure_table(database, schema, ACCOUNTS_TABLE, COLUMNS)
    database.execute(UPDATE_LISTED.format(schema=schema), [list(names)])
