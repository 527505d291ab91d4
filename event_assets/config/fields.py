"""The contract's fields: where in a record each one is, and its type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field as Describe
from pydantic import model_validator

from event_assets.config.model import StrictModel
from event_assets.values import timestamps
from event_assets.values.json_paths import PART_PATTERN, as_list, template_paths
from event_assets.values.naming import normalize_name
from event_assets.values.types import DataType

# When a sync last saw the event; and what dlt's merge calls its tables: DuckDB would read `d.id` as
# a member of a JSON column `d`.
RESERVED_COLUMNS = ("last_seen_at", "d", "s")
NO_PATH = re.compile(r"[/ +]|^[A-Z]{2,5}$")  # what looks like the name of a zone


class FieldConfig(StrictModel):
    """One typed column of `event_data`."""

    type: DataType = Describe(
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
    def _can_work(self) -> FieldConfig:
        for name in ("timezone", "format"):
            if getattr(self, name) and self.type != "timestamp":
                raise ValueError(f"`{name}` is for `type: timestamp` only")
        if self.format and self.format not in timestamps.EPOCH_UNITS and "%" not in self.format:
            raise ValueError("`format` must be epoch_s, epoch_ms or a pattern like %d.%m.%Y %H:%M")
        for zone in as_list(self.timezone):
            if not timestamps.parse_zone(zone) and NO_PATH.search(zone):
                raise ValueError(f"`timezone` is neither a known zone nor a path: `{zone}`")
        if self.source is not None and not all(map(_is_readable, as_list(self.source) or [""])):
            raise ValueError("`from` must be a path, several, or parts like {a.date}T{a.time}")
        return self


def _is_readable(choice: str) -> bool:
    """Is it a path, or are they parts in braces that each hold one?"""
    rest = PART_PATTERN.sub("", choice)
    is_path = all(path.strip(".") == path != "" for path in template_paths(choice))
    return is_path and not {"{", "}"} & set(rest)


def invalid_field_names(fields: Mapping[str, FieldConfig]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give the place and the description of what cannot be a column, and of an `id` that is not."""
    for name in fields:
        column = normalize_name(name)
        if name in RESERVED_COLUMNS:
            yield (name,), f"`{name}` cannot be used here: it is a name of the table's own"
        elif column != name or name.startswith("_dlt"):
            better = column.removeprefix("_dlt_")
            yield (name,), f"`{name}` cannot be a column's name: write `{better}`"
    if "id" not in fields:
        yield (), "`id` is missing: events are told apart by it"
    elif fields["id"].type != "text":
        yield ("id",), "must be `type: text`: a number is text too, and no id is lost"
