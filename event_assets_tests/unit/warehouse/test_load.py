"""What a pipeline has normalized is loaded in one transaction, whatever happens."""

import itertools
import linecache
import os
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import partial
from tempfile import TemporaryFile
from types import FrameType
from typing import Any, NoReturn

import dlt
import duckdb
import pyarrow as pa
import pytest
from dlt.common.storages import FileStorage

from event_assets import warehouse
from event_assets.config.source import SourceConfig
from event_assets.records.arrow_builder import Reject
from event_assets.sync.rejects import RejectBuffer
from event_assets.warehouse import Database, TableLoad, inspection
from event_assets.warehouse.destination import Destination
from event_assets.warehouse.reconcile import ensure_table
from event_assets_tests.support.project import Project

NAME, SCHEMA, TABLE = "events", "events", "event_data"
SOURCE = SourceConfig(name=SCHEMA, rest_api={"client": {}, "resources": [{"name": TABLE}]})
TABLES = (TABLE, "_dlt_loads", "_dlt_pipeline_state", "event_data_rejects", "event_data_syncs")
MERGE = {"disposition": "merge", "strategy": "delete-insert"}
STEP = re.compile(r"\bdatabase\.(execute|begin|commit|sql)\(")
pytestmark = pytest.mark.usefixtures("project")


def nothing(_: str) -> None:
    """Write nothing beside the rows."""


def fail(*_: Any) -> NoReturn:
    raise OSError("The disk is full")


@contextmanager
def extracted(*tables: pa.Table, key: Sequence[str] = ("id",), **hints: Any) -> Iterator[Any]:
    """Extract and normalize tables, as a sync does; yield the pipeline."""

    def rows() -> Iterator[Any]:
        yield dlt.mark.materialize_table_schema()
        yield from tables

    given = {"primary_key": key, "write_disposition": MERGE} if key else {}
    resource = dlt.resource(rows, name=TABLE, **{**given, **hints})
    with warehouse.open_pipeline(NAME, SCHEMA) as pipeline:
        schema = warehouse.run(partial(warehouse.restore_schema, pipeline))
        pipeline.extract(resource, schema=schema, loader_file_format="parquet")
        pipeline.normalize()
        yield pipeline


def load(
    *tables: pa.Table,
    key: Sequence[str] = ("id",),
    also: Callable[[Database, str], None] = lambda _, __: None,
    hints: dict[str, Any] | None = None,
    **options: Any,
) -> None:
    """Load tables of records."""
    with extracted(*tables, key=key, **hints or {}) as pipeline, warehouse.connect() as database:
        how = TableLoad(TABLE, key, **options)
        warehouse.load_package(pipeline, database, how, lambda load_id: also(database, load_id))


def rows(query: str = "select * exclude (_dlt_load_id) from events.event_data order by id") -> Any:
    with warehouse.connect() as database:
        return database.sql(query).fetchall()


def records(first: int, number: int, **columns: Any) -> pa.Table:
    """Build records with the ids from `first` on."""
    ids = [f"{number:03}" for number in range(first, first + number)]
    return pa.table({"id": ids, **{name: [value] * number for name, value in columns.items()}})


def test_rows_with_the_same_key_are_replaced_and_the_others_stay() -> None:
    load(records(0, 3, name="old"))
    load(records(1, 3, name="new"))
    assert rows() == [("000", "old"), *((id_, "new") for id_ in ("001", "002", "003"))]


def test_a_column_that_does_not_come_again_becomes_null() -> None:
    load(records(0, 2, name="x", size=1))
    load(records(0, 1, name="y"))
    assert rows() == [("000", "y", None), ("001", "x", 1)]


def test_the_first_record_of_a_key_is_loaded() -> None:
    load(pa.table({"id": ["000", "000"], "v": [4, 3]}), records(0, 2, v=2), records(0, 2, v=1))
    assert rows() == [("000", 4), ("001", 2)]
    load(records(0, 2, v=5), is_deduplicated=True)
    assert rows() == [("000", 5), ("001", 5)]


def test_a_key_may_have_several_columns() -> None:
    key = ("account", "id")
    load(records(0, 2, account="a", v=1), records(0, 2, account="b", v=1), key=key)
    load(records(1, 1, account="a", v=3), records(0, 2, account="a", v=2), key=key)
    assert rows("select account, id, v from events.event_data order by all") == [
        ("a", "000", 2),
        ("a", "001", 3),
        ("b", "000", 1),
        ("b", "001", 1),
    ]


