"""What is made from `event_data` in DuckDB: the current events, what moved, the calendar."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb

from event_assets import account_list, accounted, changes, charts, metadata, tables, warehouse
from event_assets.current import current
from event_assets.failures import plainly
from event_assets.source import EVENT_DATA, EventSource

Metadata = dict[str, Any]
Build = Callable[[duckdb.DuckDBPyConnection], Metadata]

CURRENT_EVENTS = "create or replace view {schema}.current_events as{current}"
CALENDAR_TABLE = """
create table if not exists {schema}.event_calendar (day date, status varchar, events bigint)
"""
EVENT_CALENDAR = """
insert into {schema}.event_calendar
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


def build_downstream(source: EventSource, owners: Sequence[str]) -> list[dg.AssetsDefinition]:
    """Build the assets that follow `event_data`; the calendar needs a `start_time`."""
    start = source.fields.get("start_time")
    assets = [_current_events(source, owners), _event_changes(source, owners)]
    if start and start.type == "timestamp":
        assets.append(_event_calendar(source, owners))
    return assets


def _current_events(source: EventSource, owners: Sequence[str]) -> dg.AssetsDefinition:
    statement = CURRENT_EVENTS.format(schema=source.name, current=current(source)).strip()

    def build(database: duckdb.DuckDBPyConnection) -> Metadata:
        if source.accounts:
            names = account_list.listed(source, database)
            accounted.keep_listed(database, source.name, names)
        database.execute(statement)
        columns = database.sql(f"from {source.name}.current_events").columns
        same = {name: [name] for name in columns}
        return {"dagster/column_lineage": metadata.lineage(source, EVENT_DATA, same)}

    return _asset(
        source,
        owners,
        build,
        name="current_events",
        upstream=EVENT_DATA,
        kind="view",
        columns={
            **dict.fromkeys(source.own_key, "text"),
            **{name: field.type for name, field in source.fields.items()},
        },
        description="The events that the newest complete sync saw, and newer ones."
        + (" Of accounts that are listed; of each, its newest sync." if source.accounts else ""),
        statement=statement,
    )


def _event_changes(source: EventSource, owners: Sequence[str]) -> dg.AssetsDefinition:
    def build(database: duckdb.DuckDBPyConnection) -> Metadata:
        found = changes.record(
            database,
            source.name,
            list(source.fields),
            source.ignore_changes,
            accounts=bool(source.accounts),
        )
        return {
            **{kind: found.events.get(kind, 0) for kind in changes.KINDS},
            "changes": metadata.as_table(found.rows),
            **({"moves": _moves(source, found)} if found.moves else {}),
        }

    return _asset(
        source,
        owners,
        build,
        name=changes.CHANGES,
        upstream="current_events",
        kind="table",
        columns=changes.types_of(bool(source.accounts)),
        description="What moved: a row for each event that appeared, for each field of an event "
        "that changed (old and new), and for each event that was cancelled or went away. "
        "The first comparison is the start: the events that were there then are no change.",
    )


def _moves(source: EventSource, found: changes.Changes) -> dg.MetadataValue[Any]:
    return metadata.picture(source, changes.CHANGES, charts.moves(found.moves))


def _event_calendar(source: EventSource, owners: Sequence[str]) -> dg.AssetsDefinition:
    def build(database: duckdb.DuckDBPyConnection) -> Metadata:
        known = database.sql(f"from {source.name}.current_events").columns
        status = "status::varchar" if "status" in known else "null::varchar"
        # Filled anew, not made anew: what others may do with the table stays as it is.
        with tables.transaction(database):
            database.execute(CALENDAR_TABLE.format(schema=source.name))
            database.execute(f"delete from {source.name}.event_calendar")  # noqa: S608 (our names)
            database.execute(EVENT_CALENDAR.format(schema=source.name, status=status))
        days = tables.rows_of(database.sql(DAYS.format(schema=source.name)))
        weeks = tables.rows_of(database.sql(WEEKS.format(schema=source.name)))
        pictures = {"calendar": (days, charts.calendar), "coming_weeks": (weeks, charts.weeks)}
        return {
            name: metadata.picture(source, name, draw(rows))
            for name, (rows, draw) in pictures.items()
            if rows
        }

    return _asset(
        source,
        owners,
        build,
        name="event_calendar",
        upstream="current_events",
        kind="table",
        columns={"day": "date", "status": "text", "events": "bigint"},
        made_from={"day": ["start_time"], "status": ["status"], "events": ["id"]},
        description="How many current events start on each day (UTC), by status.",
        statement=EVENT_CALENDAR.format(schema=source.name, status="status::varchar").strip(),
    )


def _asset(
    source: EventSource,
    owners: Sequence[str],
    build: Build,
    *,
    name: str,
    upstream: str,
    kind: str,
    columns: Mapping[str, str],
    description: str,
    made_from: Mapping[str, Sequence[str]] | None = None,
    statement: str = "",
) -> dg.AssetsDefinition:
    """Define an asset that is built in DuckDB, when it is its turn."""
    shown = f"{description}\n\n```sql\n{statement}\n```" if statement else description
    from_columns = made_from or {column: [column] for column in columns}

    @dg.asset(
        key=metadata.asset_key(source, name),
        deps=[metadata.asset_key(source, upstream)],
        description=shown,
        group_name=source.name,
        owners=owners,
        kinds={warehouse.place().kind, kind},
        code_version=hashlib.sha256(shown.encode()).hexdigest()[:12],
        metadata={
            "dagster/table_name": warehouse.table_name(source.name, name),
            "dagster/column_schema": metadata.schema_of(source, columns.items()),
        },
    )
    def asset() -> dg.MaterializeResult[None]:
        def run() -> dg.MaterializeResult[None]:
            made = {"dagster/column_lineage": metadata.lineage(source, upstream, from_columns)}
            return dg.MaterializeResult(metadata=made | warehouse.run(built))

        def built(database: duckdb.DuckDBPyConnection) -> Metadata:
            found = build(database)
            return metadata.of_table(database, source, name) | found

        return plainly(run)

    return asset
