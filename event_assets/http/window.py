"""How many requests of a list are sent ahead: more, while that makes the reader wait less."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

CAUTIOUS = 8  # requests in flight before it is known that the API does not refuse them
GROWTH = 4
PAGE_SECONDS = 0.002  # what a sync needs for a page itself: it takes no more than one in that time
SLOWER = 1.5  # times the fastest median: more requests in flight only wait for each other


@dataclass
class ReadAheadWindow:
    """The number of requests in flight: a few, then four times as many with every window of pages.

    Attributes:
        limit: its maximum.
        size: of the moment.
    """

    limit: int
    size: int = field(init=False)
    _fastest: float = float("inf")  # median of a window, in seconds
    _seconds: list[float] = field(default_factory=list)
    _was_awaited: bool = False
    _outdated: int = 0  # responses still to come to requests from before the window shrank

    def __post_init__(self) -> None:
        """Begin with a few."""
        self.size = min(CAUTIOUS, self.limit)

    @property
    def ahead(self) -> int:
        """The number of requests to send ahead now; no more than a few before it is judged."""
        is_tried = self._fastest < float("inf") or self.size < CAUTIOUS
        return self.size if is_tried else self.size - len(self._seconds)

    def restart(self) -> None:
        """Start again with one request: another page came than was expected."""
        self.size, self._seconds, self._outdated = 1, [], 0

    def add(self, seconds: float, *, was_awaited: bool) -> None:
        """Note how long a response took, and whether it was not there when it was needed."""
        if self._outdated:
            self._outdated -= 1
            return
        self._seconds.append(seconds)
        self._was_awaited |= was_awaited
        if len(self._seconds) < max(self.size, min(2 * self.size, CAUTIOUS)):
            return
        usual = median(self._seconds)
        if usual > SLOWER * self._fastest:
            self._outdated = self.size
            self.size = max(min(CAUTIOUS, self.size), self.size // 2)
        elif self._was_awaited and (self.size < CAUTIOUS or usual > self.size * PAGE_SECONDS):
            self.size = min(GROWTH * self.size, self.limit)
        self._fastest = min(self._fastest, usual)
        self._seconds, self._was_awaited = [], False
