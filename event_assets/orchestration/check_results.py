"""Evaluate the asset checks, for a whole table or for each account."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timezone

import dagster as dg
import duckdb

from event_assets.config.freshness import FreshnessConfig
from event_assets.config.source import EVENT_DATA, SourceConfig
from event_assets.orchestration.metadata import as_table
from event_assets.sync import account_list
from event_assets.sync.rejects import describe_reject, fix_hint, rejects_table
from event_assets.sync.sync_log import SYNC_LOG, sync_log_table
from event_assets.warehouse import inspection, sql
from event_assets.warehouse.inspection import fetch_rows
from event_assets.warehouse.sql import account_filter, quote_identifier

CheckFunction = Callable[[duckdb.DuckDBPyConnection, SourceConfig], dg.AssetCheckResult]
NAMED = 3  # accounts in a description
MAX_ACCOUNTS_SHOWN = 100  # in the table


def evaluate_per_account(
    database: duckdb.DuckDBPyConnection,
    source: SourceConfig,
    account: str | None,
    judge: CheckFunction,
) -> dg.AssetCheckResult:
    """Judge a source, or one of its accounts; without an account, all that are listed."""
    if source.accounts is None:
        return judge(database, source)
    if account is not None:
        return judge(database, source.for_account(account))
    names = account_list.list_accounts(source, database)
    return combine_results({name: judge(database, source.for_account(name)) for name in names})


def combine_results(results: Mapping[str, dg.AssetCheckResult]) -> dg.AssetCheckResult:
    """Make one result of those of the accounts: it fails as the worst of them does."""
    failed = {name: result for name, result in results.items() if not result.passed}
    errors = {n: r for n, r in failed.items() if r.severity == dg.AssetCheckSeverity.ERROR}
    worst = {**errors, **failed}
    told = [f"{name}: {result.description}" for name, result in worst.items()]
    more = f" And {len(told) - NAMED:,} more." if len(told) > NAMED else ""
    verdict = (
        f"{len(failed):,} of {len(results):,} accounts fail. {' '.join(told[:NAMED])}{more}"
        if failed
        else f"Of all {len(results):,} accounts."
    )
    first = next(iter(results.values()))
    return dg.AssetCheckResult(
        asset_key=first.asset_key,
        check_name=first.check_name,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if errors else dg.AssetCheckSeverity.WARN,
        description=verdict,
        metadata={
            "accounts": len(results),
            "accounts_that_fail": len(failed),
            "failures": as_table(
                [
                    {"account": name, "severity": r.severity.value, "why": r.description}
                    for name, r in list(worst.items())[:MAX_ACCOUNTS_SHOWN]
                ]
            ),
        },
    )


UNSHOWN = ("complete", "reason", "full_sync", "position", "version")  # of a sync's row
EXAMPLES = 5  # shown with a check that fails
# What to do, at the end of a description.
LATE = "look for failed runs, and whether the schedule is on and the daemon runs."
NOT_UNIQUE = "something else writes to the table; sync again into a new database."
OR_ELSE = "have the API's operator correct the records."
CHANGED = "look whether what reads these columns still works."


def evaluate_complete(
    database: duckdb.DuckDBPyConnection,
    source: SourceConfig,
    key: dg.AssetKey,
    table: str = EVENT_DATA,
    unfinished: str | None = None,
) -> dg.AssetCheckResult:
    """Check what the newest sync says of itself in the table of the syncs, if it has ended."""
    rows = database.sql(f"from {source.name}.{quote_identifier(sync_log_table(table))}").filter(
        account_filter(source.account)
    )
    figures = next(iter(fetch_rows(rows.order("started_at desc").limit(1))), {})
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


def evaluate_unique_ids(
    database: duckdb.DuckDBPyConnection, source: SourceConfig, key: dg.AssetKey
) -> dg.AssetCheckResult:
    """Check that `id` is unique and never null in `event_data`."""
    events = database.table(f"{source.name}.{EVENT_DATA}").filter(account_filter(source.account))
    counts = events.aggregate("count(*), count(distinct id), count(*) - count(id)")
    ((rows, distinct, missing),) = counts.fetchall()
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
            "examples": as_table(fetch_rows(examples)) if doubled else "-",
        },
    )


def evaluate_no_rejects(
    database: duckdb.DuckDBPyConnection,
    source: SourceConfig,
    key: dg.AssetKey,
    table: str = EVENT_DATA,
) -> dg.AssetCheckResult:
    """Count the records of the newest sync that break the contract, by reason."""
    schema, mine = source.name, account_filter(source.account)
    full = f"full_sync is not false and {mine}"
    newest = inspection.latest_value(database, schema, sync_log_table(table), "load_id", full)
    rejects = database.sql(f"from {schema}.{quote_identifier(rejects_table(table))}").filter(
        f"load_id >= '{newest}' and {mine}"
    )
    reasons = rejects.aggregate("field, reason, count(*) as records").order("records desc, reason")
    counts = reasons.fetchall()
    total = sum(count for *_, count in counts)
    examples = rejects.order("id").limit(EXAMPLES).project("id, field, reason, record")
    why = "; ".join(
        f"{describe_reject(field, reason)} ({count:,})" for field, reason, count in counts[:5]
    )
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="no_rejects",
        passed=total == 0,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{total:,} records break the contract: {why}; {fix_hint(table)} in defs.yaml, "
        f"or {OR_ELSE}"
        if total
        else "Every record keeps the contract.",
        metadata={
            "rejects": total,
            "by_reason": as_table(fetch_rows(reasons)),
            "examples": as_table(fetch_rows(examples)),
        },
    )


def evaluate_schema_stable(
    database: duckdb.DuckDBPyConnection, source: SourceConfig, key: dg.AssetKey
) -> dg.AssetCheckResult:
    """Compare the columns that the newest sync filled with those of the sync before."""
    comparable = "rows_read > 0 and columns is not null and full_sync is not false"
    mine = account_filter(source.account)
    syncs = database.table(f"{source.name}.{SYNC_LOG}").filter(f"{comparable} and {mine}")
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


def evaluate_fresh(
    database: duckdb.DuckDBPyConnection,
    source: SourceConfig,
    key: dg.AssetKey,
    freshness: FreshnessConfig,
) -> dg.AssetCheckResult:
    """Check the age of the newest sync that `event_data` holds."""
    newest, schema = None, source.name
    if inspection.has_table(database, schema, "_dlt_loads"):
        own = f"status = 0 and schema_name = {sql.quote_literal(source.events.pipeline_name)}"
        loads = database.table(f"{schema}._dlt_loads").filter(own)
        ((newest,),) = loads.aggregate("max(inserted_at)").fetchall()
    return evaluate_age(newest, key, freshness)


def evaluate_age(
    synced: datetime | None, key: dg.AssetKey, freshness: FreshnessConfig
) -> dg.AssetCheckResult:
    """Judge the age of what was synced."""
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
