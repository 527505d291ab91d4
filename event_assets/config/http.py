"""Defaults and limits of the HTTP requests of a source."""

from __future__ import annotations

from dataclasses import dataclass

CONCURRENCY = 8  # requests in flight at the most


@dataclass(frozen=True)
class HttpLimits:
    """What one answer may take.

    Attributes:
        connect: seconds until the connection is there.
        read: seconds between two pieces of an answer.
        answer: seconds for a whole answer.
        megabytes: of its body, decompressed.
    """

    connect: float = 10.0
    read: float = 60.0
    answer: float = 300.0
    megabytes: int = 256


DEFAULT_LIMITS = HttpLimits()
