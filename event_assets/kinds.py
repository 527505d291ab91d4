"""The types of JSON values, and which columns they fit into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any

import pyarrow as pa

from event_assets.conversion import ARROW, to_json

Kinds = frozenset[type]
EXACT = 2**53  # whole numbers up to here are the same as float


def kinds_of(values: Sequence[Any]) -> Kinds:
    """Give the types of values, but for null."""
    return frozenset(map(type, values)) - {NoneType}


KINDS: Mapping[type, str] = {
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
    "json": frozenset(KINDS),
}


def kind_of(value: Any) -> str:
    """Give the type of the column that a value makes by itself."""
    if type(value) is int and not -(2**63) <= value < 2**63:
        return "text"
    return KINDS[type(value)]


def first_kind(values: Sequence[Any], kinds: Kinds) -> str:
    """Choose the type of a new column: that of its first value, a float if others are."""
    kind = kind_of(next(value for value in values if value is not None))
    exact = all(type(value) is not int or abs(value) <= EXACT for value in values)
    return "double" if kind == "bigint" and float in kinds and exact else kind


def fits(value: Any, kind: str) -> bool:
    """Does a value go into a column of a type, and stay what it is?"""
    if type(value) not in ACCEPTED.get(kind, ()):
        return False
    if type(value) is not int or kind not in ("bigint", "double"):
        return True
    return abs(value) <= EXACT if kind == "double" else -(2**63) <= value < 2**63


def array_of(values: Sequence[Any], kind: str, kinds: Kinds) -> pa.Array | None:
    """Make a column; None when not all values fit.

    Raises:
        ArrowException, OverflowError: when a number is too large.
    """
    if not kinds <= ACCEPTED.get(kind, frozenset()):
        return None if kinds else pa.nulls(len(values), ARROW[kind])
    if kind == "json":
        return pa.array([None if v is None else to_json(v) for v in values], pa.string())
    if kind == "text" and kinds != {str}:
        values = [v if v is None or type(v) is str else to_json(v) for v in values]
    return pa.array(values, ARROW[kind])
