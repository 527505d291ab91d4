"""The DuckDB file: where it is, and whether it can be written."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from event_assets.config.project import project_path, writing_problem
from event_assets.values.errors import ConfigError

DUCKDB_MAGIC = b"DUCK"  # its files have this behind a checksum


def database_file() -> Path:
    """Return the absolute path of the DuckDB file: EVENTS_DUCKDB, by default in the project."""
    return project_path(os.environ.get("EVENTS_DUCKDB") or "data/warehouse.duckdb")


def is_lake() -> bool:
    """Return whether the tables are in a lake, not in a file."""
    return os.environ.get("EVENTS_DESTINATION", "") not in ("", "duckdb")


def database_name() -> str:
    """Return the name of the database, as DuckDB has it before the schema of a table."""
    return "lake" if is_lake() else next(filter(None, database_file().name.split(".")))


def syncs_folder() -> Path:
    """Return the folder of the journals, locks and failures of syncs into the database."""
    file = database_file()
    return file.parent / "dlt" / ("lake" if is_lake() else file.stem)


def failure_file(pipeline: str, *, is_full: bool = False) -> Path:
    """Return the file with the account, the reason and the table of a sync that failed.

    A full sync that was asked for has its own: what a sync of changes reads does not replace it.
    """
    return syncs_folder() / f"{pipeline}{'.full' * is_full}.failed"


def require_writable_database() -> None:
    """Raise a ConfigError if a DuckDB file cannot be made or written where it is to be."""
    file = database_file()
    problem = writing_problem(file.parent)
    if not problem and file.exists() and not os.access(file, os.W_OK):
        problem = f"{file}: Permission denied"
    if not problem and file.exists() and not file.is_file():
        problem = f"{file}: Not a file"
    target = Path(os.path.realpath(file))  # of a loop, a link in it
    if not problem and file.is_symlink() and (target.is_symlink() or not target.parent.is_dir()):
        problem = f"{file}: A symbolic link that leads nowhere"
    if problem:
        raise ConfigError(
            f"The database {file} cannot be written ({problem}): let the user who "
            "syncs write there, or name another file in EVENTS_DUCKDB."
        )
    require_duckdb_file()


def require_duckdb_file() -> None:
    """Raise a ConfigError for a file that is no database of DuckDB.

    DuckDB would read other data files into memory, and download an extension for SQLite's.
    """
    file = database_file()
    if not file.is_file():
        return
    with suppress(OSError), file.open("rb") as content:
        start = content.read(12)
        if start[8:] != DUCKDB_MAGIC:
            what = "is no database of DuckDB:" if start else "is empty: delete it,"
            raise ConfigError(
                f"The file {file} {what} restore a backup, as docs/operations.md describes, or "
                "name another file in EVENTS_DUCKDB."
            )
