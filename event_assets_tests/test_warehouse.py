"""The DuckDB file: where it is, and who may write it when."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from event_assets import warehouse
from event_assets_tests.conftest import Project


def test_the_database_lies_under_the_project_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVENTS_DUCKDB", raising=False)
    assert warehouse.path() == warehouse.PROJECT_ROOT / "data" / "warehouse.duckdb"


def test_a_relative_path_is_taken_from_the_project_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTS_DUCKDB", "elsewhere/x.duckdb")
    assert warehouse.path() == warehouse.PROJECT_ROOT / "elsewhere" / "x.duckdb"


def test_a_file_held_by_another_process_is_named_with_that_process(project: Project) -> None:
    with warehouse.connect():
        pass
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(project.database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(warehouse.WarehouseError) as failed, warehouse.connect():
            pass
        assert holder.stdin
        holder.stdin.close()
    assert str(project.database) in str(failed.value)
    assert f"PID {holder.pid}" in str(failed.value)
    assert failed.value.__context__ is None


@pytest.mark.usefixtures("project")
def test_a_second_sync_of_a_source_waits_for_the_first() -> None:
    order: list[str] = []
    entered, leave = threading.Event(), threading.Event()

    def first() -> None:
        with warehouse.pipeline("events"):
            entered.set()
            leave.wait(30)
            order.append("first ended")

    def second() -> None:
        with warehouse.pipeline("events"):
            order.append("second began")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert entered.wait(30)
    threads[1].start()
    leave.set()
    for thread in threads:
        thread.join(30)
    assert order == ["first ended", "second began"]


@pytest.mark.usefixtures("project")
def test_a_database_named_like_its_schema_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EVENTS_DUCKDB", str(tmp_path / "events.duckdb"))
    with (
        pytest.raises(warehouse.WarehouseError, match="another name"),
        warehouse.pipeline("events"),
    ):
        pass
