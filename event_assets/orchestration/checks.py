"""The asset checks of synced tables. They block: an ERROR keeps downstream assets as they are."""

from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial

import dagster as dg

from event_assets import warehouse
from event_assets.config.freshness import FreshnessConfig
from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.orchestration import check_results, partitions, unique_ids
from event_assets.orchestration.check_results import CheckFunction, evaluate_per_account
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.orchestration.metadata import asset_key
from event_assets.sync.reconcile import reconcile
from event_assets.sync.rejects import rejects_table
from event_assets.values.errors import BusyError

BUSY_TIMEOUT = 20.0  # seconds


def build_checks(
    source: SourceConfig, freshness: FreshnessConfig | None
) -> list[dg.AssetChecksDefinition]:
    """Build the checks of a source: of `event_data` and of its additional resources."""
    return [_build_table_checks(each, freshness) for each in source.resources.values()]


def _build_table_checks(
    resource: ResourceConfig, freshness: FreshnessConfig | None
) -> dg.AssetChecksDefinition:
    """Build the checks of a table, evaluated together after each sync."""
    source, table = resource.source, resource.name
    key = asset_key(source, table)
    record = "event" if resource.is_events else "record"
    checks: dict[str, tuple[str, CheckFunction]] = {  # description and function by name
        "complete": (
            f"The newest sync read every {record}: ERROR if some are missing, WARN if unsure.",
            partial(check_results.evaluate_complete, table=table),
        ),
        "no_rejects": (
            "No record of the newest sync was rejected; rejects are kept in "
            f"{rejects_table(table)}.",
            partial(check_results.evaluate_no_rejects, table=table),
        ),
    }
    if resource.is_events:
        checks["unique_ids"] = (
            "Every event has an `id`, and no two different events have the same.",
            unique_ids.evaluate_unique_ids,
        )
        checks["schema_stable"] = (
            "The newest sync filled the same columns as the one before, with the same types.",
            check_results.evaluate_schema_stable,
        )
    if resource.is_events and freshness:
        checks["fresh"] = (
            f"The newest good sync is at most {freshness.warn_after_minutes:g} minutes (else WARN) "
            f"or {freshness.fail_after_minutes:g} minutes (else ERROR) old.",
            partial(check_results.evaluate_fresh, freshness=freshness),
        )
    specs = [
        dg.AssetCheckSpec(name, asset=key, blocking=True, description=description)
        for name, (description, _) in checks.items()
    ]

    @dg.multi_asset_check(name=f"{'__'.join(key.path)}_checks", specs=specs, can_subset=True)
    def evaluate(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        names = sorted(selected.name for selected in context.selected_asset_check_keys)
        account = partitions.account_of_run(context.run)

        def results() -> list[dg.AssetCheckResult]:
            if freshness and names == ["fresh"]:
                # It does not wait for a sync that may hang: Dagster knows when the last succeeded.
                try:
                    return warehouse.run(evaluate_selected, BUSY_TIMEOUT)
                except BusyError:
                    newest = context.instance.get_latest_materialization_event(key)
                    synced = newest and datetime.fromtimestamp(newest.timestamp, timezone.utc)
                    return [check_results.evaluate_age(synced, freshness)]
            return warehouse.run(evaluate_selected)

        def evaluate_selected(database: warehouse.Database) -> list[dg.AssetCheckResult]:
            reconcile(database, source)
            return [evaluate_per_account(database, source, account, checks[n][1]) for n in names]

        for name, result in zip(names, run_with_plain_errors(results), strict=True):
            yield result._replace(asset_key=key, check_name=name)

    return evaluate
