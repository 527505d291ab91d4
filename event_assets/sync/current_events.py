"""The query of current events."""

from __future__ import annotations

from collections.abc import Mapping

from event_assets.config.accounts import ACCOUNT
from event_assets.config.source import SourceConfig
from event_assets.config.source_files import EVENT_DATA
from event_assets.sync.removed import REMOVED_TABLE
from event_assets.warehouse import Database
from event_assets.warehouse.sql import account_filter, quote_literal

# The events of the newest complete full sync (of each account), and newer ones, and those that no
# complete full sync after their last record could judge. What each could judge is told by facts of
# its own, so that what one has shown to be gone comes back only with a record. An event with a
# record that breaks the contract keeps its previous row. A record without a readable id may be that
# of any event that left when it came. A list may drop events when they begin, or when their day is
# over: one that shows an event would show those, too, that began more than a day after it. Windows
# may not have reached an event near their limits, whatever the API compares with them.
CURRENT_QUERY = """
with syncs as (
    select *,
        min(sync_number) filter (judges) over later as judged_by,
        min(reach) filter (judges) over later as least_reach,
        max(case when read_from is null then 'infinity' else read_until end)
            filter (judges) over later as last_read
    from (
        select {owner} as owner, load_id, sync_number, started_at, read_from, read_until,
            complete and full_sync is not false as judges,
            {ended} as ended,
            case when earliest_start + interval 24 hour < ended
                then earliest_start + interval 24 hour else ended end as reach
        from {schema}.event_data_syncs
    ) window later as (
        partition by owner order by sync_number rows between 1 following and unbounded following
    )
), complete as (
    from syncs where judges
    qualify row_number() over (partition by owner order by sync_number desc) = 1
), rejects as (
    select owner, id, first_rejected_at, sync_number
    from (select *, {owner} as owner from {schema}.event_data_rejects)
    join syncs using (owner, load_id)
), rejected as (
    select owner, id, max(sync_number) as sync_number
    from rejects where id is not null group by all
), unidentified as (
    select rejects.owner, coalesce(first.sync_number, rejects.sync_number) as since
    from rejects join complete using (owner) left join syncs as first
    on first.owner = rejects.owner and first.started_at = rejects.first_rejected_at
    where id is null and rejects.sync_number >= complete.sync_number
), missing as (
    select found.*,
        coalesce(starts < found.least_reach or ends > found.last_read - interval 24 hour, false)
            as is_unread
    from (  -- whose columns have the names of no field of the API
        select {owner} as owner, event.id, {start} as starts, {end} as ends,
            case when rejected.sync_number > seen.sync_number then rejected.sync_number
                else coalesce(seen.sync_number, complete.sync_number - 1) end as newest,
            seen.least_reach, seen.last_read
        from {events}
        where coalesce({end} >= complete.ended, true)
            and coalesce(seen.sync_number < complete.sync_number, true)
    ) as found join complete using (owner)
    where newest < complete.sync_number
        and not coalesce({is_judged_by_complete}, false)
), unjudged as (
    select owner, id from missing where is_unread
    union all select owner, id from missing anti join syncs
    on syncs.judges and syncs.owner = missing.owner and syncs.sync_number > missing.newest
        and {is_judged}
    where not is_unread
)
select event.* from {events}
where {conditions}(
    complete.owner is null
    or seen.sync_number >= complete.sync_number
    or rejected.sync_number >= complete.sync_number
    or ({owner}, event._dlt_load_id) in (
        select owner, load_id from syncs join unidentified using (owner)
        where since between sync_number + 1 and judged_by
    )
    or ({owner}, event.id) in (select owner, id from unjudged)
)
"""
# When a sync ended, by the clock of the API if that is ahead.
ENDED = """coalesce(began_at, started_at)
    + case when finished_at > started_at then finished_at - started_at else interval 0 second end"""
EVENTS = """{schema}.event_data as event
    left join complete on complete.owner = {owner}
    left join syncs as seen on seen.owner = {owner} and seen.load_id = event._dlt_load_id
    left join rejected on rejected.owner = {owner} and rejected.id = event.id"""
IS_JUDGED = """(
        (starts is null or starts >= {sync}.reach)
        and ({sync}.read_from is null or (
            starts >= {sync}.read_from + interval 24 hour
            and ends <= {sync}.read_until - interval 24 hour
        ))
    )"""
LISTED = "account in (select account from {schema}.event_data_accounts where is_listed) and "
NOT_REMOVED = """({owner}, event.id) not in (
    select {owner}, id from {schema}.{table} where {owner} is not null and id is not null
) and """
TIMES = ("timestamp", "date")  # the types of columns that say when an event is
# A time, and the start of a date, in UTC: a cast would take the reader's time zone.
MOMENTS = ("{}::timestamptz", "({}::timestamp at time zone 'UTC')")


def current_events_query(source: SourceConfig) -> str:
    """Build the query of a source's current events, of its account if it has one."""
    names = {"schema": source.name, "owner": ACCOUNT if source.accounts else "''"}
    removed = NOT_REMOVED.format(table=REMOVED_TABLE, **names) if source.removed_when else ""
    listed = LISTED.format_map(names) if source.accounts else ""
    start, end = _times(source)
    query = CURRENT_QUERY.format(
        conditions=f"{listed}{removed}",
        events=EVENTS.format_map(names),
        ended=ENDED,
        is_judged=IS_JUDGED.format(sync="syncs"),
        is_judged_by_complete=IS_JUDGED.format(sync="complete"),
        start=start,
        end=end,
        **names,
    )
    if source.account is None:
        return query
    own = f"{ACCOUNT} = {quote_literal(source.account)}"
    return f"select * from ({query}) as all_accounts where {own}"


def earliest_start(database: Database, source: SourceConfig, load_id: str) -> str | None:
    """Return the earliest start of the events that a sync has loaded, as text."""
    table, own = f"{source.name}.{EVENT_DATA} as event", account_filter(source.account)
    loaded = f"where {own} and _dlt_load_id = {quote_literal(load_id)}"
    query = f"select min({_times(source)[0]})::varchar from {table} {loaded}"
    ((found,),) = database.execute(query).fetchall()
    return found and str(found)


def event_times(table: str, types: Mapping[str, str]) -> tuple[str, str]:
    """Return the SQL of an event's start, and of its end or else its start; null if unknown.

    What is a date ends with its day.
    """
    names = [name for name in ("start_time", "end_time") if name in types]
    times = [MOMENTS[types[name].lower() == "date"].format(f"{table}.{name}") for name in names]
    times = times or ["null::timestamptz"]
    is_day = any(types[name].lower() == "date" for name in names[-1:])
    return times[0], f"coalesce({times[-1]}, {times[0]}){' + interval 24 hour' * is_day}"


def _times(source: SourceConfig) -> tuple[str, str]:
    kinds = {name: field.type for name, field in source.fields.items()}
    return event_times("event", {name: kind for name, kind in kinds.items() if kind in TIMES})
