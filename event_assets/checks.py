"""What must be true of `event_data`, as asset checks. An ERROR stops what is downstream."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import cast

import dagster as dg
import duckdb
from pydantic import Field as Describe
from pydantic import model_validator

from event_assets import checkpoints, partitions, tables, warehouse
from event_assets.checked_accounts import Judge, for_accounts
from event_assets.configuration import Attributes
from event_assets.failures import plainly
from event_assets.metadata import as_table, asset_key
from event_assets.rejects import REJECTS, said
from event_assets.source import EVENT_DATA, EventSource, Resource
from event_assets.syncs import SYNCS, syncs_of
from event_assets.tables import of_account, quoted, rows_of

YEAR = 60 * 24 * 365  # minutes
UNSHOWN = ("complete", "reason", "full_sync", "position", "version")  # of a sync's row
EXAMPLES = 5  # shown with a check that fails
BUSY_WAIT = 20.0  # seconds
# What to do, at the end of a description.
LATE = "look for failed runs, and whether the schedule is on and the daemon runs."
NOT_UNIQUE = "something else writes to the table; sync again into a new database."
REJECTED = "correct `fields` in defs.yaml, or have the API's operator correct the records."
CHANGED = "look whether what reads these columns still works."


class Freshness(Attributes):
    """How old the newest good sync may be, in minutes."""

    warn_after_minutes: float = Describe(description="Older is a warning.")
    fail_after_minutes: float = Describe(description="Older is an error.")

    @model_validator(mode="after")
    def _in_order(self) -> "Freshness":
        if not 1 <= self.warn_after_minutes < self.fail_after_minutes <= YEAR:
            raise ValueError(
                "`warn_after_minutes` must be 1 or more, and less than `fail_after_minutes`"
            )
        return self

    def cron(self) -> str:
        """When to look by itself: twice in the time after which a sync is late, between syncs."""
        every = min(max(int(self.warn_after_minutes / 2), 1), 30)
        return f"{every // 2}-59/{every} * * * *"

    def policy(self) -> dg.FreshnessPolicy:
        """Say the same as Dagster's own policy, which the UI shows and the daemon evaluates."""
        return dg.FreshnessPolicy.time_window(
            fail_window=timedelta(minutes=self.fail_after_minutes),
            warn_window=timedelta(minutes=self.warn_after_minutes),
        )


def build_checks(
    source: EventSource, freshness: Freshness | None
) -> list[dg.AssetChecksDefinition]:
    """Build the checks of one source: of `event_data`, and of what else is read of the API."""
    further = [resource for resource in source.resources.values() if not resource.has_events]
    return [_of_events(source, freshness), *map(_of_further, further)]


def _of_further(resource: Resource) -> dg.AssetChecksDefinition:
    key = asset_key(resource.source, resource.name)

    def judge(database: duckdb.DuckDBPyConnection, source: EventSource) -> dg.AssetCheckResult:
        return complete(database, source, key, syncs_of(resource.name))

    @dg.asset_check(
        asset=key,
        name="complete",
        blocking=True,
        description="The newest sync read every record: ERROR when some are known to be missing, "
        "WARN when the API gives no way to be sure.",
    )
    def evaluate(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        def result() -> dg.AssetCheckResult:
            account = partitions.account_in(context.run)
            return warehouse.run(
                lambda database: for_accounts(database, resource.source, account, judge)
            )

        return plainly(result)

    return evaluate


def _of_events(source: EventSource, freshness: Freshness | None) -> dg.AssetChecksDefinition:
    """Build the checks of one source's `event_data`, evaluated together after each sync."""
    key = asset_key(source, EVENT_DATA)
    checks: dict[str, tuple[str, Judge]] = {
        "complete": (
            "The newest sync read every event of the API: ERROR when some are known to be "
            "missing, WARN when the API gives no way to be sure.",
            lambda database, of: complete(
                database, of, key, unfinished=checkpoints.unfinished(database, of.events)
            ),
        ),
        "unique_ids": (
            "No event is in the table twice, and none is without an `id`.",
            lambda database, of: unique_ids(database, of, key),
        ),
        "no_rejects": (
            "No record of the newest sync breaks the contract; those that do are kept in "
            "event_data_rejects.",
            lambda database, of: no_rejects(database, of, key),
        ),
        "schema_stable": (
            "The newest sync filled the columns that the one before filled, with the same types.",
            lambda database, of: schema_stable(database, of, key),
        ),
    }
    if freshness:
        checks["fresh"] = (
            f"The newest good sync is younger than {freshness.warn_after_minutes:g} minutes "
            f"(WARN) and {freshness.fail_after_minutes:g} minutes (ERROR).",
            lambda database, of: fresh(database, of, key, freshness),
        )
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
                return [_judged(synced, key, cast("Freshness", freshness))]

        yield from plainly(results)

    return evaluate


def complete(
    database: duckdb.DuckDBPyConnection,
    source: EventSource,
    key: dg.AssetKey,
    syncs: str = SYNCS,
    unfinished: str | None = None,
) -> dg.AssetCheckResult:
    """Check what the newest sync says of itself in the table of the syncs, if it has ended."""
    rows = database.sql(f"from {source.name}.{quoted(syncs)}").filter(of_account(source.account))
    newest = rows.order("started_at desc").limit(1)
    figures = dict(zip(newest.columns, newest.fetchone() or (), strict=False))
    if unfinished:
        figures = {"complete": False, "reason": unfinished}
    elif not figures:
        figures = {"complete": None, "reason": "No sync was logged yet."}
    verdict = figures["complete"]
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="complete",
        passed=verdict is True,
        severity=dg.AssetCheckSeverity.WARN if verdict is None else dg.AssetCheckSeverity.ERROR,
        description=figures["reason"],
        metadata={
            name: value
            for name, value in figures.items()
            if isinstance(value, (int, str)) and name not in UNSHOWN
        },
    )


