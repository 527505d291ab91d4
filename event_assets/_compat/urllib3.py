"""What urllib3 and http.client do not publish: responses that are read whole, by a deadline.

Most requests of a sync are plain: a GET on a connection that is open already, whose response is 200
with one header of each name and a body of a known length. `exchange` sends these, and `_Response`
reads their heads, in two thirds of the time; urllib3 and http.client do all the rest.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from http import HTTPStatus
from http import client as client
from socket import socket
from typing import Any, Literal, NamedTuple, cast

import urllib3
from urllib3.exceptions import ProtocolError, ReadTimeoutError

# A target that urllib3 sends as it is.
TARGET = re.compile(r"/(?:[\w.~!$&'()*+,;=:@/?-]|%[\dA-F]{2})*", re.ASCII)
# http.client refuses more than 100 headers.
HEAD = re.compile(rb"HTTP/1\.1 200 ([^\r\n]*)\r\n((?:[\w-]+:[^\r\n]*\r\n){1,100})\r\n")
FIELD = re.compile(r"([\w-]+):[ \t]*([^\r\n]*)\r\n")
LENGTH = re.compile(r"\d{1,15}", re.ASCII)


class PlainResponse(NamedTuple):
    """A response with a plain head, which sets no cookies: what urllib3 would make takes 30 us."""

    data: bytes
    headers: Mapping[str, str]
    status: int
    reason: str


def read_whole(
    pool: urllib3.HTTPConnectionPool,
    deadline: Callable[[], float],
    timeout_error: type[TimeoutError],
    read_body: Callable[[client.HTTPResponse, str | None], bytes],
    on_connect: Callable[[socket], None],
) -> None:
    """Have a pool, which has no connection yet, read each response at once: it takes less time.

    Args:
        deadline: returns the `time.monotonic` by which a response must be complete, from now on.
        timeout_error: is raised for one that began and is not complete by then.
        read_body: reads and decompresses a body, given its encoding.
        on_connect: is called with each new socket.
    """

    class Connection(pool.ConnectionCls):  # type: ignore[name-defined,misc]  # a base known at run time
        def connect(self) -> None:
            super().connect()
            on_connect(self.sock)

        def response_class(self, sock: socket, **options: Any) -> _Response:
            timed: Any = _TimedSocket(sock, deadline(), timeout_error)
            return _Response(timed, **options)

        def getresponse(self) -> urllib3.HTTPResponse:
            self.sock.settimeout(self.timeout)
            return self._read(client.HTTPConnection.getresponse(self))

        def exchange(self, request: bytes, timeout: float) -> urllib3.HTTPResponse | PlainResponse:
            self.sock.settimeout(timeout)
            with suppress(BrokenPipeError):  # the response may have arrived all the same
                self.sock.sendall(request)
            response = self.response_class(self.sock, method="GET")
            response.begin()
            if not response.is_plain:
                answer = self._read(response)
                if response.will_close:
                    self.close()
                return answer
            with closing(response):
                body, headers = read_body(response, response.encoding), response.headers.items()
                return PlainResponse(body, dict(headers), response.status, response.reason)

        def _read(self, response: client.HTTPResponse) -> urllib3.HTTPResponse:
            headers = urllib3.HTTPHeaderDict(response.headers.items())
            try:
                return urllib3.HTTPResponse(
                    read_body(response, headers.get("Content-Encoding")),
                    headers,
                    response.status,
                    reason=response.reason,
                    original_response=response,
                    preload_content=False,
                )
            finally:
                response.close()

    pool.ConnectionCls = Connection


def exchange(
    pool: urllib3.HTTPConnectionPool, target: str, headers: Mapping[str, str], timeout: float
) -> urllib3.HTTPResponse | PlainResponse | None:
    """Send a GET request on an open connection of a pool that `read_whole` has prepared.

    None: nothing was sent, because no connection is open or the request is not plain.

    Args:
        timeout: in seconds, of each wait for a part of the response.

    Raises:
        ReadTimeoutError, ProtocolError: as by urllib3.
    """
    request = _plain_request(pool, target, headers)
    if request is None:
        return None
    connection: Any = pool._get_conn()
    try:
        return None if connection.is_closed else connection.exchange(request, timeout)
    except BaseException as error:
        connection.close()
        if isinstance(error, TimeoutError):
            raise ReadTimeoutError(pool, target, "Read timed out.") from error
        if isinstance(error, (OSError, client.HTTPException)):
            raise ProtocolError("Connection aborted.", error) from error
        raise
    finally:
        pool._put_conn(connection)


def _plain_request(
    pool: urllib3.HTTPConnectionPool, target: str, headers: Mapping[str, str]
) -> bytes | None:
    """Return the bytes of a GET request; None if urllib3 would add or change something."""
    names = {name.lower() for name in headers}
    is_whole = {"user-agent", "accept-encoding"} <= names and "host" not in names
    if pool.proxy or not (is_whole and TARGET.fullmatch(target)):
        return None
    host = f"[{pool.host}]" if ":" in pool.host else pool.host.rstrip(".")
    port = "" if pool.port == pool.ConnectionCls.default_port else f":{pool.port}"
    lines = [f"GET {target} HTTP/1.1", f"Host: {host}{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    text = "\r\n".join((*lines, "", ""))
    is_plain = text.count("\r") == text.count("\n") == len(lines) + 1 and text.isascii()
    return text.encode() if is_plain and set(map(type, headers.values())) == {str} else None


class _Response(client.HTTPResponse):
    """Reads plain heads quickly; skips interim responses, such as 103 Early Hints, not only 100."""

    is_plain = False  # whether its head was read quickly
    encoding: str | None = None

    def begin(self) -> None:
        """Read the head."""
        self.is_plain = self._read_plain_head()
        if not self.is_plain:
            super().begin()

    def _read_plain_head(self) -> bool:
        """Read a head; nothing is read if the response may not be plain."""
        reader: Any = self.fp
        if self.headers is not None or not (head := HEAD.match(reader.peek())):
            return False
        fields = FIELD.findall(head[2].decode("latin-1"))
        headers = {name.lower(): value for name, value in fields}
        length = headers.get("content-length", "")
        is_plain = bool(
            len(headers) == len(fields)
            and LENGTH.fullmatch(length)
            and "transfer-encoding" not in headers
            and "set-cookie" not in headers  # its reader needs http.client's headers
            and headers.get("connection", "keep-alive").lower() == "keep-alive"
        )
        if is_plain:
            reader.read(head.end())
            self.version, self.status, self.reason = 11, 200, head[1].decode("latin-1").strip()
            self.headers = cast("client.HTTPMessage", dict(fields))
            self.msg = client.HTTPMessage()  # where requests looks for cookies
            self.length, self.chunked, self.will_close = int(length), False, False
            self.encoding = headers.get("content-encoding")
        return is_plain

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # not in the stubs
        is_interim = HTTPStatus.SWITCHING_PROTOCOLS < status < HTTPStatus.OK
        return version, HTTPStatus.CONTINUE if is_interim else status, reason


class _TimedSocket(io.RawIOBase):
    """Reads from a socket until a deadline."""

    def __init__(self, sock: socket, deadline: float, error: type[TimeoutError]) -> None:
        self._sock = sock
        self._read_timeout = sock.gettimeout()
        self._deadline = deadline
        self._timeout_error = error
        self._has_begun = False

    def makefile(self, mode: Literal["rb"]) -> io.BufferedReader:
        self._file = self._sock.makefile(mode, 0)  # keeps the socket open
        return io.BufferedReader(self, 1 << 16)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._deadline - time.monotonic()
        is_last = self._read_timeout is None or left < self._read_timeout
        try:
            if left <= 0:
                raise TimeoutError
            if is_last:
                self._sock.settimeout(left)
            size = self._sock.recv_into(buffer)
        except TimeoutError:
            if is_last and self._has_begun:
                raise self._timeout_error from None
            raise
        self._has_begun = True
        return size

    def close(self) -> None:
        self._file.close()
        super().close()
