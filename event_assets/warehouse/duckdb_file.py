"""The DuckDB file: one process writes, or many read."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb

from event_assets.config.database_file import database_name, require_duckdb_file
from event_assets.values.errors import WarehouseError
from event_assets.warehouse.destination import DUCKDB_CONFIG, Destination, database_file
from event_assets.warehouse.sql import Database, quote_identifier, quote_literal

LOCKED_FILE = "lock on file"  # words of DuckDB's message
USE_OTHER_FILE = "name another file in EVENTS_DUCKDB"
ADVICE = {
    LOCKED_FILE: "close what holds it",
    "No space left|[Qq]uota exceeded|File too large|No usable temporary": "make room on its disk "
    "and in the folder for temporary files (TMPDIR, else /tmp)",
    "Permission denied|not permitted|[Rr]ead-only": "let the user who syncs read and write there",
    "newer version": f"update DuckDB to the version that wrote it, or {USE_OTHER_FILE}",
    "older version": f"export it with the version that wrote it, or {USE_OTHER_FILE}",
    "encrypted database": f"copy it into a database without a key, or {USE_OTHER_FILE}",
    "no default database": "sync, which opens it",
    "replaying WAL": "move that file away: the next sync loads the events in it again",
    "valid DuckDB|[Cc]orrupt|enough bytes|Input/output error": "restore a backup, as "
    f"docs/operations.md describes, or {USE_OTHER_FILE}",
    "Cannot open file.*No such file": f"make the folder that it is to be in, or {USE_OTHER_FILE}",
    r"Errno 2\].*/dlt/": "leave its folder alone while it runs, and sync again",
    "Not a directory|Is a directory|File exists|symbolic links": "move what is in the way, or "
    f"{USE_OTHER_FILE}",
    "different configuration": "close the connection of this process that has it open",
    "name too long": USE_OTHER_FILE,
}


class DuckDbFile(Destination):
    """A DuckDB file."""

    kind = "duckdb"
    noun = "database"
    advice = ADVICE
    page = "docs/operations.md"
    new_database_hint = USE_OTHER_FILE

    @property
    def display_name(self) -> str:
        """Its path."""
        return str(database_file())

    def validate_names(self, schema: str) -> None:
        """Refuse a question mark in a folder's name, a name of the schema, and another database."""
        if "?" in str(database_file().parent):
            raise WarehouseError(
                f"The path of the database, {database_file()}, has a question mark in the name of "
                f"a folder, which DuckDB takes for the end of the path: {USE_OTHER_FILE}."
            )
        file = database_file()
        if file.exists() and not (file.is_file() or file.is_dir()):
            raise WarehouseError(f"{file} is no file, but a device: {USE_OTHER_FILE}.")
        require_duckdb_file()
        if database_name().lower() in (schema, "information_schema"):
            raise WarehouseError(
                f"The database {self.display_name} has the same name as a schema in it, "
                f"which DuckDB finds ambiguous; give the database another name."
            )

    def open(self, folder: Path) -> Database:  # noqa: ARG002 (beside the file)
        """Open the file."""
        file = database_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            return duckdb.connect(file, config=DUCKDB_CONFIG)
        except duckdb.InternalException:  # it reads a default such as now() in a log only so:
            with duckdb.connect() as memory:
                memory.execute(f"attach {quote_literal(str(file))} as opened")
        return duckdb.connect(file, config=DUCKDB_CONFIG)

    def purge(self, database: Database, schema: str, tables: Sequence[str]) -> None:  # noqa: ARG002 (all)
        """Write the file again."""
        compact(database)


def copy_to(database: Database, file: Path) -> None:
    """Copy a database into a new file, without unused space.

    Raises:
        duckdb.Error: it cannot be copied.
    """
    file.unlink(missing_ok=True)
    ((name,),) = database.sql("select current_database()").fetchall()
    copy = quote_identifier(f"{name}.copy")
    try:
        database.execute(f"attach {quote_literal(str(file))} as {copy}")
        database.execute(f"copy from database {quote_identifier(name)} to {copy}")
        database.execute(f"detach {copy}")
    except BaseException:  # also an interrupt
        file.unlink(missing_ok=True)
        raise


def compact(database: Database, file: Path | None = None) -> None:
    """Write its file again, since DuckDB leaves in it what is deleted; closes the connection.

    Raises:
        duckdb.Error: it cannot be copied.
    """
    file = (file or database_file()).resolve()  # not the link to it
    new = Path(f"{file}.new")
    copy_to(database, new)
    shutil.copymode(file, new)
    database.close()
    Path(f"{file}.wal").unlink(missing_ok=True)
    new.replace(file)
