"""One request, sent as often as the policy allows, with the key on the wire only."""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from event_assets.answer import Answer, Hiding
from event_assets.api_errors import (
    RETRIES,
    RETRY_STATUSES,
    SETTING,
    ApiError,
    BadAnswerError,
    is_broken,
    origin,
    public,
    reason,
)
from event_assets.limits import LIMITS, Limits, body, keep_time

BACKOFF_FACTOR = 2.0  # seconds: waits of 2, 4 and 8
QUERY = re.compile(r"\?\S*")
RETRY_AFTER_MAX = 120.0  # seconds


@dataclass
class Traffic:
    """What a session has asked and received so far."""

    requests: int = 0
    retries: int = 0
    bytes: int = 0
    in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, **changes: int) -> None:
        """Add to the counters, from any thread."""
        with self.lock:
            for name, change in changes.items():
                setattr(self, name, getattr(self, name) + change)


class Pace:
    """Holds back every request of a session while the API asks for a pause, and ends them all."""

    def __init__(self) -> None:
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._until = 0.0
        self._slowed = False
        self._stopped = threading.Event()

    def hold(self, seconds: float) -> None:
        """Send nothing for so long."""
        self._until = max(self._until, time.monotonic() + seconds)
        self._slowed = True

    def slowed(self) -> bool:
        """Was there a pause since this was last asked?"""
        slowed, self._slowed = self._slowed, False
        return slowed

    def wait(self, seconds: float = 0.0) -> None:
        """Wait so long, and for the end of the pause.

        Raises:
            ApiError: when the session ends meanwhile.
        """
        until = time.monotonic() + seconds
        while not self._stopped.is_set():
            left = max(until, self._until) - time.monotonic()
            if left <= 0:
                return
            self._stopped.wait(left)
        raise ApiError("The sync ended.")

    def connected(self, opened: socket.socket) -> None:
        """Take note of a connection."""
        with self._lock:
            self._sockets.add(opened)
            if self._stopped.is_set():
                _cut(opened)

    def stop(self) -> None:
        """End all waiting, also for answers."""
        with self._lock:
            self._stopped.set()
            for opened in self._sockets:
                _cut(opened)


def _cut(opened: socket.socket) -> None:
    try:
        # Not SSLSocket's own, which another thread may be reading by.
        socket.socket.shutdown(opened, socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already


class Adapter(HTTPAdapter):
    """Adds the key, retries, and checks the answers, out of sight of everything above."""

    def __init__(
        self,
        key: AuthBase | None,
        pace: Pace,
        traffic: Traffic,
        check: Callable[[Any], str | None] | None,
        connections: int,
        hiding: Hiding,
        most: Limits = LIMITS,
    ) -> None:
        super().__init__(pool_maxsize=connections)
        self._hiding = hiding
        self._most = most
        self._pools: dict[str, urllib3.HTTPConnectionPool] = {}
        self._key = key
        self._pace = pace
        self._traffic = traffic
        self._check = check

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Send a request as often as the policy allows, and give the last answer.

        Raises:
            ApiError: when there was none.
        """
        wait = 0.0
        for attempt in range(1 + RETRIES):
            self._pace.wait(wait)
            self._traffic.count(requests=1, retries=min(attempt, 1), in_flight=1)
            try:
                response = self._send_once(request, *args, **kwargs)
            except ApiError:  # there is no token: said already
                raise
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                response = None
                problem = reason(error, self._most)
                final = not is_broken(error)
            finally:
                self._traffic.count(in_flight=-1)
            if response is not None and response.status_code not in RETRY_STATUSES:
                return response
            if attempt == RETRIES or (response is None and final):
                break
            wait = BACKOFF_FACTOR * 2**attempt
            if response is not None:
                wait = _retry_after(response, wait)
                if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                    self._pace.hold(wait)
        if response is not None:
            return response
        # Raised outside the except block: the original holds the URL with the key.
        raise ApiError(f"The API at {public(request.url)} {problem}")

    def _send_once(
        self, request: requests.PreparedRequest, *_: Any, **kwargs: Any
    ) -> requests.Response:
        keyed = self._key(request.copy()) if self._key else request
        self._hiding.add(getattr(self._key, "access_token", None) or "")  # fetched meanwhile
        response = self._exchange(keyed, **kwargs)
        self._traffic.count(bytes=len(response.content))
        response.request, response.url = request, request.url or ""
        setattr(response, SETTING, getattr(self._key, SETTING, None))
        if response.ok and not response.is_redirect and self._check:
            try:
                problem = self._check(response.json())
            except requests.exceptions.JSONDecodeError:
                problem = "is not JSON"
            if problem:
                raise BadAnswerError(problem)
        return response

    def _exchange(self, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        raw = self._open(request, **settings)
        return Answer(raw, body(raw, self._most.megabytes), self._hiding)

    def _open(
        self, request: requests.PreparedRequest, timeout: Any, **settings: Any
    ) -> urllib3.BaseHTTPResponse:
        """Send a request by urllib3, which takes half the time of requests' own way.

        The body is still to be read.
        """
        place = origin(request.url or "")
        pool = self._pools.get(place)
        if pool is None:
            pool = self._pools[place] = self._pool_for(request, **settings)
            keep_time(pool, self._most, self._pace.connected)
        connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        return pool.urlopen(
            request.method or "GET",
            self.request_url(request, settings.get("proxies")),
            body=request.body,
            headers=request.headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            timeout=urllib3.Timeout(connect=connect, read=read),
        )

    def _pool_for(
        self, request: requests.PreparedRequest, **settings: Any
    ) -> urllib3.HTTPConnectionPool:
        """Let requests choose the proxy and the certificates."""
        verify, cert, proxies = (settings.get(name) for name in ("verify", "cert", "proxies"))
        pool = self.get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        cast("Any", self).cert_verify(pool, request.url, verify, cert)
        return cast("urllib3.HTTPConnectionPool", pool)


class _WithoutQuery(logging.Filter):
    """Takes the query, which may hold a key, out of what urllib3 logs of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                QUERY.sub("?***", arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutQuery())


def _retry_after(response: requests.Response, otherwise: float) -> float:
    """Seconds that the API asks to wait, within reason."""
    try:
        asked = urllib3.Retry().get_retry_after(response.raw)
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return otherwise  # it says neither seconds nor a date that can be
    return otherwise if asked is None else min(asked, RETRY_AFTER_MAX)
