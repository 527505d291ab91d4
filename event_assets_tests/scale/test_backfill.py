"""A backfill of many accounts over Celery workers, compared with the APIs row by row.

`EVENTS_SCALE_ACCOUNTS` is how many accounts each test syncs, and `EVENTS_SCALE_EVENTS` how many
events each has, `EVENTS_SCALE_LATENCY` how long each answer waits, in seconds.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dagster import DagsterRunStatus

from event_assets_tests.scale.apis import Platform
from event_assets_tests.scale.backfills import Backfill, deployment, differences
from event_assets_tests.scale.broker import Broker
from event_assets_tests.scale.servers import Postgres
from event_assets_tests.support.polling import until

ACCOUNTS = int(os.environ.get("EVENTS_SCALE_ACCOUNTS", "6"))
EVENTS = int(os.environ.get("EVENTS_SCALE_EVENTS", "2000"))
LATENCY = float(os.environ.get("EVENTS_SCALE_LATENCY", "0.05"))  # seconds
PATIENCE = 240.0 + 20 * ACCOUNTS  # seconds
TESTS = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backfill")


@pytest.fixture(scope="module")
def broker(folder: Path) -> Iterator[Broker]:
    with Broker(folder) as running:
        yield running


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform(TESTS * ACCOUNTS, EVENTS, LATENCY) as running:
        yield running


@pytest.fixture(scope="module")
def backfill(
    folder: Path, platform: Platform, postgres: Postgres, broker: Broker
) -> Iterator[Backfill]:
    with deployment(folder, platform, postgres, broker) as ready:
        yield ready


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_accounts_are_shared_by_the_workers_there_are(
    workers: int, backfill: Backfill, record_property: Callable[[str, object], None]
) -> None:
    backfill.have_workers(workers)
    before = backfill.cpu_seconds()
    accounts = backfill.start(ACCOUNTS)
    backfill.await_good(accounts, PATIENCE)
    assert differences(backfill.cluster, backfill.platform, accounts) == []
    used = sum(backfill.cpu_seconds().values()) - sum(before.values())
    figures = [workers, len(accounts), backfill.span(accounts), used / len(accounts)]
    record_property("backfill", figures)


def test_the_accounts_of_a_killed_worker_are_done_by_others(backfill: Backfill) -> None:
    backfill.have_workers(4)
    victim = backfill.workers[0]

    def under_way() -> list[str]:
        runs = backfill.of(DagsterRunStatus.STARTED)
        return [run.run_id for run in runs if run.run_id in backfill.cluster.log(victim)]

    with backfill.platform.silence():
        accounts = backfill.start(ACCOUNTS)
        (lost,) = until(under_way, "a run of the victim")
        backfill.kill(victim)
    backfill.await_good(accounts, PATIENCE)
    assert {run.run_id for run in backfill.of(DagsterRunStatus.FAILURE)} >= {lost}
    (again,) = (run for run in backfill.of(DagsterRunStatus.SUCCESS) if run.parent_run_id == lost)
    assert again.run_id not in backfill.cluster.log(victim)
    assert differences(backfill.cluster, backfill.platform, accounts) == []


def test_nothing_is_lost_with_a_broker_that_forgets(backfill: Backfill, broker: Broker) -> None:
    backfill.have_workers(4)
    with backfill.platform.silence():
        accounts = backfill.start(ACCOUNTS)
        until(lambda: backfill.of(DagsterRunStatus.STARTED), "a run")
        broker.kill()
        broker.start()
    backfill.await_good(accounts, PATIENCE)
    assert differences(backfill.cluster, backfill.platform, accounts) == []
