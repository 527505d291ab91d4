"""The executor of the steps of a run: `EVENTS_EXECUTOR`."""

import os
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import chain
from typing import Any, cast

import dagster as dg
from filelock import FileLock

from event_assets._compat.dagster import PlainInterrupt, check_captured_interrupt
from event_assets.orchestration import launcher, process
from event_assets.values.errors import ConfigError

VARIABLE = "EVENTS_EXECUTOR"
_held: list[FileLock] = []  # until the process ends: the run ends after its executor


def holding(executor: dg.ExecutorDefinition) -> dg.ExecutorDefinition:
    """Return an executor whose runs fail when their process is gone."""
    create: Any = executor.executor_creation_fn

    def create_holding(context: dg.InitExecutorContext) -> dg.Executor:
        created = create(context)
        created.execute = partial(_execute, created.execute)
        return cast("dg.Executor", created)

    schema: Any = executor.config_schema
    return dg.ExecutorDefinition(
        executor.name, schema, executor.get_requirements, create_holding, executor.description
    )


def _execute(execute: Any, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
    """Execute the steps, in a process that is known to have the run."""
    process.end_run_by_signals()
    _held.append(launcher.hold_run(plan_context.instance, plan_context.run_id))
    with closing(execute(plan_context, execution_plan)) as events:
        for event in chain([None], events):
            if event:
                yield event
            if check_captured_interrupt():  # before Dagster raises it, with a traceback
                process.note_interrupt()
                raise PlainInterrupt(process.INTERRUPTED)


in_process_executor = holding(dg.in_process_executor)


def build_executor() -> dg.ExecutorDefinition:
    """Build the executor that `EVENTS_EXECUTOR` names, by default the in-process one.

    A process for each step would import everything again, which takes longer than the step. Run
    launchers spread whole runs; the other executors spread the steps of one run.

    Raises:
        ConfigError: if its package is missing.
    """
    name = os.environ.get(VARIABLE)
    try:
        if name == "celery":
            from event_assets.deployment.celery.executor import celery_executor

            return holding(celery_executor)
        if name == "k8s":
            from dagster_k8s import k8s_job_executor

            return holding(k8s_job_executor)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        problem = f"is `{name}`, which needs the package {missing}: run `make setup-scale`"
    else:
        return in_process_executor
    raise ConfigError(f"{VARIABLE} {problem}.")
