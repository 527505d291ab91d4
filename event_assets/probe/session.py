"""A session for a few requests in a short time, each sent once."""

from __future__ import annotations

import math
import time
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any, cast

import requests
from requests.auth import AuthBase
from requests.cookies import RequestsCookieJar

from event_assets.config.http import DEFAULT_LIMITS, USER_AGENT, HttpLimits
from event_assets.http import errors
from event_assets.http.adapter import ApiAdapter
from event_assets.http.error_text import error_text
from event_assets.http.response import JsonResponse
from event_assets.http.retry_policy import is_rate_limit
from event_assets.http.session import JAR
from event_assets.http.throttle import Throttle
from event_assets.probe.page import Page
from event_assets.values.errors import ApiError
from event_assets.values.redaction import KNOWN, SecretRedactor
from event_assets.values.urls import origin, redact_url

MAX_REQUESTS = 12
TIMEOUT_SECONDS = 8.0  # for all requests; the start of Python and the sandbox takes time, too


class Budget(Throttle):
    """The requests and the time that a probe may still use, and its pace."""

    def __init__(self, seconds: float, requests: int, limits: HttpLimits) -> None:
        super().__init__(limits.requests_per_second)
        self.total_seconds = seconds
        self.ends_at = time.monotonic() + seconds
        self.requests = requests
        self.sent = 0
        self.limited_by = 0  # the status of a response that asked for fewer requests

    def exhausted_reason(self) -> str:
        """Return why no further request may be sent; empty when one may."""
        if self.limited_by:
            return f"not requested after a {self.limited_by}"
        if self.sent >= self.requests:
            return f"not requested: the limit is {self.requests} requests"
        if self.ends_at - time.monotonic() < 0.5:  # too short for a request
            return f"not requested: the limit of {self.total_seconds:.0f} s is reached"
        return ""


class SingleAttemptAdapter(ApiAdapter):
    """Sends a request within the remaining time, however slowly its response arrives."""

    _throttle: Budget

    def deadline(self) -> float:
        """Return when the budget ends."""
        return self._throttle.ends_at

    def send(self, request: requests.PreparedRequest, *_: Any, **settings: Any) -> JsonResponse:
        """Send a request.

        Raises:
            ApiError: when there is no response, or the budget is exhausted.
        """
        budget = self._throttle
        if not budget.exhausted_reason():
            budget.wait()  # which may use up the time
        if reason := budget.exhausted_reason():
            raise ApiError(reason)
        budget.sent += 1
        # rounded up: the end of the budget comes before that of a silence
        left, total = math.ceil(10 * (budget.ends_at - time.monotonic())) / 10, budget.total_seconds
        limits = replace(self._limits, connect=min(3.0, left), read=left, total=total)
        settings["timeout"] = (limits.connect, limits.read)
        try:
            return super().send(request, **settings)
        except errors.ATTEMPT_ERRORS as error:
            problem = errors.transport_error_message(error, limits, 0, request.url)
            message = errors.user_message(error, retries=0)
            message = message or f"The API at {redact_url(request.url)} {problem}"
        # Raised outside the except block: the original error holds the URL with the key.
        raise ApiError(message)


class ProbeSession(requests.Session):
    """A session for a few requests; the key is on the wire only."""

    def __init__(
        self,
        base_url: str,
        auth: AuthBase | None,
        seconds: float,
        secrets: Collection[str],
        limits: HttpLimits = DEFAULT_LIMITS,
        requests_allowed: int = MAX_REQUESTS,
    ) -> None:
        """Probe the API at `base_url` for `seconds`; `auth` adds the key, `secrets` are masked."""
        super().__init__()
        self.headers["User-Agent"] = USER_AGENT
        self.auth = lambda request: request  # otherwise requests reads .netrc
        self.budget = Budget(seconds, requests_allowed, limits)
        self._address = limits.base_url_setting
        self._build = partial(
            SingleAttemptAdapter,
            redactor=SecretRedactor(secrets),
            throttle=self.budget,
            limits=limits,
        )
        self._origin = origin(base_url) + "/"
        self.set_auth(auth)
        self._without_key = self._build(None)
        self._foreign = self._build(None, redactor=KNOWN, is_foreign=True)
        self.mount("http://", self._without_key)
        self.mount("https://", self._without_key)

    def set_auth(self, auth: AuthBase | None) -> None:
        """Add the key by another auth from now on."""
        if getattr(auth, "session", None) is not None:  # for its token requests
            cast("Any", auth).session = self
        self.has_auth = auth is not None
        self._with_key = self._build(auth)
        self._kept = RequestsCookieJar()  # none of another key, which may be that of a session

    def move(self, base_url: str) -> None:
        """Send the key to this scheme, host and port from now on."""
        self._origin = origin(base_url) + "/"

    def close(self) -> None:
        """Close the connections."""
        self._with_key.close()
        self._foreign.close()
        super().close()

    def fetch(self, request: requests.Request, with_key: bool = True) -> Page:
        """Send a request, with the key or without, and follow no redirect."""
        request.cookies = self._kept if with_key else None
        prepared = self.prepare_request(request)
        url = prepared.url or ""
        adapter = self._with_key if with_key else self._without_key
        adapter = adapter if url.startswith(self._origin) else self._foreign
        settings = self.merge_environment_settings(url, {}, None, None, None)
        try:
            response = adapter.send(prepared, **settings)
        except ApiError as error:
            return Page(str(error))
        if with_key:
            JAR.extract_cookies_to_jar(self._kept, prepared, response.raw)
        if is_rate_limit(response):
            self.budget.limited_by = response.status_code
        if not response.ok or response.is_redirect:
            return Page(errors.status_error_message(response, retries=0), response)
        if response.status_code == HTTPStatus.NO_CONTENT:
            where = redact_url(response.url)
            message = f"{where} answered 204 No Content, an empty list: ask for past events, too."
            return Page(message, response)
        try:
            return Page("", response, response.json())
        except requests.exceptions.JSONDecodeError:
            message = (
                f"The API at {redact_url(response.url)} sent a response that is not JSON; "
                f"check {self._address} and the endpoint's path in defs.yaml.{error_text(response)}"
            )
            return Page(message, response)
