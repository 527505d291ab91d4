"""Parts of a URL without secrets."""

from __future__ import annotations

from urllib.parse import urlsplit

SCHEME_PORTS = {"http": 80, "https": 443}


def origin(url: str) -> str:
    """Return the scheme, host and port of a URL, without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def is_same_server(url: str, other: str) -> bool:
    """Return whether two URLs have the same host and port; the scheme's own port is none."""
    return _server(url) == _server(other)


def _server(url: str) -> tuple[str | None, int | None]:
    parts = urlsplit(url)
    return parts.hostname, None if parts.port == SCHEME_PORTS.get(parts.scheme) else parts.port


def redact_url(url: str | None) -> str:
    """Return a URL without user, password and query."""
    return f"{origin(url or '')}{urlsplit(url or '').path}"
