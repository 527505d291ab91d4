"""Lists that change while a paginator reads them, without HTTP: all ways to page one model."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from event_assets.pagination.evidence import judge
from event_assets.pagination.factory import create_paginator
from event_assets.pagination.result import PaginationResult
from event_assets_tests.support.offset_lists import Edit
from event_assets_tests.support.paging import read_ids

Query = dict[str, str]
Reply = tuple[int, Any, dict[str, str]]
URL = "https://api.example.com/events"


@dataclass
class ChangingList:
    """Rows in an order, of which a server shows pages; `hidden` ones are taken out afterwards."""

    rows: list[int]
    size: int = 4
    has_total: bool = False
    refuses_past_end: bool = False
    hidden: frozenset[int] = frozenset()
    staying: set[int] = field(default_factory=set[int])
    added: int = 10_000

    def __post_init__(self) -> None:
        self.staying = set(self.rows) - self.hidden

    def edit(self, kind: str, at: int, size: int) -> None:
        place = at * len(self.rows) // 30
        if kind == "insert":
            self.rows[place:place] = range(self.added, self.added + size)
            self.added += size
        elif kind == "delete":
            self.staying.difference_update(self.rows[place : place + size])
            del self.rows[place : place + size]
        elif self.rows:
            row = self.rows.pop(min(place, len(self.rows) - 1))
            self.rows.insert(size * len(self.rows) // 30, row)

    def body(self, first: int, **members: Any) -> dict[str, Any]:
        page = [row for row in self.rows[first : first + self.size] if row not in self.hidden]
        total = {"total_count": len(self.rows)} if self.has_total else {}
        return {"data": [{"id": row} for row in page], **total, **members}

    def is_behind(self, first: int) -> bool:
        return first >= len(self.rows)


def by_offset(listed: ChangingList, query: Query) -> Reply:
    return 200, listed.body(int(query["offset"])), {}


def by_page(listed: ChangingList, query: Query) -> Reply:
    first = int(query["page"]) * listed.size
    is_refused = listed.refuses_past_end and first and listed.is_behind(first)
    return (404, {}, {}) if is_refused else (200, listed.body(first), {})


def by_row_link(listed: ChangingList, query: Query) -> Reply:
    first = int(query.get("skip", 0))
    behind = first + listed.size
    link = None if listed.is_behind(behind) else f"{URL}?skip={behind}"
    return 200, listed.body(first, next=link), {}


def by_page_link(listed: ChangingList, query: Query) -> Reply:
    page = int(query.get("page", 1))
    link = f'<{URL}?page={page + 1}>; rel="next"'
    headers = {} if listed.is_behind(page * listed.size) else {"Link": link}
    return 200, listed.body((page - 1) * listed.size), headers


def by_page_cursor(listed: ChangingList, query: Query) -> Reply:
    page = int(query.get("cursor", 1))
    following = None if listed.is_behind(page * listed.size) else page + 1
    return 200, listed.body((page - 1) * listed.size, cursors={"next": following}), {}


def by_row_cursor(listed: ChangingList, query: Query) -> Reply:
    first = int(query.get("cursor", 0))
    behind = first + listed.size
    following = None if listed.is_behind(behind) else behind
    return 200, listed.body(first, cursors={"next": following}), {}


PAGINATORS: dict[str, tuple[Any, Callable[[ChangingList, Query], Reply]]] = {
    "offset": ({"type": "offset", "limit": 4}, by_offset),
    "page": ({"type": "page_number", "base_page": 0}, by_page),
    "row link": ("json_link", by_row_link),
    "page link": ("header_link", by_page_link),
    "page cursor": ("cursor", by_page_cursor),
    "row cursor": ("cursor", by_row_cursor),
}


def read(
    kind: str, listed: ChangingList, script: Sequence[Sequence[Edit]]
) -> tuple[set[int], PaginationResult, int]:
    """Read a list, which `script` changes after each request; return ids, result and requests."""
    config, serve = PAGINATORS[kind]
    paginator, delivered = create_paginator(config, read_ids), set[int]()
    request = requests.Request("GET", URL, params={})
    paginator.init_request(request)
    requests_made = 0
    while paginator.has_next_page:
        query = dict(parse_qsl(urlsplit(request.url).query)) | {
            name: str(value) for name, value in (request.params or {}).items()
        }
        status, body, headers = serve(listed, query)
        requests_made += 1
        assert requests_made < 3_000, "the list does not end"
        for edit in script[requests_made - 1] if requests_made <= len(script) else ():
            listed.edit(*edit)
        if status != 200:
            if not paginator.refused(status):
                break
        else:
            response = requests.Response()
            response.status_code, response._content = status, json.dumps(body).encode()
            response.headers.update(headers)
            data = body["data"]
            paginator.update_state(response, data)
            delivered.update(row["id"] for row in data)
        paginator.update_request(request)
    return delivered, judge(paginator.facts), requests_made
