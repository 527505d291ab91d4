"""`python -m event_assets`: run the main job once and say what came of it (`make run`)."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from typing import Any

import dagster as dg
from dagster import DagsterEventType, DagsterInstance, ExecuteInProcessResult
from dagster._core.errors import DagsterAssetCheckFailedError
from dagster.components.core.component_tree import ComponentTreeException
from dotenv import load_dotenv

from event_assets import warehouse

JOB = "sync_events"
TABLE = "events.event_data"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def main() -> int:
    """Run the job in this process, print a summary, and return the exit status."""
    load_dotenv(".env", override=True)  # as Dagster's own commands do
    os.environ.setdefault("EVENTS_PROGRESS", "bar")
    try:
        job = _job()
    except ComponentTreeException as error:
        problem = _innermost(error)
    else:
        return _run(job)
    print(problem, file=sys.stderr)
    return 1


def _job() -> dg.JobDefinition:
    from event_assets.definitions import defs

    return defs().resolve_job_def(JOB)


def _innermost(error: BaseException) -> str:
    """Say what is wrong with the definitions: the error at the bottom names file and line."""
    while error.__cause__:
        error = error.__cause__
    return str(error)


def _run(job: dg.JobDefinition) -> int:
    print("Syncing ...")
    with _instance() as instance:
        result = job.execute_in_process(run_config=QUIET, instance=instance, raise_on_error=False)
    for line in _failures(result):
        print(line, file=sys.stderr)
    for line in _summary(result):
        print(line)
    return 0 if result.success else 1


def _instance() -> AbstractContextManager[DagsterInstance]:
    return DagsterInstance.get() if os.environ.get("DAGSTER_HOME") else DagsterInstance.ephemeral()


def _failures(result: ExecuteInProcessResult) -> Iterator[str]:
    for event in result.filter_events(lambda e: e.event_type == DagsterEventType.STEP_FAILURE):
        error = event.step_failure_data.error
        if error and error.cls_name == DagsterAssetCheckFailedError.__name__:
            continue  # the checks speak for themselves
        yield f"{event.step_key} failed: {error.to_string() if error else 'no reason was given'}"
    for check in result.get_asset_check_evaluations():
        if not check.passed:
            yield f"{check.severity.value} {check.check_name}: {check.description}"


def _summary(result: ExecuteInProcessResult) -> Iterator[str]:
    synced = {
        materialization.asset_key: _values(materialization)
        for event in result.get_asset_materialization_events()
        for materialization in [event.materialization]
    }
    metadata = synced.get(dg.AssetKey("event_data"))
    if metadata is None:
        yield f"Nothing was changed in {warehouse.path()}."
        return
    checks = result.get_asset_check_evaluations()
    yield f"events    {metadata['dagster/row_count']:,}"
    if "first_start_time" in metadata:
        first, last = (_day(metadata[f"{end}_start_time"]) for end in ("first", "last"))
        yield f"starting  {first} to {last}"
    yield f"checks    {sum(check.passed for check in checks)} of {len(checks)} passed"
    yield f"database  {metadata['database']}"
    yield f'look      {sys.executable} -c "{_query(metadata["database"])}"'
    yield "next      make dev, then open http://127.0.0.1:3000"


def _values(materialization: dg.AssetMaterialization) -> dict[str, Any]:
    return {name: entry.value for name, entry in materialization.metadata.items()}


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _query(path: str) -> str:
    return f"import duckdb; duckdb.connect('{path}').sql('from {TABLE} limit 10').show()"


if __name__ == "__main__":
    sys.exit(main())
