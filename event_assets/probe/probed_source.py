"""Ask an API what `connect` asks, with a given configuration: the facts that the checks judge."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from typing import Any, cast

from dlt.sources.helpers.rest_client.client import RESTClient
from requests.auth import AuthBase

from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.extract import stream
from event_assets.extract.records_selector import PLAIN_SELECTOR, build_records_selector
from event_assets.extract.requests import build_first_request
from event_assets.extract.response_check import list_selector_check
from event_assets.http.credentials import configured_secrets, secrets_of_auth
from event_assets.pagination.list_paginator import REFUSALS
from event_assets.probe.client import Client
from event_assets.probe.end_finder import End, judge_single_page, reach_end
from event_assets.probe.field_finder import find_id
from event_assets.probe.page import NOT_SENT, Page
from event_assets.probe.paginator_finder import find_paginator
from event_assets.probe.paging import PAGES_TO_BELIEVE, PagesRead, Paging, read_pages
from event_assets.probe.parameter_search import ParameterSearch
from event_assets.probe.records_finder import find_records
from event_assets.probe.request_input import RequestInput
from event_assets.probe.samples import Sample
from event_assets.probe.session import ProbeSession
from event_assets.records.contract import FieldReader, build_contract
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import KNOWN, find_secrets


@dataclass
class ProbedSource:
    """What the answers of an API show of a configuration.

    Attributes:
        redirect_target: the URL that page 1 redirects to, if it does.
        records_problem: why the configured selector finds no records; empty if it does.
        paging: as it is configured, but without a total that the records disprove.
        walk: the first pages, read with the configured paginator.
        total: that a sync reads from page 1.
        control: page 1 again, with a parameter that means nothing if the API takes it.
        base_page: the number of page 1, where page 0 was asked for and refused.
        before: the page before page 1, of which there should be none.
        found: a paginator that brings further pages, where the configured one does not.
    """

    source: SourceConfig
    client: Client
    redirect_target: str | None = None
    first: Page = NOT_SENT
    records_problem: str = ""
    paging: Paging = field(default_factory=Paging)
    walk: PagesRead = field(default_factory=PagesRead)
    total: int | None = None
    keyless: Page = NOT_SENT
    control: Page = NOT_SENT
    base_page: int | None = None
    before: Page = NOT_SENT
    end: End = field(default_factory=End)
    found: Paging = field(default_factory=Paging)

    @cached_property
    def configured(self) -> Paging:
        """The paginator as it is configured."""
        config = self.source.events.paginator or "auto"
        return Paging({"type": "auto", **config} if isinstance(config, Mapping) else config)

    @property
    def is_offset(self) -> bool:
        """Whether offsets are paged, which request the last record of a page again."""
        return self.configured.kind == "offset"

    @cached_property
    def contract(self) -> dict[str, FieldReader]:
        """The readers of the contract's fields."""
        return build_contract(self.source.events)

    @cached_property
    def sample(self) -> Sample:
        """The records of page 1, by the paths of their values."""
        return Sample(self.first.rows)

    @property
    def fresh(self) -> set[Hashable]:
        """The ids of the records behind page 1, as far as they were read."""
        return self.walk.ids - {*self.first.ids}

    def read_ids(self, records: Sequence[Any]) -> list[Hashable]:
        """Return the ids of records: where they are configured, or else where they are."""
        reader = self.contract["id"]
        is_there = any(value is not None for value in reader.read(records))
        if not is_there and (path := find_id(Sample(records))):
            reader = FieldReader("id", reader.field.model_copy(update={"source": path}))
        return list(reader.read(records))


