"""The sandbox: an events API served from a background thread."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from event_assets.sandbox.event_list import EventList
from event_assets.sandbox.faults import Faults
from event_assets.sandbox.responses import FakeApi, FakeResponse, error_response
from event_assets.sandbox.simulation import EventSimulation

HOST = "127.0.0.1"
EVENTS = "/v1/events"
KEY = "sandbox"
AUTH = {"type": "api_key", "location": "query", "api_key": KEY}  # as dlt configures it


S = TypeVar("S", bound="Sandbox")


class SandboxError(Exception):
    """The sandbox could not be started; the message is one sentence."""


class Sandbox:
    """An events API on a free port of 127.0.0.1, inside a `with` block.

    `GET /v1/events?api_key=...&offset=0&limit=100` returns `{"data": [...], "total": N}`.
    `faults` can be changed at any time.
    """

    list_type = EventList
    api_type = FakeApi

    def __init__(
        self,
        events: int | EventSimulation | Sequence[Mapping[str, Any]] = 250,
        key: str = KEY,
        faults: Faults | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        port: int = 0,
        seed: int = 0,
    ) -> None:
        """Serve `events` to requests with `key`.

        Args:
            events: a simulation, the records themselves, or a number of events that never change.
            key: the accepted `api_key`.
            faults: none by default.
            clock: returns the time (aware) as of which a live simulation is served.
            port: 0 for a free one.
            seed: of the events, and of the rows that faults delete and insert.
        """
        self.faults = faults or Faults()
        self._clock = clock
        self._port = port
        source = EventSimulation(events, seed, frozen=True) if isinstance(events, int) else events
        self._event_list = self.list_type(source, self._clock(), seed)
        self._api = self.api_type(self._event_list, key)
        self._lock = threading.Lock()  # the server's thread uses the list, too
        self.url = ""  # the base URL, such as http://127.0.0.1:8000, inside the `with` block

    def __enter__(self: S) -> S:
        """Start serving; raises SandboxError when the port is in use."""
        from event_assets.sandbox.http_app import BackgroundServer, build_app

        try:
            listener = socket.create_server((HOST, self._port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise SandboxError(f"Port {self._port} of {HOST} is in use; choose another.") from None
        self._server = BackgroundServer(build_app(self._respond), listener)
        self.url = f"http://{HOST}:{listener.getsockname()[1]}"
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving without waiting for pending requests."""
        self._server.stop()

    @contextlib.contextmanager
    def _current(self) -> Generator[EventList, None, None]:
        with self._lock:
            self._event_list.advance(self._clock())
            yield self._event_list

    async def _respond(self, method: str, path: str, query: Mapping[str, str]) -> FakeResponse:
        response = error_response(404, "Not Found")
        if path == EVENTS and method in ("GET", "HEAD"):
            if self.faults.latency > 0:
                await asyncio.sleep(self.faults.latency)
            with self._current():
                response = self._api.respond(query, self.faults)
        elif path == EVENTS:
            response = error_response(405, "Method Not Allowed", Allow="GET, HEAD")
        return response
