"""The executor of runs: all steps in the process of the run, which is known to have it.

A process for each step would import everything again, which takes longer than the step. Run
launchers spread whole runs over processes and hosts.
"""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import chain
from typing import Any, cast

import dagster as dg
from filelock import FileLock

from event_assets._compat.dagster import PlainInterrupt, check_captured_interrupt
from event_assets.orchestration import launcher, process
from event_assets.orchestration.summary import print_summary

_held: list[FileLock] = []  # until the process ends: the run ends after its executor


def _create(context: dg.InitExecutorContext) -> dg.Executor:
    executor: Any = cast("Any", dg.in_process_executor.executor_creation_fn)(context)
    executor.execute = partial(_execute, executor.execute)
    return cast("dg.Executor", executor)


def _execute(execute: Any, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
    """Execute the steps, holding the lock of the run, and print the summary."""
    process.end_run_by_signals()
    _held.append(launcher.hold_run(plan_context.instance, plan_context.run_id))
    with closing(execute(plan_context, execution_plan)) as events:
        for event in chain([None], events):
            if event:
                yield event
            if check_captured_interrupt():  # Dagster would raise it later, with a traceback
                process.note_interrupt()
                raise PlainInterrupt(process.INTERRUPTED)
    print_summary(plan_context.instance, plan_context.run_id)


in_process_executor = dg.ExecutorDefinition(
    dg.in_process_executor.name,
    cast("Any", dg.in_process_executor.config_schema),
    dg.in_process_executor.get_requirements,
    _create,
    dg.in_process_executor.description,
)
