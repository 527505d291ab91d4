"""The executor of the steps of a run: `EVENTS_EXECUTOR`."""

import os
from collections.abc import Callable

import dagster as dg

from event_assets.values.errors import ConfigError

VARIABLE = "EVENTS_EXECUTOR"
IN_PROCESS = "in_process"


def build_executor() -> dg.ExecutorDefinition:
    """Build the executor that `EVENTS_EXECUTOR` names, by default the in-process one.

    A process for each step would import everything again, which takes longer than the step. Run
    launchers spread whole runs; the other executors spread the steps of one run.

    Raises:
        ConfigError: if the executor is unknown, or its package is missing.
    """
    name = os.environ.get(VARIABLE) or IN_PROCESS
    if name not in EXECUTORS:
        raise ConfigError(f"{VARIABLE} must be one of {', '.join(EXECUTORS)}, not `{name}`.")
    try:
        return EXECUTORS[name]()
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
    raise ConfigError(
        f"{VARIABLE} is `{name}`, which needs the package {missing}: run `make setup-scale`."
    )


def _in_process() -> dg.ExecutorDefinition:
    return dg.in_process_executor


def _celery() -> dg.ExecutorDefinition:
    from event_assets.deployment.celery.executor import celery_executor

    return celery_executor


def _k8s() -> dg.ExecutorDefinition:
    from dagster_k8s import k8s_job_executor

    executor: dg.ExecutorDefinition = k8s_job_executor
    return executor


EXECUTORS: dict[str, Callable[[], dg.ExecutorDefinition]] = {
    IN_PROCESS: _in_process,
    "celery": _celery,
    "k8s": _k8s,
}