def test_without_a_key_the_rows_are_replaced() -> None:
    load(records(0, 3), key=())
    load(records(1, 1), records(1, 1), key=())
    assert rows() == [("001",), ("001",)]


def test_without_a_key_the_rows_of_other_accounts_stay() -> None:
    load(records(0, 2, account="a"), key=(), account="a")
    load(records(0, 2, account="it's b"), key=(), account="it's b")
    load(records(5, 1, account="it's b"), key=(), account="it's b")
    assert rows("select account, id from events.event_data order by all") == [
        ("a", "000"),
        ("a", "001"),
        ("it's b", "005"),
    ]


def test_rows_without_a_key_can_be_kept() -> None:
    load(records(0, 1), key=(), keeps_rows=True)  # there are none to keep
    load(records(1, 1), key=(), keeps_rows=True)
    assert rows() == [("000",)]
    assert rows("select count(*) from events._dlt_loads") == [(2,)]


@pytest.mark.parametrize("key", [("id",), ()])
def test_no_record_makes_a_table_and_a_load(key: Sequence[str]) -> None:
    load(records(0, 0), key=key, hints={"columns": {"id": {"data_type": "text"}}})
    assert rows("select count(*) from events.event_data") == [(0,)]
    assert rows("select status from events._dlt_loads") == [(0,)]


def test_columns_may_have_any_name_that_dlt_gives() -> None:
    names = ["d", "s", "f", "t", "key", "files", "select", "filename", "file_row_number", "rowid"]
    for value in ('{"id": "x", "k": "y"}', '{"id": "z"}'):
        load(records(0, 1, select="first"), records(0, 2, **dict.fromkeys(names, value)))
    assert rows('select id, "select", files from events.event_data order by id') == [
        ("000", "first", None),
        ("001", '{"id": "z"}', '{"id": "z"}'),
    ]


def test_key_and_account_may_be_words_of_sql() -> None:
    for value in (1, 2):
        load(records(0, 2, select="x", order=value), key=("select", "id"))
    assert rows('select "order" from events.event_data') == [(2,), (2,)]


@pytest.mark.parametrize("folder", ["a=b", "a [1]*", "it"])
def test_the_folder_of_the_database_may_have_any_name(
    project: Project, folder: str, tmp_path: Any
) -> None:
    project.environment.setenv("EVENTS_DUCKDB", str(tmp_path / folder / "w.duckdb"))
    load(records(0, 2))
    load(records(0, 2))
    assert rows() == [("000",), ("001",)]


def test_columns_change_their_types_with_the_rows() -> None:
    load(records(0, 2, size=1, opens="at dawn"))
    changes = ["alter size type double", "rename opens to opens__v_text", "add opens timestamptz"]
    time = datetime(2026, 5, 1, tzinfo=timezone.utc)
    with pytest.raises(OSError, match="full"):
        load(records(0, 1, size=1.5, opens=time), also=fail, alter_statements=changes)
    assert rows() == [("000", 1, "at dawn"), ("001", 1, "at dawn")]
    load(records(0, 1, size=1.5, opens=time), alter_statements=changes)
    assert rows("select id, size, opens, opens__v_text from events.event_data order by id") == [
        ("000", 1.5, time, None),
        ("001", 1.0, None, "at dawn"),
    ]


def test_columns_that_a_failed_load_added_harm_no_later_one() -> None:
    load(records(0, 2, v=1))
    with pytest.raises(OSError, match="full"):
        load(records(0, 2, v=2, added="x"), also=fail)
    load(records(0, 1, v=3))
    assert rows() == [("000", 3, None), ("001", 1, None)]


def test_the_hints_of_columns_are_known_even_if_their_first_load_failed() -> None:
    with pytest.raises(OSError, match="full"):
        load(records(0, 2, a_b=1), also=fail, hints={"columns": {"a_b": {"x-path": ["a", "b"]}}})
    with warehouse.connect() as database:
        found = inspection.stored_columns(database, SCHEMA, TABLE)
    assert {*found} == {"id", "a_b", "_dlt_load_id"}
    assert found["a_b"]["x-path"] == ["a", "b"]


def test_the_log_of_the_database_stays_small() -> None:
    with extracted(records(0, 2)) as pipeline, warehouse.connect() as database:
        warehouse.load_package(pipeline, database, TableLoad(TABLE, ["id"]), nothing)
        ((threshold,),) = database.sql("select current_setting('checkpoint_threshold')").fetchall()
    assert threshold == "15.2 MiB"


