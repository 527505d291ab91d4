"""A load that fails, at whatever step, leaves the tables as they were."""

import itertools
import linecache
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from tempfile import TemporaryFile
from types import FrameType
from typing import Any

import duckdb
import pytest
from dlt.common.storages import FileStorage

from event_assets import warehouse
from event_assets.config.source import SourceConfig
from event_assets.records.arrow_builder import Reject
from event_assets.sync.rejects import RejectBuffer
from event_assets.warehouse.destination import Destination
from event_assets.warehouse.load import load_package
from event_assets.warehouse.merge import TableLoad
from event_assets.warehouse.tables import ensure_table
from event_assets_tests.support.loads import (
    SCHEMA,
    TABLE,
    extracted,
    fail,
    load,
    nothing,
    records,
    rows,
)

SOURCE = SourceConfig(name=SCHEMA, rest_api={"client": {}, "resources": [{"name": TABLE}]})


TABLES = (
    TABLE,
    "_dlt_loads",
    "_dlt_version",
    "_dlt_pipeline_state",
    "event_data_rejects",
    "event_data_syncs",
)


STEP = re.compile(r"\bdatabase\.(execute|begin|commit|sql)\(")


pytestmark = [pytest.mark.in_process, pytest.mark.usefixtures("project")]


def test_whether_the_rows_fit_is_checked_again_after_a_conflict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempts: list[str] = []

    def also(_: str) -> None:
        attempts.append("written")
        if len(attempts) == 2:
            raise duckdb.TransactionException("of another writer")

    def conflicts(_: object, error: BaseException) -> bool:
        return isinstance(error, duckdb.TransactionException)

    monkeypatch.setattr(Destination, "is_conflict", conflicts)
    with extracted(records(0, 2)) as pipeline, warehouse.connect() as database:
        how = TableLoad(TABLE, ["id"])
        load_package(pipeline, database, how, also, lambda: attempts.append("checked"))
    assert attempts == ["checked", "written"] * 2
    assert rows() == [("000",), ("001",)]


def test_rows_that_do_not_fit_change_nothing() -> None:
    load(records(0, 1, v=1))
    with extracted(records(0, 2, v=2)) as pipeline, warehouse.connect() as database:
        how = TableLoad(TABLE, ["id"], alter_statements=["alter v type double"])
        with pytest.raises(OSError, match="full"):
            load_package(pipeline, database, how, nothing, fail)
    assert rows() == [("000", 1)]


def test_when_the_rows_are_in_a_full_disk_makes_no_load_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fill_disk(_: str) -> None:
        full.setattr(FileStorage, "save", fail)
        full.setattr(os, "mkdir", fail)

    with (
        extracted(records(0, 2)) as pipeline,
        warehouse.connect() as database,
        monkeypatch.context() as full,
    ):
        load_package(pipeline, database, TableLoad(TABLE, ["id"]), fill_disk)
    assert rows() == [("000",), ("001",)]
    load(records(2, 1))
    assert rows() == [("000",), ("001",), ("002",)]


class Interruption:
    """Fails before a line of ours that calls DuckDB; a trace function of Python."""

    def __init__(self, step: int) -> None:
        self._left = step

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_globals.get("__name__", "").startswith("event_assets."):
            return None
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
        if event == "line" and STEP.search(line):
            self._left -= 1
            if self._left < 0:
                sys.settrace(None)
                fail()
        return self


@contextmanager
def syncing(number: int) -> Iterator[Any]:
    """Extract the records of a sync; yield a pipeline."""
    rows = records(number, 50, v=number + 0.5, **{f"added_{number}": "x"})
    with extracted(rows) as pipeline:
        yield pipeline


def sync(pipeline: Any, number: int, step: int = sys.maxsize) -> None:
    """Load with rejects and the row of a sync; fail before a step of the load."""
    with TemporaryFile() as file, warehouse.connect() as database:
        rejects, now = RejectBuffer(file), datetime.now(UTC)
        rejects.append([Reject(f"bad {number}", "{}", "id", "is bad")])

        def also(load_id: str) -> None:
            rejects.merge_into_table(database, SOURCE.events, load_id, now)
            row = {"load_id": load_id, "number": number}
            columns = {"load_id": "text", "number": "bigint"}
            ensure_table(database, SCHEMA, "event_data_syncs", columns)
            database.execute("insert into events.event_data_syncs values (?, ?)", [*row.values()])

        sys.settrace(Interruption(step))
        try:
            changes = ["alter v type double"] if number else []
            how = TableLoad(TABLE, ["id"], alter_statements=changes)
            load_package(pipeline, database, how, also)
        finally:
            sys.settrace(None)


def everything() -> list[Any]:
    """Read all that a load writes."""
    with warehouse.connect() as database:
        tables = [database.sql(f"from events.{table} order by all") for table in TABLES]
        return [(table.columns, table.fetchall()) for table in tables]


def test_a_load_that_fails_before_any_step_leaves_all_as_it_was() -> None:
    with syncing(0) as pipeline:
        sync(pipeline, 0)
    before = everything()
    with syncing(1) as pipeline:
        for step in itertools.count():
            try:
                sync(pipeline, 1, step)
                break
            except OSError:
                assert everything() == before, f"step {step}"
    assert step > 20
    assert rows("select id, v from events.event_data order by id") == [
        ("000", 0.5),
        *((f"{number:03}", 1.5) for number in range(1, 51)),
    ]
    assert rows("select number from events.event_data_syncs order by all") == [(0,), (1,)]
    assert rows("select id from events.event_data_rejects order by all") == [("bad 0",), ("bad 1",)]
