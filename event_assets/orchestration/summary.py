"""A summary of a run, in a few lines for a terminal or a CI log."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import dagster as dg
from dagster import DagsterEventType

from event_assets import warehouse
from event_assets._compat.dagster import is_check_failure
from event_assets.config.accounts import pipeline_name
from event_assets.config.database_file import failure_file
from event_assets.config.source_files import DEFAULT_SOURCE, EVENT_DATA, INVENTED, SANDBOX
from event_assets.orchestration import process
from event_assets.orchestration.metadata import format_time
from event_assets.orchestration.partitions import account_of_run
from event_assets.transform.all_events import CURRENT_EVENTS
from event_assets.transform.calendar import CALENDAR
from event_assets.transform.changes import CHANGES
from event_assets.values.redaction import KNOWN
from event_assets.values.wording import counted
from event_assets.warehouse.pipeline import write_failure

CHECKS = {"complete", "no_rejects", "unique_ids", "schema_stable", "fresh"}  # of this project
TABLES = {EVENT_DATA, CURRENT_EVENTS, CHANGES, CALENDAR}
ROW_COUNT = "dagster/row_count"
SILENT_LOGGERS = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
CHANGE_TEXTS = {  # texts for the numbers in the metadata of `event_changes`
    "appeared": "+{:,} new",
    "reappeared": "+{:,} back",
    "moved": "{:,} moved",
    "changed": "{:,} changed",
    "cancelled": "{:,} cancelled",
    "gone": "{:,} gone",
    "passed": "{:,} passed",
}


def print_summary(instance: dg.DagsterInstance, run_id: str) -> None:
    """Print the failures of a run to stderr, and the rest to stdout, unless it was interrupted."""
    if process.is_interrupted():
        return
    logs = instance.all_logs(run_id)
    events = [log.dagster_event for log in logs if log.dagster_event]
    run = instance.get_run_by_id(run_id)
    account = account_of_run(run) if run else None
    _note_own_checks(_find_check_results(events), account)
    for line in _format_failures(events):
        print(line if account is None else f"{account}: {line}", file=sys.stderr)
    for line in _format_run(events) if account is None else _format_account(account, events):
        print(line, flush=True)


def is_first_sync(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Return whether a run has loaded the first events of a source."""
    events = [log.dagster_event for log in instance.all_logs(run_id) if log.dagster_event]
    found = _find_materializations(events, EVENT_DATA)
    return any(each.metadata["sync_number"].value == 1 for each in found)


def _note_own_checks(checks: Sequence[dg.AssetCheckEvaluation], account: str | None) -> None:
    """Write a file, as a failed sync does, for each check of a user's own that fails with ERROR."""
    for check in checks:
        *source, table = check.asset_key.path
        if table not in TABLES or check.check_name in CHECKS:
            continue
        name = source[0] if source else DEFAULT_SOURCE
        pipeline = name if account is None else pipeline_name(name, EVENT_DATA, account)
        file = failure_file(f"{pipeline}.check_{check.check_name}")
        if check.passed or check.severity != dg.AssetCheckSeverity.ERROR:
            with suppress(OSError):
                file.unlink(missing_ok=True)
        else:
            reason = KNOWN.redact_text(check.description or "no reason given")
            write_failure(file, EVENT_DATA, account, reason)


def _format_failures(events: Sequence[dg.DagsterEvent]) -> Iterator[str]:
    failed_steps = _filter(events, DagsterEventType.STEP_FAILURE)
    for event in failed_steps:
        error = event.step_failure_data.error
        if error and is_check_failure(error):
            continue  # the check itself is printed
        asset = str(event.step_key).replace("__", "/")
        yield f"{asset} failed: {error.to_string() if error else 'no reason given'}"
    for event in () if failed_steps else _filter(events, DagsterEventType.RUN_FAILURE):
        error = event.job_failure_data.error
        while error and error.cause:
            error = error.cause
        yield f"The run failed: {error.message.strip() if error else event.message}"
    for check in _find_check_results(events):
        if not check.passed:
            reason = check.description or "no reason given"
            yield f"{check.severity.value} {check.check_name}: {reason}"


