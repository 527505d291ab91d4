"""Checks of pagination: page 2, the page size, the order, and an estimate of a full sync."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from statistics import median

from dlt.sources.helpers.rest_client.paginators import RangePaginator, SinglePagePaginator

from event_assets.pagination import MonitoredPaginator, PageNumberPaginator
from event_assets.probe.formatting import format_duration, pluralize
from event_assets.probe.report import Finding, Setting
from event_assets.probe.responses import ProbeResponses

SIZE_PARAMS = (
    *("limit", "per_page", "perPage", "page_size", "pageSize", "pagesize", "size", "page[size]"),
    *("count", "rows", "max_results", "maxResults", "$top", "first", "take", "num"),
)


def check_page_2(responses: ProbeResponses) -> Finding:
    """Check that page 2 has new records and follows page 1."""
    name, page = "page 2", responses.page_2
    if not responses.records:
        return Finding("-", name, "page 1 has no records.")
    if responses.paging_error:
        return Finding("fail", name, responses.formatter.format(responses.paging_error, 300))
    if responses.ends_after_page_1:
        return _check_single_page(responses)
    if not page.is_ok:
        return Finding("fail" if page.is_rejected else "warn", name, f"missing: {page.reason}.")
    if _is_whole_list(responses):
        return Finding("-", name, f"page 1 is the whole list: {pluralize(len(responses.records))}.")
    if responses.new_count:
        return _check_continuity(responses)
    problem = "has only records of page 1" if responses.next_records else "is empty"
    return Finding("fail", name, f"{problem}: {_explain_repeated_page(responses)}.")


def _check_single_page(responses: ProbeResponses) -> Finding:
    """Check that the list is complete when the paginator sees no page 2."""
    count = len(responses.records)
    if _has_more_records(responses):
        total = responses.reported_total.count if responses.reported_total else 0
        advice = (
            "name the API's `paginator`"
            if responses.uses_paginator(SinglePagePaginator)
            else "check the paginator's type and its paths in defs.yaml"
        )
        return Finding(
            "fail",
            "page 2",
            f"the paginator finds no next page, but the API reports {total:,} records and page 1 "
            f"has {count}: {advice}.",
        )
    if _is_detected(responses) and responses.uses_paginator(SinglePagePaginator):
        return Finding(
            "warn",
            "page 2",
            f"no paginator was detected, so a sync loads these {pluralize(count)} only; offsets "
            "and page numbers cannot be detected: set `paginator`, or `single_page`.",
        )
    return Finding("-", "page 2", f"page 1 is the whole list: {pluralize(count)}.")


def _has_more_records(responses: ProbeResponses) -> bool:
    total = responses.reported_total
    return total is not None and total.count > len(responses.records)


def _is_whole_list(responses: ProbeResponses) -> bool:
    """Return whether page 2 is empty and no total says that more records exist.

    Offset paging requests the last record of page 1 again.
    """
    overlap = 1 if responses.offset_paginator and len(responses.records) > 1 else 0
    return (
        len(responses.next_records) <= overlap
        and not responses.new_count
        and not _has_more_records(responses)
    )


def _explain_repeated_page(responses: ProbeResponses) -> str:
    if responses.offset_paginator:
        return (
            f"the server ignores `{_offset_name(responses)}`; set the paginator's `offset_param` "
            "to the API's name for it, or use `single_page` if the API has no pages"
        )
    if responses.uses_paginator(RangePaginator):
        return (
            "the server ignores the page number, or counts from another number; check "
            "`page_param` and `base_page`"
        )
    return "the server ignores the cursor or link; check the paginator's `cursor_param` and paths"


def _offset_name(responses: ProbeResponses) -> str | None:
    paginator = responses.offset_paginator
    return None if paginator is None else paginator.offset_param or paginator.offset_body_path


def _check_continuity(responses: ProbeResponses) -> Finding:
    """Check that page 2 follows page 1 without a gap or repeated records."""
    first = responses.record_ids(responses.records)
    second = responses.record_ids(responses.next_records)
    repeated = len(set(first) & set(second))
    if responses.offset_paginator is None:
        detected = ""
        if _is_detected(responses) and isinstance(responses.paginator, MonitoredPaginator):
            detected = f" ({type(responses.paginator.active_paginator).__name__}, detected)"
        if repeated:
            return Finding(
                "warn",
                "page 2",
                f"{repeated} of its {len(second)} records were on page 1{detected}: the list "
                "changed in between, or has no stable order.",
            )
        message = f"{pluralize(len(second))}, none of them on page 1{detected}."
        return Finding("ok", "page 2", message)
    if first[-1] in second or len(first) == 1:
        overlap = "begins with page 1's last record and " if repeated == 1 else ""
        return Finding(
            "ok", "page 2", f"{overlap}has {pluralize(responses.new_count, 'new record')}."
        )
    repeated_page = responses.page_1_again
    changed = repeated_page.is_ok and set(first) != set(
        responses.record_ids(responses.records_in(repeated_page))
    )
    return Finding(
        "warn" if changed else "fail",
        "page 2",
        "page 1's last record is not on it: the list changed in between, or "
        f"`{_offset_name(responses)}` does not count records (pages: use `page_number`).",
    )


def _is_detected(responses: ProbeResponses) -> bool:
    return responses.paginator_config.get("type") == "auto"


def check_page_size(responses: ProbeResponses) -> Finding:
    """Check the number of records that a page really has."""
    name, sizes = "page size", [len(responses.records), len(responses.next_records)]
    size = max(sizes) if responses.new_count else sizes[0]
    setting, requested = _find_requested_size(responses)
    if not responses.records:
        return Finding("-", name, "page 1 has no records.")
    if requested is None:
        return Finding("-", name, f"{pluralize(sizes[0])} per page; no size is requested.")
    received = f"{size} of {requested} requested records"
    if size > requested:
        return Finding(
            "warn",
            name,
            f"{size} records, {requested} requested: the server ignores `{setting[-1]}`.",
            {setting: size} if responses.offset_paginator else {},
        )
    if size < requested and (responses.new_count or _has_more_records(responses)):
        return Finding(
            "warn",
            name,
            f"{received}: the server's limit is lower; set `{setting[-1]}: {size}`.",
            {setting: size},
        )
    if size < requested:
        return Finding("ok", name, f"{received}: the list has no more.")
    return Finding("ok", name, f"{pluralize(size)}, as requested.")


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
    name, repeated = "order", responses.page_1_again
    if len(responses.records) < 2:
        return Finding("-", name, "page 1 has fewer than two records.")
    if not repeated.is_ok:
        return Finding("-", name, f"page 1 was not read twice: {repeated.reason}.")
    first = responses.record_ids(responses.records)
    second = responses.record_ids(responses.records_in(repeated))
    if first == second:
        return Finding("ok", name, "the same in two readings of page 1.")
    common = _filter_ids(first, set(second))
    if common and common == _filter_ids(second, set(first)):
        new = pluralize(len(set(second) - set(first)), "new record")
        return Finding("ok", name, f"stable; {new} in the second reading of page 1.")
    positional = responses.offset_paginator is not None or responses.uses_paginator(RangePaginator)
    return Finding(
        "fail" if positional else "warn",
        name,
        "differs in two readings of page 1: a sync would miss or repeat records; request an order "
        "(a sort parameter in `params`).",
    )


def _filter_ids(ids: Sequence[Hashable], kept: set[Hashable]) -> list[Hashable]:
    return [key for key in ids if key in kept]


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


def estimate_full_sync(responses: ProbeResponses) -> Finding:
    """Estimate the duration of a full sync."""
    name, count = "full sync", estimate_requests(responses)
    pages = (
        *(responses.page_1, responses.page_2),
        *(responses.page_1_again, responses.last_page_response),
    )
    seconds = median(page.seconds for page in pages if page.is_ok and page.seconds)
    each = f"{pluralize(len(responses.records))} in {format_duration(seconds)}"
    if count is None:
        return Finding("-", name, f"unknown without a total; a request returns {each}.")
    concurrency = min(responses.source.concurrency, count) if _can_read_ahead(responses) else 1
    duration = _format_estimate(count * seconds / concurrency)
    requests = pluralize(count, "request")
    return Finding("ok", name, f"about {duration}: {requests} of {each}, {concurrency} at a time.")


def _can_read_ahead(responses: ProbeResponses) -> bool:
    """Return whether a sync knows the next pages in advance."""
    if responses.offset_paginator:
        return bool(responses.offset_paginator.offset_param)
    paginator = responses.paginator
    numbers = paginator.active_paginator if isinstance(paginator, MonitoredPaginator) else None
    return isinstance(numbers, PageNumberPaginator) and bool(numbers.param_name)


def _format_estimate(seconds: float) -> str:
    if seconds < 1:
        return "1 s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"
