"""The requests of a probe and their responses: page 1 (also repeated and keyless), 2 and last."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    BaseReferencePaginator,
    OffsetPaginator,
    RangePaginator,
)

from event_assets.config.source import SourceConfig
from event_assets.extract.stream import configured_paginator
from event_assets.http.credentials import configured_secrets, secrets_of_auth
from event_assets.pagination.evidence import judge
from event_assets.pagination.list_paginator import ListPaginator
from event_assets.pagination.seen_ids import extract_ids
from event_assets.probe import reported_total as totals
from event_assets.probe.explorer import Explorer, Page
from event_assets.probe.field_finder import find_id, likeness
from event_assets.probe.first_request import FirstRequest, open_first_request
from event_assets.probe.formatting import SafeFormatter
from event_assets.probe.paginator_finder import find_paginator
from event_assets.probe.paging import Paging
from event_assets.probe.parameter_search import ParameterSearch
from event_assets.probe.records_finder import RecordsPath, check_selector, extract_records
from event_assets.probe.reported_total import LastPage, ReportedTotal
from event_assets.probe.request_input import RequestInput
from event_assets.probe.samples import Sample
from event_assets.probe.session import ProbeResponse, ProbeSession
from event_assets.records.contract import FieldReader, build_contract
from event_assets.values.errors import ApiError, PaginationError
from event_assets.values.redaction import find_secrets

NOT_SENT = ProbeResponse("not requested")
UNKNOWN_PATH = RecordsPath(None, "$")


@dataclass
class ProbeResponses:
    """The responses of an API to a probe.

    Attributes:
        redirect_target: the URL that page 1 redirects to, if it does.
        paging_error: why the paginator cannot read page 1; empty when it can.
        ends_after_page_1: whether the paginator sees no page after page 1.
        promises_more: whether two pages after page 1 are empty and lead on.
        last_page: the page that should hold the last record.
        found_paging: a paginator that brings further pages, where the configured one does not.
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
    promises_more: bool = False
    last_page: LastPage | None = None
    found_paging: Paging = field(default_factory=Paging)
    request_count: int = 0

    @property
    def paginator(self) -> BasePaginator:
        """The paginator that decides the next request."""
        return self.first_request.paginator

    @property
    def active_paginator(self) -> BasePaginator | None:
        """The paginator of dlt that writes the requests; None until it is detected."""
        return self.paginator.active if isinstance(self.paginator, ListPaginator) else None

    @property
    def offset_paginator(self) -> OffsetPaginator | None:
        """The paginator, if it pages by offsets."""
        active = self.active_paginator
        return active if isinstance(active, OffsetPaginator) else None

    @cached_property
    def contract(self) -> dict[str, FieldReader]:
        """The readers of the contract's fields."""
        return build_contract(self.source.events)

    @cached_property
    def records(self) -> list[Any]:
        """The records of page 1."""
        return self.records_in(self.page_1)

    @cached_property
    def sample(self) -> Sample:
        """The records of page 1, by the paths of their values."""
        return Sample([record for record in self.records if isinstance(record, dict)])

    @cached_property
    def next_records(self) -> list[Any]:
        """The records of page 2."""
        return self.records_in(self.page_2)

    @cached_property
    def new_count(self) -> int:
        """The number of records of page 2 that are not on page 1."""
        return len(set(self.ids_in(self.page_2)) - set(self.ids_in(self.page_1)))

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
        path = find_id(self.sample)
        if path is None:
            return configured
        return FieldReader("id", configured.field.model_copy(update={"source": path}))

    def read_ids(self, records: Sequence[Any]) -> list[Hashable]:
        """Return the ids of records."""
        return list(self._id_reader.read(records))

    def ids_in(self, response: ProbeResponse) -> list[Hashable]:
        """Return the ids of the records in a response; a record without one identifies itself."""
        return extract_ids(self.records_in(response), self._id_reader.read)

    def total_in(self, response: ProbeResponse) -> ReportedTotal | None:
        """Return the total that a response reports."""
        if not response.is_ok or response.response is None:
            return None
        document, path = response.document, self.total_path
        return totals.find_reported_total(document, response.response, path)

    @cached_property
    def reported_total(self) -> ReportedTotal | None:
        """The total of page 1; one from another path when the configured one has none."""
        total, size = self.total_in(self.page_1), len(self.records)
        if not self.new_count or (total and total.count > size):
            return total
        if self.offset_paginator and self.total_path is not None:
            # A number that is the same on both pages, and neither their length nor the limit.
            on_page_2 = totals.find_totals(self.page_2.document)
            for path, count in totals.find_totals(self.page_1.document).items():
                if size < count != self.offset_paginator.limit and on_page_2.get(path) == count:
                    return ReportedTotal(count, ".".join(path))
        return total

    @property
    def total_path(self) -> Any:
        """The total's path for offset paging: a path, None or "auto"."""
        options = self.paginator_config if self.offset_paginator else {}
        return options.get("total_path", "auto")

    @property
    def paginator_config(self) -> Mapping[str, Any]:
        """The paginator's configuration."""
        config = configured_paginator(self.source.events) or "auto"
        return {"type": "auto", **config} if isinstance(config, Mapping) else {"type": config}


