"""The ordered rows that a sandbox serves as JSON, with their deletions and insertions."""

import heapq
import math
import random
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import orjson

from event_assets.sandbox.simulation import EventSimulation

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
    """The rows of a simulation or of given events. Not thread-safe.

    Times are seconds since the epoch.
    """

    def __init__(self, source: Source, at: float, seed: int = 0) -> None:
        """Serve `source` as of `at`; `seed` picks the rows that faults delete and insert."""
        self._random = random.Random(seed)  # noqa: S311 (repeatable, not secret)
        self._spare = EventSimulation(1, seed, frozen=True)
        self._serial = 0
        self._present: set[str] = set()
        self.replace(source, at)
        self.begin_phase()

    def replace(self, source: Source, at: float) -> None:
        """Replace all rows with `source` as of `at`."""
        self.rows: list[Row] = []
        self._simulation = source if isinstance(source, EventSimulation) else None
        self._live: dict[int, Row] = {}  # simulated rows by event number
        self._due: list[tuple[float, int]] = []  # heap of (time of next change, number)
        self._next: int | None = None  # number of the next event to publish
        self._at = at
        if isinstance(source, EventSimulation):
            self.advance(at)
        else:
            self.rows = [self._row(event) for event in source]
        self._present &= set(self.ids())

    def advance(self, at: float) -> None:
        """Advance simulated rows to `at`, in time proportional to the changes.

        An earlier time rebuilds the list without earlier deletions and insertions.
        """
        simulation = self._simulation
        if simulation is None:
            return
        if at < self._at:
            self.replace(simulation, at)
            return
        self._at = at
        removed: set[Row] = set()
        while self._due and self._due[0][0] <= at:
            row = self._refresh(simulation, heapq.heappop(self._due)[1])
            if row is not None:
                removed.add(row)
        if removed:
            self.rows = [row for row in self.rows if row not in removed]
            self._present.difference_update(row.ident for row in removed if row.ident is not None)
        numbers = simulation.numbers(at)
        first = numbers.start if self._next is None else max(self._next, numbers.start)
        for number in range(first, numbers.stop):
            self._refresh(simulation, number)
        self._next = numbers.stop

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
        event, _ = self._spare.event(-1 - self._serial, self._at)
        row = self._row({**(event or {}), "id": f"evt_inserted_{self._serial + 1:06d}"})
        self.rows.insert(
            self._random.randrange(min(before, len(self.rows)) or len(self.rows) + 1), row
        )
        self.inserted.append(str(row.ident))

    def _refresh(self, simulation: EventSimulation, number: int) -> Row | None:
        """Create, update or remove the row of an event; return the row if it was removed."""
        event, until = simulation.event(number, self._at)
        if event is None:
            return self._live.pop(number, None)
        row = self._live.get(number)
        if row is None:
            row = self._live[number] = self._row(event)
            self.rows.append(row)
        else:
            row.body = _json(event)
        if until < math.inf:
            heapq.heappush(self._due, (until, number))
        return None

    def _row(self, event: Mapping[str, Any]) -> Row:
        self._serial += 1
        return Row(event, self._serial)


def _json(event: Mapping[str, Any]) -> bytes:
    # A copy: the bytes that orjson returns hold about 8 KB, however short they are.
    return bytes(memoryview(orjson.dumps(event)))
