"""Load what a dlt pipeline has extracted, in one transaction.

dlt adapts Arrow tables to its schema as it extracts them: to normalize them would only move files.
Its own load step is not used: it creates tables and columns, copies the rows into a second table
and records the load, each in a transaction of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import dlt
from dlt.common.json import json
from dlt.common.storages.load_package import TPipelineStateDoc
from dlt.pipeline.state_sync import state_doc

from event_assets.config.accounts import ACCOUNT
from event_assets.values.errors import WarehouseError
from event_assets.warehouse.connection import run_with_enough_memory, set_memory_limit
from event_assets.warehouse.inspection import catalog_columns
from event_assets.warehouse.merge import OF_SYNC, TableLoad, write_rows
from event_assets.warehouse.registry import get_destination
from event_assets.warehouse.sql import Database, insert_row, quote_literal, quote_name, transaction
from event_assets.warehouse.tables import add_columns, ensure_table, without_indexes

NOT_NULL = ("id", ACCOUNT)


def load_package(
    pipeline: dlt.Pipeline,
    database: Database,
    load: TableLoad,
    write_log: Callable[[str], None],
    check: Callable[[], None] = lambda: None,
) -> None:
    """Load the one package that a pipeline has extracted: all of it or nothing.

    Of rows with the same key, the first one is loaded; any one if the package has a new column, for
    dlt orders the files of such by chance. The table, or its new columns, are created, too. The
    pipeline's working folder is removed afterwards.

    Args:
        pipeline: has extracted Arrow tables to Parquet.
        database: is open, and in no transaction.
        load: how the rows go into their table.
        write_log: is given the load's id and writes what must be there if the rows are, in the same
            transaction; called again if another writer conflicts.
        check: raises if the rows no longer fit the table; called first, and again if another writer
            conflicts.

    Raises:
        WarehouseError: If every attempt conflicts with other writers, or the clock stands still.
    """
    destination = get_destination()
    (load_id,) = pipeline.list_extracted_load_packages()
    files, dataset = package_files(pipeline), str(pipeline.dataset_name)
    schema = pipeline.default_schema  # read once: dlt reads its file at each access
    columns = _column_types(schema, load.table)
    required = [name for name in load.key if name in NOT_NULL]
    for name in _dlt_tables(schema):
        types = _column_types(schema, name)
        destination.retry_on_conflict(partial(ensure_table, database, dataset, name, types))

    def write() -> None:
        with transaction(database):
            check()
            for statement in load.alter_statements:
                database.execute(f"alter table {quote_name(dataset, load.table)} {statement}")
            add_columns(database, dataset, load.table, columns, required)
            write_rows(database, dataset, load, files[load.table])
            _record_load(database, dataset, schema, state_doc(pipeline.state, load_id))
            write_log(load_id)

    is_known = columns.keys() <= catalog_columns(database, dataset, load.table).keys()
    if not is_known:
        set_memory_limit(database, len(columns))
    updated = OF_SYNC if is_known and not load.alter_statements else ()
    with without_indexes(database, dataset, load.table, updated):
        destination.retry_on_conflict(partial(run_with_enough_memory, database, write))
    # not `pipeline.drop`, which writes to a disk that may be full; the next sync removes the rest
    shutil.rmtree(pipeline.working_dir, ignore_errors=True)


def package_files(pipeline: dlt.Pipeline) -> dict[str, list[str]]:
    """Return the Parquet files of the one package that was extracted, by table, as written."""
    (load_id,) = pipeline.list_extracted_load_packages()
    jobs = pipeline.get_load_package_info(load_id).jobs["new_jobs"]
    files: dict[str, list[str]] = {}
    for job in sorted(jobs, key=lambda job: (job.created_at, job.file_path)):
        files.setdefault(job.job_file_info.table_name, []).append(job.file_path)
    return files


def _dlt_tables(schema: dlt.Schema) -> tuple[str, str, str]:
    """Return the names of dlt's own tables: of schemas, of loads, and of states of pipelines."""
    return schema.version_table_name, schema.loads_table_name, schema.state_table_name


def _column_types(schema: dlt.Schema, table: str) -> dict[str, str]:
    columns = schema.get_table_columns(table)
    return {name: str(column["data_type"]) for name, column in columns.items()}


def _record_load(
    database: Database, dataset: str, schema: dlt.Schema, state: TPipelineStateDoc
) -> None:
    """Add the rows by which dlt knows a load, its schema and the state of its pipeline."""
    now = datetime.now(UTC)
    versions, loads, states = (quote_name(dataset, name) for name in _dlt_tables(schema))
    key = f"{quote_literal(state['_dlt_load_id'])}, {quote_literal(schema.name)}"
    known = f"from {loads} where (load_id, schema_name) = ({key}) limit 1"
    if database.execute(known).fetchall():
        raise WarehouseError(
            f"The clock of this machine stands still: an earlier sync began at {now:%F %T} UTC, "
            "too, and rows tell their syncs apart by that time. Correct it, and sync again."
        )
    is_same = f"version_hash = {quote_literal(schema.version_hash)}"
    known = f"from {versions} where {is_same} and json_valid(schema) limit 1"
    if not database.execute(known).fetchall():
        version = {
            "version": schema.version,
            "engine_version": schema.ENGINE_VERSION,
            "inserted_at": now,
            "schema_name": schema.name,
            "version_hash": schema.version_hash,
            "schema": json.dumps(schema.to_dict()),
        }
        insert_row(database, versions, version)
    load = {
        "load_id": state["_dlt_load_id"],
        "schema_name": schema.name,
        "status": 0,
        "inserted_at": now,
        "schema_version_hash": schema.version_hash,
    }
    insert_row(database, loads, load)
    is_same = f"version_hash = {quote_literal(state['version_hash'])}"
    if not database.execute(f"from {states} where {is_same} limit 1").fetchall():
        insert_row(database, states, {**state, "_dlt_id": uuid4().hex})
