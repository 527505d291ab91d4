"""dlt pipelines, each used by one sync at a time."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dlt
from dlt.common.pipeline import get_dlt_pipelines_dir
from dlt.pipeline.exceptions import PipelineStepFailed

from event_assets.values.errors import exception_chain
from event_assets.warehouse.destination import database_file
from event_assets.warehouse.file_lock import hold_file_lock
from event_assets.warehouse.reconcile import DLT_TABLES
from event_assets.warehouse.registry import get_destination
from event_assets.warehouse.sql import Database, quote_name

LOG = logging.getLogger("dagster")


@contextmanager
def open_pipeline(name: str, schema: str) -> Iterator[dlt.Pipeline]:
    """Open the dlt pipeline that fills tables of a schema; waits for other syncs that use it.

    Its working folder belongs to the one sync that holds its lock. The database is not opened:
    `load_package` is given it.

    Raises:
        WarehouseError: If the name of the database cannot be used.
    """
    destination = get_destination()
    destination.validate_names(schema)
    folder = _pipelines_folder()
    message = f"Waiting for another sync of {name}"
    with ExitStack() as locks:
        locks.enter_context(hold_file_lock(folder / f"{name}.lock", message))
        locks.enter_context(destination.hold_lock(name, message))
        yield dlt.pipeline(
            pipeline_name=name, pipelines_dir=str(working_folder()), dataset_name=schema
        )


@contextmanager
def pipeline_folders(schema: str) -> Iterator[list[Path]]:
    """Yield the journals and dlt's folders of a schema, while none of its syncs can begin.

    Raises:
        BusyError: one runs.
    """
    names = {*_pipelines_folder().glob(f"{schema}*"), *working_folder().glob(f"{schema}*")}
    own = [path for path in names if re.match(r"(__.*)?(\.|$)", path.name.removeprefix(schema))]
    with ExitStack() as locks:
        for file in {path for path in own if path.suffix == ".lock"}:
            message = f"A sync of {schema} runs, and this waits for it"
            locks.enter_context(hold_file_lock(file, message, timeout=0))
        yield [path for path in own if path.suffix != ".lock"]


def restore_state(pipeline: dlt.Pipeline, database: Database) -> None:
    """Restore dlt's state from the destination and drop leftovers of a killed sync.

    What dlt cannot read there is dropped: the load writes it anew.
    """
    destination = get_destination()
    pipeline.drop()
    try:
        pipeline.sync_destination(destination=destination.as_dlt_destination(database))
    except PipelineStepFailed as failure:
        causes = list(exception_chain(failure))
        if any(map(destination.describe_error, causes)) or destination.is_conflict(failure):
            raise
        LOG.warning("dlt cannot read its tables, which are made anew: %s", causes[-1])
        for table in DLT_TABLES:
            name = quote_name(str(pipeline.dataset_name), table)
            database.execute(f"drop table if exists {name}")
        pipeline.drop()


def _pipelines_folder() -> Path:
    return database_file().parent / "dlt" / get_destination().name


def working_folder() -> Path:
    """Return the folder of dlt's working folders: beside the database, if dlt can write there."""
    folder = _pipelines_folder()
    if "%" not in str(folder):  # dlt takes its own paths for formats
        return folder
    return Path(get_dlt_pipelines_dir()) / hashlib.sha256(bytes(folder)).hexdigest()[:16]


def journal_file(pipeline: str) -> Path:
    """Return the file for the responses of a pipeline's sync that has not ended."""
    return _pipelines_folder() / f"{pipeline}.journal"
