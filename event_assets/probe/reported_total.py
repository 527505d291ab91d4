"""The total that an answer reports, and where it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

from event_assets.pagination.totals import AUTO, TOTAL_HEADERS, as_count, compile_path, value_at
from event_assets.probe.suggestions import Place, total_place


@dataclass(frozen=True)
class ReportedTotal:
    """A total that an API reports: how many, and the path or header."""

    count: int
    where: str


def claimed(document: Any, answer: requests.Response, path: Any) -> ReportedTotal | None:
    """Find the total as a sync does: at `path`, or where it usually is; None: there is none."""
    if path is None:
        return None
    if path != AUTO:
        compiled = compile_path(path)
        count = as_count(value_at(document, compiled)) if compiled else None
        return None if count is None else ReportedTotal(count, str(path))
    return usual(document) or _in_headers(answer)


def usual(document: Any) -> ReportedTotal | None:
    """Find a total in the usual places of a body."""
    place = total_place(document)
    return None if place is None else at(document, place)


def at(document: Any, place: Place) -> ReportedTotal | None:
    """Give the total at a place of which it is known that there is something."""
    value = document
    for name in place:
        value = value[name]
    count = as_count(value)
    return None if count is None else ReportedTotal(count, ".".join(place))


def _in_headers(answer: requests.Response) -> ReportedTotal | None:
    for name in TOTAL_HEADERS:
        count = as_count(answer.headers.get(name))
        if count is not None:
            return ReportedTotal(count, name)
    return None
