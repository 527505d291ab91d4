"""What must be true of `event_data`, as asset checks. An ERROR stops what is downstream."""

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

Checks = dict[str, tuple[str, CheckFunction]]  # descriptions and judges, by name
BUSY_WAIT = 20.0  # seconds


def build_checks(
    source: SourceConfig, freshness: FreshnessConfig | None
) -> list[dg.AssetChecksDefinition]:
    """Build the checks of one source: of `event_data`, and of what else is read of the API."""
    further = [resource for resource in source.resources.values() if not resource.is_events]
    return [_of_events(source, freshness), *map(_of_further, further)]


def _of_further(resource: ResourceConfig) -> dg.AssetChecksDefinition:
    """Build the checks of what else is read of the API."""
    key, table = asset_key(resource.source, resource.name), resource.name
    checks: Checks = {
        "complete": (
            "The newest sync read every record: ERROR if some are missing, WARN if unsure.",
            lambda database, of: check_results.evaluate_complete(database, of, key, table),
        ),
        "no_rejects": (
            "No record of the newest sync was rejected; rejects are kept in "
            f"{rejects_table(table)}.",
            lambda database, of: check_results.evaluate_no_rejects(database, of, key, table),
        ),
    }
    return _built(resource.source, key, checks, None)


def _of_events(source: SourceConfig, freshness: FreshnessConfig | None) -> dg.AssetChecksDefinition:
    """Build the checks of one source's `event_data`, evaluated together after each sync."""
    key = asset_key(source, EVENT_DATA)
    checks: Checks = {
        "complete": (
            "The newest sync read every event: ERROR if some are missing, WARN if unsure.",
            lambda database, of: check_results.evaluate_complete(
                database, of, key, unfinished=checkpoints.describe_pending(database, of.events)
            ),
        ),
        "unique_ids": (
            "Every event has an `id`, and no two events have the same.",
            lambda database, of: check_results.evaluate_unique_ids(database, of, key),
        ),
        "no_rejects": (
            f"No record of the newest sync was rejected; rejects are kept in {REJECTS}.",
            lambda database, of: check_results.evaluate_no_rejects(database, of, key),
        ),
        "schema_stable": (
            "The newest sync filled the same columns as the one before, with the same types.",
            lambda database, of: check_results.evaluate_schema_stable(database, of, key),
        ),
    }
    if freshness:
        checks["fresh"] = (
            f"The newest good sync is at most {freshness.warn_after_minutes:g} minutes (else WARN) "
            f"or {freshness.fail_after_minutes:g} minutes (else ERROR) old.",
            lambda database, of: check_results.evaluate_fresh(database, of, key, freshness),
        )
    return _built(source, key, checks, freshness)


def _built(
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
            # By itself, `fresh` does not wait for a sync that may hang: Dagster knows when the
            # last one ended well.
            patience = BUSY_WAIT if names == ["fresh"] else None
            try:
                account = partitions.account_of_run(context.run)
                judges = [checks[name][1] for name in names]
                return warehouse.run(
                    lambda database: [
                        evaluate_per_account(database, source, account, judge) for judge in judges
                    ],
                    patience,
                )
            except BusyError:
                synced = _last_sync(context.instance, key)
                return [check_results.evaluate_age(synced, key, cast("FreshnessConfig", freshness))]

        yield from run_with_plain_errors(results)

    return evaluate


def _last_sync(instance: dg.DagsterInstance, key: dg.AssetKey) -> datetime | None:
    newest = instance.get_latest_materialization_event(key)
    return datetime.fromtimestamp(newest.timestamp, timezone.utc) if newest else None
