"""Run a probe: send the requests, check the responses, and build the report."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain

from requests.auth import AuthBase

from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.extract import stream
from event_assets.extract.records_selector import build_records_selector
from event_assets.extract.requests import build_first_request
from event_assets.http.credentials import configured_secrets, secrets_of_auth
from event_assets.probe import paging_checks, response_checks
from event_assets.probe.client import Client
from event_assets.probe.probed_source import ProbedSource
from event_assets.probe.report import Report
from event_assets.probe.request_input import RequestInput
from event_assets.probe.session import TIMEOUT_SECONDS, ProbeSession
from event_assets.sync.account_list import select_account
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import KNOWN, find_secrets


def probe(source: SourceConfig, seconds: float = TIMEOUT_SECONDS) -> Report:
    """Send at most twelve requests to a source's API within `seconds` and report the findings.

    A source with accounts is probed with its first one.

    Raises:
        ConfigError: the key or the list of accounts is missing, or there is no first request.
    """
    source = source if source.account else select_account(source)
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
            ignored = events.endpoint.get("response_actions") or ()
            return _examine(source, Client(session, given, ignored=ignored, is_patient=False))


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


def _examine(source: SourceConfig, client: Client) -> Report:
    """Ask for page 1, and if it comes, for what shows whether the configuration is right."""
    page, findings = response_checks.reach(source, client)
    if page.response is None or not page.is_ok:
        return Report(findings, KNOWN.redact_text(page.error))
    seen = ProbedSource(source, client, page)
    findings["key"] = response_checks.check_key(seen)
    findings["rate limit"] = response_checks.check_rate_limit(seen)
    findings["records"] = response_checks.check_records(seen)
    if seen.first.rows:
        findings["id"] = response_checks.check_id(seen)
        findings |= response_checks.check_fields(seen)
        findings["pages"] = paging_checks.check_pages(seen)
        findings["page size"] = paging_checks.check_page_size(seen)
        findings["total"] = paging_checks.check_total(seen)
        findings["order"] = paging_checks.check_order(seen)
    metrics = {
        "answer_seconds": round(page.response.elapsed.total_seconds(), 3),
        **({} if seen.total is None else {"total_reported": seen.total}),
        "records_on_first_page": len(seen.first.rows),
        "bytes": len(page.response.content),
        "requests": client.session.budget.sent,
    }
    return Report(findings, "", metrics)
