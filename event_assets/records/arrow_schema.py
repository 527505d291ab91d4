"""Arrow fields of columns, and the hints that tell dlt what Arrow's types do not."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime
from typing import cast

import pyarrow as pa
from dlt.common.schema.typing import TColumnSchema

from event_assets.config.accounts import ACCOUNT
from event_assets.config.fields import LAST_SEEN
from event_assets.records.arrow_types import ARROW_TYPES

DATA_TYPE = b"data_type"  # the key of a field's metadata


def build_arrow_field(name: str, data_type: str) -> pa.Field:
    """Build the field of a column; its metadata tells JSON from text, and that it is a float."""
    metadata = {DATA_TYPE: data_type} if data_type in ("json", "double") else None
    return pa.field(name, ARROW_TYPES[data_type], metadata=metadata)


def arrow_column_hints(table: pa.Table) -> dict[str, TColumnSchema]:
    """Return dlt's hints for the types that Arrow does not tell."""
    typed = {f.name: f.metadata[DATA_TYPE].decode() for f in table.schema if f.metadata}
    hints = {name: {"name": name, "data_type": kind} for name, kind in typed.items()}
    return cast("dict[str, TColumnSchema]", hints)


def add_system_columns(table: pa.Table, seen_at: datetime, account: str | None) -> pa.Table:
    """Add the columns that do not come from the API: `last_seen_at` and `account`."""
    seen = pa.scalar(seen_at, ARROW_TYPES["timestamp"])
    table = table.append_column(
        build_arrow_field(LAST_SEEN, "timestamp"), pa.repeat(seen, len(table))
    )
    if account is None:
        return table
    accounts = pa.repeat(pa.scalar(account), len(table))
    return table.append_column(build_arrow_field(ACCOUNT, "text"), accounts)


def require_columns(table: pa.Table, names: Collection[str]) -> pa.Table:
    """Declare that columns have no nulls, as dlt has it: else it would write its files again."""
    fields = [
        field.with_nullable(False) if field.name in names else field for field in table.schema
    ]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields))


def _is_unexpected(record: logging.LogRecord) -> bool:
    """Return whether it is another message than dlt's that a column of text has the hint JSON."""
    return "several column hints were different" not in record.getMessage()


logging.getLogger("dlt").addFilter(_is_unexpected)
