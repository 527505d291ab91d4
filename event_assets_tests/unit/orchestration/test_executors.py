"""`EVENTS_EXECUTOR` says where the steps of a run are done."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.retries import RetryMode

from event_assets._compat.dagster import PlainFailure
from event_assets.definitions import defs
from event_assets.orchestration import launcher
from event_assets.orchestration.executors import holding, in_process_executor


def test_a_run_does_its_steps_itself_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVENTS_EXECUTOR", raising=False)
    assert defs().executor is in_process_executor


def test_an_executor_that_does_not_exist_is_answered_with_those_that_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EVENTS_EXECUTOR", "cellery")
    with pytest.raises(PlainFailure) as raised:
        defs()
    assert str(raised.value) == (
        "EVENTS_EXECUTOR must be one of in_process, celery, k8s, not `cellery`."
    )


@pytest.mark.parametrize(
    ("name", "package"), [("celery", "dagster_celery"), ("k8s", "dagster_k8s")]
)
def test_an_executor_whose_package_is_missing_says_how_to_get_it(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTS_EXECUTOR", name)
    monkeypatch.delitem(sys.modules, "event_assets.deployment.celery.executor", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(PlainFailure) as raised:
        defs()
    assert str(raised.value) == (
        f"EVENTS_EXECUTOR is `{name}`, which needs the package {package}: run `make setup-scale`."
    )


def test_a_run_of_any_executor_is_known_to_be_alive_while_its_process_is(tmp_path: Path) -> None:
    alive: list[bool] = []

    class Other(dg.Executor):
        retries = RetryMode.ENABLED

        def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
            file = Path(plan_context.instance.root_directory, "storage", "of-a-run", "process.lock")
            alive.append(file.exists() and not launcher.is_process_gone(instance, "of-a-run"))
            yield from execution_plan

    definition = dg.ExecutorDefinition("other", {"a": int}, None, lambda _: Other())
    held: Any = holding(definition)
    assert held.config_schema is definition.config_schema
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        executor = held.executor_creation_fn(None)
        assert executor.retries is RetryMode.ENABLED
        context = SimpleNamespace(instance=instance, run_id="of-a-run")
        assert list(executor.execute(context, ["an event"])) == ["an event"]
    assert alive == [True]
