"""Metadata that the UI shows: tables, columns and their lineage, pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb

from event_assets import warehouse
from event_assets.config.accounts import ACCOUNT
from event_assets.config.fields import LAST_SEEN
from event_assets.orchestration import charts
from event_assets.transform.changes import COLUMNS as CHANGE_COLUMNS
from event_assets.warehouse import sql

if TYPE_CHECKING:
    from event_assets.config.source import SourceConfig

LOG = logging.getLogger("dagster")
DESCRIPTIONS = {  # of columns that are not the API's
    LAST_SEEN: "When a sync last saw the event (UTC).",
    "_dlt_load_id": "The sync that last saw the event: `load_id` in event_data_syncs.",
    "day": "The day on which events start (UTC).",
    "events": "How many events.",
    "source": "The source that the event is from.",
    ACCOUNT: "Whose the event is: an account of the source.",
    **{name: about for name, about in CHANGE_COLUMNS.items() if name not in ("id", "name")},
}

LONGEST = 500  # characters of one value


def as_table(rows: Sequence[Mapping[str, Any]]) -> dg.TableMetadataValue | str:
    """Make a table of rows with the same columns; a dash when there are none."""
    if not rows:
        return "-"
    return dg.MetadataValue.table(
        [dg.TableRecord({name: _short(value) for name, value in row.items()}) for row in rows]
    )


def _short(value: Any) -> str | int | float | bool | None:
    if value is None or isinstance(value, (int, float, bool)):
        return value
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def asset_key(source: SourceConfig, name: str) -> dg.AssetKey:
    """Key of a source's asset: the default source's plainly, any other's with its name first."""
    return dg.AssetKey([name] if source.is_default_source else [source.name, name])


def table_metadata(
    database: duckdb.DuckDBPyConnection, source: SourceConfig, table: str
) -> dict[str, Any]:
    """Say what the table is like now, read from DuckDB by a connection of our own."""
    relation = database.sql(f"from {source.name}.{table}")
    if source.account is not None:
        relation = relation.filter(sql.account_filter(source.account))
    names = relation.columns
    types = [str(kind) for kind in relation.types]
    range_of = "min(start_time), max(start_time)" if "start_time" in names else "null, null"
    ((rows, first, last),) = relation.aggregate(f"count(*), {range_of}").fetchall()
    times = {"first_start_time": first, "last_start_time": last}
    return {
        "dagster/row_count": rows,
        "dagster/table_name": dg.MetadataValue.text(warehouse.full_table_name(source.name, table)),
        "dagster/column_schema": dg.MetadataValue.table_schema(
            table_schema(source, zip(names, types, strict=True))
        ),
        **{
            name: dg.MetadataValue.timestamp(value.timestamp())
            for name, value in times.items()
            if isinstance(value, datetime)
        },
        "database": dg.MetadataValue.path(warehouse.get_destination().display_name),
    }


def table_schema(source: SourceConfig, columns: Iterable[tuple[str, str]]) -> dg.TableSchema:
    """Say the columns of a table, with what is known of them."""
    described = []
    for name, kind in columns:
        field = source.fields.get(name)
        nullable = name != "id" and (field is None or field.nullable)
        about = (field and field.description) or DESCRIPTIONS.get(name)
        described.append(
            dg.TableColumn(
                name, kind.lower(), about, constraints=dg.TableColumnConstraints(nullable)
            )
        )
    return dg.TableSchema(described)


def column_lineage(
    source: SourceConfig, upstream: str, columns: Mapping[str, Sequence[str]]
) -> dg.TableColumnLineage:
    """Say from which columns of the asset before each column is made."""
    key = asset_key(source, upstream)
    return dg.TableColumnLineage(
        {
            name: [dg.TableColumnDep(asset_key=key, column_name=origin) for origin in origins]
            for name, origins in columns.items()
        }
    )


def chart_metadata(source: SourceConfig, name: str, spec: charts.Spec) -> dg.MetadataValue[Any]:
    """Draw a picture, into a file beside the database, and for the UI; if it can be drawn."""
    file = charts_folder(source) / f"{name}.svg"
    try:
        return dg.MetadataValue.md(charts.save(spec, file))
    except (OSError, ValueError) as error:  # no reason for a sync to fail
        LOG.warning("The picture %s could not be drawn: %s", file, error)
        return dg.MetadataValue.text(f"It could not be drawn: {error}")


def charts_folder(source: SourceConfig) -> Path:
    """Where a source's pictures are."""
    return warehouse.database_file().parent / "charts" / source.name
