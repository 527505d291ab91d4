"""Settings of each destination, empty, as a user would write them."""

from collections.abc import Callable
from pathlib import Path

from event_assets_tests.scale.object_store import BUCKET, KEY_ID, object_store
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


def ducklake_on_s3(postgres: Postgres, folder: Path) -> Settings:
    return {
        **ducklake(postgres, folder),
        "EVENTS_DUCKLAKE_STORAGE": f"s3://{BUCKET}/{folder.name}",
        "EVENTS_S3_KEY_ID": KEY_ID,
        "EVENTS_S3_SECRET": "secret of the object store",
        "EVENTS_S3_ENDPOINT": object_store(),
        "EVENTS_S3_URL_STYLE": "path",
        "EVENTS_S3_USE_SSL": "false",
    }


DESTINATIONS: dict[str, Callable[[Postgres, Path], Settings]] = {
    "duckdb": duckdb,
    "ducklake": ducklake,
    "ducklake, a file": ducklake_file,
    "ducklake, S3": ducklake_on_s3,
}
