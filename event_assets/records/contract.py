"""The contract: read typed fields from JSON records."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.config.fields import START, FieldConfig
from event_assets.config.source import ResourceConfig
from event_assets.records.arrow_types import convert
from event_assets.values import json_paths, timestamps
from event_assets.values.conversion import to_id
from event_assets.values.json_paths import Getter, build_getter
from event_assets.values.types import COLUMN_TYPES

# What other programs write for none: the first time and the last that they know, a day 0, which is
# `-0001-11-30` in PHP, and what JavaScript makes of none.
NO_TIME = re.compile(r"0001-01-01|9999-12-31|0000-00-00|-0001-11-30|invalid date", re.IGNORECASE)
TO_BE_SAID = ("TBA", "TBC", "TBD", "tba", "tbc", "tbd")  # in place of a time of day
NO_EPOCH = frozenset(unit * end for unit in (1, 1000) for end in (-62135596800, 253402300799))
END = "end_time"


class FieldReader:
    """Reads one field of the contract from records."""

    def __init__(
        self,
        name: str,
        field: FieldConfig,
        key: str | Sequence[str] = (),
        start: FieldReader | None = None,
    ) -> None:
        """Read `field` from its `from`, or else from the parts of a `key`, or from `name`.

        `start`: reads the start of the events whose end this is.
        """
        self.name = name
        self.field = field
        self._start = start
        given = json_paths.as_list(field.source)
        choices = given or json_paths.as_list(key) or [name]
        getters = list(map(build_getter, choices))
        if field.type == "timestamp":  # a further choice may be the day alone
            getters[:-1] = map(_leave_open_times, getters[:-1])
        self._choices = getters if given or len(getters) == 1 else [_composite_key_getter(getters)]
        parts = [path for choice in choices for path in json_paths.template_paths(choice)]
        self.source_paths = list(dict.fromkeys(parts))  # all that the column may be made of
        self._has_intervals = any("}/" in choice for choice in choices)  # of a start and a duration
        self._made = [  # of a day and a time of day
            getter
            for choice, getter in zip(choices, getters, strict=True)
            if len(json_paths.template_paths(choice)) > 1
        ]
        is_plain = len(choices) == 1 and not {"{", "*"}.intersection(choices[0])
        self.plain_path = json_paths.parse_path(choices[0]) if is_plain else None
        self._zones: list[str | Getter] = [
            timestamps.parse_zone(zone) or build_getter(zone)
            for zone in json_paths.as_list(field.timezone)
        ]

    def read(
        self, records: Sequence[Any], members: Mapping[str, Sequence[Any]] | None = None
    ) -> list[Any]:
        """Return the field's value in each record as the API sent it, or None.

        `members` are the values of the records' members by name, where they are known.
        """
        if members is not None and self.plain_path and len(self.plain_path) == 1:
            values = list(members.get(self.plain_path[0], ())) or [None] * len(records)
        else:
            values = json_paths.first_present(self._choices, records)
        if self.field.html:
            values = [html.unescape(value) if type(value) is str else value for value in values]
        if (self.name == "id" or self.field.type not in ("text", "json")) and "" in values:
            return [None if value == "" else value for value in values]
        return values

    def to_arrow(self, values: list[Any], records: Sequence[Mapping[str, Any]]) -> pa.Array:
        """Convert values to the column's type; null where there is none, or it does not fit."""
        if self.name == "id" and set(map(type, values)) - {str}:
            return pa.array(list(map(to_id, values)), pa.string())
        if self.field.type != "timestamp":
            return convert(values, self.field.type)
        zones: Any = self._zones[0] if self._zones else None
        if callable(zones):
            found = json_paths.first_present(self._zones, records)
            # An unknown zone: a local time without its zone must not be taken for UTC.
            zones = ["?" if zone is None or zone == "" else zone for zone in found]
        parse = timestamps.parse_intervals if self._has_intervals else timestamps.parse_timestamps
        moments = parse(values, self.field.format, zones)
        if self._start is None or not self._made:
            return moments
        made = [one is not None for one in json_paths.first_present(self._made, records)]
        starts = self._start.to_arrow(self._start.read(records), records)
        later = timestamps.parse_a_day_later(values, self.field.format, zones)
        is_early = pc.and_(pc.less(moments, starts), pc.greater_equal(later, starts))
        is_past_midnight = pc.and_(pc.fill_null(is_early, False), pa.array(made, pa.bool_()))
        return pc.if_else(is_past_midnight, later, moments)

    def whole_days(self, values: Sequence[Any], moments: pa.Array) -> pa.Array | None:
        """Return the days without a time of day that are others in UTC; None if there are none."""
        if not self._zones:
            return None
        days = timestamps.parse_days(values, self.field.format)
        days = pc.if_else(pc.not_equal(days, timestamps.days_in_utc(moments)), days, None)
        return days if days.null_count < len(days) else None

    def is_empty(self, value: Any) -> bool:
        """Return whether a value that cannot be converted is, or stands for, none."""
        if self.field.type not in ("timestamp", "date") or value is None:
            return value is None
        is_epoch = type(value) in (int, float) and value in NO_EPOCH
        return is_epoch or (type(value) is str and bool(NO_TIME.match(value)))

    def error(self, value: Any) -> str:
        """Return why a value does not fit; the same text for all values of its kind."""
        if self.is_empty(value):
            return "is missing"
        if self.name == "id":
            return "is neither text nor a whole number"
        if self.field.type == "timestamp" and not self.field.format:
            if type(value) in (int, float):
                return "is a number: set `format: epoch_s` or `format: epoch_ms`"
            if self._zones and timestamps.parse_timestamps([value], None, None)[0].is_valid:
                return "is a local time, and its time zone is missing or unknown"
        return COLUMN_TYPES[self.field.type].error


