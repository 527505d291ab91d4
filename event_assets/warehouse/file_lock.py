"""File locks between processes of one machine, released when a process ends."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from event_assets.values.errors import BusyError

LOG = logging.getLogger("dagster")


@contextmanager
def hold_file_lock(lock_file: Path, message: str, timeout: float | None = None) -> Iterator[None]:
    """Hold a lock; log the message if it has to wait.

    Raises:
        BusyError: If another process holds it for longer than `timeout` seconds; None is no limit.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(lock_file)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        if timeout == 0:
            raise BusyError(f"{message}.") from None
        LOG.warning("%s ...", message)
        try:
            lock.acquire(timeout=-1 if timeout is None else timeout)
        except Timeout:
            raise BusyError(f"{message} for more than {timeout:g} s.") from None
    try:
        yield
    finally:
        lock.release()


def is_file_locked(lock_file: Path) -> bool:
    """Return whether another process holds a lock."""
    try:
        with FileLock(lock_file, blocking=False):
            return False
    except Timeout:
        return True
    except (FileNotFoundError, FileExistsError):  # another process has just removed its folder
        return False


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Create a temporary folder; remove it afterwards, and those of killed processes."""
    prefix = f"events-{os.getuid()}-"
    for lock in Path(tempfile.gettempdir()).glob(f"{prefix}*/lock"):
        if not is_file_locked(lock):
            shutil.rmtree(lock.parent, ignore_errors=True)  # another process may remove it, too
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        new, lock = Path(name, "new"), Path(name, "lock")
        with FileLock(new):
            new.rename(lock)  # locked before others can see it
            yield Path(name)
