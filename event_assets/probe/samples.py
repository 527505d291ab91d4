"""A sample of records, by the paths of their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from event_assets.config.fields import FieldConfig
from event_assets.pagination.totals import members_outside_records
from event_assets.probe import field_words as words
from event_assets.probe.time_formats import ENOUGH, TimeFormat, find_format
from event_assets.records.contract import FieldReader
from event_assets.values.errors import ConfigError
from event_assets.values.json_paths import as_list, build_getter, parse_path
from event_assets.values.timestamps import parse_zone

MAX_DEPTH = 5  # levels of nested objects
SIZE = 300  # records in which fields are looked for; ids are in all
NOTHING = (None, "")


@dataclass(frozen=True)
class FieldFinding:
    """Where a field is."""

    settings: Mapping[str, Any]  # in `fields`, beside the type
    is_zoned: bool = False  # the time zone is known, or a day needs none
    rivals: Sequence[str] = ()  # other `format`s that read every value, too
    others: Sequence[str] = ()  # paths and templates of which nothing tells that they are it less

    @property
    def sources(self) -> list[str]:
        """The paths and templates of `from`."""
        return as_list(self.settings["from"])


@dataclass
class Sample:
    """Records of a list: those of its members that are objects."""

    all_records: Sequence[Any]
    zone: str | None = None  # that the response names outside of them
    enough: float = ENOUGH  # the share of a field's values that are times, if it is one of times

    def __post_init__(self) -> None:
        self.all_records = [record for record in self.all_records if isinstance(record, dict)]

    @cached_property
    def records(self) -> Sequence[Any]:
        """Some of the records, from all over the list."""
        return self.all_records[:: max(1, len(self.all_records) // SIZE)][:SIZE]

    @cached_property
    def leaves(self) -> Mapping[str, Sequence[Any]]:
        """The values of each path that is no object; None where a record has none."""
        found: dict[str, list[Any]] = {}
        for number, record in enumerate(self.records):
            for path, value in walk_scalars(record):
                found.setdefault(path, [None] * len(self.records))[number] = value
        return found

    def present(self, path: str) -> list[Any]:
        """Return the values at a path that are neither null nor empty."""
        return [value for value in self.leaves[path] if value not in NOTHING]

    def fills(self, chain: Sequence[str], path: str) -> bool:
        """Return whether a path has a value in a record in which those before it have none."""
        pairs = zip(self.first(chain), self.leaves[path], strict=True)
        return any(first in NOTHING and value not in NOTHING for first, value in pairs)

    def first(self, chain: Sequence[str]) -> list[Any]:
        """Return the first value of each record among paths."""
        rows = zip(*(self.leaves[path] for path in chain), strict=True)
        return [next((value for value in row if value not in NOTHING), None) for row in rows]

    def most_members(self, path: str) -> int:
        """Return how many members the list has, at most, of one of which a path is a part."""
        outer, is_part, _ = f"{path}.".replace(".1.", ".0.").rpartition(".0.")
        lists = build_getter(outer)(self.records) if is_part else ()
        return max((len(value) for value in lists if isinstance(value, list)), default=1)

    def is_unique(self, *paths: str) -> bool:
        """Return whether the values at paths tell all records apart, where none is missing.

        One may be there several times, such as on each of its days.
        """
        records = [*{repr(record): record for record in self.all_records}.values()]
        columns = [build_getter(path)(records) for path in paths]
        keys = [tuple(map(str, row)) for row in zip(*columns, strict=True) if None not in row]
        return len({*keys}) == len(keys)

    @cached_property
    def formats(self) -> Mapping[str, TimeFormat]:
        """How the values are written at each path that has times."""
        found = {path: find_format(values, self.enough) for path, values in self.leaves.items()}
        return {path: format_ for path, format_ in found.items() if format_}


def read_field(
    reader: FieldReader, records: Sequence[Any]
) -> tuple[list[Any], list[Any], list[Any]]:
    """Return what a field finds in records, what a sync makes of it, and what it cannot read."""
    values = reader.read(records)
    column = reader.to_arrow(values, records)
    found = column.to_pylist()
    pairs = zip(values, found, strict=True)
    return values, found, [one for one, made in pairs if made is None and not reader.is_empty(one)]


def parse_field(name: str, settings: Mapping[str, Any]) -> FieldConfig:
    """Return the configuration of a field.

    Raises:
        ConfigError: a setting is wrong.
    """
    try:
        return FieldConfig.model_validate(settings)
    except ValidationError as error:
        problem = error.errors()[0]
        at = ".".join(map(str, ("fields", name, *problem["loc"])))
        raise ConfigError(f"`{at}`: {problem['msg']}: correct it by --set {at}=VALUE.") from None


def is_foreign(path: str) -> bool:
    """Return whether a path leads into another object than the event, such as its venue."""
    outer = (part for part in words.split_path(path)[:-1] if "takes" not in part)  # place
    return any({*part} & words.OTHER_OBJECTS for part in outer)


def last_name(path: str) -> str:
    """Return the last name of a path."""
    return parse_path(path)[-1]


def is_zone_name(path: str) -> bool:
    """Return whether the last name of a path, or its parent's, says that it holds a time zone."""
    *_, parent, name = (set(), *map(set, words.split_path(path)))
    is_in_zone = parent & {"timezone", "tz"} or {"time", "zone"} <= parent
    return bool(name & words.ZONE or is_in_zone) or {"time", "zone"} <= name


def find_zone(document: Any, selector: str) -> str | None:
    """Return a time zone that a response names outside of the records at a selector."""
    around, is_by_id, _ = selector.partition("*")  # records may be members of an object, by id
    members = members_outside_records(document)
    others = (one for one in members if not (is_by_id and one[0].startswith(around)))
    texts = (value for path, value in others if isinstance(value, str) and is_zone_name(path))
    return next(filter(parse_zone, texts), None)


def walk_scalars(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the paths of what is no object, also in the first member of a list."""
    if isinstance(value, dict) and depth < MAX_DEPTH:
        for name, member in value.items():
            if name and not {*"{}*"} & {*name}:
                step = f"['{name}']" if "." in name else name
                joint = "." if path and "." not in name else ""
                yield from walk_scalars(member, f"{path}{joint}{step}", depth + 1)
    elif isinstance(value, list) and value and depth < MAX_DEPTH:
        yield from walk_scalars(value[0], f"{path}.0", depth + 1)
    elif path and not isinstance(value, dict):
        yield path, value
