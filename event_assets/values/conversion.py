"""Convert single JSON values to the types of columns; None for what does not fit."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import NoneType
from typing import Any

import orjson

MAX_EXACT_INTEGER = 2**53  # a float holds every integer up to here
BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
ISO_PATTERN = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ](\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?)?"
    r" ?(Z|[+-]\d\d(?::?\d\d)?)?",
    re.IGNORECASE,
)
NUMBER_PATTERN = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")


def is_64_bit(value: int) -> bool:
    """Return whether an integer fits into 64 bits."""
    return -(2**63) <= value < 2**63


def to_text(value: Any) -> str | None:
    """Return a scalar as text: numbers and booleans as JSON writes them."""
    if type(value) is str:
        return value
    return None if type(value) in (dict, list) else to_json(value)


def to_id(value: Any) -> str | None:
    """Return an id as text: that of 7.0 is 7. A number that may have been rounded is no id."""
    if type(value) is float and value.is_integer() and abs(value) < MAX_EXACT_INTEGER:
        value = int(value)
    return None if type(value) in (NoneType, float, bool) else to_text(value)


def to_wire(value: Any) -> Any:
    """Return values as they are sent in queries, headers and forms: `true`, not `True`."""
    if isinstance(value, Mapping):
        return {name: to_wire(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_wire(member) for member in value]
    if value is None or isinstance(value, (str, bytes)):
        return value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value).lower() if isinstance(value, bool) else str(value)


def to_integer(value: Any) -> int | None:
    """Return an integer of 64 bits, also from text or a float without a fraction."""
    if type(value) is str:
        value = int(value) if re.fullmatch(r"\s*[+-]?\d{1,30}\s*", value) else None
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and is_64_bit(value) else None


def to_float(value: Any) -> float | None:
    """Return a finite float, also from text."""
    if type(value) is str:
        value = float(value) if NUMBER_PATTERN.fullmatch(value) else None
    is_finite = type(value) in (int, float) and abs(value) <= sys.float_info.max
    return float(value) if is_finite else None


def to_boolean(value: Any) -> bool | None:
    """Return a boolean, also from 0, 1 and text."""
    if type(value) is bool:
        return value
    return BOOLEANS.get(value.lower() if type(value) is str else str(value))


def to_date(value: Any) -> date | None:
    """Return the date of an ISO 8601 date or timestamp."""
    found = ISO_PATTERN.fullmatch(value) if type(value) is str else None
    try:
        return date(*map(int, found.groups()[:3])) if found else None
    except ValueError:
        return None


def to_json(value: Any) -> str:
    """Return a value as JSON, however large its numbers; a note if it is nested too deeply."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a number of more than 64 bits, or more than 254 levels
        try:
            return json.dumps(value, ensure_ascii=False)
        except RecursionError:
            return '"(nested too deeply to be written)"'


CONVERTERS: Mapping[str, Callable[[Any], Any]] = {  # by dlt's types, but for timestamps
    "text": to_text,
    "date": to_date,
    "bigint": to_integer,
    "double": to_float,
    "bool": to_boolean,
    "json": to_json,
}
