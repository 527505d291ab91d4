"""Pagination that misses no row, or reports that it may have.

`create_paginator` turns a configuration's `paginator` into a dlt paginator that reports a
`PaginationResult`.
"""

from event_assets.pagination.checkpoint import CheckpointHandle, PaginationCheckpoint
from event_assets.pagination.factory import create_paginator
from event_assets.pagination.monitored import MonitoredPaginator, PageNumberPaginator
from event_assets.pagination.offset import OffsetPaginator
from event_assets.pagination.offset_walk import OffsetWalk
from event_assets.pagination.page_monitor import PageMonitor, PaginationKind
from event_assets.pagination.per_parent import PerParentPaginator, ResultAggregator
from event_assets.pagination.result import OnResult, PaginationResult
from event_assets.pagination.time_windows import TimeWindowPaginator, WindowPlan

__all__ = [
    "CheckpointHandle",
    "MonitoredPaginator",
    "OffsetPaginator",
    "OffsetWalk",
    "OnResult",
    "PageMonitor",
    "PageNumberPaginator",
    "PaginationCheckpoint",
    "PaginationKind",
    "PaginationResult",
    "PerParentPaginator",
    "ResultAggregator",
    "TimeWindowPaginator",
    "WindowPlan",
    "create_paginator",
]
