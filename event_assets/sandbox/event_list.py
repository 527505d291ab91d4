"""The list of rows a sandbox serves: the events as JSON, in order, and what became of them."""

import heapq
import math
import random
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import orjson

from event_assets.sandbox.simulation import World

Source: TypeAlias = World | Sequence[Mapping[str, Any]]


class Row:
    """One row: its id (None if it has no text as id), its JSON, its place in the first list."""

    __slots__ = ("body", "ident", "serial")

    def __init__(self, event: Mapping[str, Any], serial: int) -> None:
        """Serialise `event`, the `serial`th row (from 1) that the list ever had."""
        ident = event.get("id")
        self.ident: str | None = ident if isinstance(ident, str) else None
        self.body = _json(event)
        self.serial = serial


class Listing:
    """The rows of a world or of given events; not safe for use by two threads at once.

    Instants are seconds since 1970.
    """

    def __init__(self, source: Source, at: float, seed: int = 0) -> None:
        """Serve `source` as of `at`; `seed` decides where rows are deleted and inserted."""
        self.rows: list[Row] = []
        self.deleted: list[str] = []
        self.inserted: list[str] = []
        self._random = random.Random(seed)  # noqa: S311 (repeatable, not secret)
        self._spare = World(1, seed, frozen=True)
        self._serial = 0
        self._present: set[str] = set()
        self.replace(source, at)
        self.begin_phase()

    def replace(self, source: Source, at: float) -> None:
        """Serve `source` from now on, as of `at`."""
        self.rows = []
        self._world = source if isinstance(source, World) else None
        self._live: dict[int, Row] = {}  # a world's rows by the number of their event
        self._due: list[tuple[float, int]] = []  # a heap: when which of them changes next
        self._next: int | None = None  # the number of the event to be published next
        self._at = at
        if isinstance(source, World):
            self.advance(at)
        else:
            self.rows = [self._row(event) for event in source]
        self._present &= set(self.ids())

    def advance(self, at: float) -> None:
        """Bring a world's rows to `at`; costs as much as changed since the last time.

        An instant before the last one makes the list anew, without deletions and insertions.
        """
        world = self._world
        if world is None:
            return
        if at < self._at:
            self.replace(world, at)
            return
        self._at = at
        gone: set[Row] = set()
        while self._due and self._due[0][0] <= at:
            row = self._refresh(world, heapq.heappop(self._due)[1])
            if row is not None:
                gone.add(row)
        if gone:
            self.rows = [row for row in self.rows if row not in gone]
            self._present.difference_update(row.ident for row in gone if row.ident is not None)
        numbers = world.numbers(at)
        first = numbers.start if self._next is None else max(self._next, numbers.start)
        for number in range(first, numbers.stop):
            self._refresh(world, number)
        self._next = numbers.stop

    def ids(self) -> list[str]:
        """Return the ids of the rows, in their order."""
        return [row.ident for row in self.rows if row.ident is not None]

    def begin_phase(self) -> None:
        """Let `present_throughout` begin with the rows of now; forget what was done before."""
        self.deleted = []
        self.inserted = []
        self._present = set(self.ids())

    def present_throughout(self) -> set[str]:
        """Return the ids that were in the list at all times since the phase began."""
        return set(self._present)

    def delete(self, before: int) -> None:
        """Delete a random row: one of the first `before`, or any if `before` is 0."""
        if not self.rows:
            return
        row = self.rows.pop(self._random.randrange(min(before, len(self.rows)) or len(self.rows)))
        if row.ident is not None:
            self.deleted.append(row.ident)
            self._present.discard(row.ident)

    def insert(self, before: int) -> None:
        """Insert a new row in front of a random one: of the first `before`, or of any if 0."""
        event, _ = self._spare.event(-1 - self._serial, self._at)
        row = self._row({**(event or {}), "id": f"evt_inserted_{self._serial + 1:06d}"})
        self.rows.insert(
            self._random.randrange(min(before, len(self.rows)) or len(self.rows) + 1), row
        )
        self.inserted.append(str(row.ident))

    def _refresh(self, world: World, number: int) -> Row | None:
        """Make, renew or drop the row of an event; return it if it was dropped."""
        event, until = world.event(number, self._at)
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
    # A copy, because what orjson returns occupies some 8 KB, however short it is.
    return bytes(memoryview(orjson.dumps(event)))
