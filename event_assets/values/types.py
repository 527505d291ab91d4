"""The types of columns: the table of their names and rules, and the columns built by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal

import pyarrow as pa

from event_assets.values import conversion
from event_assets.values.timestamps import UTC_TIMESTAMP

DataType = Literal["text", "timestamp", "date", "bigint", "double", "bool", "json"]
JsonTypes = frozenset[type]  # what JSON values are in Python, but for null
MAX_EXACT_INTEGER = 2**53  # a float holds every integer up to here


@dataclass(frozen=True, kw_only=True)
class ColumnType:
    """What a contract's `type` means in each place.

    Attributes:
        arrow: its type in Arrow.
        duckdb: its type in DuckDB.
        inferred_from: the JSON types that become this type without a contract.
        accepts: the JSON types that keep their meaning in this type.
        error: the reason to reject a record with a value that cannot be converted.
        converter: converts a value; None where values are read column by column.
    """

    arrow: pa.DataType
    duckdb: str
    inferred_from: JsonTypes = frozenset()
    accepts: JsonTypes = frozenset()
    error: str
    converter: Callable[[Any], Any] | None = None


COLUMN_TYPES: Mapping[str, ColumnType] = {  # by dlt's names
    "text": ColumnType(
        arrow=pa.string(),
        duckdb="VARCHAR",
        inferred_from=frozenset({str}),
        accepts=frozenset({str, bool, int, float}),
        error="is an object or a list, not text",
        converter=conversion.to_text,
    ),
    "timestamp": ColumnType(
        arrow=UTC_TIMESTAMP,
        duckdb="TIMESTAMP WITH TIME ZONE",
        error="is not a timestamp",
    ),
    "date": ColumnType(
        arrow=pa.date32(),
        duckdb="DATE",
        error="is not a date",
        converter=conversion.to_date,
    ),
    "bigint": ColumnType(
        arrow=pa.int64(),
        duckdb="BIGINT",
        inferred_from=frozenset({int}),
        accepts=frozenset({int}),
        error="is not a whole number",
        converter=conversion.to_integer,
    ),
    "double": ColumnType(
        arrow=pa.float64(),
        duckdb="DOUBLE",
        inferred_from=frozenset({float}),
        accepts=frozenset({int, float}),
        error="is not a number",
        converter=conversion.to_float,
    ),
    "bool": ColumnType(
        arrow=pa.bool_(),
        duckdb="BOOLEAN",
        inferred_from=frozenset({bool}),
        accepts=frozenset({bool}),
        error="is neither true nor false",
        converter=conversion.to_boolean,
    ),
    "json": ColumnType(
        arrow=pa.string(),  # told from text by the field's metadata
        duckdb="JSON",
        inferred_from=frozenset({list, dict}),
        accepts=frozenset({str, bool, int, float, list, dict}),
        error="cannot be written as JSON",
        converter=conversion.to_json,
    ),
}
INFERRED_TYPES = {
    json_type: name for name, column in COLUMN_TYPES.items() for json_type in column.inferred_from
}


def convert(values: Sequence[Any], data_type: str) -> pa.Array:
    """Return a column of a type; null for each value that cannot be converted."""
    column_type = COLUMN_TYPES[data_type]
    if data_type != "json":
        try:
            column = pa.array(values)
        except (pa.ArrowException, OverflowError):  # of several types, or too large
            column = None
        if column is not None and column.type in (column_type.arrow, pa.null()):
            return column.cast(column_type.arrow)
    converter = column_type.converter
    if converter is None:
        raise TypeError(f"{data_type} values are read column by column")
    return pa.array([None if v is None else converter(v) for v in values], column_type.arrow)


def json_types(values: Sequence[Any]) -> JsonTypes:
    """Return the types of values, but for null."""
    return frozenset(map(type, values)) - {NoneType}


def infer_type(value: Any) -> str:
    """Return the type of the column that a value makes by itself."""
    if type(value) is int and not conversion.is_64_bit(value):
        return "text"
    return INFERRED_TYPES[type(value)]


def infer_column_type(values: Sequence[Any], found: JsonTypes) -> str:
    """Return the type of a new column: that of its first value, or float for mixed numbers."""
    data_type = infer_type(next(value for value in values if value is not None))
    exact = all(type(value) is not int or abs(value) <= MAX_EXACT_INTEGER for value in values)
    return "double" if data_type == "bigint" and float in found and exact else data_type


def accepts(value: Any, data_type: str) -> bool:
    """Return whether a value keeps its meaning in a column of a type."""
    if type(value) not in COLUMN_TYPES[data_type].accepts:
        return False
    if type(value) is not int or data_type not in ("bigint", "double"):
        return True
    if data_type == "double":
        return abs(value) <= MAX_EXACT_INTEGER
    return conversion.is_64_bit(value)


def to_arrow(values: Sequence[Any], data_type: str, found: JsonTypes) -> pa.Array | None:
    """Return a column of values with the JSON types `found`, or None if not all fit.

    Raises:
        ArrowException, OverflowError: If a number is too large.
    """
    column_type = COLUMN_TYPES[data_type]
    if not found <= column_type.accepts:
        return None if found else pa.nulls(len(values), column_type.arrow)
    if data_type == "json":
        values = [None if v is None else conversion.to_json(v) for v in values]
    elif data_type == "text" and found != {str}:
        values = [v if v is None or type(v) is str else conversion.to_json(v) for v in values]
    return pa.array(values, column_type.arrow)
