"""The assets of a source: its API, the synced tables, and what is derived from them."""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from typing import Any, cast

import dagster as dg
from dagster_dlt import DagsterDltTranslator, dlt_assets
from dagster_dlt.translator import DltResourceTranslatorData
from dlt import Pipeline
from pydantic import Field

from event_assets import warehouse
from event_assets.config.freshness import FreshnessConfig
from event_assets.config.source import INVENTED, SANDBOX, ResourceConfig, SourceConfig
from event_assets.extract import progress
from event_assets.orchestration import metadata, partitions, process
from event_assets.orchestration.derived_assets import build_derived_assets
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.orchestration.jobs import NAMED
from event_assets.orchestration.metadata import asset_key
from event_assets.orchestration.summary import SUMMARY, RunSummary
from event_assets.probe.report import Report
from event_assets.records.contract import build_contract
from event_assets.sync import runner
from event_assets.sync.extract import build_schema_source
from event_assets.sync.guards import ensure_same_origin
from event_assets.sync.result import SyncResult
from event_assets.sync.sync_log import SHOWN
from event_assets.values.errors import ApiError
from event_assets.warehouse import Database, file_permissions

NOT_SYNCED = (
    "{source.name} is not synced: it has no address, and the events of "
    f"{SANDBOX} are invented, those of other sources are not; set "
    "{source.address_hint}, or run `event-assets remove {source.name}`."
)


def build_assets(
    source: SourceConfig, owners: Sequence[str], freshness: FreshnessConfig | None
) -> list[dg.AssetsDefinition]:
    """Build the assets of a source, from the API to the calendar."""
    return [
        _events_api(source, owners),
        *(_synced_table(each, owners, freshness) for each in source.resources.values()),
        *build_derived_assets(source, owners),
    ]


