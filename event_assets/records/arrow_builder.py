"""From JSON records to typed Arrow tables, and the records that break the contract."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from operator import itemgetter
from typing import Any, NamedTuple, cast

import pyarrow as pa
import pyarrow.compute as pc
from dlt.common.schema.typing import TColumnSchema

from event_assets.config.accounts import ACCOUNT
from event_assets.config.fields import RESERVED_COLUMNS
from event_assets.records.column_names import LAST_SEEN, ColumnNamer
from event_assets.records.contract import FieldReader
from event_assets.records.field_selection import FieldSelection
from event_assets.records.stats import RecordStats, reject_key
from event_assets.values.json_paths import Path
from event_assets.values.types import (
    COLUMN_TYPES,
    MAX_EXACT_INTEGER,
    JsonTypes,
    accepts,
    infer_column_type,
    infer_type,
    json_types,
    to_arrow,
)

Leaf = tuple[Path, Sequence[Any], JsonTypes]  # a field's values, and their types
Columns = dict[str, tuple[pa.Field, pa.Array]]

BATCH_ROWS = 20_000  # rows of one Arrow table
CHUNK_ROWS = 2_000  # records turned into Arrow at once
DEPTH = 10  # levels of objects that become columns; what is deeper stays JSON


class Reject(NamedTuple):
    """A record that breaks the contract."""

    id: str | None
    record: str  # JSON
    field: str | None
    reason: str


class ArrowTableBuilder:
    """Turns one sync's records into Arrow tables, and remembers the types of their columns.

    Columns are the contract's fields, typed, and every other field: scalars by their JSON type,
    objects flattened to `a__b`, lists as JSON text. A field keeps its column's type: a value of
    another type goes on in a second column, `NAME__v_TYPE`, but a whole number that gets a fraction
    makes its column a float. A field that holds nothing but null is left out.

    Args:
        readers: the contract.
        own: further columns that are not the API's.
        types: the columns that the table has already, and their types by dlt's names.
        paths: where the values of those of another name come from.
        selection: which of the other fields to keep.
        reject: is given the records that break the contract, chunk by chunk.
        may_widen: says whether the whole numbers in a column of the table can become floats.
        tally: of the records that came before, of the same sync.

    Attributes:
        held: the columns that held a value so far, and their types by dlt's names.
        widened: columns of the table, of whole numbers, that must become floats.
        retyped: columns of the table that the contract has as another type, and which.
        reasons: how many records broke the contract so far, by field and reason.
        set_aside: how many did of those that it was given, repeats included.
    """

    def __init__(
        self,
        readers: Mapping[str, FieldReader],
        types: Mapping[str, str] | None = None,
        paths: Mapping[str, Sequence[str | None]] | None = None,
        *,
        own: Sequence[str] = (),
        selection: FieldSelection | None = None,
        reject: Callable[[Sequence[Reject]], None] = lambda _: None,
        may_widen: Callable[[str], bool] = lambda _: True,
        tally: RecordStats | None = None,
    ) -> None:
        tally = tally or RecordStats()
        self.observed_types, self.reasons = tally.observed_types, tally.reasons
        self._rejected, self._inexact = tally.rejected, tally.inexact
        self.rejected_rows = 0
        self._readers = readers
        self._selection = selection or FieldSelection()
        self._reject = reject
        self._may_widen = may_widen
        taken = (*readers, *RESERVED_COLUMNS, *own)
        self._names = ColumnNamer(taken, types or {}, paths or {})
        self._types = dict(types or {})
        self._known = dict(self._types)
        self.retyped = {
            name: reader.field.type
            for name, reader in readers.items()
            if self._types.get(name, reader.field.type) != reader.field.type
        }
        self._types |= {name: reader.field.type for name, reader in readers.items()}
        self.widened: list[str] = []
        self._whole = frozenset(reader.whole for reader in readers.values() if reader.whole)

    @property
    def width(self) -> int:
        """How many columns the table has with these records."""
        return len(self._types)

    @property
    def paths(self) -> dict[str, Path]:
        """Say where the values of columns come from, by those whose names do not say it."""
        return self._names.source_paths()

    def tables(self, records: Iterable[Any]) -> Iterator[pa.Table]:
        """Turn records into tables of about `BATCH_ROWS` rows."""
        source = iter(records)
        chunks: list[pa.Table] = []
        while chunk := list(islice(source, CHUNK_ROWS)):
            chunks.append(self.table(chunk))
            if len(chunks) * CHUNK_ROWS >= BATCH_ROWS:
                yield _joined(chunks)
                chunks.clear()
        if chunks:
            yield _joined(chunks)

    def table(self, records: Sequence[Any]) -> pa.Table:
        """Turn a few records into one table; those that break the contract are not in it."""
        good, typed = self._contract(records)
        columns = {name: (_field(name, self._types[name]), array) for name, array in typed.items()}
        leaves = list(self._leaves(good, ()))
        leaves.sort(key=lambda leaf: not self._names.is_identity(leaf[0]))
        for path, values, kinds in leaves:
            self._add_column(columns, path, values, kinds)
        for name, (field, array) in columns.items():
            if array.null_count < len(array):
                self.observed_types[name] = _kind(field)
        return pa.table(
            [array for _, array in columns.values()],
            schema=pa.schema([field for field, _ in columns.values()]),
        )

    def _contract(self, records: Sequence[Any]) -> tuple[Sequence[Any], dict[str, pa.Array]]:
        """Type the contract's fields, and set aside the records that break it."""
        objects = [record if type(record) is dict else {} for record in records]
        problems: dict[int, tuple[str | None, str]] = {
            row: (None, "is no object")
            for row, record in enumerate(records)
            if type(record) is not dict
        }
        typed = {}
        for name, reader in self._readers.items():
            values = reader.values(objects)
            typed[name] = array = reader.array(values, objects)
            if array.null_count > (values.count(None) if reader.field.nullable else 0):
                for row in pc.indices_nonzero(array.is_null()).to_pylist():
                    if values[row] is not None or not reader.field.nullable:
                        reason = reader.problem(values[row])
                        problems.setdefault(row, (name, reason))
        if not problems:
            return records, typed
        ids = typed["id"] if "id" in typed else pa.nulls(len(records))
        self._reject_records(
            [
                Reject(ids[row].as_py(), self._selection.json(records[row]), field, reason)
                for row, (field, reason) in sorted(problems.items())
            ]
        )
        good = pa.array([row for row in range(len(records)) if row not in problems], pa.int64())
        kept = {name: array.take(good) for name, array in typed.items()}
        return [records[row] for row in good.to_pylist()], kept

    def _reject_records(self, rejects: Sequence[Reject]) -> None:
        for reject in rejects:
            key = reject_key(reject.id, reject.record)
            if key not in self._rejected:  # else it came before: a list may be read twice
                self._rejected.add(key)
                self.reasons[reject.field, reject.reason] += 1
        self.rejected_rows += len(rejects)
        self._reject(rejects)

    def _leaves(self, batch: Sequence[Any], prefix: Path) -> Iterator[Leaf]:
        """Turn rows into columns, objects into the columns of their members."""
        for name, values in _transpose(batch):
            path = (*prefix, name)
            if path in self._whole or not self._selection.may_contain(path):
                continue
            kinds = json_types(values)
            if dict in kinds and len(path) < DEPTH:
                objects = values
                if len(kinds) > 1:
                    objects = [value if type(value) is dict else None for value in values]
                    values = [None if type(value) is dict else value for value in values]
                yield from self._leaves(objects, path)
                kinds = kinds - {dict}
            if kinds and self._selection.includes(path):
                if self._selection.excludes_below(path):
                    values = [self._selection.pruned(value, path) for value in values]
                yield path, values, kinds

    def _add_column(
        self, columns: Columns, path: Path, values: Sequence[Any], kinds: JsonTypes
    ) -> None:
        """Put a field's values into its column; those of another type into a column beside it."""
        name = self._names.column(path)
        known = self._types.get(name) or self._types.setdefault(
            name, infer_column_type(values, kinds)
        )
        if known == "bigint" and float in kinds and self._widens(name, values):
            known = self._types[name] = "double"
        try:
            array = to_arrow(values, known, kinds)
        except (pa.ArrowException, OverflowError):
            array = None
        if array is None:
            unfit = [None if accepts(value, known) else value for value in values]
            others = {infer_type(value) for value in unfit if value is not None}
            values = [value if accepts(value, known) else None for value in values]
            array = to_arrow(values, known, json_types(values))
            for kind in sorted(others):
                beside = [v if v is not None and infer_type(v) == kind else None for v in unfit]
                self._add_variant_column(columns, (*path, None, kind), kind, beside)
        if known == "bigint" and name not in self._inexact:
            ends = pc.min_max(array).as_py()
            if max(-(ends["min"] or 0), ends["max"] or 0) > MAX_EXACT_INTEGER:
                self._inexact.add(name)
        if array is not None and array.null_count < len(array):
            columns[name] = (_field(name, known, path), array)

    def _add_variant_column(
        self, columns: Columns, path: Path, kind: str, values: Sequence[Any]
    ) -> None:
        name = self._names.column(path)
        self._types[name] = kind
        columns[name] = (_field(name, kind, path), to_arrow(values, kind, json_types(values)))

    def _widens(self, name: str, values: Sequence[Any]) -> bool:
        """Can a column of whole numbers become one of floats, and every value stay what it is?"""
        if name in self._inexact or any(
            type(v) is int and abs(v) > MAX_EXACT_INTEGER for v in values
        ):
            return False
        if name in self._known and name not in self.widened:
            if not self._may_widen(name):
                self._inexact.add(name)
                return False
            self.widened.append(name)
        return True


