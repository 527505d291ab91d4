"""Limits on the duration and the size of a response, enforced while it is read."""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import urllib3

from event_assets.config.http import HttpLimits
from event_assets.values.errors import ResponseTimeoutError, ResponseTooLargeError

MB = 1_000_000
CHUNK_BYTES = 1 << 16


def enforce_deadline(
    pool: urllib3.HTTPConnectionPool,
    limits: HttpLimits,
    on_connect: Callable[[socket.socket], None],
) -> None:
    """Limit the duration of the responses of a pool; call `on_connect` with each new socket."""

    class Connection(pool.ConnectionCls):  # type: ignore[name-defined,misc]
        response_class = staticmethod(partial(_TimedResponse, seconds=limits.answer))

        def connect(self) -> None:
            super().connect()
            on_connect(self.sock)

    pool.ConnectionCls = Connection


def read_body(raw: urllib3.BaseHTTPResponse, max_megabytes: int) -> bytes:
    """Read and decompress a body in chunks.

    Raises:
        ResponseTooLargeError: If it is larger than the limit.
    """
    chunks, size = [], 0
    try:
        for chunk in raw.stream(CHUNK_BYTES):
            size += len(chunk)
            if size > max_megabytes * MB:
                raise ResponseTooLargeError
            chunks.append(chunk)
    except BaseException:
        raw.close()  # the rest would be taken for the next response on this connection
        raise
    return b"".join(chunks)


class _TimedResponse(http.client.HTTPResponse):
    """A response whose head and body share one deadline."""

    def __init__(self, sock: socket.socket, *args: Any, seconds: float, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        unbuffered = self.fp.detach()
        self.fp = io.BufferedReader(_TimedReader(unbuffered, sock, time.monotonic() + seconds))


class _TimedReader(io.RawIOBase):
    def __init__(self, unbuffered: Any, sock: socket.socket, deadline: float) -> None:
        self._unbuffered = unbuffered
        self._sock = sock
        self._read_timeout: float | None = sock.gettimeout()
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise ResponseTimeoutError
        is_last = self._read_timeout is None or left < self._read_timeout
        if is_last:
            self._sock.settimeout(left)
        try:
            received: int | None = self._unbuffered.readinto(buffer)
        except TimeoutError:
            if is_last:
                raise ResponseTimeoutError from None
            raise
        return received

    def close(self) -> None:
        self._unbuffered.close()
        super().close()
