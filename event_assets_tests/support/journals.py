"""Journals of syncs that do not end."""

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from event_assets.http import journal as module
from event_assets.http.journal import Journal, Recorded, open_journal

HEADERS = {"Content-Type": "application/json"}


SECRET = "k3y-of-the-platform"


IDENTITY = f"config 12ab, cursor 2026-01-01, {SECRET}"


class KilledError(Exception):
    """Ends a run as a kill would: the file stays as it is."""


def run_to_failure(
    file: Path,
    *steps: Callable[[Journal], object],
    error: BaseException | None = None,
    identity: str = IDENTITY,
    resume_hours: float = 6,
) -> None:
    """Open the journal, take the steps, and fail."""
    error = error or KilledError()
    with suppress(type(error)), open_journal(file, identity, resume_hours) as journal:
        for step in steps:
            step(journal)
        raise error


def record(*responses: tuple[str, str]) -> Callable[[Journal], None]:
    def step(journal: Journal) -> None:
        for key, body in responses:
            journal.record(key, HEADERS, body.encode())

    return step


def body(recorded: Recorded | None) -> str | None:
    return recorded and recorded.body.decode()


def replayed(file: Path, *keys: str, identity: str = IDENTITY) -> list[str | None]:
    """Return what a further run, which fails as well, takes."""
    bodies: list[str | None] = []
    run_to_failure(
        file,
        lambda journal: bodies.extend(body(journal.take(key)) for key in keys),
        identity=identity,
    )
    return bodies


def change(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(statement)


def count_responses(file: Path) -> int:
    with closing(sqlite3.connect(file)) as database:
        [(count,)] = database.execute("select count(*) from response")
    return int(count)


def files(file: Path) -> list[str]:
    return sorted(beside.name for beside in file.parent.glob("*"))


def write_at_once(patched: pytest.MonkeyPatch) -> None:
    """Let each response be written when it is recorded."""
    patched.setattr(module, "MAX_BUFFERED_BYTES", 0)
