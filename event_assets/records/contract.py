"""The contract: read typed fields out of JSON records."""

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

NUMBER_AS_TIME = "is a number: say `format: epoch_s` or `format: epoch_ms`"
NO_ZONE = "is a local time whose zone is missing or not known"


class FieldReader:
    """Reads one field of the contract out of records.

    Attributes:
        name: of the column.
        field: what the contract says.
        whole: the path that becomes this column as it is, if it is just one.
        origins: all paths that it may be made from.
    """

    def __init__(self, name: str, field: FieldConfig, key: Sequence[str] = ()) -> None:
        """Read `field`, which is where it says, under `name`, or put together of the API's key."""
        choices = as_list(field.source) or [name]
        self.name = name
        self.field = field
        self._choices = [_key_of(key)] if key else [build_getter(choice) for choice in choices]
        parts = [path for choice in choices for path in template_paths(choice)]
        self.origins = list(key) or list(dict.fromkeys(parts))
        self.whole = _plain_path(choices[0]) if len(choices) == 1 and not key else None
        self._zones: list[str | Getter] = [
            timestamps.parse_zone(zone) or build_getter(zone) for zone in as_list(field.timezone)
        ]

    def values(self, records: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Give the field's value in each record, as the API has it; None where it is not."""
        values = first_present(self._choices, records)
        if "" in values and (self.name == "id" or self.field.type not in ("text", "json")):
            return [None if value == "" else value for value in values]
        return values

    def array(self, values: list[Any], records: Sequence[Mapping[str, Any]]) -> pa.Array:
        """Type the values; null where there is none, or none that fits."""
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
            if self._zones and timestamps.parse_timestamps([value], None, None)[0].is_valid:
                return NO_ZONE
        return COLUMN_TYPES[self.field.type].error


def _key_of(names: Sequence[str]) -> Getter:
    """Put the values of several keys together, so that no two events get the same text."""
    getters = [build_getter(name) for name in names]

    def joined(records: Sequence[Any]) -> list[Any]:
        rows = zip(*(getter(records) for getter in getters), strict=True)
        return [_joined_key(row) if all(map(_is_key, row)) else None for row in rows]

    return joined


def _is_key(value: Any) -> bool:
    return type(value) in (str, int) and value != ""


def _joined_key(values: Sequence[Any]) -> str:
    return ":".join(str(value).replace("\\", "\\\\").replace(":", "\\:") for value in values)


def build_field_readers(
    fields: Mapping[str, FieldConfig], key: str | Sequence[str] = "id"
) -> dict[str, FieldReader]:
    """Make the readers of a contract; an `id` that does not say where it is takes the API's key."""
    made = {name: FieldReader(name, field) for name, field in fields.items()}
    if given := fields.get("id"):
        id_ = given.model_copy(update={"nullable": False})
        if given.source is None and not isinstance(key, str):
            made["id"] = FieldReader("id", id_, key)
        else:
            made["id"] = FieldReader("id", id_.model_copy(update={"source": given.source or key}))
    return made


def column_hints(fields: Mapping[str, FieldConfig]) -> dict[str, TColumnSchema]:
    """Say the contract's fields in dlt's column hints."""
    return {
        name: {
            "name": name,
            "data_type": field.type,
            "nullable": field.nullable and name != "id",
        }
        for name, field in fields.items()
    }


def _plain_path(choice: str) -> Path | None:
    return None if "{" in choice or "*" in choice else parse_path(choice)


def build_contract(resource: ResourceConfig) -> dict[str, FieldReader]:
    """Build the readers of a resource's typed fields: the contract's, or else those of its key."""
    if resource.is_events:
        key = resource.primary_key[0] if len(resource.primary_key) == 1 else resource.primary_key
        return build_field_readers(resource.source.fields, key)
    return {
        name: FieldReader(name, FieldConfig(type="text", nullable=False, **{"from": key}))
        for name, key in zip(resource.primary_key_columns, resource.primary_key, strict=True)
    }


def build_id_reader(resource: ResourceConfig) -> Callable[[Any], Hashable]:
    """Build the function that returns a record's id, or None where it has none."""
    if not resource.is_events:
        own = [name for name in resource.primary_key if not name.startswith(f"_{resource.parent}_")]
        return lambda record: _read_key(record, own)
    reader = build_contract(resource)["id"]
    if reader.whole and len(reader.whole) == 1:
        (name,) = reader.whole
        return lambda record: _as_text(record.get(name)) if type(record) is dict else None
    return lambda record: _as_text(reader.values([record])[0])


def _read_key(record: Any, names: Sequence[str]) -> Hashable:
    if type(record) is not dict or not names:
        return None
    values = tuple(_as_text(values_at([record], name)[0]) for name in names)
    return None if None in values else values


def _as_text(key: Any) -> Hashable:
    """7 and "7" are one event."""
    return str(key) if type(key) is int else cast("Hashable", key)