def column_hints_of(table: pa.Table) -> dict[str, TColumnSchema]:
    """Give dlt's hints for what Arrow's types do not say: JSON, and where a column comes from."""
    found: dict[str, TColumnSchema] = {}
    for field in table.schema:
        said = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        if said:
            hint: dict[str, Any] = {"name": field.name}
            if "type" in said:
                hint["data_type"] = said["type"]
            if "path" in said:
                hint["x-path"] = json.loads(said["path"])
            found[field.name] = cast("TColumnSchema", hint)
    return found


def paths_of(columns: Mapping[str, TColumnSchema]) -> dict[str, list[str | None]]:
    """Take from dlt's hints where columns come from, as `hints` put it there."""
    hints_of = cast("Mapping[str, Mapping[str, Any]]", columns)  # dlt types its own hints only
    return {name: hint["x-path"] for name, hint in hints_of.items() if "x-path" in hint}


def add_system_columns(table: pa.Table, seen_at: datetime, account: str | None) -> pa.Table:
    """Add when the sync saw these events, and whose they are."""
    moment = pa.scalar(seen_at, COLUMN_TYPES["timestamp"].arrow)
    table = table.append_column(_field(LAST_SEEN, "timestamp"), pa.repeat(moment, len(table)))
    if account is None:
        return table
    return table.append_column(_field(ACCOUNT, "text"), pa.repeat(pa.scalar(account), len(table)))


