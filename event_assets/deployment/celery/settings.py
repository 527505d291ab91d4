"""Celery's settings, the same for who asks for work and who does it."""

import os
from typing import Any

from event_assets.values.errors import ConfigError

BROKER = "EVENTS_BROKER"
STORAGE = "DAGSTER_POSTGRES"
RUNS, STEPS = "dagster", "steps"  # queues
# How long to ask for a broker that is away: 5 minutes.
RETRIES = {"max_retries": 64, "interval_start": 0, "interval_step": 0.5, "interval_max": 5}

# A message is acknowledged when a worker takes it (Celery's default), and is taken by a worker that
# is free only. So the broker never gives a run to two workers, and what a dead worker had is known
# to Dagster alone, which starts it once more.
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


def app_args(queue: str = RUNS) -> dict[str, Any]:
    """Give what dagster-celery makes its Celery application from.

    The states of tasks are kept in Dagster's own Postgres: a broker that forgets loses messages,
    which Dagster sends again, and no state.

    Raises:
        ConfigError: when an address is not set.
    """
    return {
        "broker": _address(BROKER, "redis://:PASSWORD@HOST:6379/0"),
        "backend": f"db+{_address(STORAGE, 'postgresql://USER:PASSWORD@HOST:5432/dagster')}",
        "config_source": SETTINGS | {"task_default_queue": queue},
    }


def _address(name: str, example: str) -> str:
    if address := os.environ.get(name):
        return address
    raise ConfigError(f"{name} is not set: give the address there, such as {example}.")
