"""The total that a response reports, and the last page that it implies."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import requests
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    OffsetPaginator,
    RangePaginator,
)
from jsonpath_ng import JSONPath

from event_assets.pagination.totals import (
    AUTO,
    TOTAL_PATHS,
    compile_path,
    find_counts,
    find_value,
    parse_count,
    read_members,
)
from event_assets.probe.paging_candidates import members_outside_records

TOTAL_NAME = re.compile(r"total|count|found|hits|size|num", re.IGNORECASE)


@dataclass(frozen=True)
class ReportedTotal:
    """The total that an API reports, and its path or header."""

    count: int
    path: str


@dataclass(frozen=True)
class LastPage:
    """The page that should hold the last record.

    Attributes:
        name: the parameter that selects the page, or its path in the body.
        records_before: the number of records on earlier pages.
    """

    name: str
    value: int
    records_before: int


def find_totals(document: Any) -> dict[tuple[str, ...], int]:
    """Return the numbers outside of lists that may be a total by their name, usual paths first."""
    counts = {
        keys: count
        for keys, value in members_outside_records(document)
        if (".".join(keys) in TOTAL_PATHS or TOTAL_NAME.search(keys[-1]))
        and (count := parse_count(value)) is not None
    }
    ranks = {keys: TOTAL_PATHS.get(".".join(keys), math.inf) for keys in counts}
    return {keys: counts[keys] for keys in sorted(counts, key=ranks.__getitem__)}


def find_reported_total(
    document: Any, response: requests.Response, path: Any
) -> ReportedTotal | None:
    """Return the total as a sync finds it: at `path`, or by default at the usual paths."""
    if not path:
        return None
    values: Mapping[str, Any]
    if path == AUTO:
        values = find_counts(read_members(response))
    else:
        values = {str(path): find_value(document, cast("JSONPath", compile_path(path)))}
    totals = ((parse_count(value), path) for path, value in values.items())
    return next((ReportedTotal(count, path) for count, path in totals if count is not None), None)


def find_last_page(
    paginator: BasePaginator | None,
    total: ReportedTotal | None,
    size: int,
    cap: int | None,
    maximum: int | None,
) -> LastPage | None:
    """Return the page that should hold the last record, or None when it cannot be requested.

    `cap` is the number of rows of a list that the API returns at most, and `maximum` the offset or
    page before which to stop, by the configuration.
    """
    if total is None or not size or total.count <= size or (cap and total.count >= cap):
        return None
    if not isinstance(paginator, RangePaginator):
        return None
    first = paginator.initial_value
    if isinstance(paginator, OffsetPaginator):
        value = records_before = total.count - 1
    else:
        pages = math.ceil(total.count / size) - 1
        value, records_before = first + pages, pages * size
    if (first and isinstance(paginator, OffsetPaginator)) or value >= (maximum or value + 1):
        return None
    name = paginator.param_name or paginator.param_body_path or ""
    return LastPage(name, value, records_before)
