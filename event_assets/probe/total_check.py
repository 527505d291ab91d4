"""Check that the reported total is the number of records."""

from __future__ import annotations

from event_assets.pagination.totals import AUTO
from event_assets.probe.explorer import Page
from event_assets.probe.formatting import pluralize
from event_assets.probe.report import Finding, fail, ok, skip, warn
from event_assets.probe.responses import ProbeResponses
from event_assets.probe.totals import ReportedTotal


def check_total(responses: ProbeResponses) -> Finding:
    """Check where the total is, and whether it counts the records."""
    configured, total = responses.total_in(responses.page_1), responses.reported_total
    formatter, size = responses.formatter, len(responses.records)
    if not size:
        return skip("page 1 has no records.")
    if total is None:
        return _check_missing_total(responses)
    path = f"`{formatter.format(total.path)}`"
    reported = f"{total.count:,} under {path}"
    if total != configured:
        named = formatter.format(configured.path if configured else responses.total_path)
        problem = f"`{named}` is not in the response"
        if configured:
            problem = f"`{named}` is {configured.count:,}, not the total"
        elif named == AUTO:
            problem = "no total is at the usual paths"
        advice = f"set `total_path: {formatter.format(total.path)}`"
        return warn(f"{problem}; the total is {reported}: {advice}.", {("total_path",): total.path})
    if total.count < size or (responses.new_count and total.count == size):
        what = "the length of the page" if total.count == size else "less than the page has"
        return _warn_no_total(responses, f"{path} is {total.count:,}, {what}")
    if total.count == size:
        return ok(f"{reported}, the number of records received.")
    if responses.last:
        return _check_on_last_page(responses, responses.last, total, reported)
    if responses.page_2.is_ok and not responses.new_count:
        return warn(f"{reported}, but page 2 has no new records.")
    reason = "windows" if responses.source.windows else "this paginator"
    return ok(f"{reported}; not verified: {reason} cannot request the last page.")


def _check_missing_total(responses: ProbeResponses) -> Finding:
    path = responses.total_path
    if path not in (None, AUTO):
        named = responses.formatter.format(path)
        return _warn_no_total(responses, f"`{named}` is not in the response")
    reason = "as configured" if path is None else "the response has no total"
    if responses.is_offset:
        return skip(f"none, {reason}: overlapping pages show the end.")
    if responses.paging.is_numbered:
        return skip(f"none, {reason}: a second reading shows the end.")
    return skip(f"none, {reason}: cursors and links mark the last page.")


def _warn_no_total(responses: ProbeResponses, problem: str) -> Finding:
    if responses.is_offset:
        return warn(f"{problem}: set `total_path: null`.", {("total_path",): None})
    return warn(f"{problem}: it does not count the records.")


def _check_on_last_page(
    responses: ProbeResponses, last: Page, total: ReportedTotal, reported: str
) -> Finding:
    """Compare the number of records on the last page with the total."""
    response, size = last.response, len(responses.records)
    if response.is_rejected:
        return fail(
            f"{reported}, but its last page cannot be read: {response.reason}. The API may limit "
            "how far a list can be read; read it in `windows` of time."
        )
    if not response.is_ok:
        return ok(f"{reported}; not verified: {response.reason}.")
    before = (total.count - 1) // size * size
    current = responses.total_in(last) or total
    expected, count = max(0, min(size, current.count - before)), len(last.rows)
    if count == expected:
        return ok(f"{reported}, verified by its last page, which has {pluralize(count)}.")
    problem = f"{reported}, but its last page has {count} instead of {expected}"
    return _warn_no_total(responses, problem)
