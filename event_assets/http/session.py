"""The HTTP session of a sync, with read-ahead."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

from requests import PreparedRequest, Request, RequestException, Response, Session, TooManyRedirects
from requests.auth import AuthBase

from event_assets.config.http import DEFAULT_CONCURRENCY, DEFAULT_LIMITS, HttpLimits
from event_assets.http.adapter import RetryAdapter
from event_assets.http.throttle import HttpMetrics, Throttle
from event_assets.values.errors import ApiError
from event_assets.values.redaction import SecretRedactor
from event_assets.values.urls import origin, redact_url

Params = Mapping[str, Any]


class ReadAheadSession(Session):
    """A session that sends the key to the API's own host only, and fetches pages ahead.

    A page that was fetched ahead is returned when it is requested. A request for any other page
    drops all of them, so read-ahead never changes what the session returns.

    Args:
        base_url: the API's URL; requests to its scheme, host and port get the key.
        upcoming: returns the query parameters of up to this many requests that will follow.
        check: returns what is wrong with the JSON of a good response, or None.
        concurrency: the maximum number of requests in flight.
        secrets: texts to remove from responses.
    """

    def __init__(
        self,
        base_url: str,
        auth: AuthBase | None = None,
        *,
        upcoming: Callable[[int], Sequence[Params]] | None = None,
        check: Callable[[Any], str | None] | None = None,
        concurrency: int = DEFAULT_CONCURRENCY,
        secrets: Collection[str] = (),
        limits: HttpLimits = DEFAULT_LIMITS,
        metrics: HttpMetrics | None = None,
    ) -> None:
        super().__init__()
        self.metrics = metrics or HttpMetrics()
        self._throttle = Throttle()
        self._upcoming = upcoming or (lambda _: ())
        self._concurrency = concurrency
        self._window = 1
        self._ahead: dict[str, Future[Response]] = {}
        self._prepared: dict[tuple[Any, ...], PreparedRequest] = {}
        self._latest: Request | None = None
        self._environment: Mapping[str, Any] | None = None
        self.auth = lambda request: request  # else requests looks for a .netrc before each request
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="read-ahead")
        self._limits = limits
        redactor = SecretRedactor(secrets)
        for prefix, added in ("http://", None), ("https://", None), (origin(base_url) + "/", auth):
            adapter = RetryAdapter(
                added, self._throttle, self.metrics, check, concurrency, redactor, limits
            )
            self.mount(prefix, adapter)

    def prepare_request(self, request: Request) -> PreparedRequest:
        """Prepare a request, unless read-ahead has prepared it."""
        self._latest = request
        key = _page_key(request, request.params or {})
        return self._prepared.pop(key, None) or super().prepare_request(request)

    def merge_environment_settings(self, *args: Any) -> Any:
        """Look up proxies and certificates once, not for each request."""
        if self._environment is None:
            self._environment = super().merge_environment_settings(*args)
        return dict(self._environment)

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Send a request by the retry policy, and start those that will follow.

        Raises:
            ApiError: If there is no valid response after all retries.
        """
        kwargs["timeout"] = kwargs.get("timeout") or (self._limits.connect, self._limits.read)
        follow_redirects = kwargs.pop("allow_redirects", True)
        if request.method != "GET":
            return super().send(request, allow_redirects=follow_redirects, **kwargs)
        fetch = self._fetch_with_read_ahead if follow_redirects else self._fetch
        response = fetch(request, **kwargs)
        if follow_redirects and response.is_redirect:
            return self._follow_redirects(response, request, **kwargs)
        for hook in request.hooks["response"]:
            response = hook(response, **kwargs) or response
        return response

    def _follow_redirects(
        self, response: Response, request: PreparedRequest, **kwargs: Any
    ) -> Response:
        try:
            *_, response = self.resolve_redirects(response, request, **kwargs)
            return response
        except TooManyRedirects:
            problem = "without end"
        except (RequestException, ValueError):
            problem = "to a URL that cannot be reached"
        # Raised outside the except block: the original holds the URL, which may hold a key.
        raise ApiError(
            f"The API at {redact_url(request.url)} redirects {problem}; check EVENTS_API_URL."
        )

    def _fetch_with_read_ahead(self, request: PreparedRequest, **kwargs: Any) -> Response:
        future = self._ahead.pop(request.url or "", None)
        if future is None:
            self._drop_read_ahead()
            future = self._threads.submit(self._fetch, request, **kwargs)
        else:
            self._window = min(2 * self._window, self._concurrency)
        self._read_ahead(request, **kwargs)
        return future.result()

    def _fetch(self, request: PreparedRequest, **kwargs: Any) -> Response:
        return self.get_adapter(request.url or "").send(request, **kwargs)

    def close(self) -> None:
        """Close the connections and drop the pages that were fetched ahead."""
        self._drop_read_ahead()
        self._throttle.shutdown()
        self._threads.shutdown(cancel_futures=True)
        super().close()

    def _read_ahead(self, request: PreparedRequest, **kwargs: Any) -> None:
        if self._throttle.consume_slowdown():
            self._window = 1
        if self._concurrency == 1 or self._latest is None:
            return
        latest_params = self._latest.params or {}
        for changes in self._upcoming(self._window):
            params = {**latest_params, **changes}
            key = _page_key(self._latest, params)
            if key not in self._prepared:
                prepared = self._prepared[key] = request.copy()
                prepared.url = _add_query(self._latest.url, params)
                future = self._threads.submit(self._fetch, prepared, **kwargs)
                self._ahead[prepared.url or ""] = future

    def _drop_read_ahead(self) -> None:
        for future in self._ahead.values():
            future.cancel()
        self._ahead.clear()
        self._prepared.clear()
        self._window = 1


def _add_query(url: str, params: Params) -> str:
    """Add parameters to a URL without parsing it, as requests would."""
    query = urlencode([(name, value) for name, value in params.items() if value is not None], True)
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _page_key(request: Request, params: Params) -> tuple[Any, ...]:
    return (request.method, request.url, *params.items())
