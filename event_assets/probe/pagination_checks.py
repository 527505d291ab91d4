"""Checks of pagination: page 2, the page size, the order, and an estimate of a full sync."""

from __future__ import annotations

import math
from statistics import median
from typing import Any

from dlt.sources.helpers.rest_client.paginators import SinglePagePaginator

from event_assets.http.window import CAUTIOUS
from event_assets.pagination.evidence import judge
from event_assets.pagination.facts import ListFacts
from event_assets.probe.formatting import format_duration, pluralize
from event_assets.probe.paginator_finder import describe_paginator
from event_assets.probe.paging import compare
from event_assets.probe.paging_candidates import SIZES, find_has_more
from event_assets.probe.report import Finding, Setting, fail, ok, skip, warn
from event_assets.probe.responses import ProbeResponses


def check_page_2(responses: ProbeResponses) -> Finding:
    """Check that page 2 has new records and follows page 1."""
    found, paging, before = _check_page_2(responses), responses.found_paging, responses.before
    if compare(responses.page_1.ids, before.ids) == "fresh":
        base = responses.paging.paginator["base_page"] - 1
        return fail(
            f"page {base} has {pluralize(len(before.rows))} that page 1 has not: set `base_page: "
            f"{base}`.",
            {("base_page",): base},
        )
    if paging.paginator is None:
        return found
    named = describe_paginator(paging.paginator)
    problem = f"{found.message.rstrip('.')}. {paging.evidence[:1].upper()}{paging.evidence[1:]}"
    return fail(f"{problem}: set `paginator: {{{named}}}`.", {("paginator",): paging.paginator})


def _check_page_2(responses: ProbeResponses) -> Finding:
    page, walk, count = responses.page_2, responses.walk, len(responses.records)
    if not count:
        return skip("page 1 has no records.")
    if walk.error and walk.read[-1].is_ok:
        return fail(responses.formatter.format(walk.error, 300))
    if responses.ends_after_page_1:
        return _check_single_page(responses)
    if not page.is_ok and not walk.is_done:
        return (fail if page.response.is_rejected else warn)(f"missing: {page.response.reason}.")
    if responses.new_count:
        return _check_continuity(responses)
    if responses.promises_more:
        return warn("the pages behind page 1 are empty, but promise more: a sync reads on.")
    overlap = 1 if responses.is_offset and count > 1 else 0
    total = responses.reported_total
    if len(page.rows) <= overlap and not (total and total.count > count):
        return skip(f"page 1 is the whole list: {pluralize(count)}.")
    problem = "has only records of page 1" if page.rows else "is empty"
    return fail(f"{problem}: {_explain_repeated_page(responses)}.")


def _check_single_page(responses: ProbeResponses) -> Finding:
    """Check that the list is complete when the paginator sees no page 2."""
    count, total, walk = len(responses.records), responses.reported_total, responses.walk
    facts = walk.facts or ListFacts()
    has_no_pages = isinstance(walk.active, SinglePagePaginator)
    if total and total.count > count:
        advice = (
            "name the API's `paginator`"
            if has_no_pages
            else "check the paginator's type and its paths in defs.yaml"
        )
        return fail(
            f"the paginator finds no next page, but the API reports {total.count:,} records and "
            f"page 1 has {count}: {advice}."
        )
    verdict = judge(facts)
    if verdict.complete is False:
        return fail(verdict.reason)
    if has_no_pages and responses.paging.kind == "auto":
        return warn(
            f"no paginator was detected, so a sync loads these {pluralize(count)} only; offsets "
            "and page numbers cannot be detected: set `paginator`, or `single_page`."
        )
    if verdict.complete is None and facts.end == "no pointer":
        return warn(
            f"{verdict.reason} If the API tells a cursor only to those who send one, set its first "
            "value in `params` (often `*`)."
        )
    says_end = find_has_more(responses.page_1.response.document, False) is not None
    if has_no_pages and total is None and not says_end:
        return warn(f"not verified: {pluralize(count)} came, and nothing shows that these are all.")
    return skip(f"page 1 is the whole list: {pluralize(count)}.")


def _explain_repeated_page(responses: ProbeResponses) -> str:
    if responses.is_offset:
        return (
            f"the server ignores `{_offset_name(responses)}`; set the paginator's `offset_param` "
            "to the API's name for it, or use `single_page` if the API has no pages"
        )
    if responses.paging.is_numbered:
        return (
            "the server ignores the page number, or counts from another number; check "
            "`page_param` and `base_page`"
        )
    return "the server ignores the cursor or link; check the paginator's `cursor_param` and paths"


def _offset_name(responses: ProbeResponses) -> Any:
    config = responses.paging.paginator
    return config.get("offset_body_path") or config.get("offset_param") or "offset"


