"""The dlt resource that a sync extracts: Arrow tables of the API's records."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dlt
from dlt.extract import DltResource, DltSource

from event_assets.config.source import ResourceConfig
from event_assets.extract.batches import BatchReader
from event_assets.extract.stream_state import Sync
from event_assets.records.arrow_builder import ArrowTableBuilder
from event_assets.records.arrow_schema import add_system_columns, arrow_column_hints, hinted_paths
from event_assets.records.contract import build_contract, column_hints
from event_assets.records.field_selection import build_field_selection
from event_assets.sync.rejects import enforce_reject_limit, exceeds_limit


def build_schema_source(resource: ResourceConfig) -> DltSource:
    """Build the dlt source that definitions use, without key, network or folder."""
    return build_dlt_source(resource, None, None)


def build_dlt_source(
    resource: ResourceConfig, batches: BatchReader | None, sync: Sync | None
) -> DltSource:
    """Build a dlt source of a resource's next batch of records."""

    @dlt.source(name=resource.pipeline_name, section=resource.source.name, max_table_nesting=0)
    def one_table() -> DltResource:
        return _arrow_resource(resource, batches, sync)

    return one_table()


def _arrow_resource(
    resource: ResourceConfig, batches: BatchReader | None, sync: Sync | None
) -> DltResource:
    """Build the resource; its table is created even if there are no records."""

    def rows() -> Iterator[Any]:
        yield dlt.mark.materialize_table_schema()
        if sync is None or batches is None:
            return
        known = dlt.current.source_schema().tables.get(resource.name, {}).get("columns", {})
        builder = ArrowTableBuilder(
            build_contract(resource),
            sync.column_types,
            {**hinted_paths(known), **sync.source_paths},
            system_columns=resource.source.partition_columns,
            selection=build_field_selection(resource),
            on_rejects=sync.on_rejects,
            can_widen=sync.widenable.__contains__,
            stats=sync.stats,
        )
        sync.builder = builder
        share, is_loadable, loaded_before = resource.source.max_rejects, False, sync.loaded_records
        with pause_garbage_collection():
            while not (batches.exhausted or is_loadable):
                for table in builder.build_batches(sync.observe(batches.read_batch())):
                    sync.loaded_records += len(table)
                    full = add_system_columns(table, sync.started_at, resource.source.account)
                    yield dlt.mark.with_hints(
                        full, dlt.mark.make_hints(columns=arrow_column_hints(full))
                    )
                is_loadable = not exceeds_limit(
                    builder.reject_reasons, sync.result.distinct_ids, share
                )
        has_batches = bool(sync.first_load)
        ids, rejected = sync.result.distinct_ids, sum(builder.reject_reasons.values())
        enforce_reject_limit(
            resource.name, builder.reject_reasons, ids, share, has_loaded_batches=has_batches
        )
        if has_batches or not batches.exhausted:
            ids, rejected = batches.count_new_ids() or 0, builder.rejected_rows
        sync.is_deduplicated = (
            not resource.parent and sync.loaded_records - loaded_before + rejected == ids
        )
        # Without records, the table has at least these columns.
        yield add_system_columns(builder.build([]), sync.started_at, resource.source.account)

    config = dict(resource.config)
    for request_option in ("endpoint", "include_from_parent", "parallelized", "processing_steps"):
        config.pop(request_option, None)
    partitions, key = resource.source.partition_columns, resource.primary_key_columns
    hints = column_hints({name: reader.field for name, reader in build_contract(resource).items()})
    hints |= {name: {"name": name, "data_type": "text", "nullable": False} for name in partitions}
    config["columns"] = hints | config.get("columns", {})
    config["primary_key"] = [*partitions, *key] if key else None
    config["merge_key"] = None if key else partitions or None
    merge = {"disposition": "merge", "strategy": "delete-insert"}
    config["write_disposition"] = merge if key or partitions else "replace"
    return dlt.resource(rows, **config)


@contextmanager
def pause_garbage_collection() -> Iterator[None]:
    """Pause garbage collection: JSON has no cycles, and the search takes half the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
