"""One platform with many accounts: each has its own events, key and address."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from event_assets.sandbox import EventSimulation, Faults
from event_assets.sandbox.event_list import EventList
from event_assets.sandbox.http_app import BackgroundServer
from event_assets.sandbox.responses import FakeApi

SOUND = Faults()
TIMES = ("start_time", "end_time")
GLANCE = 0.02  # seconds from one look to the next whether answers may go out


class Platform:
    """Serves `/ACCOUNT/v1/events` of each account, as the sandbox does.

    Attributes:
        url: where, only while it serves.
    """

    def __init__(self, accounts: int, events: int, latency: float) -> None:
        """Make so many accounts of so many events; each answer waits `latency` seconds."""
        self._latency = latency
        self._answering = True
        now = datetime.now(UTC)  # frozen events are the same at any time
        self._answers = {
            name: FakeApi(EventList(EventSimulation(events, seed, frozen=True), now), key_of(name))
            for seed, name in enumerate(f"org-{number:03}" for number in range(accounts))
        }

    @property
    def accounts(self) -> list[str]:
        """The accounts' names."""
        return list(self._answers)

    def keys(self) -> dict[str, str]:
        """Return an environment with the key of each account."""
        return {
            f"EVENTS__ACCOUNTS__{name.replace('-', '_').upper()}__API_KEY": key_of(name)
            for name in self._answers
        }

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Return every event of each account as the table should hold it."""
        for name, answers in self._answers.items():
            for row in answers.event_list.rows:
                yield name, dict(_columns(json.loads(row.body)))

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Answer nobody for the length of a block: no sync ends in it."""
        self._answering = False
        try:
            yield
        finally:
            self._answering = True

    def __enter__(self) -> Platform:
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        routes = [Route("/{account}/v1/events", self._events)]
        self._server = BackgroundServer(Starlette(routes=routes), listener)
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()

    async def _events(self, request: Request) -> Response:
        await asyncio.sleep(self._latency)
        while not self._answering:
            await asyncio.sleep(GLANCE)
        name = request.path_params["account"]
        answer = self._answers[name].respond(request.query_params, SOUND)
        return Response(answer.body(), answer.status, answer.headers, "application/json")


def key_of(account: str) -> str:
    """Return an account's key."""
    return f"key-of-{account}"


def _columns(record: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _columns(value, f"{before}{name}__")
        else:
            yield f"{before}{name}", _value(name, value)


def _value(name: str, value: Any) -> Any:
    if name in TIMES and value:
        return datetime.fromisoformat(value.replace("Z", "+00:00"))
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value
