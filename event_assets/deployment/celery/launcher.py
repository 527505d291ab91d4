"""The run launcher of a deployment with Celery workers: `run_launcher` in its dagster.yaml."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from celery.exceptions import CeleryError
from dagster import DagsterRun
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from kombu.exceptions import KombuError

from event_assets._compat.dagster import CheckRunHealthResult, WorkerStatus
from event_assets.deployment.celery import settings

ANSWER = 3.0  # seconds that a worker has to answer
MISSES = 3  # checks in a row, after which a worker counts as gone
ENDED = ("SUCCESS", "FAILURE", "REVOKED")


class EventsRunLauncher(CeleryRunLauncher):
    """Starts whole runs on Celery workers, and notices when one of these is gone.

    dagster-celery asks the task's last state, which stays STARTED when its worker is killed. Here
    the worker that took the run is asked whether it still has it.
    """

    def __init__(self, inst_data: Any = None) -> None:
        super().__init__(default_queue=settings.RUNS, inst_data=inst_data, **settings.app_args())
        self._missed: Counter[str] = Counter()

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Give the settings in dagster.yaml: none, they are in the environment."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: Any, config_value: Mapping[str, Any]
    ) -> "EventsRunLauncher":
        """Make the launcher that a dagster.yaml asks for."""
        return cls(inst_data=inst_data, **config_value)

    @property
    def supports_resume_run(self) -> bool:
        """Say no: a sync is one step, and is started anew as a run of its own (`run_retries`)."""
        return False

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Say whether the work on a run that has started still goes on."""
        task = self.celery.AsyncResult(run.tags.get(DAGSTER_CELERY_TASK_ID_TAG, ""))
        state = task.state
        if state in ENDED:  # and the run has not: Dagster looks again before it believes that
            return CheckRunHealthResult(WorkerStatus.FAILED, f"Its Celery task ended: {state}.")
        worker = (task.info or {}).get("hostname")
        if self._has(worker, task.id):
            self._missed.pop(run.run_id, None)
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        self._missed[run.run_id] += 1
        if self._missed[run.run_id] < MISSES:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        del self._missed[run.run_id]
        return CheckRunHealthResult(
            WorkerStatus.FAILED, f"The worker {worker} is gone, or does not know of it any more."
        )

    def _has(self, worker: str | None, task: str) -> bool:
        """Ask a worker, or all, whether it has a task; if nobody can be asked, believe so."""
        with self.celery.connection_for_read() as broker:
            asked = self.celery.control.inspect(
                destination=[worker] if worker else None, timeout=ANSWER, connection=broker
            )
            try:
                answers = asked.query_task(task) or {}
            except (*broker.connection_errors, CeleryError, KombuError):
                return True
        return any(task in known for known in answers.values())
