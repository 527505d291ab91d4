"""The assets of one source: the API, `event_data`, and what is made from it in DuckDB."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import cast

import dagster as dg
import duckdb
from dagster_dlt import DagsterDltResource, DagsterDltTranslator, dlt_assets
from dagster_dlt.translator import DltResourceTranslatorData
from dlt import Pipeline
from dlt.pipeline.exceptions import PipelineStepFailed

from event_assets import changes, progress, warehouse
from event_assets.failures import plainly
from event_assets.metadata import as_table
from event_assets.rejects import NOT_LOADED, Found
from event_assets.source import EVENT_DATA, SANDBOX, ConfigError, EventSource
from event_assets.syncs import COLUMNS, SYNCS, Sync

DEFAULT_SOURCE = "events"

# An event that came, but with a record that breaks the contract, stays as it was.
CURRENT_EVENTS = """
create or replace view {schema}.current_events as
with complete as (
    select coalesce(max(load_id), '') as load_id
    from {schema}.event_data_syncs where complete
)
from {schema}.event_data
where _dlt_load_id >= (select load_id from complete)
    or id in (
        select id from {schema}.event_data_rejects
        where load_id >= (select load_id from complete)
    )
"""

EVENT_CALENDAR = """
create or replace table {schema}.event_calendar as
select cast(start_time at time zone 'UTC' as date) as day, count(*) as events
from {schema}.current_events
where start_time is not null
group by day order by day
"""


def asset_key(source: EventSource, name: str) -> dg.AssetKey:
    """Key of a source's asset: the default source's plainly, any other's with its name first."""
    return dg.AssetKey([name] if source.name == DEFAULT_SOURCE else [source.name, name])


def build_assets(
    source: EventSource,
    owners: Sequence[str] = (),
    freshness: dg.FreshnessPolicy | None = None,
) -> list[dg.AssetSpec | dg.AssetsDefinition]:
    """Build the assets of one source, from the API to the calendar.

    The calendar needs a `start_time` in the contract.
    """
    start = source.fields.get("start_time")
    assets: list[dg.AssetSpec | dg.AssetsDefinition] = [
        dg.AssetSpec(
            asset_key(source, "events_api"),
            description=f"The events API at {source.api}, as its operator keeps it.",
            group_name=source.name,
            owners=owners,
            kinds={"api", "json"},
        ),
        _event_data(source, owners, freshness),
        _sql_asset(
            source,
            owners,
            name="current_events",
            upstream=EVENT_DATA,
            kind="view",
            description="The events that the newest complete sync saw, and newer ones.",
            sql=CURRENT_EVENTS,
        ),
        _event_changes(source, owners),
    ]
    if start and start.type == "timestamp":
        calendar = _sql_asset(
            source,
            owners,
            name="event_calendar",
            upstream="current_events",
            kind="table",
            description="How many current events start on each day (UTC).",
            sql=EVENT_CALENDAR,
        )
        assets.append(calendar)
    return assets


def _event_data(
    source: EventSource, owners: Sequence[str], freshness: dg.FreshnessPolicy | None
) -> dg.AssetsDefinition:
    spec = dg.AssetSpec(
        asset_key(source, EVENT_DATA),
        deps=[asset_key(source, "events_api")],
        description="Every event of the API, one row each, merged by `id`. "
        "Events that left the API stay here and leave `current_events`.",
        group_name=source.name,
        owners=owners,
        kinds={"dlt", "duckdb"},
        freshness_policy=freshness,
        code_version=_code_version(source),
        metadata={
            "dagster/table_name": warehouse.table_name(source.name, EVENT_DATA),
            "dagster/column_schema": dg.TableSchema(
                [
                    dg.TableColumn(
                        name, field.type, constraints=dg.TableColumnConstraints(field.nullable)
                    )
                    for name, field in source.fields.items()
                ]
            ),
        },
    )

    class Translator(DagsterDltTranslator):
        def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:  # noqa: ARG002
            return spec

    @dlt_assets(
        name="__".join(spec.key.path),
        dlt_source=source.declared(),
        dlt_pipeline=cast("Pipeline", None),  # made by each sync: making one writes its folder
        dagster_dlt_translator=Translator(),
    )
    def event_data(
        context: dg.AssetExecutionContext, dlt: DagsterDltResource
    ) -> Iterator[dg.MaterializeResult[None]]:
        yield plainly(lambda: _sync(context, dlt, source, spec.key))

    # dagster-dlt keeps its objects in the metadata, where the UI cannot show them.
    return event_data.map_asset_specs(lambda _: spec)


def _sync(
    context: dg.AssetExecutionContext,
    dlt: DagsterDltResource,
    source: EventSource,
    key: dg.AssetKey,
) -> dg.MaterializeResult[None]:
    with (
        _progress(context) as show,
        warehouse.pipeline(source.name) as (pipeline, database),
    ):
        _refuse_to_mix(database, source)
        found = Found(database)
        sync = Sync(
            show,
            types=warehouse.types(database, source.name),
            reject=found.add,
            retype=partial(warehouse.retype, database, source.name),
            make_room=partial(warehouse.make_room, database),
        )
        with source.connected(sync) as api:
            try:
                list(
                    dlt.run(
                        context=context,
                        dlt_source=api,
                        dlt_pipeline=pipeline,
                        loader_file_format="parquet",
                    )
                )
            except PipelineStepFailed:
                found.keep(source.name, NOT_LOADED, sync.started_at, complete=False)
                raise
        _doubt_nothing(database, source, sync)
        load_id = warehouse.last_load_id(database, source.name)
        row = sync.row(load_id, source.api)
        found.keep(source.name, load_id, sync.started_at, complete=row["complete"] is True)
        warehouse.append(database, source.name, SYNCS, COLUMNS, row)
        table = _table_metadata(database, source, EVENT_DATA)
    return dg.MaterializeResult(
        asset_key=key,
        metadata={
            **{name: value for name, value in row.items() if isinstance(value, (int, str))},
            "duration_seconds": round(sync.seconds, 3),
            "events_per_second": round(row["rows_read"] / sync.seconds, 1),
            **table,
            "dagster/column_lineage": _lineage(source),
        },
    )


