"""The contract's fields: their types and where they are in a record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, model_validator

from event_assets.config.model import Keys, StrictModel, refuse
from event_assets.values.json_paths import PART_PATTERN, as_list, parse_path, template_paths
from event_assets.values.naming import normalize_name
from event_assets.values.types import DataType

LAST_SEEN = "last_seen_at"  # when a sync last received the event
START = "start_time"
START_DAY = f"{START}__v_date"  # of an event of whole days, where its day is another one in UTC
# `d` and `s` are aliases in dlt's merge: DuckDB would read `d.id` as a member of a JSON column `d`.
RESERVED_COLUMNS = (LAST_SEEN, "d", "s")
ZONE_NAME_PATTERN = re.compile(r"[/ +]|^[A-Z]{2,5}$")  # a text that does not match is a path

QUOTED_NAME = re.compile(r"""\[(['"]).+?\1\]""")
INDEX = re.compile(r"\[[\d*]*\]")


class FieldConfig(StrictModel):
    """One typed column of `event_data`."""

    type: DataType
    """Type of the column, by dlt's names; timestamps are stored in UTC."""
    nullable: bool = True
    """Whether it may be missing."""
    source: str | Sequence[str] | None = Field(default=None, alias="from")
    """Its path in a record (`a.b`, `a.*`); a list of paths: the first with a value counts; or a
    template (`{a.date}T{a.time}`; for an end: `{start}/PT{minutes}M`)."""
    description: str | None = None
    """Description for the UI."""
    timezone: str | Sequence[str] | None = None
    """Time zone of local times (`Europe/Berlin`, `+02:00`), or its path in a record, or a list of
    both: the first with a value counts. Default: UTC."""
    format: str | None = None
    """epoch_s, epoch_ms, or a pattern of strptime; else ISO 8601, RFC 2822."""
    html: Literal["unescape"] | None = None
    """`unescape`: HTML entities in a text become characters."""

    @model_validator(mode="after")
    def _can_work(self) -> FieldConfig:
        if self.html and self.type != "text":
            raise ValueError("`html` is for `type: text` only")
        for name in ("timezone", "format"):
            if getattr(self, name) is not None and self.type != "timestamp":
                raise ValueError(f"`{name}` is for `type: timestamp` only")
        if self.format is not None or self.timezone is not None:
            from event_assets.values import timestamps  # imports pyarrow, which is slow
        if self.format is not None and not timestamps.is_format(self.format):
            raise ValueError("`format` must be epoch_s, epoch_ms or a pattern like %d.%m.%Y %H:%M")
        for zone in as_list(self.timezone) or [""] * (self.timezone is not None):
            is_path = is_valid_source(zone) and not ZONE_NAME_PATTERN.search(zone)
            if not is_path and not timestamps.parse_zone(zone):
                raise ValueError(f"`timezone` is neither a known zone nor a path: `{zone}`")
        if self.source is not None and not all(map(is_valid_source, as_list(self.source) or [""])):
            raise ValueError(
                "`from` must be a path like a.b or a.0, a list, or a template like {a}T{b}"
            )
        return self


def is_valid_source(choice: str) -> bool:
    """Return whether it is a path, or a template with paths in braces; items of lists are `a.0`."""
    rest = PART_PATTERN.sub("", choice)
    if INDEX.search(QUOTED_NAME.sub("", choice)):
        return False
    paths = [parse_path(path) for path in template_paths(choice)]
    are_paths = all(all(path) and path[0] != "$" for path in paths)
    return are_paths and not {"{", "}"} & set(rest)


def check_source(choice: str) -> str:
    """Check a path or a template; raises ValueError."""
    if not is_valid_source(choice):
        raise ValueError(f"`{choice}` is not a path in a record, such as a.b or a.0")
    return choice


def check_fields(fields: dict[str, FieldConfig]) -> dict[str, FieldConfig]:
    """Check that each field can be a column, and the field of the id; raises ValidationError."""
    refuse(field_problems(fields))
    return fields


def field_problems(fields: Mapping[str, FieldConfig]) -> Iterator[tuple[Keys, str]]:
    """Yield the path and the message of each field that cannot be a column, and of a wrong `id`."""
    for name in fields:
        column = normalize_name(name)
        if name in RESERVED_COLUMNS:
            yield (name,), f"`{name}` is reserved: choose another name"
        elif column != name or name.startswith("_dlt"):
            suggested = column.removeprefix("_dlt_")
            yield (name,), f"`{name}` cannot be a column name: write `{suggested}`"
    if "id" not in fields:
        yield (), "`id` is missing: the table merges on it"
    elif fields["id"].type != "text":
        yield ("id",), "must be `type: text`: a number is text too, and no id is lost"
    elif fields["id"].html:
        yield ("id", "html"), "is not for the id, which must stay as the API has it"


def check_marks(marks: dict[str, Any]) -> dict[str, Any]:
    """Check that each mark of removed records can match; raises ValidationError."""
    refuse(_mark_problems(marks))
    return marks


def _mark_problems(marks: Mapping[str, Any]) -> Iterator[tuple[Keys, str]]:
    for path, value in marks.items():
        if not is_valid_source(path) or "{" in path:
            yield (path,), f"`{path}` is not a path in a record, such as a.b or a.0"
        values = value if isinstance(value, list) else [value]
        if not values or any(isinstance(one, (dict, list, type(None))) for one in values):
            yield (path,), "must be a value, a list of values, or true"
