"""Values of the API -> columns of the contract's types."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import orjson
import pyarrow as pa

from event_assets import times

ARROW: Mapping[str, pa.DataType] = {
    "text": pa.string(),
    "timestamp": times.INSTANT,
    "date": pa.date32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "json": pa.string(),  # JSON text, told from other text by its metadata
}
BOOLS = {"true": True, "false": False, "1": True, "0": False}
WHOLE = re.compile(r"\s*[+-]?\d{1,30}\s*")
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")


def typed(values: Sequence[Any], kind: str) -> pa.Array:
    """Make a column of one type; null for what does not fit."""
    if kind != "json":
        try:
            column = pa.array(values)
        except (pa.ArrowException, OverflowError):  # of several types, or too large
            column = None
        if column is not None and column.type in (ARROW[kind], pa.null()):
            return column.cast(ARROW[kind])
    convert = CONVERTERS[kind]
    return pa.array([None if v is None else convert(v) for v in values], ARROW[kind])


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
    found = times.ISO.fullmatch(value) if type(value) is str else None
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
