"""The types of columns: their names in dlt, JSON, Arrow and DuckDB, and conversion to them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import NoneType
from typing import Any

import orjson
import pyarrow as pa

from event_assets.values import timestamps

DUCKDB_TYPES = {  # DuckDB's names for dlt's types
    "text": "VARCHAR",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "date": "DATE",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "json": "JSON",
}
ARROW_TYPES: Mapping[str, pa.DataType] = {
    "text": pa.string(),
    "timestamp": timestamps.INSTANT,
    "date": pa.date32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "json": pa.string(),  # JSON text, told from other text by its metadata
}
BOOLS = {"true": True, "false": False, "1": True, "0": False}
WHOLE = re.compile(r"\s*[+-]?\d{1,30}\s*")
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")


def convert(values: Sequence[Any], kind: str) -> pa.Array:
    """Make a column of one type; null for what does not fit."""
    if kind != "json":
        try:
            column = pa.array(values)
        except (pa.ArrowException, OverflowError):  # of several types, or too large
            column = None
        if column is not None and column.type in (ARROW_TYPES[kind], pa.null()):
            return column.cast(ARROW_TYPES[kind])
    convert = CONVERTERS[kind]
    return pa.array([None if v is None else convert(v) for v in values], ARROW_TYPES[kind])


def _text(value: Any) -> str | None:
    if type(value) is str:
        return value
    return None if type(value) in (dict, list) else to_json(value)


def key_text(value: Any) -> str | None:
    """An id: text, or a whole number, which a number with a fraction cannot tell for sure."""
    return None if type(value) in (float, bool) else _text(value)


def _whole(value: Any) -> int | None:
    if type(value) is str:
        value = int(value) if WHOLE.fullmatch(value) else None
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and -(2**63) <= value < 2**63 else None


def _number(value: Any) -> float | None:
    if type(value) is str:
        value = float(value) if NUMBER.fullmatch(value) else None
    return (
        float(value) if type(value) in (int, float) and abs(value) <= sys.float_info.max else None
    )


def _bool(value: Any) -> bool | None:
    if type(value) is bool:
        return value
    return BOOLS.get(value.lower()) if type(value) is str else BOOLS.get(str(value))


def _date(value: Any) -> date | None:
    found = timestamps.ISO.fullmatch(value) if type(value) is str else None
    try:
        return date(*map(int, found.groups()[:3])) if found else None
    except ValueError:
        return None


CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "bigint": _whole,
    "double": _number,
    "bool": _bool,
    "date": _date,
    "json": lambda value: to_json(value),
}


def to_json(value: Any) -> str:
    """Write a value as JSON, however large its numbers; what is nested too deeply, as a note."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a number of more than 64 bits, or more than 254 levels
        pass
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return '"(nested too deeply to be written)"'


Kinds = frozenset[type]
MAX_EXACT_INTEGER = 2**53  # whole numbers up to here are the same as float


def json_types(values: Sequence[Any]) -> Kinds:
    """Give the types of values, but for null."""
    return frozenset(map(type, values)) - {NoneType}


JSON_TYPES: Mapping[type, str] = {
    str: "text",
    bool: "bool",
    int: "bigint",
    float: "double",
    list: "json",
    dict: "json",
}
ACCEPTED: Mapping[str, Kinds] = {  # what fits into a column of each type
    "text": frozenset({str, bool, int, float}),
    "bool": frozenset({bool}),
    "bigint": frozenset({int}),
    "double": frozenset({int, float}),
    "json": frozenset(JSON_TYPES),
}


def infer_type(value: Any) -> str:
    """Give the type of the column that a value makes by itself."""
    if type(value) is int and not -(2**63) <= value < 2**63:
        return "text"
    return JSON_TYPES[type(value)]


def infer_column_type(values: Sequence[Any], kinds: Kinds) -> str:
    """Choose the type of a new column: that of its first value, a float if others are."""
    kind = infer_type(next(value for value in values if value is not None))
    exact = all(type(value) is not int or abs(value) <= MAX_EXACT_INTEGER for value in values)
    return "double" if kind == "bigint" and float in kinds and exact else kind


def accepts(value: Any, kind: str) -> bool:
    """Does a value go into a column of a type, and stay what it is?"""
    if type(value) not in ACCEPTED.get(kind, ()):
        return False
    if type(value) is not int or kind not in ("bigint", "double"):
        return True
    return abs(value) <= MAX_EXACT_INTEGER if kind == "double" else -(2**63) <= value < 2**63


def to_arrow(values: Sequence[Any], kind: str, kinds: Kinds) -> pa.Array | None:
    """Make a column; None when not all values fit.

    Raises:
        ArrowException, OverflowError: when a number is too large.
    """
    if not kinds <= ACCEPTED.get(kind, frozenset()):
        return None if kinds else pa.nulls(len(values), ARROW_TYPES[kind])
    if kind == "json":
        return pa.array([None if v is None else to_json(v) for v in values], pa.string())
    if kind == "text" and kinds != {str}:
        values = [v if v is None or type(v) is str else to_json(v) for v in values]
    return pa.array(values, ARROW_TYPES[kind])
