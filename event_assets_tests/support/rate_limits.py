"""Sync the pages of a list from an API with a rate limit, by a clock of its own."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from event_assets.http import retry_policy
from event_assets.http.pace import Pace, Quota
from event_assets.http.window import ReadAheadWindow

EPSILON = 1e-9


class RateLimit(Protocol):
    """How an API limits the rate of requests."""

    def take(self, now: float) -> tuple[bool, Quota]:
        """Return whether a request is accepted, and what is left."""


@dataclass
class TokenBucket:
    """Refills by `rate` tokens a second, up to those of one second."""

    rate: float
    _spent: float = 0.0
    _at: float = 0.0

    def take(self, now: float) -> tuple[bool, Quota]:
        """Take a token."""
        self._spent, self._at = max(0.0, self._spent - (now - self._at) * self.rate), now
        is_accepted = self._spent <= self.rate - 1 + EPSILON
        self._spent += is_accepted
        wait = max(0.0, self._spent - self.rate + 1) / self.rate
        return is_accepted, Quota(int(self.rate - self._spent), wait)


@dataclass
class FixedWindow:
    """Accepts `rate` requests in each second of a clock."""

    rate: float
    _second: float = -1.0
    _count: int = 0

    def take(self, now: float) -> tuple[bool, Quota]:
        """Count a request."""
        second = math.floor(now + 0.37)
        if second != self._second:
            self._second, self._count = second, 0
        is_accepted = self._count < self.rate
        self._count += is_accepted
        return is_accepted, Quota(int(self.rate - self._count), second + 1 - now - 0.37)


@dataclass
class SlidingWindow:
    """Accepts a request if fewer than `rate` were accepted in the second before it."""

    rate: float
    _accepted: deque[float] = field(default_factory=deque[float])

    def take(self, now: float) -> tuple[bool, Quota]:
        """Count a request."""
        while self._accepted and self._accepted[0] <= now - 1 + EPSILON:
            self._accepted.popleft()
        is_accepted = len(self._accepted) < self.rate
        if is_accepted:
            self._accepted.append(now)
        return is_accepted, Quota(int(self.rate - len(self._accepted)), self._accepted[0] + 1 - now)


@dataclass
class SimulatedSync:
    """A sync of pages in order, which fetches ahead as `ApiClient` and `ApiSession` do.

    Attributes:
        latency: seconds until a response; each takes more or less by a share of `jitter`.
        tells: the headers of the API: "Retry-After", "RateLimit", or none.
        sent, refused: the number of requests.
        seconds: how long it took.
    """

    limit: RateLimit
    pages: int
    latency: float
    tells: str = "Retry-After"
    jitter: float = 0.0
    sent: int = 0
    refused: int = 0
    seconds: float = 0.0
    _pace: Pace = field(default_factory=Pace)
    _window: ReadAheadWindow = field(default_factory=lambda: ReadAheadWindow(32))
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _number: count[int] = field(default_factory=count)
    _next: int = 0  # the page that is read next
    _submitted: int = 0
    _in_flight: int = 0
    _received: set[int] = field(default_factory=set[int])

    def run(self) -> None:
        """Read all pages."""
        self._submit()
        while self._next < self.pages:
            self.seconds, _, action = heapq.heappop(self._events)
            action()

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.seconds + seconds, next(self._number), action))

    def _submit(self) -> None:
        """Request the next page; with the first one it is known which others follow."""
        ahead = self._window.ahead if self._next else 0
        for page in range(self._submitted, min(self.pages, self._next + 1 + ahead)):
            self._send(page)
        self._submitted = max(self._submitted, min(self.pages, self._next + 1 + ahead))

    def _send(self, page: int, attempt: int = 0) -> None:
        if wait := self._pace.reserve(self.seconds):
            self._after(wait, lambda: self._send(page, attempt))
            return
        self.sent += 1
        self._in_flight += 1
        share = 1 + self.jitter * ((7 * self.sent) % 10 - 4.5) / 4.5
        self._after(self.latency * share / 2, lambda: self._arrive(page, attempt, share))

    def _arrive(self, page: int, attempt: int, share: float) -> None:
        is_accepted, quota = self.limit.take(self.seconds)
        answer = self._accept if is_accepted else self._refuse
        self._after(self.latency * share / 2, lambda: answer(page, attempt, quota))

    def _refuse(self, page: int, attempt: int, quota: Quota) -> None:
        self._in_flight -= 1
        self.refused += 1
        if attempt == retry_policy.MAX_RETRIES:
            raise AssertionError("a page was refused each time")
        asked = float(math.ceil(quota.seconds)) if self.tells else 0.0
        wait = retry_policy.seconds_to_wait(asked, attempt)
        self._pace.refuse(self.seconds, wait, asked)
        self._after(wait, lambda: self._send(page, attempt + 1))

    def _accept(self, page: int, _: int, quota: Quota) -> None:
        self._in_flight -= 1
        told = Quota(quota.remaining, math.ceil(quota.seconds)) if "Rate" in self.tells else None
        self._pace.accept(self.seconds, told, self._in_flight)
        self._received.add(page)
        is_awaited = True
        while self._next in self._received and self._next < self.pages:
            self._next += 1
            self._window.add(self.latency, was_awaited=is_awaited)
            self._submit()
            is_awaited = self._next not in self._received
