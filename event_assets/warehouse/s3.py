"""Storage on S3, or on what speaks like it."""

from __future__ import annotations

from event_assets.warehouse.postgres_url import literal, setting

# DuckDB's names of the parts of a secret, and our settings.
PARTS = {
    "key_id": "EVENTS_S3_KEY_ID",
    "secret": "EVENTS_S3_SECRET",
    "session_token": "EVENTS_S3_SESSION_TOKEN",
    "region": "EVENTS_S3_REGION",
    "endpoint": "EVENTS_S3_ENDPOINT",
    "url_style": "EVENTS_S3_URL_STYLE",
    "use_ssl": "EVENTS_S3_USE_SSL",
}
NEEDED = ("key_id", "secret")


def is_s3(storage: str) -> bool:
    """Is a storage on S3?"""
    return storage.startswith("s3://")


def secret(storage: str) -> str:
    """Give the SQL of the secret by which DuckDB reads and writes a storage.

    Raises:
        WarehouseError: when the key is not set.
    """
    values = {
        part: setting(name) if part in NEEDED else setting(name, " ").strip()
        for part, name in PARTS.items()
    }
    given = ", ".join(f"{part} {literal(value)}" for part, value in values.items() if value)
    return f"create or replace secret events_storage (type s3, {given}, scope {literal(storage)})"
