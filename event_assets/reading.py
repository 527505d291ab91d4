"""From a source's configuration to a dlt source that reads, with its key, session and pages."""

from __future__ import annotations

import copy
import gc
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any, cast

import dlt
from dlt.common import jsonpath
from dlt.extract import DltResource, DltSource
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from dlt.sources.rest_api import rest_api_source
from dlt.sources.rest_api.typing import RESTAPIConfig
from requests import Session
from requests.auth import AuthBase

from event_assets import sandbox
from event_assets.auth import build_auth, secrets_of
from event_assets.fields import columns
from event_assets.paging import Bookmark, OneEach, Readings, Report, WindowedPages, watched
from event_assets.parents import with_safe_path
from event_assets.parts import Parts
from event_assets.records import Shaper, hints, paths_of, with_own
from event_assets.rejects import check_share, too_many
from event_assets.source import EventSource, Resource
from event_assets.syncs import Sync
from event_assets.transport import ApiSession

UNSET_URL = "http://unset.invalid"  # stands for the API while definitions load
# dlt's hint that a merge need not look for repeats; dlt's own option for it cannot be taken back
ALL_CAME_ONCE = "x-stage-data-deduplicated"
PLAIN_SELECTOR = re.compile(r"[\w-]+(\.[\w-]+)*")
PARENT_ROWS = 100  # handed on at a time

Rows = Iterable[Mapping[str, Any]]


def declared(resource: Resource) -> DltSource:
    """Build a dlt source as definitions need it: without key, network or folder."""
    return source_of(resource, None, None)


@contextmanager
def connected(resource: Resource, sync: Sync, parents: Rows = ()) -> Iterator[Parts]:
    """Give the records of a resource, ready to be read, and close its connections afterwards.

    What is asked and received is noted in `sync`. `source_of` makes dlt's source of each part.

    Args:
        resource: what to read.
        sync: the sync that it is read for.
        parents: of a resource that depends on another, the records of that one.

    Raises:
        ConfigError: when the key is missing.
    """
    paginator = paginator_of(resource, sync)
    with session_of(resource, sync, paginator) as (base_url, session):
        pages = pages_of(resource, base_url, session, paginator, parents, sync.position)
        yield Parts(_to_the_end(pages, paginator, sync), sync.bookmark, sync.part_rows)


def configured_paginator(resource: Resource) -> Any:
    """Give dlt's configuration of a resource's paginator; None where there is none."""
    given = resource.endpoint.get("paginator")
    return given or resource.source.rest_api["client"].get("paginator")


def paginator_of(resource: Resource, sync: Sync) -> BasePaginator:
    """Make the paginator of a resource, which reports to a sync."""
    configured = configured_paginator(resource)
    id_of = resource.id_of()

    def make(report: Report, bookmark: Bookmark | None = None) -> BasePaginator:
        return watched(configured, id_of, report, bookmark)

    if resource.parent:
        readings = sync.readings = Readings(sync.note)
        return OneEach(lambda: make(readings.begin()))
    if resource.has_events and (windows := resource.source.windows):
        return WindowedPages(make, windows.cut(datetime.now(timezone.utc)), id_of, sync.note)
    return make(sync.note, sync.bookmark)


@contextmanager
def session_of(
    resource: Resource, sync: Sync, paginator: BasePaginator
) -> Iterator[tuple[str, ApiSession]]:
    """Open the session that a resource is read by; gives the API's address, too."""
    with (
        keyed(resource) as (base_url, auth),
        ApiSession(
            base_url,
            auth,
            upcoming=getattr(paginator, "upcoming", None),
            check=is_list_at(resource.endpoint.get("data_selector")),
            concurrency=resource.source.concurrency,
            secrets=secrets_of(resource.source),
            limits=resource.source.limits,
            traffic=sync.traffic,
        ) as session,
    ):
        yield base_url, session


@contextmanager
def keyed(resource: Resource) -> Iterator[tuple[str, AuthBase | None]]:
    """Give the API's address, and what adds the key; the sandbox runs for as long.

    Raises:
        ConfigError: when the key is missing.
    """
    source = resource.source
    auth = resource.endpoint.get("auth") or source.rest_api["client"].get("auth")
    with _api(source) as (base_url, key), build_auth(source, auth, key) as added:
        yield base_url, added


@contextmanager
def _api(source: EventSource) -> Iterator[tuple[str, str | None]]:
    if source.base_url:
        yield source.base_url, None
    else:
        with sandbox.process() as url:
            yield url, sandbox.KEY


