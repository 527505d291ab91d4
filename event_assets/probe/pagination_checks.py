"""Checks of pagination: page 2, the page size, the order, and an estimate of a full sync."""

from __future__ import annotations

import math
from statistics import median

from dlt.sources.helpers.rest_client.paginators import RangePaginator, SinglePagePaginator

from event_assets.http.window import CAUTIOUS
from event_assets.pagination.evidence import judge
from event_assets.probe.formatting import format_duration, pluralize
from event_assets.probe.paginator_finder import describe_paginator
from event_assets.probe.report import Finding, Setting, fail, ok, skip, warn
from event_assets.probe.responses import ProbeResponses

SIZE_PARAMS = (
    *("limit", "per_page", "perPage", "page_size", "pageSize", "pagesize", "size", "page[size]"),
    *("count", "rows", "max_results", "maxResults", "$top", "first", "take", "num"),
)


def check_page_2(responses: ProbeResponses) -> Finding:
    """Check that page 2 has new records and follows page 1."""
    found, paging = _check_page_2(responses), responses.found_paging
    if paging.paginator is None:
        return found
    named = describe_paginator(paging.paginator)
    problem = f"{found.message.rstrip('.')}. {paging.evidence[:1].upper()}{paging.evidence[1:]}"
    return fail(f"{problem}: set `paginator: {{{named}}}`.", {("paginator",): paging.paginator})


def _check_page_2(responses: ProbeResponses) -> Finding:
    page, count = responses.page_2, len(responses.records)
    if not count:
        return skip("page 1 has no records.")
    if responses.paging_error:
        return fail(responses.formatter.format(responses.paging_error, 300))
    if responses.ends_after_page_1:
        return _check_single_page(responses)
    if not page.is_ok:
        return (fail if page.is_rejected else warn)(f"missing: {page.reason}.")
    if responses.new_count:
        if responses.offset_paginator:
            return _check_offset(responses)
        return _check_continuity(responses)
    if responses.promises_more:
        return warn("the two pages behind page 1 are empty, but promise more: a sync reads on.")
    # Offset paging requests the last record of page 1 again.
    overlap = 1 if responses.offset_paginator and count > 1 else 0
    if len(responses.next_records) <= overlap and not _has_more_records(responses):
        return skip(f"page 1 is the whole list: {pluralize(count)}.")
    problem = "has only records of page 1" if responses.next_records else "is empty"
    return fail(f"{problem}: {_explain_repeated_page(responses)}.")


def _check_single_page(responses: ProbeResponses) -> Finding:
    """Check that the list is complete when the paginator sees no page 2."""
    count, total = len(responses.records), responses.reported_total
    has_no_pages = isinstance(responses.active_paginator, SinglePagePaginator)
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
    facts = responses.first_request.paginator.facts
    verdict = judge(facts)
    if verdict.complete is False:
        return fail(verdict.reason)
    if has_no_pages and responses.paginator_config["type"] == "auto":
        return warn(
            f"no paginator was detected, so a sync loads these {pluralize(count)} only; offsets "
            "and page numbers cannot be detected: set `paginator`, or `single_page`."
        )
    if verdict.complete is None and facts.end == "no pointer":
        return warn(
            f"{verdict.reason} If the API tells a cursor only to those who send one, set its first "
            "value in `params` (often `*`)."
        )
    return skip(f"page 1 is the whole list: {pluralize(count)}.")


def _has_more_records(responses: ProbeResponses) -> bool:
    total = responses.reported_total
    return total is not None and total.count > len(responses.records)


def _explain_repeated_page(responses: ProbeResponses) -> str:
    if responses.offset_paginator:
        return (
            f"the server ignores `{_offset_name(responses)}`; set the paginator's `offset_param` "
            "to the API's name for it, or use `single_page` if the API has no pages"
        )
    if isinstance(responses.active_paginator, RangePaginator):
        return (
            "the server ignores the page number, or counts from another number; check "
            "`page_param` and `base_page`"
        )
    return "the server ignores the cursor or link; check the paginator's `cursor_param` and paths"


def _offset_name(responses: ProbeResponses) -> str | None:
    paginator = responses.offset_paginator
    return None if paginator is None else paginator.param_name or paginator.param_body_path


