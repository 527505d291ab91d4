"""The query of current events."""

from event_assets.config.source import SourceConfig
from event_assets.warehouse.sql import quote_literal

# The events of the newest complete full sync, and newer ones. An event with a record that breaks
# the contract keeps its previous row.
CURRENT_QUERY = """
with complete as (
    select coalesce(max(load_id), '') as load_id
    from {schema}.event_data_syncs where complete and full_sync is not false
)
select * from {schema}.event_data
where _dlt_load_id >= (select load_id from complete)
    or id in (
        select id from {schema}.event_data_rejects
        where load_id >= (select load_id from complete)
    )
"""

# The same for each account; events of accounts that are no longer listed are not current.
CURRENT_QUERY_OF_ACCOUNTS = """
with complete as (
    select listed.account, coalesce(max(load_id), '') as load_id
    from {schema}.event_data_accounts as listed
    left join {schema}.event_data_syncs as syncs
        on syncs.account = listed.account and complete and full_sync is not false
    where listed.is_listed group by listed.account
)
select events.* from {schema}.event_data as events
join complete on complete.account = events.account
where events._dlt_load_id >= complete.load_id
    or exists (
        select 1 from {schema}.event_data_rejects as rejects
        where rejects.account = events.account and rejects.id = events.id
            and rejects.load_id >= complete.load_id
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
