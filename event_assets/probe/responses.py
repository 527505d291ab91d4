"""The requests of a probe and their responses: page 1 (also repeated and keyless), 2 and last."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import requests
from dlt.sources.helpers.rest_client.paginators import BasePaginator

from event_assets.config.source import SourceConfig
from event_assets.extract.first_request import FirstRequest, open_first_request
from event_assets.extract.stream import configured_paginator
from event_assets.http.credentials import configured_secrets, secrets_of_auth
from event_assets.pagination import MonitoredPaginator, OffsetPaginator
from event_assets.pagination.seen_ids import extract_ids
from event_assets.probe.formatting import SafeFormatter
from event_assets.probe.reported_total import (
    LastPage,
    ReportedTotal,
    find_last_page,
    find_reported_total,
    point_request_at,
)
from event_assets.probe.session import ProbeResponse, ProbeSession, redirect_url
from event_assets.probe.suggestions import (
    RecordsPath,
    extract_records,
    find_id,
    find_records_path,
    find_totals,
)
from event_assets.records.contract import FieldReader, build_contract
from event_assets.values.errors import PaginationError
from event_assets.values.redaction import find_secrets

NOT_SENT = ProbeResponse("not requested")
UNKNOWN_PATH = RecordsPath(None, "$")


@dataclass
class ProbeResponses:
    """The responses of an API to a probe.

    Attributes:
        source: the probed source.
        formatter: shows values without the key.
        first_request: the first request of a sync.
        has_auth: whether a key is sent.
        page_1, page_2, page_1_again, page_1_without_key, last_page_response: the responses.
        redirect_target: the URL that page 1 redirects to, if it does.
        records_path: where the records are.
        paging_error: why the paginator cannot read page 1; empty when it can.
        ends_after_page_1: whether the paginator sees no page after page 1.
        last_page: the page that should hold the last record.
        request_count: the number of requests sent.
    """

    source: SourceConfig
    formatter: SafeFormatter
    first_request: FirstRequest
    has_auth: bool
    page_1: ProbeResponse = NOT_SENT
    page_2: ProbeResponse = NOT_SENT
    page_1_again: ProbeResponse = NOT_SENT
    page_1_without_key: ProbeResponse = NOT_SENT
    last_page_response: ProbeResponse = NOT_SENT
    redirect_target: str | None = None
    records_path: RecordsPath = UNKNOWN_PATH
    paging_error: str = ""
    ends_after_page_1: bool = False
    last_page: LastPage | None = None
    request_count: int = 0

    @property
    def paginator(self) -> BasePaginator:
        """The paginator that decides the next request."""
        return self.first_request.paginator

    @property
    def offset_paginator(self) -> OffsetPaginator | None:
        """The paginator, if it pages by offsets."""
        return self.paginator if isinstance(self.paginator, OffsetPaginator) else None

    def uses_paginator(self, kind: type) -> bool:
        """Return whether the monitored paginator is of this kind."""
        paginator = self.paginator
        return isinstance(paginator, MonitoredPaginator) and isinstance(
            paginator.active_paginator, kind
        )

    @cached_property
    def contract(self) -> dict[str, FieldReader]:
        """The readers of the contract's fields."""
        return build_contract(self.source.events)

    @cached_property
    def records(self) -> list[Any]:
        """The records of page 1."""
        return self.records_in(self.page_1)

    @cached_property
    def next_records(self) -> list[Any]:
        """The records of page 2."""
        return self.records_in(self.page_2)

    @cached_property
    def new_count(self) -> int:
        """The number of records of page 2 that are not on page 1."""
        return len(set(self.record_ids(self.next_records)) - set(self.record_ids(self.records)))

    def records_in(self, response: ProbeResponse) -> list[Any]:
        """Return the records in a response."""
        if not response.is_ok:
            return []
        return extract_records(response.document, self.records_path.used)

    @cached_property
    def _id_reader(self) -> FieldReader:
        configured = self.contract["id"]
        if any(value is not None for value in configured.read(self.records)):
            return configured
        path = find_id(self.records)
        if path is None:
            return configured
        return FieldReader("id", configured.field.model_copy(update={"source": path}))

    def record_ids(self, records: Sequence[Any]) -> list[Hashable]:
        """Return the ids of the records; a record without one identifies itself."""
        ids = iter(self._id_reader.read(records))
        return extract_ids(records, lambda _: next(ids))

    def total_in(self, response: ProbeResponse) -> ReportedTotal | None:
        """Return the total that a response reports."""
        if not response.is_ok or response.response is None:
            return None
        return find_reported_total(response.document, response.response, self.total_path)

    @cached_property
    def reported_total(self) -> ReportedTotal | None:
        """The total of page 1; one from another path when the configured one has none."""
        total = self.total_in(self.page_1)
        if not self.new_count or (total and total.count > len(self.records)):
            return total
        return self._total_elsewhere or total

    @cached_property
    def _total_elsewhere(self) -> ReportedTotal | None:
        """A number that is the same on both pages, and neither their length nor the limit."""
        if self.offset_paginator is None or self.total_path is None:
            return None
        on_page_2 = dict(find_totals(self.page_2.document))
        return next(
            (
                ReportedTotal(count, ".".join(path))
                for path, count in find_totals(self.page_1.document)
                if count > len(self.records) and count != self.offset_paginator.limit
                if on_page_2.get(path) == count
            ),
            None,
        )

    @property
    def total_path(self) -> Any:
        """The total's path for offset paging: a path, None or "auto"."""
        options = self.paginator_config if self.offset_paginator else {}
        return options.get("total_path", "auto")

    @property
    def paginator_config(self) -> Mapping[str, Any]:
        """The paginator's configuration."""
        config = configured_paginator(self.source.events)
        return {
            "type": "auto",
            **(config if isinstance(config, Mapping) else {"type": config or "auto"}),
        }


