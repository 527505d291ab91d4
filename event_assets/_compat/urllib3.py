"""What urllib3 and http.client do not publish: a response that is read whole, by a deadline."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Mapping
from http import client as client
from socket import socket
from typing import Any, Literal

import urllib3

HEAD_END = b"\r\n\r\n"
# The usual status and headers of a response that may have a body; http.client reads all others.
STATUS_LINE = re.compile(r"HTTP/1\.1 ((?!204|304)[2-5]\d\d)(?: ([^\r\n]*))?", re.ASCII)
HEADER = re.compile(r"([\w!#$%&'*+.^`|~-]+):[ \t]*([^\r\n]*)", re.ASCII)
MAX_HEADERS = 100
PLAIN_TARGET = re.compile(r"/[!-~]*")  # with a host, it would contradict the header Host


def read_whole(
    pool: urllib3.HTTPConnectionPool,
    deadline: Callable[[], float],
    timeout_error: type[TimeoutError],
    read_body: Callable[[client.HTTPResponse, Mapping[str, str]], bytes],
    on_connect: Callable[[socket], None],
) -> None:
    """Have a pool, which has no connection yet, read each response at once: it takes less time.

    Args:
        deadline: returns the `time.monotonic` by which a response must be complete, from now on.
        timeout_error: is raised for one that began and is not complete by then.
        read_body: reads and decompresses a body, given the headers as well.
        on_connect: is called with each new socket.
    """

    class Connection(pool.ConnectionCls):  # type: ignore[name-defined,misc]  # known at run time
        _form: Any = None  # the method and the headers that `_head` was made of
        _head = b""  # of the request before, but for its first line
        _is_repeated = False  # whether a request differs from the one before in its target only

        def connect(self) -> None:
            super().connect()
            on_connect(self.sock)

        def send(self, data: Any) -> None:
            super().send(data)
            self._sent = data

        def request(
            self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any
        ) -> None:
            form = (method, headers)
            is_plain = self.sock and body is None and PLAIN_TARGET.fullmatch(url)
            self._is_repeated = bool(is_plain) and form == self._form
            if self._is_repeated:  # in a fourth of the time
                self.sock.settimeout(self.timeout)
                super().send(f"{method} {url} HTTP/1.1\r\n".encode() + self._head)
            else:
                super().request(method, url, body, headers, **options)
                self._form = form if body is None else None
                self._head = self._sent.partition(b"\r\n")[2] if self._form else b""

        def response_class(self, sock: socket, **options: Any) -> client.HTTPResponse:
            timed: Any = _TimedSocket(sock, deadline(), timeout_error)
            return _Response(timed, **options)

        def _receive(self) -> client.HTTPResponse:
            if not self._is_repeated:
                return client.HTTPConnection.getresponse(self)
            response = self.response_class(self.sock, method=self._form[0])
            try:
                response.begin()
            except Exception:
                response.close()
                raise
            if response.will_close:
                self.close()
            return response

        def getresponse(self) -> urllib3.HTTPResponse:
            self.sock.settimeout(self.timeout)
            response = self._receive()
            headers = urllib3.HTTPHeaderDict(response.headers.items())
            try:
                return urllib3.HTTPResponse(
                    read_body(response, headers),
                    headers,
                    response.status,
                    reason=response.reason,
                    original_response=response,
                    preload_content=False,
                )
            finally:
                response.close()

    pool.ConnectionCls = Connection


class _Response(client.HTTPResponse):
    """Reads the usual head of a response in a fourth of the time."""

    def begin(self) -> None:
        if not self._begin_quickly():
            super().begin()

    def _begin_quickly(self) -> bool:
        stream: Any = self.fp
        head, end, _ = stream.peek().partition(HEAD_END)
        first, *lines = head.decode("latin-1").split("\r\n")
        status, fields = STATUS_LINE.fullmatch(first), list(map(HEADER.fullmatch, lines))
        if not (end and status and all(fields)) or len(fields) > MAX_HEADERS:
            return False
        headers: Any = urllib3.HTTPHeaderDict([(field[1], field[2]) for field in fields if field])
        length, encoding = headers.get("content-length", ""), headers.get("transfer-encoding")
        is_chunked = encoding == "chunked"
        if not is_chunked and (encoding or not length.isdecimal()):
            return False
        stream.read(len(head) + len(end))
        self.code = self.status = int(status[1])
        self.reason, self.version = status[2] or "", 11
        self.headers = self.msg = headers
        self.chunked, self.chunk_left = is_chunked, None
        self.length = None if is_chunked else int(length)
        self.will_close = "close" in headers.get("connection", "").lower()
        return True


class _TimedSocket(io.RawIOBase):
    """Reads from a socket until a deadline."""

    def __init__(self, sock: socket, deadline: float, error: type[TimeoutError]) -> None:
        self._sock = sock
        self._read_timeout = sock.gettimeout()
        self._deadline = deadline
        self._timeout_error = error
        self._has_begun = False

    def makefile(self, mode: Literal["rb"]) -> io.BufferedReader:
        self._file = self._sock.makefile(mode, 0)  # while it is open, the socket is
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
