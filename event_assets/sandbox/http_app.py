"""The HTTP layer of the sandbox; a separate module because starlette and uvicorn import slowly."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from event_assets.sandbox.responses import FakeResponse


class _TruncatedResponse(Response):
    """A response that declares its full length, sends half and closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI)
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        half = bytes(self.body[: len(self.body) // 2])
        await send({"type": "http.response.body", "body": half, "more_body": True})


def build_app(
    events: Callable[[Request], Awaitable[FakeResponse]],
    other: Callable[[Request, HTTPException], FakeResponse],
) -> Starlette:
    """Build an app that routes `/v1/events` to `events` and everything else to `other`."""

    async def endpoint(request: Request) -> Response:
        return _response(await events(request))

    async def refuse(request: Request, exc: Exception) -> Response:
        if not isinstance(exc, HTTPException):
            raise exc
        return _response(other(request, exc))

    return Starlette(
        routes=[Route("/v1/events", endpoint)], exception_handlers={HTTPException: refuse}
    )


def _response(fake: FakeResponse) -> Response:
    response_type = _TruncatedResponse if fake.is_truncated else Response
    return response_type(fake.body(), fake.status, fake.headers, fake.media_type)


class BackgroundServer(uvicorn.Server):
    """Serves an app on a bound socket from a background thread that stops at once.

    uvicorn's own server polls every 0.1 s for the stop signal, then waits for its clients.
    """

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        """Serve `app` on `listener`, which is closed at the end."""
        super().__init__(
            uvicorn.Config(
                app, log_config=None, log_level="critical", access_log=False, lifespan="off"
            )
        )
        self._listener = listener
        self._started = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)

    def start(self) -> None:
        """Start the thread and wait until it serves; raises the startup error, if any."""
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            self._listener.close()
            raise self._error

    def stop(self) -> None:
        """Stop the thread and wait until the socket and all connections are closed."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            self.run(sockets=[self._listener])
        except BaseException as exc:
            self._error = exc
        finally:
            self._started.set()

    async def main_loop(self) -> None:
        """Serve until stopped."""
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._started.set()
        while not self._stopping.is_set():
            await self.on_tick(0)  # sets the Date header
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), timeout=1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the sockets and connections; pending requests end with the thread's loop."""
        for server in self.servers:
            server.close()
        for sock in sockets or ():
            sock.close()
        while self.server_state.connections:
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)
        for server in self.servers:
            await server.wait_closed()
