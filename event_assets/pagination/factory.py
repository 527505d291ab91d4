"""Create the paginator of a configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from event_assets._compat import dlt as dlt_compat
from event_assets.pagination.links import POINTER_PATHS
from event_assets.pagination.list_paginator import ListPaginator
from event_assets.pagination.seen_ids import ReadIds
from event_assets.pagination.totals import AUTO
from event_assets.values.response_paths import compile_path

# What this project evaluates in dlt's place: of all types, and of one.
PATHS: Final = ("total_path", "has_more_path")
OPTIONS: Final[Mapping[str, Sequence[str]]] = {
    "offset": ("stop_after_empty_page", "maximum_offset"),
    "page_number": ("stop_after_empty_page", "maximum_page"),
    "cursor": ("stop_after_empty_page",),
}


def create_paginator(
    paginator: str | Mapping[str, Any] | None, read_ids: ReadIds, *, is_alone: bool = False
) -> ListPaginator:
    """Make the paginator of one list by a REST API configuration's `paginator` value.

    None or "auto": dlt detects the paginator from the first response (but never offsets). For
    `page_number`, `total_path` is the number of pages, as in dlt; it is optional. A list that
    `is_alone`, not one of many, is looked behind further where its first page is empty.

    Raises:
        ValueError: unknown type, or an option that the type does not accept.
    """
    options: dict[str, Any] = (
        dict(paginator) if isinstance(paginator, Mapping) else {"type": paginator or "auto"}
    )
    kind = options.setdefault("type", "auto")
    options |= {name: int(options[name]) for name in ("limit", "offset") if name in options}
    for name in {*POINTER_PATHS, *PATHS} & options.keys():
        if options[name] != AUTO:
            options[name] = compile_path(options[name])
    names = (*PATHS, *OPTIONS.get(kind, ()))
    ours = {name: options.pop(name) for name in names if name in options}
    if kind in ("offset", "page_number"):
        options["total_path"] = None
    try:
        active = dlt_compat.create_paginator(cast("Any", options))
    except TypeError as error:
        problem = str(error).rpartition("__init__() ")[2]
        raise ValueError(f"paginator of type {kind!r}: {problem}") from None
    return ListPaginator(active, read_ids, {**ours, "is_alone": is_alone})
