"""The HTTP session of a sync, which reads ahead."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import requests
from requests.auth import AuthBase

from event_assets.config.http import CONCURRENCY, DEFAULT_LIMITS, HttpLimits
from event_assets.http.adapter import RetryAdapter
from event_assets.http.throttle import HttpMetrics, Throttle
from event_assets.values.errors import ApiError
from event_assets.values.redaction import SecretRedactor
from event_assets.values.urls import origin, redact_url

Params = Mapping[str, Any]


class ReadAheadSession(requests.Session):
    """A session that adds the key on the wire only, for the API's own host, and reads ahead.

    A page that was read ahead is handed out when it is asked for. When another page is asked for
    than was foreseen, what was read ahead is dropped: read-ahead never changes what is delivered.

    Args:
        base_url: where the API is; its scheme, host and port are the ones that get the key.
        auth: what adds the key to a prepared request, or None.
        upcoming: gives the query parameters of up to so many requests that will follow.
        check: says what is wrong with the JSON of an answer with status 200, or None.
        concurrency: requests in flight at the most.
        secrets: what an answer must not hold.
        limits: what an answer may take.
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
        secrets: Collection[str] = (),
        limits: HttpLimits = DEFAULT_LIMITS,
        traffic: HttpMetrics | None = None,
    ) -> None:
        super().__init__()
        self.traffic = traffic or HttpMetrics()
        self._pace = Throttle()
        self._upcoming = upcoming or (lambda _: ())
        self._concurrency = concurrency
        self._window = 1
        self._ahead: dict[str, Future[requests.Response]] = {}
        self._prepared: dict[tuple[Any, ...], requests.PreparedRequest] = {}
        self._latest: requests.Request | None = None
        self._environment: Mapping[str, Any] | None = None
        self.auth = _no_auth  # else requests looks for a .netrc before each request
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="read-ahead")
        self._limits = limits
        hiding = SecretRedactor(secrets)
        for prefix, key in (("http://", None), ("https://", None), (origin(base_url) + "/", auth)):
            adapter = RetryAdapter(
                key, self._pace, self.traffic, check, concurrency, hiding, limits
            )
            self.mount(prefix, adapter)

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
        kwargs["timeout"] = kwargs.get("timeout") or (self._limits.connect, self._limits.read)
        follows = kwargs.pop("allow_redirects", True)
        if request.method != "GET":
            return super().send(request, allow_redirects=follows, **kwargs)
        answer = self._fetched(request, kwargs) if follows else self._fetch(request, kwargs)
        if follows and answer.is_redirect:
            return self._followed(answer, request, kwargs)
        for hook in request.hooks["response"]:
            answer = hook(answer, **kwargs) or answer
        return answer

    def _followed(
        self,
        answer: requests.Response,
        request: requests.PreparedRequest,
        kwargs: Mapping[str, Any],
    ) -> requests.Response:
        """Go where an answer sends to, hop by hop, by requests."""
        try:
            answers: list[requests.Response] = list(
                self.resolve_redirects(answer, request, **kwargs)
            )
            return answers[-1]
        except ApiError:
            raise
        except requests.TooManyRedirects:
            where = "without end"
        except (requests.RequestException, ValueError):
            where = "to where it cannot be reached"
        # Raised outside the except block: the original holds the URL, which may hold a key.
        raise ApiError(
            f"The API at {redact_url(request.url)} redirects {where}; check EVENTS_API_URL."
        )

    def _fetched(
        self, request: requests.PreparedRequest, kwargs: Mapping[str, Any]
    ) -> requests.Response:
        """Take the answer that was read ahead, or fetch it; and read ahead what will follow."""
        ahead = self._ahead.pop(request.url or "", None)
        if ahead is None:
            self._drop()
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
