"""DuckDB's extensions from Python packages, so that nothing is downloaded at run time."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import duckdb

from event_assets.values.errors import WarehouseError
from event_assets.warehouse.sql import quote_literal


def load_extensions(
    connection: duckdb.DuckDBPyConnection, destination: str, names: Iterable[str]
) -> None:
    """Load extensions, in order.

    Raises:
        WarehouseError: If a package is missing.
    """
    for name in names:
        connection.execute(f"load {quote_literal(str(find_extension(name, destination)))}")


def find_extension(name: str, destination: str) -> Path:
    """Find the file of an extension.

    Raises:
        WarehouseError: If its package is missing.
    """
    package = find_spec(f"duckdb_extension_{name}")
    for folder in (package and package.submodule_search_locations) or ():
        for file in Path(folder).glob(f"**/{name}.duckdb_extension"):
            return file
    raise WarehouseError(
        f"EVENTS_DESTINATION={destination} needs packages that are not installed: run "
        "`make setup-scale`."
    )
