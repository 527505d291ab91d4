"""Connections, locks, dlt pipelines and destinations: everything that opens the database."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from event_assets.warehouse.connection import (
        connect,
        full_table_name,
        run,
        run_maintenance,
        set_memory_limit,
    )
    from event_assets.warehouse.destination import database_file
    from event_assets.warehouse.load import TableLoad, load_package, package_files
    from event_assets.warehouse.pipeline import (
        journal_file,
        note_failure,
        open_pipeline,
        restore_schema,
        split_into_row_groups,
    )
    from event_assets.warehouse.registry import get_destination
    from event_assets.warehouse.sql import Database

__all__ = [
    "Database",
    "TableLoad",
    "connect",
    "database_file",
    "full_table_name",
    "get_destination",
    "journal_file",
    "load_package",
    "note_failure",
    "open_pipeline",
    "package_files",
    "restore_schema",
    "run",
    "run_maintenance",
    "set_memory_limit",
    "split_into_row_groups",
]
# Imported on access: Dagster's processes need the locks, definitions the destination.
_MODULES = {
    "connection": ("connect", "full_table_name", "run", "run_maintenance", "set_memory_limit"),
    "destination": ("database_file",),
    "load": ("TableLoad", "load_package", "package_files"),
    "pipeline": (
        "journal_file",
        "note_failure",
        "open_pipeline",
        "restore_schema",
        "split_into_row_groups",
    ),
    "registry": ("get_destination",),
    "sql": ("Database",),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(name)
