"""The last page, by the total: what comes there shows whether the total is one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import requests
from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.paginators import BasePaginator, PageNumberPaginator

from event_assets.pagination import MonitoredPaginator, OffsetPaginator
from event_assets.probe.reported_total import ReportedTotal


@dataclass(frozen=True)
class LastPage:
    """A page far on.

    Attributes:
        name: the parameter that says which, or its path in the body.
        value: of the parameter.
        in_body: is it in the body?
        before: records that come before the page.
    """

    name: str
    value: int
    in_body: bool
    before: int


def target(
    paginator: BasePaginator, claim: ReportedTotal | None, size: int, cap: int | None = None
) -> LastPage | None:
    """Say which page would hold the last record; None if there is no way to ask for it.

    `cap` is how many rows of a list the API lets be read, as the configuration says.
    """
    if claim is None or not size or claim.count <= size or (cap and claim.count >= cap):
        return None
    if isinstance(paginator, OffsetPaginator):
        at = claim.count - 1
        beyond = paginator.maximum_offset is not None and at >= paginator.maximum_offset
        if paginator.offset or beyond:
            return None
        name, path = paginator.offset_param, paginator.offset_body_path
        return LastPage(name or path or "", at, not name, at)
    run = paginator.following if isinstance(paginator, MonitoredPaginator) else paginator
    if not isinstance(run, PageNumberPaginator):
        return None
    pages = math.ceil(claim.count / size) - 1
    number = run.initial_value + pages
    if run.maximum_value is not None and number >= run.maximum_value:
        return None
    name, path = run.param_name, run.param_body_path
    return LastPage(name or path or "", number, not name, pages * size)


def point_request_at(request: requests.Request, target: LastPage) -> None:
    """Let a request ask for that page."""
    if target.in_body:
        document = cast("dict[str, Any]", request.json or {})
        jsonpath.set_value_at_path(document, target.name, target.value)
        request.json = document
    else:
        params = cast("dict[str, Any]", request.params or {})
        request.params = {**params, target.name: target.value}
