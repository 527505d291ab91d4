"""The clock of HTTP sessions, on which they wait without any time passing."""

import threading
from types import SimpleNamespace

import pytest

from event_assets.http import pace, throttle
from event_assets_tests.support.polling import until

NOW = 1_800_000_000.0  # seconds since 1970, when the clock starts


class Waits:
    """The waits of sessions.

    Attributes:
        seconds: of each wait so far.
        together: so many requests must wait before the first goes on.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.together = 1
        self._passed = 0.0
        self._lock = threading.Lock()

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Let sessions that are opened from now on wait by this clock."""
        waits = self

        class Event(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                waits._wait(timeout or 0.0)
                return self.is_set()

        patch.setattr(throttle, "threading", SimpleNamespace(Event=Event, Lock=threading.Lock))
        patch.setattr(throttle, "time", SimpleNamespace(monotonic=lambda: self._passed))
        patch.setattr(pace, "time", SimpleNamespace(time=lambda: NOW + self._passed))

    def _wait(self, seconds: float) -> None:
        with self._lock:
            self.seconds.append(seconds)
        until(lambda: len(self.seconds) >= self.together)
        with self._lock:
            self._passed += seconds
