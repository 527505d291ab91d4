"""A run whose process is gone is known by its lock, and fails; its slots are freed."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from event_assets._compat.dagster import WorkerStatus
from event_assets.orchestration import launcher
from event_assets_tests.support.project import ROOT

Status = dg.DagsterRunStatus
HOLD = """
import dagster, sys
from event_assets.orchestration.launcher import hold_run
with dagster.DagsterInstance.from_config(sys.argv[1]) as instance:
    held = hold_run(instance, sys.argv[2])
    print("held", flush=True)
    input()
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    return tmp_path


@dg.job
def nothing() -> None:
    """Do nothing."""


def test_a_run_lives_as_long_as_its_process_and_fails_after_it(home: Path) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        run = instance.create_run_for_job(nothing, status=Status.STARTED)
        other = instance.create_run_for_job(nothing, status=Status.STARTED)  # of another host
        storage = instance.event_log_storage
        storage.initialize_concurrency_limit_to_default("events_accounts")
        storage.claim_concurrency_slot("events_accounts", run.run_id, "event_data")
        health = instance.run_launcher.check_run_worker_health
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, home, run.run_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout
            assert process.stdout.readline() == b"held\n"
            assert health(run).status is WorkerStatus.RUNNING
            launcher.fail_dead_runs(instance)
            assert storage.get_concurrency_info("events_accounts").active_run_ids == {run.run_id}
            process.kill()
        assert health(run).status is WorkerStatus.NOT_FOUND
        assert health(other).status is WorkerStatus.RUNNING
        launcher.fail_dead_runs(instance)
        statuses = {each.run_id: each.status for each in instance.get_runs()}
        assert statuses == {run.run_id: Status.FAILURE, other.run_id: Status.STARTED}
        assert not storage.get_concurrency_info("events_accounts").active_run_ids
        instance.delete_run(run.run_id)
        instance.compute_log_manager.delete_logs(prefix=[run.run_id])
    assert not list((home / "storage").glob(f"{run.run_id}*"))


def test_dagster_looks_after_its_runs_in_time(home: Path) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        monitoring = instance.run_monitoring_settings
        assert isinstance(instance.run_launcher, launcher.EventsRunLauncher)
    seconds = {name: value for name, value in monitoring.items() if name.endswith("_seconds")}
    looked_at = monitoring["enabled"] and seconds["poll_interval_seconds"]
    assert 2 * looked_at + seconds["free_slots_after_run_end_seconds"] <= 60
    assert max(seconds["start_timeout_seconds"], seconds["cancel_timeout_seconds"]) <= 120
