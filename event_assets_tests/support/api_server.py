"""A small API on loopback, from a few lines, for what the sandbox does not do."""

from __future__ import annotations

import inspect
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from event_assets.sandbox.http_app import BackgroundServer

Handler = Callable[[Request], Any]  # returns a Response, or what is sent as JSON; may be async


@dataclass
class ApiServer:
    """A running API, with its requests and its responses, each in order.

    The body of a request is in its `state.body`.
    """

    url: str
    requests: list[Request] = field(default_factory=list[Request])
    responses: list[Response] = field(default_factory=list[Response])

    @property
    def urls(self) -> list[str]:
        """The URL of each request."""
        return [str(request.url) for request in self.requests]

    def asked_for(self, path: str) -> list[dict[str, str]]:
        """Return the query parameters of every request for a path."""
        return [dict(request.query_params) for request in self.requests if request.url.path == path]


@contextmanager
def serving(
    handlers: Handler | Mapping[str, Handler], compressed: bool = False, dated: bool = True
) -> Iterator[ApiServer]:
    """Serve each path by its handler, or all by one; `{name}` is in `request.path_params`.

    `dated`: whether the server adds the header `Date`; a response has its own only without.
    """
    if not isinstance(handlers, Mapping):
        handlers = {"/{path:path}": handlers}
    listener = socket.create_server(("127.0.0.1", 0))
    api = ApiServer(f"http://127.0.0.1:{listener.getsockname()[1]}")

    def endpoint(handler: Handler) -> Callable[[Request], Any]:
        async def respond(request: Request) -> Response:
            request.state.body = await request.body()
            api.requests.append(request)
            made = handler(request)
            if inspect.isawaitable(made):
                made = await made
            api.responses.append(made if isinstance(made, Response) else JSONResponse(made))
            return api.responses[-1]

        return respond

    routes = [
        Route(path, endpoint(handler), methods=["GET", "POST"])
        for path, handler in handlers.items()
    ]
    middleware = [Middleware(GZipMiddleware, minimum_size=1)] if compressed else []
    server = BackgroundServer(Starlette(routes=routes, middleware=middleware), listener)
    server.config.date_header = dated
    server.start()
    try:
        yield api
    finally:
        server.stop()
