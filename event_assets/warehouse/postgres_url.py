"""URLs of Postgres databases, and settings that may hold secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

import dlt

from event_assets.values.errors import WarehouseError
from event_assets.warehouse.sql import quote_literal


def read_setting(name: str, default: str | None = None) -> str:
    """Read a setting that may hold a secret from the environment or dlt's secrets.

    Raises:
        WarehouseError: If it is not set and has no default.
    """
    value = dlt.secrets.get(name.lower(), str) or default
    if not value:
        raise WarehouseError(f"{name} is not set: see docs/destinations.md.")
    return value


@dataclass(frozen=True)
class PostgresUrl:
    """The URL of a Postgres database."""

    host: str
    port: int
    database: str
    user: str | None  # None leaves it to libpq (PGUSER ...), as for the password (~/.pgpass ...)
    password: str | None
    options: Mapping[str, str]  # further parameters of libpq, by name

    def __repr__(self) -> str:
        """Return the URL without user and password."""
        return f"postgresql://{self.host}:{self.port}/{self.database}"

    def option_string(self) -> str:
        """Return the options as `name='value'`, without a secret."""
        return " ".join(
            f"{name}='{value}'" for name, value in self.options.items() if "'" not in value
        )

    def create_secret_sql(self, name: str) -> str:
        """Return the SQL that creates the secret by which DuckDB connects."""
        parts = {
            "host": self.host,
            "port": str(self.port),
            "database": self.database,
            "user": self.user,
            "password": self.password,
        }
        given = ", ".join(f"{key} {quote_literal(value)}" for key, value in parts.items() if value)
        return f"create or replace secret {name} (type postgres, {given})"


def parse_postgres_url(setting_name: str, address: str) -> PostgresUrl:
    """Parse a URL.

    Raises:
        WarehouseError: If it is not valid. The message does not quote it.
    """
    problem = WarehouseError(
        f"{setting_name} must be like postgresql://USER@HOST:5432/DATABASE; a password with "
        "special characters in it must be URL-encoded."
    )
    if address.partition("://")[0] not in ("postgres", "postgresql"):
        raise problem
    try:
        parts = urlsplit(address)
        port = parts.port or 5432
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        parts = None
    if parts is None or not parts.hostname or not parts.path.strip("/"):
        raise problem
    return PostgresUrl(
        parts.hostname,
        port,
        unquote(parts.path.strip("/")),
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
        {name: value for name, value in options.items() if name not in ("password", "user")},
    )
