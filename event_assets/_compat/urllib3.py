"""What urllib3 and http.client do not publish: the deadline of a whole response."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from http import client as client  # its errors, for messages
from http.client import HTTPResponse
from socket import socket
from typing import Any

import urllib3


def limit_response_time(
    pool: urllib3.HTTPConnectionPool,
    seconds: float,
    timeout_error: type[TimeoutError],
    on_connect: Callable[[socket], None],
) -> None:
    """Limit the duration of each response of a pool, head and body together.

    The pool has no connection yet; `on_connect` is called with each new socket.
    """

    def open_response(sock: socket, *args: Any, **kwargs: Any) -> HTTPResponse:
        response = HTTPResponse(sock, *args, **kwargs)
        reader = _TimedReader(response.fp.detach(), sock, seconds, timeout_error)
        response.fp = io.BufferedReader(reader)
        return response

    class Connection(pool.ConnectionCls):  # type: ignore[name-defined,misc]  # known at run time
        response_class = staticmethod(open_response)

        def connect(self) -> None:
            super().connect()
            on_connect(self.sock)

    pool.ConnectionCls = Connection


class _TimedReader(io.RawIOBase):
    def __init__(
        self, unbuffered: io.RawIOBase, sock: socket, seconds: float, error: type[TimeoutError]
    ) -> None:
        self._unbuffered = unbuffered
        self._sock = sock
        self._read_timeout = sock.gettimeout()
        self._deadline = time.monotonic() + seconds
        self._timeout_error = error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self._timeout_error
        is_last = self._read_timeout is None or left < self._read_timeout
        if is_last:
            self._sock.settimeout(left)
        try:
            return self._unbuffered.readinto(buffer)
        except TimeoutError:
            if is_last:
                raise self._timeout_error from None
            raise

    def close(self) -> None:
        self._unbuffered.close()
        super().close()
