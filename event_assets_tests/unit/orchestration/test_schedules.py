"""Schedules: at most one sync works and one waits, and a run that died stops nothing."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster import DefaultRunLauncher

from event_assets import warehouse
from event_assets_tests.support.contracts import contract, load
from event_assets_tests.support.project import Project

Status = dg.DagsterRunStatus


def tick(
    folder: Path, unfinished: Sequence[Status] = (), of: str = "sync_events"
) -> dg.RunRequest | str:
    """Let a schedule tick while there are such runs of its job: a run, or why there is none."""
    windows = {"warn_after_minutes": 5, "fail_after_minutes": 9}
    definitions = load(contract(schedule="* * * * *", freshness=windows))
    schedule = definitions.resolve_schedule_def(f"{of}_schedule")
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        for status in unfinished:
            instance.create_run_for_job(definitions.resolve_job_def(of), status=status)
        done = schedule.evaluate_tick(dg.build_schedule_context(instance))
    return done.run_requests[0] if done.run_requests else str(done.skip_message)


@pytest.mark.parametrize("status", [Status.NOT_STARTED, Status.STARTING])
def test_a_tick_lets_no_run_wait_behind_one_that_waits(tmp_path: Path, status: Status) -> None:
    assert "is already waiting" in str(tick(tmp_path, [status]))


@pytest.mark.parametrize(
    "unfinished",
    [[], [Status.STARTED], [Status.STARTED] * 3, [Status.SUCCESS, Status.FAILURE, Status.CANCELED]],
)
def test_runs_whose_processes_may_be_gone_do_not_stop_a_schedule(
    project: Project, tmp_path: Path, unfinished: list[Status]
) -> None:
    assert project
    assert isinstance(tick(tmp_path, unfinished), dg.RunRequest)


@contextmanager
def syncing(count: int) -> Iterator[None]:
    """Let so many syncs be at work or wait, each in a thread, until the end of the block."""
    end, at_work = threading.Event(), threading.Semaphore(0)

    def sync() -> None:
        with warehouse.open_pipeline("events", "events"):
            at_work.release()
            end.wait()

    threads = [threading.Thread(target=sync) for _ in range(count)]
    for thread in threads:
        thread.start()
    at_work.acquire()
    while count > 1 and not warehouse.is_sync_waiting("events"):
        pass  # the second one is about to
    yield
    end.set()
    for thread in threads:
        thread.join()


def test_a_tick_lets_a_run_wait_for_the_sync_that_works(project: Project, tmp_path: Path) -> None:
    assert project
    with syncing(1):
        assert isinstance(tick(tmp_path), dg.RunRequest)


def test_a_tick_lets_no_run_wait_when_a_sync_of_any_kind_does(
    project: Project, tmp_path: Path
) -> None:
    assert project
    with syncing(2):
        assert tick(tmp_path) == "A sync of events is already waiting."
    assert isinstance(tick(tmp_path), dg.RunRequest)


def test_freshness_is_looked_at_also_while_a_sync_waits(project: Project, tmp_path: Path) -> None:
    assert project
    with syncing(2):
        assert isinstance(tick(tmp_path, of="check_events_are_fresh"), dg.RunRequest)


class Watched(DefaultRunLauncher):
    """Knows of each run whether its process is alive, wherever that is."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True


@pytest.mark.parametrize(("started", "skips"), [(1, False), (2, True)])
def test_where_dagster_looks_after_its_runs_they_are_counted(
    tmp_path: Path, started: int, skips: bool
) -> None:
    (tmp_path / "dagster.yaml").write_text(
        f"run_launcher: {{module: {Watched.__module__}, class: {Watched.__name__}}}"
    )
    done = tick(tmp_path, [Status.STARTED] * started)
    assert isinstance(done, str) is skips
