"""Lists that are read in time windows, from a server that knows one row a day."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from event_assets.config.time_windows import TimeWindowsConfig
from event_assets.pagination.factory import create_paginator
from event_assets.pagination.time_windows import TimeWindowPaginator
from event_assets_tests.support.paging import Answer, Listing, Query, read_ids, read_list

NOW = datetime(2026, 6, 15, tzinfo=UTC)
DAYS = [f"2026-01-{day:02}" for day in range(1, 32)]
JANUARY = {"since": "2026-01-01", "until": "2026-01-31"}
NUMBERED = {"type": "page_number", "base_page": 0}


def plan(**options: Any) -> TimeWindowsConfig:
    config = {"param_from": "from", "param_to": "to", "cap": 10, "format": "%Y-%m-%d", **options}
    return TimeWindowsConfig(**config)


def windowed(paginator: Any, **options: Any) -> TimeWindowPaginator:
    make = partial(create_paginator, paginator, read_ids)
    return TimeWindowPaginator(make, plan(**options), NOW)


def read(paginator: Any, answer: Answer, **options: Any) -> Listing:
    return read_list(windowed(paginator, **options), answer, ignored=[404])


def days(query: Query) -> list[Any]:
    """One row a day, those of the window."""
    shown = [day for day in DAYS if query.get("from", "") <= day <= query.get("to", "9")]
    return [{"id": day} for day in shown]


def numbered(query: Query, size: int = 4) -> dict[str, Any]:
    start = int(query["page"]) * size
    return {"data": days(query)[start : start + size], "total": len(days(query))}
