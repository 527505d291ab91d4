"""Open the stream of a resource's records."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from itertools import chain, islice
from typing import Any

from dlt.sources.helpers.rest_client.exceptions import IgnoreResponseException
from requests import HTTPError, Request, Session
from requests.auth import AuthBase

from event_assets import sandbox
from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.config.source_files import VARIABLE
from event_assets.extract.empty_page import has_nothing, says_nothing
from event_assets.extract.known_pages import KnownPages
from event_assets.extract.pages import PagedList, read_list
from event_assets.extract.progress import Progress
from event_assets.extract.records_selector import build_records_selector
from event_assets.extract.requests import (
    Record,
    build_first_request,
    build_unknown_parent,
    list_requests,
)
from event_assets.extract.response_check import response_check
from event_assets.http.auth import build_auth, require_address
from event_assets.http.client import ApiClient
from event_assets.http.credentials import configured_secrets
from event_assets.http.error_text import error_text
from event_assets.http.errors import status_text
from event_assets.http.journal import Journal
from event_assets.http.session import ApiSession
from event_assets.http.throttle import HttpMetrics
from event_assets.http.tls import find_ca_bundle
from event_assets.pagination.evidence import judge
from event_assets.pagination.factory import create_paginator
from event_assets.pagination.facts import ListFacts
from event_assets.pagination.list_paginator import ListPaginator
from event_assets.pagination.per_parent import ListAggregator
from event_assets.pagination.result import PaginationResult
from event_assets.pagination.seen_ids import extract_ids
from event_assets.pagination.time_windows import Paginator, TimeWindowPaginator
from event_assets.records.contract import build_id_reader
from event_assets.values.errors import ApiError, ConfigError, ContentError, ExpiredPositionError
from event_assets.values.urls import redact_url

# Why the list of a parent may not be there to be read, by the status.
NO_LIST_OF_PARENT: dict[int, str] = {
    HTTPStatus.FORBIDDEN: "the key may not read some",
    HTTPStatus.NOT_FOUND: "one may have none",
    HTTPStatus.GONE: "one may be deleted",
}


@dataclass(eq=False, repr=False)  # which would show the configuration
class Stream:
    """The records of a resource: of one list, or of a list for each parent record."""

    resource: ResourceConfig
    client: ApiClient
    lists: Iterator[PagedList]  # which are read one after the other
    build_absent: Callable[[], Request]  # for the list of a parent that does not exist
    started_at: datetime  # when the sync began, in the first of its runs
    metrics: HttpMetrics  # of the requests of this run
    is_full: bool  # whether everything is requested, and not only the changes since a position
    known_pages: KnownPages | None = None  # which are not decoded
    _has_list: bool = False  # whether one was read
    _paginator: Paginator | None = None  # of the list that is being read

    def __post_init__(self) -> None:
        parent, names = self.resource.parent, self.resource.requested_fields
        self._lists_read = ListAggregator(" and ".join(f"`resources.{parent}.{n}`" for n in names))
        self._clock = time.monotonic()

    @property
    def began_at(self) -> datetime:
        """When the sync began by the clock of the API, or else by this machine's."""
        return self.client.first_date or self.started_at

    @property
    def seconds(self) -> float:
        """Seconds since the run started to read."""
        return time.monotonic() - self._clock

    @property
    def result(self) -> PaginationResult:
        """The result, which is final when all pages were read."""
        result = judge(self._lists_read.facts if self.resource.parent else self._current)
        if not self.client.list_changed:
            return result
        return result.doubted(
            f"{result.facts.distinct:,} rows received, but the list changed while the sync was "
            "interrupted: rows that moved may be missing. The next sync reads them."
        )

    def progress(self) -> Progress:
        """Return the progress of the sync."""
        is_one = not self.resource.parent
        facts = self._current if is_one else self._lists_read.unfinished(self._current)
        return Progress(
            events=facts.rows - facts.overlaps,
            total=facts.reported,
            pages=facts.pages,
            in_flight=self.metrics.in_flight,
            seconds=self.seconds,
        )

    @property
    def _current(self) -> ListFacts:
        return self._paginator.facts if self._paginator else ListFacts()

    def read_pages(self) -> Iterator[Sequence[Any]]:
        """Yield the records of each page.

        Raises:
            ExpiredPositionError: the API knows no changes since the position.
            ExpiredJournalError: the sync cannot be resumed.
        """
        pending, selector = deque[PagedList](), self.resource.endpoint.get("data_selector")

        def next_lists(count: int) -> Sequence[PagedList]:
            pending.extend(islice(self.lists, max(0, count - len(pending))))
            return list(islice(pending, count))

        while next_lists(1):
            paged = pending.popleft()
            self._paginator = paged.paginator
            select_records = build_records_selector(selector)
            if self.known_pages:
                select_records = self.known_pages.watch(select_records)
            try:
                for records in read_list(paged, self.client, select_records, next_lists):
                    for extra in paged.parent_fields:
                        added = ({**r, **extra} if type(r) is dict else r for r in records)
                        yield list(added) if extra else records
            except HTTPError as error:
                raise self._explain(error) from None
            self._lists_read.add(paged.paginator.facts)
            self._has_list = True
        if rows := self._lists_read.repeated:
            self._lists_read.filters_by_parent = self._filters_by_parent(rows)
        self.client.end_reading()
        self._look_before()  # now, as a refusal is not recorded: what came may all be a replay

    def _look_before(self) -> None:
        """Look whether a list that seems to be complete begins before its first page."""
        paginator = self._paginator
        if not (isinstance(paginator, ListPaginator) and judge(paginator.facts).complete):
            return
        select_records = build_records_selector(self.resource.endpoint.get("data_selector"))
        # what is no page says that none is there
        with suppress(HTTPError, IgnoreResponseException, ApiError):
            if request := paginator.build_request_before():
                paginator.receive_before(select_records(self.client.fetch(request)))

    def _filters_by_parent(self, rows: Sequence[Any]) -> bool:
        """Return whether the list of a parent that does not exist begins with other rows."""
        select_records = build_records_selector(self.resource.endpoint.get("data_selector"))
        try:
            return select_records(self.client.fetch(self.build_absent())) != rows
        except (HTTPError, IgnoreResponseException):
            return True
        except ContentError as error:
            return has_nothing(error.response)
        except ApiError:
            return False

    def _explain(self, error: HTTPError) -> Exception:
        """Return what an error status means where only changes, or several lists, are requested."""
        status = error.response.status_code
        if status == HTTPStatus.GONE and not self.is_full:
            return ExpiredPositionError("The API has forgotten the last sync.")
        if status in NO_LIST_OF_PARENT and self.resource.parent and self._has_list:
            return ApiError(
                f"The API at {redact_url(error.response.url)} answered {status_text(status)}, but "
                f"has the lists of other records of `{self.resource.parent}`: if "
                f"{NO_LIST_OF_PARENT[status]}, set `response_actions: [{{ status_code: {status}, "
                f"action: ignore }}]` of the endpoint.{error_text(error.response)}"
            )
        return error


