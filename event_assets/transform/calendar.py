"""`event_calendar`: how many current events start on each day, by status."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from event_assets.config.fields import START, START_DAY
from event_assets.warehouse import Database
from event_assets.warehouse.inspection import fetch_rows
from event_assets.warehouse.reconcile import ensure_table
from event_assets.warehouse.sql import transaction

CALENDAR = "event_calendar"
COLUMNS = {"day": "date", "status": "text", "events": "bigint"}
TABLE = {"day": "date", "status": "varchar", "events": "bigint"}
FILL_TABLE = """
insert into {schema}.event_calendar by name
select {day} as day, {status} as status, count(*) as events
from {events}
where start_time is not null
group by all order by all
"""
DAY = "cast(start_time at time zone 'UTC' as date)"
# The year up to the last event, or to nine months from now; every day of it, also without events.
DAYS = """
with ends as (
    select greatest(min(day), least(max(day), current_date + 275) - 365) as first,
        least(max(day), current_date + 275) as last
    from {schema}.event_calendar
), days as (
    select unnest(generate_series(date_trunc('week', first), last, interval 1 day))::date as day
    from ends
)
select day, date_trunc('week', day)::date as week, left(dayname(day), 3) as weekday,
    coalesce(sum(events), 0)::bigint as events
from days left join {schema}.event_calendar using (day)
group by day order by day
"""
WEEKS = """
with coming as (
    from {schema}.event_calendar
    where day >= current_date and date_trunc('week', day) < current_date + 84
), frequent as (
    select coalesce(status, 'no status') as status from coming
    group by all order by sum(events) desc limit 6
)
select date_trunc('week', day)::date as week,
    if(coalesce(status, 'no status') in (from frequent), coalesce(status, 'no status'), 'other')
        as status,
    sum(events)::bigint as events
from coming group by all order by all
"""
Rows = Sequence[Mapping[str, Any]]


class Calendar(NamedTuple):
    """What the charts of the calendar show."""

    days: Rows  # `day`, `week`, `weekday`, `events` of each day of a year
    weeks: Rows  # `week`, `status`, `events` of the coming weeks


def fill_statement(
    schema: str, columns: Collection[str] = ("status",), *, accounts: bool = False
) -> str:
    """Return the SQL that fills `event_calendar` from current events with these columns."""
    status = "status::varchar" if "status" in columns else "null::varchar"
    day = f"coalesce({START_DAY}, {DAY})" if START_DAY in columns else DAY
    events = f"{schema}.current_events"
    if accounts:
        shared = ", ".join(["id", START, *(["name"] if "name" in columns else ())])
        others = [f"min({name}) as {name}" for name in ("status", START_DAY) if name in columns]
        events = f"(select {', '.join([shared, *others])} from {events} group by {shared})"  # noqa: S608 (ours)
    return FILL_TABLE.format(schema=schema, events=events, status=status, day=day).strip()


def update_calendar(database: Database, schema: str, *, accounts: bool = False) -> Calendar:
    """Replace the rows of `event_calendar`, and return what its charts show.

    With `accounts`, an event that several of them have counts once.
    """
    columns = database.sql(f"from {schema}.current_events").columns
    with transaction(database):  # the table itself stays, with the rights that others have to it
        ensure_table(database, schema, CALENDAR, TABLE)
        database.execute(f"delete from {schema}.event_calendar")  # noqa: S608 (our names)
        database.execute(fill_statement(schema, columns, accounts=accounts))
    days, weeks = (fetch_rows(database.sql(query.format(schema=schema))) for query in (DAYS, WEEKS))
    return Calendar(days, weeks)
