"""The query of current events."""

from event_assets.config.source import SourceConfig
from event_assets.warehouse.sql import quote_literal

# The events of the newest complete full sync, and newer ones. An event with a record that breaks
# the contract keeps its previous row.
CURRENT_QUERY = """
with complete as (
    select max(sync_number) as newest
    from {schema}.event_data_syncs where complete and full_sync is not false
), current as (
    select load_id from {schema}.event_data_syncs
    where sync_number >= (select newest from complete)
)
select * from {schema}.event_data
where (select newest from complete) is null
    or _dlt_load_id in (from current)
    or id in (select id from {schema}.event_data_rejects where load_id in (from current))
"""

# The same for each account; events of accounts that are no longer listed are not current.
CURRENT_QUERY_OF_ACCOUNTS = """
with complete as (
    select account, max(sync_number) as newest
    from {schema}.event_data_syncs where complete and full_sync is not false group by account
), current as (
    select account, load_id from {schema}.event_data_syncs
    join complete using (account) where sync_number >= newest
)
select * from {schema}.event_data
where account in (select account from {schema}.event_data_accounts where is_listed) and (
    account not in (select account from complete)
    or (account, _dlt_load_id) in (from current)
    or (account, id) in (
        select rejects.account, id from {schema}.event_data_rejects as rejects
        join current using (account, load_id)
    )
)
"""


def current_events_query(source: SourceConfig) -> str:
    """Build the query of a source's current events, of its account if it has one."""
    if not source.accounts:
        return CURRENT_QUERY.format(schema=source.name)
    query = CURRENT_QUERY_OF_ACCOUNTS.format(schema=source.name)
    if source.account is None:
        return query
    own = f"account = {quote_literal(source.account)}"
    return f"select * from ({query}) as all_accounts where {own}"  # noqa: S608 (our names)
