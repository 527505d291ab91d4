"""The executor of the steps of a run: `EVENTS_EXECUTOR`."""

import os
from typing import cast

import dagster as dg

from event_assets.values.errors import ConfigError

VARIABLE = "EVENTS_EXECUTOR"


def build_executor() -> dg.ExecutorDefinition:
    """Build the executor that `EVENTS_EXECUTOR` names, by default the in-process one.

    A process for each step would import everything again, which takes longer than the step. Run
    launchers spread whole runs; the other executors spread the steps of one run.

    Raises:
        ConfigError: if the executor is unknown, or its package is missing.
    """
    name = os.environ.get(VARIABLE) or "in_process"
    try:
        if name == "celery":
            from event_assets.deployment.celery.executor import celery_executor

            return celery_executor
        if name == "k8s":
            from dagster_k8s import k8s_job_executor

            return cast("dg.ExecutorDefinition", k8s_job_executor)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        problem = f"is `{name}`, which needs the package {missing}: run `make setup-scale`"
    else:
        if name == "in_process":
            return dg.in_process_executor
        problem = f"must be one of in_process, celery, k8s, not `{name}`"
    raise ConfigError(f"{VARIABLE} {problem}.")
