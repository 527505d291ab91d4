"""How the API pages: is page 2 another one, how large are they, and is there an order?"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from statistics import median

from dlt.sources.helpers.rest_client.paginators import RangePaginator, SinglePagePaginator

from event_assets.pagination import MonitoredPaginator, PageNumberPaginator
from event_assets.probe.answers import ProbeAnswers
from event_assets.probe.formatting import format_duration, pluralize
from event_assets.probe.report import Finding, Setting

SIZE_NAMES = (
    *("limit", "per_page", "perPage", "page_size", "pageSize", "pagesize", "size", "page[size]"),
    *("count", "rows", "max_results", "maxResults", "$top", "first", "take", "num"),
)


def page_two(seen: ProbeAnswers) -> Finding:
    """Say whether page 2 differs from page 1, and follows it."""
    name, second = "page 2", seen.second
    if not seen.rows:
        return Finding("-", name, "page 1 has no records.")
    if seen.trouble:
        return Finding("fail", name, seen.words.show(seen.trouble, 300))
    if seen.ended:
        return _last(seen)
    if not second.good:
        return Finding(
            "fail" if second.refused else "warn", name, f"it did not come: {second.why}."
        )
    if _is_whole(seen):
        return Finding("-", name, f"page 1 is the whole list: {pluralize(len(seen.rows))}.")
    if seen.fresh:
        return _follows(seen)
    came = "brings nothing that was not on page 1" if seen.rows_after else "is empty"
    return Finding("fail", name, f"it {came}: {_ignored(seen)}.")


def _last(seen: ProbeAnswers) -> Finding:
    """The paginator takes page 1 for the last."""
    count = len(seen.rows)
    if _promised(seen):
        total = seen.claim.count if seen.claim else 0
        return Finding(
            "fail",
            "page 2",
            f"the paginator finds no way to it, but the API reports {total:,} records and page 1 "
            f"has {count}: {_advice(seen)}.",
        )
    if seen.resource_paginator.get("type") == "auto" and _run_is(seen, SinglePagePaginator):
        return Finding(
            "warn",
            "page 2",
            f"no way to it was found by itself, so {pluralize(count)} are taken for all; offsets "
            "and page numbers are never found: name the `paginator`, or say `single_page`.",
        )
    return Finding("-", "page 2", f"page 1 is the whole list: {pluralize(count)}.")


def _promised(seen: ProbeAnswers) -> bool:
    return seen.claim is not None and seen.claim.count > len(seen.rows)


def _is_whole(seen: ProbeAnswers) -> bool:
    """Did nothing come after page 1, where nothing more was promised?

    Offset paging asks from the last record on, which comes again.
    """
    again = 1 if seen.offsets and len(seen.rows) > 1 else 0
    return len(seen.rows_after) <= again and not seen.fresh and not _promised(seen)


def _run_is(seen: ProbeAnswers, kind: type) -> bool:
    paginator = seen.paginator
    return isinstance(paginator, MonitoredPaginator) and isinstance(paginator.following, kind)


def _advice(seen: ProbeAnswers) -> str:
    if _run_is(seen, SinglePagePaginator):
        return "name the `paginator` that the API has"
    return "check the paginator's type and its paths in defs.yaml"


def _ignored(seen: ProbeAnswers) -> str:
    """Say what to do when the same page comes again."""
    if seen.offsets:
        name = seen.offsets.offset_param or seen.offsets.offset_body_path
        return (
            f"the server ignores `{name}`; set the paginator's `offset_param` to what it is "
            "called, or `single_page` if the API has no pages"
        )
    if _run_is(seen, RangePaginator):
        return (
            "the server ignores the page's number, or counts from another one; check `page_param` "
            "and `base_page`"
        )
    return "the cursor or link leads nowhere; check the paginator's `cursor_param` and paths"


def _follows(seen: ProbeAnswers) -> Finding:
    """Page 2 brings new records: does it follow page 1 without a gap, and without repeats?"""
    first, after = seen.ids_of(seen.rows), seen.ids_of(seen.rows_after)
    again = len(set(first) & set(after))
    found = _found_by_itself(seen)
    if seen.offsets is None:
        if again:
            return Finding(
                "warn",
                "page 2",
                f"{again} of its {len(after)} records were on page 1 already{found}: the list "
                "moved between, or has no stable order.",
            )
        return Finding("ok", "page 2", f"{pluralize(len(after))}, none of them on page 1{found}.")
    if first[-1] in after or len(first) == 1:
        held = "begins with page 1's last record, and " if again == 1 else ""
        return Finding("ok", "page 2", f"{held}brings {seen.fresh} others.")
    name = seen.offsets.offset_param or seen.offsets.offset_body_path
    moved = seen.again.good and set(seen.ids_of(seen.rows_of(seen.again))) != set(first)
    return Finding(
        "warn" if moved else "fail",
        "page 2",
        f"page 1's last record is not in it: the list moved between, or `{name}` counts something "
        "else than records (pages: use `page_number`).",
    )


def _found_by_itself(seen: ProbeAnswers) -> str:
    if seen.resource_paginator.get("type") != "auto" or not isinstance(
        seen.paginator, MonitoredPaginator
    ):
        return ""
    return f" (the way was found by itself: {type(seen.paginator.following).__name__})"


def page_size(seen: ProbeAnswers) -> Finding:
    """Say how many records a page really has."""
    name, sizes = "page size", [len(seen.rows), len(seen.rows_after)]
    given = max(sizes) if seen.fresh else sizes[0]
    setting, asked = _asked(seen)
    if not seen.rows:
        return Finding("-", name, "page 1 has no records.")
    if asked is None:
        return Finding("-", name, f"{pluralize(sizes[0])} a page; no size is asked for.")
    called = setting[-1]
    if given > asked:
        return Finding(
            "warn",
            name,
            f"{given} came where {asked} were asked for: the server ignores `{called}`.",
            {setting: given} if seen.offsets else {},
        )
    if given < asked and (seen.fresh or _promised(seen)):
        return Finding(
            "warn",
            name,
            f"{given} came where {asked} were asked for: the server gives no more; set "
            f"`{called}: {given}`.",
            {setting: given},
        )
    if given < asked:
        return Finding("ok", name, f"{given} came, and {asked} were asked for: there are no more.")
    return Finding("ok", name, f"{pluralize(given)}, as asked for.")


def _asked(seen: ProbeAnswers) -> tuple[Setting, int | None]:
    """Give the size that is asked for, and the setting that it is."""
    if seen.offsets:
        return ("limit",), seen.offsets.limit
    params = seen.opening.endpoint.get("params") or {}
    for name in SIZE_NAMES:
        if str(params.get(name, "")).isdecimal():
            return ("params", name), int(params[name])
    return (), None


def order(seen: ProbeAnswers) -> Finding:
    """Say whether two readings of page 1 have the same order."""
    name, again = "order", seen.again
    if len(seen.rows) < 2:
        return Finding("-", name, "page 1 has not two records.")
    if not again.good:
        return Finding("-", name, f"page 1 was not read twice: {again.why}.")
    one, two = seen.ids_of(seen.rows), seen.ids_of(seen.rows_of(again))
    if one == two:
        return Finding("ok", name, "the same in two readings of page 1.")
    if (common := _in_order(one, set(two))) and common == _in_order(two, set(one)):
        changed = len(set(two) - set(one))
        return Finding("ok", name, f"stable; {pluralize(changed)} came in between two readings.")
    counted = seen.offsets is not None or _run_is(seen, RangePaginator)
    return Finding(
        "fail" if counted else "warn",
        name,
        "two readings of page 1 differ in it: records will be missed or come twice; ask the API "
        "for an order (a sort parameter in `params`).",
    )


def _in_order(ids: Sequence[Hashable], others: set[Hashable]) -> list[Hashable]:
    return [key for key in ids if key in others]


def needed(seen: ProbeAnswers) -> int | None:
    """Estimate the requests of a full sync; None when the number of records is not known."""
    size = len(seen.rows)
    if not size:
        return None
    total = seen.claim.count if _promised(seen) and seen.claim else None
    if total is None:
        if seen.fresh or not (seen.ended or seen.second.good):
            return None
        return 2 if seen.offsets else 1
    step = max(1, size - 1) if seen.offsets else size
    return 1 + math.ceil((total - size) / step)


def full_sync(seen: ProbeAnswers) -> Finding:
    """Estimate how long a full sync takes."""
    name, requests = "full sync", needed(seen)
    replies = (seen.first, seen.second, seen.again, seen.last)
    seconds = median(reply.seconds for reply in replies if reply.good and reply.seconds)
    each = f"{pluralize(len(seen.rows))} in {format_duration(seconds)}"
    if requests is None:
        return Finding("-", name, f"not known, without a total: {each}.")
    at_once = min(seen.source.concurrency, requests) if _foreseen(seen) else 1
    took = _duration(requests * seconds / at_once)
    return Finding(
        "ok",
        name,
        f"about {took}: {pluralize(requests, 'request')} of {each}, {at_once} at a time.",
    )


def _foreseen(seen: ProbeAnswers) -> bool:
    """Can a sync ask for the pages that will follow, because their numbers are known?"""
    if seen.offsets:
        return bool(seen.offsets.offset_param)
    run = seen.paginator.following if isinstance(seen.paginator, MonitoredPaginator) else None
    return isinstance(run, PageNumberPaginator) and bool(run.param_name)


def _duration(seconds: float) -> str:
    if seconds < 1:
        return "1 s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"
