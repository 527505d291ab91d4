"""The assets of a source: its API, the synced tables, and what is derived from them."""

import warnings
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, cast

import dagster as dg
import dlt
from dagster_dlt import DagsterDltTranslator, dlt_assets
from pydantic import Field, field_validator

from event_assets import warehouse
from event_assets.config.freshness import FreshnessConfig
from event_assets.config.program import program
from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.config.source_files import INVENTED, SANDBOX
from event_assets.orchestration import metadata, partitions
from event_assets.orchestration.derived_assets import build_derived_assets
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.orchestration.jobs import BY_COMMAND
from event_assets.orchestration.metadata import asset_key

NOT_SYNCED = (
    "{source.name} is not synced: it has no URL, and the invented events of "
    f"{SANDBOX} are kept apart from those of an API; set "
    "{source.url_setting}, or run `{program} remove {source.name}`."
)


def build_assets(
    source: SourceConfig, owners: Sequence[str], freshness: FreshnessConfig | None
) -> list[dg.AssetsDefinition]:
    """Build the assets of a source, from the API to the calendar."""
    return [
        _events_api(source, owners),
        *(
            _synced_table(resource, _table_spec(resource, owners, freshness))
            for resource in source.resources.values()
        ),
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
        from event_assets.orchestration import steps  # imports requests and pyarrow

        found = run_with_plain_errors(lambda: steps.observe(source))
        yield dg.ObserveResult(asset_key=spec.key, metadata=found)

    name = "__".join((*spec.key.path, "observed"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        observable = dg.multi_observable_source_asset(name=name, specs=[spec])
        return cast("dg.AssetsDefinition", observable(observe))


class SyncConfig(dg.Config):
    """The run configuration of a sync."""

    full_sync: bool = Field(
        default=False,
        description="Read the whole list instead of only what has changed. Events that are "
        "missing from it are gone then.",
    )
    accept_new_origin: bool = Field(
        default=False,
        description="Sync another API, or other ids, into the same table. Events that are missing "
        "from it are gone then.",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _read_nothing_as_false(cls, value: object) -> object:  # such as `full_sync:` in YAML
        return False if value is None else value


def _table_spec(
    resource: ResourceConfig, owners: Sequence[str], freshness: FreshnessConfig | None
) -> dg.AssetSpec:
    """Describe the table that a sync of a resource fills."""
    source = resource.source
    per_parent = f" of each record of `{resource.parent}`" if resource.parent else ""
    merged = ", ".join(f"`{column}`" for column in resource.primary_key_columns)
    write = f"merged by {merged}" if merged else "replaced by each sync"
    description = f"The API's `{resource.name}`{per_parent}: one row each, {write}."
    table, policy = metadata.table_metadata(source, resource.name), None
    if resource.is_events:
        description = (
            ("" if source.base_url else f"From {INVENTED}. ")
            + f"Every event that the API ever listed{per_parent}, one row each, merged by `id`."
            + (" Each partition is an account." if source.accounts else "")
        )
        columns, origins = metadata.contract_columns(source), metadata.contract_origins(source)
        table = metadata.table_metadata(source, resource.name, columns)
        table["dagster/column_lineage"] = metadata.column_lineage(source, "events_api", origins)
    if resource.is_events and freshness:
        policy = dg.FreshnessPolicy.time_window(
            fail_window=timedelta(minutes=freshness.fail_after_minutes),
            warn_window=timedelta(minutes=freshness.warn_after_minutes),
        )
    return dg.AssetSpec(
        asset_key(source, resource.name),
        deps=[asset_key(source, resource.parent or "events_api")],
        description=description,
        group_name=source.name,
        owners=owners,
        kinds={"dlt", warehouse.get_destination().kind},
        code_version=source.config_hash,
        metadata=table,
        partitions_def=partitions.partitions_def(source),
        skippable=not source.is_synced,
        freshness_policy=policy,
    )


def _synced_table(resource: ResourceConfig, spec: dg.AssetSpec) -> dg.AssetsDefinition:
    """Define the table that a sync of a resource fills."""
    source = resource.source

    class Translator(DagsterDltTranslator):
        def get_asset_spec(self, data: Any) -> dg.AssetSpec:  # noqa: ARG002 (one asset)
            return spec

    @dlt.source(name=resource.pipeline_name)
    def described() -> Any:  # each sync builds its own, with the columns that it finds
        return dlt.resource(iter(()), name=resource.name)

    @dlt_assets(
        name="__".join(spec.key.path),
        dlt_source=described(),
        dlt_pipeline=cast("dlt.Pipeline", None),  # building one would write its folder
        dagster_dlt_translator=Translator(),
        partitions_def=spec.partitions_def,
        pool=partitions.partitions_name(source) if spec.partitions_def else None,
    )
    def table(
        context: dg.AssetExecutionContext, config: SyncConfig
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetObservation]:
        from event_assets.orchestration import steps  # imports requests and pyarrow

        if not source.is_synced and BY_COMMAND not in context.run.tags:
            run_with_plain_errors(lambda: steps.require_same_origin(source))
            if resource.is_events:
                reason = NOT_SYNCED.format(source=source, program=program())
                yield dg.AssetObservation(spec.key, description=reason)
            return
        found = run_with_plain_errors(lambda: steps.sync(context, resource, vars(config)))
        context.add_asset_metadata(found, spec.key)  # in the result, it would be stored twice
        yield dg.MaterializeResult(asset_key=spec.key)

    # dagster-dlt puts its objects into the metadata, where the UI cannot show them.
    shown = {
        "dagster_dlt/source": source.name,
        "dagster_dlt/pipeline": resource.pipeline_name,
        "dagster_dlt/translator": DagsterDltTranslator.__name__,
    }
    return table.map_asset_specs(lambda _: spec.merge_attributes(metadata=shown))
