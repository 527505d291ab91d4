"""One request, sent as often as the policy allows, with the key on the wire only."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from event_assets.config.http import DEFAULT_LIMITS, HttpLimits
from event_assets.http.deadlines import enforce_deadline, read_body
from event_assets.http.errors import (
    ATTEMPT_ERRORS,
    SET_BY,
    is_retryable,
    transport_error_message,
)
from event_assets.http.response import JsonResponse
from event_assets.http.retry_policy import (
    BACKOFF_FACTOR,
    MAX_RETRIES,
    RETRY_AFTER_MAX,
    RETRY_STATUSES,
)
from event_assets.http.throttle import HttpMetrics, Throttle
from event_assets.values.errors import ApiError, InvalidResponseError
from event_assets.values.redaction import SecretRedactor
from event_assets.values.urls import origin, redact_url

QUERY = re.compile(r"\?\S*")


class RetryAdapter(HTTPAdapter):
    """Adds the key, retries, and checks the answers, out of sight of everything above."""

    def __init__(
        self,
        key: AuthBase | None,
        pace: Throttle,
        traffic: HttpMetrics,
        check: Callable[[Any], str | None] | None,
        connections: int,
        hiding: SecretRedactor,
        most: HttpLimits = DEFAULT_LIMITS,
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
        for attempt in range(1 + MAX_RETRIES):
            self._pace.wait(wait)
            self._traffic.count(requests=1, retries=min(attempt, 1), in_flight=1)
            try:
                response = self._send_once(request, *args, **kwargs)
            except ApiError:  # there is no token: said already
                raise
            except ATTEMPT_ERRORS as error:
                response = None
                problem = transport_error_message(error, self._most)
                final = not is_retryable(error)
            finally:
                self._traffic.count(in_flight=-1)
            if response is not None and response.status_code not in RETRY_STATUSES:
                return response
            if attempt == MAX_RETRIES or (response is None and final):
                break
            wait = BACKOFF_FACTOR * 2**attempt
            if response is not None:
                wait = _retry_after(response, wait)
                if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                    self._pace.hold(wait)
        if response is not None:
            return response
        # Raised outside the except block: the original holds the URL with the key.
        raise ApiError(f"The API at {redact_url(request.url)} {problem}")

    def _send_once(
        self, request: requests.PreparedRequest, *_: Any, **kwargs: Any
    ) -> requests.Response:
        keyed = self._key(request.copy()) if self._key else request
        self._hiding.add(getattr(self._key, "access_token", None) or "")  # fetched meanwhile
        response = self._exchange(keyed, **kwargs)
        self._traffic.count(bytes=len(response.content))
        response.request, response.url = request, request.url or ""
        setattr(response, SET_BY, getattr(self._key, SET_BY, None))
        if response.ok and not response.is_redirect and self._check:
            try:
                problem = self._check(response.json())
            except requests.exceptions.JSONDecodeError:
                problem = "is not JSON"
            if problem:
                raise InvalidResponseError(problem)
        return response

    def _exchange(self, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        raw = self._open(request, **settings)
        return JsonResponse(raw, read_body(raw, self._most.megabytes), self._hiding)

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
            enforce_deadline(pool, self._most, self._pace.connected)
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