def test_the_staging_tables_of_earlier_versions_go() -> None:
    with warehouse.connect() as database:
        database.execute("create schema events_staging")
        database.execute("create table events_staging._dlt_version as select 1")
        database.execute("create table events_staging.event_data as select 1")
    load(records(0, 1))
    assert rows("from duckdb_schemas() where schema_name = 'events_staging'") == []


def test_a_schema_of_others_that_is_called_alike_stays() -> None:
    with warehouse.connect() as database:
        database.execute("create schema events_staging")
        database.execute("create table events_staging.mine as select 1")
    load(records(0, 1))
    assert rows("from events_staging.mine") == [(1,)]


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
        warehouse.load_package(pipeline, database, how, also, lambda: attempts.append("checked"))
    assert attempts == ["checked", "written"] * 2
    assert rows() == [("000",), ("001",)]


def test_rows_that_do_not_fit_change_nothing() -> None:
    load(records(0, 1, v=1))
    with extracted(records(0, 2, v=2)) as pipeline, warehouse.connect() as database:
        how = TableLoad(TABLE, ["id"], alter_statements=["alter v type double"])
        with pytest.raises(OSError, match="full"):
            warehouse.load_package(pipeline, database, how, nothing, fail)
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
        warehouse.load_package(pipeline, database, TableLoad(TABLE, ["id"]), fill_disk)
    assert rows() == [("000",), ("001",)]
    load(records(2, 1))
    assert rows() == [("000",), ("001",), ("002",)]


def test_what_was_loaded_is_not_loaded_again() -> None:
    with extracted(records(0, 2)) as pipeline:
        with warehouse.connect() as database:
            warehouse.load_package(pipeline, database, TableLoad(TABLE, ["id"]), nothing)
        assert not pipeline.has_pending_data


def test_dlt_finds_its_schema_state_and_loads(project: Project, tmp_path: Any) -> None:
    for value in (1, 2):
        load(records(0, 2, v=value))
    destination = dlt.destinations.duckdb(str(project.database))
    folder = str(tmp_path / "reader")
    reader = dlt.attach(NAME, folder, destination=destination, dataset_name=SCHEMA)
    assert reader.default_schema_name == NAME
    assert {"id", "v", "_dlt_load_id"} == {*reader.default_schema.get_table_columns(TABLE)}
    assert reader.dataset().table(TABLE).select("v").fetchall() == [(2,), (2,)]
    assert rows(
        "select count(*), count(distinct schema_version_hash) from events._dlt_loads "
        "join events._dlt_version on version_hash = schema_version_hash"
    ) == [(2, 1)]
    assert rows("select count(*) from events._dlt_pipeline_state") == [(1,)]
    assert rows(
        "select distinct load_id = _dlt_load_id from events._dlt_loads, events.event_data "
        "where load_id = (select max(load_id) from events._dlt_loads)"
    ) == [(True,)]


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
        rejects, now = RejectBuffer(file), datetime.now(timezone.utc)
        rejects.append([Reject(f"bad {number}", "{}", "id", "is bad")])

        def also(load_id: str) -> None:
            rejects.merge_into_table(database, SOURCE.events, load_id, now)
            row = {"load_id": load_id, "number": number}
            columns = {"load_id": "varchar", "number": "bigint"}
            ensure_table(database, SCHEMA, "event_data_syncs", columns)
            database.execute("insert into events.event_data_syncs values (?, ?)", [*row.values()])

        sys.settrace(Interruption(step))
        try:
            changes = ["alter v type double"]
            how = TableLoad(TABLE, ["id"], alter_statements=changes)
            warehouse.load_package(pipeline, database, how, also)
        finally:
            sys.settrace(None)


def everything() -> list[Any]:
    """Read all that a load writes."""
    with warehouse.connect() as database:
        columns = [row[0] for row in database.sql(f"describe events.{TABLE}").fetchall()]
        shown = "* exclude (added_1)" if "added_1" in columns else "*"
        return [
            database.sql(
                f"select {shown if table == TABLE else '*'} from events.{table} order by all"
            ).fetchall()
            for table in TABLES
        ]


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


def execute(statement: str) -> None:
    with warehouse.connect() as database:
        database.execute(statement)


