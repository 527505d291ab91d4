"""The HTTP side of the sandbox; apart, because importing starlette and uvicorn takes a while."""

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


class _CutResponse(Response):
    """A response that promises its whole length, sends half of it and closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI)
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        half = bytes(self.body[: len(self.body) // 2])
        await send({"type": "http.response.body", "body": half, "more_body": True})


def make_app(
    events: Callable[[Request], Awaitable[FakeResponse]],
    other: Callable[[Request, HTTPException], FakeResponse],
) -> Starlette:
    """Return an app that answers `/v1/events` by `events` and all else by `other`."""

    async def endpoint(request: Request) -> Response:
        return _response(await events(request))

    async def refuse(request: Request, exc: Exception) -> Response:
        if not isinstance(exc, HTTPException):
            raise exc
        return _response(other(request, exc))

    return Starlette(
        routes=[Route("/v1/events", endpoint)], exception_handlers={HTTPException: refuse}
    )


def _response(answer: FakeResponse) -> Response:
    kind = _CutResponse if answer.cut else Response
    return kind(answer.body(), answer.status, answer.headers, answer.media_type)


class BackgroundServer(uvicorn.Server):
    """Serves an app on a bound socket from a thread of its own, which ends at once when told to.

    uvicorn's own server looks every 0.1 s whether it is to end, and then waits for the clients.
    """

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        """Serve `app` on `listener`, which is closed in the end."""
        super().__init__(
            uvicorn.Config(
                app, log_config=None, log_level="critical", access_log=False, lifespan="off"
            )
        )
        self._listener = listener
        self._up = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)

    def start(self) -> None:
        """Start the thread and wait until it serves; raises what kept it from doing so."""
        self._thread.start()
        self._up.wait()
        if self._error is not None:
            self._listener.close()
            raise self._error

    def stop(self) -> None:
        """End the thread and wait until it, the socket and all connections are closed."""
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            self.run(sockets=[self._listener])
        except BaseException as exc:
            self._error = exc
        finally:
            self._up.set()

    async def main_loop(self) -> None:
        """Serve until told to end."""
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        self._up.set()
        while not self._ending.is_set():
            await self.on_tick(0)  # sets the Date header
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._ending.wait(), timeout=1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drop the socket and the connections; requests under way end with the thread's loop."""
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
