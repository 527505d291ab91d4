"""A requests adapter that authenticates, retries, and checks responses."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import urllib3
from requests import JSONDecodeError, PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from event_assets._compat.urllib3 import limit_response_time
from event_assets.config.http import DEFAULT_LIMITS, HttpLimits
from event_assets.http import retry_policy
from event_assets.http.error_text import error_text
from event_assets.http.errors import (
    ATTEMPT_ERRORS,
    KEY_NAME_ATTRIBUTE,
    is_retryable,
    transport_error_message,
)
from event_assets.http.response import JsonResponse, build_response, read_body
from event_assets.http.throttle import HttpMetrics, Throttle
from event_assets.http.tls import find_ca_bundle
from event_assets.values.errors import ApiError, InvalidResponseError, ResponseTimeoutError
from event_assets.values.redaction import SecretRedactor, redact_error
from event_assets.values.urls import redact_url


class RetryAdapter(HTTPAdapter):
    """Adds the key on the wire only, retries by the policy, and checks the responses.

    `check` returns what is wrong with the JSON of a good response, or None.
    """

    def __init__(
        self,
        auth: AuthBase | None,
        throttle: Throttle,
        metrics: HttpMetrics,
        check: Callable[[Response], str | None] | None,
        pool_size: int,
        redactor: SecretRedactor,
        limits: HttpLimits = DEFAULT_LIMITS,
    ) -> None:
        super().__init__(pool_maxsize=pool_size)
        self._pools: dict[str, urllib3.HTTPConnectionPool] = {}
        self._auth = auth
        self._throttle = throttle
        self._metrics = metrics
        self._check = check
        self._redactor = redactor
        self._limits = limits

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Send a request, retrying by the policy; return the last response.

        Raises:
            ApiError: If the last attempt brought no valid response.
        """
        wait = 0.0
        for attempt in range(1 + retry_policy.MAX_RETRIES):
            self._throttle.wait(wait)
            self._metrics.count(requests=1, retries=min(attempt, 1), in_flight=1)
            try:
                response = self.send_once(request, *args, **kwargs)
                can_retry = retry_policy.is_retried(response)
                if not can_retry:
                    self._throttle.accept(response.headers, self._metrics.in_flight - 1)
            except ATTEMPT_ERRORS as error:
                response, can_retry = None, is_retryable(error)
                problem = transport_error_message(error, self._limits, url=request.url)
            finally:
                self._metrics.count(in_flight=-1)
            if not can_retry or attempt == retry_policy.MAX_RETRIES:
                break
            asked = retry_policy.seconds_asked(response)
            wait = retry_policy.seconds_to_wait(asked, attempt)
            if response is not None and retry_policy.is_rate_limit(response):
                self._throttle.refuse(wait, asked)
        if response is not None:
            return response
        # Raised outside the except block: the original holds the URL with the key.
        raise ApiError(f"The API at {redact_url(request.url)} {problem}")

    def send_once(self, request: PreparedRequest, *_: Any, **kwargs: Any) -> JsonResponse:
        """Send a request with the key, and check the response."""
        started_at = time.monotonic()
        response = self._exchange_with_key(request, **kwargs)
        response.elapsed = timedelta(seconds=time.monotonic() - started_at)
        self._metrics.count(bytes=len(response.content))
        response.request, response.url = request, request.url or ""
        response.key_name = getattr(self._auth, KEY_NAME_ATTRIBUTE, "")
        response.address = self._limits.address
        if response.ok and not response.is_redirect and self._check:
            try:
                problem = self._check(response)
            except JSONDecodeError:
                problem = "is not JSON"
            if problem:
                raise InvalidResponseError(problem, error_text(response))
        return response

    def _exchange_with_key(self, request: PreparedRequest, **settings: Any) -> JsonResponse:
        try:
            authenticated = self._auth(request.copy()) if self._auth else request
            self._redactor.add(getattr(self._auth, "access_token", None) or "")  # perhaps a new one
            return self.exchange(authenticated, **settings)
        except ATTEMPT_ERRORS:  # their texts are not shown
            raise
        except Exception as error:
            unexpected = redact_error(error)
            if unexpected is error:
                raise
        raise unexpected  # outside the except block: the original holds the key

    def exchange(self, request: PreparedRequest, **settings: Any) -> JsonResponse:
        """Send a prepared request, and read its response."""
        raw = self.open_response(request, **settings)
        return build_response(raw, read_body(raw, self._limits.megabytes), self._redactor)

    def open_response(
        self, request: PreparedRequest, timeout: Any, **settings: Any
    ) -> urllib3.BaseHTTPResponse:
        """Send a request by urllib3, in half the time of requests; leave the body unread."""
        url, proxies = request.url or "", settings.get("proxies")
        server = "/".join(url.split("/", 3)[:3])
        pool = self._pools.get(server)
        if pool is None:
            pool = self._pools[server] = self._build_pool(request, **settings)
            limit_response_time(
                pool, self._limits.total, ResponseTimeoutError, self._throttle.add_socket
            )
        connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        return pool.urlopen(
            request.method or "GET",
            self.request_url(request, proxies) if proxies else url[len(server) :].partition("#")[0],
            body=request.body,
            headers=request.headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            timeout=urllib3.Timeout(connect=connect, read=read),
        )

    def _build_pool(self, request: PreparedRequest, **settings: Any) -> urllib3.HTTPConnectionPool:
        """Build a connection pool with the proxy and the certificates that requests chooses."""
        verify, cert, proxies = (settings.get(name) for name in ("verify", "cert", "proxies"))
        if (request.url or "").startswith("https:"):
            verify = find_ca_bundle(verify)
        pool = self.get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        cast("Any", self).cert_verify(pool, request.url, verify, cert)
        return cast("urllib3.HTTPConnectionPool", pool)
