"""Checks of the connection: the response, the key, rate limits, and how long a sync takes."""

from __future__ import annotations

import math
import re
from http import HTTPStatus
from statistics import median
from typing import Any

from event_assets.http.window import CAUTIOUS
from event_assets.pagination.totals import parse_count
from event_assets.probe.authentication import REJECTED
from event_assets.probe.examination import Examination
from event_assets.probe.formatting import format_duration
from event_assets.probe.key_search import differs
from event_assets.probe.report import Finding, Setting, fail, ok, skip, warn
from event_assets.values.urls import origin, redact_url
from event_assets.values.wording import counted

LIMIT_HEADER = re.compile(r"rate-?limit|^retry-after$|quota", re.IGNORECASE)


def check_reachable(seen: Examination) -> Finding:
    """Check that the API responds, and measure how fast."""
    page, formatter, redirect = seen.first, seen.formatter, ""
    if target := seen.redirect_target:
        is_keyless = seen.has_auth and origin(target) != origin(seen.base_url)
        keyless = " (another host: sent without the key)" if is_keyless else ""
        redirect = (
            f" It redirects to {formatter.format(target, 200)}{keyless}: set "
            f"{seen.source.address} or the path to that."
        )
    if seen.base_page is not None:
        change: dict[Setting, Any] = {("base_page",): seen.base_page}
        problem = f"page 0 was requested, and {page.reason}; page {seen.base_page} is there"
        return fail(f"{problem}: set `base_page: {seen.base_page}`.", change)
    if page.response is None or not (page.is_ok or page.status in REJECTED):
        after = page.response is not None and page.response.headers.get("Retry-After")
        wait = f" Retry-After: {formatter.format(after)}." if after else ""
        return fail(f"{formatter.redact(page.error)}{wait}{redirect}")
    url, seconds = redact_url(page.response.url), page.response.elapsed.total_seconds()
    kilobytes = len(page.response.content) / 1000
    message = (
        f"{formatter.redact(url)} responded in {format_duration(seconds)} with {kilobytes:,.1f} kB."
    )
    return (warn if redirect else ok)(f"{message}{redirect}")


def check_key(seen: Examination) -> Finding:
    """Check that the key is accepted and makes a difference."""
    page, without = seen.first, seen.keyless
    if page.status in REJECTED:
        hint = " If it is right, check how `auth` in defs.yaml sends it."
        hint = hint if seen.has_auth else " No `auth` is configured in defs.yaml."
        return fail(seen.formatter.redact(page.error) + hint)
    if not seen.has_auth:
        return skip("no `auth` is configured; the API is read without a key.")
    if not without.is_ok:
        is_unknown = without.response is None or without.is_retryable
        return (warn if is_unknown else ok)(f"accepted; without it {without.reason}.")
    if not differs(page, without):
        return warn(
            f"no effect: without it the API returns the same {counted(len(page.rows))}. It may "
            "ignore the key and return public records only: check `auth` in defs.yaml (`name`, "
            "`location`)."
        )
    if not seen.paging.is_stable:
        return warn("accepted; its effect is unknown: the same request brings other records.")
    return ok(f"accepted; without it the answer is another, with {counted(len(without.rows))}.")


def check_rate_limit(seen: Examination) -> Finding:
    """Check the headers that announce rate limits."""
    received, needed = seen.explorer.session.received, _estimate_requests(seen) or 0
    limited = [r for r in received if r.status_code == HTTPStatus.TOO_MANY_REQUESTS]
    headers, shown = (limited or received)[0].headers, seen.formatter.format
    named = [
        f"{shown(n)}: {shown(value)}" for n, value in headers.items() if LIMIT_HEADER.search(n)
    ]
    announced = ", ".join(named[:6])
    if limited:
        details = f" ({announced})" if announced else ""
        return warn(
            f"the API returned 429 after {counted(len(received) - 1, 'request')}{details}: a "
            "sync would wait; set `requests_per_second` in defs.yaml."
        )
    limits = (value for name, value in headers.items() if name.lower().endswith("limit-remaining"))
    remaining = parse_count(next(limits, None))
    if remaining is not None and remaining < needed:
        counts = f"a full sync needs about {needed:,} requests, {remaining:,} are left"
        return warn(f"{announced}: {counts}.")
    return ok(f"{announced}.") if announced else skip("no header announces a limit.")


def _estimate_requests(seen: Examination) -> int | None:
    """Estimate the requests of a full sync; None when the number of records is unknown."""
    size, total = len(seen.records), seen.total
    if seen.walk.is_done or not size:
        return len(seen.walk.pages)
    if total is None or total <= size or seen.is_total_disproved:
        return None
    return 1 + math.ceil((total - size) / max(1, size - seen.is_offset))


def estimate_full_sync(seen: Examination) -> Finding:
    """Estimate the duration of a full sync, if the number of its requests is known."""
    count = _estimate_requests(seen)
    seconds = median(one.elapsed.total_seconds() for one in seen.explorer.session.received)
    each = f"{counted(len(seen.records))} in {format_duration(seconds)}"
    if count is None:
        return skip(f"unknown without a total; a request returns {each}.")
    is_ahead = seen.configured.is_numbered and not any(
        name.endswith("_body_path") for name in seen.configured.paginator
    )
    concurrency = min(seen.source.concurrency, CAUTIOUS, count) if is_ahead else 1
    duration = count * seconds / concurrency
    shown = f"{duration / 60:.0f} min" if duration < 6000 else f"{duration / 3600:.0f} h"
    shown = f"{max(1, duration):.0f} s" if duration < 100 else shown
    requests = counted(count, "request")
    return ok(f"about {shown}: {requests} of {each}, {concurrency} at a time.")
