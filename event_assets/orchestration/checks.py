"""The asset checks of synced tables. They block: an ERROR keeps downstream assets as they are."""

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import cast

import dagster as dg

from event_assets import warehouse
from event_assets.config.freshness import FreshnessConfig
from event_assets.config.source import EVENT_DATA, ResourceConfig, SourceConfig
from event_assets.orchestration import check_results, partitions
from event_assets.orchestration.check_results import CheckFunction, evaluate_per_account
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.orchestration.metadata import asset_key
from event_assets.sync import checkpoints
from event_assets.sync.rejects import REJECTS, rejects_table
from event_assets.values.errors import BusyError

Checks = dict[str, tuple[str, CheckFunction]]  # description and function by name
BUSY_TIMEOUT = 20.0  # seconds


def build_checks(
    source: SourceConfig, freshness: FreshnessConfig | None
) -> list[dg.AssetChecksDefinition]:
    """Build the checks of a source: of `event_data` and of its additional resources."""
    additional = [resource for resource in source.resources.values() if not resource.is_events]
    return [_event_checks(source, freshness), *map(_resource_checks, additional)]


def _resource_checks(resource: ResourceConfig) -> dg.AssetChecksDefinition:
    """Build the checks of an additional resource."""
    key, table = asset_key(resource.source, resource.name), resource.name
    checks: Checks = {
        "complete": (
            "The newest sync read every record: ERROR if some are missing, WARN if unsure.",
            lambda database, part: check_results.evaluate_complete(database, part, key, table),
        ),
        "no_rejects": (
            "No record of the newest sync was rejected; rejects are kept in "
            f"{rejects_table(table)}.",
            lambda database, part: check_results.evaluate_no_rejects(database, part, key, table),
        ),
    }
    return _build_multi_check(resource.source, key, checks, None)


def _event_checks(
    source: SourceConfig, freshness: FreshnessConfig | None
) -> dg.AssetChecksDefinition:
    """Build the checks of `event_data`, evaluated together after each sync."""
    key = asset_key(source, EVENT_DATA)
    checks: Checks = {
        "complete": (
            "The newest sync read every event: ERROR if some are missing, WARN if unsure.",
            lambda database, part: check_results.evaluate_complete(
                database, part, key, unfinished=checkpoints.describe_pending(database, part.events)
            ),
        ),
        "unique_ids": (
            "Every event has an `id`, and no two events have the same.",
            lambda database, part: check_results.evaluate_unique_ids(database, part, key),
        ),
        "no_rejects": (
            f"No record of the newest sync was rejected; rejects are kept in {REJECTS}.",
            lambda database, part: check_results.evaluate_no_rejects(database, part, key),
        ),
        "schema_stable": (
            "The newest sync filled the same columns as the one before, with the same types.",
            lambda database, part: check_results.evaluate_schema_stable(database, part, key),
        ),
    }
    if freshness:
        checks["fresh"] = (
            f"The newest good sync is at most {freshness.warn_after_minutes:g} minutes (else WARN) "
            f"or {freshness.fail_after_minutes:g} minutes (else ERROR) old.",
            lambda database, part: check_results.evaluate_fresh(database, part, key, freshness),
        )
    return _build_multi_check(source, key, checks, freshness)


def _build_multi_check(
    source: SourceConfig, key: dg.AssetKey, checks: Checks, freshness: FreshnessConfig | None
) -> dg.AssetChecksDefinition:
    specs = [
        dg.AssetCheckSpec(name, asset=key, blocking=True, description=description)
        for name, (description, _) in checks.items()
    ]

    @dg.multi_asset_check(name=f"{'__'.join(key.path)}_checks", specs=specs, can_subset=True)
    def evaluate(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        def results() -> list[dg.AssetCheckResult]:
            names = sorted(selected.name for selected in context.selected_asset_check_keys)
            # Evaluated by itself, `fresh` does not wait for a sync that may hang: Dagster knows
            # when the last one succeeded.
            timeout = BUSY_TIMEOUT if names == ["fresh"] else None
            try:
                account = partitions.account_of_run(context.run)
                functions = [checks[name][1] for name in names]
                return warehouse.run(
                    lambda database: [
                        evaluate_per_account(database, source, account, function)
                        for function in functions
                    ],
                    timeout,
                )
            except BusyError:
                synced = _last_sync_time(context.instance, key)
                return [check_results.evaluate_age(synced, key, cast("FreshnessConfig", freshness))]

        yield from run_with_plain_errors(results)

    return evaluate


def _last_sync_time(instance: dg.DagsterInstance, key: dg.AssetKey) -> datetime | None:
    newest = instance.get_latest_materialization_event(key)
    return datetime.fromtimestamp(newest.timestamp, timezone.utc) if newest else None
