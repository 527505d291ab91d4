"""A connection without a file of its own, to which a catalog is attached."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from event_assets.warehouse import extensions
from event_assets.warehouse.destination import CONFIG

CATALOG = "_warehouse"  # no schema has this name
STAGING = "_staging"  # a database of this process' own: nobody else is to see what is staged


def attach(
    folder: Path, destination: str, names: Iterable[str], steps: Iterable[str]
) -> duckdb.DuckDBPyConnection:
    """Open a connection, and attach what `steps` say, which is to be named `CATALOG`.

    Args:
        folder: for temporary files.
        destination: its name, for messages.
        names: the extensions needed.
        steps: SQL.

    Raises:
        duckdb.Error: when it cannot be attached.
        WarehouseError: when an extension is missing.
    """
    connection = duckdb.connect(
        ":memory:", config={**CONFIG, **extensions.CONFIG, "temp_directory": str(folder / "spill")}
    )
    try:
        extensions.load(connection, destination, names)
        connection.execute(f"attach '{folder}/staging.duckdb' as {STAGING}")
        for step in steps:
            connection.execute(step)
        connection.execute(f"use {CATALOG}")
    except BaseException:
        connection.close()
        raise
    return connection
