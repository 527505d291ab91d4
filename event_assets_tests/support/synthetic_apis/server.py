"""The server of a synthetic API."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from event_assets_tests.support.api_server import ApiServer, serving
from event_assets_tests.support.synthetic_apis.grammar import (
    NUMBERED,
    PASSWORD,
    SECRET,
    TOKENS_PATH,
    TOTAL_CAP,
    USER,
    SyntheticApi,
)
from event_assets_tests.support.synthetic_apis.records import SHAPES, Record

TOKEN = "t0ken-of-the-synthetic-api"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SCHEMES = {"bearer": "Bearer", "basic": "Basic", "oauth2": "Bearer"}
SENT = {"bearer": f"Bearer {SECRET}", "basic": BASIC, "oauth2": f"Bearer {TOKEN}"}
SORTS = {"sort", "order_by", "sort_by"}
Query = Mapping[str, str]


class RefusedError(Exception):
    """A request is refused with a status and a message."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.response = JSONResponse({"error": {"message": message}}, status, headers)


@dataclass(frozen=True)
class Page:
    """One page: its records, the next one's name if it has one, and the number of all rows."""

    records: list[Record]
    next: str | None
    total: int


@contextmanager
def serve(api: SyntheticApi) -> Iterator[ApiServer]:
    """Serve an API on a free port of loopback."""
    numbers = count()
    handlers = {api.path: lambda request: _answer(api, request, next(numbers)), TOKENS_PATH: _token}
    with serving(handlers) as platform:
        yield platform


def _token(request: Request) -> Any:
    """Return a token for the client's id and secret, in the body or by Basic."""
    body = parse_qs(request.state.body.decode())  # read by `serving`
    sent = [body.get(name, [""])[0] for name in ("client_id", "client_secret")]
    if sent != [USER, PASSWORD] and request.headers.get("Authorization") != BASIC:
        return JSONResponse({"error": "invalid_client"}, 401)
    return {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}


def _answer(api: SyntheticApi, request: Request, number: int) -> Response:
    try:
        is_known = _is_authorized(api, request)
        query = dict(request.query_params)
        _refuse_unknown(api, query)
        rows = [record for record, _ in api.events][:: 1 if is_known else 2]
        if api.quirk == "shuffled" or (api.quirk.startswith("shuffled") and not SORTS & set(query)):
            Random(number).shuffle(rows)
        page = _page(api, rows, query)
    except RefusedError as refused:
        return refused.response
    return _respond(api, request, page)


def _is_authorized(api: SyntheticApi, request: Request) -> bool:
    """Return whether the key is right; without it, some APIs show a part of the list."""
    auth, denial = api.auth, api.denial
    places = request.query_params if auth.kind == "query" else request.headers
    if auth.kind == "none" or places.get(auth.name) == SENT.get(auth.kind, SECRET):
        return True
    if denial.status is None:
        return False
    scheme = SCHEMES.get(auth.kind)
    place = "in the query as" if auth.kind == "query" else "in the header"
    message = denial.message.format(place=f"them {place} {auth.name}")
    challenge = {"WWW-Authenticate": f'{scheme} realm="events"'} if scheme else {}
    raise RefusedError(denial.status, message, challenge if denial.challenge else None)


def _refuse_unknown(api: SyntheticApi, query: Query) -> None:
    if api.quirk != "unknown parameters are refused":
        return
    known = {api.auth.name, api.paging.param, api.paging.size_param}
    for name in query:
        if name not in known:
            raise RefusedError(400, f"unknown parameter: {name}")


def _page(api: SyntheticApi, rows: list[Record], query: Query) -> Page:
    style = api.paging.style
    if style == "none":
        return Page(rows, None, len(rows))
    size = _size(api, query)
    start = _start(api, rows, query, size)
    if style in NUMBERED and start >= len(rows):
        start = _after_end(api, rows, start, size)
    shown = rows[start : start + size]
    end = start + len(shown)
    if end < len(rows):
        return Page(shown, _name(api, shown, end, size), len(rows))
    token = {  # what the last page says of the next one
        "the last token comes again": query.get(api.paging.param),
        "the last token brings an empty page": _name(api, shown, len(rows), size),
    }
    return Page(shown, token.get(api.quirk) if shown else None, len(rows))


