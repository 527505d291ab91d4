"""Run a sync: read the API without holding the database, then load all of it at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from tempfile import TemporaryFile
from typing import Any

from dlt import Pipeline

from event_assets import warehouse
from event_assets.config.source import ResourceConfig
from event_assets.extract.progress import OnProgress
from event_assets.extract.stream import Stream, open_stream
from event_assets.http.journal import open_journal
from event_assets.sync import account_registry, guards, schema_changes, sync_log
from event_assets.sync.current_events import earliest_start
from event_assets.sync.exclusion import delete_excluded
from event_assets.sync.known_rows import KnownRows
from event_assets.sync.parent_rows import delete_rows_without_parent
from event_assets.sync.plan import SyncPlan, plan_sync
from event_assets.sync.rejects import RejectBuffer, rejects_table
from event_assets.sync.removed import record_removed
from event_assets.sync.repeats import count_shared_keys, find_repeats
from event_assets.sync.result import build_row
from event_assets.sync.typed_tables import ExtractedRecords, extract
from event_assets.values.errors import (
    ConcurrentSchemaChangeError,
    ExpiredJournalError,
    ExpiredPositionError,
)
from event_assets.warehouse import Database, inspection
from event_assets.warehouse.load import load_package, package_files
from event_assets.warehouse.merge import TableLoad
from event_assets.warehouse.pipeline import journal_file, open_pipeline
from event_assets.warehouse.tables import without_indexes

LOG = logging.getLogger("dagster")
OnLoaded = Callable[[Database, Mapping[str, Any], float], None]
MAX_ATTEMPTS = 3  # if other syncs change the table's columns, or a sync cannot go on


def run_sync(
    resource: ResourceConfig,
    on_progress: OnProgress,
    on_loaded: OnLoaded,
    *,
    full_refresh: bool = False,
    accepts_new_origin: bool = False,
) -> None:
    """Read a resource from its API and load it into the database atomically.

    A sync that was interrupted while it read is resumed by the next one.

    Args:
        on_loaded: called at the end of the load, in its transaction, with the sync's row of the log
            and the seconds of its run; again if another writer conflicts.
        full_refresh: read everything, even if the resource is incremental; so does a sync of
            changes to which the API answers that it has forgotten the last one (410).
        accepts_new_origin: load into tables of another API, or of other ids.

    Raises:
        ConfigError, WarehouseError, TooManyRejectsError, PipelineStepFailed: the sync failed; the
            tables are as before.
    """
    run_once = partial(_run_once, resource, on_progress, on_loaded)
    for attempt in range(MAX_ATTEMPTS - 1):
        try:
            return run_once(full_refresh, accepts_new_origin, is_retry=attempt > 0)
        except ExpiredPositionError as error:
            LOG.info("Reading everything: %s", error)
            full_refresh = True
        except (ConcurrentSchemaChangeError, ExpiredJournalError) as error:
            LOG.info("Starting again: %s", error)
    return run_once(full_refresh, accepts_new_origin, is_retry=True)


def _run_once(
    resource: ResourceConfig,
    on_progress: OnProgress,
    on_loaded: OnLoaded,
    *plan_options: bool,
    is_retry: bool,
) -> None:
    name, schema = resource.pipeline_name, resource.source.name
    with open_pipeline(name, schema) as pipeline, TemporaryFile() as buffer:
        rejects = RejectBuffer(buffer)

        def begin(database: Database) -> tuple[SyncPlan, KnownRows]:
            plan = plan_sync(database, resource, pipeline, *plan_options)
            return plan, KnownRows(database, plan, pipeline)

        plan, known = warehouse.run(begin)
        hours = resource.source.resume_hours
        file = journal_file(name)
        with open_journal(file, plan.identity, hours, is_retry=is_retry) as journal:
            start = (plan.cursor_value, plan.parent_records, known.pages)
            with open_stream(resource, journal, *start) as stream:
                extracted = extract(pipeline, plan, stream, rejects, on_progress, known)
            with warehouse.connect() as database:
                load(database, pipeline, plan, stream, extracted, rejects, on_loaded, known)
                journal.discard()


def load(
    database: Database,
    pipeline: Pipeline,
    plan: SyncPlan,
    stream: Stream,
    extracted: ExtractedRecords,
    rejects: RejectBuffer,
    on_loaded: OnLoaded,
    known: KnownRows,
) -> None:
    """Load what was extracted, the rejects and the sync's row of the log in one transaction.

    Raises:
        ConfigError: the tables hold other events by now.
        WarehouseError: the database cannot be used.
        ConcurrentSchemaChangeError: the records no longer fit the table.
    """
    resource, builder = plan.resource, extracted.builder
    source, schema = resource.source, resource.source.name
    guards.ensure_same_origin(database, source, accepts_new=plan.accepts_new_origin)

    def ensure_unchanged() -> None:
        schema_changes.ensure_schema_unchanged(database, resource, plan.column_types, builder)
        known.check(database)

    records = builder.row_count + extracted.removed.count
    result = stream.result
    if plan.is_full:
        result = guards.distrust_empty_result(database, resource, records, result)
        result = guards.distrust_lost_total(database, resource, result)
    is_judged = plan.is_full and not plan.accepts_new_origin
    is_unlimited = is_judged and not source.windows
    others = guards.count_rows_of_other_configuration(database, resource) if is_unlimited else 0
    coming = guards.count_unseen_coming(database, resource) if is_judged else 0
    if plan.parents_doubt:
        result = guards.distrust_parents(resource, plan.parents_doubt, result)
    # none to compare if no two records have the same key; dlt takes long to tell what they are
    files = [] if extracted.is_deduplicated else package_files(pipeline).get(resource.name, [])
    repeats = find_repeats(database, resource, stream, extracted, files)
    shared = count_shared_keys(database, resource, files)
    result = guards.distrust_shared_keys(resource, shared, result)

    def log_sync(load_id: str) -> None:
        known.mark(database, builder, stream.started_at, load_id)
        sync_log.record_origin(database, source)
        if source.account is not None:
            account_registry.register_account(database, schema, source.account)
        schema_changes.save_source_paths(database, resource, builder)
        rows = inspection.count_rows(database, schema, resource.name, source.account)
        if others:
            guards.ensure_known_events(database, resource, others, rows, load_id)
        if resource.is_events and source.removed_when:
            record_removed(database, source, extracted.removed.ids, load_id, stream.started_at)
        verdict = guards.distrust_other_list(
            database, resource, coming, records, builder.reject_count, result
        )
        row = build_row(plan, stream, extracted, verdict, repeats, load_id, rows)
        complete = row["complete"] is True and plan.is_full
        if complete and resource.is_events:
            row["earliest_start"] = earliest_start(database, source, load_id)
        rejects.merge_into_table(database, resource, load_id, stream.started_at, complete=complete)
        delete_rows_without_parent(database, resource)
        if resource.is_events:
            delete_excluded(database, source)
        number = sync_log.append(database, resource, row)
        on_loaded(database, {**row, "sync_number": number}, stream.seconds)

    key = resource.primary_key_columns
    table = TableLoad(
        resource.name,
        [*source.partition_columns, *key] if key else [],
        source.account,
        schema_changes.build_alter_statements(
            database, schema, resource.name, builder.widened, builder.retyped
        ),
        is_deduplicated=extracted.is_deduplicated,
        keeps_rows=not records or result.complete is False,
        kept_columns=plan.user_columns - builder.observed_types.keys(),
    )
    with without_indexes(database, schema, rejects_table(resource.name)):
        load_package(pipeline, database, table, log_sync, ensure_unchanged)
    if extracted.is_deduplicated and not builder.reject_count:
        known.remember(database)
