"""Run a sync: read the API without holding the database, then load in one or several batches."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryFile
from typing import Any, TypeVar

from dlt import Pipeline
from dlt.pipeline.exceptions import PipelineStepFailed

from event_assets import warehouse
from event_assets.config.source import ResourceConfig
from event_assets.extract import stream
from event_assets.extract.batches import BatchReader
from event_assets.extract.cursor import IncrementalCursor
from event_assets.extract.parent_requests import parent_records
from event_assets.extract.progress import OnProgress
from event_assets.extract.stream_state import Sync
from event_assets.sync import account_registry, checkpoints, dlt_resource, schema_guard, sync_log
from event_assets.sync.guards import distrust_empty_result, ensure_same_origin, keeps_existing_rows
from event_assets.sync.parent_rows import load_parent_rows
from event_assets.sync.rejects import NOT_LOADED, RejectBuffer
from event_assets.sync.schema_changes import build_alter_statements
from event_assets.values.errors import ConcurrentSchemaChangeError
from event_assets.warehouse import Database, inspection, sql

T = TypeVar("T")
OnLoaded = Callable[[Database, "SyncResult"], None]
MAX_ATTEMPTS = 3  # if syncs of other accounts change the table's columns


@dataclass(frozen=True)
class SyncResult:
    """The final state of a sync, and its row of the sync log."""

    sync: Sync
    row: Mapping[str, Any]


def run_sync(
    resource: ResourceConfig,
    on_progress: OnProgress,
    on_loaded: OnLoaded,
    *,
    full_refresh: bool = False,
) -> None:
    """Read a resource from its API and load it into the database atomically.

    Large first syncs load in batches and resume after an interruption. `on_loaded` is called
    after the load, before other syncs may use the database. `full_refresh` reads everything, even
    if the resource is incremental.

    Raises:
        ConfigError, WarehouseError, TooManyRejectsError, PipelineStepFailed: the sync failed; the
            tables are as before, or as the last batch left them.
    """
    for _ in range(MAX_ATTEMPTS - 1):
        with suppress(ConcurrentSchemaChangeError):
            return _run_once(resource, on_progress, on_loaded, full_refresh)
    return _run_once(resource, on_progress, on_loaded, full_refresh)


def _run_once(
    resource: ResourceConfig, on_progress: OnProgress, on_loaded: OnLoaded, full_refresh: bool
) -> None:
    source = resource.source
    with (
        TemporaryFile() as file,
        warehouse.open_pipeline(resource.pipeline_name, source.name) as pipeline,
    ):
        rejects = RejectBuffer(file)
        sync, parents = warehouse.run(
            lambda database: plan_sync(database, resource, pipeline, on_progress, full_refresh)
        )
        sync.on_rejects = rejects.append
        rows = parent_records(parents) if parents is not None else ()
        with stream.open_stream(resource, sync, rows) as batches:
            extract_batch(resource, pipeline, sync, batches, rejects)
            while batches.checkpoint:
                warehouse.run(
                    partial(load_batch, resource, pipeline, sync, rejects, batches.checkpoint)
                )
                extract_batch(resource, pipeline, sync, batches, rejects)

        def finish(database: Database) -> None:
            on_loaded(database, finalize(database, resource, pipeline, sync, rejects))

        warehouse.run(finish)


def plan_sync(
    database: Database,
    resource: ResourceConfig,
    pipeline: Pipeline,
    on_progress: OnProgress,
    full_refresh: bool,
) -> tuple[Sync, Any]:
    """Read the current state of the tables, and restore dlt's."""
    source, schema, table = resource.source, resource.source.name, resource.name
    ensure_same_origin(database, source)
    warehouse.restore_state(pipeline, database)  # drops the leftovers of a killed sync
    cursor = IncrementalCursor.from_endpoint(resource.endpoint)
    last_value = None
    syncs = sync_log.sync_log_table(table)
    if cursor and not full_refresh and inspection.has_column(database, schema, syncs, "version"):
        version, own = sql.quote_literal(source.config_hash), sql.account_filter(source.account)
        same = f"complete and version = {version} and {own}"
        last_value = inspection.latest_value(database, schema, syncs, "position", same)
    sync = Sync(
        on_progress,
        column_types=inspection.column_types(database, schema, table),
        widenable=inspection.losslessly_widenable(database, schema, table),
        cursor=cursor,
        cursor_value=json.loads(last_value) if last_value else None,
        batch_rows=checkpoints.batch_rows(database, resource),
        source_paths=schema_guard.load_source_paths(database, resource) if source.account else {},
        account=source.account,
    )
    if sync.batch_rows:
        checkpoints.resume(database, resource, sync)
    return sync, load_parent_rows(database, resource) if resource.parent else None


