"""A check of many accounts: each judged by itself, and all told as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import dagster as dg
import duckdb

from event_assets import account_list
from event_assets.metadata import as_table
from event_assets.source import EventSource

Judge = Callable[[duckdb.DuckDBPyConnection, EventSource], dg.AssetCheckResult]
NAMED = 3  # accounts in a description
SHOWN = 100  # in the table


def for_accounts(
    database: duckdb.DuckDBPyConnection, source: EventSource, account: str | None, judge: Judge
) -> dg.AssetCheckResult:
    """Judge a source, or one of its accounts; without an account, all that are listed."""
    if source.accounts is None:
        return judge(database, source)
    if account is not None:
        return judge(database, source.of_account(account))
    names = account_list.listed(source, database)
    return as_one({name: judge(database, source.of_account(name)) for name in names})


def as_one(results: Mapping[str, dg.AssetCheckResult]) -> dg.AssetCheckResult:
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
                    for name, r in list(worst.items())[:SHOWN]
                ]
            ),
        },
    )
