"""DuckDB's extensions from Python packages, so that nothing is downloaded at run time."""

from importlib.util import find_spec
from pathlib import Path

from event_assets.values.errors import WarehouseError


def find_extension(name: str) -> Path:
    """Find the file of an extension.

    Raises:
        WarehouseError: If its package is missing.
    """
    package = find_spec(f"duckdb_extension_{name}")
    for folder in (package and package.submodule_search_locations) or ():
        for file in Path(folder).glob(f"**/{name}.duckdb_extension"):
            return file
    raise WarehouseError(
        "EVENTS_DESTINATION=ducklake needs packages that are not installed: run `make setup-scale`."
    )