def _check_continuity(responses: ProbeResponses) -> Finding:
    """Check that page 2 repeats at most page 1's last record, which offset paging wants."""
    first, second = responses.page_1.ids, responses.page_2.ids
    detected, repeated = "", len({*first} & {*second})
    if responses.paging.kind == "auto":
        detected = f" ({type(responses.walk.active).__name__}, detected)"
    new = pluralize(responses.new_count, "new record")
    if responses.is_offset and first[-1] not in second and len(first) > 1:
        changed = responses.again.is_ok and {*first} != {*responses.again.ids}
        return (warn if changed else fail)(
            "page 1's last record is not on it: the list changed in between, or "
            f"`{_offset_name(responses)}` does not count records (pages: use `page_number`)."
        )
    if repeated == 1 and second[0] == first[-1]:  # also of a link or cursor that counts rows
        return ok(f"begins with page 1's last record and has {new}{detected}.")
    if repeated and not responses.is_offset:
        return warn(
            f"{repeated} of its {len(second)} records were on page 1{detected}: the list "
            "changed in between, or has no stable order."
        )
    if repeated:
        return ok(f"has {new}.")
    return ok(f"{pluralize(len(second))}, none of them on page 1{detected}.")


def check_page_size(responses: ProbeResponses) -> Finding:
    """Check the number of records that a page really has."""
    sizes, total = [len(responses.records), len(responses.page_2.rows)], responses.reported_total
    size = max(sizes) if responses.new_count else sizes[0]
    setting, requested = _find_requested_size(responses)
    if not responses.records:
        return skip("page 1 has no records.")
    if requested is None:
        return skip(f"{pluralize(sizes[0])} per page; no size is requested.")
    if size == requested:
        return ok(f"{pluralize(size)}, as requested.")
    name, change = setting[-1], {setting: size}
    if size > requested:
        return warn(
            f"{size} records, {requested} requested: the server ignores `{name}`.",
            change if responses.is_offset else {},
        )
    received = f"{size} of {requested} requested records"
    if responses.new_count or (total and total.count > sizes[0]):
        return warn(f"{received}: the server's limit is lower; set `{name}: {size}`.", change)
    return ok(f"{received}: the list has no more.")


def _find_requested_size(responses: ProbeResponses) -> tuple[Setting, int | None]:
    """Return the setting that requests a page size, and the size."""
    if responses.is_offset:
        return ("limit",), int(responses.paging.paginator["limit"])
    params = responses.source.events.endpoint.get("params") or {}
    for name in SIZES:
        if str(params.get(name, "")).isdecimal():
            return ("params", name), int(params[name])
    return (), None


def check_order(responses: ProbeResponses) -> Finding:
    """Check that two readings of page 1 have the same order."""
    again, first, second = responses.again, responses.page_1.ids, responses.again.ids
    if len(first) < 2:
        return skip("page 1 has fewer than two records.")
    if not again.is_ok:
        return skip(f"page 1 was not read twice: {again.response.reason}.")
    if first == second:
        return ok("the same in two readings of page 1.")
    common = [key for key in first if key in {*second}]
    if common and common == [key for key in second if key in {*first}]:
        new = pluralize(len({*second} - {*first}), "new record")
        return ok(f"stable; {new} in the second reading of page 1.")
    return (fail if responses.paging.is_numbered else warn)(
        "differs in two readings of page 1: a sync would miss or repeat records; request an order "
        "(a sort parameter in `params`)."
    )


def estimate_requests(responses: ProbeResponses) -> int | None:
    """Estimate the requests of a full sync; None when the number of records is unknown."""
    size, total = len(responses.records), responses.reported_total
    if not size:
        return None
    if total is None or total.count <= size:
        is_unknown = not (responses.ends_after_page_1 or responses.page_2.is_ok)
        return None if responses.new_count or is_unknown else 1 + responses.is_offset
    return 1 + math.ceil((total.count - size) / max(1, size - responses.is_offset))


def estimate_full_sync(responses: ProbeResponses, count: int | None) -> Finding:
    """Estimate the duration of a full sync of `count` requests, if that is known."""
    pages = (*responses.walk.read, responses.again, responses.last)
    seconds = median(page.response.seconds for page in pages if page and page.response.seconds)
    each = f"{pluralize(len(responses.records))} in {format_duration(seconds)}"
    if count is None:
        return skip(f"unknown without a total; a request returns {each}.")
    config, is_numbered = responses.paging.paginator, responses.paging.is_numbered
    is_in_body = is_numbered and any(name.endswith("_body_path") for name in config)
    is_ahead = is_numbered and not is_in_body
    concurrency = min(responses.source.concurrency, CAUTIOUS, count) if is_ahead else 1
    duration = count * seconds / concurrency
    shown = f"{duration / 60:.0f} min" if duration < 6000 else f"{duration / 3600:.0f} h"
    shown = f"{max(1, duration):.0f} s" if duration < 100 else shown
    requests = pluralize(count, "request")
    return ok(f"about {shown}: {requests} of {each}, {concurrency} at a time.")