def pages_of(
    resource: Resource,
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
    if increment := resource.increment:
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


def _to_the_end(pages: DltResource, paginator: BasePaginator, sync: Sync) -> Iterator[Any]:
    """Give all pages; and when they ended, have the paginator say so if it does not know."""
    yield from pages
    if sync.readings:
        sync.note(sync.readings.finish())
    elif cut_short := getattr(paginator, "cut_short", None):
        cut_short()


def source_of(resource: Resource, parts: Parts | None, sync: Sync | None) -> DltSource:
    """Make a dlt source that reads the next part of a resource's records."""

    @dlt.source(name=resource.pipeline, section=resource.source.name, max_table_nesting=0)
    def one_table() -> DltResource:
        return _in_arrow(resource, parts, sync)

    return one_table()


def _in_arrow(resource: Resource, parts: Parts | None, sync: Sync | None) -> DltResource:
    """Wrap the API's records: Arrow tables of them, and the table also when there are none."""

    def rows() -> Iterator[Any]:
        yield dlt.mark.materialize_table_schema()
        if sync is None or parts is None:
            return
        known = dlt.current.source_schema().tables.get(resource.name, {}).get("columns", {})
        shaper = Shaper(
            resource.contract(),
            sync.types,
            {**paths_of(known), **sync.paths},
            own=resource.source.own_key,
            selection=resource.selection(),
            reject=sync.reject,
            may_widen=sync.exact.__contains__,
            tally=sync.tally,
        )
        sync.shaped = shaper
        share, is_loadable, kept_before = resource.source.max_rejects, False, sync.kept
        with garbage_collection_paused():
            while not (parts.ended or is_loadable):
                for table in shaper.tables(sync.watching(parts.records())):
                    sync.kept += len(table)
                    whole = with_own(table, sync.started_at, resource.source.account)
                    yield dlt.mark.with_hints(whole, dlt.mark.make_hints(columns=hints(whole)))
                is_loadable = not too_many(shaper.reasons, sync.outcome.distinct_ids, share)
        had_parts = bool(sync.first_load)
        came = sync.outcome.distinct_ids
        check_share(resource.name, shaper.reasons, came, share, had_parts=had_parts)
        if parts.ended and not had_parts:
            ids, rejected = sync.outcome.distinct_ids, sum(shaper.reasons.values())
        else:
            ids, rejected = parts.new_ids() or 0, shaper.set_aside
        once = not resource.parent and sync.kept - kept_before + rejected == ids
        yield dlt.mark.with_hints(
            with_own(shaper.table([]), sync.started_at, resource.source.account),
            dlt.mark.make_hints(additional_table_hints={ALL_CAME_ONCE: once}),
        )

    config = dict(resource.config)
    for of_requests in ("endpoint", "include_from_parent", "parallelized", "processing_steps"):
        config.pop(of_requests, None)
    typed = columns({name: reader.field for name, reader in resource.contract().items()})
    own = resource.source.own_key
    typed |= {name: {"name": name, "data_type": "text", "nullable": False} for name in own}
    config["columns"] = typed | config.get("columns", {})
    config["primary_key"] = [*own, *resource.columns_of_key] if resource.columns_of_key else None
    config["merge_key"] = None if resource.columns_of_key else own or None
    config["write_disposition"] = (
        {"disposition": "merge", "strategy": "delete-insert"}
        if resource.columns_of_key or own
        else "replace"
    )
    return dlt.resource(rows, **config)


def _whole_page(page: Any, _meta: Any = None) -> tuple[Any, ...]:
    """Keep a page together: dlt would hand on a list record by record."""
    return tuple(page)


def is_list_at(selector: Any) -> Callable[[Any], str | None] | None:
    """Make the check that an answer has a list where the records should be.

    Only for selectors that are plain names; others may find nothing, or many things, by design.
    """
    if not isinstance(selector, str) or not PLAIN_SELECTOR.fullmatch(selector):
        return None
    names = selector.split(".")

    def problem(document: Any) -> str | None:
        for name in names:
            if not isinstance(document, dict) or name not in document:
                return f"has no `{selector}`"
            document = document[name]
        if isinstance(document, list):
            return None
        kind = "null" if document is None else "no list"
        return f"has {kind} under `{selector}`"

    return problem


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Keep Python from looking for cycles: JSON has none, and the search takes half the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
