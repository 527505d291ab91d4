"""Storage on S3 or a compatible service."""

from __future__ import annotations

from event_assets.warehouse.postgres_url import read_setting
from event_assets.warehouse.sql import quote_literal

# Our settings, by the parameter of DuckDB's secret.
SETTINGS = {
    "key_id": "EVENTS_S3_KEY_ID",
    "secret": "EVENTS_S3_SECRET",
    "session_token": "EVENTS_S3_SESSION_TOKEN",
    "region": "EVENTS_S3_REGION",
    "endpoint": "EVENTS_S3_ENDPOINT",
    "url_style": "EVENTS_S3_URL_STYLE",
    "use_ssl": "EVENTS_S3_USE_SSL",
}


def is_s3(storage: str) -> bool:
    """Return whether a storage is on S3."""
    return storage.startswith("s3://")


def create_secret_sql(storage: str) -> str:
    """Return the SQL that creates the secret by which DuckDB reads and writes a storage.

    Raises:
        WarehouseError: If the key is not set.
    """
    values = {
        parameter: read_setting(name, None if parameter in ("key_id", "secret") else " ").strip()
        for parameter, name in SETTINGS.items()
    }
    given = ", ".join(f"{name} {quote_literal(value)}" for name, value in values.items() if value)
    scope = quote_literal(storage)
    return f"create or replace secret events_storage (type s3, {given}, scope {scope})"
