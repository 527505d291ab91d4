"""The destination that the settings name."""

from __future__ import annotations

import os

from event_assets.warehouse.destination import Destination
from event_assets.warehouse.duckdb_file import DuckDbFile
from event_assets.warehouse.ducklake import DuckLake

DESTINATIONS: dict[str, type[Destination]] = {cls.kind: cls for cls in (DuckDbFile, DuckLake)}


def get_destination() -> Destination:
    """Return the destination that EVENTS_DESTINATION names, without opening it."""
    return DESTINATIONS[os.environ.get("EVENTS_DESTINATION") or DuckDbFile.kind]()
