"""The set-up of `deploy/celery`, with a queue, a broker and a worker that are real."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from dagster import DagsterEventType, DagsterRun, DagsterRunStatus

from event_assets_tests.scale.broker import Broker
from event_assets_tests.scale.cluster import Cluster
from event_assets_tests.scale.servers import Postgres
from event_assets_tests.support.polling import until
from event_assets_tests.support.project import ROOT
from event_assets_tests.support.sandbox import Sandbox

SCHEDULES = ("sync_events_schedule", "check_events_are_fresh_schedule")
SECRET = "a-key-that-nobody-may-see"
ENDED = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)


@pytest.fixture(scope="module")
def api() -> Iterator[Sandbox]:
    with Sandbox(500, SECRET) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deployment")


@pytest.fixture(scope="module")
def broker(folder: Path) -> Iterator[Broker]:
    with Broker(folder) as running:
        yield running


@pytest.fixture(scope="module")
def cluster(folder: Path, api: Sandbox, postgres: Postgres, broker: Broker) -> Iterator[Cluster]:
    """A code server, a daemon and a worker, which answer."""
    cluster = Cluster(
        folder,
        ROOT,
        postgres,
        broker,
        EVENTS_API_URL=api.url,
        API_KEY=SECRET,
        EVENTS_DUCKDB=str(folder / "data" / "warehouse.duckdb"),
    )
    cluster.configure({"run_monitoring": {"poll_interval_seconds": 2}})
    try:
        with cluster.running("code"):
            for schedule in SCHEDULES:  # only the tests ask for runs
                stopped = cluster.run(
                    f"dagster schedule stop -w {folder}/workspace.yaml {schedule}"
                )
                assert stopped.returncode == 0, stopped.stderr
            with cluster.running("daemon", "worker"):
                yield cluster
    finally:
        cluster.stop()


def end_of(cluster: Cluster, run: DagsterRun) -> DagsterRunStatus:
    """Wait until a run has ended."""

    def ended() -> DagsterRunStatus | None:
        found = instance.get_run_by_id(run.run_id)
        return found.status if found and found.status in ENDED else None

    with cluster.instance() as instance:
        return until(ended, f"the end of {run.run_id}")


def test_a_run_is_done_by_a_worker(cluster: Cluster) -> None:
    run = cluster.launch("sync_events")
    assert end_of(cluster, run) == DagsterRunStatus.SUCCESS
    assert f"{run.run_id} - " in cluster.log("worker")  # where it reports what it does


def begun(cluster: Cluster, run: DagsterRun) -> None:
    """Wait until a run does its first step."""
    with cluster.instance() as instance:
        until(
            lambda: instance.all_logs(run.run_id, of_type=DagsterEventType.STEP_START),
            "its first step",
        )


def test_a_run_that_is_cancelled_ends_and_its_worker_goes_on(
    cluster: Cluster, api: Sandbox
) -> None:
    api.faults.latency = 600
    run = cluster.launch("sync_events")
    try:
        begun(cluster, run)
        with cluster.instance() as instance:
            instance.report_run_canceling(run)
            instance.run_launcher.terminate(run.run_id)
        assert end_of(cluster, run) == DagsterRunStatus.CANCELED
    finally:
        api.faults.latency = 0
    assert end_of(cluster, cluster.launch("sync_events")) == DagsterRunStatus.SUCCESS


def test_a_run_whose_process_is_killed_is_done_once_more(cluster: Cluster, api: Sandbox) -> None:
    api.faults.latency = 600
    run = cluster.launch("sync_events")
    try:
        begun(cluster, run)
        cluster.kill_children("worker")
    finally:
        api.faults.latency = 0
    assert end_of(cluster, run) == DagsterRunStatus.FAILURE

    def another() -> DagsterRun | None:
        return next((r for r in instance.get_runs() if r.parent_run_id == run.run_id), None)

    with cluster.instance() as instance:
        assert end_of(cluster, until(another, "another run")) == DagsterRunStatus.SUCCESS


def test_no_password_and_no_key_is_sent_or_kept(cluster: Cluster, broker: Broker) -> None:
    cluster.stop(["worker"])
    run = cluster.launch("sync_events")
    until(broker.messages, "a message")
    (message,) = broker.messages()
    assert run.run_id in message
    address = cluster.environment["DAGSTER_POSTGRES"]
    kept = list(everything_in(address))
    assert any(run.run_id in row for row in kept)
    password = urlsplit(address).password
    for secret in (SECRET, str(password)):
        assert secret not in message
        assert not any(secret in row for row in kept)
    cluster.start("worker")
    assert end_of(cluster, run) == DagsterRunStatus.SUCCESS


def everything_in(address: str) -> Iterator[str]:
    """Return each row of each table of a database as text."""
    with closing(psycopg2.connect(address.replace("+psycopg2", ""))) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "select table_name from information_schema.tables where table_schema = 'public'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'select t::text from "{table}" t')
            yield from (row for (row,) in cursor.fetchall())
