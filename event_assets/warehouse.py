"""The DuckDB file: where it is, who may write it when, and the dlt pipeline that does."""

import logging
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt import Pipeline
from dlt.common.destination import Destination
from filelock import FileLock, Timeout

from event_assets.merging import destination_of

LOG = logging.getLogger("dagster")
FOREIGN_WAIT = 60.0  # seconds
PROJECT_ROOT = Path(__file__).resolve().parents[1]


# One thread writes as fast as two here (measured), in half the memory; the limit makes DuckDB use
# the disk for large merges, so that memory does not grow with rows.
MEMORY = 128  # MB, unless a table is very wide
MEMORY_OF_COLUMN = 1  # MB: a merge holds a block or two of each column
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": f"{MEMORY}MB",
    "threads": 1,
    "preserve_insertion_order": False,
}


HELD = "lock on file"
NEXT = ".next.lock"  # held by the sync that has its turn next, while it waits
KIND = re.compile(r"^\w+( \w+)* Error: ")  # of DuckDB's errors
ANOTHER = "name another file in EVENTS_DUCKDB"
# What to do, by what DuckDB or the system says.
ADVICE = {
    HELD: "close what holds it",
    "No space left|[Qq]uota exceeded|File too large|No usable temporary": "make room on its disk "
    "and in the folder for temporary files (TMPDIR, else /tmp)",
    "Permission denied|not permitted|[Rr]ead-only": "let the user who syncs write there",
    "newer version": f"update DuckDB to the version that wrote it, or {ANOTHER}",
    "valid DuckDB|[Cc]orrupt|enough bytes|Input/output error": "put a backup in its place, as "
    f"docs/operations.md says, or {ANOTHER}",
    "Not a directory|Is a directory|File exists|name too long": ANOTHER,
}


class WarehouseError(Exception):
    """The database cannot be used. The message says which, why and what to do."""


class BusyError(Exception):
    """Another sync has the database."""


def path() -> Path:
    """Absolute path of the DuckDB file: `EVENTS_DUCKDB`, by default under the project."""
    return PROJECT_ROOT / os.environ.get("EVENTS_DUCKDB", "data/warehouse.duckdb")


def table_name(schema: str, table: str) -> str:
    """Full name of a table as DuckDB says it: `database.schema.table`."""
    return f"{path().stem}.{schema}.{table}"


@contextmanager
def connect(patience: float | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database for reading and writing, when it is our turn.

    Another sync, of this Dagster or another, is waited for as long as it takes; any other process
    that holds the file for `FOREIGN_WAIT` seconds.

    Raises:
        WarehouseError: when the file cannot be opened.
        BusyError: when another sync has it for longer than `patience` seconds, if there is a limit.
    """
    path().parent.mkdir(parents=True, exist_ok=True)
    with _turn(patience), _opened() as connection:
        make_room(connection)
        connection.execute("set timezone = 'UTC'")  # times as text are the same everywhere
        yield connection


def make_room(database: duckdb.DuckDBPyConnection, columns: int = 0) -> None:
    """Let DuckDB use the memory that its widest table, or one of so many columns, needs."""
    widest = database.sql("select max(column_count) from duckdb_tables()").fetchone()
    most = max(columns, (widest[0] if widest else 0) or 0)
    database.execute(f"set memory_limit = '{max(MEMORY, MEMORY_OF_COLUMN * most)}MB'")


@contextmanager
def _turn(patience: float | None) -> Iterator[None]:
    with _held(Path(f"{path()}.lock"), f"Waiting for another sync that writes {path()}", patience):
        yield


@contextmanager
def _held(lock_file: Path, waiting: str, patience: float | None = None) -> Iterator[None]:
    """Hold a lock, which ends with the process; wait for it as long as it takes, or patience."""
    lock = _acquired(lock_file, waiting, patience)
    try:
        yield
    finally:
        lock.release()


def _acquired(lock_file: Path, waiting: str, patience: float | None = None) -> FileLock:
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
    return lock


def _opened() -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + FOREIGN_WAIT
    while True:
        try:
            return duckdb.connect(path(), config=CONFIG)
        except duckdb.Error as error:
            problem = describe(error) or str(error)
            held = HELD in str(error)
        if not held or time.monotonic() > deadline:
            # Outside the except block: the sentence says it all.
            raise WarehouseError(problem)
        time.sleep(0.2)


def describe(error: duckdb.Error | OSError) -> str | None:
    """Say in one sentence why the database cannot be used, and what to do; None: it is not that."""
    if isinstance(error, OSError):
        reason = ": ".join(filter(None, (error.filename, error.strerror)))
    else:
        reason = KIND.sub("", str(error).partition("\n")[0].partition(" See also")[0]).strip()
    advice = next((do for said, do in ADVICE.items() if re.search(said, str(error))), None)
    if advice is None and not isinstance(error, duckdb.IOException):
        return None
    advice = advice or "see docs/operations.md"
    return f"The database {path()} cannot be used: {reason.rstrip('.!')}; {advice}."


@contextmanager
def pipeline(name: str, schema: str) -> Iterator[Pipeline]:
    """Give the dlt pipeline that fills tables of a schema, when it is this sync's turn.

    Its working folder lies beside the database and belongs to the one sync that holds its lock.
    The database is not opened: `destination` gives it to the steps that need it.

    Raises:
        WarehouseError: when the database's name cannot work.
    """
    if "'" in str(path()):
        raise WarehouseError(
            f"The path of the database, {path()}, has an apostrophe in it, which dlt cannot load "
            "from: name another one in EVENTS_DUCKDB."
        )
    if path().stem == schema:
        raise WarehouseError(
            f"The database {path()} is named like the schema {schema} in it, which DuckDB finds "
            f"ambiguous; give the file another name in EVENTS_DUCKDB."
        )
    waiting = f"Waiting for another sync of {name}"
    with _held(_folder() / f"{schema}.{name}{NEXT}", waiting):
        lock = _acquired(_folder() / f"{name}.lock", waiting)
    try:
        yield dlt.pipeline(pipeline_name=name, pipelines_dir=str(_folder()), dataset_name=schema)
    finally:
        lock.release()


def is_waited_for(schema: str) -> bool:
    """Does a sync that fills tables of a schema wait for another one, on this machine?"""
    return any(_is_held(file) for file in _folder().glob(f"{schema}.*{NEXT}"))


def _is_held(lock_file: Path) -> bool:
    try:
        with FileLock(lock_file, blocking=False):
            return False
    except Timeout:
        return True


def _folder() -> Path:
    """Where syncs work, and take turns."""
    return path().parent / "dlt" / path().stem


def destination(
    connection: duckdb.DuckDBPyConnection, first: Sequence[str] = ()
) -> Destination[Any, Any]:
    """Give the database to dlt, open.

    Args:
        connection: the database.
        first: statements that changing the table begins with, in one transaction.
    """
    return destination_of(first)(
        connection,
        destination_name=path().stem,
        supports_transactions=True,  # else a merge deletes and inserts in two (dlt 1.31)
        replace_strategy="insert-from-staging",  # else a table is empty while it is filled
    )


def reserved_words() -> set[str]:
    """Give the words that cannot name a schema."""
    with duckdb.connect() as nowhere:
        words = nowhere.sql("from duckdb_keywords()").filter("keyword_category != 'unreserved'")
        return {str(word) for word, _ in words.fetchall()} | {"temp", "main", "system"}
