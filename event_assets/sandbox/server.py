"""The sandbox: the events API as an object, served from a thread."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from event_assets.sandbox.event_list import Listing
from event_assets.sandbox.faults import Faults
from event_assets.sandbox.responses import Answers, FakeResponse, error, whole_number
from event_assets.sandbox.simulation import World, timestamp

if TYPE_CHECKING:
    from starlette.exceptions import HTTPException
    from starlette.requests import Request

    from event_assets.sandbox.http_app import BackgroundServer

HOST = "127.0.0.1"
KEY = "sandbox"


class SandboxError(Exception):
    """The sandbox could not be started; the text is one sentence that says why."""


@dataclass(frozen=True)
class Recorded:
    """A request that was answered; never holds the key.

    `offset` and `limit` are those asked for, None if absent or no whole number; `at` is
    `time.monotonic()` when the answer was made.
    """

    method: str
    path: str
    offset: int | None
    limit: int | None
    status: int
    at: float
    key_right: bool


def utc_now() -> datetime:
    """Return the instant of now."""
    return datetime.now(timezone.utc)


class Sandbox:
    """An events API on a free port of 127.0.0.1, from `with` to the end of its block.

    `GET /v1/events?api_key=...&offset=0&limit=100` answers `{"data": [...], "total": N}`.

    `faults` may be changed at any time, and `requests` is what was asked so far.
    """

    def __init__(
        self,
        events: int | World | Sequence[Mapping[str, Any]] = 250,
        key: str = KEY,
        faults: Faults | None = None,
        clock: Callable[[], datetime] = utc_now,
        port: int = 0,
        seed: int = 0,
    ) -> None:
        """Serve `events` to whoever has `key`.

        `events` is a world, the records themselves, or a number of events that never change.
        `clock` gives the instant (aware) as of which a live world is served, `port` 0 is a free
        one, and `seed` decides which rows the faults delete and where they insert others.
        """
        self.faults = faults or Faults()
        self.requests: list[Recorded] = []
        self._clock = clock
        self._port = port
        source = World(events, seed, frozen=True) if isinstance(events, int) else events
        self._listing = Listing(source, self._now(), seed)
        self._answers = Answers(self._listing, key)
        self._lock = threading.Lock()  # the listing is used by the server's thread, too
        self._server: BackgroundServer | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        """The base URL, like http://127.0.0.1:8000; only while it serves."""
        if self._url is None:
            problem = "the sandbox has a URL only inside its with block"
            raise RuntimeError(problem)
        return self._url

    def __enter__(self) -> Sandbox:
        """Start to serve; raises SandboxError if the port is in use."""
        from event_assets.sandbox.http_app import BackgroundServer, make_app

        listener = _listen(self._port)
        server = BackgroundServer(make_app(self._events, self._other), listener)
        self._url = f"http://{HOST}:{listener.getsockname()[1]}"
        server.start()
        self._server = server
        return self

    def __exit__(self, *_: object) -> None:
        """Stop to serve, without waiting for requests under way."""
        if self._server is not None:
            self._server.stop()
        self._server = self._url = None

    def ids(self) -> list[str]:
        """Return the ids in the list now, in its order; rows without an id text are left out."""
        with self._current() as listing:
            return listing.ids()

    def begin_phase(self) -> None:
        """Let a phase begin: `present_throughout`, `deleted` and `inserted` are about it.

        The first begins with the sandbox.
        """
        with self._current() as listing:
            listing.begin_phase()

    def present_throughout(self) -> set[str]:
        """Return the ids that were in the list from the start of the phase until now."""
        with self._current() as listing:
            return listing.present_throughout()

    @property
    def deleted(self) -> list[str]:
        """The ids of the rows that `delete_every` deleted in the phase, in that order."""
        with self._current() as listing:
            return list(listing.deleted)

    @property
    def inserted(self) -> list[str]:
        """The ids of the rows that `insert_every` inserted in the phase, in that order."""
        with self._current() as listing:
            return list(listing.inserted)

    def replace(self, events: World | Sequence[Mapping[str, Any]]) -> None:
        """Serve other events from now on."""
        with self._lock:
            self._listing.replace(events, self._now())

    def _now(self) -> float:
        return timestamp(self._clock())

    @contextlib.contextmanager
    def _current(self) -> Generator[Listing, None, None]:
        with self._lock:
            self._listing.advance(self._now())
            yield self._listing

    async def _events(self, request: Request) -> FakeResponse:
        if self.faults.latency > 0:
            await asyncio.sleep(self.faults.latency)
        with self._current():
            answer = self._answers.answer(request.query_params, self.faults)
        self._record(request, answer.status)
        return answer

    def _other(self, request: Request, exc: HTTPException) -> FakeResponse:
        self._record(request, exc.status_code)
        return error(exc.status_code, exc.detail, exc.headers)

    def _record(self, request: Request, status: int) -> None:
        query = request.query_params
        self.requests.append(
            Recorded(
                request.method,
                request.url.path,
                whole_number(query.get("offset")),
                whole_number(query.get("limit")),
                status,
                time.monotonic(),
                self._answers.key_right(query.get("api_key")),
            )
        )


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as exc:
        listener.close()
        if exc.errno == errno.EADDRINUSE:
            problem = f"Port {port} of {HOST} is taken; choose another."
            raise SandboxError(problem) from None
        raise
    return listener
