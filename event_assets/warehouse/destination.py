"""The interface of a destination: a DuckDB connection that sees its tables."""

from __future__ import annotations

import logging
import random
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import ClassVar, TypeVar

import duckdb

from event_assets.config.database_file import database_file as database_file
from event_assets.values.errors import WarehouseError
from event_assets.warehouse.sql import Database

LOG = logging.getLogger("dagster")
T = TypeVar("T")
DUCKDB_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,  # writes as fast as two here (measured), in half the memory
    "preserve_insertion_order": False,
    "checkpoint_threshold": "4MB",  # more would be written twice: into the log and into the file
    "storage_compatibility_version": "v1.3.0",  # of new files: smaller, and written sooner
}
MAX_ATTEMPTS = 15  # for an action that conflicts with other writers


class Destination(ABC):
    """A place for tables. The defaults are those of a DuckDB file."""

    kind: ClassVar[str]  # its name in EVENTS_DESTINATION
    noun: ClassVar[str]  # what to call it in messages
    advice: ClassVar[Mapping[str, str]]  # what to do about an error, by a pattern of its message
    page: ClassVar[str]  # its page in the documentation
    new_database_hint: ClassVar[str]  # how to start with a new, empty database

    @property
    @abstractmethod
    def display_name(self) -> str:
        """Its name for people, without a secret."""

    @property
    def files(self) -> list[Path]:
        """The files on this machine that hold the tables, if they are few."""
        return [database_file()]

    @property
    def lock_file(self) -> Path | None:
        """The lock file of writers on this machine, if only one process can have it open."""
        return Path(f"{database_file()}.lock")

    @property
    def driver_errors(self) -> tuple[type[Exception], ...]:
        """The errors of its drivers other than DuckDB."""
        return ()

    @abstractmethod
    def validate_names(self, schema: str) -> None:
        """Raise a WarehouseError if dlt or DuckDB cannot use its name, or the schema's in it."""

    def validate_settings(self) -> None:  # noqa: B027 (a file has none)
        """Raise a WarehouseError if the settings cannot work; needs no connection and no key."""

    def spill_folder(self) -> AbstractContextManager[Path]:
        """Hold the folder for what does not fit into memory, while a connection is open."""
        return nullcontext(database_file().parent)

    @abstractmethod
    def open(self, folder: Path) -> Database:
        """Open a connection whose default catalog is this destination, given its spill folder.

        Raises:
            duckdb.Error, OSError: If it cannot be opened.
            WarehouseError: If something is missing.
        """

    def error_reason(self, error: BaseException) -> str:
        """Return the first line of a message of DuckDB or the system, without decoration."""
        if isinstance(error, OSError) and not isinstance(error, duckdb.Error):
            return ": ".join(filter(None, (error.filename, error.strerror)))
        first = re.split(r"\n| See also| However, you would", str(error).strip())[0]
        return re.sub(r"^(\w+( \w+)* Error: )+", "", first).strip().rstrip(".!")

    def describe_error(self, error: BaseException) -> str | None:
        """Return in one sentence why it cannot be used, or None if the error has another cause."""
        if not isinstance(error, (duckdb.Error, OSError, *self.driver_errors)):
            return None
        matches = (text for pattern, text in self.advice.items() if re.search(pattern, str(error)))
        advice = next(matches, f"see {self.page}" if isinstance(error, duckdb.IOException) else "")
        if not advice:
            return None
        reason = self.error_reason(error)
        database = database_file()
        file = str(getattr(error, "filename", None) or database)
        own = (str(database), str(database.with_name("dlt")))
        if not (file.startswith(own) or Path(file) in database.parents):
            return f"{reason}; {advice}."
        return f"The {self.noun} {self.display_name} cannot be used: {reason}; {advice}."

    def is_conflict(self, error: BaseException) -> bool:  # noqa: ARG002 (a file has none)
        """Return whether an error is a write conflict, so that a retry can succeed."""
        return False

    def hold_lock(self, name: str, message: str) -> AbstractContextManager[None]:  # noqa: ARG002 (a file has none)
        """Hold a lock that other hosts see; log the message if it has to wait."""
        return nullcontext()

    def retry_on_conflict(self, action: Callable[[], T]) -> T:
        """Run an atomic action, retrying on write conflicts.

        Raises:
            WarehouseError: If every attempt conflicts.
        """
        for attempt in range(MAX_ATTEMPTS):
            try:
                with self.hold_lock("", "") if attempt else nullcontext():  # retries queue up
                    return action()
            except Exception as error:
                if not self.is_conflict(error):
                    raise
            longest = min(5.0, 0.1 * 1.5**attempt)  # seconds
            wait = random.uniform(longest / 2, longest)  # noqa: S311 (spreads the retries)
            LOG.info("Write conflict; retrying in %.1f s", wait)
            time.sleep(wait)
        raise WarehouseError(
            f"Other syncs wrote the same tables during each of {MAX_ATTEMPTS} attempts: let fewer "
            "syncs run at once, and sync again."
        )

    @abstractmethod
    def purge(self, database: Database, schema: str, tables: Sequence[str]) -> None:
        """Delete from the files what tables of a schema no longer hold; closes the connection.

        Raises:
            duckdb.Error: It cannot be deleted.
            WarehouseError: Other programs use it.
        """

    def maintenance_statements(self) -> Sequence[str]:
        """Return the statements that delete what is no longer needed."""
        return ()
