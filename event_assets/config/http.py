"""Limits of a source's HTTP requests, and their defaults."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_CONCURRENCY = 8  # requests in flight


@dataclass(frozen=True, kw_only=True)
class HttpLimits:
    """The limits of one response.

    Attributes:
        connect: seconds until the connection is established.
        read: seconds between two pieces of the response.
        total: seconds for the whole response.
        megabytes: size of the body, decompressed.
    """

    connect: float = 10.0
    read: float = 60.0
    total: float = 300.0
    megabytes: int = 256


DEFAULT_LIMITS = HttpLimits()
