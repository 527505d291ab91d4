"""The journal: the good responses of a sync that has not ended, replayed by the next run of it.

A run makes the same requests in the same order as one before it that was killed or failed, so its
paging comes to where that one was, and only what is not recorded goes to the API. Nothing of
paging's own state is stored.

The file is only appended to: a frame when a run begins, and one for each response. It ends before
the first frame that is torn or damaged.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from event_assets.http.frames import build_frame, open_private, read_frame
from event_assets.values.errors import (
    ConfigError,
    ExpiredJournalError,
    TooManyRejectsError,
    exception_chain,
)

LOG = logging.getLogger("dagster")
FORMAT = 1
MAX_BYTES = 4_000_000_000  # of the file
MAX_RUNS = 5  # in a row that replayed the responses and got no further: these may be the cause
# Errors that a replay would only raise again. What solves a ConfigError, such as a PaginationError,
# is another configuration, which makes other requests.
CONTENT_ERRORS = (TooManyRejectsError, ConfigError, ExpiredJournalError)


class Recorded(NamedTuple):
    """A recorded response."""

    headers: Mapping[str, str]
    body: bytes


class Journal:
    """The recorded responses of a sync; see `open_journal`. Its methods are thread-safe.

    Attributes:
        started_at: when the first run of the sync began, in UTC. Requests that depend on the time
            must be made from it, or a run does not find what another recorded.
        is_resumed: whether responses of an earlier run are there.
    """

    def __init__(self, path: Path, identity: str, resume_hours: float) -> None:
        self.started_at = datetime.now(timezone.utc)
        self.is_resumed = False
        self._path = path
        self._identity = f"{FORMAT} {identity}".encode(errors="surrogatepass")
        self._is_recording = resume_hours > 0
        self._lock = Lock()
        self._file: FileIO | None = None  # created with the first response
        self._offsets: dict[str, list[int]] = {}  # of responses by key, the next one last
        if path.exists():
            self._resume(resume_hours)

    def take(self, key: str) -> Recorded | None:
        """Return an earlier run's next response to a request: each once, in their order."""
        if not self._offsets:
            return None
        digest = _digest(key)
        with self._lock:
            offsets = self._offsets.get(digest)
            if not offsets or not self._file:
                return None
            frame = read_frame(self._file, offsets.pop())
            if not offsets:
                del self._offsets[digest]
        return Recorded(frame.entry["headers"], frame.unpack()) if frame else None

    def record(self, key: str, headers: Mapping[str, str], body: bytes) -> None:
        """Append a good response, which holds no secret; nothing more once the disk was full."""
        if self._is_recording:
            kept = {name: text for name, text in headers.items() if name.lower() != "set-cookie"}
            frame = build_frame({"key": _digest(key), "headers": kept}, body)
            with self._lock:
                self._append(frame)

    def discard(self) -> None:
        """Delete what is recorded. The sync begins anew: `started_at` is now."""
        with self._lock:
            self._close(keep=False)
            self.started_at, self.is_resumed = datetime.now(timezone.utc), False

    def close(self, *, keep: bool) -> None:
        """End recording, and delete the file unless it is to be kept."""
        with self._lock:
            self._is_recording = False
            self._close(keep=keep)

    def _resume(self, hours: float) -> None:
        recorded_at = self._path.stat().st_mtime
        self._file = open_private(self._path)
        problem: str | None = f"its last response is more than {hours:g} hours old"
        if time.time() - recorded_at < hours * 3600:
            problem = self._find_responses(self._file)
        if problem:
            LOG.info("Not resuming the interrupted sync: %s.", problem)
            self._close(keep=False)
            return
        self.is_resumed = True
        LOG.info("Resuming the sync that began at %s.", f"{self.started_at:%Y-%m-%d %H:%M} UTC")
        self._append(build_frame({"key": ""}))
        os.utime(self._path, (recorded_at, recorded_at))  # no response was added

    def _find_responses(self, file: FileIO) -> str | None:
        """Note where the intact responses are, cut off the rest; return why they are void."""
        first: Mapping[str, Any] = {}
        runs = end = 0
        while frame := read_frame(file, end):
            first = first or frame.entry
            if key := frame.entry["key"]:
                runs = runs if key in self._offsets else 0
                self._offsets.setdefault(key, []).append(end)
            else:
                runs += 1
            end = frame.end
        file.truncate(end)
        for offsets in self._offsets.values():
            offsets.reverse()
        if not self._offsets:
            return "no response is recorded"
        if first["identity"] != self._hash_identity(first["salt"]):
            return "its configuration, a secret or the table has changed since"
        if runs >= MAX_RUNS:
            return f"{runs} runs replayed the same responses and got no further"
        self.started_at = datetime.fromisoformat(first["started_at"])
        return None

    def _append(self, frame: bytes) -> None:
        if not self._is_recording:
            return
        try:
            if not self._file:
                self._file = open_private(self._path)
                frame = self._first_frame() + frame
            if self._file.seek(0, os.SEEK_END) + len(frame) > MAX_BYTES:
                raise OSError(f"{self._path} has {MAX_BYTES / 1e9:g} GB")
            if self._file.write(frame) != len(frame):
                raise OSError("the disk is full")
        except OSError as error:  # the next run cuts off a torn frame
            self._is_recording = False
            LOG.warning("If this sync is interrupted, it resumes here or earlier: %s.", error)

    def _first_frame(self) -> bytes:
        salt, began = secrets.token_hex(16), self.started_at.isoformat()
        identity = self._hash_identity(salt)
        return build_frame({"key": "", "salt": salt, "identity": identity, "started_at": began})

    def _hash_identity(self, salt: str) -> str:
        """Hash the identity slowly (2 ms), since it holds secrets."""
        return hashlib.scrypt(self._identity, salt=salt.encode(), n=1024, r=8, p=1).hex()

    def _close(self, *, keep: bool) -> None:
        self._offsets.clear()
        if self._file:
            self._file.close()
            self._file = None
            if not keep:
                self._path.unlink(missing_ok=True)


@contextmanager
def open_journal(file: Path, identity: str, resume_hours: float) -> Iterator[Journal]:
    """Open the journal of a sync: deleted when the sync ends, kept when it fails.

    Args:
        file: where it is; readable by its owner only.
        identity: a text of all that requests are made from, secrets included, and of the newest
            sync in the table: older responses must not follow it. Only a salted hash of it is
            stored; what was recorded under another identity is void.
        resume_hours: how long after the last response a sync is resumed. 0: nothing is recorded.
    """
    journal, keep = Journal(file, identity, resume_hours), False
    try:
        yield journal
    except BaseException as error:
        keep = not any(isinstance(cause, CONTENT_ERRORS) for cause in exception_chain(error))
        raise
    finally:
        journal.close(keep=keep)


def _digest(key: str) -> str:
    return hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=16).hexdigest()
