"""Pages that miss nothing, or say so.

`watched` turns a configuration's `paginator` into a dlt paginator that reports an `Outcome`.
"""

from event_assets.paging.offset_pages import OffsetPages
from event_assets.paging.offset_walk import OffsetWalk
from event_assets.paging.outcome import Outcome, Report
from event_assets.paging.page_watch import PageWatch, Protocol
from event_assets.paging.watched import PageNumbers, WatchedPages, watched

__all__ = [
    "OffsetPages",
    "OffsetWalk",
    "Outcome",
    "PageNumbers",
    "PageWatch",
    "Protocol",
    "Report",
    "WatchedPages",
    "watched",
]