def collect_responses(source: SourceConfig, seconds: float) -> ProbeResponses:
    """Send at most five requests within `seconds` and return the responses.

    Raises:
        ConfigError: when the key is missing.
    """
    with open_first_request(source) as first:
        request = first.request
        auth, request.auth, request.hooks = first.auth or request.auth, None, {}
        responses = ProbeResponses(source, SafeFormatter(), first, has_auth=auth is not None)
        with ProbeSession(first.base_url, auth, seconds, configured_secrets(source)) as session:
            first.paginator.init_request(request)
            settings = (request.headers, request.params, request.json)
            named = [secret for values in settings for secret in find_secrets(values)]
            _send_requests(session, responses, request)
        responses.formatter = SafeFormatter(
            [*configured_secrets(source), *secrets_of_auth(auth), *named]
        )
        responses.request_count = session.metrics.requests
        return responses


def _send_requests(
    session: ProbeSession, responses: ProbeResponses, request: requests.Request
) -> None:
    responses.page_1 = session.fetch(request)
    if request.method == "GET" and (target := redirect_url(responses.page_1)):
        responses.redirect_target = target
        query = urlsplit(request.url).query
        request.url = f"{target}?{query}" if query else target
        responses.page_1 = session.fetch(request)
    if not responses.page_1.is_ok:
        return
    first = copy.deepcopy(request)
    selector = responses.first_request.endpoint.get("data_selector")
    responses.records_path = find_records_path(
        responses.page_1.document, selector, responses.contract
    )
    if _advance_to_page_2(responses, request):
        responses.page_2 = session.fetch(request)
    if responses.has_auth:
        responses.page_1_without_key = session.fetch(first, with_key=False)
    responses.page_1_again = session.fetch(first)
    if not responses.page_2.is_ok or responses.new_count:
        windows = responses.source.windows
        responses.last_page = find_last_page(
            responses.paginator,
            responses.reported_total,
            len(responses.records),
            windows.cap if windows else None,
        )
    if responses.last_page:
        point_request_at(first, responses.last_page)
        responses.last_page_response = session.fetch(first)


def _advance_to_page_2(responses: ProbeResponses, request: requests.Request) -> bool:
    """Point the request at page 2; return whether the paginator sees one."""
    paginator, response = responses.paginator, responses.page_1.response
    try:
        paginator.update_state(response, list(responses.records))  # type: ignore[arg-type]
        if paginator.has_next_page:
            paginator.update_request(request)
    except PaginationError as error:
        responses.paging_error = str(error)
        return False
    except Exception as error:  # dlt raises any kind; its text may hold the whole response
        responses.paging_error = (
            f"The paginator cannot read page 1 ({type(error).__name__}); check its paths in "
            "defs.yaml."
        )
        return False
    responses.ends_after_page_1 = not paginator.has_next_page
    return not responses.ends_after_page_1
