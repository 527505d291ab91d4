"""Pace, shutdown and counters of the requests of a session."""

from __future__ import annotations

import logging
import socket
import threading
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from event_assets.http.pace import Pace, read_quota
from event_assets.values.errors import ApiError

LOG = logging.getLogger("dagster")
LONG_WAIT = 10.0  # seconds; a wait of as many is logged


@dataclass
class HttpMetrics:
    """Counters of the requests and responses of a session."""

    requests: int = 0
    retries: int = 0
    bytes: int = 0
    in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, **changes: int) -> None:
        """Add to the counters; thread-safe."""
        with self.lock:
            for name, change in changes.items():
                setattr(self, name, getattr(self, name) + change)


class Throttle:
    """Delays the requests of a session to the pace of the API; aborts them on shutdown.

    Args:
        limit: requests per second that the configuration allows; None: no limit.
    """

    def __init__(self, limit: float | None = None) -> None:
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._pace = Pace(limit)
        self._is_shut_down = threading.Event()
        self._told_until = 0.0  # the end of the newest wait that was logged

    def accept(self, headers: Mapping[str, str], in_flight: int) -> None:
        """Note a response that was not refused."""
        with self._lock:
            self._pace.accept(time.monotonic(), read_quota(headers), in_flight)

    def refuse(self, wait: float, asked: float) -> None:
        """Delay all requests after one was refused, as `Pace.refuse` does."""
        with self._lock:
            self._pace.refuse(time.monotonic(), wait, asked)

    def wait(self, seconds: float = 0.0) -> None:
        """Wait for these seconds, and until the pace allows a request.

        Raises:
            ApiError: If the session ends first.
        """
        until = time.monotonic() + seconds
        while not self._is_shut_down.is_set():
            left = until - time.monotonic()
            if left <= 0:
                with self._lock:
                    left = self._pace.reserve(time.monotonic())
            if left <= 0:
                return
            self._tell(left)
            self._is_shut_down.wait(left)
        raise ApiError("The sync ended.")

    def _tell(self, seconds: float) -> None:
        """Log a long wait, once for all requests that wait for the same."""
        until = time.monotonic() + seconds
        with self._lock:
            if seconds < LONG_WAIT or until < self._told_until + 1:
                return
            self._told_until = until
        LOG.info("The API limits requests: the next one is sent in %.0f s.", seconds)

    def add_socket(self, sock: socket.socket) -> None:
        """Register a connection, to be shut down with the session."""
        with self._lock:
            self._sockets.add(sock)
            if self._is_shut_down.is_set():
                _shut_down(sock)

    def shutdown(self) -> None:
        """End all waiting, for responses as well."""
        with self._lock:
            self._is_shut_down.set()
            for sock in self._sockets:
                _shut_down(sock)


def _shut_down(sock: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        # Not SSLSocket.shutdown: another thread may be reading.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
