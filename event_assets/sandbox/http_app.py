"""The HTTP layer of the sandbox; a separate module because uvicorn imports slowly."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

from event_assets.sandbox.responses import FakeResponse


def build_app(respond: Callable[[str, str, Mapping[str, str]], Awaitable[FakeResponse]]) -> Any:
    """Build the ASGI app of what responds to a method, a path and a query."""

    async def app(scope: Mapping[str, Any], _: Any, send: Callable[..., Awaitable[None]]) -> None:
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        response = await respond(scope["method"], scope["path"], query)
        body = response.body()
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **response.headers,
        }
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": encoded})
        await send({"type": "http.response.body", "body": body})

    return app


class BackgroundServer(uvicorn.Server):
    """Serves an app on a bound socket from a background thread that stops at once.

    uvicorn's own server polls every 0.1 s for the stop signal, then waits for its clients.
    """

    def __init__(self, app: Any, listener: socket.socket) -> None:
        """Serve `app` on `listener`, which is closed at the end."""
        super().__init__(
            uvicorn.Config(
                app, log_config=None, log_level="critical", access_log=False, lifespan="off"
            )
        )
        self._listener = listener
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)

    def start(self) -> None:
        """Start the thread and wait until it serves."""
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        """Stop the thread and wait until the socket and all connections are closed."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            self.run(sockets=[self._listener])
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
