"""Waiting for something to become true."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 120.0  # seconds

T = TypeVar("T")


def until(what: str, found: Callable[[], T | None], patience: float = PATIENCE) -> T:
    """Wait until something is found, and give it."""
    deadline = time.monotonic() + patience
    while (answer := found()) is None:
        assert time.monotonic() < deadline, f"{what}: not within {patience:g} s"
        time.sleep(0.1)
    return answer
