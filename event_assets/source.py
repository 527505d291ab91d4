"""From a source's REST API configuration to a dlt source: checked, with its key, or the sandbox."""

from __future__ import annotations

import copy
import gc
import re
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, cast

import dlt
from dlt.common import jsonpath
from dlt.extract import DltResource, DltSource
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from dlt.sources.rest_api import rest_api_source
from dlt.sources.rest_api.config_setup import expand_and_index_resources
from dlt.sources.rest_api.typing import EndpointResourceBase, RESTAPIConfig

from event_assets import sandbox
from event_assets.api_errors import origin
from event_assets.auth import build_auth
from event_assets.columns import Selection
from event_assets.fields import Field, Reader, columns, readers
from event_assets.paging import OffsetPages, watched
from event_assets.records import Shaper, hints, paths_of, with_time
from event_assets.rejects import MAX_REJECTS, check_share
from event_assets.syncs import Sync
from event_assets.transport import CONCURRENCY, ApiSession

EVENT_DATA = "event_data"
SANDBOX = "the built-in sandbox"
UNSET_URL = "http://unset.invalid"  # stands for the API while definitions load
# dlt's hint that a merge need not look for repeats; dlt's own option for it cannot be taken back
ALL_CAME_ONCE = "x-stage-data-deduplicated"
PLAIN_SELECTOR = re.compile(r"[\w-]+(\.[\w-]+)*")


