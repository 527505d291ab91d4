"""The steps of a run: a sync, the probe, what is derived. Imported when one begins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any

import dagster as dg

from event_assets import warehouse
from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.config.source_files import INVENTED, find_sources
from event_assets.extract import progress
from event_assets.orchestration import metadata, partitions, process
from event_assets.orchestration.error_messages import user_message
from event_assets.sync import account_list, account_registry, runner
from event_assets.sync.guards import ensure_same_origin
from event_assets.sync.reconcile import reconcile
from event_assets.transform import calendar, changes
from event_assets.transform.all_events import CURRENT_EVENTS, drop_view
from event_assets.values.errors import ApiError, ConfigError
from event_assets.warehouse import Database, file_permissions
from event_assets.warehouse.pipeline import note_failure

MOVED = "changed: start_time"
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
    noted = note_failure(
        resource.pipeline_name,
        resource.name,
        source.account,
        user_message,
        is_full=options["full_sync"],
    )
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


def derive(source: SourceConfig, table: str, statement: str) -> dict[str, Any]:
    """Build a derived table or view, a view by its SQL, and return its metadata."""

    def run(database: Database) -> dict[str, Any]:
        reconcile(database, source)
        found: dict[str, Any] = {}
        if table == CURRENT_EVENTS:
            _build_view(database, source, statement)
            if not calendar.has_calendar(source):
                calendar.drop_calendar(database, source)
            found = metadata.column_metadata(database, source, table)
        elif table == calendar.CALENDAR:
            calendar.update_calendar(database, source)
        else:
            found = _record_changes(database, source)
        return {**metadata.row_metadata(database, source, table), **found}

    return warehouse.run(run)


def _build_view(database: Database, source: SourceConfig, statement: str) -> None:
    """Create the view of current events; without another source, the view of all sources goes."""
    if source.accounts:
        names = account_list.list_accounts(source, database)
        account_registry.update_listed(database, source.name, names)
    database.execute(statement)
    with suppress(ConfigError):  # definitions may have no project
        if list(find_sources()) == [source.name]:
            drop_view(database)


def _record_changes(database: Database, source: SourceConfig) -> dict[str, Any]:
    """Add what has changed to `event_changes`, and return what that is."""
    found = changes.record_changes(database, source)
    return {
        **{kind: found.events.get(kind, 0) for kind in changes.KINDS},
        "moved": sum(move["events"] for move in found.moves if move["what"] == MOVED),
        "moves": metadata.as_table(found.moves),
        "changes": metadata.as_table(found.rows),
    }
