"""Addresses of Postgres databases, and settings that may be secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import dlt

from event_assets.values.errors import WarehouseError

SCHEMES = ("postgres", "postgresql")


def setting(name: str, default: str | None = None) -> str:
    """Read a setting that may have a secret in it: from the environment or dlt's secrets.

    Raises:
        WarehouseError: when it is not set and there is no default.
    """
    value = dlt.secrets.get(name.lower(), str) or default
    if not value:
        raise WarehouseError(f"{name} is not set: docs/destinations.md says what it is.")
    return value


@dataclass(frozen=True)
class Url:
    """The address of a Postgres database.

    Attributes:
        host, port, database: where it is.
        user, password: who asks; what is None is left to libpq (PGUSER, ~/.pgpass ...).
        options: libpq's further parameters, by name.
    """

    host: str
    port: int
    database: str
    user: str | None
    password: str | None
    options: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Url({self})"

    def __str__(self) -> str:
        """Give it without user and password."""
        return f"postgresql://{self.host}:{self.port}/{self.database}"

    def native(self) -> str:
        """Give it with all that is secret."""
        user = quote(self.user, safe="") if self.user else ""
        password = f":{quote(self.password, safe='')}" if self.password else ""
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in self.options.items())
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            f"postgresql://{user}{password}{'@' if user else ''}{host}:{self.port}/"
            f"{quote(self.database, safe='')}{'?' if query else ''}{query}"
        )

    def parameters(self) -> str:
        """Give libpq's further parameters as `name='value'`, without a secret."""
        return " ".join(
            f"{name}='{value}'" for name, value in self.options.items() if "'" not in value
        )

    def secret(self, name: str) -> str:
        """Give the SQL of the secret by which DuckDB connects."""
        parts = {
            "host": self.host,
            "port": str(self.port),
            "database": self.database,
            "user": self.user,
            "password": self.password,
        }
        given = ", ".join(f"{key} {literal(value)}" for key, value in parts.items() if value)
        return f"create or replace secret {name} (type postgres, {given})"

    def hidden(self, text: str) -> str:
        """Take the password out of a text."""
        for secret in {self.password, quote(self.password or "", safe="")} - {None, ""}:
            text = text.replace(str(secret), "***")
        return text


def postgres_url(setting_name: str, address: str) -> Url:
    """Read an address.

    Raises:
        WarehouseError: when it is none. What is wrong with it is said without quoting it.
    """
    problem = WarehouseError(
        f"{setting_name} must be like postgresql://USER@HOST:5432/DATABASE; a password with "
        "special characters in it must be URL-encoded."
    )
    if address.partition("://")[0] not in SCHEMES:
        raise problem
    try:
        parts = urlsplit(address)
        port = parts.port or 5432
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        parts = None
    if parts is None or not parts.hostname or not parts.path.strip("/"):
        raise problem
    return Url(
        parts.hostname,
        port,
        unquote(parts.path.strip("/")),
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
        {name: value for name, value in options.items() if name not in ("password", "user")},
    )


def literal(text: str) -> str:
    """Write a text so that DuckDB takes it as it is."""
    return "'" + text.replace("'", "''") + "'"
