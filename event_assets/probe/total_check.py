"""Check that the reported total is the number of records."""

from __future__ import annotations

from dlt.sources.helpers.rest_client.paginators import RangePaginator

from event_assets.pagination.totals import AUTO
from event_assets.probe.report import Finding
from event_assets.probe.reported_total import LastPage, ReportedTotal
from event_assets.probe.responses import ProbeResponses

NAME = "total"


def check_total(responses: ProbeResponses) -> Finding:
    """Check where the total is, and whether it counts the records."""
    configured, total = responses.total_in(responses.page_1), responses.reported_total
    formatter, size = responses.formatter, len(responses.records)
    if not size:
        return Finding("-", NAME, "page 1 has no records.")
    if total is None:
        return _check_missing_total(responses)
    path = f"`{formatter.format(total.path)}`"
    if total != configured:
        named = formatter.format(configured.path if configured else responses.total_path)
        problem = (
            f"is {configured.count:,}, not the total" if configured else "is not in the response"
        )
        return Finding(
            "warn",
            NAME,
            f"`{named}` {problem}; the total is {total.count:,} under {path}: set "
            f"`total_path: {formatter.format(total.path)}`.",
            {("total_path",): total.path},
        )
    if total.count < size or (responses.new_count and total.count == size):
        what = "the length of the page" if total.count == size else "less than the page has"
        return _warn_no_total(responses, f"{path} is {total.count:,}, {what}")
    if total.count == size:
        return Finding("ok", NAME, f"{total.count:,} under {path}, the number of records received.")
    if responses.last_page is None:
        return _check_without_last_page(responses, f"{total.count:,} under {path}")
    return _check_on_last_page(responses, responses.last_page, total, path)


def _check_missing_total(responses: ProbeResponses) -> Finding:
    path = responses.total_path
    if path not in (None, AUTO):
        return _warn_no_total(
            responses, f"`{responses.formatter.format(path)}` is not in the response"
        )
    reason = "as configured" if path is None else "the response has no total"
    if responses.offset_paginator:
        return Finding("-", NAME, f"none, {reason}: overlapping pages show the end.")
    if responses.uses_paginator(RangePaginator):
        return Finding(
            "warn",
            NAME,
            f"none, {reason}: page numbers alone cannot prove that a sync is complete.",
        )
    return Finding("-", NAME, f"none, {reason}: cursors and links mark the last page.")


def _warn_no_total(responses: ProbeResponses, problem: str) -> Finding:
    if responses.offset_paginator:
        return Finding("warn", NAME, f"{problem}: set `total_path: null`.", {("total_path",): None})
    return Finding("warn", NAME, f"{problem}: it does not count the records.")


def _check_without_last_page(responses: ProbeResponses, reported: str) -> Finding:
    if responses.page_2.is_ok and not responses.new_count:
        return Finding("warn", NAME, f"{reported}, but page 2 has no new records.")
    reason = "windows" if responses.source.windows else "this paginator"
    return Finding("ok", NAME, f"{reported}; not verified: {reason} cannot request the last page.")


def _check_on_last_page(
    responses: ProbeResponses, page: LastPage, total: ReportedTotal, path: str
) -> Finding:
    """Compare the number of records on the last page with the total."""
    reported = f"{total.count:,} under {path}"
    at, response = f"at `{page.name}` {page.value:,}", responses.last_page_response
    if response.is_rejected:
        return Finding(
            "fail",
            NAME,
            f"{reported}, but {at} {response.reason}: the API may limit how far a list can be "
            "read; read it in `windows` of time.",
        )
    if not response.is_ok:
        return Finding("ok", NAME, f"{reported}; not verified: {response.reason}.")
    current = responses.total_in(response) or total
    size = max(len(responses.records), len(responses.next_records))
    expected = max(0, min(size, current.count - page.records_before))
    count = len(responses.records_in(response))
    if count == expected:
        ending = "the last record" if count == 1 else f"the last {count} records"
        return Finding("ok", NAME, f"{reported}, verified by {ending} {at}.")
    return _warn_no_total(
        responses, f"{reported}, but the page {at} has {count} instead of {expected}"
    )
