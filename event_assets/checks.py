"""What must be true of `event_data`, as asset checks. An ERROR stops what is downstream."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import dagster as dg

from event_assets import warehouse
from event_assets.assets import asset_key
from event_assets.configuration import Attributes
from event_assets.failures import plainly
from event_assets.source import EVENT_DATA, EventSource


class Freshness(Attributes):
    """How old the newest good sync may be, in minutes."""

    warn_after_minutes: float
    fail_after_minutes: float

    def policy(self) -> dg.FreshnessPolicy:
        """Say the same as Dagster's own policy, which the UI shows and the daemon evaluates."""
        return dg.FreshnessPolicy.time_window(
            fail_window=timedelta(minutes=self.fail_after_minutes),
            warn_window=timedelta(minutes=self.warn_after_minutes),
        )


def build_checks(source: EventSource, freshness: Freshness | None) -> dg.AssetChecksDefinition:
    """Build the checks of one source's `event_data`, evaluated together after each sync."""
    key = asset_key(source, EVENT_DATA)
    specs = [
        dg.AssetCheckSpec(
            "unique_ids",
            asset=key,
            blocking=True,
            description="No event is in the table twice, and none is without an `id`.",
        )
    ]
    if freshness:
        specs.append(
            dg.AssetCheckSpec(
                "fresh",
                asset=key,
                blocking=True,
                description="The newest good sync is younger than "
                f"{freshness.warn_after_minutes:g} minutes (WARN) and "
                f"{freshness.fail_after_minutes:g} minutes (ERROR).",
            )
        )

    @dg.multi_asset_check(name=f"{'__'.join(key.path)}_checks", specs=specs, can_subset=True)
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        wanted = {check.name for check in context.selected_asset_check_keys}
        if "unique_ids" in wanted:
            yield plainly(lambda: unique_ids(source.name, key))
        if freshness and "fresh" in wanted:
            yield plainly(lambda: fresh(source.name, key, freshness))

    return checks


def unique_ids(schema: str, key: dg.AssetKey) -> dg.AssetCheckResult:
    """Check that `id` is unique and never null in `event_data`."""
    with warehouse.connect() as database:
        counts = database.execute(
            f"select count(*), count(distinct id), count(*) - count(id) "  # noqa: S608
            f"from {schema}.{EVENT_DATA}"
        ).fetchone()
    rows, distinct, missing = counts or (0, 0, 0)
    doubled = rows - missing - distinct
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="unique_ids",
        passed=doubled == 0 and missing == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{rows:,} rows, {distinct:,} ids, {doubled:,} doubled, {missing:,} missing.",
        metadata={"rows": rows, "distinct_ids": distinct, "doubled": doubled, "missing": missing},
    )


def fresh(schema: str, key: dg.AssetKey, freshness: Freshness) -> dg.AssetCheckResult:
    """Check the age of the newest sync that `event_data` holds."""
    with warehouse.connect() as database:
        newest = database.execute(
            f"select max(inserted_at) from {schema}._dlt_loads where status = 0"  # noqa: S608
        ).fetchone()
    synced: datetime | None = newest[0] if newest else None
    if synced is None:
        return dg.AssetCheckResult(
            asset_key=key, check_name="fresh", passed=False, description="There was no sync yet."
        )
    age = (datetime.now(timezone.utc) - synced).total_seconds() / 60
    overdue = age > freshness.fail_after_minutes
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="fresh",
        passed=age <= freshness.warn_after_minutes,
        severity=dg.AssetCheckSeverity.ERROR if overdue else dg.AssetCheckSeverity.WARN,
        description=f"The newest sync is {age:.0f} minutes old.",
        metadata={
            "age_minutes": round(age, 2),
            "last_sync": dg.MetadataValue.timestamp(synced),
            "warn_after_minutes": freshness.warn_after_minutes,
            "fail_after_minutes": freshness.fail_after_minutes,
        },
    )
