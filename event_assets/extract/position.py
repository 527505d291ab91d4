"""The position of an incremental sync: the newest value of its cursor that is surely complete."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from operator import attrgetter
from typing import Any

from event_assets.config.fields import FieldConfig
from event_assets.config.source import ResourceConfig
from event_assets.extract.cursor import IncrementalCursor
from event_assets.extract.records_selector import PLAIN_SELECTOR
from event_assets.records.contract import build_contract
from event_assets.values import timestamps
from event_assets.values.conversion import ISO_PATTERN, to_json
from event_assets.values.errors import ExpiredPositionError
from event_assets.values.json_paths import Getter, as_list, first_present, values_at
from event_assets.values.response_paths import compile_path, find_value
from event_assets.values.wording import counted

CHUNK_SIZE = 1_000  # records
MARGIN = timedelta(minutes=1)  # clocks differ
CLOCK_CHANGE = timedelta(hours=2)  # a clock may show its hour twice
ANY_ZONE = timedelta(days=1)  # of local times whose zone is not known
MIN_EPOCH, UNIT = 1_000_000_000, 1_000  # seconds since 1970; 100 times that and more: ms, us, ns
NUMERIC_TEXT = re.compile(r"\d{1,30}(\.\d{1,12})?", re.ASCII)
ZONE_AT_END = re.compile(
    r"(?:\d *Z|UTC?|GMT|[ECMP][SD]T|[+-]\d\d:\d\d|\d [+-]\d{4}) *$", re.IGNORECASE
)
EXAMPLE_LENGTH = 40
ORDER = attrgetter("order")
# Records from before the start that was asked for: by more than a day, if it is a time, of which an
# API may take the day only; from so many on, and if they are most, the start was ignored.
EARLY = timedelta(days=2)
MIN_EARLY = 3


@dataclass(frozen=True)
class CursorValue:
    """A value of a cursor, as what it stands for."""

    raw: Any  # as the API wrote it, and takes it
    order: float  # an instant in seconds since 1970, or a number of another kind
    kind: str  # of its notation; values of two kinds are not compared, nor sent for each other
    # by which it must be older than the sync; None: it is no time, and must be no newer than what
    # the sync before received
    margin: timedelta | None


class CursorReader:
    """Reads the cursor of a resource from its records.

    A local time is one of the zone that its field in the contract has; without, it may be of any.
    """

    def __init__(self, resource: ResourceConfig, cursor: IncrementalCursor) -> None:
        self.path = cursor.cursor_path
        self._getters = _build_getters(self.path)
        field = _find_field(resource, self.path)
        self._format = field.format if field and "%" in (field.format or "") else None
        zones = [timestamps.parse_zone(zone) for zone in as_list(field.timezone if field else None)]
        self._zone = zones[0] if len(zones) == 1 else None

    def values(self, records: Sequence[Any]) -> list[tuple[Any, CursorValue | None]]:
        """Return the values in the records that have one; None with what cannot be a position."""
        values = first_present(self._getters, records)
        found = [value for value in values if value is not None and value != ""]
        return list(zip(found, self.parse(found), strict=True))

    def parse(self, values: Sequence[Any]) -> list[CursorValue | None]:
        """Return what each value stands for; None if it is neither a time nor a number."""
        times = timestamps.parse_timestamps(values, self._format, self._zone).to_pylist()
        return [self._parse(*pair) for pair in zip(values, times, strict=True)]

    def _parse(self, value: Any, moment: datetime | None) -> CursorValue | None:
        if type(value) is str:
            if moment:
                notation, has_zone = _notation(value, self._format)
                margin = MARGIN if has_zone else CLOCK_CHANGE if self._zone else ANY_ZONE
                return CursorValue(value, moment.timestamp(), notation, margin)
            if not NUMERIC_TEXT.fullmatch(value):
                return None
        elif type(value) not in (int, float):
            return None
        number, unit = float(value), 0
        while number >= 100 * MIN_EPOCH and unit < 3:
            number, unit = number / UNIT, unit + 1
        kind = f"{type(value) is str} number"
        if MIN_EPOCH <= number < 100 * MIN_EPOCH:
            return CursorValue(value, number, f"{kind} of time {unit}", MARGIN)
        return CursorValue(value, float(value), kind, None)


def _notation(text: str, format_: str | None) -> tuple[str, bool]:
    """Return the notation of a time, and whether it has a zone."""
    if format_:
        return "format", "%z" in format_
    iso = ISO_PATTERN.fullmatch(text)
    has_zone = bool(iso[8] if iso else ZONE_AT_END.search(text))
    # an API that is sent another notation may compare it as text
    shape = f"{text[4] == '-'} {text[10:11].upper()} {bool(iso[4])}" if iso else "other"
    return f"{shape} {has_zone}", has_zone


def _build_getters(path: str) -> Sequence[Getter]:
    """Build the functions that read a path: a member's name, a path of names, or a JSON path."""
    if not PLAIN_SELECTOR.fullmatch(path) and (compiled := compile_path(path)):
        return [lambda records: [find_value(record, compiled) for record in records]]
    return [  # which are fast
        lambda records: [record.get(path) if type(record) is dict else None for record in records],
        lambda records: values_at(records, path),
    ]


def _find_field(resource: ResourceConfig, path: str) -> FieldConfig | None:
    """Return the field of the contract that a cursor is, if it is one."""
    plain = path.removeprefix("$.")
    readers = build_contract(resource).values()
    fields = (reader.field for reader in readers if plain in reader.source_paths)
    return next((field for field in fields if field.type == "timestamp"), None)


