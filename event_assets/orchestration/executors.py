"""Where the steps of a run are done: `EVENTS_EXECUTOR`."""

import os
from collections.abc import Callable

import dagster as dg

from event_assets.values.errors import ConfigError

SETTING = "EVENTS_EXECUTOR"
IN_PROCESS = "in_process"


def build_executor() -> dg.ExecutorDefinition:
    """Give the executor that `EVENTS_EXECUTOR` names; by default all steps are done by the run.

    In one process, because steps in processes of their own would each import everything again,
    which takes longer than their work. So too where runs are started on other hosts, by a run
    launcher: the others spread the steps of a single run.

    Raises:
        ConfigError: when there is no such executor, or its package is missing.
    """
    name = os.environ.get(SETTING) or IN_PROCESS
    if name not in EXECUTORS:
        raise ConfigError(
            f"{SETTING} is `{name}`, and there are {', '.join(EXECUTORS)}: set it to one of these."
        )
    try:
        return EXECUTORS[name]()
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
    raise ConfigError(
        f"{SETTING} is `{name}`, which needs the package {missing}: run `make setup-scale`."
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
