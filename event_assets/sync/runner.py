"""One sync: fetched without the database, then loaded in one turn of it, or in several parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryFile
from typing import Any

import duckdb
from dlt import Pipeline
from dlt.pipeline.exceptions import PipelineStepFailed

from event_assets import warehouse
from event_assets.config.source import ResourceConfig
from event_assets.extract import stream
from event_assets.extract.batches import BatchReader
from event_assets.extract.cursor import IncrementalCursor
from event_assets.extract.parent_requests import records
from event_assets.extract.progress import Show
from event_assets.extract.stream_state import Sync
from event_assets.sync import (
    account_registry,
    checkpoints,
    dlt_resource,
    schema_changes,
    schema_guard,
    sync_log,
)
from event_assets.sync.guards import distrust_empty_result, ensure_same_origin, keeps_existing_rows
from event_assets.sync.parent_rows import load_parent_rows
from event_assets.sync.rejects import NOT_LOADED, RejectBuffer
from event_assets.sync.sync_log import sync_log_columns, sync_log_table
from event_assets.values.errors import ConcurrentSchemaChangeError
from event_assets.warehouse import inspection, sql

MAX_ATTEMPTS = 3  # of one sync, when others change the table meanwhile


@dataclass(frozen=True)
class Loaded:
    """What a sync has done.

    Attributes:
        sync: the sync.
        row: what it says of itself in the table of the syncs.
    """

    sync: Sync
    row: Mapping[str, Any]


def run_sync(
    resource: ResourceConfig,
    show: Show,
    look: Callable[[duckdb.DuckDBPyConnection, Loaded], None],
    *,
    full: bool = False,
) -> None:
    """Sync a resource: read the API, then change the database, all at once.

    A first sync of many rows does so in parts; one that is interrupted is gone on with.

    Args:
        resource: what to sync.
        show: is told how far it is.
        look: is given the database when all is done, before others get their turn.
        full: read everything, also where the API can be asked for what is new only.

    Raises:
        ConfigError, WarehouseError, TooManyRejectsError, PipelineStepFailed: when it cannot be
            done; the tables are then as they were, or as the last part left them.
    """
    for _ in range(MAX_ATTEMPTS - 1):
        with suppress(ConcurrentSchemaChangeError):
            return _run_once(resource, show, look, full)
    return _run_once(resource, show, look, full)


def _run_once(
    resource: ResourceConfig,
    show: Show,
    look: Callable[[duckdb.DuckDBPyConnection, Loaded], None],
    full: bool,
) -> None:
    source = resource.source
    with (
        TemporaryFile() as file,
        warehouse.open_pipeline(resource.pipeline, source.name) as pipeline,
    ):
        found = RejectBuffer(file)
        now, parents = warehouse.run(
            lambda database: plan_sync(database, resource, pipeline, show, full)
        )
        now.reject = found.add
        rows = records(parents) if parents is not None else ()
        with stream.open_stream(resource, now, rows) as parts:
            extract_batch(resource, pipeline, now, parts, found)
            while parts.position:
                warehouse.run(partial(load_batch, resource, pipeline, now, found, parts.position))
                extract_batch(resource, pipeline, now, parts, found)
        warehouse.run(
            lambda database: look(database, finalize(database, resource, pipeline, now, found))
        )


def plan_sync(
    database: duckdb.DuckDBPyConnection,
    resource: ResourceConfig,
    pipeline: Pipeline,
    show: Show,
    full: bool,
) -> tuple[Sync, Any]:
    """See what is there already, and have dlt do so."""
    source = resource.source
    ensure_same_origin(database, source)
    warehouse.restore_state(pipeline, database)  # what a killed sync left behind is fetched anew
    increment = IncrementalCursor.from_endpoint(resource.endpoint)
    position = None
    if increment and not full:
        same = (
            f"complete and version = {sql.quote_literal(source.version)} "
            f"and {sql.account_filter(source.account)}"
        )
        syncs = sync_log_table(resource.name)
        if inspection.has_column(database, source.name, syncs, "version"):
            position = inspection.latest_value(database, source.name, syncs, "position", same)
    began = Sync(
        show,
        types=inspection.column_types(database, source.name, resource.name),
        exact=inspection.losslessly_widenable(database, source.name, resource.name),
        increment=increment,
        position=json.loads(position) if position else None,
        part_rows=checkpoints.batch_rows(database, resource),
        paths=schema_guard.load_source_paths(database, source.name, resource.name)
        if source.account
        else {},
        account=source.account,
    )
    if began.part_rows:
        checkpoints.resume(database, resource, began)
    return began, load_parent_rows(database, resource) if resource.parent else None


def extract_batch(
    resource: ResourceConfig, pipeline: Pipeline, now: Sync, parts: BatchReader, found: RejectBuffer
) -> None:
    """Read the next part, which may be all."""
    try:
        api = dlt_resource.build_dlt_source(resource, parts, now)
        pipeline.extract(api, loader_file_format="parquet")
        pipeline.normalize()
    except PipelineStepFailed:
        warehouse.run(
            lambda database: found.keep(
                database,
                resource.source.name,
                resource.name,
                NOT_LOADED,
                now.started_at,
                complete=False,
                account=resource.source.account,
            )
        )
        raise


def load_batch(
    resource: ResourceConfig,
    pipeline: Pipeline,
    now: Sync,
    found: RejectBuffer,
    position: str,
    database: duckdb.DuckDBPyConnection,
) -> None:
    """Load what came; then write down how far it goes, so that no row of that is lacking."""
    schema, table = resource.source.name, resource.name
    _load(database, resource, pipeline, now)
    load_id = inspection.latest_load_id(database, schema, resource.pipeline)
    now.first_load = now.first_load or load_id
    account = resource.source.account
    found.keep(database, schema, table, load_id, now.started_at, complete=False, account=account)
    checkpoints.save(database, resource, now, position)
    before, now.types = now.types, inspection.column_types(database, schema, table)
    made = {name for name, kind in now.types.items() if kind == "bigint" and name not in before}
    now.exact |= made  # what they hold by now is in the sync's tally


def _load(
    database: duckdb.DuckDBPyConnection, resource: ResourceConfig, pipeline: Pipeline, now: Sync
) -> None:
    source, table = resource.source, resource.name
    ensure_same_origin(database, source)
    sync_log.record_origin(database, source.name, source.api)
    schema_guard.ensure_schema_unchanged(database, resource, now)
    if source.account is not None:
        account_registry.register_account(database, source.name, source.account)
    changes: list[str] = []
    if now.shaped:
        changes = schema_changes.prepare_staging(
            database,
            source.name,
            table,
            now.shaped.widened,
            now.shaped.retyped,
            now.shaped.width,
        )
    if resource.primary_key_columns or not keeps_existing_rows(database, resource, now):
        warehouse.load(pipeline, database, changes)
    schema_guard.save_source_paths(database, resource, now)


def finalize(
    database: duckdb.DuckDBPyConnection,
    resource: ResourceConfig,
    pipeline: Pipeline,
    now: Sync,
    found: RejectBuffer,
) -> Loaded:
    """Load what came last, merge the rejects and log the sync."""
    source, table = resource.source, resource.name
    _load(database, resource, pipeline, now)
    if resource.is_events:
        distrust_empty_result(database, resource, now)
    load_id = inspection.latest_load_id(database, source.name, resource.pipeline)
    row = now.row(load_id, source.api, source.version)
    found.keep(
        database,
        source.name,
        table,
        load_id,
        now.started_at,
        complete=row["complete"] is True and now.is_full,
        has_ids="id" in resource.primary_key_columns,
        account=source.account,
        first_load=now.first_load or load_id,
    )

    def end() -> None:
        with sql.transaction(database):
            columns = sync_log_columns(source.account)
            sql.append_row(database, source.name, sync_log_table(table), columns, row)
            checkpoints.delete(database, resource)

    warehouse.get_destination().retry_on_conflict(end)
    return Loaded(now, row)
