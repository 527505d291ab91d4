"""What urllib3 and http.client do not publish: a response that is read whole, by a deadline."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http import client as client
from socket import socket
from typing import Any, Literal

import urllib3


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
        def connect(self) -> None:
            super().connect()
            on_connect(self.sock)

        def response_class(self, sock: socket, **options: Any) -> client.HTTPResponse:
            timed: Any = _TimedSocket(sock, deadline(), timeout_error)
            return _FinalResponse(timed, **options)

        def getresponse(self) -> urllib3.HTTPResponse:
            self.sock.settimeout(self.timeout)
            response = client.HTTPConnection.getresponse(self)
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


class _FinalResponse(client.HTTPResponse):
    """Skips interim responses, such as 103 Early Hints; http.client skips 100 only."""

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # in no stubs
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
