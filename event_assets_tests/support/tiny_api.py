"""A small API of any kind on loopback, for what the sandbox does not do."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from event_assets.sandbox.http_app import BackgroundServer

Answer = Callable[[Request], Any]  # a Response, or a document


class TinyApi:
    """Answers every request by one function, and counts them."""

    def __init__(self, answer: Answer, compressed: bool = False) -> None:
        self.requests: list[str] = []
        self._answer = answer
        self._middleware = [Middleware(GZipMiddleware, minimum_size=1)] if compressed else []

    def __enter__(self) -> TinyApi:
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        routes = [Route("/{path:path}", self._respond, methods=["GET", "POST"])]
        self._server = BackgroundServer(
            Starlette(routes=routes, middleware=self._middleware), listener
        )
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()

    async def _respond(self, request: Request) -> Response:
        self.requests.append(str(request.url))
        request.state.body = await request.body()
        answer = self._answer(request)
        return answer if isinstance(answer, Response) else JSONResponse(answer)


def number(request: Request, name: str, default: int = 0) -> int:
    """Read a whole number from the query."""
    return int(request.query_params.get(name, default))


def events(count: int, **fields: Any) -> list[dict[str, Any]]:
    """Make events as the contract has them; `fields` are added, or change, by record."""
    return [
        {
            "id": f"e{at}",
            "name": f"Event {at}",
            "start_time": f"2026-05-{at % 28 + 1:02}T10:00:00Z",
            "end_time": f"2026-05-{at % 28 + 1:02}T12:00:00Z",
            **fields,
        }
        for at in range(count)
    ]


def renamed(rows: list[dict[str, Any]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return events with other field names."""
    return [{names.get(name, name): value for name, value in row.items()} for row in rows]
