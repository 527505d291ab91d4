"""Which destination is set."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import TypeVar, cast

from event_assets.values.errors import WarehouseError
from event_assets.warehouse.destination import Destination
from event_assets.warehouse.retry import retry

T = TypeVar("T")
DESTINATION = "EVENTS_DESTINATION"
DEFAULT = "duckdb"
# Where each is; a module is imported when it is needed.
DESTINATIONS = {
    DEFAULT: ("duckdb_file", "DuckDbFile"),
    "ducklake": ("ducklake", "DuckLake"),
}
GONE = ("motherduck", "postgres")


def get_destination() -> Destination:
    """Give the destination that is set, without looking at it.

    Raises:
        WarehouseError: when there is none of that name.
    """
    kind = os.environ.get(DESTINATION) or DEFAULT
    if kind in GONE:
        raise WarehouseError(
            f"{DESTINATION}={kind} is no longer supported: set {DESTINATION}=ducklake and "
            "EVENTS_DUCKLAKE_CATALOG=postgresql://USER:PASSWORD@HOST:5432/DATABASE, a DuckLake "
            "that many can write, as docs/destinations.md describes."
        )
    if kind not in DESTINATIONS:
        raise WarehouseError(
            f"{DESTINATION} must be one of {', '.join(DESTINATIONS)}, not `{kind}`: "
            "docs/destinations.md says what each needs."
        )
    module, name = DESTINATIONS[kind]
    return cast("Destination", vars(import_module(f"event_assets.warehouse.{module}"))[name]())


def retry_on_conflict(action: Callable[[], T]) -> T:
    """Do something whole or not at all, again when another writer came in between."""
    there = get_destination()
    return retry(action, there.is_conflict, there.turn)