def _size(api: SyntheticApi, query: Query) -> int:
    """Return the number of rows in a page: what is asked for, up to the most."""
    asked = _number(query.get(api.paging.size_param, str(api.default)), at_least=1)
    if asked > api.most and api.quirk == "a larger page is refused":
        message = f"{api.paging.size_param} must be between 1 and {api.most}"
        raise RefusedError(400, message)
    return min(asked, api.most)


def _start(api: SyntheticApi, rows: list[Record], query: Query, size: int) -> int:
    """Return the first row of the requested page."""
    paging, asked = api.paging, query.get(api.paging.param)
    if asked is None or (paging.style == "cursor" and asked in ("", "*")):
        return 0
    if paging.param in ("starting_after", "after_id"):
        ids = [str(record[api.key]) for record in rows]
        if asked not in ids:
            raise RefusedError(400, f"{paging.param}: no such event")
        return ids.index(asked) + 1
    number = _number(_decoded(asked) if _has_tokens(api) else asked, at_least=paging.first)
    if paging.style == "page":
        return (number - paging.first) * size
    return number * size if paging.style == "offset in pages" else number


def _after_end(api: SyntheticApi, rows: list[Record], start: int, size: int) -> int:
    """Return the first row of a page that is requested after the end of the list."""
    if api.quirk == "404 after the end":
        raise RefusedError(404, "page not found")
    last = (len(rows) - 1) // size * size
    return {
        "the last page comes again": last,
        "after the end it begins again": start % (last + size),
    }.get(api.quirk, start)


def _name(api: SyntheticApi, shown: list[Record], end: int, size: int) -> str:
    """Return what requests the page that begins at a row."""
    names = {
        "page": str(end // size + api.paging.first),
        "last id": str(shown[-1][api.key]) if shown else "",
    }
    token = base64.urlsafe_b64encode(f"at:{end}".encode()).decode().rstrip("=")
    return token if _has_tokens(api) else names.get(api.paging.style, str(end))


def _has_tokens(api: SyntheticApi) -> bool:
    """Return whether the next page is named by an opaque token, not by a number or an id."""
    return api.paging.style == "cursor" or "link" in api.paging.style


def _decoded(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token + "==").decode().removeprefix("at:")
    except ValueError:
        raise RefusedError(400, "the cursor is not valid") from None


def _number(text: str, at_least: int) -> int:
    if not text.isdecimal() or int(text) < at_least:
        raise RefusedError(400, f"{text} is not a number of {at_least} or more")
    return int(text)


def _respond(api: SyntheticApi, request: Request, page: Page) -> Response:
    """Return the response with a page: its records, its link or cursor, and the total."""
    body: Any = _put({}, api.records.path, SHAPES[api.records.shape](page.records, api.key))
    headers = {"Content-Type": "application/json"}
    follows = page.next
    if (
        api.quirk == "a cursor for those who send one"
        and api.paging.param not in request.query_params
    ):
        follows = None
    link = str(request.url.include_query_params(**{api.paging.param: follows})) if follows else None
    if api.paging.style == "header link" and link:
        headers["Link"] = f'<{link}>; rel="next", <{request.base_url}>; rel="index"'
    relative = link and link.removeprefix(str(request.base_url).rstrip("/"))
    told = {"link": link, "relative link": relative, "cursor": follows}
    total = {"right": page.total, "capped": min(page.total, TOTAL_CAP)}.get(api.total)
    if api.records.path:
        if api.paging.style in told:
            body = _put(body, api.paging.path, told[api.paging.style])
        body = body if total is None else _put(body, api.total_path, total)
    elif total is not None:
        headers["X-Total-Count"] = str(total)
    if api.quirk == "rate limit in headers":
        headers |= {"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "571"}
    return _encode(api, body, headers)


def _encode(api: SyntheticApi, body: Any, headers: dict[str, str]) -> Response:
    encoding = "latin-1" if api.quirk == "Latin-1" else "utf-8"
    data = json.dumps(body, ensure_ascii=False).encode(encoding)
    if encoding != "utf-8":
        headers["Content-Type"] += "; charset=iso-8859-1"
    if api.quirk == "gzip":
        data, headers = gzip.compress(data), {**headers, "Content-Encoding": "gzip"}
    return Response(data, headers=headers)


def _put(body: Any, path: str, value: Any) -> Any:
    """Return a document with a value at a dotted path; without a path, the value itself."""
    if not path:
        return value
    first, _, rest = path.partition(".")
    return {**body, first: _put(body.get(first, {}), rest, value)}
