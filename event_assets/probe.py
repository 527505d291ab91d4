"""A look at the API, without a sync: does it answer, and what with?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from event_assets.reading import first_page
from event_assets.source import EventSource
from event_assets.syncs import Sync


@dataclass(frozen=True)
class Look:
    """What one page of the API was like.

    Attributes:
        seconds: that the answer took.
        total: how many events there are, by the API; None if it does not say.
        records: on the page.
        bytes: of the answer.
        shape: of the first record: its fields with their types and values, as rows.
    """

    seconds: float
    total: int | None
    records: int
    bytes: int
    shape: Sequence[Mapping[str, str]]


def look(source: EventSource) -> Look:
    """Ask for the first page, as a sync would.

    Raises:
        ConfigError: when the key is missing.
        ApiError, requests.HTTPError: when there is no answer, or none that is good.
    """
    sync = Sync(show=lambda _: None)
    page, seconds = first_page(source, sync)
    return Look(
        seconds=seconds,
        total=sync.outcome.total_reported,
        records=len(page),
        bytes=sync.traffic.bytes,
        shape=_shape(json.loads(source.selection().json(page[0]))) if page else [],
    )


def _shape(record: Any) -> list[dict[str, str]]:
    if not isinstance(record, dict):
        return [{"field": "", "type": type(record).__name__, "example": str(record)}]
    return [
        {"field": name, "type": JSON_TYPES.get(type(value), "null"), "example": str(value)}
        for name, value in record.items()
    ]


JSON_TYPES = {
    dict: "object",
    list: "list",
    str: "text",
    bool: "bool",
    int: "number",
    float: "number",
}
