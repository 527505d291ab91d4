"""An in-memory DuckDB connection with a catalog attached."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from event_assets.warehouse import extensions
from event_assets.warehouse.destination import DUCKDB_CONFIG

CATALOG = "_warehouse"  # no schema has this name
STAGING = "_staging"  # a database of this process: others must not see staged rows


def attach(
    folder: Path, destination: str, names: Iterable[str], statements: Iterable[str]
) -> duckdb.DuckDBPyConnection:
    """Open a connection and run the statements that attach a catalog named `CATALOG`.

    Args:
        folder: a folder for temporary files.
        destination: the name of the destination, for messages.
        names: the extensions that are needed.
        statements: SQL.

    Raises:
        duckdb.Error: If the catalog cannot be attached.
        WarehouseError: If an extension is missing.
    """
    config = DUCKDB_CONFIG | {
        "autoinstall_known_extensions": False,
        "temp_directory": str(folder / "spill"),
    }
    connection = duckdb.connect(":memory:", config=config)
    try:
        extensions.load_extensions(connection, destination, names)
        connection.execute(f"attach '{folder}/staging.duckdb' as {STAGING}")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"use {CATALOG}")
    except BaseException:
        connection.close()
        raise
    return connection
