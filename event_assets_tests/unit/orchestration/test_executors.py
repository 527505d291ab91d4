"""`EVENTS_EXECUTOR` says where the steps of a run are done."""

import sys

import pytest

from event_assets._compat.dagster import PlainFailure
from event_assets.definitions import defs
from event_assets.orchestration.executors import in_process_executor


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
