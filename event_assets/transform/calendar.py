"""`event_calendar`: how many current events start on each day, by status."""

from __future__ import annotations

from collections.abc import Collection

from event_assets.config.fields import START, START_DAY
from event_assets.config.source import SourceConfig
from event_assets.warehouse import Database
from event_assets.warehouse.inspection import has_table
from event_assets.warehouse.sql import transaction
from event_assets.warehouse.tables import ensure_table, without_indexes

CALENDAR = "event_calendar"
COLUMNS = {"day": "date", "status": "text", "events": "bigint"}
FILL_TABLE = """
insert into {schema}.event_calendar by name
select {day} as day, {status} as status, count(*) as events
from {events}
where start_time is not null
group by all order by all
"""
DAY = "cast(start_time at time zone 'UTC' as date)"


def has_calendar(source: SourceConfig) -> bool:
    """Return whether the events of a source have times of start to count them by."""
    return START in source.fields and source.fields[START].type == "timestamp"


def drop_calendar(database: Database, source: SourceConfig) -> None:
    """Drop the table that was filled under an earlier contract."""
    if has_table(database, source.name, CALENDAR):
        database.execute(f"drop table {source.name}.{CALENDAR}")


def fill_statement(source: SourceConfig, columns: Collection[str] = ("status",)) -> str:
    """Return the SQL that fills `event_calendar` from current events with these columns.

    An event that several accounts have counts once.
    """
    status = "status::varchar" if "status" in columns else "null::varchar"
    day = f"coalesce({START_DAY}, {DAY})" if START_DAY in columns else DAY
    events = f"{source.name}.current_events"
    if source.accounts:
        shared = ", ".join(["id", START, *(["name"] if "name" in columns else ())])
        others = [f"min({name}) as {name}" for name in ("status", START_DAY) if name in columns]
        events = f"(select {', '.join([shared, *others])} from {events} group by {shared})"
    return FILL_TABLE.format(schema=source.name, events=events, status=status, day=day).strip()


def update_calendar(database: Database, source: SourceConfig) -> None:
    """Replace the rows of `event_calendar`."""
    schema = source.name
    columns = database.sql(f"from {schema}.current_events").columns
    ensure_table(database, schema, CALENDAR, COLUMNS)
    # the table itself stays, with the rights that others have to it
    with without_indexes(database, schema, CALENDAR), transaction(database):
        database.execute(f"delete from {schema}.event_calendar")
        database.execute(fill_statement(source, columns))
