"""The HTTP session of a sync: the retry policy, read-ahead, the key, and plain errors."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.util import Retry

RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})
RETRIES = 3
BACKOFF_FACTOR = 2.0  # seconds: waits of 2, 4 and 8
RETRY_AFTER_MAX = 120.0  # seconds
TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two pieces of an answer
CONCURRENCY = 8  # requests in flight at the most

ADVICE: Mapping[int, str] = {
    400: "check the endpoint's path and params in defs.yaml",
    401: "set API_KEY (in .env or the environment) to a key that this API accepts",
    403: "set API_KEY (in .env or the environment) to a key that may read events",
    404: "check EVENTS_API_URL and the endpoint's path in defs.yaml",
    429: "the API is limiting requests: sync less often, or ask for a higher limit",
}

Params = Mapping[str, Any]


class ApiError(requests.RequestException):
    """The API could not be read. The message is for the user and never holds the key."""


class BadAnswerError(requests.RequestException):
    """An answer with status 200 that is not what the API should send; it is asked for again."""


class Answer(requests.Response):
    """A response that decodes its JSON once, with orjson."""

    def json(self, **_: Any) -> Any:
        """Give the body.

        Raises:
            requests.exceptions.JSONDecodeError: when it is not JSON.
        """
        if not hasattr(self, "_document"):
            try:
                self._document = orjson.loads(self.content)
            except orjson.JSONDecodeError as error:
                raise requests.exceptions.JSONDecodeError(error.msg, "", error.pos) from None
        return self._document


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
        self._environment: Mapping[str, Any] | None = None
        self.auth = _no_auth  # else requests looks for a .netrc before each request
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="read-ahead")
        for prefix, key in (("http://", None), ("https://", None), (origin(base_url) + "/", auth)):
            self.mount(prefix, _Adapter(key, self._pace, self.traffic, check, concurrency))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepare a request, unless that was done already for reading ahead."""
        self._latest = request
        return self._prepared.pop(_page_of(request), None) or super().prepare_request(request)

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
        if request.method != "GET" or self._concurrency < 2:
            return super().send(request, **kwargs)
        url = request.url or ""
        answer = self._ahead.pop(url, None)
        if answer is None:
            self._drop()
            answer = self._threads.submit(super().send, request, **kwargs)
        else:
            self._window = min(2 * self._window, self._concurrency)
        self._read_ahead(kwargs)
        return answer.result()

    def close(self) -> None:
        """Close the connections; what was read ahead is dropped."""
        self._drop()
        self._pace.stop()
        self._threads.shutdown(cancel_futures=True)
        super().close()

    def _read_ahead(self, kwargs: Mapping[str, Any]) -> None:
        if self._pace.slowed():
            self._window = 1
        for params in self._upcoming(self._window):
            request = self._following(params)
            page = _page_of(request)
            if page not in self._prepared:
                prepared = self._prepared[page] = super().prepare_request(request)
                self._ahead[prepared.url or ""] = self._threads.submit(
                    super().send, prepared, **kwargs
                )

    def _following(self, params: Params) -> requests.Request:
        follower = copy.copy(self._latest)
        follower.params = {**(follower.params or {}), **params}
        return follower

    def _drop(self) -> None:
        for answer in self._ahead.values():
            answer.cancel()
        self._ahead.clear()
        self._prepared.clear()
        self._window = 1


def _page_of(request: requests.Request) -> tuple[Any, ...]:
    """What tells one page from another."""
    return (request.method, request.url, *(request.params or {}).items())


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
        super().__init__(max_retries=Retry(0, read=False), pool_maxsize=connections)
        self._key = key
        self._pace = pace
        self._traffic = traffic
        self._check = check

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        wait = 0.0
        for attempt in range(1 + RETRIES):
            self._pace.wait(wait)
            self._traffic.count(requests=1, retries=min(attempt, 1), in_flight=1)
            try:
                response = self._send_once(request, *args, **kwargs)
            except requests.RequestException as error:
                response = None
                problem = _reason(error)
                final = not _is_broken(error)
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
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        keyed = self._key(request.copy()) if self._key else request
        response = super().send(keyed, *args, **kwargs)
        self._traffic.count(bytes=len(response.content))  # reads it: it may break off here
        response.request, response.url = request, request.url or ""
        response.__class__ = Answer
        if response.ok and self._check:
            try:
                problem = self._check(response.json())
            except requests.exceptions.JSONDecodeError:
                problem = "is not JSON"
            if problem:
                raise BadAnswerError(problem)
        return response


def _retry_after(response: requests.Response, otherwise: float) -> float:
    """Seconds that the API asks to wait, within reason."""
    asked = Retry().get_retry_after(response.raw)
    return otherwise if asked is None else min(asked, RETRY_AFTER_MAX)


BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    BadAnswerError,
)


def _is_broken(error: BaseException) -> bool:
    return isinstance(error, BROKEN) and not isinstance(error, requests.exceptions.SSLError)


REASONS: tuple[tuple[type[Exception], str], ...] = (
    (requests.exceptions.SSLError, "has a TLS certificate that is not trusted"),
    (requests.exceptions.ConnectTimeout, f"did not accept a connection in {TIMEOUT[0]:.0f} s"),
    (requests.exceptions.ReadTimeout, f"sent nothing for {TIMEOUT[1]:.0f} s"),
    (requests.exceptions.ChunkedEncodingError, "broke off in the middle of an answer"),
    (requests.exceptions.ContentDecodingError, "sent an answer that cannot be decompressed"),
    (requests.exceptions.InvalidURL, "has no valid address"),
)


def _reason(error: requests.RequestException) -> str:
    tries = f" (tried {1 + RETRIES} times)" if _is_broken(error) else ""
    if isinstance(error, BadAnswerError):
        return f"sent an answer that {error}{tries}; check the endpoint in defs.yaml."
    for kind, reason in REASONS:
        if isinstance(error, kind):
            return f"{reason}{tries}; check EVENTS_API_URL."
    system = next((e.strerror for e in causes(error) if isinstance(e, OSError) and e.strerror), "")
    why = f" ({system.lower()})" if system else ""
    return f"cannot be reached{why}{tries}; check EVENTS_API_URL and the network."


def causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and all that led to it, nearest first."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        cause = todo.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        todo += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]


def explain(error: BaseException) -> str | None:
    """Say in one sentence what went wrong with the API, or None if that was not the cause."""
    for cause in causes(error):
        if isinstance(cause, ApiError):
            return str(cause)
        if isinstance(cause, requests.HTTPError) and cause.response is not None:
            return _refusal(cause.response)
    return None


def _refusal(response: requests.Response) -> str:
    status = response.status_code
    known = {s.value: s.phrase for s in HTTPStatus}
    tries = f" to each of {1 + RETRIES} tries" if status in RETRY_STATUSES else ""
    advice = ADVICE.get(status, "try again later, or ask the API's operator")
    answered = f"{status} {known.get(status, '')}".strip()
    return f"The API at {public(response.url)} answered {answered}{tries}; {advice}."


def origin(url: str) -> str:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")


def public(url: str | None) -> str:
    """Give the part of a URL that may be shown: without user, password and query."""
    return f"{origin(url or '')}{urlsplit(url or '').path}"
