"""The retry policy of every request."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus

from requests import Response

from event_assets.http.pace import MAX_WAIT, RESET, read_quota, seconds_until

RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})
RATE_LIMITS = (420, 429)  # 420: of older APIs, "Enhance Your Calm"
MAX_RETRIES = 3
BACKOFF_FACTOR = 2.0  # seconds; the waits are 2, 4 and 8


def is_rate_limit(response: Response) -> bool:
    """Return whether a response asks for fewer requests: some APIs send 403 for that."""
    if response.status_code != HTTPStatus.FORBIDDEN:
        return response.status_code in RATE_LIMITS
    quota = read_quota(response.headers)
    is_used_up = quota.remaining == 0 if quota else any(map(response.headers.__contains__, RESET))
    return "Retry-After" in response.headers or is_used_up


def is_retried(response: Response) -> bool:
    """Return whether a request with this response is sent again."""
    is_passing = response.status_code in RETRY_STATUSES or is_rate_limit(response)
    return is_passing and retry_after(response) <= MAX_WAIT


def seconds_to_wait(asked: float, attempt: int) -> float:
    """Return how long to wait after an attempt (from 0) for which the API asked for a pause."""
    backoff: float = BACKOFF_FACTOR * 2**attempt
    return max(backoff, asked)


def seconds_asked(response: Response | None) -> float:
    """Return the pause in seconds that a response asks for; 0 if for none."""
    if response is None:
        return 0.0
    quota = read_quota(response.headers)
    reset = quota.seconds if quota else _read_seconds(response, RESET)
    return retry_after(response) or (min(reset, MAX_WAIT) if is_rate_limit(response) else 0.0)


def retry_after(response: Response) -> float:
    """Return the seconds in the header Retry-After; 0 if there are none."""
    return max(0.0, _read_seconds(response, ("Retry-After",)))


def _read_seconds(response: Response, names: Iterable[str]) -> float:
    """Return the seconds in the first of these headers that says so; 0 if none does."""
    for name in names:
        with suppress(KeyError, ValueError, OverflowError):
            return seconds_until(response.headers[name])
    return 0.0
