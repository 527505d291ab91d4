"""The pace of requests: as configured, as the headers of responses say, or as refusals show."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

# By the drafts of the IETF and by common use, in the order in which they are looked for.
REMAINING = ("RateLimit-Remaining", "X-RateLimit-Remaining", "X-Rate-Limit-Remaining")
RESET = ("RateLimit-Reset", "X-RateLimit-Reset", "X-Rate-Limit-Reset")
ANY = re.compile("rate-?limit", re.IGNORECASE)
MEMBERS = re.compile(r"\b(remaining|reset|r|t)=(\d+)")  # members of the header RateLimit
MIN_EPOCH_SECONDS = 1_000_000_000  # a smaller number is seconds from now; 100 times it, or more: ms
SHORT_SUPPLY = 64  # requests left from which on they are spread over the time left
MAX_WAIT = 600.0  # seconds; an API that asks for a longer pause is not asked again
MARGIN = 0.9  # share of the rate at which requests went through before a refusal
DOUBLING_SECONDS = 60.0  # in which a learned rate doubles, after as long: a limit may be shared


class Quota(NamedTuple):
    """What the headers of a response say of the rate limit."""

    remaining: int  # requests that may still be sent
    seconds: float  # until there are more


def read_quota(headers: Mapping[str, str]) -> Quota | None:
    """Return what headers say of the rate limit; None if it is not both a number and a time."""
    if not ANY.search(" ".join(headers)):  # most APIs need none of the look-ups
        return None
    members = dict(MEMBERS.findall(headers.get("RateLimit", "")))
    remaining = members.get("remaining") or members.get("r") or _first(headers, REMAINING)
    reset = members.get("reset") or members.get("t") or _first(headers, RESET)
    with suppress(ValueError, OverflowError):
        return Quota(int(remaining), seconds_until(reset))
    return None


def seconds_until(reset: str) -> float:
    """Return the seconds until a reset: given as those, as seconds or ms since 1970, or as a date.

    Raises:
        ValueError: it is none of these.
    """
    try:
        at = float(reset)
    except ValueError:
        at = read_date(reset).timestamp()
    if at < MIN_EPOCH_SECONDS:
        return at
    at /= 1_000 if at >= 100 * MIN_EPOCH_SECONDS else 1
    return at - time.time()


def read_date(text: str) -> datetime:
    """Return a date of HTTP or of ISO 8601, in UTC if it names no zone."""
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        date = datetime.fromisoformat(text.strip())
    return date.replace(tzinfo=date.tzinfo or UTC)


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((headers[name] for name in names if name in headers), "")


@dataclass
class Pace:
    """Decides when the next request may be sent. Times are seconds of one clock.

    Attributes:
        limit: requests per second that the configuration allows; None: no limit.
    """

    limit: float | None = None
    _next: float = 0.0  # when the next request may be sent
    _paused_until: float = 0.0
    _quota_interval: float = 0.0  # seconds between requests that make what is left last
    _learned: float = 0.0  # requests per second that went through when one was refused; 0: none was
    _learned_from: float = 0.0
    _learned_at: float = 0.0  # when the pause after the refusal ends
    _accepted: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))

    def reserve(self, now: float) -> float:
        """Return the seconds until a request may be sent; at 0 it is taken to be sent now."""
        wait = max(self._next, self._paused_until) - now
        if wait > 0:
            return wait
        self._next = max(now, self._next) + self._interval(now)
        return 0.0

    def accept(self, now: float, quota: Quota | None, in_flight: int) -> None:
        """Note a response that was not refused, and what its headers say."""
        self._accepted.append(now)
        if now < self._learned_at:
            self._learn(now)
        self._quota_interval = 0.0
        # a quota for a day is not spread over it: the API says when it is used up
        if quota and quota.remaining <= SHORT_SUPPLY and 0 < quota.seconds <= MAX_WAIT:
            left = quota.remaining - in_flight
            if left <= 0:
                self._paused_until = max(self._paused_until, now + quota.seconds)
            else:
                self._quota_interval = quota.seconds / left

    def refuse(self, now: float, wait: float, asked: float) -> None:
        """Pause after a refusal, and keep to the rate at which requests went through before it.

        Args:
            wait: the pause in seconds.
            asked: the pause that the API asked for: the time for which its limit counts; or 0.
        """
        if now >= self._learned_at:  # else it was sent together with one that was refused before
            self._learned, self._learned_from = 0.0, now - max(asked, 1.0)
        self._learned_at = self._paused_until = max(self._paused_until, now + wait)
        self._learn(now)

    def _learn(self, now: float) -> None:
        """Learn the rate, also from responses in a pause: to requests that were sent before it."""
        count = sum(at > self._learned_from for at in self._accepted)
        rate = MARGIN * max(1, count) / (now - self._learned_from)
        self._learned = max(self._learned, rate)

    def _interval(self, now: float) -> float:
        intervals = [self._quota_interval, 1 / self.limit if self.limit else 0.0]
        if self._learned:
            doublings = min(max(0.0, (now - self._learned_at) / DOUBLING_SECONDS - 1), 60)
            intervals.append(1 / (self._learned * 2**doublings))
        return max(intervals)
