"""What is made from `event_data` in DuckDB: the current events, what moved, the calendar."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb

from event_assets import warehouse
from event_assets.config.source import DEFAULT_SOURCE, EVENT_DATA, SourceConfig
from event_assets.orchestration import charts, metadata
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.orchestration.metadata import DESCRIPTIONS
from event_assets.sync import account_list, account_registry
from event_assets.sync.current_events import current_events_query
from event_assets.transform import changes
from event_assets.transform.all_events import (
    ALL_EVENTS,
    CURRENT_EVENTS,
    Columns,
    common_columns,
    create_view,
)
from event_assets.warehouse import inspection, sql

Metadata = dict[str, Any]
Build = Callable[[duckdb.DuckDBPyConnection], Metadata]
CREATE_CURRENT_EVENTS = "create or replace view {schema}.current_events as{current}"
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


def build_downstream(source: SourceConfig, owners: Sequence[str]) -> list[dg.AssetsDefinition]:
    """Build the assets that follow `event_data`; the calendar needs a `start_time`."""
    start = source.fields.get("start_time")
    assets = [_current_events(source, owners), _event_changes(source, owners)]
    if start and start.type == "timestamp":
        assets.append(_event_calendar(source, owners))
    return assets


def _current_events(source: SourceConfig, owners: Sequence[str]) -> dg.AssetsDefinition:
    statement = CREATE_CURRENT_EVENTS.format(
        schema=source.name, current=current_events_query(source)
    ).strip()

    def build(database: duckdb.DuckDBPyConnection) -> Metadata:
        if source.accounts:
            names = account_list.list_accounts(source, database)
            account_registry.update_listed(database, source.name, names)
        database.execute(statement)
        columns = database.sql(f"from {source.name}.current_events").columns
        same = {name: [name] for name in columns}
        return {"dagster/column_lineage": metadata.column_lineage(source, EVENT_DATA, same)}

    return _asset(
        source,
        owners,
        build,
        name="current_events",
        upstream=EVENT_DATA,
        kind="view",
        columns={
            **dict.fromkeys(source.partition_columns, "text"),
            **{name: field.type for name, field in source.fields.items()},
        },
        description="The events that the newest complete sync saw, and newer ones."
        + (" Of accounts that are listed; of each, its newest sync." if source.accounts else ""),
        statement=statement,
    )


def _event_changes(source: SourceConfig, owners: Sequence[str]) -> dg.AssetsDefinition:
    def build(database: duckdb.DuckDBPyConnection) -> Metadata:
        found = changes.record_changes(
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
        columns=changes.column_types(bool(source.accounts)),
        description="What moved: a row for each event that appeared, for each field of an event "
        "that changed (old and new), and for each event that was cancelled or went away. "
        "The first comparison is the start: the events that were there then are no change.",
    )


def _moves(source: SourceConfig, found: changes.Changes) -> dg.MetadataValue[Any]:
    return metadata.chart_metadata(source, changes.CHANGES, charts.moves(found.moves))


def _event_calendar(source: SourceConfig, owners: Sequence[str]) -> dg.AssetsDefinition:
    def build(database: duckdb.DuckDBPyConnection) -> Metadata:
        known = database.sql(f"from {source.name}.current_events").columns
        status = "status::varchar" if "status" in known else "null::varchar"
        # Filled anew, not made anew: what others may do with the table stays as it is.
        with sql.transaction(database):
            database.execute(CALENDAR_TABLE.format(schema=source.name))
            database.execute(f"delete from {source.name}.event_calendar")  # noqa: S608 (our names)
            database.execute(EVENT_CALENDAR.format(schema=source.name, status=status))
        days = inspection.fetch_rows(database.sql(DAYS.format(schema=source.name)))
        weeks = inspection.fetch_rows(database.sql(WEEKS.format(schema=source.name)))
        pictures = {"calendar": (days, charts.calendar), "coming_weeks": (weeks, charts.weeks)}
        return {
            name: metadata.chart_metadata(source, name, draw(rows))
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
    source: SourceConfig,
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
        kinds={warehouse.get_destination().kind, kind},
        code_version=hashlib.sha256(shown.encode()).hexdigest()[:12],
        metadata={
            "dagster/table_name": warehouse.full_table_name(source.name, name),
            "dagster/column_schema": metadata.table_schema(source, columns.items()),
        },
    )
    def asset() -> dg.MaterializeResult[None]:
        def run() -> dg.MaterializeResult[None]:
            made = {
                "dagster/column_lineage": metadata.column_lineage(source, upstream, from_columns)
            }
            return dg.MaterializeResult(metadata=made | warehouse.run(built))

        def built(database: duckdb.DuckDBPyConnection) -> Metadata:
            found = build(database)
            return metadata.table_metadata(database, source, name) | found

        return run_with_plain_errors(run)

    return asset


def build_all_events(specs: Iterable[dg.AssetSpec]) -> list[dg.AssetsDefinition]:
    """Build the view over the current events of all sources; none when there is only one."""
    keys = {}
    contracts: dict[str, Columns] = {}
    for spec in specs:
        *source, table = spec.key.path
        if table == CURRENT_EVENTS:
            name = source[0] if source else DEFAULT_SOURCE
            keys[name] = spec.key
            schema: dg.TableSchema = spec.metadata["dagster/column_schema"]
            contracts[name] = {column.name: column.type for column in schema.columns}
    return [_all_events(keys, contracts)] if len(keys) > 1 else []


def _all_events(
    keys: Mapping[str, dg.AssetKey], contracts: Mapping[str, Columns]
) -> dg.AssetsDefinition:
    columns = common_columns(contracts.values())
    described = [dg.TableColumn(name, kind, DESCRIPTIONS.get(name)) for name, kind in columns]

    @dg.asset(
        key=ALL_EVENTS,
        deps=list(keys.values()),
        description="The current events of every source: which `source`, and the contracts' "
        f"fields. Of: {', '.join(sorted(keys))}.",
        group_name=ALL_EVENTS,
        kinds={warehouse.get_destination().kind, "view"},
        metadata={
            "dagster/table_name": warehouse.full_table_name("main", ALL_EVENTS),
            "dagster/column_schema": dg.TableSchema(described),
        },
    )
    def all_events() -> dg.MaterializeResult[None]:
        return run_with_plain_errors(
            lambda: dg.MaterializeResult(metadata=create_view(contracts, columns))
        )

    return all_events
