"""Limits of a source's HTTP requests, and their defaults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

DEFAULT_CONCURRENCY = 32  # requests in flight
USER_AGENT = "event-assets"  # many APIs refuse the one of `requests` with status 403


@dataclass(frozen=True, kw_only=True)
class HttpLimits:
    """The limits of one response, and what to check if there is none."""

    connect: float = 10.0  # seconds until the connection is established
    read: float = 60.0  # seconds between two pieces of the response
    total: float = 300.0  # seconds for the whole response
    requests_per_second: float | None = None  # None: as many as the API allows
    megabytes: int = 256  # size of the body, decompressed
    find_base_url_setting: Callable[[], str] = lambda: "EVENTS_API_URL"

    @property
    def base_url_setting(self) -> str:
        """The setting that holds the API's address, for messages: files are read for it."""
        return self.find_base_url_setting()


DEFAULT_LIMITS = HttpLimits()
