"""Events, and projects that read them from an API."""

import copy
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
from dagster import ExecuteInProcessResult
from dagster.components.testing.utils import create_defs_folder_sandbox
from starlette.requests import Request

from event_assets import EventApi
from event_assets.component.project import build_shared_definitions
from event_assets_tests.support.api_server import Handler
from event_assets_tests.support.project import Project, execute

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


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


def source(
    url: str, *, client: Mapping[str, Any] = {}, endpoint: Mapping[str, Any] = {}, **changes: Any
) -> dict[str, Any]:
    """Write the YAML of a source, without a key and by offset unless `client` or `endpoint` say.

    `changes` go into its attributes.
    """
    document: dict[str, Any] = {
        "type": "event_assets.EventApi",
        "attributes": {
            "rest_api": {
                "client": {"base_url": url, **copy.deepcopy(client)},
                "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
                "resources": [
                    {
                        "name": "event_data",
                        "endpoint": {
                            "path": "/v1/events",
                            "data_selector": "data",
                            "paginator": {"type": "offset", "limit": 100},
                            **copy.deepcopy(endpoint),
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
