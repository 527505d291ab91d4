"""The assets that DuckDB derives from `event_data`."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import dagster as dg

from event_assets import warehouse
from event_assets.config.source import SourceConfig
from event_assets.config.source_files import DEFAULT_SOURCE, EVENT_DATA
from event_assets.orchestration import metadata
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.sync.current_events import current_events_query
from event_assets.transform import calendar, changes
from event_assets.transform.all_events import (
    ALL_EVENTS,
    CURRENT_EVENTS,
    Columns,
    common_columns,
    create_view,
)
from event_assets.warehouse.connection import full_table_name

UNSYNCED = "not synced"


def build_derived_assets(source: SourceConfig, owners: Sequence[str]) -> list[dg.AssetsDefinition]:
    """Build the assets derived from `event_data`; the calendar needs a `start_time`."""
    define = partial(_derived_asset, source, owners)
    contract = metadata.contract_columns(source)
    view = f"create or replace view {source.name}.{CURRENT_EVENTS} as"
    assets = [
        define(
            CURRENT_EVENTS,
            upstream=EVENT_DATA,
            kind="view",
            columns=contract,
            origins={name: [name] for name in contract},
            description="The events seen by the newest complete sync, and newer ones, with all "
            f"columns of {EVENT_DATA}."
            + (" Of each listed account, by its own newest sync." if source.accounts else ""),
            statement=f"{view}{current_events_query(source)}".strip(),
        ),
        define(
            changes.CHANGES,
            columns=changes.column_types(source),
            origins={"id": ["id"], "name": ["name"]},
            description="One row for each event that appeared or left, and for each changed field.",
        ),
    ]
    if calendar.has_calendar(source):
        calendar_asset = define(
            calendar.CALENDAR,
            columns=calendar.COLUMNS,
            origins={"day": ["start_time"], "status": ["status"], "events": ["id"]},
            description="The number of current events per day and status. The days are in UTC, but "
            "local for all-day events.",
            statement=calendar.fill_statement(source),
        )
        assets.append(calendar_asset)
    return assets


def _derived_asset(
    source: SourceConfig,
    owners: Sequence[str],
    name: str,
    *,
    columns: Mapping[str, str],
    origins: Mapping[str, Sequence[str]],
    description: str,
    upstream: str = CURRENT_EVENTS,
    kind: str = "table",
    statement: str = "",
) -> dg.AssetsDefinition:
    """Define a table or view that DuckDB builds.

    Args:
        columns: their types by name.
        origins: the columns of `upstream` that they are made from, by name.
        statement: the SQL that builds it, for the metadata.
    """

    @dg.asset(
        key=metadata.asset_key(source, name),
        deps=[metadata.asset_key(source, upstream)],
        description=description,
        group_name=source.name,
        owners=owners,
        kinds={warehouse.get_destination().kind, kind},
        code_version=hashlib.sha256(f"{description}{statement}".encode()).hexdigest()[:12],
        metadata={
            **metadata.table_metadata(source, name, columns),
            "dagster/column_lineage": metadata.column_lineage(source, upstream, origins),
            "api": source.origin if source.is_synced else UNSYNCED,
            **({"sql": dg.MetadataValue.md(f"```sql\n{statement}\n```")} if statement else {}),
        },
    )
    def asset(context: dg.AssetExecutionContext) -> None:
        from event_assets.orchestration import steps  # imports pyarrow

        found = run_with_plain_errors(lambda: steps.derive(source, name, statement))
        context.add_asset_metadata(found)

    return asset


def build_all_events(specs: Iterable[dg.AssetSpec]) -> list[dg.AssetsDefinition]:
    """Build the view over the current events of all sources; none if there is only one source."""
    views = [s for s in specs if s.key.path[-1] == CURRENT_EVENTS and "api" in s.metadata]
    if len(views) < 2:
        return []
    synced = [spec for spec in views if spec.metadata["api"] != UNSYNCED]
    contracts: dict[str, Columns] = {}
    for spec in synced:
        schema: dg.TableSchema = spec.metadata["dagster/column_schema"]
        source = spec.key.path[0] if len(spec.key.path) > 1 else DEFAULT_SOURCE
        contracts[source] = {column.name: column.type for column in schema.columns}
    columns = common_columns(contracts.values())
    about = metadata.EVENT_DESCRIPTIONS | metadata.DESCRIPTIONS
    described = [dg.TableColumn(name, kind, about.get(name)) for name, kind in columns]

    @dg.asset(
        key=ALL_EVENTS,
        deps=[spec.key for spec in synced],
        description=f"The current events of the sources {', '.join(sorted(contracts))}.",
        group_name=ALL_EVENTS,
        kinds={warehouse.get_destination().kind, "view"},
        metadata={
            "dagster/table_name": full_table_name("main", ALL_EVENTS),
            "dagster/column_schema": dg.TableSchema(described),
        },
    )
    def all_events(context: dg.AssetExecutionContext) -> None:
        context.add_asset_metadata(run_with_plain_errors(lambda: create_view(contracts, columns)))

    return [all_events]
