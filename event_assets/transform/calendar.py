"""`event_calendar`: how many current events start on each day, by status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from event_assets.warehouse import Database
from event_assets.warehouse.inspection import fetch_rows
from event_assets.warehouse.reconcile import ensure_table
from event_assets.warehouse.sql import transaction

CALENDAR = "event_calendar"
COLUMNS = {"day": "date", "status": "text", "events": "bigint"}
TABLE = {"day": "date", "status": "varchar", "events": "bigint"}
FILL_TABLE = """
insert into {schema}.event_calendar by name
select cast(start_time at time zone 'UTC' as date) as day, {status} as status, count(*) as events
from {schema}.current_events
where start_time is not null
group by all order by all
"""
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


def fill_statement(schema: str, *, has_status: bool = True) -> str:
    """Return the SQL that fills `event_calendar`."""
    status = "status::varchar" if has_status else "null::varchar"
    return FILL_TABLE.format(schema=schema, status=status).strip()


def update_calendar(database: Database, schema: str) -> Calendar:
    """Replace the rows of `event_calendar`, and return what its charts show."""
    columns = database.sql(f"from {schema}.current_events").columns
    with transaction(database):  # the table itself stays, with the rights that others have to it
        ensure_table(database, schema, CALENDAR, TABLE)
        database.execute(f"delete from {schema}.event_calendar")  # noqa: S608 (our names)
        database.execute(fill_statement(schema, has_status="status" in columns))
    days, weeks = (fetch_rows(database.sql(query.format(schema=schema))) for query in (DAYS, WEEKS))
    return Calendar(days, weeks)
