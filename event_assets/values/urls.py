"""Parts of a URL without secrets."""

from __future__ import annotations

from urllib.parse import urlsplit


def origin(url: str) -> str:
    """Return the scheme, host and port of a URL, without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def redact_url(url: str | None) -> str:
    """Return a URL without user, password and query."""
    return f"{origin(url or '')}{urlsplit(url or '').path}"