def _field(name: str, kind: str, path: Path | None = None) -> pa.Field:
    said = {"type": kind} if kind in ("json", "double") else {}
    if path and "__".join(map(str, path)) != name:
        said["path"] = json.dumps(path)
    return pa.field(
        name, COLUMN_TYPES[kind].arrow, metadata=said or None, nullable=name not in ("id", ACCOUNT)
    )


def _kind(field: pa.Field) -> str:
    if field.metadata and field.metadata.get(b"type") == b"json":
        return "json"
    return next(name for name, known in COLUMN_TYPES.items() if known.arrow == field.type)


def _joined(chunks: Sequence[pa.Table]) -> pa.Table:
    # A column that became a float in a later chunk is one in all.
    return pa.concat_tables(chunks, promote_options="permissive").combine_chunks()


def _transpose(batch: Sequence[Any]) -> Iterable[tuple[str, Sequence[Any]]]:
    """Turn rows (objects, or null) into their members, by name."""
    first = batch[0] if batch else None
    if first and len(first) > 1:
        try:
            values = list(zip(*map(itemgetter(*first), batch), strict=True))
            if set(map(len, batch)) == {len(first)}:
                return zip(first, values, strict=True)  # all have the same names: the usual case
        except (KeyError, TypeError):
            pass
    names = dict.fromkeys(chain.from_iterable(row for row in batch if row))
    return ((name, [row.get(name) if row else None for row in batch]) for name in names)


class _Expected(logging.Filter):
    """Drops dlt's warning that a column of text was declared to be JSON: it is meant to be."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "several column hints were different" not in record.getMessage()


logging.getLogger("dlt").addFilter(_Expected())
