"""The total that a response reports: where the configuration looks for it, or elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from jsonpath_ng import JSONPath

from event_assets.pagination.totals import (
    AUTO,
    find_counts,
    members_around,
    parse_count,
    read_members,
)
from event_assets.probe.explorer import Page
from event_assets.values.response_paths import compile_path, find_value

TOTAL_NAME = re.compile(r".*(total|count|found|hits|size|num).*")  # of a plain name


@dataclass(frozen=True)
class ReportedTotal:
    """The total that an API reports, and its path or header."""

    count: int
    path: str


def find_reported_total(page: Page, path: Any) -> ReportedTotal | None:
    """Return the total as a sync finds it: at `path`, or with `AUTO` at the usual paths."""
    response = page.response.response
    if not path or response is None or not page.is_ok:
        return None
    if path == AUTO:
        counts: Mapping[str, int | None] = find_counts(members_around(read_members(response)))
    else:
        value = find_value(page.response.document, cast("JSONPath", compile_path(path)))
        counts = {str(path): parse_count(value)}
    return next((ReportedTotal(n, where) for where, n in counts.items() if n is not None), None)


def find_total(page_1: Page, page_2: Page, limit: int) -> ReportedTotal | None:
    """Return a number that is the same on both pages, and neither their length nor the limit."""
    on_page_2 = _list_counts(page_2)
    for path, count in _list_counts(page_1).items():
        if len(page_1.rows) < count != limit and on_page_2.get(path) == count:
            return ReportedTotal(count, path)
    return None


def _list_counts(page: Page) -> dict[str, int]:
    """Return the numbers outside of lists that may be a total by their name, usual paths first."""
    response = page.response.response
    members = read_members(response) if response is not None else {}
    return {**find_counts(members_around(members)), **find_counts(members, TOTAL_NAME)}
