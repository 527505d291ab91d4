"""Connections, locks, dlt pipelines and destinations: everything that opens the database."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from event_assets.warehouse.connection import connect as connect
    from event_assets.warehouse.connection import full_table_name as full_table_name
    from event_assets.warehouse.connection import run as run
    from event_assets.warehouse.connection import run_maintenance as run_maintenance
    from event_assets.warehouse.destination import database_file as database_file
    from event_assets.warehouse.duckdb_file import compact as compact
    from event_assets.warehouse.duckdb_file import copy_to as copy_to
    from event_assets.warehouse.load import load_package as load_package
    from event_assets.warehouse.load import package_files as package_files
    from event_assets.warehouse.merge import TableLoad as TableLoad
    from event_assets.warehouse.pipeline import build_schema as build_schema
    from event_assets.warehouse.pipeline import journal_file as journal_file
    from event_assets.warehouse.pipeline import note_failure as note_failure
    from event_assets.warehouse.pipeline import open_pipeline as open_pipeline
    from event_assets.warehouse.pipeline import split_into_row_groups as split_into_row_groups
    from event_assets.warehouse.registry import get_destination as get_destination
    from event_assets.warehouse.sql import Database as Database

# Imported on access: Dagster's processes need the locks, definitions the destination.
_MODULES = {
    "connection": ("connect", "full_table_name", "run", "run_maintenance"),
    "destination": ("database_file",),
    "duckdb_file": ("compact", "copy_to"),
    "load": ("load_package", "package_files"),
    "merge": ("TableLoad",),
    "pipeline": (
        "build_schema",
        "journal_file",
        "note_failure",
        "open_pipeline",
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
