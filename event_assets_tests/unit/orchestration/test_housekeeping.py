"""Dagster's history of runs stays bounded."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from event_assets.definitions import defs
from event_assets.orchestration.housekeeping import purge_runs
from event_assets_tests.support.project import Project, execute
from event_assets_tests.support.sandbox import KEY, Sandbox


@pytest.fixture
def kept(project: Project, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance with a history on disk, as in a home of its own."""
    home = tmp_path / "dagster"
    home.mkdir()
    project.environment.setenv("DAGSTER_HOME", str(home))
    with dg.DagsterInstance.get() as instance:
        yield instance


def sync(instance: dg.DagsterInstance) -> str:
    job = defs().resolve_job_def("sync_events")
    return execute(job, instance, derived=False).run_id


def in_a_while(days: float = 1) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def logs(home: Path, run_id: str) -> list[Path]:
    return list((home / "storage" / run_id).rglob("*.err"))


def test_old_runs_go_with_their_logs_and_the_newest_stays(
    project: Project, kept: dg.DagsterInstance, tmp_path: Path, api: Sandbox
) -> None:
    project.connect_to(api.url, KEY)
    runs = [sync(kept) for _ in range(2)]
    assert purge_runs(kept, in_a_while(-1)) == 0
    assert len(kept.get_run_records()) == 2
    assert logs(tmp_path / "dagster", runs[0])
    assert purge_runs(kept, in_a_while()) == 1
    assert [record.dagster_run.run_id for record in kept.get_run_records()] == [runs[1]]
    assert not logs(tmp_path / "dagster", runs[0])
    newest = kept.get_latest_materialization_event(dg.AssetKey("event_data"))
    assert newest is not None


def test_the_job_keeps_runs_for_as_long_as_is_set(
    project: Project, kept: dg.DagsterInstance, api: Sandbox
) -> None:
    project.connect_to(api.url, KEY)
    sync(kept)
    job = defs().resolve_job_def("housekeeping")
    assert job.execute_in_process(instance=kept).success
    assert len(kept.get_run_records()) == 2
    project.environment.setenv("EVENTS_KEEP_RUNS_DAYS", "0")
    assert job.execute_in_process(instance=kept).success
    jobs = sorted(record.dagster_run.job_name for record in kept.get_run_records())
    assert jobs == ["housekeeping", "sync_events"]


def test_runs_of_another_code_location_stay(project: Project, kept: dg.DagsterInstance) -> None:
    project.environment.setenv("EVENTS_KEEP_RUNS_DAYS", "0")
    tag = "dagster/code_location"
    job = defs().resolve_job_def("housekeeping")
    for location in ("theirs", "ours", "ours"):
        assert job.execute_in_process(instance=kept, tags={tag: location}).success
    assert [run.tags[tag] for run in kept.get_runs()] == ["ours", "theirs"]


def test_it_runs_every_night(project: Project) -> None:
    assert project
    schedule = defs().resolve_schedule_def("housekeeping_schedule")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
