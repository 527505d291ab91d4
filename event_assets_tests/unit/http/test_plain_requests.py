"""Plain requests on an open connection: sent and read as urllib3 would, in less time."""

import gzip
import re
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile

import pytest
from dlt.sources.helpers.rest_client.auth import APIKeyAuth

from event_assets._compat import urllib3 as compat
from event_assets.config.http import HttpLimits
from event_assets.http.session import ApiSession
from event_assets.probe.session import ProbeSession
from event_assets.values.errors import ApiError

BODY = b'{"data": [{"id": 1, "name": "\xc3\xa9"}]}'
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
ZIPPED, FLAT = gzip.compress(BODY, mtime=0), zlib.compress(BODY)  # the same in each worker
LIMITS = HttpLimits(megabytes=1, read=0.5, total=20.0)


def response(*headers: bytes, body: bytes = BODY, begins: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join((begins, *headers, b"", body))


LENGTH = b"Content-Length: %d" % len(BODY)
PLAIN = response(b"content-type: application/json", LENGTH)


class Served:
    """A server of raw responses, and the heads of the requests by connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.heads: list[list[bytes]] = []


@contextmanager
def serving(*responses: bytes, closes: bool = False) -> Iterator[Served]:
    """Serve responses, one after the other and then the last one again.

    `closes` ends each connection behind the second response on it.
    """
    left = list(responses)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served = Served(f"http://127.0.0.1:{listener.getsockname()[1]}")

        def answer(connection: socket.socket) -> None:
            heads: list[bytes] = []
            served.heads.append(heads)
            with suppress(OSError), connection, connection.makefile("rb") as received:
                while head := b"".join(takewhile(b"\r\n".__ne__, received)):
                    heads.append(head)
                    connection.sendall(left.pop(0) if len(left) > 1 else left[0])
                    if closes and len(heads) == 2:
                        return

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield served
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def read(*responses: bytes) -> object:
    """Return what a session makes of the last of some responses, or the message of its failure."""
    with serving(*responses) as api, ApiSession(api.url, limits=LIMITS) as session:
        for _ in responses[1:]:
            session.get(api.url)
        try:
            got = session.get(api.url)
        except ApiError as error:
            return str(error).replace(api.url, "API")
    return got.status_code, got.reason, sorted(got.headers.lower_items()), got.content


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize(
    "unusual",
    [
        PLAIN,
        response(b"CONTENT-TYPE:  application/json ", LENGTH, b"X-Empty:", b"X-Umlaut: \xe4"),
        response(LENGTH, begins=b"HTTP/1.1 200 "),
        response(LENGTH, begins=b"HTTP/1.1 200"),
        response(LENGTH, begins=b"HTTP/1.0 200 OK"),
        response(LENGTH, b"Connection: keep-alive"),
        response(LENGTH, b"Vary: a", b"vary: b", b"Link: <x>; rel=next"),
        response(b"Transfer-Encoding: chunked", body=CHUNKS),
        response(b"Content-Length: %d" % len(ZIPPED), b"Content-Encoding: gzip", body=ZIPPED),
        response(b"Content-Length: %d" % len(ZIPPED), body=ZIPPED),
        response(b"content-length: %d" % len(FLAT), b"content-encoding: deflate", body=FLAT),
        response(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=CHUNKS),
        response(LENGTH, b"X-Long: a", b" b"),
        response(LENGTH, b"X-" + b"y" * 70_000 + b": z"),
        response(LENGTH, *(b"X-%d: z" % number for number in range(90))),
        response(LENGTH, begins=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"),
        response(begins=b"HTTP/1.1 204 No Content", body=b""),
        response(LENGTH, begins=b"HTTP/1.1 404 Not Found"),
        response(LENGTH, begins=b"HTTP/1.1 503 Service Unavailable"),
        response(b"Content-Length: 0", body=b""),
        response(b"Content-Length: 2000000"),
        response(b"Content-Length: 5", b"Content-Length: 7"),
    ],
)
def test_a_response_is_the_same_as_http_client_reads_it_on_a_new_connection(
    unusual: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = read(PLAIN, unusual)
    monkeypatch.setattr(compat, "HEAD", re.compile(b"(?!)"))  # no head is plain
    assert found == read(unusual)


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("sent", [PLAIN[:-5], PLAIN[:30]])
def test_a_response_that_stops_is_as_late_on_an_open_connection(sent: bytes) -> None:
    assert "sent nothing for 0.5 s (tried 4 times)" in str(read(PLAIN, sent))


@pytest.mark.usefixtures("waits")
def test_a_connection_that_was_closed_is_opened_again() -> None:
    with serving(PLAIN, closes=True) as api, ApiSession(api.url, limits=LIMITS) as session:
        assert [session.get(api.url).status_code for _ in range(6)] == [200] * 6
    assert [len(heads) for heads in api.heads[:3]] == [2, 2, 2]


def other(number: int) -> bytes:
    body = b'{"data": [%d]}' % number
    return response(b"Content-Length: %d" % len(body), body=body)


@pytest.mark.usefixtures("waits")
def test_a_body_that_ends_too_soon_is_no_response() -> None:
    cut = response(b"Content-Length: 1000")
    with (
        serving(PLAIN, cut, other(2), closes=True) as api,
        ApiSession(api.url, limits=LIMITS) as session,
    ):
        assert [session.get(api.url).json() for _ in range(2)][1] == {"data": [2]}


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize(
    "last", [response(b"Content-Length: 2000000"), PLAIN[:-5], response(b"Content-Length: 9")]
)
def test_nothing_that_is_left_of_a_response_is_taken_for_the_next(last: bytes) -> None:
    with serving(other(1), last, other(2)) as api, ApiSession(api.url, limits=LIMITS) as session:
        session.get(api.url)
        with suppress(ApiError):
            session.get(api.url)
        assert session.get(api.url).json() == {"data": [2]}


def test_a_connection_that_the_api_closes_is_not_used_again() -> None:
    closing = response(LENGTH, b"Connection: close")
    with serving(PLAIN, closing, PLAIN) as api, ApiSession(api.url, limits=LIMITS) as session:
        assert [session.get(api.url).content for _ in range(4)] == [BODY] * 4
    assert [len(heads) for heads in api.heads] == [2, 2]


def test_a_cookie_that_comes_on_an_open_connection_is_sent_back() -> None:
    baking = response(LENGTH, b"Set-Cookie: a=b")
    with serving(PLAIN, baking, PLAIN) as api, ApiSession(api.url, limits=LIMITS) as session:
        for _ in range(3):
            session.get(api.url)
    ((*_, last),) = api.heads
    assert b"Cookie: a=b\r\n" in last


def test_requests_finds_no_cookies_in_a_plain_head() -> None:
    with serving(PLAIN) as api, ProbeSession(api.url, None, 20.0, ()) as session:
        assert session.post(api.url, data={"grant_type": "client_credentials"}).ok


def test_a_proxy_gets_the_whole_url_on_an_open_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(PLAIN) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("http://", "http://me:word@"))
        with ApiSession("http://api.example.com", limits=LIMITS) as session:
            for _ in range(2):
                session.get("http://api.example.com/v1")
    (heads,) = proxy.heads
    for head in heads:
        assert head.startswith(b"GET http://api.example.com/v1 HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic " in head


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_bytes_that_are_sent_are_the_same(host: str) -> None:
    auth = APIKeyAuth(name="X-Key", api_key="s3cret-key", location="header")
    target = "/v1/events?a=%C3%A9&from=2030-01-01T00:00:00%2B01:00&x[]=1&limit=100"
    with serving(PLAIN) as api:
        url = api.url.replace("127.0.0.1", host)
        with ApiSession(url, auth) as session:
            got = [session.get(url + target, headers={"X-More": "a"}) for _ in range(2)]
        ((first, second),) = api.heads
    assert [isinstance(each.raw, compat.PlainResponse) for each in got] == [False, True]
    assert first == second
    assert b"X-Key: s3cret-key" in second.splitlines()


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/a b?c=d e", {}),
        ("/\u00e9?q=\u00fc", {}),
        ("/%c3%a9", {}),
        ("/v1#part", {}),
        ("/v1", {"Host": "api.example.com"}),
        ("/v1", {"X-Text": "\u00e9"}),
        ("/v1", {"X-Bytes": b"abc"}),
        ("/v1", {"User-Agent": None, "Accept-Encoding": None}),
    ],
)
def test_what_is_not_plain_is_sent_by_urllib3(target: str, headers: dict[str, str]) -> None:
    with serving(PLAIN) as api, ApiSession(api.url) as session:
        for _ in range(2):
            session.get(api.url + target, headers=headers)
        ((first, second),) = (heads[:2] for heads in api.heads)
    assert first == second


def test_a_response_can_be_closed() -> None:
    with serving(PLAIN) as api, ApiSession(api.url, limits=LIMITS) as session:
        for _ in range(2):
            with session.get(api.url) as got:
                assert got.content == BODY
