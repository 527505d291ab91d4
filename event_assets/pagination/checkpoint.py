"""Checkpoints: where a paginator is, so that a later run can resume there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from event_assets.pagination.seen_ids import DistinctIds


@dataclass(frozen=True)
class PaginationCheckpoint:
    """A paginator's state between two pages."""

    snapshot: str  # JSON, without the ids
    seen: DistinctIds


def recent_ids(snapshot: str) -> set[str]:
    """Return the ids received last before a snapshot."""
    recent = json.loads(snapshot)["recent"]
    return {key for key, _ in (*recent["old"], *recent["new"]) if isinstance(key, str)}


def no_snapshot() -> None:
    """Return None: this paginator cannot be resumed."""


@dataclass
class CheckpointHandle:
    """Connects a stream to the copy of its paginator that dlt runs.

    `take_snapshot` returns the current state as JSON, or None while no run could resume there;
    `count_new_ids` returns the number of distinct ids since the last call; None: unknown.
    """

    resume_from: PaginationCheckpoint | None = None
    take_snapshot: Callable[[], str | None] = no_snapshot
    count_new_ids: Callable[[], int | None] = no_snapshot
