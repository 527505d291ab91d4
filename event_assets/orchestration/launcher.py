"""Runs whose process is gone: `run_launcher` in dagster.yaml, by which Dagster fails them.

The process of a run holds a lock, which ends with it, whatever ends it. The file stays, with the
logs of the run: a run without one, of another executor or host, is none that can be judged.
"""

from pathlib import Path

import dagster as dg
from dagster import DagsterRunStatus
from filelock import FileLock

from event_assets._compat.dagster import CheckRunHealthResult, WorkerStatus, free_slots
from event_assets.warehouse.file_lock import is_file_locked

UNFINISHED = [
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
GONE = "Its process is gone: it was killed, or the machine stopped."


class EventsRunLauncher(dg.DefaultRunLauncher):
    """Starts runs as Dagster does by default, and notices when the process of one is gone."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Return True, so that Dagster's run monitoring asks."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return whether the process of a started run, also of a command line, is there."""
        if is_process_gone(self._instance, run.run_id):
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, GONE)
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def hold_run(instance: dg.DagsterInstance, run_id: str) -> FileLock:
    """Hold the lock of a run that this process executes, until it is released.

    Runs that no process executes any more are failed before, where no daemon does it.
    """
    fail_dead_runs(instance)
    file = _lock_file(instance, run_id)
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    lock = FileLock(new)
    lock.acquire()
    new.rename(file)  # it is locked before others can see it
    return lock


def is_process_gone(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Return whether the process that executed a run is gone."""
    file = _lock_file(instance, run_id)
    return file.exists() and not is_file_locked(file)


def fail_dead_runs(instance: dg.DagsterInstance) -> None:
    """Fail the runs whose process is gone, and free their slots."""
    for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)):
        if is_process_gone(instance, run.run_id):
            latest = instance.get_run_by_id(run.run_id)
            if latest and not latest.is_finished:
                instance.report_run_failed(latest, GONE)
                free_slots(instance, run.run_id)


def _lock_file(instance: dg.DagsterInstance, run_id: str) -> Path:
    return Path(instance.root_directory, "storage", run_id, "process.lock")
