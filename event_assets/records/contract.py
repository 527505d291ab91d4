"""The contract: read typed fields from JSON records."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, cast

import pyarrow as pa
from dlt.common.schema.typing import TColumnSchema

from event_assets.config.fields import FieldConfig
from event_assets.config.source import ResourceConfig
from event_assets.values import timestamps
from event_assets.values.conversion import to_id
from event_assets.values.json_paths import (
    Getter,
    Path,
    as_list,
    build_getter,
    first_present,
    parse_path,
    template_paths,
    values_at,
)
from event_assets.values.types import COLUMN_TYPES, convert

EPOCH_WITHOUT_FORMAT = "is a number: set `format: epoch_s` or `format: epoch_ms`"
UNKNOWN_ZONE = "is a local time, and its time zone is missing or unknown"


class FieldReader:
    """Reads one field of the contract from records.

    Attributes:
        name: the column.
        field: the field's configuration.
        plain_path: the column's path, if it is a single one without `*` and templates.
        source_paths: all paths that the column may be made of.
    """

    def __init__(self, name: str, field: FieldConfig, key: Sequence[str] = ()) -> None:
        """Read `field` from its `from`, from `name`, or from the parts of a composite `key`."""
        choices = as_list(field.source) or [name]
        self.name = name
        self.field = field
        self._choices = (
            [_composite_key_getter(key)] if key else [build_getter(choice) for choice in choices]
        )
        parts = [path for choice in choices for path in template_paths(choice)]
        self.source_paths = list(key) or list(dict.fromkeys(parts))
        self.plain_path = _plain_path(choices[0]) if len(choices) == 1 and not key else None
        self._zones: list[str | Getter] = [
            timestamps.parse_zone(zone) or build_getter(zone) for zone in as_list(field.timezone)
        ]

    def read(self, records: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Return the field's value in each record as the API sent it, or None."""
        values = first_present(self._choices, records)
        if "" in values and (self.name == "id" or self.field.type not in ("text", "json")):
            return [None if value == "" else value for value in values]
        return values

    def to_arrow(self, values: list[Any], records: Sequence[Mapping[str, Any]]) -> pa.Array:
        """Convert values to the column's type; null where there is none, or it does not fit."""
        if self.name == "id" and set(map(type, values)) - {str}:
            return pa.array([None if v is None else to_id(v) for v in values], pa.string())
        if self.field.type != "timestamp":
            return convert(values, self.field.type)
        return timestamps.parse_timestamps(values, self.field.format, self._zones_of(records))

    def _zones_of(self, records: Sequence[Mapping[str, Any]]) -> str | list[Any] | None:
        constant = self._zones[0] if self._zones else None
        if not callable(constant):
            return constant
        zones = first_present(self._zones, records)
        # An unknown zone: a local time without its zone must not be taken for UTC.
        return ["?" if zone is None or zone == "" else zone for zone in zones]

    def error(self, value: Any) -> str:
        """Return why a value does not fit; the same text for all values of its kind."""
        if value is None:
            return "is missing"
        if self.name == "id":
            return "is neither text nor a whole number"
        if self.field.type == "timestamp" and not self.field.format:
            if type(value) in (int, float):
                return EPOCH_WITHOUT_FORMAT
            if self._zones and timestamps.parse_timestamps([value], None, None)[0].is_valid:
                return UNKNOWN_ZONE
        return COLUMN_TYPES[self.field.type].error


def _composite_key_getter(names: Sequence[str]) -> Getter:
    """Build the function that joins a composite key so that no two keys get the same text."""
    getters = [build_getter(name) for name in names]

    def join(records: Sequence[Any]) -> list[Any]:
        rows = zip(*(getter(records) for getter in getters), strict=True)
        return [_join_key(row) if all(map(_is_key, row)) else None for row in rows]

    return join


def _is_key(value: Any) -> bool:
    return type(value) in (str, int) and value != ""


def _join_key(values: Sequence[Any]) -> str:
    return ":".join(str(value).replace("\\", "\\\\").replace(":", "\\:") for value in values)


def build_field_readers(
    fields: Mapping[str, FieldConfig], key: str | Sequence[str] = "id"
) -> dict[str, FieldReader]:
    """Build the readers of a contract; an `id` without `from` reads the API's primary key."""
    readers = {name: FieldReader(name, field) for name, field in fields.items()}
    if given := fields.get("id"):
        id_ = given.model_copy(update={"nullable": False})
        if given.source is None and not isinstance(key, str):
            readers["id"] = FieldReader("id", id_, key)
        else:
            readers["id"] = FieldReader(
                "id", id_.model_copy(update={"source": given.source or key})
            )
    return readers


def column_hints(fields: Mapping[str, FieldConfig]) -> dict[str, TColumnSchema]:
    """Return the contract's fields as dlt's column hints."""
    return {
        name: {"name": name, "data_type": field.type, "nullable": field.nullable and name != "id"}
        for name, field in fields.items()
    }


def _plain_path(choice: str) -> Path | None:
    return None if "{" in choice or "*" in choice else parse_path(choice)


def build_contract(resource: ResourceConfig) -> dict[str, FieldReader]:
    """Build the readers of a resource's typed fields: its contract, or else its primary key."""
    if resource.is_events:
        key = resource.primary_key[0] if len(resource.primary_key) == 1 else resource.primary_key
        return build_field_readers(resource.source.fields, key)
    return {
        name: FieldReader(name, FieldConfig(type="text", nullable=False, **{"from": key}))
        for name, key in zip(resource.primary_key_columns, resource.primary_key, strict=True)
    }


def build_id_reader(resource: ResourceConfig) -> Callable[[Any], Hashable]:
    """Build the function that returns a record's id, or None if it has none."""
    if not resource.is_events:
        own = [name for name in resource.primary_key if not name.startswith(f"_{resource.parent}_")]
        return lambda record: _read_key(record, own)
    reader = build_contract(resource)["id"]
    if reader.plain_path and len(reader.plain_path) == 1:
        (name,) = reader.plain_path
        return lambda record: _as_text(record.get(name)) if type(record) is dict else None
    return lambda record: _as_text(reader.read([record])[0])


def _read_key(record: Any, names: Sequence[str]) -> Hashable:
    if type(record) is not dict or not names:
        return None
    values = tuple(_as_text(values_at([record], name)[0]) for name in names)
    return None if None in values else values


def _as_text(key: Any) -> Hashable:
    """Return an integer as text: 7 and "7" are the same event."""
    return str(key) if type(key) is int else cast("Hashable", key)
