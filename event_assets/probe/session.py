"""Few requests in a short time: each is sent once, and nothing is waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.auth import AuthBase

from event_assets.config.http import HttpLimits as Most
from event_assets.http.adapter import RetryAdapter
from event_assets.http.deadlines import read_body
from event_assets.http.errors import (
    ATTEMPT_ERRORS,
    status_error_message,
    status_text,
    transport_error_message,
    user_message,
)
from event_assets.http.response import JsonResponse
from event_assets.http.retry_policy import RETRY_STATUSES
from event_assets.http.throttle import HttpMetrics, Throttle
from event_assets.values.errors import ApiError
from event_assets.values.redaction import SecretRedactor
from event_assets.values.urls import origin, redact_url

REQUESTS = 5  # at the most, however it goes
SECONDS = 6.0  # for all of them; starting Python and the sandbox takes some, too
CONNECT_SECONDS = 3.0
LEAST_SECONDS = 0.5  # for one more


@dataclass(frozen=True)
class ProbeResponse:
    """What came of a request.

    Attributes:
        problem: why there is no good answer, in a sentence; empty when there is one.
        answer: with whatever status; None when there was none.
        document: the JSON of a good answer.
        seconds: that the answer took.
    """

    problem: str = ""
    answer: requests.Response | None = None
    document: Any = None
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Is it JSON, with a status that says that all is well?"""
        return not self.problem

    @property
    def status(self) -> int | None:
        """The status, or None when nothing came."""
        return None if self.answer is None else self.answer.status_code

    @property
    def refused(self) -> bool:
        """Will the same request never be answered? Not so when the API is just too busy."""
        return self.status is not None and 400 <= self.status < 500 and not self.busy

    @property
    def busy(self) -> bool:
        """Does the API say that it may answer later?"""
        return self.status in RETRY_STATUSES

    @property
    def why(self) -> str:
        """Why there is no good answer, in a few words."""
        if self.answer is not None and (not self.answer.ok or self.answer.is_redirect):
            return f"the API answered {status_text(self.answer.status_code)}"
        return self.problem.rstrip(".")


@dataclass
class RequestBudget:
    """What may still be asked."""

    whole: float  # seconds
    requests: int = REQUESTS
    refused: str = ""
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """That are left."""
        return self.began + self.whole - time.monotonic()

    def closed(self) -> str:
        """Say why nothing more is asked; empty while something may be."""
        if self.refused:
            return self.refused
        if self.requests <= 0:
            return f"not asked: {REQUESTS} requests are the limit"
        late = self.seconds < LEAST_SECONDS
        return f"not asked: the API took the {self.whole:.0f} s that there are" if late else ""


class SingleAttemptAdapter(RetryAdapter):
    """Sends a request once, and waits no longer than there is time."""

    def __init__(
        self,
        key: AuthBase | None,
        limits: RequestBudget,
        traffic: HttpMetrics,
        hiding: SecretRedactor,
    ) -> None:
        super().__init__(key, Throttle(), traffic, None, 1, hiding)
        self._limits = limits

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Give the answer to a request.

        Raises:
            ApiError: when there is none, or nothing may be asked any more.
        """
        if closed := self._limits.closed():
            raise ApiError(f"The API at {redact_url(request.url)} was {closed}.")
        self._limits.requests -= 1
        self._traffic.count(requests=1)
        left = round(self._limits.seconds, 1)
        most = Most(connect=min(CONNECT_SECONDS, left), read=left)
        kwargs["timeout"] = (most.connect, most.read)
        try:
            return self._send_once(request, *args, **kwargs)
        except ApiError:  # a token could not be fetched
            raise
        except ATTEMPT_ERRORS as error:
            problem = user_message(error, retries=0) or (
                f"The API at {redact_url(request.url)} "
                f"{transport_error_message(error, most, retries=0)}"
            )
        # Raised outside the except block: the original holds the URL with the key.
        raise ApiError(problem)

    def _exchange(self, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        """Read an answer to its end, or as long as there is time, however slowly it comes."""
        raw = self._open(request, **settings)
        ending = threading.Timer(max(0.0, self._limits.seconds), _cut_off, [raw])
        ending.start()
        content = b""
        try:
            content = read_body(raw, self._most.megabytes)
        except urllib3.exceptions.HTTPError:
            if self._limits.seconds > 0:
                raise
        finally:
            ending.cancel()
        if self._limits.seconds <= 0:
            raise ApiError(
                f"The API at {redact_url(request.url)} did not end its answer in "
                f"{self._limits.whole:.0f} s; ask it for smaller pages."
            )
        return JsonResponse(raw, content, self._hiding)


def _cut_off(raw: urllib3.BaseHTTPResponse) -> None:
    with suppress(ValueError, OSError):  # it has ended meanwhile
        raw.shutdown()


class ProbeSession(requests.Session):
    """A session for a handful of requests, whose key is on the wire only."""

    def __init__(
        self, base_url: str, auth: AuthBase | None, seconds: float, secrets: Collection[str]
    ) -> None:
        """Ask the API at `base_url` for so long; `auth` adds the key, `secrets` are masked."""
        super().__init__()
        self.auth = lambda request: request  # else requests looks for a .netrc
        self.limits = RequestBudget(seconds)
        self.traffic = HttpMetrics()
        if getattr(auth, "session", None) is not None:  # that a token is asked for with
            cast("Any", auth).session = self
        self._with_key = SingleAttemptAdapter(
            auth, self.limits, self.traffic, SecretRedactor(secrets)
        )
        self._without = SingleAttemptAdapter(
            None, self.limits, self.traffic, SecretRedactor(secrets)
        )
        self._origin = origin(base_url) + "/"
        self.mount("http://", self._without)
        self.mount("https://", self._without)

    def close(self) -> None:
        """Close the connections."""
        self._with_key.close()
        super().close()

    def ask(self, request: requests.Request, keyed: bool = True) -> ProbeResponse:
        """Send a request, with the key or without; a redirect is not followed."""
        if closed := self.limits.closed():
            return ProbeResponse(closed)
        prepared = self.prepare_request(request)
        url = prepared.url or ""
        own = keyed and url.startswith(self._origin)
        adapter = self._with_key if own else self._without
        settings = self.merge_environment_settings(url, {}, None, None, None)
        began = time.monotonic()
        try:
            answer = adapter.send(prepared, **settings)
        except ApiError as error:
            return ProbeResponse(str(error))
        seconds = time.monotonic() - began
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            self.limits.refused = "not asked: the API answered 429 before"
        return _judged(answer, seconds)


def _judged(answer: requests.Response, seconds: float) -> ProbeResponse:
    if not answer.ok or answer.is_redirect:
        return ProbeResponse(status_error_message(answer, retries=0), answer, None, seconds)
    try:
        return ProbeResponse("", answer, answer.json(), seconds)
    except requests.exceptions.JSONDecodeError:
        problem = (
            f"The API at {redact_url(answer.url)} sent an answer that is not JSON; "
            "check EVENTS_API_URL and the endpoint's path in defs.yaml."
        )
        return ProbeResponse(problem, answer, None, seconds)


def redirected(reply: ProbeResponse) -> str | None:
    """Give the address that an answer sends its reader to, without the query; or None."""
    if reply.answer is None or not reply.answer.is_redirect:
        return None
    target = urljoin(reply.answer.url, reply.answer.headers["Location"])
    return redact_url(target) if urlsplit(target).scheme in ("http", "https") else None
