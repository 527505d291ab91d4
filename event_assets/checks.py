"""What must be true of `event_data`, as asset checks. An ERROR stops what is downstream."""

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import cast

import dagster as dg

from event_assets import checkpoints, partitions, verdicts, warehouse
from event_assets.checked_accounts import Judge, for_accounts
from event_assets.failures import plainly
from event_assets.freshness import Freshness
from event_assets.metadata import asset_key
from event_assets.rejects import REJECTS, rejects_of
from event_assets.source import EVENT_DATA, EventSource, Resource

Checks = dict[str, tuple[str, Judge]]  # descriptions and judges, by name
BUSY_WAIT = 20.0  # seconds


def build_checks(
    source: EventSource, freshness: Freshness | None
) -> list[dg.AssetChecksDefinition]:
    """Build the checks of one source: of `event_data`, and of what else is read of the API."""
    further = [resource for resource in source.resources.values() if not resource.has_events]
    return [_of_events(source, freshness), *map(_of_further, further)]


def _of_further(resource: Resource) -> dg.AssetChecksDefinition:
    """Build the checks of what else is read of the API."""
    key, table = asset_key(resource.source, resource.name), resource.name
    checks: Checks = {
        "complete": (
            "The newest sync read every record: ERROR when some are known to be missing, WARN "
            "when the API gives no way to be sure.",
            lambda database, of: verdicts.complete(database, of, key, table),
        ),
        "no_rejects": (
            "Every record of the newest sync could be loaded; those that could not are kept in "
            f"{rejects_of(table)}.",
            lambda database, of: verdicts.no_rejects(database, of, key, table),
        ),
    }
    return _built(resource.source, key, checks, None)


def _of_events(source: EventSource, freshness: Freshness | None) -> dg.AssetChecksDefinition:
    """Build the checks of one source's `event_data`, evaluated together after each sync."""
    key = asset_key(source, EVENT_DATA)
    checks: Checks = {
        "complete": (
            "The newest sync read every event of the API: ERROR when some are known to be "
            "missing, WARN when the API gives no way to be sure.",
            lambda database, of: verdicts.complete(
                database, of, key, unfinished=checkpoints.unfinished(database, of.events)
            ),
        ),
        "unique_ids": (
            "No event is in the table twice, and none is without an `id`.",
            lambda database, of: verdicts.unique_ids(database, of, key),
        ),
        "no_rejects": (
            "No record of the newest sync breaks the contract; those that do are kept in "
            f"{REJECTS}.",
            lambda database, of: verdicts.no_rejects(database, of, key),
        ),
        "schema_stable": (
            "The newest sync filled the columns that the one before filled, with the same types.",
            lambda database, of: verdicts.schema_stable(database, of, key),
        ),
    }
    if freshness:
        checks["fresh"] = (
            f"The newest good sync is younger than {freshness.warn_after_minutes:g} minutes "
            f"(WARN) and {freshness.fail_after_minutes:g} minutes (ERROR).",
            lambda database, of: verdicts.fresh(database, of, key, freshness),
        )
    return _built(source, key, checks, freshness)


def _built(
    source: EventSource, key: dg.AssetKey, checks: Checks, freshness: Freshness | None
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
                account = partitions.account_in(context.run)
                judges = [checks[name][1] for name in names]
                return warehouse.run(
                    lambda database: [
                        for_accounts(database, source, account, judge) for judge in judges
                    ],
                    patience,
                )
            except warehouse.BusyError:
                synced = _last_sync(context.instance, key)
                return [verdicts.judged(synced, key, cast("Freshness", freshness))]

        yield from plainly(results)

    return evaluate


def _last_sync(instance: dg.DagsterInstance, key: dg.AssetKey) -> datetime | None:
    newest = instance.get_latest_materialization_event(key)
    return datetime.fromtimestamp(newest.timestamp, timezone.utc) if newest else None
