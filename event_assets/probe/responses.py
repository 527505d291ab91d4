"""The requests of a probe and their pages: page 1 (also repeated and keyless), 2 and last."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from requests.auth import AuthBase

from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.extract import stream
from event_assets.extract.records_selector import build_records_selector
from event_assets.extract.requests import build_first_request
from event_assets.http.credentials import configured_secrets, secrets_of_auth
from event_assets.pagination.evidence import judge
from event_assets.probe.explorer import Explorer, Page, Walk
from event_assets.probe.field_finder import find_id, likeness
from event_assets.probe.formatting import SafeFormatter
from event_assets.probe.paginator_finder import find_paginator
from event_assets.probe.paging import Paging
from event_assets.probe.parameter_search import ParameterSearch
from event_assets.probe.records_finder import RecordsPath, check_selector
from event_assets.probe.request_input import RequestInput
from event_assets.probe.samples import Sample
from event_assets.probe.session import ProbeResponse, ProbeSession
from event_assets.probe.totals import ReportedTotal, find_reported_total, find_total
from event_assets.records.contract import FieldReader, build_contract
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import find_secrets

NOT_SENT = Page(ProbeResponse("not requested"))
UNKNOWN_PATH = RecordsPath(None, "$")


@dataclass
class ProbeResponses:
    """The pages that an API sends to a probe.

    Attributes:
        redirect_target: the URL that page 1 redirects to, if it does.
        walk: pages 1 and 2, read with the configured paginator.
        last: the page that should hold the last record, if it can be requested.
        before: the page before page 1, of which there should be none.
        found_paging: a paginator that brings further pages, where the configured one does not.
    """

    source: SourceConfig
    base_url: str
    explorer: Explorer
    has_auth: bool
    formatter: SafeFormatter = field(default_factory=SafeFormatter)
    redirect_target: str | None = None
    records_path: RecordsPath = UNKNOWN_PATH
    walk: Walk = field(default_factory=Walk)
    again: Page = NOT_SENT
    keyless: Page = NOT_SENT
    last: Page | None = None
    before: Page = NOT_SENT
    found_paging: Paging = field(default_factory=Paging)

    @cached_property
    def paging(self) -> Paging:
        """The configured paginator."""
        config = self.source.events.paginator or "auto"
        return Paging({"type": "auto", **config} if isinstance(config, Mapping) else config)

    @property
    def is_offset(self) -> bool:
        """Whether offsets are paged, which request the last record of a page again."""
        return self.paging.kind == "offset"

    @cached_property
    def contract(self) -> dict[str, FieldReader]:
        """The readers of the contract's fields."""
        return build_contract(self.source.events)

    @property
    def page_1(self) -> Page:
        """The first page."""
        return self.walk.read[0]

    @property
    def page_2(self) -> Page:
        """The second page, or the first after it that has records, or is none."""
        behind = self.walk.read[1:]
        return next((page for page in behind if page.rows), behind[-1] if behind else NOT_SENT)

    @property
    def records(self) -> Sequence[Any]:
        """The records of page 1."""
        return self.page_1.rows

    @cached_property
    def sample(self) -> Sample:
        """The records of page 1, by the paths of their values."""
        return Sample([record for record in self.records if isinstance(record, dict)])

    @property
    def new_count(self) -> int:
        """The number of records of page 2 that are not on page 1."""
        return len({*self.page_2.ids} - {*self.page_1.ids})

    @property
    def ends_after_page_1(self) -> bool:
        """Whether the paginator sees no page behind page 1."""
        return len(self.walk.read) == 1 and self.walk.is_done

    @property
    def promises_more(self) -> bool:
        """Whether several pages behind page 1 are empty, and lead on."""
        return len(self.walk.pages) > 2 and not self.page_2.rows and not self.walk.is_done

    @property
    def total_path(self) -> Any:
        """The total's path for offset paging: a path, None or "auto"."""
        return self.paging.paginator.get("total_path", "auto") if self.is_offset else "auto"

    def total_in(self, page: Page) -> ReportedTotal | None:
        """Return the total that a page reports where the configuration looks for it."""
        return find_reported_total(page, self.total_path)

    @property
    def reported_total(self) -> ReportedTotal | None:
        """The total of page 1; one from another path when the configured one has none."""
        total, size = self.total_in(self.page_1), len(self.records)
        is_known = not self.new_count or (total and total.count > size)
        if is_known or not self.is_offset or self.total_path is None:
            return total
        return find_total(self.page_1, self.page_2, self.paging.paginator["limit"]) or total

    def read_ids(self, records: Sequence[Any]) -> list[Hashable]:
        """Return the ids of records: where they are configured, or else where they are."""
        reader = self.contract["id"]
        if not any(value is not None for value in reader.read(records)):
            sample = Sample([record for record in records if isinstance(record, dict)])
            if path := find_id(sample):
                reader = FieldReader("id", reader.field.model_copy(update={"source": path}))
        return list(reader.read(records))


