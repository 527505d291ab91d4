"""Evaluate the check `unique_ids`: of the table, and of the records of the newest syncs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from event_assets.config.fields import START
from event_assets.config.source import SourceConfig
from event_assets.config.source_files import EVENT_DATA
from event_assets.orchestration.metadata import as_table
from event_assets.records.contract import build_contract
from event_assets.sync.removed import REMOVED_WHEN
from event_assets.sync.sync_log import SYNC_LOG
from event_assets.values.json_text import decode_stored
from event_assets.values.redaction import MASK
from event_assets.values.wording import counted
from event_assets.warehouse import Database
from event_assets.warehouse.inspection import fetch_rows
from event_assets.warehouse.sql import account_filter, quote_name

MAX_EXAMPLES = 5
ERASED: dict[str, Any] = {"id": MASK, "field": None, "values": []}  # left by `erase`


def evaluate_unique_ids(database: Database, source: SourceConfig) -> dg.AssetCheckResult:
    """Check that `id` is unique and never null in `event_data`, and was in what the API sent."""
    events, own = quote_name(source.name, EVENT_DATA), account_filter(source.account)
    counts = f"from {events} select count(*), count(distinct id), count(id) where {own}"
    ((rows, distinct, known),) = database.execute(counts).fetchall()
    missing, duplicates = rows - known, known - distinct
    repeated = f"from {events} select id, count(*) as rows where {own} group by id having rows > 1"
    first_ids = f"{repeated} order by id limit {MAX_EXAMPLES}"
    examples = fetch_rows(database.sql(first_ids)) if duplicates else []
    sync = _sync_with_most_repeats(database, source)
    problem = ""
    if duplicates or missing:
        table, key = f"{source.name}.{EVENT_DATA}", [*source.partition_columns, "id"]
        first = f"select min(rowid) from {table} group by {', '.join(key)}"  # noqa: S608 (our names)
        delete = f"delete from {table} where id is null or rowid not in ({first})"  # noqa: S608 (our names)
        problem = f": something else writes to the table; run `{delete}`, and sync again"
    elif sync["repeated_ids"]:
        examples = decode_stored(sync["repeats"], list[dict[str, Any]]) or [ERASED]
        problem = f". {_describe_repeats(source, sync, examples)}"
    is_error = bool(duplicates or missing or sync["conflicting_ids"])
    return dg.AssetCheckResult(
        passed=not problem,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        description=f"{counted(rows, 'row')}, {counted(distinct, 'id')}, "
        f"{counted(duplicates, 'duplicate')}, {missing:,} null"
        f"{problem}.",
        metadata={
            "rows": rows,
            "distinct_ids": distinct,
            "duplicates": duplicates,
            "nulls": missing,
            "repeated_ids": sync["repeated_ids"],
            "conflicting_ids": sync["conflicting_ids"],
            "examples": as_table(examples),
        },
    )


def _sync_with_most_repeats(database: Database, source: SourceConfig) -> Mapping[str, Any]:
    """Return the repeats of the newest full sync, or of a later one that had more."""
    none = {"repeated_ids": 0, "conflicting_ids": 0}
    log, own = quote_name(source.name, SYNC_LOG), account_filter(source.account)
    newest_full = f"from {log} select max(sync_number) where full_sync is not false and {own}"
    found = (
        f"from {log} select repeated_ids, conflicting_ids, repeats "
        f"where {own} and repeated_ids > 0 and sync_number >= ({newest_full}) "
        "order by conflicting_ids desc, repeated_ids desc limit 1"
    )
    return next(iter(fetch_rows(database.sql(found))), none)


def _describe_repeats(
    source: SourceConfig, sync: Mapping[str, Any], examples: Sequence[Mapping[str, Any]]
) -> str:
    """Return how many ids several records share, an example, and what to set."""
    ids, conflicts, first = sync["repeated_ids"], sync["conflicting_ids"], examples[0]
    named = f"such as `{first['id']}`"
    if first["field"] == REMOVED_WHEN:
        return (
            f"The API sent {counted(ids, 'id')} more than once, {named}, as removed and as not "
            "removed, and counts as removed: correct `removed_when`, or the `primary_key`, unless "
            "it was removed while the list was read"
        )
    if not conflicts:
        return f"The API sent {counted(ids, 'id')} more than once, {named}, with equal records"
    field = first["field"]
    differing = f": the records differ in `{field}`" if field else ""
    return (
        f"Different records share {counted(conflicts, 'id')}, {named}, and only the first of each "
        f"is loaded{differing}; {_advise_key(source, field)}, or sync again "
        "if events changed while the list was read"
    )


def _advise_key(source: SourceConfig, field: str | None) -> str:
    """Return what to set, by a field in which records that share an id differ."""
    ids, parent = source.events.id_paths, source.events.parent
    if parent:
        own = source.resources[parent].primary_key or ["id"]
        keys = [*(f"_{parent}_{name}" for name in own), *ids]
        include = f"`include_from_parent: [{', '.join(own)}]` and "
        return f"if they are of several `{parent}`, set {include}`primary_key: [{', '.join(keys)}]`"
    if field != START:  # an event that is renamed is still the same
        return "set as `primary_key` what else tells them apart"
    paths = [*ids, *_paths_of(source, field)]
    if source.fields["id"].source:
        template = ":".join(f"{{{path}}}" for path in paths)
        return f'set `from: "{template}"` of the field `id`, or what else tells them apart'
    return f"set `primary_key: [{', '.join(paths)}]`, or what else tells them apart"


def _paths_of(source: SourceConfig, column: str) -> Sequence[str]:
    """Return the path of a column's values; of several, the first."""
    reader = build_contract(source.events).get(column)
    return reader.source_paths[:1] if reader else [column.replace("__", ".")]
