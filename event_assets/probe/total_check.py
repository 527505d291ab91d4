"""Is the total one?"""

from __future__ import annotations

from dlt.sources.helpers.rest_client.paginators import RangePaginator

from event_assets.pagination import MonitoredPaginator
from event_assets.pagination.totals import AUTO
from event_assets.probe.answers import ProbeAnswers
from event_assets.probe.report import Finding
from event_assets.probe.reported_total import ReportedTotal

NAME = "total"


def total(seen: ProbeAnswers) -> Finding:
    """Say where the total is, and whether it counts the records."""
    own, claim = seen.claim_in(seen.first), seen.claim
    if not seen.rows:
        return Finding("-", NAME, "page 1 has no records.")
    if claim is None:
        return _none(seen)
    where = f"`{seen.words.show(claim.where)}`"
    if claim != own:
        there = f"is {own.count:,}, not the total" if own else "is not in the answer"
        named = own.where if own else seen.total_path
        return Finding(
            "warn",
            NAME,
            f"`{seen.words.show(named)}` {there}; it is {claim.count:,} under {where}: "
            f"set `total_path: {seen.words.show(claim.where)}`.",
            {("total_path",): claim.where},
        )
    size = len(seen.rows)
    if claim.count < size or (seen.fresh and claim.count == size):
        what = "the length of the page" if claim.count == size else "less than the page has"
        return _no_total(seen, f"{where} is {claim.count:,}, {what}")
    if claim.count == size:
        return Finding("ok", NAME, f"{claim.count:,} under {where}, as many as came.")
    return _checked(seen, claim, where)


def _none(seen: ProbeAnswers) -> Finding:
    path = seen.total_path
    if path not in (None, AUTO):
        return _no_total(seen, f"`{seen.words.show(path)}` is not in the answer")
    said = "as the configuration says" if path is None else "the answer has no total"
    if seen.offsets:
        return Finding("-", NAME, f"none, {said}: a sync is complete when its pages join.")
    paginator = seen.paginator
    if isinstance(paginator, MonitoredPaginator) and isinstance(
        paginator.following, RangePaginator
    ):
        return Finding(
            "warn",
            NAME,
            f"none, {said}: by page numbers alone, a sync cannot say that it is complete.",
        )
    return Finding("-", NAME, f"none, {said}: cursors and links end by themselves.")


def _no_total(seen: ProbeAnswers, problem: str) -> Finding:
    if seen.offsets:
        return Finding("warn", NAME, f"{problem}: set `total_path: null`.", {("total_path",): None})
    return Finding("warn", NAME, f"{problem}: it says nothing of how many there are.")


def _checked(seen: ProbeAnswers, claim: ReportedTotal, where: str) -> Finding:
    """Is there as much on the last page as the total says?"""
    reported = f"{claim.count:,} under {where}"
    if seen.target is None:
        if seen.second.good and not seen.fresh:
            return Finding("warn", NAME, f"{reported}, but page 2 brings no more.")
        how = "reading in windows" if seen.source.windows else "the way of paging"
        return Finding("ok", NAME, f"{reported}; {how} leaves it unchecked.")
    at = f"at `{seen.target.name}` {seen.target.value:,}"
    last = seen.last
    if not last.good:
        if last.refused:
            return Finding(
                "fail",
                NAME,
                f"{reported}, but {at} {last.why}: it may let nobody read that far; have the "
                "list read in `windows` of time.",
            )
        return Finding("ok", NAME, f"{reported}; unchecked: {last.why}.")
    now = seen.claim_in(last) or claim
    size = max(len(seen.rows), len(seen.rows_after))
    expected = max(0, min(size, now.count - seen.target.before))
    came = len(seen.rows_of(last))
    if came == expected:
        ending = "the last one" if came == 1 else f"the last {came}"
        return Finding("ok", NAME, f"{reported}, and {at} {ending} came.")
    return _no_total(seen, f"{reported}, but {at} {came} came, not {expected}")
