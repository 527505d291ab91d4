"""The assets that DuckDB derives from `event_data`."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import dagster as dg

from event_assets import warehouse
from event_assets.config.source import DEFAULT_SOURCE, EVENT_DATA, SourceConfig
from event_assets.orchestration import charts, metadata
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.records.field_selection import is_excluded
from event_assets.sync import account_list, account_registry
from event_assets.sync.current_events import current_events_query
from event_assets.sync.reconcile import reconcile
from event_assets.transform import calendar, changes
from event_assets.transform.all_events import (
    ALL_EVENTS,
    CURRENT_EVENTS,
    Columns,
    common_columns,
    create_view,
    drop_view,
)
from event_assets.warehouse import Database

UNSYNCED = "not synced"
MOVED = "changed: start_time"
_sources: set[str] = set()  # of the definitions that this process has loaded last
Build = Callable[[Database], dict[str, Any]]  # builds a table or view, and returns metadata


def build_derived_assets(source: SourceConfig, owners: Sequence[str]) -> list[dg.AssetsDefinition]:
    """Build the assets derived from `event_data`; the calendar needs a `start_time`."""
    start = source.fields.get("start_time")
    assets = [_current_events(source, owners), _event_changes(source, owners)]
    if start and start.type == "timestamp":
        assets.append(_event_calendar(source, owners))
    return assets


def _current_events(source: SourceConfig, owners: Sequence[str]) -> dg.AssetsDefinition:
    view = f"{source.name}.{CURRENT_EVENTS}"
    statement = f"create or replace view {view} as{current_events_query(source)}".strip()

    def build(database: Database) -> dict[str, Any]:
        if source.accounts:
            names = account_list.list_accounts(source, database)
            account_registry.update_listed(database, source.name, names)
        database.execute(statement)
        if _sources == {source.name}:
            drop_view(database)
        origins = {name: [name] for name in database.sql(f"from {view}").columns}
        return {"dagster/column_lineage": metadata.column_lineage(source, EVENT_DATA, origins)}

    return _derived_asset(
        source,
        owners,
        build,
        name=CURRENT_EVENTS,
        kind="view",
        columns=metadata.contract_columns(source),
        description="The events seen by the newest complete sync, and newer ones."
        + (" Of each listed account, by its own newest sync." if source.accounts else ""),
        statement=statement,
    )


def _event_changes(source: SourceConfig, owners: Sequence[str]) -> dg.AssetsDefinition:
    has_accounts = bool(source.accounts)

    def build(database: Database) -> dict[str, Any]:
        found = changes.record_changes(
            database,
            source.name,
            list(source.fields),
            source.ignore_changes,
            accounts=has_accounts,
            has_removed=bool(source.removed_when),
            is_excluded=partial(is_excluded, source),
        )
        return {
            **{kind: found.events.get(kind, 0) for kind in changes.KINDS},
            "moved": sum(move["events"] for move in found.moves if move["what"] == MOVED),
            "changes": metadata.as_table(found.rows),
            **_draw_charts(source, moves=(changes.CHANGES, charts.moves, found.moves)),
        }

    return _derived_asset(
        source,
        owners,
        build,
        name=changes.CHANGES,
        columns=changes.column_types(has_accounts),
        description="Events that appeared, changed (by field), were cancelled, went or passed.",
    )


def _event_calendar(source: SourceConfig, owners: Sequence[str]) -> dg.AssetsDefinition:
    def build(database: Database) -> dict[str, Any]:
        found = calendar.update_calendar(database, source.name, accounts=bool(source.accounts))
        return _draw_charts(
            source,
            calendar=("calendar", charts.calendar, found.days),
            coming_weeks=("coming_weeks", charts.weeks, found.weeks),
        )

    return _derived_asset(
        source,
        owners,
        build,
        name=calendar.CALENDAR,
        columns=calendar.COLUMNS,
        origins={"day": ["start_time"], "status": ["status"], "events": ["id"]},
        description="How many current events start on each day (UTC), by status.",
        statement=calendar.fill_statement(source.name, accounts=bool(source.accounts)),
    )


def _draw_charts(
    source: SourceConfig, **drawings: tuple[str, Callable[[charts.Rows], charts.Spec], charts.Rows]
) -> dict[str, Any]:
    """Draw each chart that has rows, given its file, its drawing and its rows."""
    return {
        name: metadata.chart_metadata(source, file, draw(rows))
        for name, (file, draw, rows) in drawings.items()
        if rows
    }


def _derived_asset(
    source: SourceConfig,
    owners: Sequence[str],
    build: Build,
    *,
    name: str,
    columns: Mapping[str, str],
    description: str,
    kind: str = "table",
    origins: Mapping[str, Sequence[str]] | None = None,
    statement: str = "",
) -> dg.AssetsDefinition:
    """Define a table or view that DuckDB builds.

    `origins` are the upstream columns of each column, by default the one of the same name;
    `statement` is the SQL that builds it, for the metadata.
    """
    upstream = EVENT_DATA if name == CURRENT_EVENTS else CURRENT_EVENTS
    lineage = metadata.column_lineage(source, upstream, origins or {c: [c] for c in columns})

    @dg.asset(
        key=metadata.asset_key(source, name),
        deps=[metadata.asset_key(source, upstream)],
        description=description,
        group_name=source.name,
        owners=owners,
        kinds={warehouse.get_destination().kind, kind},
        code_version=hashlib.sha256(f"{description}{statement}".encode()).hexdigest()[:12],
        metadata={
            "dagster/table_name": warehouse.full_table_name(source.name, name),
            "dagster/column_schema": metadata.table_schema(source, columns.items()),
            "api": source.origin if source.is_synced else UNSYNCED,
            **({"sql": dg.MetadataValue.md(f"```sql\n{statement}\n```")} if statement else {}),
        },
    )
    def asset() -> dg.MaterializeResult[None]:
        def build_and_describe(database: Database) -> dict[str, Any]:
            reconcile(database, source)
            built = build(database)
            described = metadata.table_metadata(database, source, name)
            return {"dagster/column_lineage": lineage, **described, **built}

        return run_with_plain_errors(
            lambda: dg.MaterializeResult(metadata=warehouse.run(build_and_describe))
        )

    return asset


def build_all_events(specs: Iterable[dg.AssetSpec]) -> list[dg.AssetsDefinition]:
    """Build the view over the current events of all sources; none if there is only one source."""
    count, sources = 0, set[str]()
    keys: dict[str, dg.AssetKey] = {}
    contracts: dict[str, Columns] = {}
    for spec in specs:
        *source, table = spec.key.path
        if table == CURRENT_EVENTS:
            count += 1
        if table == CURRENT_EVENTS and spec.metadata["api"] != UNSYNCED:
            name = source[0] if source else DEFAULT_SOURCE
            keys[name] = spec.key
            schema: dg.TableSchema = spec.metadata["dagster/column_schema"]
            contracts[name] = {column.name: column.type for column in schema.columns}
        if table == EVENT_DATA:
            sources.add(source[0] if source else DEFAULT_SOURCE)
    _sources.clear()
    _sources.update(sources)
    if count < 2:
        return []
    columns = common_columns(contracts.values())
    described = [
        dg.TableColumn(name, kind, metadata.DESCRIPTIONS.get(name)) for name, kind in columns
    ]

    @dg.asset(
        key=ALL_EVENTS,
        deps=list(keys.values()),
        description=f"The current events of the sources {', '.join(sorted(keys))}.",
        group_name=ALL_EVENTS,
        kinds={warehouse.get_destination().kind, "view"},
        metadata={
            "dagster/table_name": warehouse.full_table_name("main", ALL_EVENTS),
            "dagster/column_schema": dg.TableSchema(described),
        },
    )
    def all_events() -> dg.MaterializeResult[None]:
        return run_with_plain_errors(
            lambda: dg.MaterializeResult(metadata=create_view(contracts, columns))
        )

    return [all_events]
