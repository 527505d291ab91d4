"""Build typed Arrow tables from JSON records; reject records that break the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice
from operator import itemgetter
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.config.fields import RESERVED_COLUMNS, START, START_DAY
from event_assets.records.arrow_types import to_arrow
from event_assets.records.column_names import ColumnNamer, SourcePaths
from event_assets.records.contract import FieldReader
from event_assets.records.field_selection import FieldSelection
from event_assets.values import types
from event_assets.values.conversion import MAX_EXACT_INTEGER
from event_assets.values.json_paths import Path
from event_assets.values.json_structs import JsonStruct, read_columns, to_dicts, unify
from event_assets.values.json_text import UnreadableRecord

Leaf = tuple[Path, Sequence[Any], types.JsonTypes]  # the values of a field, and their types
Members = Mapping[str, Sequence[Any]]  # the values of each member of the records, by its name

BATCH_ROWS = 20_000  # rows of one Arrow table
CHUNK_ROWS = 2_000  # records converted at once
SHIPPED = "updated_at"  # ignored by the shipped defs.yaml, whether or not the API has it
TOO_DEEP = "is nested too deeply to be read"
MAX_DEPTH = 10  # levels of objects that become columns; deeper ones stay JSON


class Reject(NamedTuple):
    """A record that breaks the contract."""

    id: str | None
    record: str  # JSON
    field: str | None
    reason: str


class ArrowTableBuilder:
    """Builds Arrow tables from one sync's records, and keeps the types of their columns.

    The columns are the contract's fields, typed, and all other fields: scalars by their JSON type,
    objects flattened to `a__b`, lists as JSON. A column keeps its type: values of another type go
    into a variant column, `NAME__v_TYPE`. Only an integer column becomes a float column when a
    number has a fraction. Fields that hold only null are left out.

    Args:
        readers: the contract.
        column_types: the types of the table's columns, by dlt's names.
        paths: the paths of the table's columns, where they differ from the names, or are lost.
        system_columns: columns that do not come from the API.
        selection: the other fields to include.
        on_rejects: called with the rejects of each chunk.
        can_widen: returns whether an integer column of the table can hold floats instead.
    """

    def __init__(
        self,
        readers: Mapping[str, FieldReader],
        column_types: Mapping[str, str] | None = None,
        paths: SourcePaths | None = None,
        *,
        system_columns: Sequence[str] = (),
        selection: FieldSelection | None = None,
        on_rejects: Callable[[Sequence[Reject]], None] = lambda _: None,
        can_widen: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.observed_types: dict[str, str] = {}  # of columns that had a value
        self.row_count = 0  # of all tables; repeated records included
        self.reject_reasons = Counter[tuple[str | None, str]]()  # by field and reason
        self._rejected: set[int] = set()  # by the hash of the id, or else of the record
        self._inexact: set[str] = set()  # integer columns that floats cannot hold
        self.widened: list[str] = []  # integer columns of the table that must become float columns
        self._readers = readers
        self._selection = selection or FieldSelection()
        self._on_rejects = on_rejects
        self._can_widen = can_widen
        self._table_types = known = column_types or {}
        reserved = (*readers, *RESERVED_COLUMNS, *system_columns)
        self._names = ColumnNamer(reserved, known, paths or {})
        contract = {name: reader.field.type for name, reader in readers.items()}
        self._types = {**known, **contract}
        # Columns of the table with another type in the contract, and that type.
        self.retyped = {n: kind for n, kind in contract.items() if known.get(n, kind) != kind}
        self._contract_paths = {r.plain_path for r in readers.values() if r.plain_path}
        self._texts: set[Path] = set()  # the paths of fields that had nothing but texts

    def unmatched(self, ignored: Sequence[str] = ()) -> list[str]:
        """Return the entries of the selection, and of `ignored` columns, that match nothing."""
        known = {*self._types, SHIPPED}
        return [*self._selection.unmatched, *(name for name in ignored if name not in known)]

    @property
    def reject_count(self) -> int:
        """Return the number of records that break the contract, each counted once."""
        return sum(self.reject_reasons.values())

    @property
    def source_paths(self) -> dict[str, Path]:
        """Return the paths of columns, where they differ from the names."""
        return self._names.source_paths()

    def hinted_types(self, table: pa.Table) -> dict[str, Any]:
        """Return the types that Arrow does not tell: JSON, and that a column became a float."""
        types = ((name, self._types[name]) for name in table.column_names)
        return {name: kind for name, kind in types if kind in ("json", "double")}

    def build_batches(self, records: Iterable[Any]) -> Iterator[pa.Table]:
        """Yield tables of about `BATCH_ROWS` rows; an empty one if there are no records."""
        source = iter(records)

        def read_chunk() -> list[Any]:
            return list(islice(source, CHUNK_ROWS))

        chunks = map(self.build, chain([read_chunk()], iter(read_chunk, [])))
        for first in chunks:
            rest = islice(chunks, BATCH_ROWS // CHUNK_ROWS - 1)
            # A column that became float in a later chunk is float in all.
            yield pa.concat_tables([first, *rest], promote_options="permissive")

    def build(self, records: Sequence[Any]) -> pa.Table:
        """Build one table of the records that keep the contract."""
        members, columns = self._apply_contract(unify(records))
        leaves = list(self._iter_leaves(members, ()))
        leaves.sort(key=lambda leaf: not self._names.is_identity(leaf[0]))
        for leaf in leaves:
            self._add_column(columns, *leaf)
        for name, array in columns.items():
            if array.null_count < len(array):
                self.observed_types[name] = self._types[name]
        table = pa.table(columns)
        self.row_count += len(table)
        return table

    def _apply_contract(self, records: Sequence[Any]) -> tuple[Members, dict[str, pa.Array]]:
        """Return the members and typed fields of good records; reject those that break it."""
        objects, errors = records, dict[int, tuple[str | None, str]]()
        is_uniform = bool(records) and isinstance(records[0], JsonStruct)
        if not is_uniform and set(map(type, records)) != {dict}:
            objects = [record if isinstance(record, dict) else {} for record in records]
            errors = {
                row: (None, TOO_DEEP if isinstance(one, UnreadableRecord) else "is not an object")
                for row, one in enumerate(records)
                if type(one) is not dict
            }
        members, typed = _transpose(objects), dict[str, pa.Array]()
        for name, reader in self._readers.items():
            values = reader.read(objects, members)
            typed[name] = array = reader.to_arrow(values, objects)
            if name == START and (days := reader.whole_days(values, array)) is not None:
                typed[START_DAY], self._types[START_DAY] = days, "date"
            nulls = array.null_count
            if nulls and nulls > (values.count(None) if reader.field.nullable else 0):
                for row in pc.indices_nonzero(array.is_null()).to_pylist():
                    if not (reader.field.nullable and reader.is_empty(values[row])):
                        errors.setdefault(row, (name, reader.error(values[row])))
        if not errors:
            return members, typed
        records = to_dicts(records)
        ids = typed["id"] if "id" in typed else pa.nulls(len(records))
        self._reject_records(
            [
                Reject(ids[row].as_py(), self._selection.to_json(records[row]), field, reason)
                for row, (field, reason) in sorted(errors.items())
            ]
        )
        good = pa.array([row for row in range(len(records)) if row not in errors], pa.int64())
        kept = {name: array.take(good) for name, array in typed.items()}
        return _transpose([records[row] for row in good.to_pylist()]), kept

    def _reject_records(self, rejects: Sequence[Reject]) -> None:
        for reject in rejects:
            key = hash(reject.id or reject.record)
            if key not in self._rejected:  # records may be read twice
                self._rejected.add(key)
                self.reject_reasons[reject.field, reject.reason] += 1
        self._on_rejects(rejects)

    def _iter_leaves(self, members: Members, prefix: Path) -> Iterator[Leaf]:
        """Yield the fields of the records: objects as the fields of their members."""
        for name, values in members.items():
            path = (*prefix, name)
            if not self._selection.may_contain(path) or path in self._contract_paths:
                continue
            if path in self._texts:
                with suppress(pa.ArrowException):  # to look for other types first takes longer
                    yield path, pa.array(values, pa.string()), {str}
                    continue
            found = types.json_types(values)
            if any(issubclass(kind, JsonStruct) for kind in found):
                yield from self._iter_leaves(read_columns(values), path)
                continue
            if dict in found and len(path) < MAX_DEPTH:
                objects = values
                if len(found) > 1:
                    objects = [value if type(value) is dict else None for value in values]
                    values = [None if type(value) is dict else value for value in values]
                yield from self._iter_leaves(_transpose(objects), path)
                found = found - {dict}
            if found and self._selection.includes(path):
                if self._selection.excludes_below(path):
                    values = [self._selection.prune(value, path) for value in values]
                yield path, values, found

    def _add_column(
        self,
        columns: dict[str, pa.Array],
        path: Path,
        values: Sequence[Any],
        found: types.JsonTypes,
    ) -> None:
        """Add a field's values to its column, those of another type to a variant column."""
        name = self._names.column(path)
        known = self._types.get(name) or self._types.setdefault(
            name, types.infer_column_type(values, found)
        )
        if known == "bigint" and float in found and self._widens(name, values):
            known = self._types[name] = "double"
        if known == "text" and found == {str}:
            self._texts.add(path)
        array = None
        with suppress(pa.ArrowException, OverflowError):
            array = to_arrow(values, known, found)
        if array is None:
            kinds = [
                known if v is None or types.accepts(v, known) else types.infer_type(v)
                for v in values
            ]
            for kind in sorted({*kinds} - {known}):
                variants = [v if k == kind else None for v, k in zip(values, kinds, strict=True)]
                self._add_column(columns, (*path, None, kind), variants, types.json_types(variants))
            values = [v if k == known else None for v, k in zip(values, kinds, strict=True)]
            array = to_arrow(values, known, types.json_types(values))
        if known == "bigint" and name not in self._inexact:
            ends = pc.min_max(array).as_py()
            if max(-(ends["min"] or 0), ends["max"] or 0) > MAX_EXACT_INTEGER:
                self._inexact.add(name)
        if array is not None and array.null_count < len(array):
            columns[name] = array

    def _widens(self, name: str, values: Sequence[Any]) -> bool:
        """Return whether an integer column can become a float column without changing a value."""
        is_large = any(type(v) is int and abs(v) > MAX_EXACT_INTEGER for v in values)
        if name in self._inexact or is_large:
            return False
        if name in self._table_types and name not in self.widened:
            if not self._can_widen(name):
                self._inexact.add(name)
                return False
            self.widened.append(name)
        return True


def _transpose(batch: Sequence[Any]) -> Members:
    """Return the values of each member of objects (or null), by name."""
    first = batch[0] if batch else None
    if isinstance(first, JsonStruct):
        return read_columns(batch)
    if first:
        with suppress(KeyError, TypeError):  # usually, all have the same members
            found = map(itemgetter(*first), batch)
            values = list(zip(*found, strict=True)) if len(first) > 1 else [list(found)]
            if set(map(len, batch)) == {len(first)}:
                return dict(zip(first, values, strict=True))
    names = dict.fromkeys(chain.from_iterable(row for row in batch if row))
    return {name: [row.get(name) if row else None for row in batch] for name in names}
