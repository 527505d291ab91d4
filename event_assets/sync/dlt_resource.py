"""The dlt resource that a sync extracts: Arrow tables of a resource's records."""

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
from event_assets.records.arrow_builder import (
    ArrowTableBuilder,
    add_system_columns,
    column_hints_of,
    paths_of,
)
from event_assets.records.contract import build_contract, column_hints
from event_assets.records.field_selection import build_field_selection
from event_assets.sync.rejects import enforce_reject_limit, exceeds_limit

# dlt's hint that a merge need not look for repeats; dlt's own option for it cannot be taken back
DEDUPLICATED_HINT = "x-stage-data-deduplicated"


def build_schema_source(resource: ResourceConfig) -> DltSource:
    """Build a dlt source as definitions need it: without key, network or folder."""
    return build_dlt_source(resource, None, None)


def build_dlt_source(
    resource: ResourceConfig, parts: BatchReader | None, sync: Sync | None
) -> DltSource:
    """Make a dlt source that reads the next part of a resource's records."""

    @dlt.source(name=resource.pipeline, section=resource.source.name, max_table_nesting=0)
    def one_table() -> DltResource:
        return _arrow_resource(resource, parts, sync)

    return one_table()


def _arrow_resource(
    resource: ResourceConfig, parts: BatchReader | None, sync: Sync | None
) -> DltResource:
    """Wrap the API's records: Arrow tables of them, and the table also when there are none."""

    def rows() -> Iterator[Any]:
        yield dlt.mark.materialize_table_schema()
        if sync is None or parts is None:
            return
        known = dlt.current.source_schema().tables.get(resource.name, {}).get("columns", {})
        shaper = ArrowTableBuilder(
            build_contract(resource),
            sync.types,
            {**paths_of(known), **sync.paths},
            own=resource.source.partition_columns,
            selection=build_field_selection(resource),
            reject=sync.reject,
            may_widen=sync.exact.__contains__,
            tally=sync.tally,
        )
        sync.shaped = shaper
        share, is_loadable, kept_before = resource.source.max_rejects, False, sync.kept
        with garbage_collection_paused():
            while not (parts.ended or is_loadable):
                for table in shaper.tables(sync.watching(parts.records())):
                    sync.kept += len(table)
                    whole = add_system_columns(table, sync.started_at, resource.source.account)
                    yield dlt.mark.with_hints(
                        whole, dlt.mark.make_hints(columns=column_hints_of(whole))
                    )
                is_loadable = not exceeds_limit(shaper.reasons, sync.outcome.distinct_ids, share)
        had_parts = bool(sync.first_load)
        came = sync.outcome.distinct_ids
        enforce_reject_limit(resource.name, shaper.reasons, came, share, had_parts=had_parts)
        if parts.ended and not had_parts:
            ids, rejected = sync.outcome.distinct_ids, sum(shaper.reasons.values())
        else:
            ids, rejected = parts.new_ids() or 0, shaper.rejected_rows
        once = not resource.parent and sync.kept - kept_before + rejected == ids
        yield dlt.mark.with_hints(
            add_system_columns(shaper.table([]), sync.started_at, resource.source.account),
            dlt.mark.make_hints(additional_table_hints={DEDUPLICATED_HINT: once}),
        )

    config = dict(resource.config)
    for of_requests in ("endpoint", "include_from_parent", "parallelized", "processing_steps"):
        config.pop(of_requests, None)
    typed = column_hints({name: reader.field for name, reader in build_contract(resource).items()})
    own = resource.source.partition_columns
    typed |= {name: {"name": name, "data_type": "text", "nullable": False} for name in own}
    config["columns"] = typed | config.get("columns", {})
    config["primary_key"] = (
        [*own, *resource.primary_key_columns] if resource.primary_key_columns else None
    )
    config["merge_key"] = None if resource.primary_key_columns else own or None
    config["write_disposition"] = (
        {"disposition": "merge", "strategy": "delete-insert"}
        if resource.primary_key_columns or own
        else "replace"
    )
    return dlt.resource(rows, **config)


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Keep Python from looking for cycles: JSON has none, and the search takes half the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