@contextmanager
def open_stream(
    resource: ResourceConfig,
    journal: Journal,
    cursor_value: Any = None,
    parents: Iterable[Record] = (),
    known_pages: KnownPages | None = None,
) -> Iterator[Stream]:
    """Open the stream of a resource's records; close its connections on exit.

    Args:
        journal: of the responses of the sync.
        cursor_value: the newest one loaded; None: everything is read.
        parents: the parent records, as fields by path, of a resource that has a parent.
        known_pages: recognizes pages that need not be decoded.

    Raises:
        ConfigError: the key is missing, or the configuration cannot work.
    """
    source, selector = resource.source, resource.endpoint.get("data_selector")
    read_ids, select = build_id_reader(resource), build_records_selector(selector)
    is_record = (lambda value: read_ids([value])[0] is not None) if resource.primary_key else None
    with (
        resolve_endpoint(resource) as (base_url, auth),
        ApiSession(
            base_url,
            auth,
            check=response_check(resource.endpoint, is_record, known_pages),
            says_nothing=says_nothing,
            pool_size=source.concurrency,
            secrets=configured_secrets(source),
            limits=replace(source.limits, find_base_url_setting=lambda: source.base_url_setting),
            uses_proxy=bool(source.base_url),
        ) as session,
        ApiClient(
            session,
            source.concurrency,
            journal,
            lambda page: tuple(extract_ids(select(page), read_ids)),
        ) as client,
    ):
        first = build_first_request(resource, base_url, cursor_value)

        def build_lists(records: Iterable[Record]) -> Iterator[PagedList]:
            for request, parent_fields in list_requests(resource, first, records):
                paginator = build_paginator(resource, journal.started_at)
                paginator.init_request(request)
                yield PagedList(request, paginator, parent_fields, selector or "")

        rest = iter(parents)
        one = list(islice(rest, 1))

        def build_absent() -> Request:
            return next(build_lists(map(build_unknown_parent, one))).request

        lists = build_lists(chain(one, rest))
        run = (journal.started_at, session.metrics, cursor_value is None, known_pages)
        yield Stream(resource, client, lists, build_absent, *run)


def build_paginator(resource: ResourceConfig, started_at: datetime) -> Paginator:
    """Build the paginator of a list of a resource."""
    configured, read_ids = resource.paginator, build_id_reader(resource)
    if resource.is_events and (windows := resource.source.windows):
        make = partial(create_paginator, configured, read_ids)
        return TimeWindowPaginator(make, windows, started_at, is_alone=not resource.parent)
    return create_paginator(configured, read_ids, is_alone=not resource.parent)


@contextmanager
def resolve_endpoint(resource: ResourceConfig) -> Iterator[tuple[str, AuthBase | None]]:
    """Yield the API's base URL and authentication; the sandbox serves until exit."""
    source = resource.source
    require_settings(source)
    auth = resource.endpoint.get("auth") or source.rest_api["client"].get("auth")
    if source.base_url:
        with build_auth(source, auth) as resolved:
            yield source.base_url, resolved
    else:
        api = sandbox.Sandbox(sandbox.EventSimulation())
        with build_auth(source, sandbox.AUTH) as resolved, api:
            yield api.url, resolved


def require_settings(source: SourceConfig) -> None:
    """Raise if a sync of a source cannot begin with the settings as they are; a key may be missing.

    Raises:
        ConfigError: a variable is not set that the YAML names, a key is set without an address, or
            the certificates that a variable names are not there.
    """
    if unset := VARIABLE.findall(str(source.rest_api)):
        raise ConfigError(
            f"The variable {unset[0]} is not set, which the defs.yaml of {source.name} names: set "
            "it in .env or in the environment."
        )
    if not source.base_url:
        auth = source.events.endpoint.get("auth") or source.rest_api["client"].get("auth")
        require_address(source, auth, sandbox.KEY)
    if source.base_url and source.base_url.startswith("https:"):
        chosen = Session().merge_environment_settings(source.base_url, {}, None, True, None)
        find_ca_bundle(chosen["verify"])
