"""From JSON records to typed Arrow tables."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from operator import itemgetter
from types import NoneType
from typing import Any, Literal

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from dlt.common.schema.typing import TColumnSchema
from dlt.common.time import ensure_pendulum_datetime
from pydantic import Field as Describe

from event_assets.configuration import Attributes

Record = Mapping[str, Any]
Type = Literal["text", "timestamp", "date", "bigint", "double", "bool", "json"]

BATCH_ROWS = 20_000  # rows of one Arrow table
CHUNK_ROWS = 2_000  # records turned into Arrow at once
ARROW: Mapping[str, pa.DataType] = {
    "text": pa.string(),
    "timestamp": pa.timestamp("us", "UTC"),
    "date": pa.date32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "json": pa.string(),  # JSON text, told from other text by its metadata
}


class Field(Attributes):
    """One typed column of `event_data`."""

    type: Type = Describe(
        description="Type of the column, by dlt's names; a timestamp lands in UTC."
    )
    nullable: bool = Describe(default=True, description="Whether the API may leave it out.")


def columns(fields: Mapping[str, Field]) -> dict[str, TColumnSchema]:
    """Say the contract's fields in dlt's column hints."""
    return {
        name: {"name": name, "data_type": field.type, "nullable": field.nullable}
        for name, field in fields.items()
    }


class RecordError(ValueError):
    """The API sent records that cannot be kept. The message says which field and what to do."""


def tables(
    records: Iterable[Record],
    fields: Mapping[str, Field],
    known: Mapping[str, TColumnSchema] | None = None,
) -> Iterator[pa.Table]:
    """Turn records into Arrow tables of `BATCH_ROWS` rows.

    `known` are the columns that the table has already: a field keeps its column's type, and a value
    of another type goes on in a second column, `NAME__v_TYPE`.

    Columns are the contract's fields, typed, and every other field of the batch: scalars by their
    JSON type, objects flattened to `a__b`, lists as JSON text (`json` in the metadata of their
    field). A field that holds nothing but null in the batch is left out.

    Raises:
        RecordError: when a field that is not nullable is missing.
    """
    shaper = _Shaper(fields, known)
    source = iter(records)
    chunks: list[pa.Table] = []
    while chunk := list(islice(source, CHUNK_ROWS)):
        chunks.append(shaper.table(chunk))
        if len(chunks) * CHUNK_ROWS >= BATCH_ROWS:
            yield pa.concat_tables(chunks, promote_options="default").combine_chunks()
            chunks.clear()
    if chunks:
        yield pa.concat_tables(chunks, promote_options="default").combine_chunks()


def empty_table(fields: Mapping[str, Field]) -> pa.Table:
    """Make a table with the contract's columns and no rows."""
    return _Shaper(fields).table([])


class _Shaper:
    """Shapes batches, and remembers the types of the columns from one batch to the next."""

    def __init__(
        self, fields: Mapping[str, Field], known: Mapping[str, TColumnSchema] | None = None
    ) -> None:
        self._fields = fields
        self._types: dict[str, pa.Field] = {
            name: _arrow_field(name, kind)
            for name, column in (known or {}).items()
            if (kind := column.get("data_type")) in ARROW
        }

    def table(self, batch: Sequence[Record]) -> pa.Table:
        columns: dict[str, tuple[pa.Field, pa.Array]] = {}
        for name, values in _columns(batch, ""):
            field = self._fields.get(name)
            made = _typed(name, values, field.type) if field else _inferred(name, values)
            for arrow, array in made:
                self._add(columns, arrow, array)
        for name, field in self._fields.items():
            if name not in columns:
                columns[name] = _empty(name, field, len(batch))
            if not field.nullable:
                columns[name] = _required(name, columns[name][1])
        names = [*self._fields, *(name for name in columns if name not in self._fields)]
        return pa.table(
            [columns[name][1] for name in names],
            schema=pa.schema([columns[name][0] for name in names]),
        )

    def _add(
        self, columns: dict[str, tuple[pa.Field, pa.Array]], arrow: pa.Field, array: pa.Array
    ) -> None:
        """Keep a column's type from batch to batch; another type goes on in a second column."""
        known = self._types.setdefault(arrow.name, arrow)
        if _dlt_type(arrow) == _dlt_type(known):
            columns[arrow.name] = (known, array)
        elif (_dlt_type(arrow), _dlt_type(known)) in WIDENED:
            columns[arrow.name] = (known, array.cast(known.type))
        else:
            variant = arrow.with_name(f"{arrow.name}__v_{_dlt_type(arrow)}")
            columns[variant.name] = (variant, array)


WIDENED = {("bigint", "double"), ("bigint", "text"), ("double", "text")}


def _columns(batch: Sequence[Any], prefix: str) -> Iterator[tuple[str, Sequence[Any]]]:
    """Turn rows into columns, objects into the columns of their members."""
    names = list(dict.fromkeys(chain.from_iterable(row for row in batch if row)))
    for name, values in zip(names, _turned(batch, names), strict=True):
        path = f"{prefix}{name}"
        kinds = _kinds(values)
        if dict not in kinds:
            yield path, values
        elif kinds == {dict}:
            yield from _columns(values, f"{path}__")
        else:
            objects = [value if type(value) is dict else None for value in values]
            yield from _columns(objects, f"{path}__")
            yield path, [None if type(value) is dict else value for value in values]


