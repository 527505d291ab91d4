"""How far a sync is, in the log every few seconds or as a bar on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tqdm import tqdm

LOG_EVERY = 5.0  # seconds


@dataclass(frozen=True)
class Progress:
    """What has come so far.

    Attributes:
        events: rows received.
        total: how many there are, by the API; None if it does not say.
        pages: answers received.
        in_flight: requests that are not answered yet.
        seconds: since the sync began.
        earlier: how many of the events came before it began, in the run that it goes on with.
    """

    events: int
    total: int | None
    pages: int
    in_flight: int
    seconds: float
    earlier: int = 0

    def __str__(self) -> str:
        of = f" of {self.total:,}" if self.total else ""
        parts = [
            f"{self.events:,}{of} events",
            f"{self.pages / max(self.seconds, 0.001):,.0f} pages a second",
            f"{self.in_flight} requests in flight",
        ]
        came = self.events - self.earlier
        if self.total and came > 0:
            left = self.seconds * max(self.total - self.events, 0) / came
            parts.append(f"about {left:,.0f} s left")
        return ", ".join(parts)


Show = Callable[[Callable[[], Progress]], None]


def logged(log: Callable[[str], None], every: float = LOG_EVERY) -> Show:
    """Show progress as lines of a log, at most one in `every` seconds."""
    last = time.monotonic()

    def show(progress: Callable[[], Progress]) -> None:
        nonlocal last
        if time.monotonic() - last >= every:
            last = time.monotonic()
            log(str(progress()))

    return show


@contextmanager
def bar() -> Iterator[Show]:
    """Show progress as a bar on the terminal; nothing where there is none."""
    with tqdm(unit=" events", disable=None, leave=False, dynamic_ncols=True) as line:

        def show(progress: Callable[[], Progress]) -> None:
            now = progress()
            line.total = now.total
            line.update(now.events - line.n)

        yield show
