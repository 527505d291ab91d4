"""Report the progress of a sync, in the log or as a bar on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import TextIO

from tqdm import tqdm

LOG_INTERVAL = 5.0  # seconds


@dataclass(frozen=True)
class Progress:
    """How much of a list was read so far."""

    events: int
    total: int | None  # as the API reports it
    pages: int
    in_flight: int  # requests without a response yet
    seconds: float  # since the run started

    def __str__(self) -> str:
        total = self.total if self.events <= (self.total or 0) else None  # rows may come twice
        of_total = f" of {total:,}" if total else ""
        metrics = [
            f"{self.events:,}{of_total} events",
            f"{self.pages / max(self.seconds, 0.001):,.0f} pages/s",
            f"{self.in_flight} requests in flight",
        ]
        if total and self.events > 0:
            left = self.seconds * (total - self.events) / self.events
            metrics.append(f"about {left:,.0f} s left")
        return ", ".join(metrics)


OnProgress = Callable[[Callable[[], Progress]], None]


def progress_logger(log: Callable[[str], None], interval: float = LOG_INTERVAL) -> OnProgress:
    """Return a callback that logs progress, at most once every `interval` seconds."""
    last = time.monotonic()

    def on_progress(progress: Callable[[], Progress]) -> None:
        nonlocal last
        if time.monotonic() - last >= interval:
            last = time.monotonic()
            log(str(progress()))

    return on_progress


@contextmanager
def progress_bar(terminal: TextIO) -> Iterator[OnProgress]:
    """Show a progress bar, if it is a terminal, and yield the callback that moves it."""
    tqdm.set_lock(RLock())  # its own is of processes, for which Python 3.14 starts another one
    with tqdm(file=terminal, unit=" events", disable=None, leave=False, dynamic_ncols=True) as bar:

        def on_progress(progress: Callable[[], Progress]) -> None:
            current = progress()
            bar.total = current.total
            bar.update(current.events - bar.n)

        yield on_progress
