"""Celery's settings, shared by the launcher and the workers."""

import os
from typing import Any

from event_assets.values.errors import ConfigError

BROKER = "EVENTS_BROKER"
STORAGE = "DAGSTER_POSTGRES"
QUEUE = "dagster"  # in which runs wait for a worker
# Retry an unreachable broker for 5 minutes.
RETRIES = {"max_retries": 64, "interval_start": 0, "interval_step": 0.5, "interval_max": 5}

# A message is acknowledged when a worker takes it (Celery's default), and only a free worker takes
# one. So no run reaches two workers, and Dagster alone retries the runs of a dead worker.
SETTINGS: dict[str, Any] = {
    "worker_disable_prefetch": True,
    "worker_prefetch_multiplier": 1,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,  # for ever
    "broker_transport_options": RETRIES,
    "task_publish_retry_policy": RETRIES,
    "result_expires": 30 * 24 * 3600,  # seconds; longer than any run
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
}


def app_args() -> dict[str, Any]:
    """Return the arguments of dagster-celery's application.

    The states of tasks are in Dagster's Postgres, so that a broker which restarts loses messages,
    which Dagster sends again, but no state.

    Raises:
        ConfigError: if a URL is not set.
    """
    return {
        "broker": _required_url(BROKER, "redis://:PASSWORD@HOST:6379/0"),
        "backend": f"db+{_required_url(STORAGE, 'postgresql://USER:PASSWORD@HOST:5432/dagster')}",
        "config_source": SETTINGS | {"task_default_queue": QUEUE},
    }


def _required_url(name: str, example: str) -> str:
    if url := os.environ.get(name):
        return url
    raise ConfigError(f"{name} is not set: set it to a URL such as {example}.")
