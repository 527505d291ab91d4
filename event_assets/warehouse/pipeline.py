"""dlt pipelines, each used by one sync at a time."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import dlt
from dlt.common.pipeline import get_dlt_pipelines_dir
from dlt.common.runtime.collector import NullCollector
from dlt.common.schema.utils import new_column, new_table, pipeline_state_table
from dlt.destinations import duckdb

from event_assets.config.database_file import database_name, failure_file, syncs_folder
from event_assets.values.errors import BusyError, exception_chain
from event_assets.values.redaction import KNOWN
from event_assets.warehouse.file_lock import hold_file_lock
from event_assets.warehouse.registry import get_destination

if TYPE_CHECKING:
    import pyarrow as pa
    from dlt.common.data_types import TDataType

# DuckDB reads all columns of a row group at once, and keeps what describes each in memory.
ROW_GROUP_BYTES, MIN_ROWS = 16_000_000, 2_048
# dlt's settings while a pipeline of ours is open: those of the environment take precedence, or not.
DLT_DEFAULTS = {
    # Files that are read once: to compress texts takes longer than to write and read them.
    "DATA_WRITER__COMPRESSION": "none",
    # Its errors, which are raised as well, are logged with traces and data.
    "RUNTIME__LOG_LEVEL": "CRITICAL",
}
DLT_SETTINGS = {
    "DATA_WRITER__ARROW_CONCAT_PROMOTE_OPTIONS": "default",  # a column may become a float
    "DATA_WRITER__BUFFER_MAX_ITEMS": "1",  # a table of Arrow is a row group of Parquet
    "DATA_WRITER__VERSION": "2.4",  # of Parquet: nothing else reads the files
    "DEV_MODE": "false",  # it would fill another schema in each sync
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",  # records which sync saw a row last
    "RESTORE_FROM_DESTINATION": "false",  # `load_package` writes the state itself
}


@contextmanager
def open_pipeline(name: str, schema: str) -> Iterator[dlt.Pipeline]:
    """Open the dlt pipeline that fills tables of a schema; waits for other syncs that use it.

    Its working folder belongs to the one sync that holds its lock. dlt does not open the database.

    Raises:
        WarehouseError: If the name of the database cannot be used.
    """
    destination = get_destination()
    destination.validate_names(schema)
    unconnected: Any = duckdb(destination_name=database_name())
    unconnected.configuration = lambda config, **_: config  # else dlt reads its settings six times
    folder = syncs_folder()
    message = f"Waiting for another sync of {name}"
    with ExitStack() as locks, _dlt_settings():
        locks.enter_context(hold_file_lock(folder / f"{name}.lock", message))
        locks.enter_context(destination.hold_lock(name, message))
        left = working_folder() / name  # by a sync that was killed
        with suppress(FileNotFoundError):
            left.unlink() if left.is_file() else shutil.rmtree(left)
        yield dlt.pipeline(
            pipeline_name=name,
            pipelines_dir=str(working_folder()),
            dataset_name=schema,
            destination=unconnected,
            progress=NullCollector(),  # not that of PROGRESS, which other programs read, too
        )


@contextmanager
def _dlt_settings() -> Iterator[None]:
    """Set what dlt needs here, and what other pipelines of the process must not get."""
    known = dict(os.environ)
    settings = {**DLT_DEFAULTS, **known, **DLT_SETTINGS}
    os.environ.update(settings)
    log = logging.getLogger("dlt")
    level = log.level
    log.setLevel(settings["RUNTIME__LOG_LEVEL"].upper())  # dlt reads it once, perhaps before
    try:
        yield
    finally:
        log.setLevel(level)
        for name in {*DLT_DEFAULTS, *DLT_SETTINGS} - {*known}:
            os.environ.pop(name, None)
        os.environ.update({name: known[name] for name in DLT_SETTINGS if name in known})


def split_into_row_groups(table: pa.Table) -> Iterator[pa.Table]:
    """Yield the rows of a table in tables that dlt writes as row groups of up to 16 MB."""
    rows = max(MIN_ROWS, ceil(len(table) / max(1, ceil(table.nbytes / ROW_GROUP_BYTES))))
    for start in range(0, max(1, len(table)), rows):
        yield table.slice(start, rows)


@contextmanager
def pipeline_folders(schema: str) -> Iterator[list[Path]]:
    """Yield the journals and dlt's folders of a schema, while none of its syncs can begin.

    Raises:
        BusyError: one runs.
    """
    names = {*syncs_folder().glob(f"{schema}*"), *working_folder().glob(f"{schema}*")}
    own = [path for path in names if re.match(r"(__.*)?(\.|$)", path.name.removeprefix(schema))]
    with ExitStack() as locks:
        for file in {path for path in own if path.suffix == ".lock"}:
            message = f"A sync of {schema} is running: try again when it has ended"
            locks.enter_context(hold_file_lock(file, message, timeout=0))
        yield [path for path in own if path.suffix != ".lock"]


def build_schema(name: str, table: str, column_types: Mapping[str, str]) -> dlt.Schema:
    """Build dlt's schema of a table from the types of its columns, by dlt's names."""
    schema = dlt.Schema(name)
    columns = [new_column(column, cast("TDataType", kind)) for column, kind in column_types.items()]
    described = new_table(table, columns=columns)
    described["x-normalizer"] = {"seen-data": True}  # as dlt notes it of tables that it has loaded
    schema.update_table(described)
    schema.update_table(pipeline_state_table(add_dlt_id=True))
    return schema


def working_folder() -> Path:
    """Return the folder of dlt's working folders: beside the database, if dlt can write there."""
    folder = syncs_folder()
    if "%" not in str(folder):  # dlt takes its own paths for formats
        return folder
    return Path(get_dlt_pipelines_dir()) / hashlib.sha256(bytes(folder)).hexdigest()[:16]


def journal_file(pipeline: str) -> Path:
    """Return the file for the responses of a pipeline's sync that has not ended."""
    return syncs_folder() / f"{pipeline}.journal"


@contextmanager
def note_failure(
    pipeline: str,
    table: str,
    account: str | None,
    describe: Callable[[Exception], str | None],
    *,
    is_full: bool = False,
) -> Iterator[None]:
    """Write a file with the account, the reason and the table of a sync that fails.

    It is older than the next sync of the table. That of a full sync goes with the next one. An
    interrupt is no failure.

    `describe` returns the reason of a failure in one sentence, or None for a defect.
    """
    file = failure_file(pipeline, is_full=is_full)
    try:
        yield
        if is_full:
            with suppress(OSError):
                file.unlink(missing_ok=True)
    except BusyError:
        raise  # no sync was tried
    except Exception as error:
        if not all(isinstance(cause, Exception) for cause in exception_chain(error)):
            raise  # of an interrupt in a query DuckDB makes an error
        reason = describe(error) or KNOWN.redact_text(f"{type(error).__name__}: {error}")
        write_failure(file, table, account, reason)
        raise


def write_failure(file: Path, table: str, account: str | None, reason: str) -> None:
    """Write why a sync failed, or a check of what it has read."""
    reason = reason.strip().partition("\n")[0]
    with suppress(OSError):  # the disk may be what failed
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{account or ''}\n{reason}\n{table}", "utf-8", "replace")
