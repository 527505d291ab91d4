"""Checks of the first response: the connection, the key, the records, their ids and fields."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from event_assets.config.source import SourceConfig
from event_assets.http.pace import read_quota
from event_assets.pagination.list_paginator import REFUSALS
from event_assets.probe import field_words as words
from event_assets.probe.authentication import REJECTED
from event_assets.probe.client import Client
from event_assets.probe.field_finder import find_composite_id, find_field, find_id
from event_assets.probe.page import Page
from event_assets.probe.probed_source import ProbedSource, configured_paging
from event_assets.probe.report import Finding, advise, fail, ok, shown, shown_list, skip, warn
from event_assets.probe.samples import FieldFinding, is_foreign, read_field
from event_assets.probe.time_finder import find_start
from event_assets.records.contract import FieldReader
from event_assets.values.json_paths import as_list, template_paths
from event_assets.values.urls import origin, redact_url
from event_assets.values.wording import counted

MAX_EXAMPLES = 3
MAX_RECORDS = 100
TAKEN_AS_UTC = "which a sync takes as UTC"


def reach(source: SourceConfig, client: Client) -> tuple[Page, dict[str, Finding]]:
    """Ask for page 1, follow one redirect, and check that the API responds, and how fast."""
    page, redirect = client.ask(), ""
    if target := page.redirect_target:
        page = client.move(target)
        is_keyless = client.session.has_auth and origin(target) != source.origin
        keyless = " (another host: sent without the key)" if is_keyless else ""
        setting = f"set {source.base_url_setting} or the path to that"
        redirect = f" It redirects to {shown(target, 200)}{keyless}: {setting}."
    if page.response is not None and (page.is_ok or page.status in REJECTED):
        message = f"{redact_url(page.response.url)} responded in "
        message += f"{page.response.elapsed.total_seconds():.2f} s"
        message += f" with {len(page.response.content) / 1000:,.1f} kB" if page.is_ok else ""
        findings = {"reachable": (warn if redirect else ok)(f"{message}.{redirect}")}
        if not page.is_ok:
            hint = " If it is right, check how `auth` in defs.yaml sends it."
            hint = hint if client.session.has_auth else " No `auth` is configured in defs.yaml."
            findings["key"] = fail(page.error + hint)
        return page, findings
    paging = configured_paging(source)
    config = paging.paginator
    is_page_0 = paging.kind == "page_number" and not config.get("base_page")
    if is_page_0 and page.status in REFUSALS and client.ask_page(config, {}, 1, 0).is_ok:
        problem = f"page 0 was requested, and {page.reason}; page 1 is there"
        return page, {"reachable": advise("fail", problem, {"paginator.base_page": 1})}
    after = page.response is not None and page.response.headers.get("Retry-After")
    wait = f" Retry-After: {shown(after)}." if after else ""
    is_empty = page.status == HTTPStatus.NO_CONTENT
    return page, {"reachable": (warn if is_empty else fail)(f"{page.error}{wait}{redirect}")}


def check_key(seen: ProbedSource) -> Finding:
    """Check that the key makes a difference."""
    page, without = seen.first, seen.keyless
    if not seen.client.session.has_auth:
        return skip("no `auth` is configured; the API is read without a key.")
    if not without.is_ok:
        is_unknown = without.response is None or without.is_retryable
        return (warn if is_unknown else ok)(f"accepted; without it {without.reason}.")
    if not page.differs(without):
        return warn(
            f"no effect: without it the API returns the same {counted(len(page.rows))}. It may "
            "ignore the key and return public records only: check `auth` in defs.yaml (`name`, "
            "`location`)."
        )
    if not seen.paging.is_stable:
        return warn("accepted; its effect is unknown: the same request brings other records.")
    return ok(f"accepted; without it the answer is another, with {counted(len(without.rows))}.")


def check_rate_limit(seen: ProbedSource) -> Finding:
    """Check how many requests the API still allows, as a sync reads its headers."""
    budget, first = seen.client.session.budget, seen.first.response
    if budget.limited_by:
        before = counted(budget.sent - 1, "request")
        problem = f"the API returned {budget.limited_by} after {before}: a sync would wait"
        return warn(f"{problem}; set `requests_per_second` in defs.yaml.")
    if first is None or (quota := read_quota(first.headers)) is None:
        return skip("no header says how many requests are left, and for how long.")
    needed = math.ceil((seen.total or 0) / max(1, len(seen.first.rows) - seen.is_offset))
    left = f"{counted(quota.remaining, 'request')} left for {quota.seconds:,.0f} s"
    if quota.remaining < needed:
        return warn(f"{left}; a full sync needs about {needed:,}.")
    return ok(f"{left}.")


def check_records(seen: ProbedSource) -> Finding:
    """Check that the selector finds records, or name one that does."""
    selector, count, problem = seen.client.selector, len(seen.first.rows), seen.records_problem
    used, change = shown(selector), {"data_selector": selector}
    others = sum(not isinstance(record, dict) for record in seen.first.rows)
    if problem and not seen.sample.all_records:
        return fail(
            f"the response {problem}, and no other list of objects; check the endpoint's "
            "path and `data_selector`."
        )
    if problem:
        problem = problem.partition(", but ")[0]  # which lists there are, without their lengths
        return advise("fail", f"the response {problem}; {count} are under `{used}`", change)
    if others:
        return fail(f"{others} of {count} under `{used}` are not objects; check `data_selector`.")
    if not count:
        return warn(f"the list under `{used}` is empty: nothing to check.")
    if seen.source.events.endpoint.get("data_selector") is None and selector != "$":
        problem = f"{count} under `{used}`, a detected path, without which a response is no error"
        return advise("warn", problem, change)
    where = "the response is a list of" if used == "$" else f"`{used}` has"
    return ok(f"{where} {counted(count)}.")


def check_id(seen: ProbedSource) -> Finding:
    """Check that each record has an id of its own."""
    reader, records = seen.contract["id"], seen.first.rows
    _, values, unfit = read_field(reader, records)
    present = [value for value in values if value is not None]
    missing, duplicates = len(values) - len(present), len(present) - len(set(present))
    path = format_paths(reader)
    if present and not missing and not duplicates:
        examples = shown_list(present[:MAX_EXAMPLES])
        return ok(f"{path} is unique in all {len(records)}; {examples}.")
    many, what = (missing, "no") if missing else (duplicates, "a duplicate")
    problem = f"{many} of {counted(len(records))} have {what} {path}"
    if unfit:
        problem += f", or one that {reader.error(unfit[0])}, such as {shown_list(unfit[:1])}"
    if not duplicates and missing <= seen.source.max_rejects * len(records):
        return warn(f"{problem}: they do not load and become rejects.")
    is_key = seen.source.fields["id"].source is None
    setting = "primary_key" if is_key else "fields.id.from"
    suggestion: Any = find_id(seen.sample)
    if is_key and not suggestion:
        suggestion = find_composite_id(seen.sample, find_start(seen.sample))
    if suggestion:
        unique = "is unique" if isinstance(suggestion, str) else "are unique together"
        problem += f"; {shown_list(as_list(suggestion))} {unique}"
        return advise("fail", problem, {setting: suggestion})
    return fail(f"{problem}; set `{setting}` to a unique field.")


def check_fields(seen: ProbedSource) -> dict[str, Finding]:
    """Check the presence, the type and the meaning of each field of the contract but the id."""
    readers = (reader for reader in seen.contract.values() if reader.name != "id")
    return {f"field {reader.name}": _check_field(seen, reader) for reader in readers}


def _check_field(seen: ProbedSource, reader: FieldReader) -> Finding:
    records, field = seen.first.rows[:MAX_RECORDS], reader.field
    values, _, invalid = read_field(reader, records)
    present = [value for value in values if value is not None]
    path, nulls = format_paths(reader), len(records) - len(present)
    rejected = len(invalid) if field.nullable else len(invalid) + nulls
    allowed = seen.source.max_rejects * len(records)
    fail_or_warn = fail if rejected > allowed else warn
    finding = find_field(seen.sample, reader.name, field.type)
    other = _find_other(reader, finding)
    changes = {f"fields.{reader.name}.{name}": value for name, value in other.items()}
    if not present or len(invalid) > allowed:
        problem = f"{path} was not found in {counted(len(records))}"
        if invalid:
            problem = f"{shown_list(invalid[:1])} at {path} {reader.error(invalid[0])}"
            problem += f" ({len(invalid)} of {counted(len(records))})"
        if other:
            return advise("fail", problem, changes)
        advice = "set `from` to its path, or remove it from `fields`"
        return fail_or_warn(f"{problem}: {advice}.")
    examples = list({repr(value): value for value in present}.values())[:MAX_EXAMPLES]
    found = f"{nulls / len(records):.0%} null at {path}; {shown_list(examples)}"
    if rejected:
        reason = reader.error(invalid[0]) if invalid else "is missing"
        rejects = f"{rejected} of {len(records)} would be rejected, because the value {reason}"
        return fail_or_warn(f"{found}: {rejects}.")
    entities = [one for one in present if type(one) is str and html.unescape(one) != one]
    if entities and field.type == "text":
        problem = f"{len(entities)} of {counted(len(present))} have HTML entities, such as "
        change = {f"fields.{reader.name}.html": "unescape"}
        return advise("warn", f"{found}: {problem}{shown_list(entities[:1])}", change)
    if "from" in other and _is_of_other(reader):
        kind = "time" if field.type == "timestamp" else "name"
        return advise("warn", f"{found}: that is the {kind} of something else", changes)
    parts = template_paths(finding.sources[0]) if finding else []
    if parts[1:] and parts[:1] == reader.source_paths:
        problem = f"these are days, and `{parts[1]}` has their time of day"
        return advise("warn", f"{found}: {problem}", changes)
    is_local = field.type == "timestamp" and not field.timezone
    if is_local and [*other] == ["timezone"]:
        return advise("warn", f"{found}: these are local times, {TAKEN_AS_UTC}", changes)
    if is_local and finding and not (finding.is_zoned or other):
        zone = "set `timezone` to their zone, or to UTC"
        return warn(f"{found}: these are local times without a zone, {TAKEN_AS_UTC}; {zone}.")
    return ok(f"{found}.")


def _is_of_other(reader: FieldReader) -> bool:
    """Return whether a field is read from a part of another object, or from when it changed."""
    is_own = not words.in_path(reader.name) & words.OTHER_TIMES  # unlike `updated_at`
    others = words.OTHER_TIMES if is_own and reader.field.type == "timestamp" else frozenset()
    return any(is_foreign(path) or words.in_path(path) & others for path in reader.source_paths)


def _find_other(reader: FieldReader, finding: FieldFinding | None) -> Mapping[str, Any]:
    """Return the settings by which a field would be read, if they are not the configured ones."""
    field, found = reader.field, finding.settings if finding else {}
    configured = {"from": as_list(field.source) or [reader.name], "format": as_list(field.format)}
    configured |= {"timezone": as_list(field.timezone), "html": as_list(field.html)}
    return {k: found[k] for k in configured if k in found and as_list(found[k]) != configured[k]}


def format_paths(reader: FieldReader) -> str:
    """Return the paths that a field is read from, for display."""
    return ", ".join(f"`{path}`" for path in reader.source_paths)
