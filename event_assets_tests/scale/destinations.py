"""Settings of each destination, empty, as a user would write them."""

from collections.abc import Callable
from pathlib import Path

from event_assets_tests.scale.servers import Postgres

Settings = dict[str, str]


def duckdb(_: Postgres, folder: Path) -> Settings:
    return {"EVENTS_DESTINATION": "duckdb", "EVENTS_DUCKDB": str(folder / "warehouse.duckdb")}


def ducklake(postgres: Postgres, folder: Path) -> Settings:
    return {
        "EVENTS_DESTINATION": "ducklake",
        "EVENTS_DUCKLAKE_CATALOG": postgres.database(),
        "EVENTS_DUCKLAKE_STORAGE": str(folder / "lake"),
        "EVENTS_DUCKDB": str(folder / "data" / "warehouse.duckdb"),
    }


def ducklake_file(_: Postgres, folder: Path) -> Settings:
    return {
        "EVENTS_DESTINATION": "ducklake",
        "EVENTS_DUCKLAKE_CATALOG": str(folder / "catalog.ducklake"),
        "EVENTS_DUCKLAKE_STORAGE": str(folder / "lake"),
        "EVENTS_DUCKDB": str(folder / "data" / "warehouse.duckdb"),
    }


DESTINATIONS: dict[str, Callable[[Postgres, Path], Settings]] = {
    "duckdb": duckdb,
    "ducklake": ducklake,
    "ducklake, a file": ducklake_file,
}
