"""Event platforms of any kind for tests: an API from a few lines, and a project that reads it."""

import copy
import inspect
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import dagster as dg
from dagster import ExecuteInProcessResult
from dagster.components.testing.utils import create_defs_folder_sandbox
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from event_assets import EventApi
from event_assets.component.project import build_shared_definitions
from event_assets.sandbox.http_app import BackgroundServer
from event_assets_tests.support.project import Project, execute

FIRST = datetime(2026, 1, 1, tzinfo=timezone.utc)
Handler = Callable[[Request], Any]  # gives JSON, or an answer


@dataclass
class Platform:
    """A small API on loopback; `asked` and `answers` hold the requests and answers, in order."""

    url: str
    asked: list[Request] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)

    def asked_for(self, path: str) -> list[dict[str, str]]:
        """Return the query parameters of every request for a path."""
        return [dict(request.query_params) for request in self.asked if request.url.path == path]


@contextmanager
def serving(handlers: Mapping[str, Handler]) -> Iterator[Platform]:
    """Serve JSON by path; `{name}` in a path is in `request.path_params`."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    platform = Platform(f"http://127.0.0.1:{listener.getsockname()[1]}")

    def endpoint(handler: Handler) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            await request.body()
            platform.asked.append(request)
            made = handler(request)
            if inspect.isawaitable(made):
                made = await made
            platform.answers.append(made if isinstance(made, Response) else JSONResponse(made))
            return platform.answers[-1]

        return answer

    routes = [
        Route(path, endpoint(handler), methods=["GET", "POST"])
        for path, handler in handlers.items()
    ]
    server = BackgroundServer(Starlette(routes=routes), listener)
    server.start()
    try:
        yield platform
    finally:
        server.stop()


def events(count: int, first: int = 0) -> list[dict[str, Any]]:
    """Make events, an hour apart."""
    return [
        {
            "id": f"e{number}",
            "name": f"Event {number}",
            "start_time": (FIRST + timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for number in range(first, first + count)
    ]


def paged(rows: list[dict[str, Any]]) -> Handler:
    """Answer by offset and limit, as the contract says."""

    def answer(request: Request) -> Any:
        offset = int(request.query_params.get("offset", 0))
        limit = int(request.query_params.get("limit", 100))
        return {"data": rows[offset : offset + limit], "total": len(rows)}

    return answer


def source(url: str, **changes: Any) -> dict[str, Any]:
    """Write the YAML of a source without a key, by offset; `changes` go into its attributes."""
    document: dict[str, Any] = {
        "type": "event_assets.EventApi",
        "attributes": {
            "rest_api": {
                "client": {"base_url": url},
                "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
                "resources": [
                    {
                        "name": "event_data",
                        "endpoint": {
                            "path": "/v1/events",
                            "data_selector": "data",
                            "paginator": {"type": "offset", "limit": 100},
                        },
                    }
                ],
            },
            "fields": {
                "id": {"type": "text", "nullable": False},
                "name": {"type": "text"},
                "start_time": {"type": "timestamp"},
            },
        },
    }
    document["attributes"].update(copy.deepcopy(changes))
    return document


def definitions(sources: Mapping[str, Mapping[str, Any]]) -> dg.Definitions:
    """Load sources as the project does, each from the YAML in its folder."""
    with create_defs_folder_sandbox() as sandbox:
        for name, document in sources.items():
            sandbox.scaffold_component(
                component_cls=EventApi, defs_path=name, defs_yaml_contents=dict(document)
            )
        with sandbox.build_all_defs() as loaded:
            return dg.Definitions.merge(loaded, build_shared_definitions(loaded))


def run(
    project: Project,
    loaded: dg.Definitions,
    job: str = "sync_events",
    *,
    derived: bool = False,
    **options: bool,
) -> ExecuteInProcessResult:
    """Run a job of these definitions in this process, with or without its derived assets."""
    return execute(loaded.resolve_job_def(job), project.instance, derived=derived, **options)
