"""A summary of a run, in a few lines for a terminal or a CI log."""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

import dagster as dg
from dagster import DagsterEventType

from event_assets import warehouse
from event_assets._compat.dagster import ErrorInfo, is_check_failure
from event_assets.config.source import DEFAULT_SOURCE
from event_assets.orchestration.partitions import account_of_run

SYNCED = "event_data"
SILENT_LOGGERS = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class RunSummary(dg.ConfigurableResource[None]):
    """Prints the summary of a run when its last step has ended."""

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Print the failures to stderr, and the rest to stdout."""
        if context.instance and context.run:
            print_summary(context.instance, context.run.run_id)


SUMMARY = RunSummary()  # one for all assets: Dagster refuses two resources of a name
_printed: set[str] = set()  # ids of runs


def print_summary(instance: dg.DagsterInstance, run_id: str) -> None:
    """Print the summary of a run, once."""
    if run_id in _printed:
        return
    _printed.add(run_id)
    logs = instance.all_logs(run_id)
    events = [log.dagster_event for log in logs if log.dagster_event]
    run = instance.get_run_by_id(run_id)
    account = account_of_run(run) if run else None
    for line in _format_failures(events):
        print(line if account is None else f"{account}: {line}", file=sys.stderr)
    lines = _format_run(events) if account is None else _format_account(account, events)
    for line in lines:
        print(line, flush=True)


def _step_errors(events: Sequence[dg.DagsterEvent]) -> list[ErrorInfo | None]:
    return [
        event.step_failure_data.error
        for event in events
        if event.event_type == DagsterEventType.STEP_FAILURE
    ]


def _format_failures(events: Sequence[dg.DagsterEvent]) -> Iterator[str]:
    for event in events:
        if event.event_type == DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            if error and is_check_failure(error):
                continue  # the check itself is printed
            yield f"{event.step_key} failed: {error.to_string() if error else 'no reason given'}"
    if not _step_errors(events):
        yield from _format_run_failures(events)
    for check in _find_check_results(events):
        if not check.passed:
            yield f"{check.severity.value} {check.check_name}: {check.description}"


def _format_run_failures(events: Sequence[dg.DagsterEvent]) -> Iterator[str]:
    """Yield why a run failed outside of its steps."""
    for event in events:
        if event.event_type == DagsterEventType.RUN_FAILURE:
            error = event.job_failure_data.error
            while error and error.cause:
                error = error.cause
            yield f"The run failed: {error.message.strip() if error else event.message}"


def _format_run(events: Sequence[dg.DagsterEvent]) -> Iterator[str]:
    materializations = _find_materializations(events)
    if not materializations and not _has_planned_sync(events):
        return
    if not materializations:
        explained = [
            error for error in _step_errors(events) if error and error.cls_name == "Failure"
        ]
        yield (
            f"Nothing was changed in {warehouse.get_destination().display_name}."
            if explained
            else f"No sync succeeded in {warehouse.get_destination().display_name}."
        )
        return
    for materialization in materializations:
        yield from _format_sync(materialization)
    checks = _find_check_results(events)
    yield f"checks    {sum(check.passed for check in checks)} of {len(checks)} passed"
    yield f"database  {warehouse.get_destination().display_name}"
    yield f'look      {sys.executable} -c "{_query_command(materializations[0])}"'
    yield "next      make dev, then open http://127.0.0.1:3000"


def _format_account(account: str, events: Sequence[dg.DagsterEvent]) -> Iterator[str]:
    """Yield one line only: there may be a thousand accounts."""
    checks = _find_check_results(events)
    passed = f"{sum(check.passed for check in checks)} of {len(checks)} checks passed"
    for materialization in _find_materializations(events):
        rows = materialization.metadata["dagster/row_count"].value
        yield f"account   {account}: {rows:,} events, {passed}"


def _has_planned_sync(events: Sequence[dg.DagsterEvent]) -> bool:
    return any(
        event.event_type == DagsterEventType.ASSET_MATERIALIZATION_PLANNED
        and event.asset_key is not None
        and event.asset_key.path[-1] == SYNCED
        for event in events
    )


def _find_materializations(events: Sequence[dg.DagsterEvent]) -> list[dg.AssetMaterialization]:
    return [
        event.materialization
        for event in events
        if event.event_type == DagsterEventType.ASSET_MATERIALIZATION
        and event.materialization.asset_key.path[-1] == SYNCED
    ]


def _format_sync(materialization: dg.AssetMaterialization) -> Iterator[str]:
    metadata = {name: entry.value for name, entry in materialization.metadata.items()}
    if len(materialization.asset_key.path) > 1:
        yield f"source    {materialization.asset_key.path[0]}"
    yield f"events    {metadata['dagster/row_count']:,}"
    if "first_start_time" in metadata:
        first, last = (_format_time(metadata[f"{end}_start_time"]) for end in ("first", "last"))
        yield f"starting  {first} to {last}"


def _find_check_results(events: Sequence[dg.DagsterEvent]) -> list[dg.AssetCheckEvaluation]:
    return [
        event.asset_check_evaluation_data
        for event in events
        if event.event_type == DagsterEventType.ASSET_CHECK_EVALUATION
    ]


def _format_time(seconds: Any) -> str:
    return datetime.fromtimestamp(float(seconds), timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _query_command(materialization: dg.AssetMaterialization) -> str:
    *source, table = materialization.asset_key.path
    name = ".".join([*(source or [DEFAULT_SOURCE]), table])
    return warehouse.get_destination().query_command(f"from {name} limit 10")
