"""Parts of a URL that may be shown."""

from __future__ import annotations

from urllib.parse import urlsplit


def origin(url: str) -> str:
    """Scheme, host and port of a URL, without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def redact_url(url: str | None) -> str:
    """Give the part of a URL that may be shown: without user, password and query."""
    return f"{origin(url or '')}{urlsplit(url or '').path}"
