"""What urllib3 and http.client do not publish: the deadline of a whole response."""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import urllib3


def limit_response_time(
    pool: urllib3.HTTPConnectionPool,
    seconds: float,
    timeout_error: type[TimeoutError],
    on_connect: Callable[[socket.socket], None],
) -> None:
    """Limit the duration of each response of a pool, head and body together.

    Args:
        pool: the pool, before its first connection.
        seconds: the limit.
        timeout_error: the error to raise after it.
        on_connect: is called with each new socket.
    """

    class Connection(pool.ConnectionCls):  # type: ignore[name-defined,misc]
        response_class = staticmethod(
            partial(_TimedResponse, seconds=seconds, timeout_error=timeout_error)
        )

        def connect(self) -> None:
            super().connect()
            on_connect(self.sock)

    pool.ConnectionCls = Connection


class _TimedResponse(http.client.HTTPResponse):
    def __init__(
        self,
        sock: socket.socket,
        *args: Any,
        seconds: float,
        timeout_error: type[TimeoutError],
        **kwargs: Any,
    ) -> None:
        super().__init__(sock, *args, **kwargs)
        deadline = time.monotonic() + seconds
        self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock, deadline, timeout_error))


class _TimedReader(io.RawIOBase):
    def __init__(
        self,
        unbuffered: Any,
        sock: socket.socket,
        deadline: float,
        timeout_error: type[TimeoutError],
    ) -> None:
        self._unbuffered = unbuffered
        self._sock = sock
        self._read_timeout: float | None = sock.gettimeout()
        self._deadline = deadline
        self._timeout_error = timeout_error

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
            received: int | None = self._unbuffered.readinto(buffer)
        except TimeoutError:
            if is_last:
                raise self._timeout_error from None
            raise
        return received

    def close(self) -> None:
        self._unbuffered.close()
        super().close()
