"""Parts of a URL without secrets."""

from __future__ import annotations

from urllib.parse import urlsplit

SCHEME_PORTS = {"http": 80, "https": 443}


def origin(url: str) -> str:
    """Return the scheme, host and port of a URL, without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def is_same_api(url: str, other: str) -> bool:
    """Return whether two URLs have the same host, port and path, whatever their schemes.

    A URL without a path is the same as one with any: only servers were recorded once.
    """
    paths = {urlsplit(url).path, urlsplit(other).path} - {""}
    return _server(url) == _server(other) and len(paths) < 2


def _server(url: str) -> tuple[str | None, int | None]:
    parts = urlsplit(url)
    return parts.hostname, None if parts.port == SCHEME_PORTS.get(parts.scheme) else parts.port


def redact_url(url: str | None) -> str:
    """Return a URL without user, password and query."""
    return f"{origin(url or '')}{urlsplit(url or '').path}"
