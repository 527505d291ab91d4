"""`event_calendar`: how many current events start on each day, by status."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

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
COMING_WEEKS = """
select week, sum(events)::bigint as events,
    string_agg(concat(events, ' ', coalesce(status, 'no status')), ', ' order by events desc)
        as statuses
from (
    select date_trunc('week', day)::date as week, status, sum(events)::bigint as events
    from {schema}.event_calendar
    where day between date_trunc('week', current_date) and current_date + 84
    group by all
)
group by week order by week
"""


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


def update_calendar(
    database: Database, schema: str, *, accounts: bool = False
) -> Sequence[Mapping[str, Any]]:
    """Replace the rows of `event_calendar`, and return the coming weeks.

    With `accounts`, an event that several of them have counts once.

    Returns:
        `week` (its Monday), `events` and `statuses` of each of the next 12 weeks that has events.
    """
    columns = database.sql(f"from {schema}.current_events").columns
    with transaction(database):  # the table itself stays, with the rights that others have to it
        ensure_table(database, schema, CALENDAR, TABLE)
        database.execute(f"delete from {schema}.event_calendar")  # noqa: S608 (our names)
        database.execute(fill_statement(schema, columns, accounts=accounts))
    return fetch_rows(database.sql(COMING_WEEKS.format(schema=schema)))
