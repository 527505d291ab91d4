"""Pace requests of a session: pauses, shutdown and counters."""

from __future__ import annotations

import socket
import threading
import time
import weakref
from dataclasses import dataclass, field

from event_assets.values.errors import ApiError


@dataclass
class HttpMetrics:
    """What a session has asked and received so far."""

    requests: int = 0
    retries: int = 0
    bytes: int = 0
    in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, **changes: int) -> None:
        """Add to the counters, from any thread."""
        with self.lock:
            for name, change in changes.items():
                setattr(self, name, getattr(self, name) + change)


class Throttle:
    """Holds back every request of a session while the API asks for a pause, and ends them all."""

    def __init__(self) -> None:
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._until = 0.0
        self._slowed = False
        self._stopped = threading.Event()

    def hold(self, seconds: float) -> None:
        """Send nothing for so long."""
        self._until = max(self._until, time.monotonic() + seconds)
        self._slowed = True

    def slowed(self) -> bool:
        """Was there a pause since this was last asked?"""
        slowed, self._slowed = self._slowed, False
        return slowed

    def wait(self, seconds: float = 0.0) -> None:
        """Wait so long, and for the end of the pause.

        Raises:
            ApiError: when the session ends meanwhile.
        """
        until = time.monotonic() + seconds
        while not self._stopped.is_set():
            left = max(until, self._until) - time.monotonic()
            if left <= 0:
                return
            self._stopped.wait(left)
        raise ApiError("The sync ended.")

    def connected(self, opened: socket.socket) -> None:
        """Take note of a connection."""
        with self._lock:
            self._sockets.add(opened)
            if self._stopped.is_set():
                _shut_down(opened)

    def stop(self) -> None:
        """End all waiting, also for answers."""
        with self._lock:
            self._stopped.set()
            for opened in self._sockets:
                _shut_down(opened)


def _shut_down(opened: socket.socket) -> None:
    try:
        # Not SSLSocket's own, which another thread may be reading by.
        socket.socket.shutdown(opened, socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already
