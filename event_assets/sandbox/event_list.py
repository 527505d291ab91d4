"""The ordered rows that a sandbox serves as JSON, with their deletions and insertions."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import orjson

from event_assets.sandbox.simulation import FROZEN_AT, EventSimulation

INTERVAL = timedelta(minutes=1)  # at which simulated rows change
Source: TypeAlias = EventSimulation | Sequence[Mapping[str, Any]]


class Row:
    """A row: its id (None unless it is text), its JSON body and its serial number."""

    __slots__ = ("body", "ident", "serial")

    def __init__(self, event: Mapping[str, Any], serial: int) -> None:
        """Serialize `event`, the `serial`th row (from 1) added to the list."""
        ident = event.get("id")
        self.ident: str | None = ident if isinstance(ident, str) else None
        self.body = _json(event)
        self.serial = serial


class EventList:
    """The rows of a simulation or of given events. Not thread-safe."""

    def __init__(self, source: Source, at: datetime, seed: int = 0) -> None:
        """Serve `source` as of `at`; `seed` picks the rows that faults delete and insert."""
        self._random = random.Random(seed)  # noqa: S311 (repeatable, not secret)
        self._spare = EventSimulation(1, seed, frozen=True)
        self._serial = 0
        self._present: set[str] = set()
        self.replace(source, at)
        self.begin_phase()

    def replace(self, source: Source, at: datetime) -> None:
        """Replace all rows with `source` as of `at`."""
        self._at = at
        self._simulation = source if isinstance(source, EventSimulation) else None
        events = source.events(at) if isinstance(source, EventSimulation) else source
        self.rows = [self._row(event) for event in events]
        self._present &= set(self.ids())

    def advance(self, at: datetime) -> None:
        """Replace simulated rows with those of `at`, without earlier deletions and insertions.

        Within a minute they stay: to simulate them takes longer than to serve a page.
        """
        if self._simulation and not self._simulation.frozen and abs(at - self._at) >= INTERVAL:
            self.replace(self._simulation, at)

    def ids(self) -> list[str]:
        """Return the ids of the rows in order."""
        return [row.ident for row in self.rows if row.ident is not None]

    def begin_phase(self) -> None:
        """Start a phase: reset `present_throughout`, `deleted` and `inserted`."""
        self.deleted: list[str] = []
        self.inserted: list[str] = []
        self._present = set(self.ids())

    def present_throughout(self) -> set[str]:
        """Return the ids present at all times since the phase began."""
        return set(self._present)

    def delete(self, before: int) -> None:
        """Delete a random row among the first `before` rows (0: among all)."""
        if not self.rows:
            return
        row = self.rows.pop(self._random.randrange(min(before, len(self.rows)) or len(self.rows)))
        if row.ident is not None:
            self.deleted.append(row.ident)
            self._present.discard(row.ident)

    def insert(self, before: int) -> None:
        """Insert a new row before a random row among the first `before` rows (0: among all)."""
        event = self._spare.event(-1 - self._serial, FROZEN_AT)
        row = self._row({**(event or {}), "id": f"evt_inserted_{self._serial + 1:06d}"})
        self.rows.insert(
            self._random.randrange(min(before, len(self.rows)) or len(self.rows) + 1), row
        )
        self.inserted.append(str(row.ident))

    def _row(self, event: Mapping[str, Any]) -> Row:
        self._serial += 1
        return Row(event, self._serial)


def _json(event: Mapping[str, Any]) -> bytes:
    # A copy: the bytes that orjson returns hold about 8 KB, however short they are.
    return bytes(memoryview(orjson.dumps(event)))
