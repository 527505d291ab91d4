"""Find out how an API works from its answers, and make the configuration of a source of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from event_assets.config.http import DEFAULT_LIMITS
from event_assets.config.source_files import COMPONENT, EVENT_DATA
from event_assets.pagination.totals import parse_count
from event_assets.probe.authentication import stored_key
from event_assets.probe.client import Client
from event_assets.probe.contract_finder import describe_contract, preview
from event_assets.probe.discovery import Certainty, Discovery, Options
from event_assets.probe.end_finder import End, judge_single_page, reach_end
from event_assets.probe.field_finder import build_id_reader, find_id
from event_assets.probe.key_search import reach
from event_assets.probe.list_questions import ask_about_end
from event_assets.probe.openapi import read_openapi
from event_assets.probe.page import Page
from event_assets.probe.paginator_finder import find_paging
from event_assets.probe.paging import Paging
from event_assets.probe.paging_candidates import CURSORS, OFFSETS, PAGES, is_named
from event_assets.probe.parameter_search import ParameterSearch, find_largest_size
from event_assets.probe.records_finder import find_list, search_paths
from event_assets.probe.report import describe_settings
from event_assets.probe.request_input import (
    RequestInput,
    parse_input,
    refuse_secrets,
    take_out_random,
)
from event_assets.probe.samples import Sample, find_zone
from event_assets.probe.session import ProbeSession
from event_assets.probe.source_yaml import CLIENT, ENDPOINT, apply_settings
from event_assets.values.json_paths import as_list
from event_assets.values.naming import normalize_name
from event_assets.values.redaction import KNOWN

__all__ = ["Options", "discover"]

MAX_TO_FIND_OUT = 25  # requests
MAX_TO_REACH_END = 25  # requests more
SECONDS = 180.0
LIMITS = replace(DEFAULT_LIMITS, find_base_url_setting=lambda: "the URL")
SUFFIXES = {"co", "com", "org", "net", "ac", "edu", "gov"}  # before that of a country
MAX_DIGITS = 6  # of the number of a page or row; longer ones may be times
NO_PAGES = {"from", "start", "after", "begin", "index", "next", "token"}  # or of a range of time


def discover(options: Options) -> Discovery:
    """Find out how an API works, with at most 50 requests.

    Raises:
        ConfigError: the address, the curl command or a setting is none.
        ApiError: the API cannot be reached, limits requests, or shows no list.
    """
    given = _read_options(options)
    name = options.name or name_source(given.url)
    if not (options.keys or given.key.secrets):
        given = replace(given, key=stored_key(name, given.url) or given.key)
    secrets = [*options.keys, *given.key.secrets.values(), *given.other_keys]
    ignored = options.get("response_actions") or ()
    limits = replace(LIMITS, requests_per_second=options.get("requests_per_second"))
    with (
        ExitStack() as stack,
        ProbeSession(given.url, None, SECONDS, secrets, limits, MAX_TO_FIND_OUT) as session,
    ):
        discovery = Discovery(name, options, Client(session, given, ignored=ignored), stack)
        discovery.variables.update(discovery.other_variables)
        if given.random_part and given.random_part not in given.other_keys:
            discovery.question(
                "base_url",
                "A part of the URL's path looks random, and is taken for an id: if it is a "
                "key, put a variable of .env in its place in defs.yaml.",
                is_open=False,
            )
        if not given.has_path:
            search_paths(discovery, discovery.client.ask())
        page = reach(discovery)
        if page is not None:
            _examine(discovery, find_list(discovery, page))
        discovery.requests = session.budget.sent
    redact = KNOWN.redact_text
    discovery.facts = [
        replace(fact, value=redact(fact.value), evidence=redact(fact.evidence))
        for fact in discovery.facts
    ]
    return discovery


def _read_options(options: Options) -> RequestInput:
    """Return the request that the options stand for: that for page 1, without its key."""
    params, headers, auth, body = map(options.get, ("params", "headers", "auth", "json"))
    refuse_secrets(params, headers, auth, body)
    known = RequestInput(options.url or "")
    if options.openapi is not None:
        known = read_openapi(options.openapi, options.url)
    given = parse_input(known.url, options.curl)
    key = given.key if given.key.config else known.key
    given = _without_page(replace(given, key=key, known_params=known.known_params))
    if not (given.key.config or options.keys):
        given = take_out_random(given)
    params = {**given.params, **(params or {})}
    return replace(
        given,
        params={name: value for name, value in params.items() if value is not None},
        headers={**given.headers, **(headers or {})},
        method=options.get("method") or given.method,
        body=given.body if body is None else body,
    )


def name_source(url: str) -> str:
    """Return a name for the source of an address: that of its host's domain."""
    *words, _ = (urlsplit(url).hostname or "").split(".")
    name = normalize_name(next((word for word in reversed(words) if word not in SUFFIXES), ""))
    return name if re.fullmatch(r"[a-z]\w{1,39}", name) else "my_api"


