"""Who may go on, on this machine: locks that end with their process."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from event_assets.values.errors import BusyError

LOG = logging.getLogger("dagster")


@contextmanager
def hold_file_lock(lock_file: Path, waiting: str, patience: float | None = None) -> Iterator[None]:
    """Hold a lock, which ends with the process; wait for it as long as it takes, or patience.

    Raises:
        BusyError: when another has it for longer than `patience` seconds, if there is a limit.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(lock_file)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        LOG.info("%s ...", waiting)
        try:
            lock.acquire(timeout=-1 if patience is None else patience)
        except Timeout:
            raise BusyError from None
    try:
        yield
    finally:
        lock.release()


def is_locked(lock_file: Path) -> bool:
    """Does another process have a lock?"""
    try:
        with FileLock(lock_file, blocking=False):
            return False
    except Timeout:
        return True
