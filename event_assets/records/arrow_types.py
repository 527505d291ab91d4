"""Columns of Arrow, by the types of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import pyarrow as pa

from event_assets.config.accounts import ACCOUNT
from event_assets.config.fields import LAST_SEEN
from event_assets.values.conversion import CONVERTERS, to_json
from event_assets.values.timestamps import UTC_TIMESTAMP
from event_assets.values.types import COLUMN_TYPES, JsonTypes

ARROW_TYPES: Mapping[str, pa.DataType] = {  # by dlt's names
    "text": pa.string(),
    "timestamp": UTC_TIMESTAMP,
    "date": pa.date32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "json": pa.string(),
}


def convert(values: Sequence[Any], data_type: str) -> pa.Array:
    """Return a column of a type; null for each value that cannot be converted."""
    arrow, converter = ARROW_TYPES[data_type], CONVERTERS[data_type]
    if data_type != "json":
        with suppress(pa.ArrowException, OverflowError):  # values of several types, or too large
            column = pa.array(values, arrow if data_type == "text" else None)  # no other fits
            if column.type in (arrow, pa.null()):
                return column.cast(arrow)
    return pa.array([None if v is None else converter(v) for v in values], arrow)


def to_arrow(values: Sequence[Any], data_type: str, found: JsonTypes) -> pa.Array | None:
    """Return a column of values with the JSON types `found`, or None if not all fit.

    Raises:
        ArrowException, OverflowError: If a number is too large.
    """
    if not found <= COLUMN_TYPES[data_type].accepts:
        return None
    if data_type == "json":
        values = [None if v is None else to_json(v) for v in values]
    elif data_type == "text" and found != {str}:
        values = [v if v is None or type(v) is str else to_json(v) for v in values]
    return pa.array(values, ARROW_TYPES[data_type])


def add_system_columns(table: pa.Table, seen_at: datetime, account: str | None) -> pa.Table:
    """Add the columns that do not come from the API: `last_seen_at` and `account`."""
    rows, seen = len(table), pa.scalar(seen_at, UTC_TIMESTAMP)
    table = table.append_column(LAST_SEEN, pa.repeat(seen, rows))
    return table if account is None else table.append_column(ACCOUNT, pa.repeat(account, rows))
