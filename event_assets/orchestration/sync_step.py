"""The steps of a run that send requests: a sync, and the probe. Imported when one begins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any

import dagster as dg

from event_assets import warehouse
from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.config.source_files import INVENTED
from event_assets.extract import progress
from event_assets.orchestration import metadata, partitions, process
from event_assets.orchestration.error_messages import user_message
from event_assets.sync import runner
from event_assets.sync.guards import ensure_same_origin
from event_assets.values.errors import ApiError
from event_assets.warehouse import Database, file_permissions
from event_assets.warehouse.pipeline import note_failure

FIGURES = (  # columns of the sync log that the UI shows
    "load_id",
    "api",
    "sync_number",
    "requests",
    "retries",
    "bytes",
    "pages",
    "rows_read",
    "distinct_ids",
    "total_reported",
    "rejects",
)


def sync(
    context: dg.AssetExecutionContext, declared: ResourceConfig, options: Mapping[str, bool]
) -> dict[str, Any]:
    """Run dlt's steps one by one; `DagsterDltResource` would lock the database while it reads."""
    resource = partitions.resource_for_run(context, declared)
    source = resource.source
    logged: dict[str, Any] = {}

    def on_loaded(database: Database, row: Mapping[str, Any], seconds: float) -> None:
        logged.update(
            {name: row[name] for name in FIGURES if row.get(name) is not None},
            duration_seconds=round(seconds, 3),
            events_per_second=round(row["rows_read"] / seconds, 1),
            **metadata.row_metadata(database, source, resource.name),
            **metadata.column_metadata(database, source, resource.name),
        )

    if not source.base_url:
        context.log.warning(f"This syncs {INVENTED}: to sync an API, set {source.url_setting}.")
    for warning in file_permissions.insecure_file_warnings():
        context.log.warning(warning)
    has_bar = os.environ.get("EVENTS_PROGRESS") == "bar"
    logger = nullcontext(progress.progress_logger(context.log.info))
    bar = progress.progress_bar(process.terminal()) if has_bar else logger
    noted = note_failure(resource.pipeline_name, resource.name, source.account, user_message)
    with noted, bar as on_progress:
        runner.run_sync(
            resource,
            on_progress,
            on_loaded,
            full_refresh=options["full_sync"],
            accepts_new_origin=options["accept_new_origin"],
        )
    return logged


def require_same_origin(source: SourceConfig) -> None:
    """Raise a ConfigError if the tables of a source that is not synced are those of an API."""
    warehouse.run(partial(ensure_same_origin, source=source))


def observe(source: SourceConfig) -> dict[str, Any]:
    """Probe the API of a source, and return what was found.

    Raises:
        ApiError: it cannot be read.
    """
    from event_assets.probe.runner import probe  # a sync does not need it

    report = probe(source)
    if report.error:
        raise ApiError(report.error)
    findings = [
        {"mark": finding.mark, "what": name, "found": finding.message}
        for name, finding in report.findings.items()
    ]
    return {**report.metrics, "verdict": report.summary, "findings": metadata.as_table(findings)}
