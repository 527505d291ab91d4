"""How long an answer may take and how large it may be, kept while it is read."""

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
CHUNK_BYTES = 1 << 16  # bytes read at a time


def enforce_deadline(
    pool: urllib3.HTTPConnectionPool, limits: HttpLimits, opened: Callable[[socket.socket], None]
) -> None:
    """Let the answers that come by a pool take no longer than they may; tell of each connection."""

    class Connection(pool.ConnectionCls):  # type: ignore[name-defined,misc]
        response_class = staticmethod(partial(_TimedResponse, seconds=limits.answer))

        def connect(self) -> None:
            super().connect()
            opened(self.sock)

    pool.ConnectionCls = Connection


def read_body(raw: urllib3.BaseHTTPResponse, megabytes: int) -> bytes:
    """Read a body, decompressed, a piece at a time.

    Raises:
        ResponseTooLargeError: when it is larger than so many megabytes.
    """
    pieces, size = [], 0
    try:
        for piece in raw.stream(CHUNK_BYTES):
            size += len(piece)
            if size > megabytes * MB:
                raise ResponseTooLargeError
            pieces.append(piece)
    except BaseException:
        raw.close()  # what follows in the connection would be taken for the next answer
        raise
    return b"".join(pieces)


class _TimedResponse(http.client.HTTPResponse):
    """An answer, head and body, whose every piece is read with what is left of its time."""

    def __init__(self, sock: socket.socket, *args: Any, seconds: float, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        unbuffered = self.fp.detach()
        self.fp = io.BufferedReader(_Timed(unbuffered, sock, time.monotonic() + seconds))


class _Timed(io.RawIOBase):
    def __init__(self, unbuffered: Any, sock: socket.socket, until: float) -> None:
        self._unbuffered = unbuffered
        self._sock = sock
        self._pause: float | None = sock.gettimeout()
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise ResponseTimeoutError
        last = self._pause is None or left < self._pause
        if last:
            self._sock.settimeout(left)
        try:
            received: int | None = self._unbuffered.readinto(buffer)
        except TimeoutError:
            if last:
                raise ResponseTimeoutError from None
            raise
        return received

    def close(self) -> None:
        self._unbuffered.close()
        super().close()
