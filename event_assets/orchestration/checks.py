"""The asset checks of synced tables. They block: an ERROR keeps downstream assets as they are."""

from collections.abc import Iterator

import dagster as dg

from event_assets.config.freshness import FreshnessConfig
from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.orchestration.metadata import asset_key


def build_checks(
    source: SourceConfig, freshness: FreshnessConfig | None
) -> list[dg.AssetChecksDefinition]:
    """Build the checks of a source: of `event_data` and of its additional resources."""
    return [_build_table_checks(each, freshness) for each in source.resources.values()]


def _build_table_checks(
    resource: ResourceConfig, freshness: FreshnessConfig | None
) -> dg.AssetChecksDefinition:
    """Build the checks of a table, evaluated together after each sync."""
    key = asset_key(resource.source, resource.name)
    record = "event" if resource.is_events else "record"
    checks = {  # descriptions by name
        "complete": f"The newest sync read every {record}: ERROR if some are missing, WARN if "
        "unverified.",
        "no_rejects": "No record of the newest sync was rejected; rejects are kept in "
        f"{resource.name}_rejects.",
    }
    if resource.is_events:
        checks["unique_ids"] = "Every event has an `id`, and no two different events have the same."
        checks["schema_stable"] = (
            "The newest sync filled the same columns as the one before, with the same types."
        )
    if resource.is_events and freshness:
        checks["fresh"] = (
            f"The newest good sync is not older than {freshness.warn_after_minutes:g} (WARN) or "
            f"{freshness.fail_after_minutes:g} minutes (ERROR)."
        )
    specs = [
        dg.AssetCheckSpec(name, asset=key, blocking=True, description=description)
        for name, description in checks.items()
    ]

    @dg.multi_asset_check(name=f"{'__'.join(key.path)}_checks", specs=specs, can_subset=True)
    def evaluate(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        from event_assets.orchestration import check_results  # imports pyarrow

        yield from run_with_plain_errors(
            lambda: check_results.evaluate_checks(context, resource, freshness)
        )

    return evaluate
