"""Pages that miss nothing, or say so.

`watched` turns a configuration's `paginator` into a dlt paginator that reports an `Outcome`.
"""

from event_assets.pagination.checkpoint import Bookmark, Position
from event_assets.pagination.monitored import (
    MonitoredPaginator,
    PageNumberPaginator,
    create_paginator,
)
from event_assets.pagination.offset import OffsetPaginator
from event_assets.pagination.offset_walk import OffsetWalk
from event_assets.pagination.page_monitor import PageMonitor, PaginationKind
from event_assets.pagination.per_parent import PerParentPaginator, ResultAggregator
from event_assets.pagination.result import OnResult, PaginationResult
from event_assets.pagination.time_windows import TimeWindowPaginator, WindowPlan

__all__ = [
    "Bookmark",
    "MonitoredPaginator",
    "OffsetPaginator",
    "OffsetWalk",
    "OnResult",
    "PageMonitor",
    "PageNumberPaginator",
    "PaginationKind",
    "PaginationResult",
    "PerParentPaginator",
    "Position",
    "ResultAggregator",
    "TimeWindowPaginator",
    "WindowPlan",
    "create_paginator",
]
