"""The types of columns: the table of their names and rules, but for those of Arrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from types import NoneType
from typing import Any, Literal, NamedTuple

from event_assets.values.conversion import MAX_EXACT_INTEGER, is_64_bit

DataType = Literal["text", "timestamp", "date", "bigint", "double", "bool", "json"]
JsonTypes = Set[type]  # what JSON values are in Python, but for null


class ColumnType(NamedTuple):
    """What a contract's `type` means in each place."""

    duckdb: str
    accepts: JsonTypes  # the JSON types that keep their meaning in this type
    error: str  # the reason to reject a record with a value that cannot be converted


INFERRED_TYPES = {str: "text", bool: "bool", int: "bigint", float: "double"}  # others are JSON
SCALARS = set(INFERRED_TYPES)
COLUMN_TYPES: Mapping[str, ColumnType] = {  # by dlt's names
    "text": ColumnType("VARCHAR", SCALARS, "is an object or a list, not text"),
    "timestamp": ColumnType("TIMESTAMP WITH TIME ZONE", set(), "is not a timestamp"),
    "date": ColumnType("DATE", set(), "is not a date"),
    "bigint": ColumnType("BIGINT", {int}, "is not a whole number"),
    "double": ColumnType("DOUBLE", {int, float}, "is not a number"),
    "bool": ColumnType("BOOLEAN", {bool}, "is neither true nor false"),
    "json": ColumnType("JSON", {*SCALARS, list, dict}, "cannot be written as JSON"),
}


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
    is_mixed = data_type == "bigint" and float in found
    if is_mixed and all(type(v) is not int or abs(v) <= MAX_EXACT_INTEGER for v in values):
        return "double"
    return data_type


def accepts(value: Any, data_type: str) -> bool:
    """Return whether a value keeps its meaning in a column of a type."""
    if type(value) is int and data_type == "bigint":
        return is_64_bit(value)
    if type(value) is int and data_type == "double":
        return abs(value) <= MAX_EXACT_INTEGER
    return type(value) in COLUMN_TYPES[data_type].accepts
