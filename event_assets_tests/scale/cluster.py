"""A deployment as `deploy/celery` describes it, on this machine: real processes, real servers."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef

from event_assets_tests.scale.broker import Broker
from event_assets_tests.scale.servers import Postgres
from event_assets_tests.support.polling import PATIENCE, free_port, until
from event_assets_tests.support.project import ROOT

DEPLOYMENT = ROOT / "deploy" / "celery"
BIN = Path(sys.executable).parent
SERVERS = ("code", "daemon")
PATIENCE_AT_THE_END = 60.0  # seconds
TICK = os.sysconf("SC_CLK_TCK")


class Cluster:
    """The processes of one deployment.

    Attributes:
        folder: DAGSTER_HOME and logs.
        project: the project's code, which all processes run.
        environment: of all processes.
    """

    def __init__(
        self, folder: Path, project: Path, postgres: Postgres, broker: Broker, **settings: str
    ) -> None:
        self.folder = folder
        self.project = project
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(folder),
            "PYTHONPATH": str(project),
            "DAGSTER_HOME": str(folder),
            "DAGSTER_POSTGRES": postgres.database().replace("://", "+psycopg2://", 1),
            "EVENTS_BROKER": broker.url,
            "EVENTS_CODE_HOST": "127.0.0.1",
            "EVENTS_CODE_PORT": str(free_port()),
            "EVENTS_WORKER_PROCESSES": "1",
            **settings,
        }

    def configure(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Lay out the deployment's own files, with smaller times, and make Dagster's tables."""
        settings = yaml.safe_load((DEPLOYMENT / "dagster.yaml").read_text())
        for section, values in changes.items():
            settings[section] |= values
        (self.folder / "dagster.yaml").write_text(yaml.safe_dump(settings))
        for name in ("Procfile", "backfill", "health", "start", "workspace.yaml"):
            shutil.copy(DEPLOYMENT / name, self.folder)
        # Processes that start together would each try to make them.
        migration = self.run("dagster instance migrate")
        assert migration.returncode == 0, migration.stderr

    def start(self, kind: str, name: str | None = None, **environment: str) -> None:
        """Start a process of the Procfile."""
        name = name or kind
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [self.folder / "start", kind],
                cwd=self.project,
                env={**self.environment, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @contextmanager
    def running(self, *kinds: str) -> Iterator[None]:
        """Run processes of the Procfile for the length of a block, from when they are well."""
        try:
            for kind in kinds:
                self.start(kind)
            for kind in kinds:
                self.await_health(kind)
            yield
        finally:
            self.stop(kind for kind in kinds if kind in self._processes)

    def await_health(self, kind: str, name: str | None = None, **environment: str) -> None:
        """Wait until a process passes the deployment's own check."""

        def well() -> bool:
            assert self._processes[name or kind].poll() is None, self.log(name or kind)
            check = self.run(f"{self.folder}/health {kind}", **environment)
            return check.returncode == 0

        until(well, f"the start of {name or kind}")

    def kill(self, name: str) -> None:
        """End a process and all its children at once, as a host that loses its power."""
        process = self._processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_children(self, name: str) -> None:
        """Kill the processes that a worker does its runs in, as for want of memory."""
        for child in children_of(self._processes[name].pid):
            os.kill(child, signal.SIGKILL)

    def stop(self, names: Iterable[str] | None = None) -> None:
        """End processes as a service manager would."""
        chosen = list(self._processes if names is None else names)
        going = {name: self._processes.pop(name) for name in chosen}
        for process in going.values():
            process.terminate()
        for name, process in going.items():
            try:
                process.wait(PATIENCE_AT_THE_END)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                # A code server may wait for those that it serves; a worker has nobody to wait for.
                assert name in SERVERS, f"{name} did not end: {self.log(name)}"

    def run(self, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command line in the deployment's environment."""
        return subprocess.run(
            shlex.split(command),
            cwd=self.project,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def launch(self, job: str) -> dg.DagsterRun:
        """Ask for a run, as the UI does: it waits in the queue."""
        with self.instance() as instance:
            before = {run.run_id for run in instance.get_runs()}
            done = self.run(f"dagster job launch -w {self.folder}/workspace.yaml -j {job}")
            assert done.returncode == 0, done.stderr
            (new,) = (run for run in instance.get_runs() if run.run_id not in before)
            return new

    def log(self, name: str) -> str:
        """Return the output of a process."""
        return (self.folder / f"{name}.log").read_text()

    def cpu_seconds(self, name: str) -> float:
        """Return the CPU seconds of a process and its children."""
        parent = self._processes[name].pid
        return sum(_cpu_seconds(pid) for pid in (parent, *children_of(parent)))

    def names(self) -> list[str]:
        """Return the names of the running processes."""
        return list(self._processes)

    @contextmanager
    def instance(self) -> Iterator[DagsterInstance]:
        """Open the Dagster instance from here."""
        with (
            self.entered(),
            DagsterInstance.from_ref(InstanceRef.from_dir(str(self.folder))) as instance,
        ):
            yield instance

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Have the deployment's environment in this process, for the length of a block."""
        before = dict(os.environ)
        os.environ.update(self.environment)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def children_of(parent: int) -> list[int]:
    """Return the children of a process."""
    path = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(pid) for pid in path.read_text().split()]


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICK  # its own and of its children that ended
