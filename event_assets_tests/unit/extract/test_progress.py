"""The progress of a sync, in the log or on a terminal."""

import sys
from threading import RLock

import pytest
from tqdm import tqdm

from event_assets.extract.progress import Progress, progress_bar, progress_logger
from event_assets_tests.support.project import Project
from event_assets_tests.support.sandbox import Faults, Sandbox

HALF = Progress(events=5_000, total=10_000, pages=50, in_flight=8, seconds=10.0)


def test_progress_shows_counts_speed_and_time_left() -> None:
    assert str(HALF) == ("5,000 of 10,000 events, 5 pages/s, 8 requests in flight, about 10 s left")


@pytest.mark.parametrize("total", [None, 60])  # passed, as rows of windows come twice
def test_progress_without_a_total_shows_counts_and_speed(total: int | None) -> None:
    assert str(Progress(100, total, 1, 0, 1.0)) == ("100 events, 1 pages/s, 0 requests in flight")


def test_progress_is_logged_at_intervals() -> None:
    lines: list[str] = []
    show = progress_logger(lines.append, interval=3_600)
    for _ in range(100):
        show(lambda: HALF)
    assert not lines
    show = progress_logger(lines.append, interval=0)
    show(lambda: HALF)
    assert lines == [str(HALF)]


def test_a_bar_shows_only_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(sys.stderr) as show:
        show(lambda: HALF)
    assert capsys.readouterr().err == ""


def test_a_bar_is_locked_against_other_threads_only() -> None:
    with progress_bar(sys.stderr):
        assert isinstance(tqdm.get_lock(), type(RLock()))  # type: ignore[no-untyped-call]


def test_a_long_sync_tells_the_dagster_log(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("event_assets.extract.progress.progress_logger.__defaults__", (0.0,))
    with Sandbox(250, faults=Faults(total="rows")) as api:
        assert project.sync(url=api.url, derived=False).success
    assert "of 250 events" in capfd.readouterr().err