def collect_responses(source: SourceConfig, seconds: float) -> ProbeResponses:
    """Send at most twelve requests within `seconds` and return the responses.

    Raises:
        ConfigError: the key is missing, or there is no first request.
    """
    events = source.events
    if events.parent:
        raise ConfigError(
            f"`event_data` is requested for each record of `{events.parent}`, so it has no first "
            "request to inspect; run a sync and read its checks."
        )
    with stream.resolve_endpoint(events) as (base_url, configured):
        given, own_auth = _build_given(events, base_url)
        auth = configured or own_auth
        limits, secrets = replace(source.limits, address=source.address), configured_secrets(source)
        with ProbeSession(base_url, auth, seconds, secrets, limits) as session:
            session.trust_env = bool(source.base_url)  # no proxy reaches the sandbox
            explorer = Explorer(session, given, is_patient=False)
            responses = ProbeResponses(source, base_url, explorer, has_auth=auth is not None)
            _send_requests(responses)
    shown = (given.headers, given.params, given.body)
    named = [secret for values in shown for secret in find_secrets(values)]
    responses.formatter = SafeFormatter([*secrets, *secrets_of_auth(auth), *named])
    return responses


def _build_given(events: ResourceConfig, base_url: str) -> tuple[RequestInput, AuthBase | None]:
    """Return the first request of a full sync without the key, and an auth of its own."""
    try:
        paginator = stream.build_paginator(events, datetime.now(timezone.utc))
        build_records_selector(events.endpoint.get("data_selector"))
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(f"Invalid configuration in defs.yaml: {error}.") from None
    request = build_first_request(events, base_url, None)
    paginator.init_request(request)
    params, headers = request.params or {}, request.headers or {}
    given = RequestInput(request.url, request.method, params, headers, request.json, request.data)
    return given, request.auth


def _send_requests(responses: ProbeResponses) -> None:
    explorer, source, config = responses.explorer, responses.source, responses.paging.paginator
    page = explorer.read(explorer.send(explorer.start(config, {})[1]))
    if explorer.given.method == "GET" and (target := page.response.redirect_target):
        responses.redirect_target = target
        query = urlsplit(explorer.given.url).query
        explorer.given = replace(explorer.given, url=f"{target}?{query}" if query else target)
        page = explorer.read(explorer.send(explorer.start(config, {})[1]))
    responses.walk = Walk(read=[page])
    if not page.is_ok:
        return
    responses.records_path = check_selector(
        page.response.document,
        source.events.endpoint.get("data_selector"),
        lambda value: responses.contract["id"].read([value])[0] is not None,
        likeness,
    )
    explorer.selector, explorer.read_ids = responses.records_path.used, responses.read_ids
    responses.walk = explorer.walk(config, {}, 2)
    first = explorer.start(config, {})[1]
    if responses.has_auth:
        responses.keyless = explorer.read(explorer.send(first, with_key=False))
    responses.again = explorer.read(explorer.send(first, again=True))
    if responses.paging.kind == "page_number" and config.get("base_page", 0) > 0:
        responses.before = explorer.ask_page(config, {}, -1, 0)
    if _lacks_pages(responses):
        search = ParameterSearch(explorer, responses.page_1)
        find_paginator(search)
        responses.found_paging = search.paging
    total, size = responses.reported_total, len(responses.records)
    cap = source.windows.cap if source.windows else math.inf
    is_moving = responses.new_count or not responses.page_2.is_ok
    if total and size < total.count < cap and responses.paging.is_numbered and is_moving and size:
        number = math.ceil(total.count / size) - 1
        responses.last = explorer.ask_page(config, {}, number, size)


def _lacks_pages(responses: ProbeResponses) -> bool:
    """Return whether the configured paginator brings no further records, and there may be some."""
    total, walk = responses.reported_total, responses.walk
    is_whole = total is not None and total.count == len(responses.records)
    is_stuck = responses.page_2.is_ok and not responses.new_count and not responses.promises_more
    is_ended = responses.ends_after_page_1 and walk.facts and judge(walk.facts).complete is not True
    return bool(responses.records) and not is_whole and bool(is_stuck or is_ended)
