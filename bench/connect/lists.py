"""Lists in the shapes of further real APIs as cases, compared by their number of events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.connect.case import Event, Given, Served
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.event_apis import APIS


@contextmanager
def serve_list(name: str) -> Iterator[Served]:
    api = APIS[name]
    with serving(lambda request: api.respond(request, api.count)) as server:
        yield Served(
            Given(f"{server.url}{api.path}", curl=api.curl.replace("URL", server.url) or None),
            lambda: {f"event {number}": Event() for number in range(api.count)},
            lambda: len(server.requests),
            {"path": f"{server.url}{api.path}"},
            hints=[{"paginator": "single_page"}],
        )
