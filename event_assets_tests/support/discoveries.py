"""What `connect` finds out about a small API on loopback."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from event_assets.probe.connect import discover
from event_assets.probe.discovery import Discovery, Options
from event_assets.probe.source_yaml import ENDPOINT
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.event_records import events, number

ROWS = events(95)
KEY = "s3cret-of-the-api"
HERE: Mapping[str, Callable[[Request], Mapping[str, str]]] = {  # where a key may be
    "header": lambda request: request.headers,
    "query": lambda request: request.query_params,
}
Answer = Callable[[Request], Any]


def connect(answer: Answer, path: str = "/v1/events", **options: Any) -> Discovery:
    """Find out how an API works that answers so, as a person may who has its address."""
    with serving(answer) as api:
        found = discover(Options(f"{api.url}{path}", **options))
        assert len(api.requests) == found.requests <= 50
    return found


def endpoint(found: Discovery) -> dict[str, Any]:
    """Return the endpoint in the document."""
    value: Any = found.document
    for key in ENDPOINT:
        value = value[key]
    return dict(value)


def client(found: Discovery) -> dict[str, Any]:
    """Return the settings of the client in the document."""
    return dict(found.document["attributes"]["rest_api"]["client"])


def asked(found: Discovery) -> list[str]:
    """Return the settings that the open questions ask for."""
    return [question.setting for question in found.open_questions]


def values_of(found: Discovery, subject: str) -> list[str]:
    """Return what was found of a subject."""
    return [fact.value for fact in found.facts if fact.subject == subject]


def by_page(request: Request, size: int = 20, **more: Any) -> dict[str, Any]:
    """Return a page of events, of at most 50."""
    size = min(number(request, "per_page", size), 50)
    at = (number(request, "page", 1) - 1) * size
    return {"events": ROWS[at : at + size], **more}


def by_offset(name: str, size_name: str, size: int = 20, **more: Any) -> Answer:
    """Answer with a page of events behind as many rows as a parameter says."""

    def answer(request: Request) -> Any:
        at = number(request, name)
        return {"events": ROWS[at : at + number(request, size_name, size)], **more}

    return answer


def whole(rows: list[dict[str, Any]], **more: Any) -> Answer:
    """Answer with these rows, and their number as the total."""
    return lambda _: {"events": rows, "total": len(rows), **more}


def by_cursor(request: Request, **more: Any) -> Any:
    """Return a page with a cursor to the next one."""
    at = number(request, "cursor")
    return {"events": ROWS[at : at + 20], "next_cursor": str(at + 20) if at < 75 else None, **more}


def by_header_link(request: Request, **more: Any) -> Any:
    """Return a page with the link to the next one in a header."""
    at = number(request, "at")
    link = f'<{request.url.path}?at={at + 20}>; rel="next"'
    document = {"events": ROWS[at : at + 20], **more}
    return JSONResponse(document, headers={"Link": link} if at < 75 else {})


def needs(
    name: str, status: int = 401, said: str = "no", key: str = KEY, at: str = "header"
) -> Answer:
    """Answer those who send a key in its place, and refuse the others."""

    def answer(request: Request) -> Any:
        is_known = HERE[at](request).get(name) == key
        return by_page(request) if is_known else JSONResponse({"error": said}, status)

    return answer
