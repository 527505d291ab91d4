"""Lists in the shapes of further real APIs as cases, compared by their number of events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.connect.case import Event, Given, Served
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.event_apis import APIS

FEW = 3  # events of a new account


@contextmanager
def serve_list(name: str, count: int | None = None) -> Iterator[Served]:
    """Serve a list of its own length, or of so many events."""
    api = APIS[name]
    count = count or api.count
    with serving(lambda request: api.respond(request, count)) as server:
        yield Served(
            Given(f"{server.url}{api.path}", curl=api.curl.replace("URL", server.url) or None),
            lambda: {f"event {number}": Event() for number in range(count)},
            lambda: len(server.requests),
            {"path": f"{server.url}{api.path}"},
            hints=[{"paginator": "single_page"}],
        )
