"""Checks of the pages: whether they bring the whole list, their size, the total and the order."""

from __future__ import annotations

from typing import Any

from event_assets.pagination.totals import AUTO, parse_count
from event_assets.probe.paging import is_believed
from event_assets.probe.paging_candidates import SIZES
from event_assets.probe.probed_source import ProbedSource
from event_assets.probe.report import Finding, advise, fail, ok, shown, skip, warn
from event_assets.values.wording import counted


def check_pages(seen: ProbedSource) -> Finding:
    """Check that the paginator brings further records, or name one that does."""
    missed, found = len({*seen.before.ids} - seen.walk.ids), seen.found
    is_before = missed == len(seen.before.ids) or (seen.is_offset and missed == 1)
    if missed and is_before:
        name = "offset" if seen.is_offset else "base_page"
        base = int(seen.configured.paginator[name]) - 1
        where = f"offset {base}" if seen.is_offset else f"page {base}"
        problem = f"{where} has {counted(missed)} that page 1 has not"
        return advise("fail", problem, {f"paginator.{name}": base})
    if found.paginator is None:
        return _check_walk(seen)
    changes = {"paginator": found.paginator}
    changes |= {f"params.{name}": value for name, value in found.settings.items()}
    return advise(
        "fail", f"the paginator brings no record behind page 1, and {found.evidence}", changes
    )


def _check_walk(seen: ProbedSource) -> Finding:
    """Judge the first pages, as the configured paginator brings them."""
    walk, end, last = seen.walk, seen.end, seen.walk.read[-1]
    if walk.error or walk.is_done:
        is_unknown = walk.error and not (last.is_ok or last.is_rejected)  # a sync would ask again
        judged = warn if is_unknown else fail if end.problem else warn if end.doubt else ok
        return judged(f"{shown(end.problem or end.doubt or end.evidence, 300).rstrip('.')}.")
    pages = [page for page in walk.pages if page]
    if not seen.fresh:
        return _check_without_more(seen, is_empty=len(pages) == 1)
    if is_believed(walk) and not (seen.is_offset and walk.facts.shifts):
        fresh = counted(len(seen.fresh), "other record")
        return ok(f"the next {counted(len(pages) - 1, 'page')} brought {fresh}.")
    has_changed = seen.control.is_ok and {*pages[0]} != {*seen.control.ids}
    counting = f", or `{_offset_name(seen)}` counts pages (`page_number`)" if seen.is_offset else ""
    return (fail if seen.is_offset and not has_changed else warn)(
        "the pages do not follow one another: the list changed in between, or has no stable order"
        f"{counting}."
    )


def _check_without_more(seen: ProbedSource, *, is_empty: bool) -> Finding:
    """Judge a list of which the pages behind page 1 are empty, or repeat it."""
    count = len(seen.first.rows)
    if seen.total == count or (is_empty and seen.configured.is_numbered):
        return ok(f"page 1 is the whole list: {counted(count)}.")
    if is_empty:
        return warn("the pages behind page 1 are empty, but promise more: a sync reads on.")
    ignored = f"the parameter '{_offset_name(seen)}'" if seen.is_offset else "the paginator"
    return fail(f"the pages behind page 1 have only its records: the server ignores {ignored}.")


def _offset_name(seen: ProbedSource) -> Any:
    config = seen.configured.paginator
    return config.get("offset_body_path") or config.get("offset_param") or "offset"


def check_page_size(seen: ProbedSource) -> Finding:
    """Check the number of records that a page really has."""
    count = len(seen.first.rows)
    size = max(map(len, seen.walk.pages), default=count) if seen.fresh else count
    setting, requested = _find_requested_size(seen)
    if requested is None:
        return skip(f"{counted(count)} per page; no size is requested.")
    received = f"{size} of {requested} requested records"
    if size < requested == len(seen.walk.ids) and seen.walk.is_done:  # it may be that of the list
        return skip(f"{received}, and {requested} in all.")
    has_more = bool(seen.fresh) or (seen.total or 0) > count
    if size == requested or (size < requested and not has_more):
        return ok(f"{received}.")
    reason = "the server ignores it" if size > requested else "the server's limit is lower"
    return advise("warn", f"{received}: {reason}", {setting: size})


def _find_requested_size(seen: ProbedSource) -> tuple[str, int | None]:
    if seen.is_offset:
        return "paginator.limit", int(seen.configured.paginator["limit"])
    params = seen.source.events.endpoint.get("params") or {}
    found = ((f"params.{name}", parse_count(params.get(name))) for name in SIZES)
    return next((one for one in found if one[1] is not None), ("", None))


def check_total(seen: ProbedSource) -> Finding:
    """Check that the total counts the records, and where it is."""
    total, path, end = seen.total, seen.configured.total_path, seen.end
    said, is_dropped = _describe_total(seen), seen.paging.total_path != path
    is_wrong = total is not None and (is_dropped or total < len(seen.walk.ids))
    if is_wrong or (total is None and path not in (None, AUTO)):
        return _warn_no_total(seen, f"{said}, and there are more records" if is_wrong else said)
    if total is None:
        return skip("the response has none." if path else "none, as configured.")
    if not seen.fresh and total > len(seen.first.rows):
        return skip(f"{said}, but no records came behind page 1.")
    if end.is_short:
        return _warn_no_total(seen, f"{said}: {(end.problem or end.doubt).rstrip('.')}")
    if end.problem and not (seen.walk.is_done or seen.walk.error):
        return fail(f"{end.problem}. Read the list in `windows` of time, if the API limits it.")
    if total == len(seen.walk.ids):
        return ok(f"{said}, the number of records received.")
    return ok(f"{said}: {end.evidence or 'not verified'}.")


def _describe_total(seen: ProbedSource) -> str:
    path, total = seen.configured.total_path, seen.total
    if total is None:
        return "no total is at the usual paths" if path == AUTO else f"`{path}` has none"
    totals = seen.first.totals  # a number of pages may stand at the configured path
    usual = next((where for where, count in totals.items() if count == total), path)
    return f"{total:,} under `{shown(path if totals.get(path) == total else usual)}`"


def _warn_no_total(seen: ProbedSource, problem: str) -> Finding:
    if seen.is_offset and not seen.before.rows:
        is_elsewhere = seen.total is None and bool(seen.first.totals)
        return advise("warn", problem, {"paginator.total_path": AUTO if is_elsewhere else None})
    return warn(f"{problem}: it does not count the records.")


def check_order(seen: ProbedSource) -> Finding:
    """Check that two readings of page 1 have the same order."""
    if len(seen.first.ids) < 2:
        return skip("page 1 has fewer than two records.")
    if not seen.control.is_ok:
        return skip(f"page 1 was not read twice: {seen.control.reason}.")
    if seen.paging.is_stable:
        new = len({*seen.control.ids} - {*seen.first.ids})
        return ok(f"the same in two readings of page 1{f', with {new} new' if new else ''}.")
    return (fail if seen.configured.is_numbered else warn)(
        "differs in two readings of page 1: a sync would miss or repeat records; request an order "
        "(a sort parameter in `params`)."
    )
