"""The types of columns: the table of their names and rules, and the columns built by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from types import NoneType
from typing import Any, Literal, NamedTuple

import pyarrow as pa

from event_assets.values.conversion import CONVERTERS, is_64_bit, to_json
from event_assets.values.timestamps import UTC_TIMESTAMP

DataType = Literal["text", "timestamp", "date", "bigint", "double", "bool", "json"]
JsonTypes = Set[type]  # what JSON values are in Python, but for null
MAX_EXACT_INTEGER = 2**53  # a float holds every integer up to here


class ColumnType(NamedTuple):
    """What a contract's `type` means in each place."""

    arrow: pa.DataType
    duckdb: str
    accepts: JsonTypes  # the JSON types that keep their meaning in this type
    error: str  # the reason to reject a record with a value that cannot be converted


INFERRED_TYPES = {str: "text", bool: "bool", int: "bigint", float: "double"}  # others are JSON
SCALARS = set(INFERRED_TYPES)
COLUMN_TYPES: Mapping[str, ColumnType] = {  # by dlt's names; Arrow's metadata tells json from text
    "text": ColumnType(pa.string(), "VARCHAR", SCALARS, "is an object or a list, not text"),
    "timestamp": ColumnType(UTC_TIMESTAMP, "TIMESTAMP WITH TIME ZONE", set(), "is not a timestamp"),
    "date": ColumnType(pa.date32(), "DATE", set(), "is not a date"),
    "bigint": ColumnType(pa.int64(), "BIGINT", {int}, "is not a whole number"),
    "double": ColumnType(pa.float64(), "DOUBLE", {int, float}, "is not a number"),
    "bool": ColumnType(pa.bool_(), "BOOLEAN", {bool}, "is neither true nor false"),
    "json": ColumnType(pa.string(), "JSON", {*SCALARS, list, dict}, "cannot be written as JSON"),
}


def convert(values: Sequence[Any], data_type: str) -> pa.Array:
    """Return a column of a type; null for each value that cannot be converted."""
    arrow, converter = COLUMN_TYPES[data_type].arrow, CONVERTERS[data_type]
    if data_type != "json":
        with suppress(pa.ArrowException, OverflowError):  # of several types, or too large
            column = pa.array(values)
            if column.type in (arrow, pa.null()):
                return column.cast(arrow)
    return pa.array([None if v is None else converter(v) for v in values], arrow)


def json_types(values: Sequence[Any]) -> JsonTypes:
    """Return the types of values, but for null."""
    return frozenset(map(type, values)) - {NoneType}


def infer_type(value: Any) -> str:
    """Return the type of the column that a value makes by itself."""
    if type(value) is int and not is_64_bit(value):
        return "json"
    return INFERRED_TYPES.get(type(value), "json")


def infer_column_type(values: Sequence[Any], found: JsonTypes) -> str:
    """Return the type of a new column: that of its first value, or float for mixed numbers."""
    data_type = infer_type(next(value for value in values if value is not None))
    exact = all(type(value) is not int or abs(value) <= MAX_EXACT_INTEGER for value in values)
    return "double" if data_type == "bigint" and float in found and exact else data_type


def accepts(value: Any, data_type: str) -> bool:
    """Return whether a value keeps its meaning in a column of a type."""
    if type(value) is int and data_type == "bigint":
        return is_64_bit(value)
    if type(value) is int and data_type == "double":
        return abs(value) <= MAX_EXACT_INTEGER
    return type(value) in COLUMN_TYPES[data_type].accepts


def to_arrow(values: Sequence[Any], data_type: str, found: JsonTypes) -> pa.Array | None:
    """Return a column of values with the JSON types `found`, or None if not all fit.

    Raises:
        ArrowException, OverflowError: If a number is too large.
    """
    column_type = COLUMN_TYPES[data_type]
    if not found <= column_type.accepts:
        return None
    if data_type == "json":
        values = [None if v is None else to_json(v) for v in values]
    elif data_type == "text" and found != {str}:
        values = [v if v is None or type(v) is str else to_json(v) for v in values]
    return pa.array(values, column_type.arrow)
