"""Lists that a paginator reads from an API in this process, in a loop like that of a sync."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import requests

from event_assets.http.response import JsonResponse
from event_assets.pagination.evidence import judge
from event_assets.pagination.result import PaginationResult
from event_assets.pagination.time_windows import Paginator

Query = dict[str, Any]
Reply = tuple[Any, dict[str, str]]
Answer = Callable[[Query], Any]  # a body, a body with headers, or the status of an error
URL = "http://events.test/events"


@dataclass
class Api:
    """An API, and the queries or bodies that were sent to it, with any other path."""

    answer: Answer
    asked: list[Query] = field(default_factory=list[Query])

    def respond(self, request: requests.Request) -> JsonResponse:
        """Respond to a request as it would be sent."""
        sent = request.prepare()
        url = urlsplit(str(sent.url))
        query = dict(parse_qsl(url.query)) if sent.method == "GET" else json.loads(sent.body or "")
        if url.path != "/events":
            query["path"] = url.path
        self.asked.append(query)
        answered = self.answer(query)
        status, answered = (answered, {}) if isinstance(answered, int) else (200, answered)
        body, headers = cast("Reply", answered if isinstance(answered, tuple) else (answered, {}))
        content = json.dumps(body).encode()
        sizes = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        response = JsonResponse(content, {**sizes, **headers}, status)
        response.url = str(sent.url)
        return response


def read_ids(rows: Sequence[Any]) -> list[Any]:
    return [row.get("id") for row in rows]


def read_pages(
    api: Api,
    paginator: Paginator,
    *,
    method: str = "GET",
    params: Query | None = None,
    ignored: Collection[int] = (),
) -> Iterator[list[Any]]:
    """Read the rows at `data` page by page; responses with a status of `ignored` are ignored."""
    body: Query | None = None if method == "GET" else {}
    request = requests.Request(method, URL, params=params, json=body)
    paginator.init_request(request)
    for _ in range(1_000):
        if not paginator.has_next_page:
            return
        response = api.respond(request)
        if response.status_code in ignored:
            paginator.stopped_early()
            paginator.update_request(request)
            continue
        if not response.ok and paginator.refused(response.status_code):
            paginator.update_request(request)
            continue
        response.raise_for_status()
        rows = paginator.receive(response, response.json()["data"])
        paginator.update_request(request)
        yield rows
    raise AssertionError("the list does not end")


@dataclass
class Listing:
    """What came of a list."""

    result: PaginationResult
    asked: list[Query]
    delivered: list[Any] = field(default_factory=list[Any])  # ids, in order

    @property
    def ids(self) -> set[Any]:
        return set(self.delivered)


def read_list(paginator: Paginator, answer: Answer, **options: Any) -> Listing:
    """Read a whole list with a new paginator."""
    api = Api(answer)
    delivered = [row["id"] for page in read_pages(api, paginator, **options) for row in page]
    return Listing(judge(paginator.facts), api.asked, delivered)
