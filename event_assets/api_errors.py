"""What can go wrong with the API, each in one sentence that says what to do and holds no key."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

import requests
import urllib3

from event_assets.limits import LIMITS, LargeAnswerError, Limits, SlowAnswerError

RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})
RETRIES = 3
SETTING = "set_by"  # attribute of a key, and of what came by it: the variables that hold it

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


class BadAnswerError(requests.RequestException):
    """An answer with status 200 that is not what the API should send; it is asked for again."""


BROKEN = (
    *BROKEN_OFF,
    requests.ConnectionError,
    requests.Timeout,
    urllib3.exceptions.TimeoutError,
    urllib3.exceptions.ProxyError,
    BadAnswerError,
)


def is_broken(error: BaseException) -> bool:
    """Say whether the same request may well succeed the next time."""
    return isinstance(error, BROKEN) and not isinstance(error, TLS)


def reason(error: Exception, limits: Limits = LIMITS, retries: int = RETRIES) -> str:
    """Say why there is no answer, to follow `The API at URL`; nothing of the request is in it.

    `limits` and `retries` are what the request was given.
    """
    if isinstance(error, LargeAnswerError):
        return (
            f"sent an answer of more than {limits.megabytes} MB; ask for fewer records at a time, "
            "or raise max_answer_mb in defs.yaml."
        )
    tries = f" (tried {1 + retries} times)" if retries and is_broken(error) else ""
    if isinstance(error, BadAnswerError):
        return f"sent an answer that {error}{tries}; check the endpoint in defs.yaml."
    if any(isinstance(cause, SlowAnswerError) for cause in causes(error)):
        return (
            f"had not sent a whole answer after {limits.answer:g} s{tries}; ask for fewer records "
            "at a time, or raise timeouts.answer in defs.yaml."
        )
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes(error)):
        return "has a TLS certificate that is not trusted; check EVENTS_API_URL."
    for kinds, why in REASONS:
        if isinstance(error, kinds) and not isinstance(error, NOT_REACHED):
            return f"{why.format(limits=limits)}{tries}; check EVENTS_API_URL."
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


def explain(error: BaseException, retries: int = RETRIES) -> str | None:
    """Say in one sentence what went wrong with the API, or None if that was not the cause."""
    for cause in causes(error):
        if isinstance(cause, ApiError):
            return str(cause)
        if isinstance(cause, requests.HTTPError) and cause.response is not None:
            return refusal(cause.response, retries)
    return None


def refusal(response: requests.Response, retries: int = RETRIES) -> str:
    """Say what the API answered instead of a good answer, and what to do."""
    status = response.status_code
    tries = f" to each of {1 + retries} tries" if retries and status in RETRY_STATUSES else ""
    advice = ADVICE.get(status, "try again later, or ask the API's operator")
    answered = in_words(status)
    advice = advice.format(setting=getattr(response, SETTING, None) or "API_KEY")
    return f"The API at {public(response.url)} answered {answered}{tries}; {advice}."


def in_words(status: int) -> str:
    """Give a status with its name: `404 Not Found`."""
    known = {s.value: s.phrase for s in HTTPStatus}
    return f"{status} {known.get(status, '')}".strip()


def origin(url: str) -> str:
    """Scheme, host and port of a URL, without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def public(url: str | None) -> str:
    """Give the part of a URL that may be shown: without user, password and query."""
    return f"{origin(url or '')}{urlsplit(url or '').path}"
