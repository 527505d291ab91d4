"""One sync as it runs, and the row that it leaves in `event_data_syncs`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import islice
from typing import Any

from event_assets.conversion import to_json
from event_assets.increments import Increment
from event_assets.paging import Outcome, Readings
from event_assets.progress import Progress, Show
from event_assets.records import Reject, Shaper
from event_assets.retries import Traffic

SYNCS = "event_data_syncs"
CHUNK = 1_000  # records looked at together
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
    "full_sync": "boolean",
    "position": "json",
    "version": "varchar",
}


def syncs_of(table: str) -> str:
    """Name the table that says how the syncs of a table went."""
    return f"{table}_syncs"


@dataclass
class Sync:
    """One sync: what was asked and received, and whether that is all.

    Attributes:
        show: is told how far the sync is, after every page.
        types: the columns that the table has, and their types.
        exact: its columns of whole numbers that can become floats.
        increment: how the API is asked for what is new only, if it is.
        position: how far the syncs before came; None: everything is read.
        reject: takes the records that break the contract.
        traffic: requests, retries and bytes of its session.
        outcome: what paging says of the rows so far; in the end, its verdict.
        readings: the lists that are read, where there are many.
        kept: records that are loaded.
        shaped: what the records were like, once there are some.
    """

    show: Show
    types: Mapping[str, str] = field(default_factory=dict)
    exact: frozenset[str] = frozenset()
    increment: Increment | None = None
    position: Any = None
    reject: Callable[[Sequence[Reject]], None] = lambda _: None
    kept: int = 0
    shaped: Shaper | None = None
    readings: Readings | None = None
    traffic: Traffic = field(default_factory=Traffic)
    outcome: Outcome = field(default_factory=lambda: Outcome(False, "No answer was read."))
    started_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    _furthest: Any = None
    _clock: float = field(default_factory=time.monotonic, repr=False)

    @property
    def is_full(self) -> bool:
        """Is everything read, so that what does not come is gone?"""
        return self.position is None

    @property
    def seconds(self) -> float:
        """Since the sync began."""
        return time.monotonic() - self._clock

    def note(self, outcome: Outcome) -> None:
        """Keep what paging says after a page, and show it."""
        self.outcome = outcome
        self.show(self.progress)

    def watching(self, records: Iterable[Any]) -> Iterator[Any]:
        """Hand records on, and see how far they go."""
        if self.increment is None:
            yield from records
            return
        source = iter(records)
        while chunk := list(islice(source, CHUNK)):
            self._furthest = self.increment.furthest(chunk, self._furthest, self.started_at)
            yield from chunk

    def _reached(self) -> Any:
        """How far the table is now: no further than before, when something may be missing."""
        if self.outcome.complete is not True or self._furthest is None:
            return self.position
        if type(self._furthest) is not type(self.position):
            return self._furthest
        return max(self._furthest, self.position)

    def _since(self) -> str:
        return f"Of what changed since {str(self.position)[:40]}: "

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

    def row(self, load_id: str, api: str, version: str) -> dict[str, Any]:
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
            "reason": outcome.reason if self.is_full else self._since() + outcome.reason,
            "full_sync": self.is_full,
            "position": json.dumps(self._reached()),
            "version": version,
        }
