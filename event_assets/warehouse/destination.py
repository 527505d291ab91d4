"""What every destination has in common: one DuckDB connection that sees its tables."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb

if TYPE_CHECKING:
    from dlt.common.destination import Destination as DltDestination

PROJECT_ROOT = Path(__file__).resolve().parents[2]
DUCKDB = "EVENTS_DUCKDB"
# One thread writes as fast as two here (measured), in half the memory; the limit makes DuckDB use
# the disk for large merges, so that memory does not grow with rows.
MEMORY = 128  # MB, unless a table is very wide
MEMORY_OF_COLUMN = 1  # MB: a merge holds a block or two of each column
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "preserve_insertion_order": False,
}
KIND = re.compile(r"^(\w+( \w+)* Error: )+")  # of DuckDB's errors


def database_file() -> Path:
    """Absolute path of the DuckDB file: `EVENTS_DUCKDB`, by default under the project."""
    return PROJECT_ROOT / os.environ.get(DUCKDB, "data/warehouse.duckdb")


def reason_of(error: BaseException) -> str:
    """Give the first line of what DuckDB or the system says, without its decoration."""
    if isinstance(error, OSError) and not isinstance(error, duckdb.Error):
        return ": ".join(filter(None, (error.filename, error.strerror)))
    first = str(error).strip().partition("\n")[0].partition(" See also")[0]
    return KIND.sub("", first).strip().rstrip(".!")


def advice_for(error: BaseException, advice: dict[str, str]) -> str | None:
    """Say what to do, by what is said."""
    return next((do for said, do in advice.items() if re.search(said, str(error))), None)


class Destination(ABC):
    """Where the tables are.

    Attributes:
        kind: its name in EVENTS_DESTINATION.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def display_name(self) -> str:
        """Name it for people, without a secret."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name the database, as it stands before the schema of a table."""

    @property
    def single_writer(self) -> bool:
        """Can only one process have it open?"""
        return False

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """Give the errors of its drivers, beside DuckDB's."""
        return ()

    @property
    @abstractmethod
    def new_database_hint(self) -> str:
        """Say how to begin with another, empty one."""

    @property
    def files(self) -> list[Path]:
        """Give the files on this machine that hold the tables, where it is only some."""
        return []

    def query(self, sql: str) -> str:
        """Give a line of Python that shows what a query finds."""
        return (
            "from event_assets import warehouse as w; "
            f"w.run(lambda database: database.sql('{sql}').show())"
        )

    @property
    def lock_file(self) -> Path:
        """Give the file by which writers of this host take turns, where they do."""
        return Path(f"{database_file()}.lock")

    @property
    def folder(self) -> Path:
        """Give the folder on this machine where dlt works."""
        return database_file().parent / "dlt" / self.name

    @abstractmethod
    def check(self, schema: str) -> None:
        """See whether dlt and DuckDB can live with its name, and a schema of that name in it.

        Raises:
            WarehouseError: when they cannot.
        """

    def verify(self) -> None:  # noqa: B027 (a file has nothing to verify)
        """See whether the settings can work, without a connection and without a key.

        Raises:
            WarehouseError: when they cannot.
        """

    @abstractmethod
    def open(self, folder: Path) -> duckdb.DuckDBPyConnection:
        """Open a connection whose default catalog is this place.

        Args:
            folder: for temporary files; it outlives the connection.

        Raises:
            duckdb.Error, OSError: when it cannot be opened.
            WarehouseError: when something is missing.
        """

    @abstractmethod
    def destination(
        self, connection: duckdb.DuckDBPyConnection, first: Sequence[str] = ()
    ) -> DltDestination[Any, Any]:
        """Build dlt's destination of it.

        Args:
            connection: is open.
            first: changes of the table, as `alter table` takes them, together with its rows.
        """

    @abstractmethod
    def describe(self, error: BaseException) -> str | None:
        """Say in one sentence why it cannot be used, and what to do; None: it is not that."""

    def is_conflict(self, error: BaseException) -> bool:  # noqa: ARG002
        """Did another writer come in between, so that trying again helps?"""
        return False

    def pipeline_lock(self, name: str, waiting: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Hold what keeps other hosts from the sync of a name; wait for it as long as it takes."""
        return nullcontext()

    def turn(self) -> AbstractContextManager[None]:
        """Queue up behind those that came in between before."""
        return nullcontext()

    def tidying(self) -> Sequence[str]:
        """Give the statements that do away with what is not needed any more, if that takes any."""
        return ()
