"""Retries of atomic actions after write conflicts."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from event_assets.values.errors import WarehouseError

LOG = logging.getLogger("dagster")
T = TypeVar("T")
MAX_ATTEMPTS = 15
FIRST_WAIT = 0.1  # seconds; the next ones grow by half
MAX_WAIT = 5.0  # seconds


def retry(
    action: Callable[[], T],
    is_conflict: Callable[[BaseException], bool],
    lock: Callable[[], AbstractContextManager[None]],
) -> T:
    """Run an atomic action, retrying on write conflicts.

    Args:
        action: changes the database in one transaction.
        is_conflict: returns whether an error is a write conflict.
        lock: held from the second attempt on, so that retries queue up.

    Raises:
        WarehouseError: If every attempt conflicts.
    """
    for attempt in range(MAX_ATTEMPTS):
        try:
            with lock() if attempt else nullcontext():
                return action()
        except Exception as error:
            if not is_conflict(error):
                raise
        longest = min(MAX_WAIT, FIRST_WAIT * 1.5**attempt)
        wait = random.uniform(longest / 2, longest)  # noqa: S311 (spreads the retries)
        LOG.info("Write conflict; retrying in %.1f s", wait)
        time.sleep(wait)
    raise WarehouseError(
        f"Other syncs wrote the same tables during each of {MAX_ATTEMPTS} attempts: let fewer "
        "syncs run at once, and sync again."
    )