def examine(source: SourceConfig, seconds: float) -> ProbedSource:
    """Send at most twelve requests within `seconds`; return what the answers show.

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
        limits = replace(source.limits, find_base_url_setting=lambda: source.base_url_setting)
        secrets = configured_secrets(source)
        named = map(find_secrets, (given.headers, given.params, given.body))
        for secret in (*secrets, *secrets_of_auth(auth), *chain(*named)):
            KNOWN.add(secret)
        with ProbeSession(base_url, auth, seconds, secrets, limits) as session:
            session.trust_env = bool(source.base_url)  # no proxy reaches the sandbox
            seen = ProbedSource(source, Client(session, given, is_patient=False))
            _ask_first(seen)
            if seen.first.is_ok:
                _ask_more(seen)
    return seen


def _build_given(events: ResourceConfig, base_url: str) -> tuple[RequestInput, AuthBase | None]:
    """Return the first request of a full sync without the key, and an auth of its own."""
    try:
        paginator = stream.build_paginator(events, datetime.now(UTC))
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


def _ask_first(seen: ProbedSource) -> None:
    """Ask for page 1, and follow one redirect."""
    client = seen.client
    seen.first = client.ask()
    if target := seen.first.redirect_target:
        seen.redirect_target, seen.first = target, client.move(target)
    config, kind = seen.configured.paginator, seen.configured.kind
    is_page_0 = kind == "page_number" and not config.get("base_page")
    if is_page_0 and seen.first.status in REFUSALS and client.ask_page(config, {}, 1, 0).is_ok:
        seen.base_page = 1


def _ask_more(seen: ProbedSource) -> None:
    """Read the first pages, and compare page 1 with what it should be, or should not be."""
    client, config = seen.client, seen.configured.paginator
    client.read_ids = seen.read_ids
    _read_records(seen)
    seen.walk = read_pages(client, config, {}, PAGES_TO_BELIEVE)
    seen.total = read_pages(client, config, {}, 1).facts.reported
    if seen.client.session.has_auth:
        seen.keyless = client.ask(with_key=False)
    search = ParameterSearch(client, seen.first)
    seen.control = search.check_control()
    seen.paging = replace(search.paging, paginator=copy.deepcopy(config))
    is_late = seen.configured.is_numbered and (config.get("base_page") or config.get("offset"))
    if is_late and seen.total != len(seen.walk.ids):
        seen.before = client.ask_page(config, {}, -1, 1)
    if seen.first.rows:
        seen.end = end = _find_end(seen)
        is_sure = end.is_reached and not end.problem and not end.doubt
        is_whole = is_sure or seen.total == len(seen.first.rows)
        if not (seen.walk.error or seen.fresh or is_whole):
            _find_other(seen, search)


def _read_records(seen: ProbedSource) -> None:
    """Read the records of page 1: by the configured selector, or else where some are found."""
    client, first = seen.client, seen.first
    configured = seen.source.events.endpoint.get("data_selector")
    client.selector = configured or RESTClient("").detect_data_selector(cast("Any", first.response))
    seen.first = client.read(first)
    rows, reader = seen.first.rows, seen.contract["id"]
    check = list_selector_check(configured, lambda value: reader.read([value])[0] is not None)
    problem = check(first.document)
    is_list = configured and PLAIN_SELECTOR.fullmatch(configured)  # which may be empty
    if problem or not (is_list or any(isinstance(row, dict) or configured for row in rows)):
        seen.records_problem = problem or f"has no records under `{client.selector}`"
        client.selector = find_records(first.document) or client.selector
        seen.first = client.read(first)


def _find_other(seen: ProbedSource, search: ParameterSearch) -> None:
    """Look for a paginator that brings further records."""
    find_paginator(search)
    found = search.paging
    if found.paginator is not None:  # of one page, perhaps
        walk = read_pages(seen.client, found.paginator, found.settings, 2)
        seen.found = found if walk.ids - {*seen.first.ids} else seen.found


def _find_end(seen: ProbedSource) -> End:
    """Return the end of the list, as far as a few requests show it."""
    client, walk, windows = seen.client, seen.walk, seen.source.windows
    if seen.configured.kind == "single_page" and seen.total != len(seen.first.rows):
        return judge_single_page(client, seen.paging, seen.first)
    if windows and not (walk.is_done or walk.error) and (seen.total or 0) >= windows.cap:
        return End(evidence="not verified: windows cannot request the last page")
    return reach_end(client, seen.paging, PAGES_TO_BELIEVE)