def unique_ids(
    database: duckdb.DuckDBPyConnection, source: EventSource, key: dg.AssetKey
) -> dg.AssetCheckResult:
    """Check that `id` is unique and never null in `event_data`."""
    events = database.table(f"{source.name}.{EVENT_DATA}").filter(of_account(source.account))
    counts = events.aggregate("count(*), count(distinct id), count(*) - count(id)").fetchone()
    rows, distinct, missing = counts or (0, 0, 0)
    doubled = rows - missing - distinct
    examples = (
        events.aggregate("id, count(*) as rows", "id")
        .filter("rows > 1")
        .order("id")
        .limit(EXAMPLES)
    )
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="unique_ids",
        passed=doubled == 0 and missing == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{rows:,} rows, {distinct:,} ids, {doubled:,} doubled, {missing:,} missing"
        + (f": {NOT_UNIQUE}" if doubled or missing else "."),
        metadata={
            "rows": rows,
            "distinct_ids": distinct,
            "doubled": doubled,
            "missing": missing,
            "examples": as_table(rows_of(examples)) if doubled else "-",
        },
    )


def no_rejects(
    database: duckdb.DuckDBPyConnection, source: EventSource, key: dg.AssetKey
) -> dg.AssetCheckResult:
    """Count the records of the newest sync that break the contract, by reason."""
    schema, mine = source.name, of_account(source.account)
    full = f"full_sync is not false and {mine}"
    newest = tables.last_value(database, schema, SYNCS, "load_id", full)
    rejects = database.table(f"{schema}.{REJECTS}").filter(f"load_id >= '{newest}' and {mine}")
    reasons = rejects.aggregate("field, reason, count(*) as records").order("records desc, reason")
    counts = reasons.fetchall()
    total = sum(count for *_, count in counts)
    examples = rejects.order("id").limit(EXAMPLES).project("id, field, reason, record")
    why = "; ".join(f"{said(field, reason)} ({count:,})" for field, reason, count in counts[:5])
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="no_rejects",
        passed=total == 0,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{total:,} records break the contract: {why}; {REJECTED}"
        if total
        else "Every record keeps the contract.",
        metadata={
            "rejects": total,
            "by_reason": as_table(rows_of(reasons)),
            "examples": as_table(rows_of(examples)),
        },
    )


def schema_stable(
    database: duckdb.DuckDBPyConnection, source: EventSource, key: dg.AssetKey
) -> dg.AssetCheckResult:
    """Compare the columns that the newest sync filled with those of the sync before."""
    comparable = "rows_read > 0 and columns is not null and full_sync is not false"
    mine = of_account(source.account)
    syncs = database.table(f"{source.name}.{SYNCS}").filter(f"{comparable} and {mine}")
    filled = syncs.order("started_at desc").limit(2).project("columns").fetchall()
    now, before = ([json.loads(columns) for (columns,) in filled] + [{}, {}])[:2]
    changed = [
        {"column": name, "before": before.get(name), "now": now.get(name)}
        for name in (now | before if before else ())
        if now.get(name) != before.get(name)
    ]
    words: dict[str, list[str]] = {"new": [], "gone": [], "of another type": []}
    for change in changed:
        what = "new" if not change["before"] else "of another type" if change["now"] else "gone"
        words[what].append(change["column"])
    differences = "; ".join(
        f"{len(names):,} {what}: {', '.join(names[:EXAMPLES])}"
        for what, names in words.items()
        if names
    )
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="schema_stable",
        passed=not changed,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{differences}; {CHANGED}" if changed else f"{len(now):,} columns, as before.",
        metadata={"columns": len(now), "changes": as_table(changed)},
    )


def fresh(
    database: duckdb.DuckDBPyConnection,
    source: EventSource,
    key: dg.AssetKey,
    freshness: Freshness,
) -> dg.AssetCheckResult:
    """Check the age of the newest sync that `event_data` holds."""
    newest, schema = None, source.name
    if tables.has_table(database, schema, "_dlt_loads"):
        own = f"status = 0 and schema_name = {tables.literal(source.events.pipeline)}"
        loads = database.table(f"{schema}._dlt_loads").filter(own)
        newest = loads.aggregate("max(inserted_at)").fetchone()
    return _judged(newest[0] if newest else None, key, freshness)


def _last_sync(instance: dg.DagsterInstance, key: dg.AssetKey) -> datetime | None:
    newest = instance.get_latest_materialization_event(key)
    return datetime.fromtimestamp(newest.timestamp, timezone.utc) if newest else None


def _judged(synced: datetime | None, key: dg.AssetKey, freshness: Freshness) -> dg.AssetCheckResult:
    if synced is None:
        return dg.AssetCheckResult(
            asset_key=key,
            check_name="fresh",
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description="There was no sync yet.",
        )
    age = (datetime.now(timezone.utc) - synced).total_seconds() / 60
    overdue = age > freshness.fail_after_minutes
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="fresh",
        passed=age <= freshness.warn_after_minutes,
        severity=dg.AssetCheckSeverity.ERROR if overdue else dg.AssetCheckSeverity.WARN,
        description=f"The newest sync is {age:.0f} minutes old"
        + (f": {LATE}" if age > freshness.warn_after_minutes else "."),
        metadata={
            "age_minutes": round(age, 2),
            "last_sync": dg.MetadataValue.timestamp(synced),
            "warn_after_minutes": freshness.warn_after_minutes,
            "fail_after_minutes": freshness.fail_after_minutes,
        },
    )
