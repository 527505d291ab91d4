"""Create the paginator of a configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from dlt.sources.helpers.rest_client.paginators import BasePaginator

from event_assets._compat.dlt import build_paginator
from event_assets.pagination import monitored
from event_assets.pagination.monitored import MonitoredPaginator
from event_assets.pagination.offset import OffsetPaginator
from event_assets.pagination.paginator import Paginator
from event_assets.pagination.seen_ids import ReadIds
from event_assets.pagination.totals import AUTO, compile_path

PAGINATOR_CLASSES: Mapping[str, Callable[..., BasePaginator]] = {
    "page_number": monitored.PageNumberPaginator,
    "cursor": monitored.CursorPaginator,
}


def create_paginator(paginator: str | Mapping[str, Any] | None, read_ids: ReadIds) -> Paginator:
    """Make the paginator of one list by a REST API configuration's `paginator` value.

    `offset` becomes an OffsetPaginator, everything else dlt's paginator in a MonitoredPaginator.
    None or "auto": dlt detects the paginator from the first response (but never offsets). For
    `page_number`, `total_path` is the number of pages, as in dlt; it is optional.

    Raises:
        ValueError: unknown type, or an option that the type does not accept.
    """
    options: dict[str, Any] = (
        dict(paginator) if isinstance(paginator, Mapping) else {"type": paginator or "auto"}
    )
    kind = options.pop("type", "auto")
    for name in ("next_url_path", "cursor_path", "total_path", "has_more_path"):
        if options.get(name) and not (name == "total_path" and options[name] == AUTO):
            options[name] = compile_path(options[name])
    pointer = next((name for name in ("next_url_path", "cursor_path") if name in options), None)
    setting = f"the paginator's {pointer} `{options[pointer]}`" if pointer else ""
    try:
        if kind == "offset":
            return OffsetPaginator(**options, read_ids=read_ids)
        if paginator_class := PAGINATOR_CLASSES.get(kind):
            return MonitoredPaginator(paginator_class(**options), read_ids, setting)
        config = cast("Any", {"type": kind, **options})
        return MonitoredPaginator(build_paginator(config), read_ids, setting)
    except TypeError as error:
        problem = str(error)
    raise ValueError(f"paginator of type {kind!r}: {problem.rpartition('__init__() ')[2]}")
