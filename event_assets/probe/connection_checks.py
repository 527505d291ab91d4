"""Checks of the connection: the response, the key and rate limits."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from event_assets.http.errors import status_text
from event_assets.pagination.totals import parse_count
from event_assets.probe.authentication import REJECTED
from event_assets.probe.explorer import Page
from event_assets.probe.formatting import format_duration, pluralize
from event_assets.probe.report import Finding, fail, ok, skip, warn
from event_assets.probe.responses import ProbeResponses
from event_assets.values.urls import origin, redact_url

LIMIT_HEADER = re.compile(r"rate-?limit|^retry-after$|quota", re.IGNORECASE)


def check_reachable(responses: ProbeResponses) -> Finding:
    """Check that the API responds, and measure how fast."""
    page, formatter, redirect = responses.page_1.response, responses.formatter, ""
    if target := responses.redirect_target:
        is_keyless = responses.has_auth and origin(target) != origin(responses.base_url)
        keyless = " (another host: sent without the key)" if is_keyless else ""
        redirect = (
            f" It redirects to {formatter.format(target, 200)}{keyless}: set "
            f"{responses.source.address} or the path to that."
        )
    if page.response is None or not (page.is_ok or page.status in REJECTED):
        after = page.response is not None and page.response.headers.get("Retry-After")
        wait = f" Retry-After: {formatter.format(after)}." if after else ""
        return fail(f"{formatter.redact(page.error)}{wait}{redirect}")
    url = formatter.redact(redact_url(page.response.url))
    message = f"{url} responded in {format_duration(page.seconds)} with {page.size / 1000:,.1f} kB."
    return (warn if redirect else ok)(f"{message}{redirect}")


def check_key(responses: ProbeResponses) -> Finding:
    """Check that the key is accepted and makes a difference."""
    page, without = responses.page_1.response, responses.keyless.response
    if page.status in REJECTED:
        hint = "" if responses.has_auth else " No `auth` is configured in defs.yaml."
        return fail(responses.formatter.redact(page.error) + hint)
    if not responses.has_auth:
        return skip("no `auth` is configured; the API is read without a key.")
    if without.status in REJECTED:
        return ok(f"accepted; without it the API returns {status_text(without.status or 0)}.")
    if without.response is None or without.is_retryable:
        return warn(f"accepted; the response without it is unknown: {without.reason}.")
    if not without.is_ok:
        return ok(f"accepted; without it there is no usable response: {without.reason}.")
    return _compare_with_keyless(responses)


def _compare_with_keyless(responses: ProbeResponses) -> Finding:
    """Compare two usable responses, with and without the key."""
    with_key = _summarize(responses, responses.page_1)
    without_key = _summarize(responses, responses.keyless)
    (total, ids, _), (keyless_total, keyless_ids, _) = with_key, without_key
    if with_key == without_key:
        return warn(
            f"no effect: without it the API returns the same {pluralize(len(ids))}. It "
            "may ignore the key and return public records only: check `auth` in defs.yaml "
            "(`name`, `location`)."
        )
    if responses.again.is_ok and with_key != _summarize(responses, responses.again):
        return warn(
            "accepted; its effect is unknown, because the same request returns other records each "
            "time."
        )
    difference = "records with other fields"
    if total != keyless_total:
        difference = f"a total of {keyless_total} instead of {total}"
    elif ids != keyless_ids:
        difference = f"{pluralize(len(keyless_ids))}, {len(keyless_ids & ids)} of them the same"
    return ok(f"accepted; without it the response has {difference}.")


def _summarize(responses: ProbeResponses, page: Page) -> tuple[str, set[Any], Any]:
    """Return the total, the ids and the names of the fields of a page."""
    total = responses.total_in(page)
    names = {name for record in page.rows if isinstance(record, dict) for name in record}
    return f"{total.count:,}" if total else "none", {*page.ids}, names


def check_rate_limit(responses: ProbeResponses, needed: int | None) -> Finding:
    """Check rate limit headers; `needed` is the number of requests of a full sync, if known."""
    pages = (*responses.walk.read, responses.keyless, responses.again, responses.last)
    results = [page.response for page in pages if page]
    received = [result.response for result in results if result.response is not None]
    limited = [r for r in received if r.status_code == HTTPStatus.TOO_MANY_REQUESTS]
    headers = (limited or received)[0].headers
    shown = responses.formatter.format
    named = [
        f"{shown(n)}: {shown(value)}" for n, value in headers.items() if LIMIT_HEADER.search(n)
    ]
    announced = ", ".join(named[:6])
    if limited:
        details = f" ({announced})" if announced else ""
        return warn(
            f"the API returned 429 after {pluralize(len(received) - 1, 'request')}{details}: a "
            "sync would wait; set `requests_per_second` in defs.yaml."
        )
    limits = (value for name, value in headers.items() if name.lower().endswith("limit-remaining"))
    remaining = parse_count(next(limits, None))
    if remaining is not None and needed is not None and remaining < needed:
        counts = f"a full sync needs about {needed:,} requests, {remaining:,} are left"
        return warn(f"{announced}: {counts}.")
    return ok(f"{announced}.") if announced else skip("no header announces a limit.")