class CursorTracker:
    """Tracks the position while the records of a sync are read.

    A value that is not older than the beginning of the sync is no position: a record that changes
    while the list is read may be in a page that was read already.

    Args:
        reader: of the cursor.
        loaded: the position that the changes were requested from; None: everything is read.
        received: the newest value that the syncs before received; None if there is none.
        start: that was asked for; None: everything is read.
        began_at: returns when the sync began; called when the first record has come.
    """

    def __init__(
        self,
        reader: CursorReader,
        loaded: Any,
        received: Any,
        start: Any,
        began_at: Callable[[], datetime],
    ) -> None:
        self._reader = reader
        self._loaded, self._received, self._start = reader.parse([loaded, received, start])
        self._began_at = began_at
        self._newest: dict[str, CursorValue] = {}  # by kind
        self._settled: dict[str, list[CursorValue]] = {}  # the two newest that can be positions
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, Any] = {}
        self._records = self._early = 0

    def observe(self, records: Iterable[Any]) -> Iterator[Any]:
        """Yield the records, to be read once."""
        source = iter(records)
        while chunk := list(islice(source, CHUNK_SIZE)):
            self._observe(chunk)
            yield from chunk

    def _observe(self, records: Sequence[Any]) -> None:
        self._records += len(records)
        for raw, value in self._reader.values(records):
            kind = value.kind if value else ""
            self._counts[kind] += 1
            self._examples.setdefault(kind, raw)
            if value:
                self._early += self._is_early(value)
                known = self._newest.get(value.kind, value)
                self._newest[value.kind] = max(known, value, key=ORDER)
                if self._is_settled(value):
                    settled = [value, *self._settled.get(value.kind, ())]
                    self._settled[value.kind] = _two_newest(settled)

    def _is_settled(self, value: CursorValue) -> bool:
        if value.margin is not None:
            return value.order <= (self._began_at() - value.margin).timestamp()
        before = self._received
        return before is not None and value.kind == before.kind and value.order <= before.order

    def _is_early(self, value: CursorValue) -> bool:
        """Return whether a value lies before the start that was asked for."""
        start = self._start
        if start is None or value.kind != start.kind:
            return False
        margin = 0.0 if start.margin is None else EARLY.total_seconds()
        return value.order < start.order - margin

    @property
    def _kind(self) -> str | None:
        """The kind of the cursor: that of the position loaded, or else of most values."""
        if self._loaded:
            return self._loaded.kind
        counts = {kind: count for kind, count in self._counts.items() if kind}
        return max(counts, key=lambda kind: counts[kind], default=None)

    @property
    def position(self) -> Any:
        """Where the next sync starts; None if it has to read everything.

        It is older than the newest value, if it can be: so a filter by it returns a record.
        """
        kind, loaded = self._kind, self._loaded
        others = [other for other in self._counts if other not in ("", kind)]
        if kind is None or (others and kind not in self._counts):
            return None  # the API writes its cursor in another way now
        if loaded and loaded.margin is not None and not self._is_settled(loaded):
            return None  # it was made by a clock that was ahead
        known = [loaded] if loaded and loaded.kind == kind else []
        positions = _two_newest([*self._settled.get(kind, ()), *known])
        newest = self._find_newest()
        older = [value for value in positions if newest and value.order < newest.order]
        return next((value.raw for value in (*older, *positions)), None)

    def require_newer(self) -> None:
        """Raise if a record that is newer than the start was received before: one had to come.

        Raises:
            ExpiredPositionError: the API may read the start as something else.
        """
        start, newest = self._start, self._received
        if start and newest and start.kind == newest.kind and start.order < newest.order:
            raise ExpiredPositionError(
                f"The API has no record since {to_json(start.raw)[:EXAMPLE_LENGTH]}, though it "
                f"had one of {to_json(newest.raw)[:EXAMPLE_LENGTH]}."
            )

    @property
    def newest(self) -> Any:
        """The newest value of the list, as far as this sync and those before received it."""
        found = self._find_newest()
        return found.raw if found else None

    def _find_newest(self) -> CursorValue | None:
        before = self._received if self._loaded else None  # else everything was read now
        known = [v for v in (before, *self._newest.values()) if v and v.kind == self._kind]
        return max(known, key=ORDER, default=None)

    @property
    def warning(self) -> str | None:
        """What is wrong with the values of the cursor, in a sentence."""
        path = self._reader.path
        if self._records and not self._counts:
            return f"No record has a `{path}`, the `cursor_path` of `incremental`: correct it."
        if self._start and self._early >= MIN_EARLY and 2 * self._early > self._records:
            start = to_json(self._start.raw)[:EXAMPLE_LENGTH]
            return (
                f"The `{path}` of {self._early:,} of {self._records:,} records is before {start}, "
                "from which on changes were asked for: the API ignores the start; correct "
                "`incremental`."
            )
        others = {kind: n for kind, n in self._counts.items() if kind != self._kind}
        if not others:
            return None
        example = to_json(self._examples[max(others, key=lambda kind: others[kind])])
        return (
            f"The `{path}` of {counted(sum(others.values()))} is neither a time nor a number, or "
            f"written unlike the others, such as {example[:EXAMPLE_LENGTH]}: the next sync does "
            "not continue from it."
        )


def _two_newest(values: Iterable[CursorValue]) -> list[CursorValue]:
    """Return the values with the two highest orders, the highest first."""
    by_order = {value.order: value for value in values}
    return [by_order[order] for order in sorted(by_order, reverse=True)[:2]]
