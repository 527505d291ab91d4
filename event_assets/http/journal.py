"""The journal: the good responses of a sync that was interrupted, replayed by its next run.

A run makes the same requests in the same order as one before it that was killed or failed, so its
paging comes to where that one was, and only what is not recorded goes to the API. Nothing of
paging's own state is stored. What a run has read to the end, no later one replays: it would be old.
It is a SQLite database, which one thread writes ten times a second.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, NamedTuple

import orjson
import pyarrow as pa

from event_assets.values.errors import (
    ConfigError,
    ExpiredJournalError,
    ExpiredPositionError,
    TooManyRejectsError,
    exception_chain,
)

LOG = logging.getLogger("dagster")
FORMAT = 2
CODEC = "lz4"  # a third of zstd's CPU time
INTERVAL = 0.1  # seconds between two writes
MAX_RATE = 200  # responses a second, of late; a quicker API is asked again in little time
MAX_BUFFERED_BYTES = 64_000_000
MAX_BYTES, PAGE_BYTES = 4_000_000_000, 16_384  # the limit of the file, and its pages
MIN_FREE_BYTES = 100_000_000  # left on the disk, which the load needs more
MAX_RUNS = 5  # runs in a row that replayed the responses and got no further
# Errors that a replay would only raise again. What solves a ConfigError, such as a PaginationError,
# is another configuration, which makes other requests.
CONTENT_ERRORS = (TooManyRejectsError, ConfigError, ExpiredJournalError, ExpiredPositionError)


KeyedResponse = tuple[str, Mapping[str, str], bytes]  # its request's key, its headers and its body


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
        is_quick: whether the API sends more responses of late than are recorded.
    """

    def __init__(
        self, path: Path, identity: str, resume_hours: float, *, is_retry: bool = False
    ) -> None:
        self.started_at = datetime.now(UTC)
        self.is_resumed = self.is_quick = False
        self._is_retry = is_retry
        self._is_read = False  # whether all lists were read to their ends
        self._path = path
        self._identity = f"{FORMAT} {identity}".encode(errors="surrogatepass")
        self._salt = secrets.token_bytes(16)
        self._buffer: list[KeyedResponse] = []
        self._buffered_bytes = 0
        self._buffer_lock, self._lock = Lock(), Lock()  # `_lock` guards all but the buffer
        self._database: sqlite3.Connection | None = None
        self._rowids: dict[bytes, list[int]] = {}  # row ids of responses by key, the next one last
        self._is_over = Event()  # once set, nothing more is recorded
        if path.exists():
            self._resume(resume_hours)
        if resume_hours <= 0:
            self._is_over.set()
        self._writer = Thread(target=self._write_regularly, name="journal", daemon=True)
        self._writer.start()

    def take(self, key: str) -> Recorded | None:
        """Return an earlier run's next response to a request: each once, in their order.

        Raises:
            ExpiredJournalError: the file is damaged.
        """
        if not self._rowids:
            return None
        digest = self._digest(key)
        with self._lock:
            if not self._database or not (rowids := self._rowids.get(digest)):
                return None
            query = "select headers, size, body from response where rowid = ?"
            try:
                [(headers, size, packed)] = self._database.execute(query, [rowids.pop()])
                body = pa.decompress(packed, size, CODEC, asbytes=True)
            except (OSError, ValueError, sqlite3.Error) as error:
                raise ExpiredJournalError("The journal is damaged.") from error
            if not rowids:
                del self._rowids[digest]
        return Recorded(orjson.loads(headers), body)

    def record(self, key: str, headers: Mapping[str, str], body: bytes) -> None:
        """Buffer a good response, which holds no secret; nothing more once the disk was full."""
        if self._is_over.is_set():
            return
        with self._buffer_lock:
            self._buffer.append((key, headers, body))
            self._buffered_bytes += len(body)
        if self._buffered_bytes > MAX_BUFFERED_BYTES:
            self._write()

    def end_reading(self, *, is_replay: bool) -> None:
        """Note that all lists were read to their ends: no later sync may replay the responses.

        Args:
            is_replay: whether all responses came from the journal.

        Raises:
            ExpiredJournalError: an earlier sync had come as far.
        """
        if is_replay and not self._is_retry:
            raise ExpiredJournalError("An interrupted sync had read all lists to their ends.")
        with self._lock:
            self._is_read = True
            if self._database and not self._is_over.is_set():
                self._change("update sync set is_read = ?", [(True,)])
            if self._is_over.is_set():  # it cannot be written
                self._close(keep=False)

    def discard(self) -> None:
        """Delete what is recorded. The sync starts again: `started_at` is now."""
        with self._lock, self._buffer_lock:
            self._buffer = []
            self._close(keep=False)
            self.started_at = datetime.now(UTC)
            self.is_resumed = self._is_read = False

    def close(self, *, keep: bool) -> None:
        """End recording, and delete the file unless it is to be kept."""
        if keep and not self.is_quick:
            self._write()
        self._is_over.set()
        self._writer.join()
        with self._lock:
            self._close(keep=keep)

    def _resume(self, hours: float) -> None:
        try:
            problem = self._find_responses(self._open(), hours)
        except (ValueError, sqlite3.Error) as error:
            problem = f"its journal cannot be read: {error}"
        if problem:
            LOG.info("Not resuming the interrupted sync: %s.", problem)
            self._close(keep=False)
        else:
            self.is_resumed = True
            LOG.info("Resuming the sync that began at %s.", f"{self.started_at:%Y-%m-%d %H:%M} UTC")

    def _find_responses(self, database: sqlite3.Connection, hours: float) -> str | None:
        """Note where the responses are; return why they are invalid."""
        query = "select sync.*, at from sync, response order by response.rowid desc limit 1"
        [row] = database.execute(query)
        self._salt, identity, started_at, runs, keys, is_read, recorded_at = row
        if abs(time.time() - recorded_at) >= hours * 3600:  # a clock may have been ahead
            return f"its last response is more than {hours:g} hours old"
        if identity != self._hash_identity():
            return "its configuration, a secret or the table has changed since"
        if is_read and not self._is_retry:
            return "its lists were read to their ends"
        for rowid, key in database.execute("select rowid, key from response order by rowid desc"):
            self._rowids.setdefault(key, []).append(rowid)
        runs = runs + 1 if len(self._rowids) == keys else 1
        if runs > MAX_RUNS:
            return f"{MAX_RUNS} runs replayed the same responses and got no further"
        self.started_at = datetime.fromisoformat(started_at)
        self._change("update sync set runs = ?, keys = ?", [(runs, len(self._rowids))])
        return None

    def _write_regularly(self) -> None:
        rate, looked_at = float(MAX_RATE), time.monotonic()
        while not self._is_over.wait(INTERVAL):
            now = time.monotonic()
            rate += (len(self._buffer) / (now - looked_at) - rate) / 10
            looked_at = now
            self.is_quick = rate >= MAX_RATE
            if self.is_quick:
                self._empty_buffer()
            else:
                self._write()

    def _write(self) -> None:
        with self._lock:
            batch = self._empty_buffer()
            if batch and not self._is_over.is_set():
                self._change("insert into response values (?, ?, ?, ?, ?)", map(self._pack, batch))

    def _empty_buffer(self) -> list[KeyedResponse]:
        with self._buffer_lock:
            batch, self._buffer, self._buffered_bytes = self._buffer, [], 0
        return batch

    def _change(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Change the file, all or nothing; if it cannot be written, the sync goes on without."""
        try:
            database = self._database or self._create()
            if shutil.disk_usage(self._path.parent).free < MIN_FREE_BYTES:
                raise OSError("less than 100 MB are left on its disk")
            with database:
                database.executemany(statement, rows)
        except (OSError, sqlite3.Error) as error:
            self._is_over.set()
            LOG.warning("If this sync is interrupted, it resumes here or earlier: %s.", error)

    def _open(self) -> sqlite3.Connection:
        """Open the file, readable by its owner only, as are the files that SQLite adds to it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        self._database = database = sqlite3.connect(self._path, check_same_thread=False)
        database.execute("pragma synchronous = off")  # survives a kill, not a crash of the system
        database.execute(f"pragma page_size = {PAGE_BYTES}")
        database.execute(f"pragma max_page_count = {MAX_BYTES // PAGE_BYTES}")
        return database

    def _create(self) -> sqlite3.Connection:
        database = self._open()
        database.execute("begin")  # the transaction of the first change
        database.execute("create table sync (salt, identity, started_at, runs, keys, is_read)")
        database.execute("create table response (key, at, headers, size, body)")
        state = [self._salt, self._hash_identity(), self.started_at.isoformat(), self._is_read]
        database.execute("insert into sync values (?, ?, ?, 0, 0, ?)", state)
        return database

    def _pack(self, response: KeyedResponse) -> tuple[Any, ...]:
        key, headers, body = response
        kept = {name: text for name, text in headers.items() if name.lower() != "set-cookie"}
        packed = pa.compress(body, CODEC, asbytes=True)
        return self._digest(key), time.time(), orjson.dumps(kept), len(body), packed

    def _digest(self, key: str) -> bytes:
        text = key.encode(errors="surrogatepass")
        # a key may hold secrets: what is stored cannot be turned back into it
        return hashlib.blake2b(text, key=self._salt, digest_size=16).digest()

    def _hash_identity(self) -> bytes:
        """Hash the identity slowly (2 ms), since it holds secrets."""
        return hashlib.scrypt(self._identity, salt=self._salt, n=1024, r=8, p=1)

    def _close(self, *, keep: bool) -> None:
        self._rowids.clear()
        if self._database:
            self._database.close()
            self._database = None
            if not keep:
                for file in (self._path, Path(f"{self._path}-journal")):
                    file.unlink(missing_ok=True)


@contextmanager
def open_journal(
    file: Path, identity: str, resume_hours: float, *, is_retry: bool = False
) -> Iterator[Journal]:
    """Open the journal of a sync: deleted when the sync ends, kept when it fails.

    Args:
        file: where it is; readable by its owner only.
        identity: a text of all that requests are made from, secrets included, and of the newest
            sync in the table: older responses must not follow it. Only a salted hash of it is
            stored; what was recorded under another identity is invalid.
        resume_hours: how long after the last response a sync is resumed. 0: nothing is recorded.
        is_retry: whether the same sync begins again, and may replay also what it had read to the
            end. Another one may not: it would load what the API had then, as if it were new.
    """
    journal, keep = Journal(file, identity, resume_hours, is_retry=is_retry), False
    try:
        yield journal
    except BaseException as error:
        keep = not any(isinstance(cause, CONTENT_ERRORS) for cause in exception_chain(error))
        raise
    finally:
        journal.close(keep=keep)
