"""The executor that has each step of a run done by any Celery worker."""

from typing import Any

import dagster as dg
from dagster._core.execution.retries import RetryMode
from dagster_celery.executor import CeleryExecutor

from event_assets.deployment.celery import settings


@dg.executor(name="celery", requirements=dg.multiple_process_executor_requirements())
def celery_executor(_: dg.InitExecutorContext) -> Any:
    """Send each step to the queue `steps`, whose workers are not those that do runs.

    A run waits for its steps: on one queue, as many runs as workers would wait for ever.
    """
    return CeleryExecutor(RetryMode.ENABLED, **settings.app_args(settings.STEPS))
