"""Metadata that the UI shows: tables, columns and their lineage."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from event_assets import warehouse
from event_assets.config.accounts import ACCOUNT
from event_assets.config.fields import LAST_SEEN
from event_assets.config.source import SourceConfig
from event_assets.transform.changes import COLUMNS as CHANGE_COLUMNS
from event_assets.values.json_paths import as_list, template_paths
from event_assets.values.wording import shorten
from event_assets.warehouse import Database
from event_assets.warehouse.connection import full_table_name
from event_assets.warehouse.sql import account_filter, quote_name

EVENT_DESCRIPTIONS = {  # used where defs.yaml has none
    "id": "The event's id.",
    "name": "The event's name.",
    "start_time": "When the event starts (UTC).",
    "end_time": "When the event ends (UTC).",
}
DESCRIPTIONS = {  # columns that do not come from the API
    LAST_SEEN: "When the sync started that last received the row (UTC).",
    "_dlt_load_id": "The sync that last received the row: `load_id` in the table's log of syncs.",
    "day": "The day on which the events start, in UTC; for an all-day event, its local day.",
    "events": "The number of events.",
    "source": "The source that the event is from.",
    ACCOUNT: "The account that the row belongs to.",
    **{name: about for name, about in CHANGE_COLUMNS.items() if name not in ("id", "name")},
}
MAX_VALUE_LENGTH = 500  # characters


def as_table(rows: Sequence[Mapping[str, Any]]) -> dg.TableMetadataValue | str:
    """Return rows as a table; a dash if there are none."""
    if not rows:
        return "-"
    return dg.MetadataValue.table(
        [dg.TableRecord({name: _shorten(value) for name, value in row.items()}) for row in rows]
    )


def _shorten(value: Any) -> str | int | float | bool | None:
    if value is None or isinstance(value, (int, float, bool)):
        return value
    return shorten(str(value), MAX_VALUE_LENGTH)


def format_time(seconds: float) -> str:
    """Format a Unix timestamp to the minute, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def asset_key(source: SourceConfig, name: str) -> dg.AssetKey:
    """Return the key of an asset: its name, after the source's name unless that is the default."""
    return dg.AssetKey([name] if source.is_default_source else [source.name, name])


def synced_keys(source: SourceConfig) -> list[dg.AssetKey]:
    """Return the keys of the tables that a sync of a source fills."""
    return [asset_key(source, resource) for resource in source.resources]


def table_metadata(
    source: SourceConfig, table: str, columns: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return where a table is and, if they are known before it is built, its columns by type."""
    found: dict[str, Any] = {
        "dagster/table_name": full_table_name(source.name, table),
        "database": dg.MetadataValue.path(warehouse.get_destination().display_name),
    }
    if columns:
        found["dagster/column_schema"] = table_schema(source, table, columns.items())
    return found


def row_metadata(database: Database, source: SourceConfig, table: str) -> dict[str, Any]:
    """Return the row count of a table, and the range of its times."""
    own = f"from {quote_name(source.name, table)} where {account_filter(source.account)}"
    has_start = "start_time" in database.sql(own).columns
    range_of = "min(start_time), max(start_time)" if has_start else "null, null"
    ((rows, first, last),) = database.execute(f"select count(*), {range_of} {own}").fetchall()
    times = {"first_start_time": first, "last_start_time": last}
    return {
        "dagster/row_count": rows,
        **{
            name: dg.MetadataValue.timestamp(value.timestamp())
            for name, value in times.items()
            if isinstance(value, datetime) and value.tzinfo  # DuckDB gives an infinite one none
        },
    }


def column_metadata(database: Database, source: SourceConfig, table: str) -> dict[str, Any]:
    """Return the columns that a table has, which its definition knows in part."""
    relation = database.sql(f"from {source.name}.{table}")
    columns = zip(relation.columns, map(str, relation.types), strict=True)
    return {"dagster/column_schema": table_schema(source, table, columns)}


def table_schema(
    source: SourceConfig, table: str, columns: Iterable[tuple[str, str]]
) -> dg.TableSchema:
    """Return the columns of a table, with their descriptions; those of events by the contract."""
    is_further = table in source.resources and not source.resources[table].is_events
    fields, known = ({}, {}) if is_further else (source.fields, EVENT_DESCRIPTIONS)
    described = []
    for name, kind in columns:
        field = fields.get(name)
        nullable = name != "id" and (field is None or field.nullable)
        description = (field and field.description) or known.get(name) or DESCRIPTIONS.get(name)
        described.append(
            dg.TableColumn(
                name, kind.lower(), description, constraints=dg.TableColumnConstraints(nullable)
            )
        )
    return dg.TableSchema(described)


def contract_columns(source: SourceConfig) -> dict[str, str]:
    """Return the columns of the contract and their types, by dlt's names."""
    fields = {name: field.type for name, field in source.fields.items()}
    return {**dict.fromkeys(source.partition_columns, "text"), **fields}


def contract_origins(source: SourceConfig) -> dict[str, list[str]]:
    """Return the paths in the records that each column of the contract is read from, once each."""
    given = {name: as_list(field.source) or [name] for name, field in source.fields.items()}
    return {
        name: [*dict.fromkeys(path for choice in choices for path in template_paths(choice))]
        for name, choices in (given | {"id": source.events.id_paths}).items()
    }


def column_lineage(
    source: SourceConfig, upstream: str, columns: Mapping[str, Sequence[str]]
) -> dg.TableColumnLineage:
    """Return which columns of the upstream asset each column comes from."""
    key = asset_key(source, upstream)
    return dg.TableColumnLineage(
        {
            name: [dg.TableColumnDep(asset_key=key, column_name=origin) for origin in origins]
            for name, origins in columns.items()
        }
    )
