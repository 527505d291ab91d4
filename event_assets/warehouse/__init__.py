"""Where the tables are: how to open it, who may write it when, and the dlt pipeline that does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

import duckdb

from event_assets.values.errors import BusyError, WarehouseError
from event_assets.warehouse.destination import MEMORY, MEMORY_OF_COLUMN, PROJECT_ROOT
from event_assets.warehouse.destination import database_file as path
from event_assets.warehouse.duckdb_file import HELD
from event_assets.warehouse.file_lock import hold_file_lock, is_locked
from event_assets.warehouse.registry import get_destination, retry_on_conflict

if TYPE_CHECKING:
    from dlt import Pipeline

__all__ = [
    "PROJECT_ROOT",
    "BusyError",
    "WarehouseError",
    "connect",
    "describe",
    "get_destination",
    "has_waiting_sync",
    "is_running",
    "load",
    "open_pipeline",
    "path",
    "prepare",
    "reserved_words",
    "retry_on_conflict",
    "run",
    "run_maintenance",
    "set_memory_limit",
    "table_name",
    "verify",
]
T = TypeVar("T")
Database = duckdb.DuckDBPyConnection
FOREIGN_WAIT = 60.0  # seconds
NEXT = ".next.lock"  # held by the sync that has its turn next, while it waits


def table_name(schema: str, table: str) -> str:
    """Full name of a table, for people: `database.schema.table`."""
    return f"{get_destination().name}.{schema}.{table}"


@contextmanager
def connect(patience: float | None = None) -> Iterator[Database]:
    """Open the database for reading and writing, when it is our turn.

    Where only one can write, another sync, of this Dagster or another, is waited for as long as it
    takes; any other process that holds a file for `FOREIGN_WAIT` seconds.

    Raises:
        WarehouseError: when it cannot be opened.
        BusyError: when another sync has it for longer than `patience` seconds, if there is a limit.
    """
    there = get_destination()
    waiting = f"Waiting for another sync that writes {there.display_name}"
    turn = (
        hold_file_lock(there.lock_file, waiting, patience) if there.single_writer else nullcontext()
    )
    with (
        turn,
        TemporaryDirectory(prefix="events-") as folder,
        closing(_opened(Path(folder))) as connection,
    ):
        set_memory_limit(connection)
        connection.execute("set timezone = 'UTC'")  # times as text are the same everywhere
        yield connection


def run(action: Callable[[Database], T], patience: float | None = None) -> T:
    """Do something with the database, again from the start when another writer came in between.

    Raises:
        WarehouseError, BusyError: as `connect`.
    """

    def once() -> T:
        with connect(patience) as database:
            return action(database)

    return retry_on_conflict(once)


def set_memory_limit(database: Database, columns: int = 0) -> None:
    """Let DuckDB use the memory that its widest table, or one of so many columns, needs."""
    widest = database.sql(
        "select max(column_count) from duckdb_tables() where database_name = current_database() "
        "and schema_name not in ('information_schema', 'pg_catalog')"
    ).fetchone()
    most = max(columns, (widest[0] if widest else 0) or 0)
    database.execute(f"set memory_limit = '{max(MEMORY, MEMORY_OF_COLUMN * most)}MB'")


def _opened(folder: Path) -> Database:
    deadline = time.monotonic() + FOREIGN_WAIT
    while True:
        try:
            return get_destination().open(folder)
        except (duckdb.Error, OSError) as error:
            problem = describe(error) or str(error)
            # Two that make the catalog of a new lake at once come in between each other.
            busy = HELD in str(error) or get_destination().is_conflict(error)
        if not busy or time.monotonic() > deadline:
            # Outside the except block: the sentence says it all.
            raise WarehouseError(problem)
        time.sleep(0.2)


def verify() -> None:
    """See whether the settings of the destination can work, without a connection or a key.

    Raises:
        WarehouseError: when they cannot.
    """
    get_destination().verify()


def describe(error: BaseException) -> str | None:
    """Say in one sentence why the database cannot be used, and what to do; None: it is not that."""
    return get_destination().describe(error)


@contextmanager
def open_pipeline(name: str, schema: str) -> Iterator[Pipeline]:
    """Give the dlt pipeline that fills tables of a schema, when it is this sync's turn.

    Its working folder belongs to the one sync that holds its lock. The database is not opened:
    `load` gives it to the steps that need it.

    Raises:
        WarehouseError: when the database's name cannot work.
    """
    import dlt

    there = get_destination()
    there.check(schema)
    waiting = f"Waiting for another sync of {name}"
    with ExitStack() as turn:
        with hold_file_lock(there.folder / f"{schema}.{name}{NEXT}", waiting):
            turn.enter_context(hold_file_lock(there.folder / f"{name}.lock", waiting))
            turn.enter_context(there.pipeline_lock(name, waiting))
        yield dlt.pipeline(pipeline_name=name, pipelines_dir=str(there.folder), dataset_name=schema)


def has_waiting_sync(schema: str) -> bool:
    """Does a sync that fills tables of a schema wait for another one, on this machine?"""
    return any(is_locked(file) for file in get_destination().folder.glob(f"{schema}.*{NEXT}"))


def is_running(pipeline: str) -> bool:
    """Does a sync by a dlt pipeline go on, on this machine?"""
    return is_locked(get_destination().folder / f"{pipeline}.lock")


def prepare(pipeline: Pipeline, database: Database) -> None:
    """Have dlt see what is there, and forget what a sync that was killed left behind."""
    pipeline.drop()
    pipeline.sync_destination(destination=get_destination().destination(database))


def load(pipeline: Pipeline, database: Database, first: Sequence[str] = ()) -> None:
    """Have dlt load what it has extracted.

    Args:
        pipeline: has extracted and normalized.
        database: is open.
        first: changes of the table, as `alter table` takes them, in one transaction with its rows.
    """
    pipeline.load(destination=get_destination().destination(database, first), workers=1)


def run_maintenance() -> None:
    """Do away with what is not needed any more, one step at a time."""
    for step in get_destination().tidying():
        run(lambda database: database.execute(step).fetchall())  # noqa: B023 (it runs at once)


def reserved_words() -> set[str]:
    """Give the words that cannot name a schema."""
    with duckdb.connect() as nowhere:
        words = nowhere.sql("from duckdb_keywords()").filter("keyword_category != 'unreserved'")
        return {str(word) for word, _ in words.fetchall()} | {"temp", "main", "system"}