def _leave_open_times(getter: Getter) -> Getter:
    """Return a getter that has no value where a time of day is yet to be said."""
    return lambda records: [
        None if isinstance(value, str) and value.endswith(TO_BE_SAID) else value
        for value in getter(records)
    ]


def _composite_key_getter(getters: Sequence[Getter]) -> Getter:
    """Build the function that joins a composite key so that no two keys get the same text."""

    def join(records: Sequence[Any]) -> list[Any]:
        return [_join_key(row) for row in zip(*(get(records) for get in getters), strict=True)]

    return join


def _join_key(values: Sequence[Any]) -> str | None:
    texts = [to_id(value) for value in values]
    escaped = (text.replace("\\", "\\\\").replace(":", "\\:") for text in texts if text)
    return ":".join(escaped) if all(texts) else None


def build_field_readers(
    fields: Mapping[str, FieldConfig], key: str | Sequence[str] = "id"
) -> dict[str, FieldReader]:
    """Build the readers of a contract; an `id` without `from` reads the API's primary key."""
    readers = {name: FieldReader(name, field) for name, field in fields.items()}
    if given := fields.get("id"):
        readers["id"] = FieldReader("id", given.model_copy(update={"nullable": False}), key)
    start, end = fields.get(START), fields.get(END)
    if start and end and {start.type, end.type} == {"timestamp"}:
        readers[END] = FieldReader(END, end, start=readers[START])
    return readers


def build_contract(resource: ResourceConfig) -> dict[str, FieldReader]:
    """Build the readers of a resource's typed fields: its contract, or else its primary key."""
    if resource.is_events:
        return build_field_readers(resource.source.fields, resource.primary_key)
    return {
        name: FieldReader(
            name, FieldConfig.model_validate({"type": "text", "nullable": False, "from": key})
        )
        for name, key in zip(resource.primary_key_columns, resource.primary_key, strict=True)
    }


def build_id_reader(resource: ResourceConfig) -> Callable[[Sequence[Any]], list[Hashable]]:
    """Build the function that returns the ids of records; None for a record without one."""
    if not resource.is_events:
        own = [key for key in resource.own_key if key not in resource.included_fields]
        getters = list(map(build_getter, own))
        return lambda records: _read_keys(records, getters)
    reader = build_contract(resource)["id"]

    def read_ids(records: Sequence[Any]) -> list[Hashable]:
        ids = reader.read(records)
        return ids if set(map(type, ids)) == {str} else list(map(to_id, ids))

    return read_ids


def _read_keys(records: Sequence[Any], getters: Sequence[Getter]) -> list[Hashable]:
    if not getters:
        return [None] * len(records)
    keys = zip(*(map(to_id, get(records)) for get in getters), strict=True)
    return [None if None in key else key for key in keys]
