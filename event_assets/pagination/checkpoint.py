"""Where a reading is, so that another one can go on from there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from event_assets.pagination.seen_ids import DistinctIds


@dataclass(frozen=True)
class Position:
    """A place in a list.

    Attributes:
        text: the place, and what is known of the list so far, as JSON.
        seen: the different ids that came by then.
    """

    text: str
    seen: DistinctIds


def ids_in(text: str) -> set[str]:
    """Give the ids that came last before a position."""
    recent = json.loads(text)["recent"]
    return {key for key, _ in (*recent["old"], *recent["new"]) if isinstance(key, str)}


def no_checkpoint() -> None:
    """Say nothing of a reading that none can go on from."""


@dataclass
class Bookmark:
    """Lies in a paginator and its copies, and tells where the one is that reads.

    Attributes:
        begin: where to begin; None: at the list's start.
        at: gives the place that is reached, as a position's text; None while no other reading
            could go on from there.
        new_ids: gives how many different ids were new since the last time; None: not known.
    """

    begin: Position | None = None
    at: Callable[[], str | None] = no_checkpoint
    new_ids: Callable[[], int | None] = no_checkpoint
