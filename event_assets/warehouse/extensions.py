"""DuckDB's extensions, from packages: nothing is downloaded when they are used."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import duckdb

from event_assets.values.errors import WarehouseError

# Packages bring an extension for one version of DuckDB, which setup.cfg therefore locks.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
}


def load(connection: duckdb.DuckDBPyConnection, destination: str, names: Iterable[str]) -> None:
    """Load extensions, in order.

    Raises:
        WarehouseError: when a package is missing.
    """
    for name in names:
        path = str(file_of(name, destination)).replace("'", "''")
        connection.execute(f"load '{path}'")


def file_of(name: str, destination: str) -> Path:
    """Find an extension.

    Raises:
        WarehouseError: when its package is missing.
    """
    package = find_spec(f"duckdb_extension_{name}")
    for folder in (package and package.submodule_search_locations) or ():
        for file in Path(folder).glob(f"**/{name}.duckdb_extension"):
            return file
    raise WarehouseError(
        f"EVENTS_DESTINATION={destination} needs packages that are not here: run "
        "`make setup-scale`."
    )