def extract_batch(
    resource: ResourceConfig,
    pipeline: Pipeline,
    sync: Sync,
    batches: BatchReader,
    rejects: RejectBuffer,
) -> None:
    """Read the next batch into the pipeline."""
    try:
        data = dlt_resource.build_dlt_source(resource, batches, sync)
        pipeline.extract(data, loader_file_format="parquet")
        pipeline.normalize()
    except PipelineStepFailed:
        warehouse.run(partial(_keep_rejects, resource, sync, rejects))
        raise


def load_batch(
    resource: ResourceConfig,
    pipeline: Pipeline,
    sync: Sync,
    rejects: RejectBuffer,
    checkpoint: str,
    database: Database,
) -> None:
    """Load a batch with its checkpoint."""
    schema, table = resource.source.name, resource.name

    def save(load_id: str) -> str:
        rejects.merge_into_table(database, resource, load_id, sync.started_at)
        first_load = sync.first_load or load_id
        checkpoints.save(database, resource, sync, checkpoint, first_load)
        return first_load

    sync.first_load = _load(database, resource, pipeline, sync, save)
    rejects.clear()
    types = inspection.column_types(database, schema, table)
    # the values of new columns are in the sync's statistics
    sync.widenable |= {name for name in types if types[name] == "bigint"} - {*sync.column_types}
    sync.column_types = types


def _keep_rejects(
    resource: ResourceConfig, sync: Sync, rejects: RejectBuffer, database: Database
) -> None:
    with sql.transaction(database):
        rejects.merge_into_table(database, resource, NOT_LOADED, sync.started_at)


def _load(
    database: Database,
    resource: ResourceConfig,
    pipeline: Pipeline,
    sync: Sync,
    also: Callable[[str], T],
) -> T:
    """Load what was extracted, and all that `also` writes."""
    source, table = resource.source, resource.name
    ensure_same_origin(database, source)
    sync_log.record_origin(database, source.name, source.origin)
    schema_guard.ensure_schema_unchanged(database, resource, sync)
    if source.account is not None:
        account_registry.register_account(database, source.name, source.account)
    changes: list[str] = []
    if built := sync.builder:
        changes = build_alter_statements(database, source.name, table, built.widened, built.retyped)
    key = resource.primary_key_columns
    load = warehouse.TableLoad(
        table,
        [*source.partition_columns, *key] if key else (),
        source.account,
        changes,
        is_deduplicated=sync.is_deduplicated,
        keeps_rows=not key and keeps_existing_rows(database, resource, sync),
    )

    def write(load_id: str) -> T:
        schema_guard.save_source_paths(database, resource, sync)
        return also(load_id)

    return warehouse.load_package(pipeline, database, load, write)


def finalize(
    database: Database,
    resource: ResourceConfig,
    pipeline: Pipeline,
    sync: Sync,
    rejects: RejectBuffer,
) -> SyncResult:
    """Load the last batch with the rejects and the sync's row."""
    source, syncs = resource.source, sync_log.sync_log_table(resource.name)

    def log_sync(load_id: str) -> SyncResult:
        if resource.is_events:
            distrust_empty_result(database, resource, sync)
        row = sync_log.build_row(sync, load_id, source.origin, source.config_hash)
        rejects.merge_into_table(
            database,
            resource,
            load_id,
            sync.started_at,
            complete=row["complete"] is True and sync.is_full,
            first_load=sync.first_load,
        )
        columns = sync_log.sync_log_columns(source.account)
        sql.append_row(database, source.name, syncs, columns, row)
        checkpoints.delete(database, resource)
        return SyncResult(sync, row)

    return _load(database, resource, pipeline, sync, log_sync)
