"""The ordered rows that a sandbox serves as JSON, with their deletions and insertions."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

import orjson

from event_assets.sandbox.simulation import FROZEN_AT, EventSimulation

INTERVAL = timedelta(minutes=1)  # at which simulated rows change
Source: TypeAlias = EventSimulation | Sequence[Mapping[str, Any]]


class Row(NamedTuple):
    """A row: its id (None unless it is text) and its JSON."""

    ident: str | None
    body: bytes


class EventList:
    """The rows of a simulation or of given events. Not thread-safe."""

    def __init__(self, source: Source, at: datetime, seed: int = 0) -> None:
        """Serve `source` as of `at`; `seed` picks the rows that faults delete and insert."""
        self._random = random.Random(seed)  # noqa: S311 (repeatable, not secret)
        self._spare = EventSimulation(1, seed, frozen=True)
        self._inserted = 0
        self.replace(source, at)

    def replace(self, source: Source, at: datetime) -> None:
        """Replace all rows with `source` as of `at`."""
        self._at = at
        self._simulation = source if isinstance(source, EventSimulation) else None
        events = source.events(at) if isinstance(source, EventSimulation) else source
        self.rows = [*map(_row, events)]

    def advance(self, at: datetime) -> None:
        """Replace simulated rows with those of `at`, without earlier deletions and insertions.

        Within a minute they stay: to simulate them takes longer than to serve a page.
        """
        if self._simulation and not self._simulation.frozen and abs(at - self._at) >= INTERVAL:
            self.replace(self._simulation, at)

    def delete(self, before: int) -> Row | None:
        """Delete a random row among the first `before` rows (0: among all)."""
        count = min(before, len(self.rows)) or len(self.rows)
        return self.rows.pop(self._random.randrange(count)) if self.rows else None

    def insert(self, before: int) -> Row:
        """Insert a new row before a random row among the first `before` rows (0: among all)."""
        self._inserted += 1
        event = self._spare.event(-self._inserted, FROZEN_AT)
        row = _row({**(event or {}), "id": f"evt_inserted_{self._inserted:06d}"})
        count = min(before, len(self.rows)) or len(self.rows) + 1
        self.rows.insert(self._random.randrange(count), row)
        return row


def _row(event: Mapping[str, Any]) -> Row:
    ident = event.get("id")
    # A copy: the bytes that orjson returns hold about 8 KB, however short they are.
    body = bytes(memoryview(orjson.dumps(event)))
    return Row(ident if isinstance(ident, str) else None, body)
