"""What went wrong, in one sentence. Imported when something did."""

import os
import re
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path

import dagster as dg
import duckdb
from dlt.common.configuration.providers.toml import TomlProviderReadException

from event_assets import warehouse
from event_assets.http import errors as http_errors
from event_assets.values.errors import UserError, exception_chain
from event_assets.warehouse import inspection

ENCODING = sys.getfilesystemencoding()  # also of arguments and of the names of files
STORAGE_ERRORS = (duckdb.OperationalError, duckdb.FatalException, duckdb.InternalException, OSError)
REFERENCED = re.compile("foreign key|entries that depend on it")  # in the message of DuckDB
HOME_FOLDERS = ("history", "storage", "schedules", "logs")  # of Dagster, by dagster.yaml
TABLE_ERRORS = (  # of what a person has made of the tables
    duckdb.DataError,
    duckdb.DependencyException,
    duckdb.IntegrityError,
    duckdb.NotSupportedError,
    duckdb.ProgrammingError,
)


def user_message(error: BaseException) -> str | None:
    """Return what is wrong and what to do; None if a user cannot fix it."""
    for cause in exception_chain(error):
        if isinstance(cause, UserError):
            return str(cause)
        if isinstance(cause, UnicodeEncodeError) and ENCODING != "utf-8":
            return (
                f"The locale of this process has the characters of {ENCODING} only: set "
                "LC_ALL=C.UTF-8, or PYTHONUTF8=1."
            )
        if isinstance(cause, (MemoryError, duckdb.OutOfMemoryException)):
            return (
                "The memory of this process does not suffice: `exclude` what is large in the "
                "records, request fewer of them at a time, or let it have more."
            )
        if isinstance(cause, dg.DagsterInvalidDefinitionError):
            return f"Dagster cannot load the definitions: {str(cause).strip().splitlines()[0]}"
        if isinstance(cause, TomlProviderReadException):
            file = next(filter(Path.exists, map(Path, cause.full_paths)), Path(cause.file_name))
            if not os.access(file, os.R_OK):
                return f"The file {file.absolute()} cannot be read: Permission denied."
            line = (re.findall(r"at line (\d+)", str(cause)) or ["1"])[0]
            return f'{file.absolute()}:{line}: is not TOML: write NAME = "VALUE", in quotes.'
        if isinstance(cause, sqlite3.OperationalError):
            home = os.environ.get("DAGSTER_HOME")
            problem = f"Dagster's history in {home} (DAGSTER_HOME) cannot be written: {cause}"
            return f"{problem}; check who owns its files, and the space on the disk."
        if isinstance(cause, sqlite3.DatabaseError) and "database" in str(cause):
            problem = f"Dagster's history in {os.environ.get('DAGSTER_HOME')} is damaged: {cause}"
            return f"{problem}; move its folders `history` and `storage` away (no event is lost)."
        if told := history_problem(cause):
            return told
        destination = warehouse.get_destination()
        is_storage_error = isinstance(cause, (*STORAGE_ERRORS, *destination.driver_errors))
        if is_storage_error and not http_errors.is_request_error(cause):
            message = destination.describe_error(cause)
            if message is not None:
                return message
        if isinstance(cause, TABLE_ERRORS) and not http_errors.is_request_error(cause):
            reason = destination.error_reason(cause)
            if "does not exist" in reason and isinstance(cause, duckdb.CatalogException):
                missing = str(cause).partition("\n")[0].removeprefix("Catalog Error: ")
                return f"{missing} Materialize event_data first."
            if macros := _hiding_macros():
                return (
                    f"Macros in {destination.display_name} hide functions of DuckDB "
                    f"({', '.join(macros)}): drop them, or give them other names, and sync again."
                )
            if REFERENCED.search(reason):
                return (
                    f"The tables in {destination.display_name} cannot be changed: "
                    f"{reason.partition('. ')[0]}; drop the table whose foreign key refers to "
                    "them, or make it without, and sync again."
                )
            return (
                f"The tables in {destination.display_name} are not as syncs leave them: {reason}; "
                "undo that, or rename or drop the table that it is about, and sync again."
            )
    return http_errors.user_message(error)


def history_problem(error: BaseException) -> str | None:
    """Return what is wrong with one of Dagster's folders; None if it is something else."""
    file = str(error.filename) if isinstance(error, OSError) else ""
    home = os.environ.get("DAGSTER_HOME", "")
    if not any(file.startswith(str(Path(home, name))) for name in HOME_FOLDERS):
        return None
    return (
        f"Dagster cannot use {file} (in DAGSTER_HOME): {getattr(error, 'strerror', error)}; move "
        "what is in the way, or let the user who runs it write there."
    )


def _hiding_macros() -> list[str]:
    with suppress(duckdb.Error, UserError):  # the error that is explained is told all the same
        return warehouse.run(inspection.hiding_macros, timeout=0)
    return []