def _events_api(source: SourceConfig, owners: Sequence[str]) -> dg.AssetsDefinition:
    api = f"The API at {source.origin}" if source.base_url else INVENTED.capitalize()
    spec = dg.AssetSpec(
        asset_key(source, "events_api"),
        description=f"{api}. Observe it to probe it with a few requests.",
        group_name=source.name,
        owners=owners,
        kinds={"api", "json"},
    )

    def observe() -> Iterator[dg.ObserveResult]:
        report = run_with_plain_errors(lambda: _probe(source))
        findings = [
            {"mark": finding.mark, "what": name, "found": finding.message}
            for name, finding in report.findings.items()
        ]
        yield dg.ObserveResult(
            asset_key=spec.key,
            metadata={
                **report.metrics,
                "verdict": report.summary,
                "findings": metadata.as_table(findings),
                "first_record": metadata.as_table(report.first_record),
            },
        )

    name = "__".join((*spec.key.path, "observed"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        observable = dg.multi_observable_source_asset(name=name, specs=[spec])
        return cast("dg.AssetsDefinition", observable(observe))


def _probe(source: SourceConfig) -> Report:
    from event_assets.probe.runner import probe  # which no sync needs

    report = probe(source)
    if report.error:
        raise ApiError(report.error)
    return report


class SyncConfig(dg.Config):
    """The run configuration of a sync."""

    full_sync: bool = Field(
        default=False,
        description="Read the whole list, instead of only what has changed. Events that are "
        "missing from it are gone then.",
    )
    accept_new_origin: bool = Field(
        default=False,
        description="Sync another API than the one that the table is of, or other ids. Events that "
        "are missing from it are gone then.",
    )


def _synced_table(
    resource: ResourceConfig, owners: Sequence[str], freshness: FreshnessConfig | None
) -> dg.AssetsDefinition:
    """Define the table that a sync of a resource fills."""
    source = resource.source
    accounts = partitions.partitions_def(source)
    per_parent = f" of each record of `{resource.parent}`" if resource.parent else ""
    spec = dg.AssetSpec(
        asset_key(source, resource.name),
        deps=[asset_key(source, resource.parent or "events_api")],
        description=("" if source.base_url else f"From {INVENTED}. ")
        + f"Every event that the API ever listed{per_parent}, one row each, merged by `id`."
        + (" Each partition is an account." if accounts else ""),
        group_name=source.name,
        owners=owners,
        kinds={"dlt", warehouse.get_destination().kind},
        code_version=source.config_hash,
        metadata={"dagster/table_name": warehouse.full_table_name(source.name, resource.name)},
        partitions_def=accounts,
        skippable=not source.is_synced,
    )
    if resource.is_events:
        schema = metadata.table_schema(source, metadata.contract_columns(source).items())
        spec = spec.merge_attributes(metadata={"dagster/column_schema": schema})
        if freshness:
            policy = dg.FreshnessPolicy.time_window(
                fail_window=timedelta(minutes=freshness.fail_after_minutes),
                warn_window=timedelta(minutes=freshness.warn_after_minutes),
            )
            spec = spec.replace_attributes(freshness_policy=policy)
    else:
        merged = ", ".join(f"`{column}`" for column in resource.primary_key_columns)
        write = f"merged by {merged}" if merged else "replaced by each sync"
        description = f"The API's `{resource.name}`{per_parent}: one row each, {write}."
        spec = spec.replace_attributes(description=description)

    class Translator(DagsterDltTranslator):
        def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:  # noqa: ARG002 (one asset)
            return spec

    @dlt_assets(
        name="__".join(spec.key.path),
        dlt_source=build_schema_source(resource),
        dlt_pipeline=cast("Pipeline", None),  # built by each sync: building one writes its folder
        dagster_dlt_translator=Translator(),
        partitions_def=accounts,
        pool=partitions.partitions_name(source) if accounts else None,
    )
    def table(
        context: dg.AssetExecutionContext,
        config: SyncConfig,
        summary: RunSummary,  # noqa: ARG001 (prints when the run ends)
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetObservation]:
        if not source.is_synced and NAMED not in context.run.tags:
            run_with_plain_errors(lambda: warehouse.run(partial(ensure_same_origin, source=source)))
            if resource.is_events:
                yield dg.AssetObservation(spec.key, description=NOT_SYNCED.format(source=source))
            return
        result = run_with_plain_errors(lambda: _sync(context, resource, config))
        yield dg.MaterializeResult(asset_key=spec.key, metadata=result)

    # dagster-dlt puts its objects into the metadata, where the UI cannot show them.
    shown = {
        "dagster_dlt/source": source.name,
        "dagster_dlt/pipeline": resource.pipeline_name,
        "dagster_dlt/translator": DagsterDltTranslator.__name__,
    }
    asset = table.map_asset_specs(lambda _: spec.merge_attributes(metadata=shown))
    (with_summary,) = dg.with_resources([asset], {"summary": SUMMARY})
    return with_summary


def _sync(
    context: dg.AssetExecutionContext, declared: ResourceConfig, config: SyncConfig
) -> dict[str, Any]:
    """Run dlt's steps one by one; `DagsterDltResource` would lock the database while it reads."""
    resource = partitions.resource_for_run(context, declared)
    source = resource.source
    logged: dict[str, Any] = {}

    def on_loaded(database: Database, result: SyncResult) -> None:
        row, seconds = result.row, result.seconds
        names = (*SHOWN, "complete", "reason")
        logged.update(
            {name: row[name] for name in names if row.get(name) is not None},
            duration_seconds=round(seconds, 3),
            events_per_second=round(row["rows_read"] / seconds, 1),
        )
        logged.update(metadata.table_metadata(database, source, resource.name))
        if resource.is_events:
            contract = build_contract(source.events)
            origins = {name: reader.source_paths for name, reader in contract.items()}
            logged["dagster/column_lineage"] = metadata.column_lineage(
                source, "events_api", origins
            )

    if not source.base_url:
        context.log.warning(f"This syncs {INVENTED}: to sync an API, set {source.address_hint}.")
    for warning in file_permissions.insecure_file_warnings():
        context.log.warning(warning)
    has_bar = os.environ.get("EVENTS_PROGRESS") == "bar"
    logger = nullcontext(progress.progress_logger(context.log.info))
    with progress.progress_bar(process.terminal()) if has_bar else logger as on_progress:
        runner.run_sync(
            resource,
            on_progress,
            on_loaded,
            full_refresh=config.full_sync,
            accepts_new_origin=config.accept_new_origin,
        )
    return logged