def _without_page(given: RequestInput) -> RequestInput:
    """Return a request for the first page, whichever was copied."""

    def is_page(name: str, value: Any) -> bool:
        if parse_count(value) is not None and len(str(value)) < MAX_DIGITS:
            is_filter = bool(re.search(r"[.\[]", name)) and "pag" not in name  # `price[from]`
            return name in CURSORS or (not is_filter and is_named(name, (*PAGES, *OFFSETS)))
        is_flag = str(value).lower() in ("true", "false")
        return name in CURSORS and name not in NO_PAGES and not is_flag

    left_out = {name: value for name, value in given.params.items() if is_page(name, value)}
    params = {name: value for name, value in given.params.items() if name not in left_out}
    known = {**dict.fromkeys(left_out, False), **given.known_params}
    return replace(given, params=params, known_params=known, left_out=left_out)


def _examine(discovery: Discovery, page: Page) -> None:
    """Find the fields and the pages of a list, reach its end, and write the document."""
    client = discovery.client
    zone = find_zone(page.document, client.selector)
    sample = Sample(page.rows, zone)
    key = as_list(discovery.options.get("primary_key") or find_id(sample))
    client.read_ids, client.id_path = build_id_reader(key, sample), next(iter(key), None)
    page = client.read(page)
    search = ParameterSearch(client, page)
    paging = find_paging(search, discovery.options.get("paginator"))
    end = _reach_end(discovery, search, page)
    for name, value in discovery.given.left_out.items():
        if name in NO_PAGES and name not in str(paging.paginator):
            setting = f"params.{name}"
            text = f"`{name}={value}` is left out of the URL, as that of a page; if it is a "
            text += f"filter: --set {setting}={value}."
            discovery.question(setting, text, is_open=False)
    discovery.facts += paging.facts
    sample = Sample(end.rows or page.rows, zone)
    key, contract = describe_contract(discovery, sample)
    _write(discovery, paging, key, contract)
    discovery.events = preview(discovery.document, sample.records)


def _reach_end(discovery: Discovery, search: ParameterSearch, page: Page) -> End:
    """Reach the end of the list, and ask what its pages leave open."""
    client, paging = discovery.client, search.paging
    if paging.paginator is None:
        end = judge_single_page(client, paging, page)
        certainty: Certainty = "likely" if end.doubt or end.problem else "sure"
        is_known = paging.is_stable and not end.problem
        discovery.add("pages", "one page" if is_known else "unknown", paging.evidence, certainty)
    else:
        budget = client.session.budget
        budget.requests = max(budget.requests, budget.sent) + MAX_TO_REACH_END
        find_largest_size(search)
        discovery.add("pages", describe_settings(paging.paginator), paging.evidence)
        end = reach_end(client, paging, MAX_TO_REACH_END)
        is_sure = end.is_reached and not end.doubt
        said = end.doubt or end.problem
        discovery.add("end", end.evidence or "not reached", said, "sure" if is_sure else "likely")
    ask_about_end(discovery, paging, end, page)
    return end


def _write(
    discovery: Discovery, paging: Paging, primary_key: Any, contract: Mapping[str, Any]
) -> None:
    """Make the document of what was found, with comments that say why."""
    given, attempt = discovery.given, discovery.attempt
    client: dict[str, Any] = {"base_url": discovery.without_keys(given.base_url)}
    if given.headers:
        client["headers"] = discovery.without_keys(given.headers)
    if attempt:
        client["auth"] = dict(attempt.config)
    comments = discovery.comments
    comments[(*ENDPOINT, "paginator")] = paging.evidence
    if discovery.variables:
        place = "auth" if attempt else "base_url"
        comments[(*CLIENT, place)] = f"the key is in .env: {' and '.join(discovery.variables)}"
    attributes = {
        "rest_api": {
            "client": client,
            "resource_defaults": {"primary_key": primary_key, "write_disposition": "merge"},
            "resources": [{"name": EVENT_DATA, "endpoint": _build_endpoint(discovery, paging)}],
        },
        **contract,
        "schedule": "*/15 * * * *",
        "freshness": {"warn_after_minutes": 30, "fail_after_minutes": 60},
    }
    settings = discovery.options.settings.items()
    own = {name: value for name, value in settings if name.split(".")[0] != "auth"}
    if own.get("paginator") == paging.kind:
        del own["paginator"]  # which was completed
    document = {"type": COMPONENT, "attributes": attributes}
    discovery.document = apply_settings(document, own)


def _build_endpoint(discovery: Discovery, paging: Paging) -> dict[str, Any]:
    given, (params, body) = discovery.given, discovery.client.apply(paging.settings)
    if paging.is_numbered:  # the paginator itself writes these
        own = map(paging.paginator.get, ("offset_param", "limit_param", "page_param"))
        for name in {*own, paging.size_param} - {*paging.settings}:
            params.pop(name, None)
    windows = discovery.options.get("windows") or {}
    for bound in ("param_from", "param_to"):  # which windows set
        params.pop(windows.get(bound, ""), None)
    return {
        "path": discovery.without_keys(given.path),
        **({"method": given.method} if given.method != "GET" else {}),
        **({"params": discovery.without_keys(params)} if params else {}),
        **({} if body is None else {"json": body}),
        "data_selector": discovery.client.selector,
        "paginator": paging.paginator,
    }
