"""Which destination is set."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import TypeVar, cast

from event_assets.warehouse.errors import WarehouseError
from event_assets.warehouse.file import DuckFile
from event_assets.warehouse.place import Place
from event_assets.warehouse.retrying import retried

T = TypeVar("T")
DESTINATION = "EVENTS_DESTINATION"
DEFAULT = DuckFile.kind
# Where each is; a module is imported when it is needed.
KINDS = {
    DuckFile.kind: ("file", "DuckFile"),
    "ducklake": ("lake", "Lake"),
}
GONE = ("motherduck", "postgres")


def place() -> Place:
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
    if kind not in KINDS:
        raise WarehouseError(
            f"{DESTINATION} must be one of {', '.join(KINDS)}, not `{kind}`: "
            "docs/destinations.md says what each needs."
        )
    module, name = KINDS[kind]
    return cast("Place", vars(import_module(f"event_assets.warehouse.{module}"))[name]())


def again(action: Callable[[], T]) -> T:
    """Do something whole or not at all, again when another writer came in between."""
    there = place()
    return retried(action, there.is_conflict, there.turn)
