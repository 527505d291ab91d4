"""Open a stream of a resource's records: dlt's resource with our session and paginator."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime, timezone
from functools import partial
from itertools import islice
from typing import Any, cast

import dlt
from dlt.common import jsonpath
from dlt.extract import DltResource
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from dlt.sources.rest_api import rest_api_source
from dlt.sources.rest_api.typing import RESTAPIConfig
from requests import Session
from requests.auth import AuthBase

from event_assets import sandbox
from event_assets.config.source import ResourceConfig
from event_assets.extract.batches import BatchReader
from event_assets.extract.cursor import IncrementalCursor
from event_assets.extract.parent_requests import escape_path_fields
from event_assets.extract.records_selector import list_selector_check
from event_assets.extract.stream_state import Sync
from event_assets.http.auth import build_auth
from event_assets.http.credentials import configured_secrets
from event_assets.http.session import ReadAheadSession
from event_assets.pagination.factory import create_paginator
from event_assets.pagination.monitored import MonitoredPaginator
from event_assets.pagination.offset import OffsetPaginator
from event_assets.pagination.per_parent import PerParentPaginator, ResultAggregator
from event_assets.pagination.time_windows import TimeWindowPaginator, WindowPlan
from event_assets.records.contract import build_id_reader

PARENT_BATCH_SIZE = 100  # rows
Rows = Iterable[Mapping[str, Any]]


@contextmanager
def open_stream(resource: ResourceConfig, sync: Sync, parents: Rows = ()) -> Iterator[BatchReader]:
    """Open a stream of a resource's records; close its connections on exit.

    `parents` are the parent records of a resource that depends on another. Raises ConfigError if
    the key is missing.
    """
    paginator = build_paginator(resource, sync)
    with (
        resolve_endpoint(resource) as (base_url, auth),
        ReadAheadSession(
            base_url,
            auth,
            upcoming=getattr(paginator, "upcoming", None),
            check=list_selector_check(resource.endpoint.get("data_selector")),
            concurrency=resource.source.concurrency,
            secrets=configured_secrets(resource.source),
            limits=resource.source.limits,
            metrics=sync.metrics,
        ) as session,
    ):
        pages = build_page_resource(
            resource, base_url, session, paginator, parents, sync.cursor_value
        )
        yield BatchReader(_drain(pages, paginator, sync), sync.checkpoint, sync.batch_rows)


def configured_paginator(resource: ResourceConfig) -> Any:
    """Return the configured paginator of a resource; None if none is configured."""
    return resource.endpoint.get("paginator") or resource.source.rest_api["client"].get("paginator")


def build_paginator(resource: ResourceConfig, sync: Sync) -> BasePaginator:
    """Build the paginator of a resource, which reports to a sync."""
    get_id = build_id_reader(resource)
    make_paginator = partial(create_paginator, configured_paginator(resource), get_id)
    if resource.parent:
        aggregator = sync.aggregator = ResultAggregator(sync.on_result)
        return PerParentPaginator(lambda: make_paginator(aggregator.start_list()))
    if resource.is_events and (windows := resource.source.windows):
        plan = WindowPlan.from_config(windows, datetime.now(timezone.utc))
        return TimeWindowPaginator(make_paginator, plan, get_id, sync.on_result)
    return make_paginator(sync.on_result, sync.checkpoint)


@contextmanager
def resolve_endpoint(resource: ResourceConfig) -> Iterator[tuple[str, AuthBase | None]]:
    """Yield the API's base URL and authentication; the sandbox runs until exit."""
    source = resource.source
    auth = resource.endpoint.get("auth") or source.rest_api["client"].get("auth")
    key = None if source.base_url else sandbox.KEY
    api = nullcontext(source.base_url) if source.base_url else sandbox.run_sandbox()
    with api as base_url, build_auth(source, auth, key) as resolved:
        yield base_url, resolved


def build_page_resource(
    resource: ResourceConfig,
    base_url: str,
    session: Session,
    paginator: BasePaginator,
    parents: Rows,
    cursor_value: Any,
) -> DltResource:
    """Build dlt's resource, which yields the API's records page by page."""
    source = resource.source
    client = {name: value for name, value in source.rest_api["client"].items() if name != "auth"}
    config = copy.deepcopy(dict(resource.config))
    if resource.parent:
        escape_path_fields(config["endpoint"])
        config["parallelized"] = True
    endpoint = config["endpoint"]
    if cursor := IncrementalCursor.from_endpoint(resource.endpoint):
        endpoint = config["endpoint"] = cursor.apply_to(endpoint, cursor_value)
    endpoint.pop("auth", None)  # the session adds the key, out of dlt's sight
    endpoint["paginator"] = paginator
    if selector := endpoint.get("data_selector"):
        endpoint["data_selector"] = jsonpath.compile_path(selector)
    rest_api: dict[str, Any] = {
        "client": {**client, "base_url": base_url, "session": session, "paginator": None},
        "resources": [config],
    }
    if resource.parent:
        rest_api["resources"].insert(0, _parent_resource(resource.parent, parents))
    pages = rest_api_source(
        cast("RESTAPIConfig", rest_api), name=source.name, section=source.name, max_table_nesting=0
    ).resources[resource.name]
    pages.add_step(_whole_page)
    return pages


def _parent_resource(name: str, rows: Rows) -> DltResource:
    """Build a resource that yields the loaded records of a parent."""

    def records() -> Iterator[list[Mapping[str, Any]]]:
        source = iter(rows)
        while batch := list(islice(source, PARENT_BATCH_SIZE)):
            yield batch

    return dlt.resource(records, name=name, selected=False)


def _drain(pages: DltResource, paginator: BasePaginator, sync: Sync) -> Iterator[Any]:
    """Yield all pages, then report the final result."""
    yield from pages
    if sync.aggregator:
        sync.on_result(sync.aggregator.finish())
    elif isinstance(paginator, (MonitoredPaginator, OffsetPaginator)):
        paginator.stopped_early()


def _whole_page(page: Any, _meta: Any = None) -> tuple[Any, ...]:
    """Turn a page into a tuple: dlt would yield a list record by record."""
    return tuple(page)
