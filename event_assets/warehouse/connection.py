"""The DuckDB connection to the configured destination."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TypeVar

import duckdb

from event_assets.config.database_file import database_name
from event_assets.values.errors import WarehouseError
from event_assets.warehouse.duckdb_file import LOCKED_FILE
from event_assets.warehouse.file_lock import hold_file_lock
from event_assets.warehouse.registry import get_destination
from event_assets.warehouse.sql import Database

LOG = logging.getLogger("dagster")
T = TypeVar("T")
FOREIGN_LOCK_TIMEOUT = 60.0  # seconds
MIN_MEMORY = 128  # MB; a larger merge spills to disk, so that memory does not grow with rows


def full_table_name(schema: str, table: str) -> str:
    """Return a table's name for people: `database.schema.table`."""
    return f"{database_name()}.{schema}.{table}"


@contextmanager
def connect(timeout: float | None = None) -> Iterator[Database]:
    """Open the database for reading and writing.

    Where only one process can write, waits for other syncs, for `timeout` seconds or without limit,
    and up to `FOREIGN_LOCK_TIMEOUT` for any other process that holds the file.

    Raises:
        WarehouseError: If the database cannot be opened.
        BusyError: If another sync holds the database for longer than `timeout`.
    """
    destination = get_destination()
    message = f"Waiting for another process that writes {destination.display_name}"
    file = destination.lock_file
    lock = hold_file_lock(file, message, timeout) if file else nullcontext()
    with lock, destination.spill_folder() as folder, closing(_open(folder)) as connection:
        set_memory_limit(connection)
        connection.execute("set timezone = 'UTC'")  # times as text are the same everywhere
        yield connection


def run(action: Callable[[Database], T], timeout: float | None = None) -> T:
    """Run an action on a new connection, retrying on write conflicts.

    Raises:
        WarehouseError, BusyError: As `connect`.
    """

    def run_once() -> T:
        with connect(timeout) as database:
            return run_with_enough_memory(database, partial(action, database))

    return get_destination().retry_on_conflict(run_once)


def set_memory_limit(database: Database, columns: int = 0) -> None:
    """Set DuckDB's memory limit for its widest table, or one of so many columns."""
    widths = database.execute(
        "select column_count from duckdb_tables() where database_name = current_database() "
        "and schema_name not in ('information_schema', 'pg_catalog')"
    ).fetchall()
    # A merge holds some blocks of 256 kB of each column; with 250 columns, 256 MB are too little.
    widest = max(columns, *(width for (width,) in widths), 0)
    limit = max(MIN_MEMORY, 64 + 2 * widest)
    database.execute(f"set memory_limit = '{limit}MB'")


def run_with_enough_memory(database: Database, action: Callable[[], T]) -> T:
    """Run an atomic action; once more with DuckDB's own memory limit if ours does not suffice.

    DuckDB holds all long texts of a row group at once.
    """
    try:
        return action()
    except duckdb.Error as error:
        if not re.search("Out of Memory|failed to pin block", str(error)):
            raise
    database.execute("reset memory_limit")  # which DuckDB notes, and keeps to the old limit
    ((limit,),) = database.sql("select current_setting('memory_limit')").fetchall()
    database.execute(f"set memory_limit = '{limit}'")
    return action()


def run_maintenance() -> None:
    """Delete what the destination no longer needs, one statement at a time."""
    for statement in get_destination().maintenance_statements():
        run(lambda database: database.execute(statement).fetchall())  # noqa: B023 (runs at once)


def _open(folder: Path) -> Database:
    destination = get_destination()
    began, is_told = time.monotonic(), False
    while True:
        try:
            return destination.open(folder)
        except (duckdb.Error, OSError) as error:
            message = destination.describe_error(error) or str(error)
            # Two processes that create the catalog of a new lake at once conflict as well.
            is_busy = LOCKED_FILE in str(error) or destination.is_conflict(error)
        if not is_busy or time.monotonic() - began > FOREIGN_LOCK_TIMEOUT:
            raise WarehouseError(message)  # outside the except block: the message says it all
        if not is_told:
            LOG.warning("%s It is waited for, up to %g s ...", message, FOREIGN_LOCK_TIMEOUT)
            is_told = True
        time.sleep(0.2)