def _turned(batch: Sequence[Any], names: Sequence[str]) -> Iterable[Sequence[Any]]:
    if len(names) > 1:
        try:
            return list(zip(*map(itemgetter(*names), batch), strict=True))
        except (KeyError, TypeError):  # a row without one of the fields, or without any
            pass
    return ([row.get(name) if row else None for row in batch] for name in names)


def _kinds(values: Sequence[Any]) -> set[type]:
    return set(map(type, values)) - {NoneType}


SCALARS: Mapping[frozenset[type], pa.DataType] = {
    frozenset({str}): pa.string(),
    frozenset({bool}): pa.bool_(),
    frozenset({int}): pa.int64(),
    frozenset({float}): pa.float64(),
    frozenset({int, float}): pa.float64(),
}

Column = tuple[pa.Field, pa.Array]


def _inferred(name: str, values: Sequence[Any]) -> Iterator[Column]:
    kinds = frozenset(_kinds(values))
    if not kinds:
        return
    if list in kinds:
        yield _arrow_field(name, "json"), pa.array(_json(values), ARROW["json"])
        return
    kind = SCALARS.get(kinds, pa.string())
    try:
        array = pa.array(_texts(values) if kinds not in SCALARS else values, kind)
    except (OverflowError, pa.ArrowInvalid):  # an integer of more than 64 bits
        kind, array = pa.string(), pa.array(_texts(values), pa.string())
    yield pa.field(name, kind), array


def _typed(name: str, values: Sequence[Any], kind: Type) -> Iterator[Column]:
    """Make a column of the contract's type; what does not fit goes to a second column, as text."""
    array = CONVERTERS[kind](values)
    yield _arrow_field(name, kind), array
    lost = array.null_count - values.count(None)
    if lost:
        unfit = [
            None if fits else value
            for value, fits in zip(values, array.is_valid().to_pylist(), strict=True)
        ]
        yield pa.field(f"{name}__v_text", pa.string()), pa.array(_texts(unfit), pa.string())


def _json(values: Sequence[Any]) -> list[str | None]:
    return [None if value is None else orjson.dumps(value).decode() for value in values]


def _texts(values: Sequence[Any]) -> list[str | None]:
    """Text as it is, anything else as JSON: 7 and "7" are the same."""
    return [
        value if value is None or type(value) is str else orjson.dumps(value).decode()
        for value in values
    ]


def _text(values: Sequence[Any]) -> pa.Array:
    return pa.array(values if _kinds(values) <= {str} else _texts(values), pa.string())


def _time(values: Sequence[Any]) -> pa.Array:
    """Instants in UTC; a time without a zone is taken as UTC."""
    texts = _text(values)
    for vectorized in (ARROW["timestamp"], pa.timestamp("us")):
        try:
            return pc.cast(texts, vectorized).cast(ARROW["timestamp"])
        except pa.ArrowInvalid:
            continue
    return pa.array(_each(values, ensure_pendulum_datetime), ARROW["timestamp"])


def _scalar(kind: Type) -> Callable[[Sequence[Any]], pa.Array]:
    def convert(values: Sequence[Any]) -> pa.Array:
        try:
            return pa.array(values, ARROW[kind])
        except (pa.ArrowException, OverflowError):
            return pa.array(_each(values, lambda value: _cast(value, kind)), ARROW[kind])

    return convert


def _cast(value: Any, kind: Type) -> Any:
    return pa.scalar(value if type(value) is str else str(value)).cast(ARROW[kind]).as_py()


def _each(values: Sequence[Any], convert: Callable[[Any], Any]) -> list[Any]:
    """Convert one by one; None for what cannot be converted."""
    return [_or_none(convert, value) for value in values]


def _or_none(convert: Callable[[Any], Any], value: Any) -> Any:
    try:
        return None if value is None else convert(value)
    except (ValueError, TypeError, OverflowError, pa.ArrowException):
        return None


CONVERTERS: Mapping[Type, Callable[[Sequence[Any]], pa.Array]] = {
    "text": _text,
    "timestamp": _time,
    "date": _scalar("date"),
    "bigint": _scalar("bigint"),
    "double": _scalar("double"),
    "bool": _scalar("bool"),
    "json": lambda values: pa.array(_json(values), pa.string()),
}


def _empty(name: str, field: Field, rows: int) -> Column:
    return _arrow_field(name, field.type), pa.nulls(rows, ARROW[field.type])


def _required(name: str, array: pa.Array) -> Column:
    if array.null_count:
        raise RecordError(
            f"{array.null_count:,} of {len(array):,} records have no usable `{name}`, which the "
            f"contract requires; correct the field in defs.yaml or have the API's operator do so."
        )
    return pa.field(name, array.type, nullable=False), array


def _arrow_field(name: str, kind: str | None) -> pa.Field:
    metadata = {"type": "json"} if kind == "json" else None
    return pa.field(name, ARROW[kind or "text"], metadata=metadata)


def _dlt_type(arrow: pa.Field) -> str:
    names = {kind: name for name, kind in ARROW.items() if name != "json"}
    return "json" if arrow.metadata else names[arrow.type]


class _Expected(logging.Filter):
    """Drops dlt's warning that a column of text was declared to be JSON: it is meant to be."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "several column hints were different" not in record.getMessage()


logging.getLogger("dlt").addFilter(_Expected())


def json_columns(table: pa.Table) -> dict[str, TColumnSchema]:
    """Give dlt's hints for the columns that hold JSON."""
    return {
        column.name: {"name": column.name, "data_type": "json"}
        for column in table.schema
        if column.metadata
    }
