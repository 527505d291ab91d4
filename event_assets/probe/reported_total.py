"""The total that a response reports, and the last page that it implies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import requests
from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.paginators import BasePaginator, PageNumberPaginator

from event_assets.pagination import MonitoredPaginator, OffsetPaginator
from event_assets.pagination.totals import (
    AUTO,
    TOTAL_HEADERS,
    compile_path,
    find_value,
    parse_count,
)
from event_assets.probe.suggestions import find_total_path, value_at_keys


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
        value: the parameter's value.
        in_body: whether the parameter is in the body.
        records_before: the number of records on earlier pages.
    """

    name: str
    value: int
    in_body: bool
    records_before: int


def find_reported_total(
    document: Any, response: requests.Response, path: Any
) -> ReportedTotal | None:
    """Return the total as a sync finds it: at `path`, or by default at the usual paths."""
    if path is None:
        return None
    if path != AUTO:
        compiled = compile_path(path)
        count = parse_count(find_value(document, compiled)) if compiled else None
        return None if count is None else ReportedTotal(count, str(path))
    keys = find_total_path(document)
    if keys is not None and (count := parse_count(value_at_keys(document, keys))) is not None:
        return ReportedTotal(count, ".".join(keys))
    for header in TOTAL_HEADERS:
        if (count := parse_count(response.headers.get(header))) is not None:
            return ReportedTotal(count, header)
    return None


def find_last_page(
    paginator: BasePaginator, total: ReportedTotal | None, size: int, cap: int | None = None
) -> LastPage | None:
    """Return the page that should hold the last record, or None when it cannot be requested.

    `cap` is the number of rows of a list that the API returns at most, by the configuration.
    """
    if total is None or not size or total.count <= size or (cap and total.count >= cap):
        return None
    if isinstance(paginator, OffsetPaginator):
        offset = total.count - 1
        beyond = paginator.maximum_offset is not None and offset >= paginator.maximum_offset
        if paginator.offset or beyond:
            return None
        name, path = paginator.offset_param, paginator.offset_body_path
        return LastPage(name or path or "", offset, not name, offset)
    numbers = paginator.active_paginator if isinstance(paginator, MonitoredPaginator) else paginator
    if not isinstance(numbers, PageNumberPaginator):
        return None
    pages = math.ceil(total.count / size) - 1
    number = numbers.initial_value + pages
    if numbers.maximum_value is not None and number >= numbers.maximum_value:
        return None
    name, path = numbers.param_name, numbers.param_body_path
    return LastPage(name or path or "", number, not name, pages * size)


def point_request_at(request: requests.Request, page: LastPage) -> None:
    """Set the request's parameters to those of the page."""
    if page.in_body:
        document = cast("dict[str, Any]", request.json or {})
        jsonpath.set_value_at_path(document, page.name, page.value)
        request.json = document
    else:
        params = cast("dict[str, Any]", request.params or {})
        request.params = {**params, page.name: page.value}
