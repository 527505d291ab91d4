"""What went wrong, in one sentence. Imported when something did."""

import errno
import os
import re
import sqlite3
import sys
import traceback
from pathlib import Path

import dagster as dg
import duckdb
from dlt.common.configuration import resolve
from dlt.common.configuration.exceptions import ConfigValueCannotBeCoercedException
from dlt.common.configuration.providers.toml import TomlProviderReadException

from event_assets import warehouse
from event_assets.config.source_files import EVENT_DATA
from event_assets.http import errors as http_errors
from event_assets.values.errors import UserError, exception_chain

ENCODING = sys.getfilesystemencoding()  # also of arguments and of the names of files
STORAGE_ERRORS = (duckdb.OperationalError, duckdb.FatalException, duckdb.InternalException, OSError)
MISSING = re.compile(r'Table with name "?(?:\w+\.)?(\w+?)(?:_syncs|_rejects)?"? does not exist')
NO_THREADS = ("can't start new thread", "[Errno 11] Resource temporarily unavailable")
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP)  # of folders of some networks
# How the messages of Python's logging begin, and what dlt calls the setting.
LOG_SETTINGS = {"unknown level": "log_level", "invalid format": "log_format"}
HOME_FOLDERS = ("history", "storage", "schedules", "logs")  # folders of Dagster's files
TABLE_ERRORS = (  # raised where a person has changed the tables
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
        for describe in DESCRIBERS:
            if message := describe(cause):
                return message
    return http_errors.user_message(error)


def _describe_process(error: BaseException) -> str | None:
    if isinstance(error, UnicodeEncodeError) and ENCODING != "utf-8":
        return (
            f"The locale of this process has the characters of {ENCODING} only: set "
            "LC_ALL=C.UTF-8, or PYTHONUTF8=1."
        )
    if isinstance(error, (MemoryError, duckdb.OutOfMemoryException)):
        return (
            "The memory of this process does not suffice: `exclude` what is large in the "
            "records, request fewer of them at a time, or let it have more."
        )
    if str(error) in NO_THREADS:
        return (
            "This process can start no more threads: let its user or container have more of them, "
            "or more memory."
        )
    return None


def _describe_settings(error: BaseException) -> str | None:
    if isinstance(error, dg.DagsterInvalidDefinitionError):
        problem = re.split(r"\n(?!\t)", str(error).strip())[0]  # with the names that it suggests
        return f"Dagster cannot load the definitions: {' '.join(problem.split())}"
    if isinstance(error, ConfigValueCannotBeCoercedException):
        return f"A setting of dlt, `{error.field_name}`, is not of its type: correct it."
    for wrong, name in LOG_SETTINGS.items() if isinstance(error, ValueError) else ():
        if str(error).lower().startswith(wrong):
            return f"{error}: correct RUNTIME__{name.upper()}, or `{name}` in .dlt/config.toml."
    frames = traceback.extract_tb(error.__traceback__ if isinstance(error, TypeError) else None)
    if [frame.filename for frame in frames][-1:] == [resolve.__file__]:
        return "A setting of dlt is a value, but must be a table: correct it in .dlt/config.toml."
    if not isinstance(error, TomlProviderReadException):
        return None
    file = next(filter(Path.exists, map(Path, error.full_paths)), Path(error.file_name))
    if not os.access(file, os.R_OK):
        return f"The file {file.absolute()} cannot be read: Permission denied."
    if not _is_utf_8(file):
        problem = "is not in UTF-8, or begins with a byte order mark: save it in UTF-8 without one."
        return f"The file {file.absolute()} {problem}"
    line = (re.findall(r"at line (\d+)", str(error)) or ["1"])[0]
    return f'{file.absolute()}:{line}: is not TOML: write NAME = "VALUE", in quotes.'


def _is_utf_8(file: Path) -> bool:
    try:
        return not file.read_text(encoding="utf-8").startswith("\ufeff")
    except UnicodeDecodeError:
        return False


def _describe_history(error: BaseException) -> str | None:
    home = os.environ.get("DAGSTER_HOME")
    if isinstance(error, sqlite3.OperationalError):
        problem = f"Dagster's history in {home} (DAGSTER_HOME) cannot be written: {error}"
        return f"{problem}; check who owns its files, and the space on the disk."
    if isinstance(error, sqlite3.DatabaseError) and "database" in str(error):
        problem = f"Dagster's history in {home} is damaged: {error}"
        folders = "`history`, `schedules` and `storage`"
        return f"{problem}; move its folders {folders} away (no event is lost)."
    return history_problem(error)


def _describe_storage(error: BaseException) -> str | None:
    destination = warehouse.get_destination()
    is_of_storage = isinstance(error, (*STORAGE_ERRORS, *destination.driver_errors))
    if is_of_storage and not http_errors.is_request_error(error):
        return destination.describe_error(error)
    return None


def _describe_tables(error: BaseException) -> str | None:
    if not isinstance(error, TABLE_ERRORS):
        return None
    destination = warehouse.get_destination()
    reason = destination.error_reason(error)
    if "does not exist" in reason and isinstance(error, duckdb.CatalogException):
        missing = str(error).partition("\n")[0].removeprefix("Catalog Error: ")
        asset = (MISSING.findall(missing) or [EVENT_DATA])[0]
        return f"{missing} Materialize {asset} and what it depends on first."
    return (
        f"The tables in {destination.display_name} are not as syncs leave them: {reason}; undo "
        "that, or rename or drop the table or macro that it is about, and sync again."
    )


DESCRIBERS = (
    _describe_process,
    _describe_settings,
    _describe_history,
    _describe_storage,
    _describe_tables,
)


def history_problem(error: BaseException) -> str | None:
    """Return what is wrong with one of Dagster's folders; None if it is something else."""
    if isinstance(error, OSError) and error.errno in NO_LOCKS and not error.filename:
        return (
            f"A file beside {warehouse.database_file()}, or in DAGSTER_HOME, cannot be locked: "
            f"{error.strerror}; keep both on a disk of this machine."
        )
    file = str(error.filename) if isinstance(error, OSError) else ""
    home = os.environ.get("DAGSTER_HOME", "")
    if not any(file.startswith(str(Path(home, name))) for name in HOME_FOLDERS):
        return None
    return (
        f"Dagster cannot use {file} (in DAGSTER_HOME): {getattr(error, 'strerror', error)}; move "
        "what is in the way, or let the user who runs it write there."
    )
