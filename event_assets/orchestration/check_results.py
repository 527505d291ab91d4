"""Evaluate the asset checks, for a whole table or for each account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import dagster as dg

from event_assets import warehouse
from event_assets.config.freshness import FreshnessConfig
from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.config.source_files import EVENT_DATA, MAX_CLOCK_DIFFERENCE
from event_assets.orchestration import partitions
from event_assets.orchestration.metadata import as_table, asset_key
from event_assets.orchestration.schema_stable import evaluate_schema_stable
from event_assets.orchestration.unique_ids import evaluate_unique_ids
from event_assets.sync import account_list
from event_assets.sync.reconcile import reconcile
from event_assets.sync.rejects import describe_reject, fix_hint, rejects_table
from event_assets.sync.sync_log import SYNC_LOG, sync_log_table
from event_assets.values.errors import BusyError
from event_assets.values.wording import counted, format_age
from event_assets.warehouse import Database, inspection
from event_assets.warehouse.inspection import fetch_rows
from event_assets.warehouse.sql import account_filter, quote_literal, quote_name

Row = Mapping[str, Any]
CheckFunction = Callable[[Database, SourceConfig], dg.AssetCheckResult]
BUSY_TIMEOUT = 20.0  # seconds
MAX_ACCOUNTS_NAMED = 3  # names in a description
MAX_ACCOUNTS_SHOWN = 100  # rows in the metadata
EVIDENCE = ("sync_number", "rows_read", "distinct_ids", "total_reported")  # shown with `complete`
MAX_EXAMPLES = 5


def evaluate_checks(
    context: dg.AssetCheckExecutionContext,
    resource: ResourceConfig,
    freshness: FreshnessConfig | None,
) -> list[dg.AssetCheckResult]:
    """Evaluate the selected checks of a table together, by one connection."""
    source, key = resource.source, asset_key(resource.source, resource.name)
    names = sorted(selected.name for selected in context.selected_asset_check_keys)
    account = partitions.account_of_run(context.run)

    def evaluate(database: Database) -> list[dg.AssetCheckResult]:
        reconcile(database, source)
        functions = _functions(resource.name, freshness)
        return [evaluate_per_account(database, source, account, functions[n]) for n in names]

    if freshness and names == ["fresh"]:
        # It does not wait for a sync that may hang: Dagster knows when the last succeeded.
        try:
            results = warehouse.run(evaluate, BUSY_TIMEOUT)
        except BusyError:
            newest = context.instance.get_latest_materialization_event(key)
            synced = newest and datetime.fromtimestamp(newest.timestamp, UTC)
            results = [evaluate_age(synced, freshness)]
    else:
        results = warehouse.run(evaluate)
    named = zip(names, results, strict=True)
    return [result._replace(asset_key=key, check_name=name) for name, result in named]


def _functions(table: str, freshness: FreshnessConfig | None) -> Mapping[str, CheckFunction]:
    functions: dict[str, CheckFunction] = {
        "complete": partial(evaluate_complete, table=table),
        "no_rejects": partial(evaluate_no_rejects, table=table),
        "schema_stable": evaluate_schema_stable,
        "unique_ids": evaluate_unique_ids,
    }
    if freshness:
        functions["fresh"] = partial(evaluate_fresh, freshness=freshness)
    return functions


def evaluate_per_account(
    database: Database, source: SourceConfig, account: str | None, evaluate: CheckFunction
) -> dg.AssetCheckResult:
    """Evaluate a check for a source, for one of its accounts, or for all that are listed."""
    if source.accounts is None:
        return evaluate(database, source)
    if account is not None:
        found = evaluate(database, source.for_account(account))
        return found._replace(metadata={"account": dg.TextMetadataValue(account), **found.metadata})
    names = account_list.list_accounts(source, database)
    return _combine_results({name: evaluate(database, source.for_account(name)) for name in names})


def _combine_results(results: Mapping[str, dg.AssetCheckResult]) -> dg.AssetCheckResult:
    """Combine the results of the accounts: the severity is that of the worst."""
    failed = {name: result for name, result in results.items() if not result.passed}
    errors = {n: r for n, r in failed.items() if r.severity == dg.AssetCheckSeverity.ERROR}
    worst = {**errors, **failed}
    reasons = [f"{name}: {result.description}" for name, result in worst.items()]
    named = " ".join(reasons[:MAX_ACCOUNTS_NAMED])
    more = len(reasons) - MAX_ACCOUNTS_NAMED
    shown = [
        {"account": name, "severity": result.severity.value, "why": result.description}
        for name, result in list(worst.items())[:MAX_ACCOUNTS_SHOWN]
    ]
    description = (
        f"{len(failed):,} of {len(results):,} accounts failed. {named}"
        + (f" And {more:,} more." if more > 0 else "")
        if failed
        else f"All {counted(len(results), 'account')} passed."
    )
    return dg.AssetCheckResult(
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if errors else dg.AssetCheckSeverity.WARN,
        description=description,
        metadata={
            "accounts": len(results),
            "accounts_that_fail": len(failed),
            "failures": as_table(shown),
        },
    )


def evaluate_complete(database: Database, source: SourceConfig, table: str) -> dg.AssetCheckResult:
    """Check the completeness that the newest sync logged, and the newest full one before it."""
    none: Row = {"complete": None, "reason": "No sync has been logged yet."}
    columns = ", ".join(("complete", "reason", "warning", "full_sync", *EVIDENCE))
    log, own = quote_name(source.name, sync_log_table(table)), account_filter(source.account)
    syncs = database.sql(f"from {log} select {columns} where {own}")
    full_syncs = syncs.filter("full_sync is not false")
    row, full = (
        next(iter(fetch_rows(each.order("sync_number desc").limit(1))), none)
        for each in (syncs, full_syncs)
    )
    complete, problems = row["complete"], [row["warning"]] if row.get("warning") else []
    if full not in (row, none) and full["complete"] is not True:
        problems.append(f"The newest full sync may not be complete: {full['reason']}")
    is_error = complete is False
    return dg.AssetCheckResult(
        passed=complete is True and not problems,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        description=" ".join([row["reason"], *problems]),
        metadata={name: row[name] for name in EVIDENCE if row.get(name) is not None},
    )


def evaluate_no_rejects(
    database: Database, source: SourceConfig, table: str
) -> dg.AssetCheckResult:
    """Count the records of the newest sync that break the contract, by reason."""
    schema, own = source.name, account_filter(source.account)
    log = sync_log_table(table)
    full = f"full_sync is not false and {own}"
    newest = inspection.latest_value(database, schema, log, "sync_number", full)
    rejects, shown = quote_name(schema, rejects_table(table)), own
    if newest is not None:
        since = f"from {schema}.{log} select load_id where sync_number >= {newest} and {own}"
        shown = f"{own} and load_id in ({since})"
    grouped = f"from {rejects} select field, reason, count(*) as records where {shown} group by all"
    reasons = fetch_rows(database.sql(f"{grouped} order by records desc, reason"))
    total = sum(reason["records"] for reason in reasons)
    examples, problems = [], []
    if total:
        first = f"from {rejects} select id, field, reason, record where {shown} order by id"
        examples = fetch_rows(database.sql(f"{first} limit {MAX_EXAMPLES}"))
        why = "; ".join(
            f"{describe_reject(reason['field'], reason['reason'])} ({reason['records']:,})"
            for reason in reasons[:5]
        )
        problems.append(
            f"{counted(total, 'record', 'break')} the contract: {why}; {fix_hint(table)} in "
            "defs.yaml, or have the API's operator correct the records."
        )
    if table == EVENT_DATA and (bare := _count_bare_events(database, source)):
        problems.append(
            f"{counted(bare, 'event')} came with a status of removed events and without name and "
            "start, which erased their values: set `removed_when`, such as `{status: cancelled}`, "
            "in defs.yaml."
        )
    return dg.AssetCheckResult(
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description=" ".join(problems) or "Every record meets the contract.",
        metadata={"rejects": total, "by_reason": as_table(reasons), "examples": as_table(examples)},
    )


def _count_bare_events(database: Database, source: SourceConfig) -> int:
    """Count the events of the newest sync with the status of removed ones, no name and no start."""
    schema, own = source.name, account_filter(source.account)
    needed = {"status", "name", "start_time"}
    if source.removed_when or not needed <= {
        *inspection.column_types(database, schema, EVENT_DATA)
    }:
        return 0
    newest = inspection.latest_value(database, schema, SYNC_LOG, "load_id", own)
    bare = (
        f"{own} and _dlt_load_id = {quote_literal(newest or '')} and name is null "
        "and start_time is null "
        "and lower(status::varchar) in ('cancelled', 'canceled', 'deleted', 'removed')"
    )
    rows = f"from {quote_name(schema, EVENT_DATA)} select count(*) where {bare}"
    ((count,),) = database.execute(rows).fetchall()
    return int(count)


def evaluate_fresh(
    database: Database, source: SourceConfig, freshness: FreshnessConfig
) -> dg.AssetCheckResult:
    """Check the age of the newest sync that `event_data` holds."""
    own = account_filter(source.account)
    newest = inspection.latest_value(database, source.name, SYNC_LOG, "finished_at", own)
    return evaluate_age(newest, freshness)


def evaluate_age(synced: datetime | None, freshness: FreshnessConfig) -> dg.AssetCheckResult:
    """Evaluate `fresh` by the time of the newest sync."""
    if synced is None:
        return dg.AssetCheckResult(
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description="There has been no sync yet.",
        )
    age = (datetime.now(UTC) - synced).total_seconds() / 60
    is_late = age > freshness.warn_after_minutes
    overdue = age > freshness.fail_after_minutes
    advice = ": check for failed runs, and that the schedule is on and the daemon runs."
    is_ahead = age < -MAX_CLOCK_DIFFERENCE
    description = f"The newest sync is {format_age(age)} old{advice if is_late else '.'}"
    if is_ahead:
        description = (
            f"The newest sync ended {format_age(-age)} from now: the clock of this machine, or of "
            "the one that synced, is wrong. Correct it, and sync again."
        )
    return dg.AssetCheckResult(
        passed=not is_late and not is_ahead,
        severity=dg.AssetCheckSeverity.ERROR if overdue else dg.AssetCheckSeverity.WARN,
        description=description,
        metadata={
            "age_minutes": round(age, 2),
            "last_sync": dg.MetadataValue.timestamp(synced),
            "warn_after_minutes": freshness.warn_after_minutes,
            "fail_after_minutes": freshness.fail_after_minutes,
        },
    )
