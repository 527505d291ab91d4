"""Pages that miss nothing, or say so.

`watched` turns a configuration's `paginator` into a dlt paginator that reports an `Outcome`.
"""

from event_assets.paging.bookmark import Bookmark, Position
from event_assets.paging.offset_pages import OffsetPages
from event_assets.paging.offset_walk import OffsetWalk
from event_assets.paging.outcome import Outcome, Report
from event_assets.paging.page_watch import PageWatch, Protocol
from event_assets.paging.readings import OneEach, Readings
from event_assets.paging.watched import PageNumbers, PagingError, WatchedPages, watched
from event_assets.paging.windowed import Cut, WindowedPages

__all__ = [
    "Bookmark",
    "Cut",
    "OffsetPages",
    "OffsetWalk",
    "OneEach",
    "Outcome",
    "PageNumbers",
    "PageWatch",
    "PagingError",
    "Position",
    "Protocol",
    "Readings",
    "Report",
    "WatchedPages",
    "WindowedPages",
    "watched",
]