@dataclass(frozen=True)
class EventSource:
    """One event platform: where its API is, and what its events look like.

    Attributes:
        name: the source's folder under `defs/`, its schema in DuckDB and its dlt pipeline.
        rest_api: dlt's REST API configuration; without `client.base_url`: the sandbox.
        fields: the typed columns of `event_data`, by name.
        concurrency: requests in flight at the most.
        exclude, only: paths in the records that become no columns, or the only ones that do.
        max_rejects: the share of the records that may break the contract.
        ignore_changes: columns whose changes are not noted in `event_changes`.
    """

    name: str
    rest_api: Mapping[str, Any]
    fields: Mapping[str, Field] = field(default_factory=dict)
    concurrency: int = CONCURRENCY
    exclude: Sequence[str] = ()
    only: Sequence[str] = ()
    max_rejects: float = MAX_REJECTS
    ignore_changes: Sequence[str] = ()

    @property
    def base_url(self) -> str | None:
        """The API's address, or None for the sandbox."""
        return self.rest_api["client"].get("base_url") or None

    @property
    def api(self) -> str:
        """The API in words: its scheme, host and port, or the sandbox."""
        return origin(self.base_url) if self.base_url else SANDBOX

    def declared(self) -> DltSource:
        """Build the dlt source as definitions need it: without key, network or folder."""
        return self._dlt_source(self.base_url or UNSET_URL)

    @contextmanager
    def connected(self, sync: Sync) -> Iterator[DltSource]:
        """Give the dlt source, ready to be read, and close its connections afterwards.

        What is asked and received is noted in `sync`.

        Raises:
            ConfigError: when the key is missing.
        """
        with self._reader(sync) as (base_url, session, paginator):
            yield self._dlt_source(base_url, session, paginator, sync)

    def first_page(self, sync: Sync) -> tuple[Sequence[Any], float]:
        """Ask for the first page only, as a sync would; what was received is noted in `sync`.

        Returns:
            The records, and the seconds that they took.

        Raises:
            ConfigError: when the key is missing.
            ApiError, requests.HTTPError: when there is no answer, or none that is good.
        """
        alone = replace(self, concurrency=1)  # nothing is read ahead
        with alone._reader(sync) as (base_url, session, paginator):
            pages = alone._rest_source(base_url, session, paginator).resources[EVENT_DATA]
            began = time.monotonic()
            page: Sequence[Any] = next(iter(pages), ())
            return page, time.monotonic() - began

    @contextmanager
    def _reader(self, sync: Sync) -> Iterator[tuple[str, ApiSession, BasePaginator]]:
        endpoint = self._resource()["endpoint"]
        configured = endpoint.get("paginator") or self.rest_api["client"].get("paginator")
        paginator = watched(configured, self._id_of(), sync.note)
        with (
            self._api() as (base_url, key),
            ApiSession(
                base_url,
                build_auth(self.name, self.rest_api["client"], key),
                upcoming=paginator.upcoming if isinstance(paginator, OffsetPages) else None,
                check=is_list_at(endpoint.get("data_selector")),
                concurrency=self.concurrency,
                traffic=sync.traffic,
            ) as session,
        ):
            yield base_url, session, paginator

    @contextmanager
    def _api(self) -> Iterator[tuple[str, str | None]]:
        if self.base_url:
            yield self.base_url, None
        else:
            with sandbox.process() as url:
                yield url, sandbox.KEY

    def _resource(self) -> dict[str, Any]:
        """Give the configuration of `event_data`, with the defaults merged in by dlt."""
        config = copy.deepcopy(dict(self.rest_api))
        resources = expand_and_index_resources(
            config["resources"], cast("EndpointResourceBase", config.get("resource_defaults", {}))
        )
        return cast("dict[str, Any]", resources[EVENT_DATA])

    def contract(self) -> dict[str, Reader]:
        """Give what reads the contract's fields, by name."""
        return readers(self.fields, self._resource().get("primary_key") or "id")

    def selection(self) -> Selection:
        """Give what says which fields are kept."""
        read = [path for reader in self.contract().values() for path in reader.origins]
        return Selection(self.exclude, self.only, [tuple(path.split(".")) for path in read])

    def _id_of(self) -> Callable[[Any], Hashable]:
        reader = self.contract()["id"]
        if reader.whole and len(reader.whole) == 1:
            (name,) = reader.whole
            return lambda record: _as_text(record.get(name)) if type(record) is dict else None
        return lambda record: _as_text(reader.values([record])[0])

    def _dlt_source(
        self,
        base_url: str,
        session: ApiSession | None = None,
        paginator: BasePaginator | None = None,
        sync: Sync | None = None,
    ) -> DltSource:
        source = self._rest_source(base_url, session, paginator)
        source.resources[EVENT_DATA] = self._in_arrow(source.resources[EVENT_DATA], sync)
        return source

    def _rest_source(
        self, base_url: str, session: ApiSession | None, paginator: BasePaginator | None
    ) -> DltSource:
        """Build dlt's own source, whose `event_data` gives the API's records page by page."""
        config = copy.deepcopy(dict(self.rest_api))
        client = config["client"]
        client.update(base_url=base_url, session=session)
        client.pop("auth", None)  # the session adds the key, out of dlt's sight
        resource = self._resource()
        endpoint = resource["endpoint"]
        endpoint["paginator"] = paginator or endpoint.get("paginator")
        if selector := endpoint.get("data_selector"):
            endpoint["data_selector"] = jsonpath.compile_path(selector)
        config["resources"] = [
            resource if other["name"] == EVENT_DATA else other for other in config["resources"]
        ]
        source = rest_api_source(
            cast("RESTAPIConfig", config), name=self.name, section=self.name, max_table_nesting=0
        )
        source.resources[EVENT_DATA].add_step(_whole_page)
        return source

    def _in_arrow(self, pages: DltResource, sync: Sync | None) -> DltResource:
        """Wrap the API's records: Arrow tables of them, and the table also when there are none."""

        def event_data() -> Iterator[Any]:
            yield dlt.mark.materialize_table_schema()
            if sync is None:
                return
            known = dlt.current.source_schema().tables.get(EVENT_DATA, {}).get("columns", {})
            shaper = Shaper(
                self.contract(),
                sync.types,
                paths_of(known),
                selection=self.selection(),
                reject=sync.reject,
                may_widen=sync.may_widen,
            )
            sync.shaped = shaper
            rows = 0
            with garbage_collection_paused():
                for table in shaper.tables(chain.from_iterable(pages)):
                    rows += len(table)
                    timed = with_time(table, sync.started_at)
                    yield dlt.mark.with_hints(timed, dlt.mark.make_hints(columns=hints(timed)))
            rejected = sum(shaper.reasons.values())
            check_share(shaper.reasons, sync.outcome.distinct_ids, self.max_rejects)
            sync.kept = rows
            sync.prepare(shaper)
            once = rows + rejected == sync.outcome.distinct_ids
            yield dlt.mark.with_hints(
                with_time(shaper.table([]), sync.started_at),
                dlt.mark.make_hints(additional_table_hints={ALL_CAME_ONCE: once}),
            )

        resource = self._resource()
        for of_requests in ("endpoint", "include_from_parent"):
            resource.pop(of_requests, None)
        resource["columns"] = columns(self.fields) | resource.get("columns", {})
        resource["primary_key"] = "id"
        resource["write_disposition"] = {"disposition": "merge", "strategy": "delete-insert"}
        return dlt.resource(event_data, **resource)


def _whole_page(page: Any, _meta: Any = None) -> tuple[Any, ...]:
    """Keep a page together: dlt would hand on a list record by record."""
    return tuple(page)


def _as_text(key: Any) -> Hashable:
    """7 and "7" are one event."""
    return str(key) if type(key) is int else cast("Hashable", key)


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
