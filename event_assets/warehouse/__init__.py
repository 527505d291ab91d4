"""Connections, locks, dlt pipelines and destinations: everything that opens the database."""

from event_assets.warehouse.connection import (
    connect,
    full_table_name,
    run,
    run_maintenance,
    set_memory_limit,
)
from event_assets.warehouse.destination import database_file
from event_assets.warehouse.load import TableLoad, load_package, package_files
from event_assets.warehouse.pipeline import journal_file, open_pipeline, restore_state
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
    "open_pipeline",
    "package_files",
    "restore_state",
    "run",
    "run_maintenance",
    "set_memory_limit",
]