def _check_continuity(responses: ProbeResponses) -> Finding:
    """Check that page 2 repeats no records of page 1."""
    first, second = responses.ids_in(responses.page_1), responses.ids_in(responses.page_2)
    detected, repeated = "", len(set(first) & set(second))
    if responses.paginator_config["type"] == "auto":
        detected = f" ({type(responses.active_paginator).__name__}, detected)"
    if repeated == 1 and second[0] == first[-1]:  # a link or cursor that counts rows
        count = pluralize(responses.new_count, "new record")
        return ok(f"begins with page 1's last record and has {count}{detected}.")
    if repeated:
        return warn(
            f"{repeated} of its {len(second)} records were on page 1{detected}: the list "
            "changed in between, or has no stable order."
        )
    return ok(f"{pluralize(len(second))}, none of them on page 1{detected}.")


def _check_offset(responses: ProbeResponses) -> Finding:
    """Check that page 2 begins with the last record of page 1, which offset paging repeats."""
    first, second = responses.ids_in(responses.page_1), responses.ids_in(responses.page_2)
    if first[-1] in second or len(first) == 1:
        repeated = len(set(first) & set(second))
        overlap = "begins with page 1's last record and " if repeated == 1 else ""
        return ok(f"{overlap}has {pluralize(responses.new_count, 'new record')}.")
    again = responses.page_1_again
    changed = again.is_ok and set(first) != set(responses.ids_in(again))
    return (warn if changed else fail)(
        "page 1's last record is not on it: the list changed in between, or "
        f"`{_offset_name(responses)}` does not count records (pages: use `page_number`)."
    )


def check_page_size(responses: ProbeResponses) -> Finding:
    """Check the number of records that a page really has."""
    sizes = [len(responses.records), len(responses.next_records)]
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
            change if responses.offset_paginator else {},
        )
    received = f"{size} of {requested} requested records"
    if responses.new_count or _has_more_records(responses):
        return warn(f"{received}: the server's limit is lower; set `{name}: {size}`.", change)
    return ok(f"{received}: the list has no more.")


def _find_requested_size(responses: ProbeResponses) -> tuple[Setting, int | None]:
    """Return the setting that requests a page size, and the size."""
    if responses.offset_paginator:
        return ("limit",), responses.offset_paginator.limit
    params = responses.first_request.endpoint.get("params") or {}
    for name in SIZE_PARAMS:
        if str(params.get(name, "")).isdecimal():
            return ("params", name), int(params[name])
    return (), None


def check_order(responses: ProbeResponses) -> Finding:
    """Check that two readings of page 1 have the same order."""
    repeated = responses.page_1_again
    if len(responses.records) < 2:
        return skip("page 1 has fewer than two records.")
    if not repeated.is_ok:
        return skip(f"page 1 was not read twice: {repeated.reason}.")
    first, second = responses.ids_in(responses.page_1), responses.ids_in(repeated)
    if first == second:
        return ok("the same in two readings of page 1.")
    old_ids, new_ids = set(first), set(second)
    common = [key for key in first if key in new_ids]
    if common and common == [key for key in second if key in old_ids]:
        new = pluralize(len(new_ids - old_ids), "new record")
        return ok(f"stable; {new} in the second reading of page 1.")
    positional = isinstance(responses.active_paginator, RangePaginator)
    return (fail if positional else warn)(
        "differs in two readings of page 1: a sync would miss or repeat records; request an order "
        "(a sort parameter in `params`)."
    )


def estimate_requests(responses: ProbeResponses) -> int | None:
    """Estimate the requests of a full sync; None when the number of records is unknown."""
    size, total = len(responses.records), responses.reported_total
    if not size:
        return None
    if total is None or total.count <= size:
        if responses.new_count or not (responses.ends_after_page_1 or responses.page_2.is_ok):
            return None
        return 2 if responses.offset_paginator else 1
    step = max(1, size - 1) if responses.offset_paginator else size
    return 1 + math.ceil((total.count - size) / step)


def estimate_full_sync(responses: ProbeResponses, count: int | None) -> Finding:
    """Estimate the duration of a full sync of `count` requests, if that is known."""
    pages = (
        *(responses.page_1, responses.page_2),
        *(responses.page_1_again, responses.last_page_response),
    )
    seconds = median(page.seconds for page in pages if page.is_ok and page.seconds)
    each = f"{pluralize(len(responses.records))} in {format_duration(seconds)}"
    if count is None:
        return skip(f"unknown without a total; a request returns {each}.")
    paginator = responses.active_paginator
    is_read_ahead = isinstance(paginator, RangePaginator) and paginator.param_name
    concurrency = min(responses.source.concurrency, CAUTIOUS, count) if is_read_ahead else 1
    duration = _format_estimate(count * seconds / concurrency)
    requests = pluralize(count, "request")
    return ok(f"about {duration}: {requests} of {each}, {concurrency} at a time.")


def _format_estimate(seconds: float) -> str:
    if seconds < 100:
        return f"{max(1, seconds):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"
