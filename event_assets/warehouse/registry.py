"""The destination that the settings name."""

from __future__ import annotations

import os

from event_assets.values.errors import WarehouseError
from event_assets.warehouse.destination import Destination
from event_assets.warehouse.duckdb_file import DuckDbFile
from event_assets.warehouse.ducklake import DuckLake

DESTINATIONS: dict[str, type[Destination]] = {cls.kind: cls for cls in (DuckDbFile, DuckLake)}


def get_destination() -> Destination:
    """Return the destination that EVENTS_DESTINATION names, without opening it.

    Raises:
        WarehouseError: If there is no such destination.
    """
    kind = os.environ.get("EVENTS_DESTINATION") or DuckDbFile.kind
    if kind in ("motherduck", "postgres"):
        raise WarehouseError(
            f"EVENTS_DESTINATION={kind} is no longer supported: set EVENTS_DESTINATION=ducklake "
            "and EVENTS_DUCKLAKE_CATALOG=postgresql://USER:PASSWORD@HOST:5432/DATABASE, a DuckLake "
            "with many writers, as docs/destinations.md describes."
        )
    if kind not in DESTINATIONS:
        raise WarehouseError(
            f"EVENTS_DESTINATION must be one of {', '.join(DESTINATIONS)}, not `{kind}`: "
            "docs/destinations.md describes what each needs."
        )
    return DESTINATIONS[kind]()
