"""Requests and responses on the wire: as http.client writes and reads them."""

import io
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http import client
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from event_assets.http.session import ApiSession

JSON = b'{"data": []}'
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 12\r\n"
CHUNKS = b"5\r\n" + JSON[:5] + b"\r\n7;a=b\r\n" + JSON[5:] + b"\r\n0\r\n\r\n"
RESPONSES = {
    "with a length": OK + LENGTH + b"\r\n" + JSON,
    "names in small letters": OK + b"content-length:12\r\nx-total: 7\r\n\r\n" + JSON,
    "without a reason": b"HTTP/1.1 200\r\n" + LENGTH + b"\r\n" + JSON,
    "an error": b"HTTP/1.1 404 Not Found: no such page\r\n" + LENGTH + b"\r\n" + JSON,
    "in chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "in Chunks": OK + b"Transfer-Encoding: Chunked\r\n\r\n" + CHUNKS,
    "in chunks, with a length": OK + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "the last one": OK + LENGTH + b"Connection: Close\r\n\r\n" + JSON,
    "without a length": OK + b"\r\n" + JSON,
    "of HTTP/1.0": b"HTTP/1.0 200 OK\r\n" + LENGTH + b"\r\n" + JSON,
    "repeated headers": OK + LENGTH + b"Link: </a>\r\nlink: </b>\r\n\r\n" + JSON,
    "a header over two lines": OK + LENGTH + b"Link: </a>,\r\n </b>\r\n\r\n" + JSON,
    "empty and odd values": OK + LENGTH + b"X-A:\r\nX-B:  a: b \xe9\t\r\n\r\n" + JSON,
    "line feeds": OK.replace(b"\r", b"") + LENGTH.replace(b"\r", b"") + b"\n" + JSON,
    "a continuation": b"HTTP/1.1 100 Continue\r\n\r\n" + OK + LENGTH + b"\r\n" + JSON,
    "no content": b"HTTP/1.1 204 No Content\r\n" + LENGTH + b"\r\n",
    "a length that is no number": OK + b"Content-Length: many\r\n\r\n" + JSON,
    "a negative length": OK + b"Content-Length: -1\r\n\r\n" + JSON,
}


def read(response: bytes) -> client.HTTPResponse:
    """Read a response as http.client does."""
    stream: Any = SimpleNamespace(makefile=lambda _: io.BytesIO(response))
    read = client.HTTPResponse(stream, method="GET")
    read.begin()
    return read


@contextmanager
def serve(*responses: bytes) -> Iterator[tuple[str, list[str]]]:
    """Send these responses, on as few connections as possible; yield the URL and the requests."""
    requests: list[str] = []

    def answer() -> None:
        left = iter(responses)
        while response := next(left, b""):
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as stream:
                while response:
                    requests.append(b"".join(iter(stream.readline, b"\r\n")).decode())
                    connection.sendall(response)
                    response = b"" if read(response).will_close else next(left, b"")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests
        thread.join()


@pytest.mark.parametrize("kind", RESPONSES)
def test_a_response_is_what_http_client_reads(kind: str) -> None:
    expected = read(RESPONSES[kind])
    headers: dict[str, list[str]] = {}
    for name, value in expected.getheaders():
        headers.setdefault(name.lower(), []).append(value)
    with serve(*[RESPONSES[kind]] * 3) as (url, _), ApiSession(url) as session:
        found = [session.get(url) for _ in range(3)]
    body = expected.read()
    for one in found:
        assert (one.status_code, one.reason, one.content) == (
            expected.status,
            expected.reason,
            body,
        )
        assert {name.lower(): value for name, value in one.headers.items()} == {
            name: ", ".join(values) for name, values in headers.items()
        }


def test_requests_that_differ_in_their_target_have_the_same_headers() -> None:
    with serve(*[RESPONSES["with a length"]] * 3) as (url, requests), ApiSession(url) as session:
        for path in ("/1", "/2?a=b%20c", "/3"):
            session.get(url + path, headers={"X-Version": "7"})
    first, second, third = requests
    assert "X-Version: 7" in first
    assert second == first.replace("GET /1 ", "GET /2?a=b%20c ")
    assert third == first.replace("GET /1 ", "GET /3 ")


def test_requests_with_other_headers_or_a_body_have_their_own() -> None:
    with serve(*[RESPONSES["with a length"]] * 4) as (url, requests), ApiSession(url) as session:
        session.get(url, headers={"X-Version": "7"})
        session.get(url, headers={"X-Version": "8"})
        session.post(url, data="a=b")
        session.get(url, headers={"X-Version": "8"})
    numbers = [re.findall(r"X-Version: (\d)|Content-Length: (3)", head) for head in requests]
    assert numbers == [[("7", "")], [("8", "")], [("", "3")], [("8", "")]]


def test_a_proxy_is_told_the_host_of_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(*[RESPONSES["with a length"]] * 2) as (url, requests):
        monkeypatch.setenv("HTTP_PROXY", url)
        with ApiSession("http://c.example") as session:
            session.get("http://a.example/1")
            session.get("http://b.example/2")
    assert [re.findall(r"(?:GET|Host:) (\S+)", head) for head in requests] == [
        ["http://a.example/1", "a.example"],
        ["http://b.example/2", "b.example"],
    ]
