"""Events as records of an API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request


def number(request: Request, name: str, default: int = 0) -> int:
    """Read a whole number from the query."""
    return int(request.query_params.get(name, default))


def events(count: int, **fields: Any) -> list[dict[str, Any]]:
    """Make events as the contract has them; `fields` are added, or change, by record."""
    return [
        {
            "id": f"e{at}",
            "name": f"Event {at}",
            "start_time": f"2026-{at % 7 + 1:02}-{at % 28 + 1:02}T10:00:00Z",
            "end_time": f"2026-{at % 7 + 1:02}-{at % 28 + 1:02}T12:00:00Z",
            **fields,
        }
        for at in range(count)
    ]


def renamed(rows: list[dict[str, Any]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return events with other field names."""
    return [{names.get(name, name): value for name, value in row.items()} for row in rows]
