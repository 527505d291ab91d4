"""The assets of a source: its API, the synced tables, and what is derived from them."""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import dagster as dg
from dagster_dlt import DagsterDltTranslator, dlt_assets
from dagster_dlt.translator import DltResourceTranslatorData
from dlt import Pipeline
from pydantic import Field

from event_assets import warehouse
from event_assets.config.source import EVENT_DATA, ResourceConfig, SourceConfig
from event_assets.extract import progress
from event_assets.orchestration import observation, partitions
from event_assets.orchestration.derived_assets import build_derived_assets
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.orchestration.metadata import (
    asset_key,
    column_lineage,
    table_metadata,
    table_schema,
)
from event_assets.orchestration.summary import SUMMARY, RunSummary
from event_assets.records.contract import build_contract
from event_assets.sync import dlt_resource, runner
from event_assets.sync.sync_log import COLUMNS
from event_assets.warehouse import Database, file_permissions

# Columns of a row of the sync log that the UI does not plot.
UNLOGGED = ("started_at", "finished_at", "columns", "full_sync", "position", "version")
LOGGED_METADATA = [name for name in COLUMNS if name not in UNLOGGED]


def build_assets(
    source: SourceConfig, owners: Sequence[str] = (), freshness: dg.FreshnessPolicy | None = None
) -> list[dg.AssetsDefinition]:
    """Build the assets of a source, from the API to the calendar."""
    extra = [resource for resource in source.resources.values() if not resource.is_events]
    return [
        _events_api(source, owners),
        _event_data(source, owners, freshness),
        *(_extra_resource_asset(resource, owners) for resource in extra),
        *build_derived_assets(source, owners),
    ]


def _events_api(source: SourceConfig, owners: Sequence[str]) -> dg.AssetsDefinition:
    spec = dg.AssetSpec(
        asset_key(source, "events_api"),
        description=f"The API at {source.origin}. Observe it to probe it with a few requests.",
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
    """The run configuration of a sync."""

    full_sync: bool = Field(
        default=False,
        description="Read everything, also from an API that can list only what is new. Events "
        "that do not come are gone then.",
    )


def _event_data(
    source: SourceConfig, owners: Sequence[str], freshness: dg.FreshnessPolicy | None
) -> dg.AssetsDefinition:
    spec = dg.AssetSpec(
        asset_key(source, EVENT_DATA),
        deps=[asset_key(source, "events_api")],
        description="Every event that the API ever listed, one row each, merged by `id`."
        + (" Each partition is an account." if source.accounts else ""),
        group_name=source.name,
        owners=owners,
        kinds={"dlt", warehouse.get_destination().kind},
        freshness_policy=freshness,
        code_version=source.config_hash,
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
    """Define the table of an additional resource, such as the attendees of each event."""
    source, parent = resource.source, resource.parent
    per_parent = f" of each record of `{parent}`" if parent else ""
    merged = ", ".join(f"`{column}`" for column in resource.primary_key_columns)
    write = f"merged by {merged}" if merged else "replaced by each sync"
    spec = dg.AssetSpec(
        asset_key(source, resource.name),
        deps=[asset_key(source, parent or "events_api")],
        description=f"The API's `{resource.name}`{per_parent}: one row each, {write}.",
        group_name=source.name,
        owners=owners,
        kinds={"dlt", warehouse.get_destination().kind},
        code_version=source.config_hash,
        metadata={"dagster/table_name": warehouse.full_table_name(source.name, resource.name)},
    )
    return _ingested_asset(resource, spec)


def _ingested_asset(resource: ResourceConfig, spec: dg.AssetSpec) -> dg.AssetsDefinition:
    """Define the asset that a sync of a resource materializes."""
    accounts = partitions.partitions_def(resource.source)
    if accounts:
        spec = spec.replace_attributes(partitions_def=accounts)

    class Translator(DagsterDltTranslator):
        def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:  # noqa: ARG002
            return spec

    @dlt_assets(
        name="__".join(spec.key.path),
        dlt_source=dlt_resource.build_schema_source(resource),
        dlt_pipeline=cast("Pipeline", None),  # built by each sync: building one writes its folder
        dagster_dlt_translator=Translator(),
        partitions_def=accounts,
        pool=partitions.partitions_name(resource.source) if accounts else None,
    )
    def table(
        context: dg.AssetExecutionContext,
        config: SyncConfig,
        summary: RunSummary,  # noqa: ARG001 (prints when the run ends)
    ) -> Iterator[dg.MaterializeResult[None]]:
        yield run_with_plain_errors(
            lambda: _sync(context, resource, spec.key, full=config.full_sync)
        )

    # dagster-dlt puts its objects into the metadata, where the UI cannot show them.
    shown = {
        "dagster_dlt/source": resource.source.name,
        "dagster_dlt/pipeline": resource.pipeline_name,
        "dagster_dlt/translator": DagsterDltTranslator.__name__,
    }
    asset = table.map_asset_specs(lambda _: spec.merge_attributes(metadata=shown))
    (with_summary,) = dg.with_resources([asset], {"summary": SUMMARY})
    return with_summary


def _sync(
    context: dg.AssetExecutionContext, declared: ResourceConfig, key: dg.AssetKey, *, full: bool
) -> dg.MaterializeResult[None]:
    """Run dlt's steps one by one; `DagsterDltResource` would lock the database while it reads."""
    resource = partitions.resource_for_run(context, declared)
    source = resource.source
    metadata: dict[str, Any] = {}

    def on_loaded(database: Database, result: runner.SyncResult) -> None:
        row, seconds = result.row, result.sync.seconds
        metadata.update(
            {name: row[name] for name in LOGGED_METADATA if row.get(name) is not None},
            duration_seconds=round(seconds, 3),
            events_per_second=round((row["rows_read"] - result.sync.resumed.rows) / seconds, 1),
        )
        metadata.update(table_metadata(database, source, resource.name))
        if resource.is_events:
            metadata["dagster/column_lineage"] = _contract_lineage(source)

    for warning in file_permissions.insecure_file_warnings():
        context.log.warning(warning)
    with _open_progress(context) as on_progress:
        runner.run_sync(resource, on_progress, on_loaded, full_refresh=full)
    return dg.MaterializeResult(asset_key=key, metadata=metadata)


def _open_progress(
    context: dg.AssetExecutionContext,
) -> AbstractContextManager[progress.OnProgress]:
    if os.environ.get("EVENTS_PROGRESS") == "bar":
        return progress.progress_bar()
    return nullcontext(progress.progress_logger(context.log.info))


def _contract_lineage(source: SourceConfig) -> dg.TableColumnLineage:
    """Return which fields of the API each column of the contract comes from."""
    return column_lineage(
        source,
        "events_api",
        {name: reader.source_paths for name, reader in build_contract(source.events).items()},
    )
