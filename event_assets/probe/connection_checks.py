"""Checks of the connection: the response, the key and rate limits."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from http import HTTPStatus

from event_assets.http.errors import status_text
from event_assets.pagination.totals import parse_count
from event_assets.probe.formatting import format_duration, pluralize
from event_assets.probe.report import Finding
from event_assets.probe.responses import ProbeResponses
from event_assets.probe.session import ProbeResponse
from event_assets.values.urls import origin, redact_url

REJECTED_STATUSES = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
LIMIT_HEADER = re.compile(r"rate-?limit|^retry-after$|quota", re.IGNORECASE)
MAX_HEADERS = 6


def check_reachable(responses: ProbeResponses) -> Finding:
    """Check that the API responds, and measure how fast."""
    name, page, formatter = "reachable", responses.page_1, responses.formatter
    headers = {} if page.response is None else page.response.headers
    redirect = _describe_redirect(responses) if responses.redirect_target else ""
    if not page.is_ok and page.status not in REJECTED_STATUSES:
        after = headers.get("Retry-After")
        wait = f" Retry-After: {formatter.format(after)}." if after else ""
        return Finding("fail", name, f"{formatter.redact(page.error)}{wait}{redirect}")
    url = responses.first_request.request.url if page.response is None else page.response.url
    size = 0 if page.response is None else len(page.response.content)
    message = (
        f"{formatter.redact(redact_url(url))} responded in {format_duration(page.seconds)} with "
        f"{size / 1000:,.1f} kB."
    )
    return Finding("warn" if redirect else "ok", name, f"{message}{redirect}")


def _describe_redirect(responses: ProbeResponses) -> str:
    target = responses.formatter.format(responses.redirect_target, 200)
    other = origin(responses.redirect_target or "") != origin(responses.first_request.base_url)
    keyless = " (another host: sent without the key)" if other and responses.has_auth else ""
    return f" It redirects to {target}{keyless}: set EVENTS_API_URL or the path to that."


def check_key(responses: ProbeResponses) -> Finding:
    """Check that the key is accepted and makes a difference."""
    name, page, without = "key", responses.page_1, responses.page_1_without_key
    if page.status in REJECTED_STATUSES:
        hint = "" if responses.has_auth else " No `auth` is configured in defs.yaml."
        return Finding("fail", name, responses.formatter.redact(page.error) + hint)
    if not responses.has_auth:
        return Finding("-", name, "no `auth` is configured; the API is read without a key.")
    if without.status in REJECTED_STATUSES:
        status = status_text(without.status or 0)
        return Finding("ok", name, f"accepted; without it the API returns {status}.")
    if without.response is None or without.is_retryable:
        reason = f"the response without it is unknown: {without.reason}"
        return Finding("warn", name, f"accepted; {reason}.")
    if not without.is_ok:
        reason = f"without it there is no usable response: {without.reason}"
        return Finding("ok", name, f"accepted; {reason}.")
    return _compare_with_keyless(responses)


def _compare_with_keyless(responses: ProbeResponses) -> Finding:
    """Compare two usable responses, with and without the key."""
    with_key, without_key, repeated = (
        _Content.from_response(responses, response)
        for response in (responses.page_1, responses.page_1_without_key, responses.page_1_again)
    )
    if with_key == without_key:
        return Finding(
            "warn",
            "key",
            f"no effect: without it the API returns the same {pluralize(len(with_key.ids))}. It "
            "may ignore the key and return public records only: check `auth` in defs.yaml "
            "(`name`, `location`).",
        )
    if responses.page_1_again.is_ok and with_key != repeated:
        return Finding(
            "warn",
            "key",
            "accepted; its effect is unknown, because the same request returns other records each "
            "time.",
        )
    if with_key.total != without_key.total:
        difference = (
            f"a total of {_format_total(without_key.total)} instead of "
            f"{_format_total(with_key.total)}"
        )
    elif with_key.ids != without_key.ids:
        common = len(without_key.ids & with_key.ids)
        difference = f"{pluralize(len(without_key.ids))}, {common} of them the same"
    else:
        difference = "records with other fields"
    return Finding("ok", "key", f"accepted; without it the response has {difference}.")


@dataclass(frozen=True)
class _Content:
    """The compared content of a response."""

    total: int | None
    ids: frozenset[Hashable]
    fields: frozenset[str]

    @classmethod
    def from_response(cls, responses: ProbeResponses, response: ProbeResponse) -> _Content:
        records, total = responses.records_in(response), responses.total_in(response)
        names = frozenset(name for record in records if isinstance(record, dict) for name in record)
        return cls(total.count if total else None, frozenset(responses.record_ids(records)), names)


def _format_total(count: int | None) -> str:
    return "none" if count is None else f"{count:,}"


def check_rate_limit(responses: ProbeResponses, needed: int | None) -> Finding:
    """Check rate limit headers; `needed` is the number of requests of a full sync, if known."""
    name = "rate limit"
    results = (
        *(responses.page_1, responses.page_2, responses.page_1_without_key),
        *(responses.page_1_again, responses.last_page_response),
    )
    received = [result.response for result in results if result.response is not None]
    limited = [r for r in received if r.status_code == HTTPStatus.TOO_MANY_REQUESTS]
    headers = (limited or received)[0].headers if received else {}
    formatter = responses.formatter
    announced = ", ".join(
        [
            f"{formatter.format(header)}: {formatter.format(value)}"
            for header, value in headers.items()
            if LIMIT_HEADER.search(header)
        ][:MAX_HEADERS]
    )
    if limited:
        details = f" ({announced})" if announced else ""
        return Finding(
            "warn",
            name,
            f"the API returned 429 after {pluralize(len(received) - 1, 'request')}{details}: a "
            "sync would wait; lower `concurrency` in defs.yaml.",
        )
    remaining = next(
        (parse_count(v) for h, v in headers.items() if h.lower().endswith("limit-remaining")), None
    )
    if remaining is not None and needed is not None and remaining < needed:
        return Finding(
            "warn",
            name,
            f"{announced}: a full sync needs about {needed:,} requests, {remaining:,} are left.",
        )
    if announced:
        return Finding("ok", name, f"{announced}.")
    return Finding("-", name, "no header announces a limit.")
