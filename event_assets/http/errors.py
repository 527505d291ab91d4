"""What can go wrong with the API, each in one sentence that says what to do and holds no key."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from http import HTTPStatus

import requests
import urllib3

from event_assets.config.http import DEFAULT_LIMITS, HttpLimits
from event_assets.http.deadlines import ResponseTimeoutError, ResponseTooLargeError
from event_assets.http.retry_policy import MAX_RETRIES, RETRY_STATUSES
from event_assets.values.errors import exception_chain
from event_assets.values.urls import redact_url

SET_BY = "set_by"  # attribute of a key, and of what came by it: the variables that hold it
ADVICE: Mapping[int, str] = {
    400: "check the endpoint's path and params in defs.yaml, and the key",
    401: "set {setting} (in .env or the environment) to a key that this API accepts",
    403: "set {setting} (in .env or the environment) to a key that may read events",
    404: "check EVENTS_API_URL and the endpoint's path in defs.yaml",
    429: "the API is limiting requests: sync less often, or ask for a higher limit",
}
TLS = (requests.exceptions.SSLError, urllib3.exceptions.SSLError)
BROKEN_OFF = (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError)
NOT_REACHED = urllib3.exceptions.NewConnectionError  # a kind of ConnectTimeoutError to urllib3
REASONS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    (TLS, "does not speak TLS as https:// asks for"),
    (
        (requests.exceptions.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError),
        "did not accept a connection in {limits.connect:g} s",
    ),
    (
        (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError),
        "sent nothing for {limits.read:g} s",
    ),
    (BROKEN_OFF, "broke off in the middle of an answer"),
    (
        (requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError),
        "sent an answer that cannot be decompressed",
    ),
    (
        (requests.exceptions.InvalidURL, urllib3.exceptions.LocationParseError),
        "has no valid address",
    ),
)


class ApiError(requests.RequestException):
    """The API could not be read. The message is for the user and never holds the key."""


class InvalidResponseError(requests.RequestException):
    """An answer with status 200 that is not what the API should send; it is asked for again."""


BROKEN = (
    *BROKEN_OFF,
    requests.ConnectionError,
    requests.Timeout,
    urllib3.exceptions.TimeoutError,
    urllib3.exceptions.ProxyError,
    InvalidResponseError,
)


def is_request_error(error: BaseException) -> bool:
    """Return whether an error comes from requests: each of these is an OSError, too."""
    return isinstance(error, requests.RequestException)


def is_transient(error: BaseException) -> bool:
    """Say whether the same request may well succeed the next time."""
    return isinstance(error, BROKEN) and not isinstance(error, TLS)


def transport_error_message(
    error: Exception, limits: HttpLimits = DEFAULT_LIMITS, retries: int = MAX_RETRIES
) -> str:
    """Say why there is no answer, to follow `The API at URL`; nothing of the request is in it.

    `limits` and `retries` are what the request was given.
    """
    if isinstance(error, ResponseTooLargeError):
        return (
            f"sent an answer of more than {limits.megabytes} MB; ask for fewer records at a time, "
            "or raise max_answer_mb in defs.yaml."
        )
    tries = f" (tried {1 + retries} times)" if retries and is_transient(error) else ""
    if isinstance(error, InvalidResponseError):
        return f"sent an answer that {error}{tries}; check the endpoint in defs.yaml."
    if any(isinstance(cause, ResponseTimeoutError) for cause in exception_chain(error)):
        return (
            f"had not sent a whole answer after {limits.answer:g} s{tries}; ask for fewer records "
            "at a time, or raise timeouts.answer in defs.yaml."
        )
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in exception_chain(error)):
        return "has a TLS certificate that is not trusted; check EVENTS_API_URL."
    for kinds, why in REASONS:
        if isinstance(error, kinds) and not isinstance(error, NOT_REACHED):
            return f"{why.format(limits=limits)}{tries}; check EVENTS_API_URL."
    system = next(
        (e.strerror for e in exception_chain(error) if isinstance(e, OSError) and e.strerror), ""
    )
    why = f" ({system.lower()})" if system else ""
    return f"cannot be reached{why}{tries}; check EVENTS_API_URL and the network."


def user_message(error: BaseException, retries: int = MAX_RETRIES) -> str | None:
    """Say in one sentence what went wrong with the API, or None if that was not the cause."""
    for cause in exception_chain(error):
        if isinstance(cause, ApiError):
            return str(cause)
        if isinstance(cause, requests.HTTPError) and cause.response is not None:
            return status_error_message(cause.response, retries)
    return None


def status_error_message(response: requests.Response, retries: int = MAX_RETRIES) -> str:
    """Say what the API answered instead of a good answer, and what to do."""
    status = response.status_code
    tries = f" to each of {1 + retries} tries" if retries and status in RETRY_STATUSES else ""
    advice = ADVICE.get(status, "try again later, or ask the API's operator")
    answered = status_text(status)
    advice = advice.format(setting=getattr(response, SET_BY, None) or "API_KEY")
    return f"The API at {redact_url(response.url)} answered {answered}{tries}; {advice}."


def status_text(status: int) -> str:
    """Give a status with its name: `404 Not Found`."""
    known = {s.value: s.phrase for s in HTTPStatus}
    return f"{status} {known.get(status, '')}".strip()
