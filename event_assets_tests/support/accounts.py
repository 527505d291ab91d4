"""A platform with accounts, and how to sync one of them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster import ExecuteInProcessResult
from starlette.requests import Request
from starlette.responses import JSONResponse

from event_assets_tests.support.api_server import ApiServer, serving
from event_assets_tests.support.platforms import paged, source
from event_assets_tests.support.project import Project

PATH = "/v1/{account}/events"
Lists = dict[str, list[dict[str, Any]]]


@contextmanager
def serving_accounts(lists: Lists) -> Iterator[ApiServer]:
    """Serve a list of events for each account; an account that has none is refused."""

    def answer(request: Request) -> Any:
        rows = lists.get(request.path_params["account"])
        return JSONResponse({}, 403) if rows is None else paged(rows)(request)

    with serving({"/v1/{account:path}/events": answer}) as api:
        yield api


def with_accounts(
    url: str, accounts: Any, *, endpoint: Mapping[str, Any] = {}, **changes: Any
) -> dict[str, Any]:
    """Write the YAML of a source with accounts, whose names are in the path."""
    return source(url, accounts=accounts, endpoint={"path": PATH, **endpoint}, **changes)


def sync(
    project: Project, loaded: dg.Definitions, *accounts: str, job: str = "sync_events"
) -> list[ExecuteInProcessResult]:
    """Sync accounts, one after the other."""
    resolved = loaded.resolve_job_def(job)
    return [
        resolved.execute_in_process(
            instance=project.instance, partition_key=account, raise_on_error=False
        )
        for account in accounts
    ]


def derive(project: Project, loaded: dg.Definitions, *names: str) -> ExecuteInProcessResult:
    """Make what is made of all accounts' events."""
    keys = map(dg.AssetKey, names or ("current_events", "event_changes", "event_calendar"))
    job = loaded.resolve_job_def("sync_events_on_schedule")
    return job.get_subset(asset_selection=set(keys)).execute_in_process(
        instance=project.instance, raise_on_error=False
    )
