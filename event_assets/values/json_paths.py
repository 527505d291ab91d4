"""Read the values at paths in JSON records."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from event_assets.values.json_structs import JsonStruct

Path = tuple["str | None", ...]  # names from the top of a record
PART_PATTERN = re.compile(r"\{([^{}!:]+)\}")  # a path within a template
NAME_PATTERN = re.compile(r"""\[(['"])(.+?)\1\]|([^.]+?)(?=\.|\[['"]|$)""")
Getter = Callable[[Sequence[Any]], list[Any]]


def as_list(value: str | Sequence[str] | None) -> list[str]:
    """Return one value or several as a list."""
    return [value] if isinstance(value, str) else list(value or ())


def parse_path(path: str) -> tuple[str, ...]:
    """Return the names in a path such as `dates.start`, or `['a.b'].c` for a name with a dot."""
    if "['" not in path and '["' not in path:
        return tuple(path.split("."))
    return tuple(quoted or plain for _, quoted, plain in NAME_PATTERN.findall(path))


def template_paths(choice: str) -> list[str]:
    """Return the paths that a template such as `{a.date}T{a.time}` reads, or the path itself."""
    return PART_PATTERN.findall(choice) or [choice]


def values_at(records: Sequence[Any], path: str) -> list[Any]:
    """Return the value at a path in each record, or None where there is none."""
    values: list[Any] = list(records)
    for name in parse_path(path):
        try:
            values = list(map(itemgetter(name), values))  # all are objects with it: the usual case
        except (KeyError, TypeError):
            values = [_member(value, name) for value in values]
    return values


def all_values_at(value: Any, names: Sequence[str]) -> Iterator[Any]:
    """Yield what is at nested names of a value; `*` stands for each member, not the first one."""
    if not names:
        yield value
        return
    first, *rest = names
    if first == "*" and (type(value) is list or (type(value) is dict and "*" not in value)):
        for member in value.values() if type(value) is dict else value:
            yield from all_values_at(member, rest)
    elif (member := _member(value, first)) is not None:
        yield from all_values_at(member, rest)


def _member(value: Any, name: str) -> Any:
    if isinstance(value, dict) and (name != "*" or name in value):
        return value.get(name)
    if isinstance(value, JsonStruct):
        return value[name] if name in value.attributes else None
    if type(value) in (dict, list) and name == "*":
        members = value.values() if type(value) is dict else value
        return next((member for member in members if member is not None), None)
    if type(value) is list and name.isdecimal() and int(name) < len(value):
        return value[int(name)]
    return None


def build_getter(choice: str) -> Getter:
    """Build the function that reads a path, or fills a template, in many records at once."""
    if not PART_PATTERN.search(choice):
        return lambda records: values_at(records, choice)
    getters = [build_getter(path) for path in template_paths(choice)]
    template = PART_PATTERN.sub("{}", choice)

    def fill(records: Sequence[Any]) -> list[Any]:
        rows = zip(*(getter(records) for getter in getters), strict=True)
        return [template.format(*row) if all(map(_is_scalar, row)) else None for row in rows]

    return fill


def first_present(choices: Sequence[str | Getter], records: Sequence[Any]) -> list[Any]:
    """Return the first value of each record that is neither null nor empty text.

    A choice is read from the records, or is itself the value.
    """
    first, *others = choices
    values = first(records) if callable(first) else [first] * len(records)
    for other in others:
        if None not in values and "" not in values:
            break
        following = other(records) if callable(other) else [other] * len(records)
        values = [b if a in (None, "") else a for a, b in zip(values, following, strict=True)]
    return values


def _is_scalar(value: Any) -> bool:
    return value is not None and value != "" and type(value) not in (dict, list)
