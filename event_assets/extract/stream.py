"""From a source's configuration to a dlt source that reads, with its key, session and pages."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
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
from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.extract.batches import BatchReader
from event_assets.extract.cursor import IncrementalCursor
from event_assets.extract.parent_requests import with_safe_path
from event_assets.extract.records_selector import list_selector_check
from event_assets.extract.stream_state import Sync
from event_assets.http.auth import build_auth
from event_assets.http.credentials import configured_secrets
from event_assets.http.session import ReadAheadSession
from event_assets.pagination import (
    Bookmark,
    OnResult,
    PerParentPaginator,
    ResultAggregator,
    TimeWindowPaginator,
    WindowPlan,
    create_paginator,
)
from event_assets.records.contract import build_id_reader

UNSET_URL = "http://unset.invalid"  # stands for the API while definitions load
PARENT_ROWS = 100  # handed on at a time
Rows = Iterable[Mapping[str, Any]]


@contextmanager
def open_stream(resource: ResourceConfig, sync: Sync, parents: Rows = ()) -> Iterator[BatchReader]:
    """Give the records of a resource, ready to be read, and close its connections afterwards.

    What is asked and received is noted in `sync`. `source_of` makes dlt's source of each part.

    Args:
        resource: what to read.
        sync: the sync that it is read for.
        parents: of a resource that depends on another, the records of that one.

    Raises:
        ConfigError: when the key is missing.
    """
    paginator = build_paginator(resource, sync)
    with open_session(resource, sync, paginator) as (base_url, session):
        pages = build_page_resource(resource, base_url, session, paginator, parents, sync.position)
        yield BatchReader(_drain(pages, paginator, sync), sync.bookmark, sync.part_rows)


def configured_paginator(resource: ResourceConfig) -> Any:
    """Give dlt's configuration of a resource's paginator; None where there is none."""
    given = resource.endpoint.get("paginator")
    return given or resource.source.rest_api["client"].get("paginator")


def build_paginator(resource: ResourceConfig, sync: Sync) -> BasePaginator:
    """Make the paginator of a resource, which reports to a sync."""
    configured = configured_paginator(resource)
    id_of = build_id_reader(resource)

    def make(report: OnResult, bookmark: Bookmark | None = None) -> BasePaginator:
        return create_paginator(configured, id_of, report, bookmark)

    if resource.parent:
        readings = sync.readings = ResultAggregator(sync.note)
        return PerParentPaginator(lambda: make(readings.begin()))
    if resource.is_events and (windows := resource.source.windows):
        return TimeWindowPaginator(
            make, WindowPlan.from_config(windows, datetime.now(timezone.utc)), id_of, sync.note
        )
    return make(sync.note, sync.bookmark)


@contextmanager
def open_session(
    resource: ResourceConfig, sync: Sync, paginator: BasePaginator
) -> Iterator[tuple[str, ReadAheadSession]]:
    """Open the session that a resource is read by; gives the API's address, too."""
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
            metrics=sync.traffic,
        ) as session,
    ):
        yield base_url, session


@contextmanager
def resolve_endpoint(resource: ResourceConfig) -> Iterator[tuple[str, AuthBase | None]]:
    """Give the API's address, and what adds the key; the sandbox runs for as long.

    Raises:
        ConfigError: when the key is missing.
    """
    source = resource.source
    auth = resource.endpoint.get("auth") or source.rest_api["client"].get("auth")
    with _api(source) as (base_url, key), build_auth(source, auth, key) as added:
        yield base_url, added


@contextmanager
def _api(source: SourceConfig) -> Iterator[tuple[str, str | None]]:
    if source.base_url:
        yield source.base_url, None
    else:
        with sandbox.run_sandbox() as url:
            yield url, sandbox.KEY


def build_page_resource(
    resource: ResourceConfig,
    base_url: str,
    session: Session,
    paginator: BasePaginator,
    parents: Rows,
    position: Any,
) -> DltResource:
    """Build dlt's own resource, which gives the API's records page by page."""
    source = resource.source
    client = {name: value for name, value in source.rest_api["client"].items() if name != "auth"}
    config = (
        with_safe_path(resource.config) if resource.parent else copy.deepcopy(dict(resource.config))
    )
    endpoint = config["endpoint"]
    if increment := IncrementalCursor.from_endpoint(resource.endpoint):
        endpoint = config["endpoint"] = increment.asked(endpoint, position)
    endpoint.pop("auth", None)  # the session adds the key, out of dlt's sight
    endpoint["paginator"] = paginator
    if selector := endpoint.get("data_selector"):
        endpoint["data_selector"] = jsonpath.compile_path(selector)
    if resource.parent:
        config["parallelized"] = True
    made: dict[str, Any] = {
        "client": {**client, "base_url": base_url, "session": session, "paginator": None},
        "resources": [config],
    }
    if resource.parent:
        made["resources"].insert(0, _parents(resource.parent, parents))
    pages = rest_api_source(
        cast("RESTAPIConfig", made), name=source.name, section=source.name, max_table_nesting=0
    ).resources[resource.name]
    pages.add_step(_whole_page)
    return pages


def _parents(name: str, rows: Rows) -> DltResource:
    """Hand on the records of a parent, as if they had just come."""

    def records() -> Iterator[list[Mapping[str, Any]]]:
        batch: list[Mapping[str, Any]] = []
        for row in rows:
            batch.append(row)
            if len(batch) == PARENT_ROWS:
                yield batch
                batch = []
        if batch:
            yield batch

    return dlt.resource(records, name=name, selected=False)


def _drain(pages: DltResource, paginator: BasePaginator, sync: Sync) -> Iterator[Any]:
    """Give all pages; and when they ended, have the paginator say so if it does not know."""
    yield from pages
    if sync.readings:
        sync.note(sync.readings.finish())
    elif cut_short := getattr(paginator, "cut_short", None):
        cut_short()


def _whole_page(page: Any, _meta: Any = None) -> tuple[Any, ...]:
    """Keep a page together: dlt would hand on a list record by record."""
    return tuple(page)
