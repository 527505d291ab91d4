"""Arrow fields of columns, and the hints that carry to dlt what Arrow's types do not say."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import pyarrow as pa
from dlt.common.schema.typing import TColumnSchema

from event_assets.config.accounts import ACCOUNT
from event_assets.config.fields import LAST_SEEN
from event_assets.records.arrow_types import ARROW_TYPES
from event_assets.values.json_paths import Path

HINTS = b"hints"  # the key of a field's metadata
PATH_HINT = "x-path"  # the path of a column's values in a record, unless its name says it


def build_arrow_field(name: str, data_type: str, path: Path | None = None) -> pa.Field:
    """Build the field of a column; its metadata holds dlt's hints for the type and the path."""
    hints: dict[str, Any] = {"data_type": data_type} if data_type in ("json", "double") else {}
    if path and "__".join(map(str, path)) != name:
        hints[PATH_HINT] = path
    metadata = {HINTS: json.dumps(hints)} if hints else None
    return pa.field(name, ARROW_TYPES[data_type], name != "id", metadata)


def arrow_column_hints(table: pa.Table) -> dict[str, TColumnSchema]:
    """Return dlt's hints for what Arrow's types do not say: JSON, and a column's path."""
    fields = [field for field in table.schema if field.metadata]
    hints = {f.name: {"name": f.name, **json.loads(f.metadata[HINTS])} for f in fields}
    return cast("dict[str, TColumnSchema]", hints)


def hinted_paths(columns: Mapping[str, TColumnSchema]) -> dict[str, list[str | None]]:
    """Return the paths in dlt's hints, by column."""
    hints_of = cast("Mapping[str, Mapping[str, Any]]", columns)  # dlt types its own hints only
    return {name: hint[PATH_HINT] for name, hint in hints_of.items() if PATH_HINT in hint}


def add_system_columns(table: pa.Table, seen_at: datetime, account: str | None) -> pa.Table:
    """Add the columns that do not come from the API: `last_seen_at` and `account`."""
    seen = pa.scalar(seen_at, ARROW_TYPES["timestamp"])
    table = table.append_column(
        build_arrow_field(LAST_SEEN, "timestamp"), pa.repeat(seen, len(table))
    )
    if account is None:
        return table
    accounts = pa.repeat(pa.scalar(account), len(table))
    return table.append_column(build_arrow_field(ACCOUNT, "text").with_nullable(False), accounts)


def _is_unexpected(record: logging.LogRecord) -> bool:
    """Return whether it is another message than dlt's that a column of text has the hint JSON."""
    return "several column hints were different" not in record.getMessage()


logging.getLogger("dlt").addFilter(_is_unexpected)
