"""Connections, locks, dlt pipelines and destinations: everything that opens the database."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from event_assets.warehouse.connection import connect as connect
    from event_assets.warehouse.connection import run as run
    from event_assets.warehouse.destination import database_file as database_file
    from event_assets.warehouse.duckdb_file import compact as compact
    from event_assets.warehouse.duckdb_file import copy_to as copy_to
    from event_assets.warehouse.registry import get_destination as get_destination
    from event_assets.warehouse.sql import Database as Database

# Imported on access: Dagster's processes need the locks, definitions the destination.
_MODULES = {
    "connection": ("connect", "run"),
    "destination": ("database_file",),
    "duckdb_file": ("compact", "copy_to"),
    "registry": ("get_destination",),
    "sql": ("Database",),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(name)
