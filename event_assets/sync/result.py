"""The result of a sync, as a row of the sync log."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from event_assets.config.accounts import ACCOUNT
from event_assets.extract.stream import Stream
from event_assets.pagination.result import PaginationResult
from event_assets.sync.plan import SyncPlan
from event_assets.sync.repeats import Repeats
from event_assets.sync.typed_tables import ExtractedRecords
from event_assets.values.conversion import to_json


def build_row(
    plan: SyncPlan,
    stream: Stream,
    extracted: ExtractedRecords,
    result: PaginationResult,
    repeats: Repeats,
    load_id: str,
    table_rows: int,
) -> dict[str, Any]:
    """Build a sync's row of the sync log, by column; `result` is the verdict on the stream.

    `table_rows` are in the table after the load.
    """
    source, metrics, cursor = plan.resource.source, stream.metrics, extracted.cursor
    position = plan.cursor_value  # unchanged if records may be missing
    if result.complete:
        position = cursor.position if cursor else None
    read_from, read_until = _range_of_windows(plan, stream.started_at)
    bound = plan.bound if plan.cursor_value is None else f"since {plan.cursor_value}"
    return {
        "load_id": load_id,
        "api": source.origin,
        "started_at": stream.started_at,
        "finished_at": datetime.now(UTC),
        "requests": metrics.requests,
        "retries": metrics.retries,
        "bytes": metrics.bytes,
        "pages": result.facts.pages,
        "seams_held": result.facts.overlaps,
        "shifts_repaired": result.facts.shifts,
        "sweeps": result.facts.passes,
        "rows_read": result.facts.rows,
        "distinct_ids": result.facts.distinct,
        "total_reported": result.facts.reported,
        "rejects": extracted.builder.reject_count,
        "columns": to_json(extracted.builder.observed_types),
        "complete": result.complete,
        "reason": f"Changes {bound[:46]}: {result.reason}" if bound else result.reason,
        "full_sync": plan.is_full,
        "position": json.dumps(position),
        "newest": json.dumps(cursor.newest if cursor else None),
        "version": source.config_hash,
        "table_rows": table_rows,
        "warning": cursor.warning if cursor else None,
        "unmatched": to_json(
            extracted.builder.unmatched(source.ignore_changes if plan.resource.is_events else ())
        ),
        "repeated_ids": repeats.ids,
        "conflicting_ids": repeats.conflicts,
        "repeats": to_json(repeats.examples),
        "began_at": max(stream.began_at, stream.started_at),
        "read_from": read_from,
        "read_until": read_until,
        **({} if source.account is None else {ACCOUNT: source.account}),
    }


def _range_of_windows(
    plan: SyncPlan, started_at: datetime
) -> tuple[datetime | None, datetime | None]:
    """Return the start and the end of the windows that were read; None: the list has no limits."""
    config = plan.resource.source.windows if plan.resource.is_events else None
    return config.span(started_at) if config and not config.whole else (None, None)
