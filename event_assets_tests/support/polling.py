"""Wait for what other threads and processes do, and find them a free port."""

import socket
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 120.0  # seconds
INTERVAL = 0.1  # seconds between two looks

T = TypeVar("T")


def until(happened: Callable[[], T | None], what: str = "it", patience: float = PATIENCE) -> T:
    """Wait until a function returns something, for so many seconds at the most, and return it."""
    deadline = time.monotonic() + patience
    while not (found := happened()):
        assert time.monotonic() < deadline, f"{what} did not happen within {patience:g} s"
        time.sleep(INTERVAL)
    return found


def free_port() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
