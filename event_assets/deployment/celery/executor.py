"""The executor that runs each step on any Celery worker."""

from typing import Any

import dagster as dg
from dagster_celery import celery_executor as dagster_celery_executor

from event_assets.deployment.celery import settings


def _app_args(_: Any) -> dict[str, Any]:
    """Return the configuration that sends each step to the queue `steps`.

    That queue has workers of its own: a run waits for its steps, so on a shared queue the runs
    could occupy all workers and deadlock.
    """
    return settings.app_args(settings.STEPS)


celery_executor: dg.ExecutorDefinition = dagster_celery_executor.configured(
    _app_args, config_schema={}, name="celery"
)
