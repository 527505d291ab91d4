"""A deployment that syncs many accounts into a lake, and what is in the lake in the end."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import yaml
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from event_assets import warehouse
from event_assets_tests.scale.apis import Platform
from event_assets_tests.scale.broker import Broker
from event_assets_tests.scale.cluster import Cluster
from event_assets_tests.scale.servers import Postgres
from event_assets_tests.support.polling import until
from event_assets_tests.support.project import ROOT

PARTITIONS = "events_accounts"
PARTITION = "dagster/partition"
LIST = "accounts.txt"
MOST_RUNS = 6  # that workers have, or that wait in the broker for one
OURS = ("account", "last_seen_at", "_dlt_load_id")  # columns that no record has


@dataclass
class Backfill:
    """A deployment, and the backfills that are done on it, each of accounts of its own.

    Attributes:
        cluster: its processes.
        platform: what is synced.
        instance: its Dagster.
        workers: the names of those that do runs.
    """

    cluster: Cluster
    platform: Platform
    instance: DagsterInstance
    workers: list[str] = field(default_factory=list)
    _asked: int = 0
    _names: Iterator[str] = field(default_factory=lambda: (f"worker{n}" for n in count()))

    def have_workers(self, number: int) -> None:
        """Start as many workers as are missing, each of one process."""
        new = [next(self._names) for _ in range(number - len(self.workers))]
        for name in new:
            self.cluster.start("worker", name, EVENTS_WORKER=name)
        for name in new:
            self.cluster.await_health("worker", name, EVENTS_WORKER=name)
        self.workers += new

    def kill(self, worker: str) -> None:
        """Kill a worker and what it is doing."""
        self.cluster.kill(worker)
        self.workers.remove(worker)

    def start(self, number: int) -> list[str]:
        """Ask for a backfill of so many accounts, as the UI does, and give these."""
        accounts = self.platform.accounts[self._asked : self._asked + number]
        listed(self.cluster.project, accounts)
        self.instance.add_dynamic_partitions(PARTITIONS, accounts)  # as the sensor would, soon
        for before in set(self.instance.get_dynamic_partitions(PARTITIONS)) - set(accounts):
            self.instance.delete_dynamic_partition(PARTITIONS, before)
        self._asked += number
        done = self.cluster.run(f"{self.cluster.folder}/backfill")
        assert done.returncode == 0, done.stderr + done.stdout
        return accounts

    def of(self, status: DagsterRunStatus) -> list[DagsterRun]:
        """Return the runs so far."""
        return list(self.instance.get_runs(RunsFilter(statuses=[status])))

    def await_good(self, accounts: Collection[str], patience: float) -> None:
        """Wait until accounts have been synced."""

        def good() -> bool:
            done = {run.tags.get(PARTITION) for run in self.of(DagsterRunStatus.SUCCESS)}
            return done.issuperset(accounts)

        until(good, f"the sync of {len(accounts)} accounts", patience)

    def span(self, accounts: Collection[str]) -> float:
        """Return the seconds from the first start of a run to the last end."""
        records = [
            record
            for record in self.instance.get_run_records()
            if record.dagster_run.tags.get(PARTITION) in accounts
        ]
        starts = [record.start_time for record in records if record.start_time]
        return max(record.end_time or 0.0 for record in records) - min(starts)

    def cpu_seconds(self) -> dict[str, float]:
        """Return the CPU seconds of each process so far."""
        return {name: self.cluster.cpu_seconds(name) for name in self.cluster.names()}


@contextmanager
def deployment(
    folder: Path, platform: Platform, postgres: Postgres, broker: Broker
) -> Iterator[Backfill]:
    """Run a deployment without workers, for an empty lake."""
    project = clone(folder / "project")
    home = folder / "home"
    home.mkdir()
    cluster = Cluster(
        home,
        project,
        postgres,
        broker,
        EVENTS_API_URL=platform.url,
        EVENTS_DESTINATION="ducklake",
        EVENTS_DUCKLAKE_CATALOG=postgres.database(),
        EVENTS_DUCKLAKE_STORAGE=str(folder / "lake"),
        **platform.keys(),
    )
    cluster.configure(
        {
            "run_monitoring": {"poll_interval_seconds": 2, "start_timeout_seconds": 45},
            "concurrency": {
                "runs": {"max_concurrent_runs": MOST_RUNS},
                "pools": {"granularity": "run", "default_limit": MOST_RUNS},
            },
        }
    )
    try:
        with cluster.running("code", "daemon"), cluster.instance() as instance:
            yield Backfill(cluster, platform, instance)
    finally:
        cluster.stop()


def clone(project: Path) -> Path:
    """Copy the project, with accounts of the platform in its one source, none at first."""
    project.mkdir()
    for name in ("pyproject.toml", "setup.cfg"):
        shutil.copy(ROOT / name, project / name)
    shutil.copytree(ROOT / "event_assets", project / "event_assets")
    contract = project / "event_assets" / "defs" / "events" / "defs.yaml"
    document = yaml.safe_load(contract.read_text())
    attributes = document["attributes"]
    attributes["accounts"] = {"file": LIST}
    attributes["rest_api"]["resources"][0]["endpoint"]["path"] = "/{account}/v1/events"
    del attributes["schedule"]
    contract.write_text(yaml.safe_dump(document))
    listed(project, [])
    return project


def listed(project: Path, accounts: Sequence[str]) -> None:
    """Have these accounts in the project's list."""
    new = project / f"{LIST}.new"
    new.write_text("\n".join(accounts))
    new.rename(project / LIST)


def rows_of(cluster: Cluster, query: str) -> list[dict[str, Any]]:
    """Look into the lake."""
    with cluster.entered(), warehouse.connect() as database:
        found = database.sql(query)
        names = found.columns
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def differences(cluster: Cluster, platform: Platform, accounts: Collection[str]) -> list[str]:
    """Compare accounts in the table with their APIs, row by row; say what is not the same."""
    rows = rows_of(cluster, "from events.event_data")
    table = Counter((r["account"], as_text(r)) for r in rows if r["account"] in accounts)
    records = (pair for pair in platform.records() if pair[0] in accounts)
    apis = Counter((account, as_text(record)) for account, record in records)
    return [f"lost: {row}" for row in apis - table] + [f"too many: {row}" for row in table - apis]


def as_text(record: Mapping[str, Any]) -> str:
    """Write all that an API says of an event, the same for a row of the table."""
    known = ((name, record[name]) for name in sorted(record) if name not in OURS)
    return repr([(name, _comparable(value)) for name, value in known])


def _comparable(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
