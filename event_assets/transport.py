"""The HTTP session of a sync: the retry policy, read-ahead, and the key on the wire only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from event_assets.answer import Answer
from event_assets.api_errors import (
    RETRIES,
    RETRY_STATUSES,
    TIMEOUT,
    ApiError,
    BadAnswerError,
    is_broken,
    origin,
    public,
    reason,
)

BACKOFF_FACTOR = 2.0  # seconds: waits of 2, 4 and 8
RETRY_AFTER_MAX = 120.0  # seconds
CONCURRENCY = 8  # requests in flight at the most

Params = Mapping[str, Any]


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


class ApiSession(requests.Session):
    """A session that adds the key on the wire only, for the API's own host, and reads ahead.

    A page that was read ahead is handed out when it is asked for. When another page is asked for
    than was foreseen, what was read ahead is dropped: read-ahead never changes what is delivered.

    Args:
        base_url: where the API is; its scheme, host and port are the ones that get the key.
        auth: what adds the key to a prepared request, or None.
        upcoming: gives the query parameters of up to so many requests that will follow.
        check: says what is wrong with the JSON of an answer with status 200, or None.
        concurrency: requests in flight at the most.
        traffic: where to count what is asked and received.
    """

    def __init__(
        self,
        base_url: str,
        auth: AuthBase | None = None,
        *,
        upcoming: Callable[[int], Sequence[Params]] | None = None,
        check: Callable[[Any], str | None] | None = None,
        concurrency: int = CONCURRENCY,
        traffic: Traffic | None = None,
    ) -> None:
        super().__init__()
        self.traffic = traffic or Traffic()
        self._pace = _Pace()
        self._upcoming = upcoming or (lambda _: ())
        self._concurrency = concurrency
        self._window = 1
        self._ahead: dict[str, Future[requests.Response]] = {}
        self._prepared: dict[tuple[Any, ...], requests.PreparedRequest] = {}
        self._latest: requests.Request | None = None
        self._environment: Mapping[str, Any] | None = None
        self.auth = _no_auth  # else requests looks for a .netrc before each request
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="read-ahead")
        for prefix, key in (("http://", None), ("https://", None), (origin(base_url) + "/", auth)):
            self.mount(prefix, _Adapter(key, self._pace, self.traffic, check, concurrency))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepare a request, unless that was done already for reading ahead."""
        self._latest = request
        page = _page(request, request.params or {})
        return self._prepared.pop(page, None) or super().prepare_request(request)

    def merge_environment_settings(self, *args: Any) -> Any:
        """Find out about proxies and certificates once, not for each request."""
        if self._environment is None:
            self._environment = super().merge_environment_settings(*args)
        return dict(self._environment)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send one request, by the retry policy, and the ones that will follow it.

        Raises:
            ApiError: when the API did not answer, or not with what it should, after all retries.
        """
        kwargs["timeout"] = kwargs.get("timeout") or TIMEOUT
        if request.method != "GET":
            return super().send(request, **kwargs)
        answer = self._fetched(request, kwargs)
        if answer.is_redirect:
            return super().send(request, **kwargs)  # hop by hop, by requests
        for hook in request.hooks["response"]:
            answer = hook(answer, **kwargs) or answer
        return answer

    def _fetched(
        self, request: requests.PreparedRequest, kwargs: Mapping[str, Any]
    ) -> requests.Response:
        """Take the answer that was read ahead, or fetch it; and read ahead what will follow."""
        ahead = self._ahead.pop(request.url or "", None)
        if ahead is None:
            self._drop()
            if self._concurrency == 1:
                return self._fetch(request, kwargs)
            ahead = self._threads.submit(self._fetch, request, kwargs)
        else:
            self._window = min(2 * self._window, self._concurrency)
        self._read_ahead(request, kwargs)
        return ahead.result()

    def _fetch(
        self, request: requests.PreparedRequest, kwargs: Mapping[str, Any]
    ) -> requests.Response:
        return self.get_adapter(request.url or "").send(request, **kwargs)

    def close(self) -> None:
        """Close the connections; what was read ahead is dropped."""
        self._drop()
        self._pace.stop()
        self._threads.shutdown(cancel_futures=True)
        super().close()

    def _read_ahead(self, request: requests.PreparedRequest, kwargs: Mapping[str, Any]) -> None:
        if self._pace.slowed():
            self._window = 1
        if self._concurrency == 1 or self._latest is None:
            return
        asked = self._latest.params or {}
        for changed in self._upcoming(self._window):
            params = {**asked, **changed}
            page = _page(self._latest, params)
            if page not in self._prepared:
                follower = self._prepared[page] = request.copy()
                follower.url = _with_query(self._latest.url, params)
                self._ahead[follower.url or ""] = self._threads.submit(
                    self._fetch, follower, kwargs
                )

    def _drop(self) -> None:
        for answer in self._ahead.values():
            answer.cancel()
        self._ahead.clear()
        self._prepared.clear()
        self._window = 1


def _with_query(url: str, params: Params) -> str:
    """Add parameters to a URL, without taking it apart as requests does."""
    query = urlencode([(name, value) for name, value in params.items() if value is not None], True)
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _page(request: requests.Request, params: Params) -> tuple[Any, ...]:
    """Say what tells one page from another."""
    return (request.method, request.url, *params.items())


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class _Pace:
    """Holds back every request of a session while the API asks for a pause."""

    def __init__(self) -> None:
        self._until = 0.0
        self._slowed = False
        self._stopped = threading.Event()

    def hold(self, seconds: float) -> None:
        self._until = max(self._until, time.monotonic() + seconds)
        self._slowed = True

    def slowed(self) -> bool:
        slowed, self._slowed = self._slowed, False
        return slowed

    def wait(self, seconds: float = 0.0) -> None:
        until = time.monotonic() + seconds
        while not self._stopped.is_set():
            left = max(until, self._until) - time.monotonic()
            if left <= 0:
                return
            self._stopped.wait(left)
        raise ApiError("The sync ended.")

    def stop(self) -> None:
        self._stopped.set()


class _Adapter(HTTPAdapter):
    """Adds the key, retries, and checks the answers, out of sight of everything above."""

    def __init__(
        self,
        key: AuthBase | None,
        pace: _Pace,
        traffic: Traffic,
        check: Callable[[Any], str | None] | None,
        connections: int,
    ) -> None:
        super().__init__(pool_maxsize=connections)
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
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                response = None
                problem = reason(error)
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
        response = self._exchange(keyed, **kwargs)
        self._traffic.count(bytes=len(response.content))
        response.request, response.url = request, request.url or ""
        if response.ok and self._check:
            try:
                problem = self._check(response.json())
            except requests.exceptions.JSONDecodeError:
                problem = "is not JSON"
            if problem:
                raise BadAnswerError(problem)
        return response

    def _exchange(
        self, request: requests.PreparedRequest, timeout: Any, **settings: Any
    ) -> requests.Response:
        """Send a request by urllib3, which takes half the time of requests' own way."""
        place = origin(request.url or "")
        pool = self._pools.get(place)
        if pool is None:
            pool = self._pools[place] = self._pool_for(request, **settings)
        connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        raw = pool.urlopen(
            request.method or "GET",
            self.request_url(request, settings.get("proxies")),
            body=request.body,
            headers=request.headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=urllib3.Timeout(connect=connect, read=read),
        )
        return Answer(raw)

    def _pool_for(
        self, request: requests.PreparedRequest, **settings: Any
    ) -> urllib3.HTTPConnectionPool:
        """Let requests choose the proxy and the certificates."""
        verify, cert, proxies = (settings.get(name) for name in ("verify", "cert", "proxies"))
        pool = self.get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        cast("Any", self).cert_verify(pool, request.url, verify, cert)
        return cast("urllib3.HTTPConnectionPool", pool)


def _retry_after(response: requests.Response, otherwise: float) -> float:
    """Seconds that the API asks to wait, within reason."""
    asked = urllib3.Retry().get_retry_after(response.raw)
    return otherwise if asked is None else min(asked, RETRY_AFTER_MAX)
