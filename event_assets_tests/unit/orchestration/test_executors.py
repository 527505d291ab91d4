"""A run does its steps in its own process, by which others know that it is alive."""

from pathlib import Path

import dagster as dg
import pytest

from event_assets.definitions import defs
from event_assets.orchestration import launcher
from event_assets.orchestration.executors import in_process_executor


@dg.op
def ask(context: dg.OpExecutionContext) -> None:
    """Fail unless the process of this run is known to be there."""
    folder = Path(context.instance.root_directory, "storage", context.run_id)
    assert (folder / "process.lock").exists()
    assert not launcher.is_process_gone(context.instance, context.run_id)


@dg.job(executor_def=in_process_executor)
def asking() -> None:
    ask()


@pytest.mark.usefixtures("project")
def test_a_run_is_known_to_be_alive_while_its_process_is() -> None:
    with dg.DagsterInstance.get() as instance:
        assert dg.execute_job(dg.reconstructable(asking), instance).success


def test_every_job_is_done_by_that_executor() -> None:
    loaded = defs()
    assert loaded.executor is in_process_executor
    assert loaded.resolve_job_def("housekeeping").executor_def is in_process_executor
