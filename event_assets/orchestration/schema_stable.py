"""Evaluate the check `schema_stable`: of the columns that syncs fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, takewhile
from typing import Any

import dagster as dg

from event_assets.config.source import SourceConfig
from event_assets.orchestration.metadata import as_table
from event_assets.sync.sync_log import SYNC_LOG
from event_assets.values.json_text import decode_stored
from event_assets.values.wording import counted
from event_assets.warehouse import Database
from event_assets.warehouse.inspection import fetch_rows
from event_assets.warehouse.sql import account_filter, quote_name

MAX_EXAMPLES = 5
MIN_ROWS = 10  # in which a column of the contract should have a value
ESSENTIAL = ("name", "start_time")  # others, such as an end, some APIs never send
SYNCS = """
from {log} select sync_number, columns, unmatched, rows_read, full_sync is not false as is_full
where {own} and rows_read > 0 and json_type(columns) = 'OBJECT'
"""
Columns = dict[str, Any]  # types by name
Sync = Mapping[str, Any]


def evaluate_schema_stable(database: Database, source: SourceConfig) -> dg.AssetCheckResult:
    """Compare the columns that the newest sync filled with those of the syncs before.

    What is configured for fields that no record had is reported, too: of the contract, if they
    were there before, or no event is without them.
    """
    log, own = quote_name(source.name, SYNC_LOG), account_filter(source.account)
    syncs = database.sql(SYNCS.format(log=log, own=own)).order("sync_number desc")
    recent = fetch_rows(syncs.limit(MIN_ROWS))  # each has a row at least
    if not recent:
        return dg.AssetCheckResult(passed=True, description="No record was received yet.")
    newest = recent[0]
    earlier = syncs.filter(f"sync_number < {newest['sync_number']}")
    known = {name for (name,) in earlier.project("unnest(json_keys(columns))").fetchall()}
    full = fetch_rows(earlier.filter("is_full").limit(1))
    now, before = _columns(newest), _columns(*full)
    if not newest["is_full"]:  # a few events may all lack what others have
        before = {name: now.get(name) for name in known} | before | _columns(*recent[:0:-1])
    changes = {
        "new": [name for name in now if before and name not in before],
        "gone": [name for name in before if newest["is_full"] and name not in now],
        "of another type": [name for name in now if before.get(name, now[name]) != now[name]],
    }
    empty = _find_empty(source, recent, known)
    whole = [newest, *full] if newest["is_full"] else full
    unmatched = decode_stored(whole[0]["unmatched"], list[str]) if whole else None
    changed = [
        {"column": name, "before": before.get(name), "now": now.get(name)}
        for name in chain.from_iterable(changes.values())
    ]
    problems = []
    if changed:
        differences = "; ".join(
            f"{len(names):,} {kind}: {', '.join(names[:MAX_EXAMPLES])}"
            for kind, names in changes.items()
            if names
        )
        problems.append(f"{differences}; check that what reads these columns still works.")
    if unmatched:
        named = "`, `".join(unmatched[:MAX_EXAMPLES])
        where = "`exclude`, `only` or `ignore_changes`"
        problems.append(f"No record has `{named}`: correct it in {where}.")
    if empty:
        named = "`, `".join(empty[:MAX_EXAMPLES])
        problems.append(f"No record has a value for `{named}`: correct its `from` in `fields`.")
    return dg.AssetCheckResult(
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description=" ".join(problems) or f"{counted(len(now), 'column')}, as before.",
        metadata={"columns": len(now), "changes": as_table(changed)},
    )


def _columns(*syncs: Sync) -> Columns:
    """Return the columns that syncs filled, with the type that the last of them found."""
    found: Columns = {}
    for sync in syncs:
        found |= decode_stored(sync["columns"], dict[str, Any]) or {}
    return found


def _find_empty(source: SourceConfig, recent: Sequence[Sync], known: set[str]) -> list[str]:
    """Return the columns of the contract without a value in the newest rows, if these are enough.

    Of changes, which are few and may all lack what is optional, those that all events have.
    """
    rows, filled, expected = 0, set[str](), {*ESSENTIAL}
    if recent[0]["is_full"]:
        recent, expected = recent[:1], expected | known
    for sync in takewhile(lambda one: one["is_full"] is recent[0]["is_full"], recent):
        if rows < MIN_ROWS and (columns := _columns(sync)):  # all may be of removed events
            rows += sync["rows_read"]
            filled |= columns.keys()
    return sorted((expected & source.fields.keys()) - filled) if rows >= MIN_ROWS else []
