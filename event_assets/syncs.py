"""One sync as it runs, and the row that it leaves in `event_data_syncs`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from event_assets.conversion import to_json
from event_assets.paging import Outcome
from event_assets.progress import Progress, Show
from event_assets.records import Reject, Shaper
from event_assets.retries import Traffic

SYNCS = "event_data_syncs"
COLUMNS = {
    "load_id": "varchar",
    "api": "varchar",
    "started_at": "timestamptz",
    "finished_at": "timestamptz",
    "requests": "bigint",
    "retries": "bigint",
    "bytes": "bigint",
    "pages": "bigint",
    "seams_held": "bigint",
    "shifts_repaired": "bigint",
    "sweeps": "bigint",
    "rows_read": "bigint",
    "distinct_ids": "bigint",
    "total_reported": "bigint",
    "rejects": "bigint",
    "columns": "json",
    "complete": "boolean",
    "reason": "varchar",
}


@dataclass
class Sync:
    """One sync: what was asked and received, and whether that is all.

    Attributes:
        show: is told how far the sync is, after every page.
        traffic: requests, retries and bytes of its session.
        outcome: what paging says of the rows so far; in the end, its verdict.
        types: the columns that the table has, and their types.
        reject: takes the records that break the contract.
        may_widen: says whether the whole numbers in a column of the table can become floats.
        prepare: makes the table ready for what is loaded next.
        kept: events that are loaded.
        shaped: what the records were like, once there are some.
    """

    show: Show
    types: Mapping[str, str] = field(default_factory=dict)
    reject: Callable[[Sequence[Reject]], None] = lambda _: None
    may_widen: Callable[[str], bool] = lambda _: True
    prepare: Callable[[Shaper], None] = lambda _: None
    kept: int = 0
    shaped: Shaper | None = None
    traffic: Traffic = field(default_factory=Traffic)
    outcome: Outcome = field(default_factory=lambda: Outcome(False, "No answer was read."))
    started_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    _clock: float = field(default_factory=time.monotonic, repr=False)

    @property
    def seconds(self) -> float:
        """Since the sync began."""
        return time.monotonic() - self._clock

    def note(self, outcome: Outcome) -> None:
        """Keep what paging says after a page, and show it."""
        self.outcome = outcome
        self.show(self.progress)

    def progress(self) -> Progress:
        """Say how far the sync is."""
        outcome = self.outcome
        return Progress(
            events=outcome.rows - outcome.seams_held,
            total=outcome.total_reported,
            pages=outcome.pages,
            in_flight=self.traffic.in_flight,
            seconds=self.seconds,
        )

    def row(self, load_id: str, api: str) -> dict[str, Any]:
        """Give the sync's row in `event_data_syncs`, by column."""
        outcome, traffic = self.outcome, self.traffic
        return {
            "load_id": load_id,
            "api": api,
            "started_at": self.started_at,
            "finished_at": datetime.now(timezone.utc),
            "requests": traffic.requests,
            "retries": traffic.retries,
            "bytes": traffic.bytes,
            "pages": outcome.pages,
            "seams_held": outcome.seams_held,
            "shifts_repaired": outcome.shifts_repaired,
            "sweeps": outcome.sweeps,
            "rows_read": outcome.rows,
            "distinct_ids": outcome.distinct_ids,
            "total_reported": outcome.total_reported,
            "rejects": sum(self.shaped.reasons.values()) if self.shaped else 0,
            "columns": to_json(self.shaped.held if self.shaped else {}),
            "complete": outcome.complete,
            "reason": outcome.reason,
        }
