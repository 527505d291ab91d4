"""The types of columns: the table of their names and rules, and the columns built by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal

import pyarrow as pa

from event_assets.values.conversion import (
    is_64_bit,
    to_boolean,
    to_date,
    to_float,
    to_integer,
    to_json,
    to_text,
)
from event_assets.values.timestamps import UTC_TIMESTAMP

DataType = Literal["text", "timestamp", "date", "bigint", "double", "bool", "json"]
JsonTypes = Set[type]  # what JSON values are in Python, but for null
MAX_EXACT_INTEGER = 2**53  # a float holds every integer up to here


@dataclass(frozen=True)
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
    inferred_from: JsonTypes
    accepts: JsonTypes
    error: str
    converter: Callable[[Any], Any] | None


SCALARS = {str, bool, int, float}
COLUMN_TYPES: Mapping[str, ColumnType] = {  # by dlt's names
    "text": ColumnType(
        pa.string(), "VARCHAR", {str}, SCALARS, "is an object or a list, not text", to_text
    ),
    "timestamp": ColumnType(
        UTC_TIMESTAMP, "TIMESTAMP WITH TIME ZONE", set(), set(), "is not a timestamp", None
    ),
    "date": ColumnType(pa.date32(), "DATE", set(), set(), "is not a date", to_date),
    "bigint": ColumnType(pa.int64(), "BIGINT", {int}, {int}, "is not a whole number", to_integer),
    "double": ColumnType(
        pa.float64(), "DOUBLE", {float}, {int, float}, "is not a number", to_float
    ),
    "bool": ColumnType(
        pa.bool_(), "BOOLEAN", {bool}, {bool}, "is neither true nor false", to_boolean
    ),
    "json": ColumnType(  # told from text in Arrow by the field's metadata
        pa.string(),
        "JSON",
        {list, dict},
        {*SCALARS, list, dict},
        "cannot be written as JSON",
        to_json,
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
    if type(value) is int and not is_64_bit(value):
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
    return is_64_bit(value)


def to_arrow(values: Sequence[Any], data_type: str, found: JsonTypes) -> pa.Array | None:
    """Return a column of values with the JSON types `found`, or None if not all fit.

    Raises:
        ArrowException, OverflowError: If a number is too large.
    """
    column_type = COLUMN_TYPES[data_type]
    if not found <= column_type.accepts:
        return None if found else pa.nulls(len(values), column_type.arrow)
    if data_type == "json":
        values = [None if v is None else to_json(v) for v in values]
    elif data_type == "text" and found != {str}:
        values = [v if v is None or type(v) is str else to_json(v) for v in values]
    return pa.array(values, column_type.arrow)