def collect_responses(source: SourceConfig, seconds: float) -> ProbeResponses:
    """Send at most twelve requests within `seconds` and return the responses.

    Raises:
        ConfigError: when the key is missing.
    """
    with open_first_request(source) as first:
        request = first.request
        auth, request.auth, request.hooks = first.auth or request.auth, None, {}
        responses = ProbeResponses(source, SafeFormatter(), first, has_auth=auth is not None)
        limits = replace(source.limits, address=source.address)
        secrets = configured_secrets(source)
        with ProbeSession(first.base_url, auth, seconds, secrets, limits) as session:
            session.trust_env = bool(source.base_url)  # no proxy reaches the sandbox
            first.paginator.init_request(request)
            settings = (request.headers, request.params, request.json)
            named = [secret for values in settings for secret in find_secrets(values)]
            _send_requests(session, responses, request)
        responses.formatter = SafeFormatter([*secrets, *secrets_of_auth(auth), *named])
        responses.request_count = session.budget.sent
        return responses


def _send_requests(
    session: ProbeSession, responses: ProbeResponses, request: requests.Request
) -> None:
    responses.page_1 = session.fetch(request)
    if request.method == "GET" and (target := responses.page_1.redirect_target):
        responses.redirect_target = target
        query = urlsplit(request.url).query
        request.url = f"{target}?{query}" if query else target
        responses.page_1 = session.fetch(request)
    if not responses.page_1.is_ok:
        return
    first = copy.deepcopy(request)
    selector = responses.first_request.endpoint.get("data_selector")
    responses.records_path = check_selector(
        responses.page_1.document,
        selector,
        lambda value: responses.contract["id"].read([value])[0] is not None,
        likeness,
    )
    has_page_2 = _advance(responses, responses.page_1, request)
    responses.ends_after_page_1 = not has_page_2 and not responses.paging_error
    if has_page_2:
        responses.page_2 = session.fetch(request)
        if _promises_more(responses, request):  # pages may be empty in mid-list
            responses.page_2 = session.fetch(request)
            responses.promises_more = _promises_more(responses, request)
    if responses.has_auth:
        responses.page_1_without_key = session.fetch(first, with_key=False)
    responses.page_1_again = session.fetch(first)
    if not responses.page_2.is_ok or responses.new_count:
        windows, total = responses.source.windows, responses.reported_total
        paginator, cap = responses.active_paginator, windows.cap if windows else None
        size = len(responses.records)
        maximum = getattr(responses.paginator, "maximum", None)
        responses.last_page = totals.find_last_page(paginator, total, size, cap, maximum)
    if _lacks_pages(responses):
        responses.found_paging = _look_for_pages(session, responses, first)
    if responses.last_page:
        range_paginator = cast("RangePaginator", responses.active_paginator)
        range_paginator.current_value = responses.last_page.value
        range_paginator.update_request(first)
        responses.last_page_response = session.fetch(first)


def _lacks_pages(responses: ProbeResponses) -> bool:
    """Return whether the configured paginator brings no further records, and there may be some."""
    total = responses.reported_total
    is_whole = total is not None and total.count == len(responses.records)
    is_stuck = responses.page_2.is_ok and not responses.new_count and not responses.promises_more
    verdict = judge(responses.first_request.paginator.facts)
    is_ended = responses.ends_after_page_1 and verdict.complete is not True
    return bool(responses.records) and not is_whole and (is_stuck or is_ended)


def _look_for_pages(
    session: ProbeSession, responses: ProbeResponses, first: requests.Request
) -> Paging:
    """Look for a paginator that brings further pages, as `connect` does."""
    given = RequestInput(first.url, first.method, first.params or {}, first.headers, first.json)
    explorer = Explorer(session, given, responses.records_path.used, responses.read_ids)
    first_page = Page(responses.page_1, responses.records, responses.ids_in(responses.page_1))
    search = ParameterSearch(explorer, first_page)
    try:
        find_paginator(search)
    except ApiError:  # which the report tells by itself
        return Paging()
    return search.paging


def _promises_more(responses: ProbeResponses, request: requests.Request) -> bool:
    """Return whether page 2 is empty and leads on; point the request there."""
    page = responses.page_2
    is_pointed = isinstance(responses.active_paginator, BaseReferencePaginator)
    is_empty = is_pointed and page.is_ok and not responses.records_in(page)
    return is_empty and _advance(responses, page, request)


def _advance(responses: ProbeResponses, page: ProbeResponse, request: requests.Request) -> bool:
    """Point the request at the page behind a good one; return whether the paginator sees one."""
    paginator = responses.paginator
    response = cast("requests.Response", page.response)
    try:
        paginator.update_state(response, list(responses.records_in(page)))
        if paginator.has_next_page:
            paginator.update_request(request)
    except PaginationError as error:
        responses.paging_error = str(error)
    except Exception as error:  # dlt raises any kind; its text may hold the whole response
        kind = type(error).__name__
        responses.paging_error = (
            f"The paginator cannot read page 1 ({kind}); check its paths in defs.yaml."
        )
    return not responses.paging_error and paginator.has_next_page
