"""Check that the reported total is the number of records."""

from __future__ import annotations

from dlt.sources.helpers.rest_client.paginators import RangePaginator

from event_assets.pagination.totals import AUTO
from event_assets.probe.report import Finding, fail, ok, skip, warn
from event_assets.probe.reported_total import LastPage, ReportedTotal
from event_assets.probe.responses import ProbeResponses


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
        return warn(
            f"{problem}; the total is {reported}: set "
            f"`total_path: {formatter.format(total.path)}`.",
            {("total_path",): total.path},
        )
    if total.count < size or (responses.new_count and total.count == size):
        what = "the length of the page" if total.count == size else "less than the page has"
        return _warn_no_total(responses, f"{path} is {total.count:,}, {what}")
    if total.count == size:
        return ok(f"{reported}, the number of records received.")
    if responses.last_page:
        return _check_on_last_page(responses, responses.last_page, total, reported)
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
    if responses.offset_paginator:
        return skip(f"none, {reason}: overlapping pages show the end.")
    if isinstance(responses.active_paginator, RangePaginator):
        return warn(f"none, {reason}: page numbers alone cannot prove that a sync is complete.")
    return skip(f"none, {reason}: cursors and links mark the last page.")


def _warn_no_total(responses: ProbeResponses, problem: str) -> Finding:
    if responses.offset_paginator:
        return warn(f"{problem}: set `total_path: null`.", {("total_path",): None})
    return warn(f"{problem}: it does not count the records.")


def _check_on_last_page(
    responses: ProbeResponses, page: LastPage, total: ReportedTotal, reported: str
) -> Finding:
    """Compare the number of records on the last page with the total."""
    at, response = f"at `{page.name}` {page.value:,}", responses.last_page_response
    if response.is_rejected:
        return fail(
            f"{reported}, but {at} {response.reason}: the API may limit how far a list can be "
            "read; read it in `windows` of time."
        )
    if not response.is_ok:
        return ok(f"{reported}; not verified: {response.reason}.")
    current = responses.total_in(response) or total
    size = max(len(responses.records), len(responses.next_records))
    expected = max(0, min(size, current.count - page.records_before))
    count = len(responses.records_in(response))
    if count == expected:
        ending = "the last record" if count == 1 else f"the last {count} records"
        return ok(f"{reported}, verified by {ending} {at}.")
    problem = f"{reported}, but the page {at} has {count} instead of {expected}"
    return _warn_no_total(responses, problem)
