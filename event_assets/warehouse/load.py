"""Load what a dlt pipeline has normalized, in one transaction.

dlt extracts, normalizes, keeps the schema and creates tables and columns. Its own load step is not
used: it copies the rows into a second table first, and records the load in another transaction.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone

import dlt

from event_assets.warehouse.connection import set_memory_limit
from event_assets.warehouse.inspection import has_table
from event_assets.warehouse.merge import OF_SYNC, TableLoad, find_generated, write_rows
from event_assets.warehouse.registry import get_destination
from event_assets.warehouse.sql import Database, quote_identifier, quote_name, transaction
from event_assets.warehouse.tables import without_indexes

INSERT_LOAD = """
insert into {loads} by name select ? as load_id, ? as schema_name, 0 as status,
    ? as inserted_at, ? as schema_version_hash
"""


def load_package(
    pipeline: dlt.Pipeline,
    database: Database,
    load: TableLoad,
    also: Callable[[str], None],
    check: Callable[[], None] = lambda: None,
) -> None:
    """Load the one package that a pipeline has normalized: all of it or nothing.

    Of rows with the same key, the first one is loaded. New tables and columns are created first;
    they stay if the rest fails. The pipeline's working folder is removed afterwards.

    Args:
        pipeline: has extracted and normalized.
        database: is open, and in no transaction.
        load: how the rows go into their table.
        also: is given the load's id and writes what must be there if the rows are, in the same
            transaction; called again if another writer conflicts.
        check: raises if the rows no longer fit the table. Called when new columns are there, before
            the rows change; again if another writer conflicts.

    Raises:
        WarehouseError: If every attempt conflicts with other writers.
    """
    destination = get_destination()
    (load_id,) = pipeline.list_normalized_load_packages()
    files = package_files(pipeline)
    pipeline.destination = destination.as_dlt_destination(database)
    destination.retry_on_conflict(lambda: _create_missing(pipeline, database, load))
    # dlt sets 1 GB: DuckDB would write the rows twice, into its log and into the file.
    database.execute("set global checkpoint_threshold = '16MB'")
    set_memory_limit(database)

    dataset = str(pipeline.dataset_name)
    load = replace(load, generated=find_generated(database, dataset, load))
    updated = () if load.alter_statements else OF_SYNC

    def write() -> None:
        with transaction(database):
            check()
            if has_table(database, f"{dataset}_staging", "_dlt_version"):  # of earlier versions
                database.execute(f"drop schema {quote_identifier(f'{dataset}_staging')} cascade")
            write_rows(database, dataset, load, files)
            _record_load(database, pipeline, load_id)
            also(load_id)

    with without_indexes(database, dataset, load.table, updated):
        destination.retry_on_conflict(write)
    # not `pipeline.drop`, which writes to a disk that may be full; the next sync removes the rest
    shutil.rmtree(pipeline.working_dir, ignore_errors=True)


def package_files(pipeline: dlt.Pipeline) -> dict[str, list[str]]:
    """Return the Parquet files of the one package that was normalized, by table, as written."""
    (load_id,) = pipeline.list_normalized_load_packages()
    jobs = pipeline.get_load_package_info(load_id).jobs["new_jobs"]
    files: dict[str, list[str]] = {}
    for job in sorted(jobs, key=lambda job: (job.created_at, job.file_path)):
        files.setdefault(job.job_file_info.table_name, []).append(job.file_path)
    return files


def _create_missing(pipeline: dlt.Pipeline, database: Database, load: TableLoad) -> None:
    """Have dlt create the tables and columns that are not there, also those that it once made."""
    dataset, schema = str(pipeline.dataset_name), pipeline.default_schema
    with pipeline.destination_client() as client:
        client.initialize_storage()
        if load.alter_statements and has_table(database, dataset, schema.version_table_name):
            # columns may get back the types of a schema before: dlt would not store it once more
            versions = quote_name(dataset, schema.version_table_name)
            database.execute(
                f"delete from {versions} where version_hash = ?", [schema.version_hash]
            )
        client.update_stored_schema(force=True)


def _record_load(database: Database, pipeline: dlt.Pipeline, load_id: str) -> None:
    """Add the row of `_dlt_loads` by which dlt knows that a load is complete."""
    schema = pipeline.default_schema
    loads = quote_name(str(pipeline.dataset_name), schema.loads_table_name)
    row = [load_id, schema.name, datetime.now(timezone.utc), schema.version_hash]
    database.execute(INSERT_LOAD.format(loads=loads), row)
