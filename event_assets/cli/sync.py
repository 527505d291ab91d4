"""`python -m event_assets`: run the main job once and print a summary (`make run`)."""

import os
import sys
from contextlib import AbstractContextManager

import dagster as dg
from dotenv import load_dotenv

from event_assets._compat.dagster import ComponentTreeException, PlainFailure
from event_assets.cli.run_job import run_job
from event_assets.cli.sync_accounts import sync_accounts
from event_assets.orchestration.failures import root_cause_message
from event_assets.orchestration.partitions import AccountPartitions

JOB = "sync_events"


def main() -> int:
    """Run the job in this process and return the exit status."""
    load_dotenv(".env", override=True)  # as Dagster's own commands do
    os.environ.setdefault("EVENTS_PROGRESS", "bar")
    try:
        return 0 if _sync() else 1
    except ComponentTreeException as error:
        problem = root_cause_message(error)
    except PlainFailure as error:
        problem = str(error)
    except KeyboardInterrupt:
        problem = "Interrupted."
    print(problem, file=sys.stderr)
    return 1


def _sync() -> bool:
    from event_assets.definitions import defs

    definitions = defs()
    job = definitions.resolve_job_def(JOB)
    print("Syncing ...")
    with _open_instance() as instance:
        if isinstance(job.partitions_def, AccountPartitions):
            return sync_accounts(definitions, JOB, job.partitions_def.source, instance)
        return run_job(job, instance).success


def _open_instance() -> AbstractContextManager[dg.DagsterInstance]:
    if os.environ.get("DAGSTER_HOME"):
        return dg.DagsterInstance.get()
    return dg.DagsterInstance.ephemeral()
