"""The assets of one source: the API, `event_data`, and what follows it."""

import hashlib
import json
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import cast

import dagster as dg
import duckdb
from dagster_dlt import DagsterDltResource, DagsterDltTranslator, dlt_assets
from dagster_dlt.translator import DltResourceTranslatorData
from dlt import Pipeline
from dlt.pipeline.exceptions import PipelineStepFailed

from event_assets import charts, probe, progress, tables, warehouse
from event_assets.auth import ConfigError
from event_assets.changes import CHANGES
from event_assets.downstream import build_downstream
from event_assets.failures import plainly
from event_assets.metadata import (
    as_table,
    asset_key,
    lineage,
    of_table,
    picture,
    schema_of,
)
from event_assets.rejects import NOT_LOADED, Found
from event_assets.source import EVENT_DATA, SANDBOX, EventSource
from event_assets.summary import RunSummary
from event_assets.syncs import COLUMNS, SYNCS, Sync

NEWEST_SYNCS = """
select started_at, rows_read, requests, rejects,
    date_diff('millisecond', started_at, finished_at) / 1000 as seconds
from {schema}.event_data_syncs order by started_at desc limit 100
"""
# Of a sync's row, what the UI shows and plots.
SHOWN = [name for name in COLUMNS if name not in ("started_at", "finished_at", "columns")]


def build_assets(
    source: EventSource,
    owners: Sequence[str] = (),
    freshness: dg.FreshnessPolicy | None = None,
) -> list[dg.AssetsDefinition]:
    """Build the assets of one source, from the API to the calendar."""
    return [
        _events_api(source, owners),
        _event_data(source, owners, freshness),
        *build_downstream(source, owners),
    ]


def _events_api(source: EventSource, owners: Sequence[str]) -> dg.AssetsDefinition:
    spec = dg.AssetSpec(
        asset_key(source, "events_api"),
        description=f"The events API at {source.api}, as its operator keeps it. Observing it asks "
        "for one page: how long the answer takes, how many events there are, what one looks like.",
        group_name=source.name,
        owners=owners,
        kinds={"api", "json"},
    )

    def observe() -> Iterator[dg.ObserveResult]:
        yield plainly(lambda: _observed(source, spec.key))

    name = "__".join((*spec.key.path, "observed"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        observable = dg.multi_observable_source_asset(name=name, specs=[spec])
        return cast("dg.AssetsDefinition", observable(observe))


def _observed(source: EventSource, key: dg.AssetKey) -> dg.ObserveResult:
    look = probe.look(source)
    return dg.ObserveResult(
        asset_key=key,
        metadata={
            "answer_seconds": round(look.seconds, 3),
            **({} if look.total is None else {"total_reported": look.total}),
            "records_on_first_page": look.records,
            "bytes": look.bytes,
            "first_record": as_table(look.shape),
        },
    )


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
            "dagster/column_schema": schema_of(
                source, [(name, field.type) for name, field in source.fields.items()]
            ),
        },
    )

    class Translator(DagsterDltTranslator):
        def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:  # noqa: ARG002 (there is one)
            return spec

    @dlt_assets(
        name="__".join(spec.key.path),
        dlt_source=source.declared(),
        dlt_pipeline=cast("Pipeline", None),  # made by each sync: making one writes its folder
        dagster_dlt_translator=Translator(),
    )
    def event_data(
        context: dg.AssetExecutionContext,
        dlt: DagsterDltResource,
        summary: RunSummary,  # noqa: ARG001 (prints by itself, when the run has ended)
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
        tables.note_api(database, source.name, source.api)
        found = Found(database)
        sync = Sync(
            show,
            types=tables.types(database, source.name),
            reject=found.add,
            may_widen=partial(tables.may_widen, database, source.name),
            prepare=lambda shaped: tables.prepare(
                database, source.name, shaped.widened, shaped.retyped, shaped.width
            ),
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
        _doubt_an_empty_answer(database, source, sync)
        load_id = tables.last_load_id(database, source.name)
        row = sync.row(load_id, source.api)
        found.keep(source.name, load_id, sync.started_at, complete=row["complete"] is True)
        tables.append(database, source.name, SYNCS, COLUMNS, row)
        table = of_table(database, source, EVENT_DATA)
        if _with_pictures(context, source):
            syncs = tables.rows_of(database.sql(NEWEST_SYNCS.format(schema=source.name)))
            table["history"] = picture(source, "syncs", charts.history(syncs))
    return dg.MaterializeResult(
        asset_key=key,
        metadata={
            **{name: value for name, value in row.items() if name in SHOWN and value is not None},
            "duration_seconds": round(sync.seconds, 3),
            "events_per_second": round(row["rows_read"] / sync.seconds, 1),
            **table,
            "dagster/column_lineage": _lineage(source),
        },
    )


def _with_pictures(context: dg.AssetExecutionContext, source: EventSource) -> bool:
    """Only in a run that draws others too: the first picture takes half a second."""
    others = "__".join(asset_key(source, CHANGES).path)
    return others in context.job_def.graph.node_names()


def _doubt_an_empty_answer(
    database: duckdb.DuckDBPyConnection, source: EventSource, sync: Sync
) -> None:
    """An API that has no events any more is more likely one that does not show them."""
    before = database.table(f"{source.name}.{EVENT_DATA}").aggregate("count(*)").fetchone()
    if sync.outcome.complete and not sync.kept and before != (0,):
        reason = "The API answered with no events, where it had some before: these stay current."
        sync.outcome = replace(sync.outcome, complete=None, reason=reason)


def _refuse_to_mix(database: duckdb.DuckDBPyConnection, source: EventSource) -> None:
    """Keep the sandbox's invented events and real ones apart."""
    if not tables.has_table(database, source.name, EVENT_DATA):
        return
    before = tables.noted_api(database, source.name) or tables.last_value(
        database, source.name, SYNCS, "api"
    )
    if before and before != source.api and SANDBOX in (before, source.api):
        raise ConfigError(
            f"The database {warehouse.path()} holds the events of {before}, not of {source.api}: "
            "move the file away, or name another one in EVENTS_DUCKDB, and sync again."
        )


def _progress(context: dg.AssetExecutionContext) -> AbstractContextManager[progress.Show]:
    if os.environ.get("EVENTS_PROGRESS") == "bar":
        return progress.bar()
    return nullcontext(progress.logged(context.log.info))


def _lineage(source: EventSource) -> dg.TableColumnLineage:
    """Say which of the API's fields each column of the contract is made from."""
    return lineage(
        source,
        "events_api",
        {name: reader.origins for name, reader in source.contract().items()},
    )


def _code_version(source: EventSource) -> str:
    """Change with what decides the table's content: the API's configuration and the fields."""
    contract = {
        "rest_api": source.rest_api,
        "exclude": list(source.exclude),
        "only": list(source.only),
        "fields": {name: field.model_dump() for name, field in source.fields.items()},
    }
    return hashlib.sha256(json.dumps(contract, sort_keys=True).encode()).hexdigest()[:12]