def _doubt_nothing(database: duckdb.DuckDBPyConnection, source: EventSource, sync: Sync) -> None:
    """An API that has no events any more is more likely one that does not show them."""
    before = database.table(f"{source.name}.{EVENT_DATA}").aggregate("count(*)").fetchone()
    if sync.outcome.complete and not sync.outcome.rows and before != (0,):
        reason = "The API answered with no events, where it had some before: these stay current."
        sync.outcome = replace(sync.outcome, complete=None, reason=reason)


def _refuse_to_mix(database: duckdb.DuckDBPyConnection, source: EventSource) -> None:
    """Keep the sandbox's invented events and real ones apart."""
    before = warehouse.last_value(database, source.name, SYNCS, "api")
    if before and before != source.api and SANDBOX in (before, source.api):
        raise ConfigError(
            f"The database {warehouse.path()} holds the events of {before}, not of {source.api}: "
            "move the file away, or name another one in EVENTS_DUCKDB, and sync again."
        )


def _progress(context: dg.AssetExecutionContext) -> AbstractContextManager[progress.Show]:
    if os.environ.get("EVENTS_PROGRESS") == "bar":
        return progress.bar()
    return nullcontext(progress.logged(context.log.info))


def _sql_asset(
    source: EventSource,
    owners: Sequence[str],
    name: str,
    upstream: str,
    kind: str,
    description: str,
    sql: str,
) -> dg.AssetsDefinition:
    statement = sql.format(schema=source.name).strip()

    @dg.asset(
        key=asset_key(source, name),
        deps=[asset_key(source, upstream)],
        description=f"{description}\n\n```sql\n{statement}\n```",
        group_name=source.name,
        owners=owners,
        kinds={"duckdb", kind},
        code_version=hashlib.sha256(statement.encode()).hexdigest()[:12],
        metadata={"dagster/table_name": warehouse.table_name(source.name, name)},
    )
    def build() -> dg.MaterializeResult[None]:
        def run() -> dg.MaterializeResult[None]:
            with warehouse.connect() as database:
                database.execute(statement)
                return dg.MaterializeResult(metadata=_table_metadata(database, source, name))

        return plainly(run)

    return build


def _event_changes(source: EventSource, owners: Sequence[str]) -> dg.AssetsDefinition:
    @dg.asset(
        key=asset_key(source, changes.CHANGES),
        deps=[asset_key(source, "current_events")],
        description="What moved: a row for each event that appeared, for each field of an event "
        "that changed (old and new), and for each event that was cancelled or went away. "
        "The first comparison is the start: the events that were there then are no change.",
        group_name=source.name,
        owners=owners,
        kinds={"duckdb", "table"},
        code_version="1",
        metadata={"dagster/table_name": warehouse.table_name(source.name, changes.CHANGES)},
    )
    def build() -> dg.MaterializeResult[None]:
        def run() -> dg.MaterializeResult[None]:
            with warehouse.connect() as database:
                found = changes.record(
                    database, source.name, list(source.fields), source.ignore_changes
                )
                return dg.MaterializeResult(
                    metadata={
                        **_table_metadata(database, source, changes.CHANGES),
                        **{kind: found.events.get(kind, 0) for kind in changes.KINDS},
                        "changes": as_table(found.rows),
                    }
                )

        return plainly(run)

    return build


def _table_metadata(
    database: duckdb.DuckDBPyConnection, source: EventSource, table: str
) -> dict[str, dg.MetadataValue | int]:
    """Say what the table is like now, read from DuckDB by a connection of our own."""
    relation = database.sql(f"from {source.name}.{table}")
    names = relation.columns
    types = [str(kind) for kind in relation.types]
    range_of = "min(start_time), max(start_time)" if "start_time" in names else "null, null"
    first_and_last = relation.aggregate(f"count(*), {range_of}").fetchone()
    rows, first, last = cast("tuple[int, object, object]", first_and_last)
    times = {"first_start_time": first, "last_start_time": last}
    return {
        "dagster/row_count": rows,
        "dagster/table_name": dg.MetadataValue.text(warehouse.table_name(source.name, table)),
        "dagster/column_schema": dg.MetadataValue.table_schema(
            dg.TableSchema(
                [
                    dg.TableColumn(column, kind.lower(), constraints=_constraints(source, column))
                    for column, kind in zip(names, types, strict=True)
                ]
            )
        ),
        **{
            name: dg.MetadataValue.timestamp(value.timestamp())
            for name, value in times.items()
            if isinstance(value, datetime)
        },
        "database": dg.MetadataValue.path(warehouse.path()),
    }


def _constraints(source: EventSource, column: str) -> dg.TableColumnConstraints:
    field = source.fields.get(column)
    return dg.TableColumnConstraints(nullable=field is None or field.nullable)


def _lineage(source: EventSource) -> dg.TableColumnLineage:
    api = asset_key(source, "events_api")
    return dg.TableColumnLineage(
        {name: [dg.TableColumnDep(asset_key=api, column_name=name)] for name in source.fields}
    )


def _code_version(source: EventSource) -> str:
    """Change with what decides the table's content: the API's configuration and the fields."""
    contract = {
        "rest_api": source.rest_api,
        "fields": {name: field.model_dump() for name, field in source.fields.items()},
    }
    return hashlib.sha256(json.dumps(contract, sort_keys=True).encode()).hexdigest()[:12]
