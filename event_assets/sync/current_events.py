"""Which events are current."""

from event_assets.config.source import SourceConfig
from event_assets.warehouse.sql import quote_literal

# The events that the newest complete sync of everything saw, and newer ones. An event that came,
# but with a record that breaks the contract, stays as it was.
CURRENT = """
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

# The same for each account; those of an account that is not listed any more are not current.
CURRENT_OF_ACCOUNTS = """
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
    """Give the query of a source's current events; where it is for one account, of this one."""
    if not source.accounts:
        return CURRENT.format(schema=source.name)
    of_all = CURRENT_OF_ACCOUNTS.format(schema=source.name)
    if source.account is None:
        return of_all
    mine = f"account = {quote_literal(source.account)}"
    return f"select * from ({of_all}) as of_all where {mine}"  # noqa: S608 (our names)