def ids_as_written() -> list[str]:
    return [id_ for (id_,) in rows("select id from events.event_data order by rowid")]


def test_a_row_that_comes_again_unchanged_is_not_written_again() -> None:
    load(records(0, 3, name="a", last_seen_at=1))
    changed = pa.concat_tables([records(0, 1, name="b"), records(1, 3, name="a")])
    load(changed.append_column("last_seen_at", [[2] * 4]), is_deduplicated=True)
    assert ids_as_written() == ["001", "002", "000", "003"]
    assert rows() == [("000", "b", 2), ("001", "a", 2), ("002", "a", 2), ("003", "a", 2)]
    assert rows(
        "select count(*) from events.event_data where _dlt_load_id = "
        "(select max(load_id) from events._dlt_loads)"
    ) == [(4,)]


def test_many_columns_of_text_fit_into_the_memory_limit() -> None:
    texts = [f"{number} {'text ' * 60}" for number in range(20_000)]
    wide = pa.table({"id": texts, **{f"text_{column}": texts for column in range(60)}})
    for _ in range(2):
        load(wide, is_deduplicated=True)
    assert rows("select count(*) from events.event_data") == [(20_000,)]


def test_an_index_of_what_each_load_updates_is_made_again_behind_it() -> None:
    def indexes(database: Database, _: str = "") -> None:
        found = database.sql("select index_name from duckdb_indexes() order by all")
        seen.append([name for (name,) in found.fetchall()])

    seen: list[list[str]] = []
    load(records(0, 2, v=1))
    statements = (
        "create index mine on events.event_data(_dlt_load_id, v); "
        "create index other on events.event_data(v)"
    )
    warehouse.run(lambda database: database.execute(statements))
    load(records(0, 2, v=1), also=indexes)
    warehouse.run(indexes)
    assert seen == [["other"], ["mine", "other"]]


def test_a_row_that_does_not_come_keeps_its_load() -> None:
    load(records(0, 4, name="a"))
    load(records(0, 2, name="a"))
    assert rows(
        "select min(id), max(id) from events.event_data group by _dlt_load_id order by 1"
    ) == [("000", "001"), ("002", "003")]


def test_values_in_columns_of_the_users_own_make_no_row_a_changed_one() -> None:
    load(records(0, 2, name="a"))
    execute("alter table events.event_data add column note varchar default 'none'")
    execute("update events.event_data set note = 'mine' where id = '001'")
    changed = pa.concat_tables([records(0, 1, name="b"), records(1, 2, name="a")])
    load(changed, kept_columns=frozenset({"note"}))
    assert ids_as_written() == ["001", "000", "002"]
    assert rows() == [("000", "b", "none"), ("001", "a", "mine"), ("002", "a", "none")]


def test_a_key_that_is_twice_in_the_table_is_there_once_after_a_load() -> None:
    load(records(0, 2, name="a"))
    execute("insert into events.event_data from events.event_data where id = '001'")
    load(records(0, 2, name="a"))
    assert rows() == [("000", "a"), ("001", "a")]


def test_the_file_does_not_grow_with_loads_that_change_nothing(project: Project) -> None:
    sizes = []
    texts = [f"{number * 7919 % 10_007:x}" * 20 for number in range(20_000)]
    for _ in range(4):
        load(records(0, 20_000).append_column("text", [texts]), is_deduplicated=True)
        sizes.append(project.database.stat().st_size)
    assert max(sizes) < 1.5 * sizes[0]


def test_any_sequence_of_loads_leaves_what_plain_replacing_leaves() -> None:
    draw = random.Random(1)
    expected: dict[tuple[Any, Any], list[Any]] = {}
    for number in range(12):
        some = [
            {
                "id": str(draw.randrange(9)),
                "account": draw.choice("ab"),
                "text": draw.choice([None, "", "x", "NULL", "1"]),
                "size": draw.choice([None, 0, 1]),
                **({"time": draw.choice([0.0, 1.5])} if number % 3 < 2 else {}),
            }
            for _ in range(draw.randrange(1, 30))
        ]
        first = {(row["account"], row["id"]): row for row in reversed(some)}
        expected |= {key: [row["text"], row["size"], row.get("time")] for key, row in first.items()}
        load(pa.Table.from_pylist(some), key=("account", "id"))
        loaded = rows("select account, id, text, size, time from events.event_data")
        assert {(account, id_): values for account, id_, *values in loaded} == expected
        assert len(loaded) == len(expected)
