"""Schedules: at most one sync works and one waits, and a run that died stops nothing."""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pytest

from event_assets_tests.support.contracts import contract, load

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
    ("unfinished", "skips"),
    [
        ([], False),
        ([Status.SUCCESS, Status.FAILURE, Status.CANCELED], False),
        ([Status.STARTED], False),
        ([Status.STARTED, Status.CANCELING], True),
    ],
)
def test_a_tick_lets_one_run_wait_behind_the_one_that_works(
    tmp_path: Path, unfinished: list[Status], skips: bool
) -> None:
    assert isinstance(tick(tmp_path, unfinished), str) is skips