def _format_run(events: Sequence[dg.DagsterEvent]) -> Iterator[str]:
    synced = _find_materializations(events, EVENT_DATA)
    built = synced or _find_materializations(events, CURRENT_EVENTS)  # of all accounts
    database = warehouse.get_destination().display_name
    yield from _find_unsynced(events)
    if built:
        for materialization in built:
            yield from _format_sync(materialization, events)
        if passed := _count_passed(events):
            yield f"checks    {passed} passed"
        yield f"database  {database}"
    elif not _find_unsynced(events) and any(
        event.asset_key and event.asset_key.path[-1] == EVENT_DATA
        for event in _filter(events, DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
    ):
        yield f"This run loaded no events into {database}."


def _format_account(account: str, events: Sequence[dg.DagsterEvent]) -> Iterator[str]:
    """Yield one line only: there may be a thousand accounts."""
    for materialization in _find_materializations(events, EVENT_DATA):
        rows: Any = materialization.metadata[ROW_COUNT].value
        passed = _count_passed(events)
        checked = f", {passed} checks passed" if passed else ""
        yield f"account   {account}: {counted(rows, 'row')}{checked}"


def _format_sync(
    materialization: dg.AssetMaterialization, events: Sequence[dg.DagsterEvent]
) -> Iterator[str]:
    *source, _ = materialization.asset_key.path
    if source:
        yield f"source    {source[0]}"
    found: dict[str, dict[str, Any]] = {
        table: {name: entry.value for name, entry in each.metadata.items()}
        for table in (EVENT_DATA, CURRENT_EVENTS, CHANGES)
        for each in _find_materializations(events, table)
        if each.asset_key.path[:-1] == source
    }
    synced = found.get(EVENT_DATA, {})
    current = found.get(CURRENT_EVENTS, synced)
    if synced.get("api") == SANDBOX:
        yield f"api       {INVENTED}"
    has_news = CHANGES in found and (synced.get("sync_number", 1) != 1 or found[CHANGES][ROW_COUNT])
    changes = f" ({_format_changes(found[CHANGES])})" if has_news else ""
    yield f"events    {current[ROW_COUNT]:,}{changes}"
    if "first_start_time" in current:
        first, last = (format_time(current[f"{end}_start_time"]) for end in ("first", "last"))
        yield f"starting  {first} to {last}"


def _format_changes(counts: Mapping[str, Any]) -> str:
    """Return what came of the events, such as `+12 new, 3 moved, 2 gone`."""
    counts = {**counts, "changed": counts["changed"] - counts["moved"]}
    changes = (text.format(counts[kind]) for kind, text in CHANGE_TEXTS.items() if counts[kind])
    return ", ".join(changes) or "no changes"


def _filter(
    events: Sequence[dg.DagsterEvent], event_type: DagsterEventType
) -> list[dg.DagsterEvent]:
    return [event for event in events if event.event_type == event_type]


def _find_materializations(
    events: Sequence[dg.DagsterEvent], table: str
) -> list[dg.AssetMaterialization]:
    found = _filter(events, DagsterEventType.ASSET_MATERIALIZATION)
    return [
        each.materialization
        for each in found
        if each.materialization.asset_key.path[-1] == table
        and ROW_COUNT in each.materialization.metadata  # none of the user's own of that name
    ]


def _find_unsynced(events: Sequence[dg.DagsterEvent]) -> list[str]:
    """Return a sentence for each source that is not synced."""
    found = _filter(events, DagsterEventType.ASSET_OBSERVATION)
    observed = [event.asset_observation_data.asset_observation for event in found]
    return [str(each.description) for each in observed if each.asset_key.path[-1] == EVENT_DATA]


def _find_check_results(events: Sequence[dg.DagsterEvent]) -> list[dg.AssetCheckEvaluation]:
    found = _filter(events, DagsterEventType.ASSET_CHECK_EVALUATION)
    return [event.asset_check_evaluation_data for event in found]


def _count_passed(events: Sequence[dg.DagsterEvent]) -> str:
    """Return how many checks passed; nothing if the run had none."""
    checks = _find_check_results(events)
    return f"{sum(check.passed for check in checks)} of {len(checks)}" if checks else ""
