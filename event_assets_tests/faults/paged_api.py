"""An API whose lists are paged in one of many ways, and that holds a response back when told to."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from event_assets_tests.support.api_server import serving
from event_assets_tests.support.platforms import source

SIZE = 10  # of a page
CAP = 100  # of the rows of one list, where there are windows
CONCURRENCY = 4
Asked = Mapping[str, Any]  # the parameters of a request, in its query or its body
Rows = Sequence[Mapping[str, Any]]
Answer = Callable[[Request, Asked, Rows], Any]


def _cut(rows: Rows, at: int) -> Rows:
    return rows[at : at + SIZE]


def _next(rows: Rows, at: int) -> int | None:
    return at + SIZE if at + SIZE < len(rows) else None


def by_offset(_: Request, asked: Asked, rows: Rows) -> Any:
    since = str(asked.get("since", ""))
    rows = [row for row in rows if row.get("updated_at", "") >= since]
    return {"data": _cut(rows, int(asked.get("offset", 0))), "total": len(rows)}


def by_page(_: Request, asked: Asked, rows: Rows) -> Any:
    return {"data": _cut(rows, SIZE * int(asked["page"])), "total": len(rows)}


def by_cursor(_: Request, asked: Asked, rows: Rows) -> Any:
    """Answer by a cursor, which the API forgets when the list begins with another record."""
    session, at = str(asked.get("after") or "@").split("@")
    if session and session != rows[0]["id"]:
        return JSONResponse({"error": "expired"}, status_code=rows[0]["expired"])
    following = _next(rows, int(at or 0))
    link = following and f"{rows[0]['id']}@{following}"
    return {"data": _cut(rows, int(at or 0)), "meta": {"next": link, "total": len(rows)}}


def by_header_cursor(_: Request, asked: Asked, rows: Rows) -> Any:
    at = int(asked.get("after", 0))
    headers = {"X-Next": str(_next(rows, at))} if _next(rows, at) else {}
    return JSONResponse({"data": _cut(rows, at), "total": len(rows)}, headers=headers)


def by_json_link(request: Request, asked: Asked, rows: Rows) -> Any:
    at = int(asked.get("at", 0))
    following = _next(rows, at)
    link = following and str(request.url.include_query_params(at=following))
    return {"data": _cut(rows, at), "next": link, "total": len(rows)}


def by_header_link(request: Request, asked: Asked, rows: Rows) -> Any:
    at = int(asked.get("at", 0))
    url = request.url.include_query_params(at=_next(rows, at))
    headers = {"Link": f'<{url}>; rel="next"'} if _next(rows, at) else {}
    return JSONResponse({"data": _cut(rows, at), "total": len(rows)}, headers=headers)


def by_window(request: Request, asked: Asked, rows: Rows) -> Any:
    first, last = asked.get("from", ""), asked.get("to", "9")
    found = [row for row in rows if first <= row["start_time"] <= last]
    return by_offset(request, asked, found[:CAP]) | {"total": len(found)}


@dataclass(frozen=True)
class Kind:
    """A way of paging: how the API answers, and the YAML that reads it."""

    answer: Answer
    endpoint: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)


OFFSET = {"type": "offset", "limit": SIZE}
CURSOR = {"type": "cursor", "cursor_path": "meta.next"}
KINDS = {
    "offset": Kind(by_offset, {"paginator": OFFSET}),
    "page_number": Kind(by_page, {"paginator": {"type": "page_number", "base_page": 0}}),
    "cursor": Kind(by_cursor, {"paginator": {**CURSOR, "cursor_param": "after"}}),
    "cursor in a body": Kind(
        by_cursor,
        {"method": "POST", "json": {"q": 1}, "paginator": {**CURSOR, "cursor_body_path": "after"}},
    ),
    "header_cursor": Kind(
        by_header_cursor,
        {"paginator": {"type": "header_cursor", "cursor_key": "X-Next", "cursor_param": "after"}},
    ),
    "json_link": Kind(by_json_link, {"paginator": {"type": "json_link", "next_url_path": "next"}}),
    "header_link": Kind(by_header_link, {"paginator": "header_link"}),
    "windows": Kind(
        by_window,
        {"paginator": OFFSET},
        {
            "windows": {
                "param_from": "from",
                "param_to": "to",
                "cap": CAP,
                "since": "2025-12-01",
                "until": "2026-12-31",
            }
        },
    ),
}


@dataclass
class PagedApi:
    """A running API.

    Attributes:
        rows: of its lists, by path.
        asked: the requests, in order.
        answered: those of them that were not held back.
    """

    answer: Answer
    rows: dict[str, Rows]
    url: str = ""
    asked: list[str] = field(default_factory=list[str])
    answered: list[str] = field(default_factory=list[str])
    _hold_at: int = 0
    _is_held: Event = field(default_factory=Event)
    _is_over: Event = field(default_factory=Event)

    def forget(self) -> None:
        """Forget what was asked."""
        self.asked.clear()
        self.answered.clear()

    @contextmanager
    def holding(self, request: int) -> Iterator[Callable[[], None]]:
        """Hold the response to a request back, counted from 1; yield what waits for it."""
        self.forget()
        self._hold_at = request

        def wait() -> None:
            assert self._is_held.wait(60), f"only {len(self.asked)} requests"

        try:
            yield wait
        finally:
            self._hold_at = 0
            self._is_over.set()
            self._is_held, self._is_over = Event(), Event()

    async def __call__(self, request: Request) -> Response:
        body = (await request.body()).decode()
        shown = f"{request.url} {body}"
        self.asked.append(shown)
        if len(self.asked) == self._hold_at:
            self._is_held.set()
            await asyncio.to_thread(self._is_over.wait, 60)
            return JSONResponse({}, status_code=403)
        asked = {**request.query_params, **json.loads(body or "{}")}
        response = self.answer(request, asked, self.rows[request.url.path])
        self.answered.append(shown)
        return response if isinstance(response, Response) else JSONResponse(response)


@contextmanager
def serving_pages(answer: Answer, rows: dict[str, Rows]) -> Iterator[PagedApi]:
    """Serve lists by their paths."""
    api = PagedApi(answer, rows)
    with serving({"/{path:path}": api}) as platform:
        api.url = platform.url
        yield api


def read_by(
    api: PagedApi,
    endpoint: Mapping[str, Any],
    *resources: Mapping[str, Any],
    path: str = "/v1/events",
    **settings: Any,
) -> dict[str, Any]:
    """Write the YAML attributes of a source of the API."""
    document = source(api.url, concurrency=CONCURRENCY, **settings)["attributes"]
    document["fields"]["end_time"] = {"type": "timestamp"}
    rest_api = document["rest_api"]
    rest_api["resources"][0]["endpoint"].update(endpoint, path=path)
    rest_api["resources"] += resources
    return dict(document)
