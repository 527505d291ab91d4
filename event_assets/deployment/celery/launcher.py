"""The run launcher of a deployment with Celery workers: `run_launcher` in its dagster.yaml."""

from collections import Counter
from typing import Any

from celery.exceptions import CeleryError
from dagster import DagsterRun
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from kombu.exceptions import KombuError

from event_assets._compat.dagster import CheckRunHealthResult, WorkerStatus
from event_assets.deployment.celery import settings

INSPECT_TIMEOUT = 3.0  # seconds
MAX_MISSES = 3  # checks in a row without the task, after which its worker counts as gone
ENDED = ("SUCCESS", "FAILURE", "REVOKED")


class EventsRunLauncher(CeleryRunLauncher):
    """Starts runs on Celery workers, and notices when a worker is gone.

    dagster-celery reads the task's last state, which stays STARTED when its worker is killed. This
    launcher asks the worker whether it still has the task.
    """

    def __init__(self, inst_data: Any = None) -> None:
        super().__init__(default_queue=settings.QUEUE, inst_data=inst_data, **settings.app_args())
        self._missed: Counter[str] = Counter()

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return no settings: they come from the environment."""
        return {}

    @property
    def supports_resume_run(self) -> bool:
        """Return False: a sync is one step, and `run_retries` starts it again as a new run."""
        return False

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Return whether the worker of a started run still has it."""
        task = self.celery.AsyncResult(run.tags.get(DAGSTER_CELERY_TASK_ID_TAG, ""))
        state = task.state
        if state in ENDED:  # before the run did; Dagster reads the run again before it fails it
            return CheckRunHealthResult(WorkerStatus.FAILED, f"Its Celery task ended: {state}.")
        worker = (task.info or {}).get("hostname")
        if self._has_task(worker, task.id):
            self._missed.pop(run.run_id, None)
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        self._missed[run.run_id] += 1
        if self._missed[run.run_id] < MAX_MISSES:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        del self._missed[run.run_id]
        return CheckRunHealthResult(
            WorkerStatus.FAILED, f"The worker {worker} is gone, or no longer has the run."
        )

    def _has_task(self, worker: str | None, task: str) -> bool:
        """Return whether a worker, or any, has a task; True if the broker cannot be reached."""
        with self.celery.connection_for_read() as broker:
            inspect = self.celery.control.inspect(
                destination=[worker] if worker else None, timeout=INSPECT_TIMEOUT, connection=broker
            )
            try:
                tasks = inspect.query_task(task) or {}
            except (*broker.connection_errors, CeleryError, KombuError):
                return True
        return any(task in known for known in tasks.values())
