"""Read what is at a path in JSON records."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

Path = tuple["str | None", ...]  # names from the top of a record
PART = re.compile(r"\{([^{}!:]+)\}")
Getter = Callable[[Sequence[Any]], list[Any]]


def values_at(records: Sequence[Any], path: str) -> list[Any]:
    """Give what is at a path in each record; None where it is not."""
    return build_getter(path)(records)


def build_getter(choice: str) -> Getter:
    """Make what reads a path, or parts put together, in many records at once."""
    names = PART.findall(choice)
    if not names:
        path = choice.split(".")
        return lambda records: _at(records, path)
    getters = [build_getter(name) for name in names]
    pattern = PART.sub("{}", choice)

    def joined(records: Sequence[Any]) -> list[Any]:
        parts = zip(*(getter(records) for getter in getters), strict=True)
        return [
            None if any(map(_is_no_part, values)) else pattern.format(*values) for values in parts
        ]

    return joined


def _is_no_part(value: Any) -> bool:
    return value is None or value == "" or type(value) in (dict, list)


def _at(records: Sequence[Any], path: Sequence[str]) -> list[Any]:
    values: list[Any] = list(records)
    for name in path:
        values = [
            value.get(name) if type(value) is dict and name != "*" else _member(value, name)
            for value in values
        ]
    return values


def _member(value: Any, name: str) -> Any:
    if type(value) is dict:
        if name != "*" or name in value:
            return value.get(name)
        return next((member for member in value.values() if member is not None), None)
    if type(value) is list:
        if name == "*":
            return next((member for member in value if member is not None), None)
        if name.isdecimal():
            return value[int(name)] if int(name) < len(value) else None
    return None
