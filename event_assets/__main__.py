"""`python -m event_assets`: run the main job once and say what came of it (`make run`)."""

import os
import sys
from contextlib import AbstractContextManager

import dagster as dg
from dagster import DagsterInstance
from dagster.components.core.component_tree import ComponentTreeException
from dotenv import load_dotenv

from event_assets import summary
from event_assets.failures import innermost

JOB = "sync_events"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def main() -> int:
    """Run the job in this process, which prints a summary, and return the exit status."""
    load_dotenv(".env", override=True)  # as Dagster's own commands do
    os.environ.setdefault("EVENTS_PROGRESS", "bar")
    try:
        job = _job()
    except ComponentTreeException as error:
        problem = innermost(error)
    else:
        return _run(job)
    print(problem, file=sys.stderr)
    return 1


def _job() -> dg.JobDefinition:
    from event_assets.definitions import defs

    return defs().resolve_job_def(JOB)


def _run(job: dg.JobDefinition) -> int:
    print("Syncing ...")
    with _instance() as instance:
        result = job.execute_in_process(run_config=QUIET, instance=instance, raise_on_error=False)
        summary.show(instance, result.run_id)  # after a failure, Dagster may be late to do so
    return 0 if result.success else 1


def _instance() -> AbstractContextManager[DagsterInstance]:
    return DagsterInstance.get() if os.environ.get("DAGSTER_HOME") else DagsterInstance.ephemeral()


if __name__ == "__main__":
    sys.exit(main())
