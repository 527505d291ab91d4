"""`python -m event_assets`: run the main job once and say what came of it (`make run`)."""

import os
import sys
from contextlib import AbstractContextManager

import dagster as dg
from dagster import DagsterInstance
from dotenv import load_dotenv

from event_assets._compat.dagster import ComponentTreeException, PlainFailure
from event_assets.cli.sync_accounts import sync_all
from event_assets.orchestration import summary
from event_assets.orchestration.failures import root_cause_message
from event_assets.orchestration.partitions import AccountPartitions

JOB = "sync_events"


def main() -> int:
    """Run the job in this process, which prints a summary, and return the exit status."""
    load_dotenv(".env", override=True)  # as Dagster's own commands do
    os.environ.setdefault("EVENTS_PROGRESS", "bar")
    try:
        return 0 if _run(_definitions()) else 1
    except ComponentTreeException as error:
        problem = root_cause_message(error)
    except PlainFailure as error:
        problem = str(error)
    except KeyboardInterrupt:
        problem = "Interrupted."
    print(problem, file=sys.stderr)
    return 1


def _definitions() -> dg.Definitions:
    from event_assets.definitions import defs

    return defs()


def _run(loaded: dg.Definitions) -> bool:
    job = loaded.resolve_job_def(JOB)
    print("Syncing ...")
    with _instance() as instance:
        if isinstance(job.partitions_def, AccountPartitions):
            return sync_all(loaded, JOB, job.partitions_def.source, instance)
        result = job.execute_in_process(
            run_config=summary.SILENT_LOGGERS, instance=instance, raise_on_error=False
        )
        summary.print_summary(
            instance, result.run_id
        )  # after a failure, Dagster may be late to do so
    return result.success


def _instance() -> AbstractContextManager[DagsterInstance]:
    return DagsterInstance.get() if os.environ.get("DAGSTER_HOME") else DagsterInstance.ephemeral()
