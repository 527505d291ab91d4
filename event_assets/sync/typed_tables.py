"""Extract the records of a stream, as typed Arrow tables of a dlt resource."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.schema.utils import new_column
from dlt.extract import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed

from event_assets import warehouse
from event_assets.config.source import ResourceConfig
from event_assets.extract.cursor import IncrementalCursor
from event_assets.extract.position import CursorReader, CursorTracker
from event_assets.extract.progress import OnProgress
from event_assets.extract.stream import Stream
from event_assets.records.arrow_builder import ArrowTableBuilder
from event_assets.records.arrow_types import add_system_columns
from event_assets.records.contract import build_contract
from event_assets.records.field_selection import build_field_selection
from event_assets.records.removal import RemovedRecords, build_removed_records
from event_assets.sync.known_rows import KnownRows
from event_assets.sync.plan import SyncPlan
from event_assets.sync.rejects import NOT_LOADED, RejectBuffer, enforce_reject_limit
from event_assets.values.errors import ExpiredJournalError, ExpiredPositionError, exception_chain
from event_assets.values.json_structs import unify
from event_assets.warehouse import Database
from event_assets.warehouse.pipeline import split_into_row_groups
from event_assets.warehouse.sql import transaction


@dataclass(frozen=True)
class ExtractedRecords:
    """What was extracted.

    Attributes:
        removed: the records that the API has marked as removed.
        builder: knows the columns, the number of rows, and the rejects.
        cursor: knows where the next incremental sync starts; None: it reads everything.
        is_deduplicated: whether no two records have the same key.
    """

    removed: RemovedRecords
    builder: ArrowTableBuilder
    cursor: CursorTracker | None
    is_deduplicated: bool


def extract(
    pipeline: dlt.Pipeline,
    plan: SyncPlan,
    stream: Stream,
    rejects: RejectBuffer,
    on_progress: OnProgress,
    known: KnownRows,
) -> ExtractedRecords:
    """Read a stream, and have dlt write its records to Parquet files.

    `on_progress` is called after each page, `rejects` receives what breaks the contract.

    Raises:
        PipelineStepFailed: the API cannot be read, or too many records break the contract.
        ExpiredJournalError: the sync cannot be resumed.
        ExpiredPositionError: the API knows no changes since the position, or does not filter by it.
        ConcurrentSchemaChangeError: known pages must be typed after all.
    """
    resource = plan.resource
    builder = ArrowTableBuilder(
        build_contract(resource),
        plan.column_types,
        plan.source_paths,
        system_columns=[*resource.source.partition_columns, *plan.reserved_columns],
        selection=build_field_selection(resource),
        on_rejects=rejects.append,
        can_widen=plan.widenable.__contains__,
    )
    tracker, removed = _build_tracker(plan, stream), build_removed_records(resource)

    def pages() -> Iterator[Sequence[Any]]:
        before: Sequence[Any] = ()
        for page in stream.read_pages():
            on_progress(stream.progress)
            # without a key, equal records may be several
            are_known = known.pages and known.pages.are_near
            before = before if resource.primary_key_columns and not are_known else ()
            rows = removed.take_out(_drop_overlap(before, page))
            if not known.take(rows):
                yield rows
            before = page

    def tables() -> Iterator[Any]:
        records: Iterator[Any] = chain.from_iterable(pages())
        records = tracker.observe(records) if tracker else records
        with pause_garbage_collection():
            for table in builder.build_batches(records):
                full = add_system_columns(table, stream.started_at, resource.source.account)
                types = builder.hinted_types(table).items()
                hints = dlt.mark.make_hints(columns=[new_column(*each) for each in types])
                for group in split_into_row_groups(full):
                    yield dlt.mark.with_hints(group, hints)
        if tracker and not stream.result.facts.rows:
            tracker.require_newer()
        # with a parent, a record that was read once may be one for each of several parents
        yielded = builder.row_count + builder.reject_count
        total = yielded if resource.parent else stream.result.facts.distinct
        # a few changes tell nothing of all records
        total = total if plan.is_full else max(total, plan.table_rows)
        share = resource.source.max_rejects
        enforce_reject_limit(resource.name, builder.reject_reasons, total, share)

    try:
        pipeline.extract(_build_source(plan, tables), loader_file_format="parquet")
        pa.default_memory_pool().release_unused()  # else it would stay allocated while DuckDB loads
    except PipelineStepFailed as failure:
        for cause in exception_chain(failure):
            if isinstance(cause, (ExpiredJournalError, ExpiredPositionError)):
                raise cause from None
        warehouse.run(partial(_keep_rejects, resource, stream.started_at, rejects))
        raise
    builder.row_count += len(known.ids)
    read = builder.row_count + builder.reject_count + removed.count
    is_deduplicated = not resource.parent and read == stream.result.facts.distinct
    if known.ids and not is_deduplicated:  # what has the same id must be compared
        known.begin_again()
    return ExtractedRecords(removed, builder, tracker, is_deduplicated)


def _build_tracker(plan: SyncPlan, stream: Stream) -> CursorTracker | None:
    """Build what tracks the position of an incremental sync; None: it reads everything."""
    cursor = IncrementalCursor.from_endpoint(plan.resource.endpoint)
    if cursor is None:
        return None
    reader = CursorReader(plan.resource, cursor)
    loaded = plan.cursor_value
    start = None if loaded is None else cursor.request_start(loaded)
    # by the earlier of two clocks: one that is ahead would leave changes out
    return CursorTracker(
        reader, loaded, plan.newest_value, start, lambda: min(stream.began_at, stream.started_at)
    )


def _drop_overlap(before: Sequence[Any], page: Sequence[Any]) -> Sequence[Any]:
    """Return a page without the records with which the page before ended: the list has shifted."""
    if not (before and page):
        return page
    rows = unify([*before, *page])
    ending, begun = rows[: len(before)], rows[len(before) :]
    overlap = ending[ending.index(begun[0]) :] if begun[0] in ending else []
    return page[len(overlap) :] if begun[: len(overlap)] == overlap else page


def _keep_rejects(
    resource: ResourceConfig, started_at: datetime, rejects: RejectBuffer, database: Database
) -> None:
    """Merge the rejects of a sync that failed, which tell what to correct."""
    with transaction(database):
        rejects.merge_into_table(database, resource, NOT_LOADED, started_at)


def _build_source(plan: SyncPlan, tables: Callable[[], Iterator[Any]]) -> DltSource:
    """Build a dlt source with one resource."""
    resource = plan.resource
    key = [*resource.source.partition_columns, *resource.primary_key_columns]
    types = {name: reader.field.type for name, reader in build_contract(resource).items()}
    types |= dict.fromkeys(resource.source.partition_columns, "text")
    extracted: Any = dlt.resource(
        tables,
        name=resource.name,
        columns=[new_column(name, kind, nullable=name not in key) for name, kind in types.items()],
        primary_key=key,
    )
    source = DltSource(plan.dlt_schema, resource.source.name, [extracted])
    source.max_table_nesting = 0
    return source


@contextmanager
def pause_garbage_collection() -> Iterator[None]:
    """Pause garbage collection: JSON has no cycles, and the search takes half the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _is_unexpected(record: logging.LogRecord) -> bool:
    """Return whether it is another message than dlt's that a column of text has the hint JSON."""
    return "several column hints were different" not in record.getMessage()


logging.getLogger("dlt").addFilter(_is_unexpected)
