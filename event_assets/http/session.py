"""The HTTP session of a sync: retries, checks, authentication and redirects."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, cast

from requests import PreparedRequest, Response, Session, cookies, exceptions
from requests.auth import AuthBase

from event_assets.config.http import DEFAULT_CONCURRENCY, DEFAULT_LIMITS, USER_AGENT, HttpLimits
from event_assets.http import retry_policy
from event_assets.http.adapter import ApiAdapter
from event_assets.http.credentials import secrets_of_auth
from event_assets.http.error_text import error_text
from event_assets.http.errors import (
    ATTEMPT_ERRORS,
    is_retryable,
    status_text,
    transport_error_message,
)
from event_assets.http.response import describe_format
from event_assets.http.throttle import HttpMetrics, Throttle
from event_assets.values.errors import (
    ApiError,
    ContentError,
    FinalResponseError,
    InvalidResponseError,
)
from event_assets.values.redaction import SecretRedactor
from event_assets.values.urls import origin, redact_url
from event_assets.values.wording import shorten

JAR = cast("Any", cookies)  # requests has no types for it
# By 301 and 302, requests would send a GET without the body, which may return another list.
KEEPS_METHOD = {301: 308, 302: 307}


class ApiSession(Session):
    """A session that sends the key to the API's own host only.

    Args:
        base_url: the API's URL; requests to its scheme, host and port get the key.
        check: returns what is wrong with the JSON of a good response, or None.
        says_nothing: whether a response that is wrong says that there is nothing, and so is final.
        pool_size: the number of connections to keep open.
        secrets: texts to remove from responses.
        uses_proxy: whether the proxies of the environment apply, and its certificates.
    """

    def __init__(
        self,
        base_url: str,
        auth: AuthBase | None = None,
        *,
        check: Callable[[Response], str | None] = lambda _: None,
        says_nothing: Callable[[Response], bool] = lambda _: False,
        pool_size: int = DEFAULT_CONCURRENCY,
        secrets: Collection[str] = (),
        limits: HttpLimits = DEFAULT_LIMITS,
        uses_proxy: bool = True,
    ) -> None:
        super().__init__()
        self.trust_env = uses_proxy
        self.headers["User-Agent"] = USER_AGENT
        self.base_url = base_url
        self.metrics = HttpMetrics()
        self.throttle = Throttle(limits.requests_per_second)
        self.auth = lambda request: request  # else requests looks for a .netrc before each request
        self._check, self._says_nothing = check, says_nothing
        self._invalid: bytes | None = None  # what came in all tries of the last request that failed
        self._limits = limits
        # Proxies and certificates, looked up once and not for each request.
        self._settings = self.merge_environment_settings(base_url, {}, None, None, None)
        redactor = SecretRedactor([*secrets, *secrets_of_auth(auth)])
        adapter = partial(ApiAdapter, redactor=redactor, throttle=self.throttle, limits=limits)
        for prefix in ("http://", "https://"):
            self.mount(prefix, adapter(None, pool_size=pool_size, is_foreign=True))
        self.mount(origin(base_url) + "/", adapter(auth, pool_size=pool_size))

    def send(
        self, request: PreparedRequest, *, allow_redirects: bool = True, **kwargs: Any
    ) -> Response:
        """Send a request by the retry policy; follow redirects, without the key to other hosts.

        Raises:
            ContentError: If the response is not valid after all retries.
            ApiError: If there is no response after all retries.
        """
        settings = {**self._settings, **kwargs}
        response = self._send_with_retries(request, settings)
        if not (allow_redirects and response.is_redirect):
            return response
        server = f"The API at {redact_url(request.url)} redirects"
        for _ in range(self.max_redirects):
            request = self._redirect(request, response, settings, server)
            target = f"{server} to {shorten(redact_url(request.url))}, which"
            response = self._send_with_retries(request, settings, target)
            if not response.is_redirect:
                return response
        raise ApiError(f"{server} without end; check {self._limits.base_url_setting}.")

    def _send_with_retries(
        self, request: PreparedRequest, settings: Mapping[str, Any], server: str = ""
    ) -> Response:
        """Send a request by the retry policy; `server` begins the message of a failure."""
        adapter, wait = cast("ApiAdapter", self.get_adapter(request.url or "")), 0.0
        for attempt in range(1 + retry_policy.MAX_RETRIES):
            self.throttle.wait(wait)
            self.metrics.count(requests=1, retries=min(attempt, 1), in_flight=1)
            response, received, size, invalid = None, None, 0, ""
            try:
                response = received = adapter.send(self._with_cookies(request), **settings)
                if "Set-Cookie" in response.headers:
                    JAR.extract_cookies_to_jar(self.cookies, request, response.raw)
                size = len(response.content)
                self._require_valid(response)
                can_retry = retry_policy.is_retried(response)
            except ATTEMPT_ERRORS as error:
                response, can_retry, invalid = None, is_retryable(error), str(error)
                problem = transport_error_message(
                    error, self._limits, url=request.url, was_accepted=adapter.was_accepted
                )
            finally:
                self.metrics.count(bytes=size, in_flight=-1)
            if response is not None and not can_retry:
                self.throttle.accept(response.headers, self.metrics.in_flight)
            if not can_retry or attempt == retry_policy.MAX_RETRIES:
                break
            asked = retry_policy.seconds_asked(response)
            wait = retry_policy.seconds_to_wait(asked, attempt)
            if response is not None and retry_policy.is_rate_limit(response):
                self.throttle.refuse(wait, asked)
        if response is not None:
            return response
        # Raised outside the except block: the original holds the URL with the key.
        url = redact_url(request.url)
        is_own = origin(request.url or "") == origin(self.base_url)
        server = server or (f"The API at {url}" if is_own else f"The API links to {url}, which")
        message = f"{server} {problem}"
        if received is not None:
            self._invalid = received.content
            raise ContentError(message, received, invalid)
        raise ApiError(message)

    def _with_cookies(self, request: PreparedRequest) -> PreparedRequest:
        """Return a request with the cookies that the API has set, which may keep it to a server."""
        if not self.cookies:
            return request
        request = request.copy()
        own = request.headers.pop("Cookie", "")
        added = JAR.get_cookie_header(self.cookies, request) or ""
        cookie = own if added in own else "; ".join(filter(None, (own, added)))
        request.headers.update({"Cookie": cookie} if cookie else {})
        return request

    def _require_valid(self, response: Response) -> None:
        if not response.ok or response.is_redirect:
            return
        try:
            problem = self._check(response)
        except exceptions.JSONDecodeError:
            is_empty = not response.content.strip()
            problem = "is empty" if is_empty else describe_format(response.text)
        if problem:
            if response.status_code != HTTPStatus.OK:
                problem = f"{problem} ({status_text(response.status_code)})"
            is_final = response.content == self._invalid or self._says_nothing(response)
            kind = FinalResponseError if is_final else InvalidResponseError
            raise kind(problem, error_text(response))

    def _redirect(
        self, request: PreparedRequest, response: Response, settings: Mapping[str, Any], server: str
    ) -> PreparedRequest:
        """Return the request to which a response redirects."""
        response.status_code = KEEPS_METHOD.get(response.status_code, response.status_code)
        hops = self.resolve_redirects(response, request, yield_requests=True, **settings)
        try:
            target = cast("PreparedRequest", next(hops))
            self.get_adapter(target.url or "")
            return target
        except (exceptions.RequestException, ValueError, StopIteration):
            problem = "to a URL that cannot be reached"
        # Raised outside the except block: the original holds the URL, which may hold a key.
        raise ApiError(f"{server} {problem}; check {self._limits.base_url_setting}.")

    def close(self) -> None:
        """End all waiting for responses, and close the connections."""
        self.throttle.shutdown()
        super().close()
