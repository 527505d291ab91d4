"""The HTTP session of a sync: the retry policy, the key, and errors that say what to do."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    retry_if_result,
    stop_after_attempt,
    wait_exponential,
)
from urllib3.util import Retry

RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})
RETRIES = 3
BACKOFF_FACTOR = 2  # seconds: waits of 2, 4 and 8
RETRY_AFTER_MAX = 120.0  # seconds
TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two pieces of an answer

ADVICE: Mapping[int, str] = {
    400: "check the endpoint's path and params in defs.yaml",
    401: "set API_KEY (in .env or the environment) to a key that this API accepts",
    403: "set API_KEY (in .env or the environment) to a key that may read events",
    404: "check EVENTS_API_URL and the endpoint's path in defs.yaml",
    429: "the API is limiting requests: sync less often, or ask for a higher limit",
}


class ApiError(requests.RequestException):
    """The API could not be read. The message is for the user and never holds the key."""


class ApiSession(requests.Session):
    """A session that adds the key on the wire only, and only for the API's own host.

    Args:
        base_url: where the API is; its scheme, host and port are the ones that get the key.
        auth: what adds the key to a prepared request, or None.
    """

    def __init__(self, base_url: str, auth: AuthBase | None = None) -> None:
        super().__init__()
        self.mount("http://", _RetryAdapter(None))
        self.mount("https://", _RetryAdapter(None))
        self.mount(origin(base_url) + "/", _RetryAdapter(auth))

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send one request, by the retry policy.

        Raises:
            ApiError: when the API did not answer, after all retries.
        """
        kwargs["timeout"] = kwargs.get("timeout") or TIMEOUT
        return super().send(request, **kwargs)


class _RetryAdapter(HTTPAdapter):
    def __init__(self, auth: AuthBase | None) -> None:
        super().__init__(max_retries=Retry(0, read=False))
        self._key = auth

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        attempts = Retrying(
            retry=retry_if_exception(_is_broken) | retry_if_result(_is_busy),
            stop=stop_after_attempt(1 + RETRIES),
            wait=_wait,
            retry_error_callback=_last_answer,
        )
        try:
            response = attempts(self._send_once, request, *args, **kwargs)
        except requests.RequestException as error:
            problem = _reason(error)
        else:
            return response
        # Raised outside the except block: the original holds the URL with the key.
        url = f"{origin(request.url or '')}{urlsplit(request.url or '').path}"
        raise ApiError(f"The API at {url} {problem}")

    def _send_once(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        keyed = request.copy()
        if self._key:
            keyed = self._key(keyed)
        response = super().send(keyed, *args, **kwargs)
        _ = response.content  # an answer that breaks off is a broken connection: read it here
        response.request, response.url = request, request.url or ""
        return response


def _is_broken(error: BaseException) -> bool:
    broken = (
        requests.ConnectionError,
        requests.Timeout,
        requests.exceptions.ChunkedEncodingError,
    )
    return isinstance(error, broken) and not isinstance(error, requests.exceptions.SSLError)


def _is_busy(response: requests.Response) -> bool:
    return response.status_code in RETRY_STATUSES


def _last_answer(state: RetryCallState) -> requests.Response:
    if state.outcome is None:
        raise ValueError("no attempt was made")
    answer: requests.Response = state.outcome.result()
    return answer


def _wait(state: RetryCallState) -> float:
    """Seconds to wait: what the API asks for, else 2, 4, 8."""
    if state.outcome and not state.outcome.failed:
        asked = Retry().get_retry_after(state.outcome.result().raw)
        if asked is not None:
            return min(asked, RETRY_AFTER_MAX)
    return float(wait_exponential(multiplier=BACKOFF_FACTOR)(state))


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
    url = f"{origin(response.url)}{urlsplit(response.url).path}"
    return f"The API at {url} answered {status} {known.get(status, '')}{tries}; {advice}."


def origin(url: str) -> str:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")
