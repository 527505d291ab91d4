"""Tables in the metadata that the UI shows."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb

LONGEST = 500  # characters of one value


def as_table(rows: Sequence[Mapping[str, Any]]) -> dg.TableMetadataValue | str:
    """Make a table of rows with the same columns; a dash when there are none."""
    if not rows:
        return "-"
    return dg.MetadataValue.table(
        [dg.TableRecord({name: _short(value) for name, value in row.items()}) for row in rows]
    )


def rows_of(relation: duckdb.DuckDBPyRelation) -> list[dict[str, Any]]:
    """Fetch rows as dicts by column."""
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def _short(value: Any) -> str | int | float | bool | None:
    if value is None or isinstance(value, (int, float, bool)):
        return value
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
