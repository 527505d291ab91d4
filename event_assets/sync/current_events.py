"""The query of current events."""

from __future__ import annotations

from collections.abc import Mapping

from event_assets.config.accounts import ACCOUNT
from event_assets.config.source import SourceConfig
from event_assets.sync.removed import REMOVED_TABLE
from event_assets.warehouse.sql import quote_literal

# The events of the newest complete full sync (of each account), and newer ones. An event with a
# record that breaks the contract keeps its previous row. A record without a readable id may be that
# of any event that left when it came. What the first complete full sync after its last record has
# shown to be gone, no later one brings back without another.
CURRENT_QUERY = """
with judging as (
    select {owner} as owner, sync_number, coalesce(began_at, started_at) as started_at,
        read_from, read_until
    from {schema}.event_data_syncs where complete and full_sync is not false
), complete as (
    from judging qualify row_number() over (partition by owner order by sync_number desc) = 1
), syncs as (
    select {owner} as owner, load_id, sync_number, started_at,
        min(sync_number) filter (complete and full_sync is not false) over (
            partition by {owner} order by sync_number
            rows between 1 following and unbounded following
        ) as judged_by
    from {schema}.event_data_syncs
), current as (
    select owner, load_id, syncs.sync_number from syncs join complete using (owner)
    where syncs.sync_number >= complete.sync_number
), rejects as (
    select owner, id, first_rejected_at, current.sync_number
    from (select *, {owner} as owner from {schema}.event_data_rejects)
    join current using (owner, load_id)
), rejected as (
    select owner, id, max(judged_by) as judged_by
    from (select *, {owner} as owner from {schema}.event_data_rejects)
    join syncs using (owner, load_id) where id is not null group by all
), unidentified as (
    select rejects.owner, coalesce(first.sync_number, rejects.sync_number) as since
    from rejects left join syncs as first
    on first.owner = rejects.owner and first.started_at = rejects.first_rejected_at
    where id is null
)
select event.* from {schema}.event_data as event
left join complete on complete.owner = {owner}
left join syncs as seen on seen.owner = {owner} and seen.load_id = event._dlt_load_id
left join rejected on rejected.owner = {owner} and rejected.id = event.id
left join judging as judge on judge.owner = {owner}
    and judge.sync_number = case when rejected.judged_by > seen.judged_by
        then rejected.judged_by else seen.judged_by end
where {conditions}(
    complete.owner is null
    or ({owner}, event._dlt_load_id) in (select owner, load_id from current)
    or ({owner}, event.id) in (select owner, id from rejects)
    or ({owner}, event._dlt_load_id) in (
        select owner, load_id from syncs join unidentified using (owner)
        where since between sync_number + 1 and judged_by
    ){under_way}{unread}
)
"""
# A list of upcoming events shows none that has begun.
UNDER_WAY = """
    or (
        {start} < coalesce(judge.started_at, complete.started_at)
        and {end} >= complete.started_at
        and {owner} not in (
            select current.owner from {schema}.event_data as listed
            join current on current.owner = {listed_owner} and current.load_id = listed._dlt_load_id
            join complete as newest on newest.owner = current.owner
            where {listed_start} < newest.started_at
        )
    )"""
LISTED = "account in (select account from {schema}.event_data_accounts where is_listed) and "
NOT_REMOVED = """({owner}, event.id) not in (
    select {owner}, id from {schema}.{table} where {owner} is not null and id is not null
) and """
# The windows may not have reached an event near their ends, whatever the API compares with them.
UNREAD = """
    or (
        coalesce({end} >= complete.started_at, true)
        and {not_in_complete} and (judge.owner is null or {not_in_judge})
    )"""
NOT_IN_WINDOWS = """(
            {sync}.read_from is not null and not coalesce(
                {start} >= {sync}.read_from + interval 24 hour
                and {end} <= {sync}.read_until - interval 24 hour, false
            )
        )"""

TIMES = ("timestamp", "date")  # the types of columns that say when an event is
# A time, and the start of a date, in UTC: a cast would take the reader's time zone.
MOMENTS = ("{}::timestamptz", "({}::timestamp at time zone 'UTC')")


def current_events_query(source: SourceConfig) -> str:
    """Build the query of a source's current events, of its account if it has one."""
    names = {"schema": source.name, "owner": ACCOUNT if source.accounts else "''"}
    removed = NOT_REMOVED.format(table=REMOVED_TABLE, **names) if source.removed_when else ""
    listed = LISTED.format_map(names) if source.accounts else ""
    kinds = {name: field.type for name, field in source.fields.items()}
    typed = {name: kind for name, kind in kinds.items() if kind in TIMES}
    start, end = event_times("event", typed)
    owner = f"listed.{ACCOUNT}" if source.accounts else "''"
    times = {"start": start, "end": end, "listed_start": event_times("listed", typed)[0]}
    windows = {
        f"not_in_{sync}": NOT_IN_WINDOWS.format(sync=sync, **times)
        for sync in ("complete", "judge")
    }
    query = CURRENT_QUERY.format(
        conditions=f"{listed}{removed}",
        under_way=UNDER_WAY.format(listed_owner=owner, **times, **names),
        unread=UNREAD.format(**windows, **times) if source.windows else "",
        **names,
    )
    if source.account is None:
        return query
    own = f"{ACCOUNT} = {quote_literal(source.account)}"
    return f"select * from ({query}) as all_accounts where {own}"


def event_times(table: str, types: Mapping[str, str]) -> tuple[str, str]:
    """Return the SQL of an event's start, and of its end or else its start; null if unknown.

    What is a date ends with its day.
    """
    names = [name for name in ("start_time", "end_time") if name in types]
    times = [MOMENTS[types[name].lower() == "date"].format(f"{table}.{name}") for name in names]
    times = times or ["null::timestamptz"]
    is_day = any(types[name].lower() == "date" for name in names[-1:])
    return times[0], f"coalesce({times[-1]}, {times[0]}){' + interval 24 hour' * is_day}"
