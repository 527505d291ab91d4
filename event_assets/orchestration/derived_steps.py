"""The steps of a run that derive tables and views from `event_data`. Imported when one begins."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from event_assets import warehouse
from event_assets.config.source import SourceConfig
from event_assets.config.source_files import find_sources
from event_assets.orchestration import metadata
from event_assets.sync import account_list, account_registry
from event_assets.sync.reconcile import reconcile
from event_assets.transform import calendar, changes
from event_assets.transform.all_events import CURRENT_EVENTS, drop_view
from event_assets.values.errors import ConfigError
from event_assets.warehouse import Database

MOVED = "changed: start_time"


def build(source: SourceConfig, table: str, statement: str) -> dict[str, Any]:
    """Build a derived table or view, a view by its SQL, and return its metadata."""

    def run(database: Database) -> dict[str, Any]:
        reconcile(database, source)
        found: dict[str, Any] = {}
        if table == CURRENT_EVENTS:
            _build_view(database, source, statement)
            found = metadata.column_metadata(database, source, table)
        elif table == calendar.CALENDAR:
            calendar.update_calendar(database, source)
        else:
            found = _record_changes(database, source)
        return {**metadata.row_metadata(database, source, table), **found}

    return warehouse.run(run)


def _build_view(database: Database, source: SourceConfig, statement: str) -> None:
    """Create the view of current events; without another source, the view of all sources goes."""
    if source.accounts:
        names = account_list.list_accounts(source, database)
        account_registry.update_listed(database, source.name, names)
    database.execute(statement)
    with suppress(ConfigError):  # definitions may have no project
        if list(find_sources()) == [source.name]:
            drop_view(database)


def _record_changes(database: Database, source: SourceConfig) -> dict[str, Any]:
    """Add what has changed to `event_changes`, and return what that is."""
    found = changes.record_changes(database, source)
    return {
        **{kind: found.events.get(kind, 0) for kind in changes.KINDS},
        "moved": sum(move["events"] for move in found.moves if move["what"] == MOVED),
        "moves": metadata.as_table(found.moves),
        "changes": metadata.as_table(found.rows),
    }
