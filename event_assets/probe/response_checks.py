"""Checks of the first response: the connection, the key, rate limits, the records, their ids."""

from __future__ import annotations

import math
import re
from http import HTTPStatus

from event_assets.pagination.totals import parse_count
from event_assets.probe.authentication import REJECTED
from event_assets.probe.field_checks import MAX_EXAMPLES, format_paths
from event_assets.probe.field_finder import find_id
from event_assets.probe.formatting import shown, shown_list
from event_assets.probe.key_search import differs
from event_assets.probe.probed_source import ProbedSource
from event_assets.probe.report import Finding, fail, ok, skip, warn
from event_assets.values.urls import origin, redact_url
from event_assets.values.wording import counted

LIMIT_HEADER = re.compile(r"rate-?limit|^retry-after$|quota", re.IGNORECASE)


def check_reachable(seen: ProbedSource) -> Finding:
    """Check that the API responds, and measure how fast."""
    page, redirect = seen.first, ""
    if target := seen.redirect_target:
        is_keyless = seen.has_auth and origin(target) != origin(seen.base_url)
        keyless = " (another host: sent without the key)" if is_keyless else ""
        redirect = (
            f" It redirects to {shown(target, 200)}{keyless}: set "
            f"{seen.source.address} or the path to that."
        )
    if seen.base_page is not None:
        change = {"paginator.base_page": seen.base_page}
        problem = f"page 0 was requested, and {page.reason}; page {seen.base_page} is there"
        return fail(f"{problem}: set `base_page: {seen.base_page}`.", change)
    if page.response is None or not (page.is_ok or page.status in REJECTED):
        after = page.response is not None and page.response.headers.get("Retry-After")
        wait = f" Retry-After: {shown(after)}." if after else ""
        return fail(f"{page.error}{wait}{redirect}")
    message = f"{redact_url(page.response.url)} responded in "
    message += _format_duration(page.response.elapsed.total_seconds())
    if page.is_ok:
        message += f" with {len(page.response.content) / 1000:,.1f} kB"
    return (warn if redirect else ok)(f"{message}.{redirect}")


def _format_duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def check_key(seen: ProbedSource) -> Finding:
    """Check that the key is accepted and makes a difference."""
    page, without = seen.first, seen.keyless
    if page.status in REJECTED:
        hint = " If it is right, check how `auth` in defs.yaml sends it."
        hint = hint if seen.has_auth else " No `auth` is configured in defs.yaml."
        return fail(page.error + hint)
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


def check_rate_limit(seen: ProbedSource) -> Finding:
    """Check the headers that announce rate limits."""
    received = seen.client.session.received
    needed = math.ceil((seen.total or 0) / max(1, len(seen.records) - seen.is_offset))
    limited = [r for r in received if r.status_code == HTTPStatus.TOO_MANY_REQUESTS]
    headers = (limited or received)[0].headers
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


def check_records(seen: ProbedSource) -> Finding:
    """Check that the selector finds records, or name one that does."""
    selector, count, problem = seen.client.selector, len(seen.records), seen.records_problem
    used = shown(selector)
    change = {"data_selector": selector}
    objects = sum(isinstance(record, dict) for record in seen.records)
    if problem and seen.suggestion is None:
        return fail(
            f"the response {problem}, and no other list of objects; check the endpoint's "
            "path and `data_selector`."
        )
    if problem:
        found = f"{count} are under `{used}`: set `data_selector: {used}`."
        return fail(f"the response {problem}; {found}", change)
    if objects < count:
        missing = f"{count - objects} of {count}"
        return fail(f"{missing} under `{used}` are not objects; check `data_selector`.")
    if not count:
        return warn(f"the list under `{used}` is empty: nothing to check.")
    if seen.selector is None and selector != "$":
        return warn(
            f"{count} under `{used}`, a detected path: set `data_selector: {used}`, so that a "
            "response without it is an error.",
            change,
        )
    where = "the response is a list of" if used == "$" else f"`{used}` has"
    return ok(f"{where} {counted(count)}.")


def check_id(seen: ProbedSource) -> Finding:
    """Check that each record has an id of its own."""
    reader, records = seen.contract["id"], seen.records
    values = reader.to_arrow(reader.read(records), records).to_pylist()
    present = [value for value in values if value is not None]
    missing, duplicates = len(values) - len(present), len(present) - len(set(present))
    path = format_paths(reader)
    if present and not missing and not duplicates:
        examples = shown_list(present[:MAX_EXAMPLES])
        return ok(f"{path} is unique in all {len(records)}; {examples}.")
    problem = (
        f"{missing} of {counted(len(records))} have no {path}"
        if missing
        else f"{duplicates} of {counted(len(records))} have a duplicate {path}"
    )
    if not duplicates and missing <= seen.source.max_rejects * len(records):
        return warn(f"{problem}: they do not load and become rejects.")
    is_key = seen.source.fields["id"].source is None
    setting = "primary_key" if is_key else "fields.id.from"
    setting_name = "`primary_key`" if is_key else "`from` of the field `id`"
    if suggestion := find_id(seen.sample):
        unique = f"`{shown(suggestion)}` is unique: set it as {setting_name}"
        return fail(f"{problem}; {unique}.", {setting: suggestion})
    return fail(f"{problem}; set {setting_name} to a unique field.")
