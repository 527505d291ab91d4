"""Lists of 130 rows in pages of 20, by cursors, offsets and page numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from event_assets.pagination.factory import create_paginator
from event_assets_tests.support.paging import Query, read_ids, read_list

TO_LETTERS, FROM_LETTERS = (
    str.maketrans(*pair) for pair in (("0123456789", "abcdefghij"), ("abcdefghij", "0123456789"))
)


def rows_from(first: int, length: int = 130) -> list[dict[str, Any]]:
    return [{"id": row} for row in range(first, min(length, first + 20))]


def by_a_cursor(query: Query) -> dict[str, Any]:
    first = (
        int(query["cursor"].removeprefix("k").translate(FROM_LETTERS)) if "cursor" in query else 0
    )
    name = f"k{first + 20}".translate(TO_LETTERS)
    return {"data": rows_from(first), **({"next": name} if first + 20 < 130 else {})}


PAGED: dict[str, tuple[Any, Any]] = {
    "cursor": ({"type": "cursor", "cursor_path": "next"}, by_a_cursor),
    "offset": (
        {"type": "offset", "limit": 20},
        lambda query: {"data": rows_from(int(query["offset"]))},
    ),
    "page": ("page_number", lambda query: {"data": rows_from(20 * int(query["page"]))}),
}


def read_with(config: Any, answer: Callable[[Query], Any], **options: Any) -> Any:
    """Read a list with the paginator of a configuration."""
    return read_list(create_paginator(config, read_ids), answer, **options)


def read_paged(kind: str, members: Mapping[str, Any]) -> Any:
    """Read a list of `PAGED` whose pages have more members."""
    config, answer = PAGED[kind]
    return read_with(config, lambda query: {**answer(query), **members})


NUMBERED = {"type": "page_number", "base_page": 1}


def rows(first: int, end: int) -> list[dict[str, Any]]:
    return [{"id": row} for row in range(first, end)]


def paged(query: Query, length: int, size: int = 100) -> list[dict[str, Any]]:
    first = (int(query["page"]) - 1) * size
    return rows(first, min(length, first + size))


def numbered(query: Query, length: int = 95, size: int = 20) -> dict[str, Any]:
    """Return the page of a list by its number, from 0 on."""
    start = int(query.get("page", 0)) * size
    return {"data": [{"id": row} for row in range(start, min(start + size, length))]}
