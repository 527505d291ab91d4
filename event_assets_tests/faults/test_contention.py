"""Many at once: syncs of one source, readers, writers, two Dagsters. All end right, or say why."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from event_assets.warehouse import connection
from event_assets_tests.faults.holding import holding
from event_assets_tests.faults.killing import EVENTS, generation
from event_assets_tests.faults.tries import Tries, Try
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.platforms import definitions, events, paged, run, source
from event_assets_tests.support.project import BIN, ROOT, Project, failure
from event_assets_tests.support.sandbox import Faults, Sandbox

# Opens the file again and again, and prints how many events of which versions it sees.
READ = """
import duckdb, sys
while True:
    try:
        with duckdb.connect(sys.argv[1], read_only=True) as database:
            query = "select count(*), count(distinct version) from events.event_data"
            print(*database.sql(query).fetchall()[0], flush=True)
    except duckdb.IOException:
        print("locked", flush=True)
"""


def syncs(homes: list[Path | None]) -> "list[subprocess.CompletedProcess[str]]":
    """Start syncs at once, each with its own DAGSTER_HOME, if any; wait for all."""
    started = [
        subprocess.Popen(
            [BIN / "python", "-m", "event_assets"],
            cwd=ROOT,
            env={**os.environ, **({"DAGSTER_HOME": str(home)} if home else {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for home in homes
    ]
    ended = [process.communicate(timeout=240) for process in started]
    return [
        subprocess.CompletedProcess(process.args, process.returncode, *said)
        for process, said in zip(started, ended, strict=True)
    ]


def judge(this: Try, project: Project, api: Sandbox) -> None:
    rows = project.ids()
    this.lost = len({*api.ids()} - {*rows})
    this.doubled = len(rows) - len({*rows})


def test_syncs_of_one_source_in_two_dagsters_and_in_none_take_turns(
    project: Project, tries: Tries, tmp_path: Path
) -> None:
    homes: list[Path | None] = [None, None]
    for name in ("one", "two"):
        home = tmp_path / name
        home.mkdir()
        shutil.copy(ROOT / "dagster.yaml", home)
        # Dagster itself fails when two processes make its files at the same time.
        made = project.run("dagster", "instance", "migrate", DAGSTER_HOME=str(home))
        assert made.returncode == 0, made.stderr
        homes.append(home)
    with (
        tries.trying("4 syncs of one source, 2 of them with a DAGSTER_HOME") as this,
        Sandbox(500) as api,
    ):
        api.faults = Faults(latency=0.1)
        project.connect_to(api.url)
        for done in syncs(homes):
            assert done.returncode == 0, done.stderr
        assert project.rows("select count(*) from events.event_data_syncs") == [(4,)]
        judge(this, project, api)


@pytest.mark.parametrize("how", ["read", "write"])
def test_a_process_that_keeps_the_file_open_is_named(
    project: Project, tries: Tries, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tries.trying(f"a DuckDB that keeps the file open to {how}") as this, Sandbox(250) as api:
        project.sync(url=api.url)
        before = project.ids()
        api.replace(generation(0))
        monkeypatch.setattr(connection, "FOREIGN_LOCK_TIMEOUT", 1.0)
        with holding(project.database, how) as holder:
            sentence = failure(project.sync(url=api.url))
        assert f"(PID {holder.pid})" in sentence
        assert sentence.strip().endswith("close what holds it.")
        assert project.ids() == before
        assert project.sync(url=api.url).success
        judge(this, project, api)


def test_other_processes_may_open_the_file_while_the_api_is_read(
    project: Project, tries: Tries
) -> None:
    held: list[str] = []

    def answer(request: Request) -> Any:
        for how in ("read", "write") if project.database.exists() else ():
            with holding(project.database, how):
                held.append(how)
        return paged(events(150))(request)

    with tries.trying("other processes that open the file while the API is read") as this:
        with serving({"/v1/events": answer}) as api:
            loaded = definitions({"events": source(api.url, concurrency=1)})
            for _ in range(2):
                result = run(project, loaded)
                assert result.success, failure(result)
        assert held == ["read", "write"] * (len(held) // 2)
        assert len(held) >= 4
        this.lost = 150 - len(project.ids())


def test_a_reader_that_comes_again_and_again_sees_whole_tables_only(
    project: Project, tries: Tries
) -> None:
    with (
        tries.trying("a reader that opens the file all the time") as this,
        Sandbox(generation(0)) as api,
    ):
        project.sync(url=api.url)
        with subprocess.Popen(
            [sys.executable, "-c", READ, str(project.database)], stdout=subprocess.PIPE, text=True
        ) as reader:
            try:
                for number in range(1, 4):
                    api.replace(generation(number))
                    result = project.sync(url=api.url)
                    assert result.success, failure(result)
                    time.sleep(0.3)  # the reader looks
            finally:
                reader.kill()
            assert reader.stdout
            seen = set(reader.stdout.read().splitlines())
        whole = {f"{EVENTS + 50 * number} {number + 1}" for number in range(4)}
        assert seen <= whole | {"locked"}, seen
        assert len(seen & whole) > 1
        judge(this, project, api)
