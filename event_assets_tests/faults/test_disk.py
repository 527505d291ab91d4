"""Disks that are full, read-only or broken: one sentence, and never a half-written table."""

import ctypes
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from starlette.requests import Request

from event_assets_tests.faults.killing import generation
from event_assets_tests.faults.tries import Tries
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.http_sessions import PATH
from event_assets_tests.support.platforms import events, paged
from event_assets_tests.support.project import ROOT, Project, failure
from event_assets_tests.support.sandbox import Sandbox

SIZE = 24  # MB of the disk
KB = 1024
BEFORE_ANY = ("The database ", "Dagster's history ")  # what cannot be used before an asset begins
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1  # of Linux


@dataclass
class Disk:
    """A small disk of its own; where none can be mounted, files have a limit in its place."""

    folder: Path
    mounted: bool

    @contextmanager
    def full(self, left: int) -> Iterator[Callable[[], None]]:
        """Leave only so many bytes; gives what a process must call first."""
        if self.mounted:
            filler = self.folder / "filler"
            filler.write_bytes(b"x" * (shutil.disk_usage(self.folder).free - left))
            try:
                yield lambda: None
            finally:
                filler.unlink()
        else:
            limit = (max(left, 8 * KB), resource.RLIM_INFINITY)  # less stops Python itself
            yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    @contextmanager
    def read_only(self) -> Iterator[Callable[[], None]]:
        """Let nobody write; gives what a process must call first."""
        if self.mounted:
            subprocess.run(["mount", "-o", "remount,ro", str(self.folder)], check=True)
            yield lambda: None
            subprocess.run(["mount", "-o", "remount,rw", str(self.folder)], check=True)
        else:
            everything = [self.folder, *self.folder.rglob("*")]
            modes = [file.stat().st_mode for file in everything]
            for file in everything:
                file.chmod(0o555)
            yield _write_only_where_allowed
            for file, mode in zip(everything, modes, strict=True):
                file.chmod(mode)


def _write_only_where_allowed() -> None:
    """Take from root, for the program that follows, the right to write everywhere."""
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "tmpfs", str(folder)]
    mounted = (
        os.geteuid() == 0
        and shutil.which("mount") is not None
        and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    )
    yield Disk(folder, mounted)
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


def sync(preparation: Callable[[], None] = lambda: None) -> "subprocess.CompletedProcess[str]":
    """Sync as `make run` does."""
    return subprocess.run(
        [sys.executable, "-m", "event_assets"],
        cwd=ROOT,
        preexec_fn=preparation,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def judge(done: "subprocess.CompletedProcess[str]", *expected: str) -> None:
    """The command failed, with one sentence a failed asset, or one before any was begun."""
    assert done.returncode == 1, done.stdout
    assert done.stderr, done.stdout
    for line in done.stderr.splitlines():
        if line.startswith("If this sync is interrupted"):
            continue  # its journal had no room either
        assert " failed: " in line or line.startswith(BEFORE_ANY), done.stderr[:3000]
        assert line.endswith("."), line
        assert any(words in line for words in expected), line


@pytest.fixture
def good(project: Project, disk: Disk) -> Iterator[Sandbox]:
    """An API that was synced once, into a database on the small disk."""
    project.environment.setenv("EVENTS_DUCKDB", str(disk.folder / "data" / "warehouse.duckdb"))
    with Sandbox(generation(0)) as api:
        project.connect_to(api.url)
        first = sync()
        assert first.returncode == 0, first.stderr
        yield api


def versions(disk: Disk) -> dict[str, int]:
    with duckdb.connect(disk.folder / "data" / "warehouse.duckdb") as database:
        rows = database.sql("select id, version from events.event_data").fetchall()
    assert len(rows) == len({id for id, _ in rows}), "doubled"
    return dict(rows)


def test_a_full_disk_leaves_the_table_as_it_was(disk: Disk, good: Sandbox, tries: Tries) -> None:
    before = versions(disk)
    after = before | {event["id"]: 1 for event in generation(1)}
    good.replace(generation(1))
    stages = set()
    for left in (0, 50, 200, 400, 800):
        with tries.trying("a full disk"):
            with disk.full(left * KB) as limit:
                done = sync(limit)
            found = versions(disk)
            if "\nevents  " in done.stdout:  # they were in, and something after them failed
                assert found == after
                before = found
            else:
                assert found == before
            judge(done, "No space left on device", "File too large", "cannot be written: disk I/O")
            assert "make room on its disk" in done.stderr or "the space on the disk" in done.stderr
        package = disk.folder / "data/dlt/warehouse/events/normalize/extracted"
        stages.add("load" if any(package.glob("*")) else "stage")
    with tries.trying("a full disk: the sync after it") as this:
        assert sync().returncode == 0
        found = versions(disk)
        this.lost = sum(found.get(key) != version for key, version in after.items())
    assert stages == {"load", "stage"}


def test_a_read_only_disk_is_reported(disk: Disk, good: Sandbox, tries: Tries) -> None:
    before = versions(disk)
    good.replace(generation(1))
    with tries.trying("a read-only disk"), disk.read_only() as preparation:
        judge(sync(preparation), "let the user who syncs write there")
    assert versions(disk) == before


def test_a_missing_folder_is_created_and_a_file_in_its_place_is_reported(
    project: Project, tries: Tries, tmp_path: Path
) -> None:
    with Sandbox(3) as api:
        with tries.trying("a missing folder"):
            there = tmp_path / "a" / "b" / "w.duckdb"
            project.environment.setenv("EVENTS_DUCKDB", str(there))
            assert project.sync(url=api.url).success
            assert there.exists()
        places: dict[str, Any] = {
            "a folder that is a file": there / "w.duckdb",
            "a database that is a folder": there.parent,
            "a name that is too long": tmp_path / ("x" * 300 + ".duckdb"),
        }
        for name, place in places.items():
            with tries.trying(name):
                project.environment.setenv("EVENTS_DUCKDB", str(place))
                said = failure(project.sync(url=api.url)).strip()
                assert said.endswith("name another file in EVENTS_DUCKDB.")


@pytest.mark.parametrize("removed", ["data", "data/dlt"])
def test_a_folder_that_is_removed_during_a_sync_is_reported(
    project: Project, tries: Tries, removed: str
) -> None:
    def answer(request: Request) -> Any:
        if request.query_params["offset"] != "0":
            shutil.rmtree(project.database.parent.parent / removed, ignore_errors=True)
        return paged(events(2_000))(request)

    with serving({PATH: answer}) as api, tries.trying(f"a folder removed: {removed}"):
        project.connect_to(api.url)
        result = project.sync(url=api.url)
        if not result.success:
            said = failure(result).strip()
            assert said.endswith("leave its folder alone while it runs, and sync again."), said
            assert "\n" not in said
        with serving({PATH: paged(events(2_000))}) as good:
            assert project.sync(url=good.url, accept_new_origin=True).success
        assert len(project.ids()) == 2_000
