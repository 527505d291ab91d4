"""Lists that a paginator reads from a loopback API, in a loop like that of a sync."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import requests

from event_assets.pagination.evidence import judge
from event_assets.pagination.paginator import Paginator
from event_assets.pagination.result import PaginationResult

Query = dict[str, Any]
Reply = tuple[Any, dict[str, str]]
Answer = Callable[[Query], Any]  # a body, a body with headers, or the status of an error


@contextmanager
def serving(answer: Answer) -> Generator[tuple[str, list[Query]], None, None]:
    """A loopback API, and the queries or bodies that were sent to it, with any other path."""
    asked: list[Query] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = dict(parse_qsl(url.query))
            self.reply(query if url.path == "/events" else {**query, "path": url.path})

        def do_POST(self) -> None:
            self.reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def reply(self, query: Query) -> None:
            asked.append(query)
            answered = answer(query)
            if isinstance(answered, int):
                self.send_error(answered)
                return
            body, headers = cast(
                "Reply", answered if isinstance(answered, tuple) else (answered, {})
            )
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def read_ids(rows: Sequence[Any]) -> list[Any]:
    return [row.get("id") for row in rows]


def read_pages(
    url: str,
    paginator: Paginator,
    *,
    method: str = "GET",
    params: Query | None = None,
    ignored: Collection[int] = (),
) -> Iterator[list[Any]]:
    """Read the rows at `data` page by page; responses with a status of `ignored` are ignored."""
    body: Query | None = None if method == "GET" else {}
    request = requests.Request(method, f"{url}/events", params=params, json=body)
    paginator.init_request(request)
    with requests.Session() as session:
        for _ in range(1_000):
            if not paginator.has_next_page:
                return
            response = session.send(session.prepare_request(request))
            if response.status_code in ignored:
                paginator.stopped_early()
                paginator.update_request(request)
                continue
            if not response.ok and paginator.refused(response.status_code):
                paginator.update_request(request)
                continue
            response.raise_for_status()
            rows = response.json()["data"]
            paginator.update_state(response, rows)
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
    with serving(answer) as (url, asked):
        delivered = [row["id"] for page in read_pages(url, paginator, **options) for row in page]
    return Listing(judge(paginator.facts), asked, delivered)
