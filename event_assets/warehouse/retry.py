"""Doing a thing again when another writer came in between."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from event_assets.values.errors import WarehouseError

LOG = logging.getLogger("dagster")
T = TypeVar("T")
TRIES = 15
FIRST_WAIT = 0.1  # seconds; each wait is half as long again as the one before
LONGEST_WAIT = 5.0  # seconds


def retry(
    action: Callable[[], T],
    is_conflict: Callable[[BaseException], bool],
    turn: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> T:
    """Do something whole or not at all, until no other writer comes in between.

    Args:
        action: changes the database in one transaction.
        is_conflict: tells such an error from others.
        turn: held from the second try on, so that those that came too late queue up.

    Raises:
        WarehouseError: when others always come in between.
    """
    for number in range(TRIES):
        try:
            with turn() if number else nullcontext():
                return action()
        except Exception as error:
            if not is_conflict(error):
                raise
        longest = min(LONGEST_WAIT, FIRST_WAIT * 1.5**number)
        wait = random.uniform(longest / 2, longest)  # noqa: S311 (that not all come at once)
        LOG.info("Another writer came in between; once more in %.1f s ...", wait)
        time.sleep(wait)
    raise WarehouseError(
        f"Others wrote the same tables in between {TRIES} times: let fewer syncs run at once, and "
        "sync again."
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error, and what it came from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
