"""The contract's fields: where in a record each one is, and its type."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import pyarrow as pa
from dlt.common.normalizers.naming.snake_case import NamingConvention
from dlt.common.schema.typing import TColumnSchema
from pydantic import Field as Describe
from pydantic import model_validator

from event_assets import times
from event_assets.configuration import Attributes
from event_assets.conversion import key_text, typed

Type = Literal["text", "timestamp", "date", "bigint", "double", "bool", "json"]
Path = tuple["str | None", ...]  # names from the top of a record

UNFIT: Mapping[str, str] = {
    "text": "is an object or a list, not text",
    "timestamp": "is no time",
    "date": "is no date",
    "bigint": "is no whole number",
    "double": "is no number",
    "bool": "is neither true nor false",
    "json": "cannot be written as JSON",
}
NUMBER_AS_TIME = "is a number: say `format: epoch_s` or `format: epoch_ms`"
NO_ZONE = "is a local time whose zone is missing or not known"
NAMING = NamingConvention()
# When a sync last saw the event; and what dlt's merge calls its tables: DuckDB would read `d.id` as
# a member of a JSON column `d`.
OWN_NAMES = ("last_seen_at", "d", "s")
PART = re.compile(r"\{([^{}!:]+)\}")
NO_PATH = re.compile(r"[/ +]|^[A-Z]{2,5}$")  # what looks like the name of a zone


class Field(Attributes):
    """One typed column of `event_data`."""

    type: Type = Describe(
        description="Type of the column, by dlt's names; a timestamp lands in UTC."
    )
    nullable: bool = Describe(default=True, description="Whether the API may leave it out.")
    source: str | Sequence[str] | None = Describe(
        default=None,
        alias="from",
        description="Where it is in a record: a path (`a.b`, `a.*`), several paths, of which the "
        "first that is there counts, or parts put together (`{a.date}T{a.time}`).",
    )
    description: str | None = Describe(default=None, description="What it is, for the UI.")
    timezone: str | Sequence[str] | None = Describe(
        default=None,
        description="Zone of times that do not say theirs (`Europe/Berlin`, `+02:00`), or the path "
        "to it, or several, of which the first that is there counts. Without: UTC.",
    )
    format: str | None = Describe(
        default=None, description="epoch_s, epoch_ms, or a pattern of strptime; else ISO 8601."
    )

    @model_validator(mode="after")
    def _can_work(self) -> Field:
        for name in ("timezone", "format"):
            if getattr(self, name) and self.type != "timestamp":
                raise ValueError(f"`{name}` is for `type: timestamp` only")
        if self.format and self.format not in times.EPOCHS and "%" not in self.format:
            raise ValueError("`format` must be epoch_s, epoch_ms or a pattern like %d.%m.%Y %H:%M")
        for zone in _several(self.timezone):
            if not times.offset_of(zone) and NO_PATH.search(zone):
                raise ValueError(f"`timezone` is neither a known zone nor a path: `{zone}`")
        if self.source is not None and not all(map(_readable, _several(self.source) or [""])):
            raise ValueError("`from` must be a path, several, or parts like {a.date}T{a.time}")
        return self


def _several(value: str | Sequence[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _readable(choice: str) -> bool:
    """Is it a path, or are they parts in braces that each hold one?"""
    rest = PART.sub("", choice)
    paths = PART.findall(choice) or [choice]
    return not {"{", "}"} & set(rest) and all(path.strip(".") == path != "" for path in paths)


Getter = Callable[[Sequence[Any]], list[Any]]


class Reader:
    """Reads one field of the contract out of records.

    Attributes:
        name: of the column.
        field: what the contract says.
        whole: the path that becomes this column as it is, if it is just one.
        origins: all paths that it may be made from.
    """

    def __init__(self, name: str, field: Field, key: Sequence[str] = ()) -> None:
        """Read `field`, which is where it says, under `name`, or put together of the API's key."""
        choices = _several(field.source) or [name]
        self.name = name
        self.field = field
        self._choices = [_key_of(key)] if key else [_getter(choice) for choice in choices]
        parts = [part for choice in choices for part in PART.findall(choice) or [choice]]
        self.origins = list(key) or list(dict.fromkeys(parts))
        self.whole = _plain(choices[0]) if len(choices) == 1 and not key else None
        self._zones: list[str | Getter] = [
            times.offset_of(zone) or _getter(zone) for zone in _several(field.timezone)
        ]

    def values(self, records: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Give the field's value in each record, as the API has it; None where it is not."""
        values = _first(self._choices, records)
        if "" in values and (self.name == "id" or self.field.type not in ("text", "json")):
            return [None if value == "" else value for value in values]
        return values

    def array(self, values: list[Any], records: Sequence[Mapping[str, Any]]) -> pa.Array:
        """Type the values; null where there is none, or none that fits."""
        if self.name == "id" and set(map(type, values)) - {str}:
            return pa.array([None if v is None else key_text(v) for v in values], pa.string())
        if self.field.type != "timestamp":
            return typed(values, self.field.type)
        return times.instants(values, self.field.format, self._zones_of(records))

    def _zones_of(self, records: Sequence[Mapping[str, Any]]) -> str | list[Any] | None:
        constant = self._zones[0] if self._zones else None
        if not callable(constant):
            return constant
        zones = _first(self._zones, records)
        # A local time whose zone is not there is no instant.
        return ["?" if zone is None or zone == "" else zone for zone in zones]

    def problem(self, value: Any) -> str:
        """Say why a value does not fit, in words that are the same for all of its kind."""
        if value is None:
            return "is missing"
        if self.name == "id":
            return "is neither text nor a whole number"
        if self.field.type == "timestamp" and not self.field.format:
            if type(value) in (int, float):
                return NUMBER_AS_TIME
            if self._zones and times.instants([value], None, None)[0].is_valid:
                return NO_ZONE
        return UNFIT[self.field.type]


def _key_of(names: Sequence[str]) -> Getter:
    """Put the values of several keys together, so that no two events get the same text."""
    getters = [_getter(name) for name in names]

    def joined(records: Sequence[Any]) -> list[Any]:
        rows = zip(*(getter(records) for getter in getters), strict=True)
        return [_joined_key(row) if all(map(_is_key, row)) else None for row in rows]

    return joined


def _is_key(value: Any) -> bool:
    return type(value) in (str, int) and value != ""


def _joined_key(values: Sequence[Any]) -> str:
    return ":".join(str(value).replace("\\", "\\\\").replace(":", "\\:") for value in values)


def _first(choices: Sequence[str | Getter], records: Sequence[Any]) -> list[Any]:
    """Take the first of several values that is there; text that is empty is not."""
    first, *others = choices
    values = first(records) if callable(first) else [first] * len(records)
    for other in others:
        if None not in values and "" not in values:
            break
        following = other(records) if callable(other) else [other] * len(records)
        values = [b if a in (None, "") else a for a, b in zip(values, following, strict=True)]
    return values


def readers(fields: Mapping[str, Field], key: str | Sequence[str] = "id") -> dict[str, Reader]:
    """Make the readers of a contract; an `id` that does not say where it is takes the API's key."""
    made = {name: Reader(name, field) for name, field in fields.items()}
    if given := fields.get("id"):
        id_ = given.model_copy(update={"nullable": False})
        if given.source is None and not isinstance(key, str):
            made["id"] = Reader("id", id_, key)
        else:
            made["id"] = Reader("id", id_.model_copy(update={"source": given.source or key}))
    return made


def columns(fields: Mapping[str, Field]) -> dict[str, TColumnSchema]:
    """Say the contract's fields in dlt's column hints."""
    return {
        name: {
            "name": name,
            "data_type": field.type,
            "nullable": field.nullable and name != "id",
        }
        for name, field in fields.items()
    }


def misnamed(fields: Mapping[str, Field]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give the place and the description of what cannot be a column, and of an `id` that is not."""
    for name in fields:
        column = NAMING.normalize_identifier(name) if name.strip() else "x"
        if name in OWN_NAMES:
            yield (name,), f"`{name}` cannot be used here: it is a name of the table's own"
        elif column != name or name.startswith("_dlt"):
            better = column.removeprefix("_dlt_")
            yield (name,), f"`{name}` cannot be a column's name: write `{better}`"
    if "id" not in fields:
        yield (), "`id` is missing: events are told apart by it"
    elif fields["id"].type != "text":
        yield ("id",), "must be `type: text`: a number is text too, and no id is lost"


def _plain(choice: str) -> Path | None:
    return None if "{" in choice or "*" in choice else tuple(choice.split("."))


def values_at(records: Sequence[Any], path: str) -> list[Any]:
    """Give what is at a path in each record; None where it is not."""
    return _getter(path)(records)


def _getter(choice: str) -> Getter:
    """Make what reads a path, or parts put together, in many records at once."""
    names = PART.findall(choice)
    if not names:
        path = choice.split(".")
        return lambda records: _at(records, path)
    getters = [_getter(name) for name in names]
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
