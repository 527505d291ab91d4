"""The assets of one source: the API, `event_data`, and what follows it."""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import dagster as dg
import duckdb
from dagster_dlt import DagsterDltTranslator, dlt_assets
from dagster_dlt.translator import DltResourceTranslatorData
from dlt import Pipeline
from pydantic import Field

from event_assets import warehouse
from event_assets.config.source import EVENT_DATA, ResourceConfig, SourceConfig
from event_assets.extract import progress
from event_assets.orchestration import observation, partitions
from event_assets.orchestration.derived_assets import build_downstream
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.orchestration.metadata import (
    asset_key,
    column_lineage,
    table_metadata,
    table_schema,
)
from event_assets.orchestration.summary import RunSummary
from event_assets.records.contract import build_contract
from event_assets.sync import dlt_resource, runner
from event_assets.sync.sync_log import COLUMNS
from event_assets.warehouse import file_permissions

# Of a sync's row, what the UI shows and plots.
UNLOGGED = ("started_at", "finished_at", "columns", "full_sync", "position", "version")
LOGGED_METADATA = [name for name in COLUMNS if name not in UNLOGGED]


def build_assets(
    source: SourceConfig,
    owners: Sequence[str] = (),
    freshness: dg.FreshnessPolicy | None = None,
) -> list[dg.AssetsDefinition]:
    """Build the assets of one source, from the API to the calendar."""
    further = [resource for resource in source.resources.values() if not resource.is_events]
    return [
        _events_api(source, owners),
        _event_data(source, owners, freshness),
        *(_extra_resource_asset(resource, owners) for resource in further),
        *build_downstream(source, owners),
    ]


def _events_api(source: SourceConfig, owners: Sequence[str]) -> dg.AssetsDefinition:
    spec = dg.AssetSpec(
        asset_key(source, "events_api"),
        description=f"The events API at {source.api}, as its operator keeps it. Observing it "
        "probes it, with five requests at the most: whether it answers as the configuration says, "
        "how fast, with how many events, and what one looks like.",
        group_name=source.name,
        owners=owners,
        kinds={"api", "json"},
    )

    def observe() -> Iterator[dg.ObserveResult]:
        yield run_with_plain_errors(lambda: observation.observe(source, spec.key))

    name = "__".join((*spec.key.path, "observed"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        observable = dg.multi_observable_source_asset(name=name, specs=[spec])
        return cast("dg.AssetsDefinition", observable(observe))


class SyncConfig(dg.Config):
    """What a run may choose of a sync."""

    full_sync: bool = Field(
        default=False,
        description="Read everything, also where the API can be asked for what is new only: what "
        "does not come is gone then.",
    )


def _event_data(
    source: SourceConfig, owners: Sequence[str], freshness: dg.FreshnessPolicy | None
) -> dg.AssetsDefinition:
    spec = dg.AssetSpec(
        asset_key(source, EVENT_DATA),
        deps=[asset_key(source, "events_api")],
        description="Every event of the API, one row each, merged by `id`. "
        "Events that left the API stay here and leave `current_events`."
        + (" Each partition is an account." if source.accounts else ""),
        group_name=source.name,
        owners=owners,
        kinds={"dlt", warehouse.get_destination().kind},
        freshness_policy=freshness,
        code_version=source.version,
        metadata={
            "dagster/table_name": warehouse.full_table_name(source.name, EVENT_DATA),
            "dagster/column_schema": table_schema(
                source,
                [
                    *((name, "text") for name in source.partition_columns),
                    *((name, field.type) for name, field in source.fields.items()),
                ],
            ),
        },
    )
    return _ingested_asset(source.events, spec)


def _extra_resource_asset(resource: ResourceConfig, owners: Sequence[str]) -> dg.AssetsDefinition:
    """Define the table of another resource of the API, such as the attendees of each event."""
    source, parent = resource.source, resource.parent
    of_each = f", of each record of `{parent}`" if parent else ""
    merged = ", ".join(f"`{column}`" for column in resource.primary_key_columns)
    how = f"merged by {merged}" if merged else "replaced with each sync"
    spec = dg.AssetSpec(
        asset_key(source, resource.name),
        deps=[asset_key(source, parent or "events_api")],
        description=f"The API's `{resource.name}`{of_each}: one row each, {how}.",
        group_name=source.name,
        owners=owners,
        kinds={"dlt", warehouse.get_destination().kind},
        code_version=source.version,
        metadata={"dagster/table_name": warehouse.full_table_name(source.name, resource.name)},
    )
    return _ingested_asset(resource, spec)


def _ingested_asset(resource: ResourceConfig, spec: dg.AssetSpec) -> dg.AssetsDefinition:
    """Define the asset that a sync of a resource makes."""

    in_partitions = partitions.partitions_def(resource.source)
    if in_partitions:
        spec = spec.replace_attributes(partitions_def=in_partitions)

    class Translator(DagsterDltTranslator):
        def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:  # noqa: ARG002 (there is one)
            return spec

    @dlt_assets(
        name="__".join(spec.key.path),
        dlt_source=dlt_resource.build_schema_source(resource),
        dlt_pipeline=cast("Pipeline", None),  # made by each sync: making one writes its folder
        dagster_dlt_translator=Translator(),
        partitions_def=in_partitions,
        pool=partitions.partitions_name(resource.source) if in_partitions else None,
    )
    def table(
        context: dg.AssetExecutionContext,
        config: SyncConfig,
        summary: RunSummary,  # noqa: ARG001 (prints by itself, when the run has ended)
    ) -> Iterator[dg.MaterializeResult[None]]:
        yield run_with_plain_errors(
            lambda: _sync(context, resource, spec.key, full=config.full_sync)
        )

    # dagster-dlt keeps its objects in the metadata, where the UI cannot show them.
    return table.map_asset_specs(lambda _: spec)


def _sync(
    context: dg.AssetExecutionContext, declared: ResourceConfig, key: dg.AssetKey, *, full: bool
) -> dg.MaterializeResult[None]:
    """Sync by dlt's steps one by one: DagsterDltResource would hold the database while it reads."""
    resource = partitions.resource_for_run(context, declared)
    source = resource.source
    metadata: dict[str, Any] = {}

    def look(database: duckdb.DuckDBPyConnection, done: runner.SyncResult) -> None:
        shown = {
            n: value for n, value in done.row.items() if n in LOGGED_METADATA and value is not None
        }
        seconds = done.sync.seconds
        metadata.update(
            shown,
            duration_seconds=round(seconds, 3),
            events_per_second=round((done.row["rows_read"] - done.sync.resumed.rows) / seconds, 1),
        )
        metadata.update(table_metadata(database, source, resource.name))
        if resource.is_events:
            metadata["dagster/column_lineage"] = _lineage(source)

    for warning in file_permissions.insecure_file_warnings():
        context.log.warning(warning)
    with _progress(context) as show:
        runner.run_sync(resource, show, look, full_refresh=full)
    return dg.MaterializeResult(asset_key=key, metadata=metadata)


def _progress(context: dg.AssetExecutionContext) -> AbstractContextManager[progress.OnProgress]:
    if os.environ.get("EVENTS_PROGRESS") == "bar":
        return progress.progress_bar()
    return nullcontext(progress.progress_logger(context.log.info))


def _lineage(source: SourceConfig) -> dg.TableColumnLineage:
    """Say which of the API's fields each column of the contract is made from."""
    return column_lineage(
        source,
        "events_api",
        {name: reader.origins for name, reader in build_contract(source.events).items()},
    )
