"""A platform's API on loopback, built from its traits and records."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from event_assets_tests.support.api_server import ApiServer, Handler, serving
from event_assets_tests.vendors.records import Record
from event_assets_tests.vendors.traits import Page, Paging, Refusal, Vendor


@contextmanager
def serve(vendor: Vendor, rows: Sequence[Record]) -> Iterator[ApiServer]:
    """Serve records as the platform does; the caller may change them while it serves."""
    api = _Api(vendor, rows)
    handlers: dict[str, Handler] = {vendor.path: api.answer}
    if vendor.tokens:
        handlers[vendor.tokens.path] = api.token
    with serving(handlers) as platform:
        yield platform


@dataclass
class _Api:
    vendor: Vendor
    rows: Sequence[Record]
    requests: int = 0
    tokens: int = 0

    def answer(self, request: Request) -> Any:
        self.requests += 1
        given = _answer(self, request)
        return _refused(given) if isinstance(given, Refusal) else given

    def token(self, request: Request) -> Any:
        """Return a token for the id and secret in the header, and the id in the body."""
        tokens = self.vendor.tokens
        assert tokens is not None
        body = parse_qs(request.state.body.decode())  # read by the server
        basic = base64.b64encode(":".join(tokens.client).encode()).decode()
        asked = {"grant_type": ["client_credentials"], "client_id": [tokens.client[0]]}
        if request.headers.get("Authorization") != f"Basic {basic}" or body != asked:
            return _refused(tokens.refusal)
        self.tokens += 1
        kind = {"token_type": "Bearer", "expires_in": tokens.seconds}
        return {"access_token": f"token-{self.tokens}", **kind}

    def key(self) -> str:
        return f"Bearer token-{self.tokens}" if self.vendor.tokens else self.vendor.key.sent


def _refused(refusal: Refusal) -> Response:
    kind = HTMLResponse if isinstance(refusal.body, str) else JSONResponse
    return kind(refusal.body, refusal.status)


def _answer(api: _Api, request: Request) -> Any:
    vendor = api.vendor
    key = vendor.key
    places: Mapping[str, str] = (
        request.headers if key.location == "header" else request.query_params
    )
    if places.get(key.name) != api.key():
        return key.wrong if key.name in places else key.missing
    query = {**vendor.defaults, **_joined(request)}
    for name, (pattern, refusal) in vendor.formats.items():
        if name in query and not re.fullmatch(pattern, query[name]):
            return refusal
    rows = [row for row in api.rows if _passes(vendor, row, query)]
    if vendor.order and query.get(vendor.order[0]) != vendor.order[1]:
        turn = 37 * api.requests % max(len(rows), 1)
        rows = rows[turn:] + rows[:turn]
    return _page(vendor, rows[::-1] if vendor.newest_first else rows, query, request)


def _joined(request: Request) -> dict[str, str]:
    """Return the query parameters; repeated ones are joined with commas."""
    query = request.query_params
    return {name: ",".join(query.getlist(name)) for name in query}


def _passes(vendor: Vendor, row: Record, query: Mapping[str, str]) -> bool:
    return all(passes(row, query[name]) for name, passes in vendor.filters.items() if name in query)


def _page(vendor: Vendor, rows: list[Record], query: Mapping[str, str], request: Request) -> Any:
    paging = vendor.paging
    size = int(query.get(paging.size_param, paging.size))
    if size > paging.most and paging.above:
        return paging.above
    size = min(size, paging.most)
    start = _start(paging, rows, query, size)
    if isinstance(start, Refusal):
        return start
    number = start // size + paging.first
    total = len(rows)
    readable = rows[: paging.shows]
    if paging.depth and number * size > paging.depth:
        if paging.too_deep:
            return paging.too_deep
        readable, total = [], 0
    elif paging.past_end and start >= total and (start or paging.style == "offset"):
        return paging.past_end
    shown = readable[start : start + size]
    more = start + size < len(readable)
    full = paging.last_token == "if it is full" and len(shown) == size
    follows = more or full or paging.last_token == "always"
    following = _next(paging, start, size, shown) if follows else None
    link = str(request.url.include_query_params(**{paging.param: following})) if more else None
    seen = [row for row in shown if not vendor.hides(row)]
    return vendor.answer(Page(seen, total, size, start, number, following, more, link))


def _start(
    paging: Paging, rows: list[Record], query: Mapping[str, str], size: int
) -> int | Refusal:
    """Return the first row of the requested page."""
    asked = query.get(paging.param)
    if asked is None:
        return 0
    if paging.style == "page":
        return (int(asked) - paging.first) * size
    if paging.style == "last id":
        return [row["id"] for row in rows].index(asked) + 1
    start = int(asked.removeprefix("at-"))
    if paging.style == "cursor" and start > len(rows) - (paging.last_token == "always"):
        return paging.bad_token or 0
    return start


def _next(paging: Paging, start: int, size: int, shown: list[Record]) -> str | None:
    """Return the name of the next page."""
    names = {
        "page": str((start + size) // size + paging.first),
        "offset": str(start + size),
        "cursor": f"at-{start + size}",
        "last id": shown[-1].get("id") if shown else None,
    }
    return names[paging.style]
