"""The steps of a run that derive tables and views from `event_data`. Imported when one begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from event_assets import warehouse
from event_assets.config.source import EVENT_DATA, SourceConfig
from event_assets.orchestration import metadata
from event_assets.records.field_selection import is_excluded
from event_assets.sync import account_list, account_registry
from event_assets.sync.reconcile import reconcile
from event_assets.transform import calendar, changes
from event_assets.transform.all_events import CURRENT_EVENTS, drop_view
from event_assets.warehouse import Database

MOVED = "changed: start_time"
ORIGINS = {  # the columns of current events that those of a table are made from
    changes.CHANGES: {"id": ["id"], "name": ["name"]},
    calendar.CALENDAR: {"day": ["start_time"], "status": ["status"], "events": ["id"]},
}


def build_view(source: SourceConfig, statement: str, *, is_alone: bool) -> dict[str, Any]:
    """Create the view of current events by its SQL, and return its metadata.

    Without another source, `is_alone`, the view of all sources goes.
    """

    def build(database: Database) -> dict[str, Any]:
        reconcile(database, source)
        if source.accounts:
            names = account_list.list_accounts(source, database)
            account_registry.update_listed(database, source.name, names)
        database.execute(statement)
        if is_alone:
            drop_view(database)
        origins = {c: [c] for c in database.sql(f"from {source.name}.{CURRENT_EVENTS}").columns}
        lineage = metadata.column_lineage(source, EVENT_DATA, origins)
        described = metadata.table_metadata(database, source, CURRENT_EVENTS)
        return {**described, "dagster/column_lineage": lineage}

    return warehouse.run(build)


def build_table(source: SourceConfig, name: str) -> dict[str, Any]:
    """Update a table that is derived from current events, and return its metadata."""

    def build(database: Database) -> dict[str, Any]:
        reconcile(database, source)
        built = TABLES[name](database, source)
        # Its columns are described by the definition.
        described = metadata.table_metadata(database, source, name, has_columns=False)
        lineage = metadata.column_lineage(source, CURRENT_EVENTS, ORIGINS[name])
        return {**described, **built, "dagster/column_lineage": lineage}

    return warehouse.run(build)


def _build_changes(database: Database, source: SourceConfig) -> dict[str, Any]:
    found = changes.record_changes(
        database,
        source.name,
        list(source.fields),
        source.ignore_changes,
        accounts=bool(source.accounts),
        has_removed=bool(source.removed_when),
        is_excluded=partial(is_excluded, source),
    )
    return {
        **{kind: found.events.get(kind, 0) for kind in changes.KINDS},
        "moved": sum(move["events"] for move in found.moves if move["what"] == MOVED),
        "moves": metadata.as_table(found.moves),
        "changes": metadata.as_table(found.rows),
    }


def _build_calendar(database: Database, source: SourceConfig) -> dict[str, Any]:
    weeks = calendar.update_calendar(database, source.name, accounts=bool(source.accounts))
    return {"coming_weeks": metadata.as_table(weeks)}


TABLES: Mapping[str, Callable[[Database, SourceConfig], dict[str, Any]]] = {
    changes.CHANGES: _build_changes,
    calendar.CALENDAR: _build_calendar,
}
