"""What a pipeline has extracted is loaded: by key, or in place of what was there."""

import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dlt
import pyarrow as pa
import pytest

from event_assets import warehouse
from event_assets.warehouse.load import load_package
from event_assets.warehouse.merge import TableLoad
from event_assets.warehouse.pipeline import open_pipeline, working_folder
from event_assets.warehouse.sql import insert_row
from event_assets_tests.support.loads import (
    NAME,
    SCHEMA,
    TABLE,
    extracted,
    fail,
    load,
    nothing,
    records,
    rows,
)
from event_assets_tests.support.project import Project

pytestmark = [pytest.mark.in_process, pytest.mark.usefixtures("project")]


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
    time = datetime(2026, 5, 1, tzinfo=UTC)
    with pytest.raises(OSError, match="full"):
        load(records(0, 1, size=1.5, opens=time), also=fail, alter_statements=changes)
    assert rows() == [("000", 1, "at dawn"), ("001", 1, "at dawn")]
    load(records(0, 1, size=1.5, opens=time), alter_statements=changes)
    assert rows("select id, size, opens, opens__v_text from events.event_data order by id") == [
        ("000", 1.5, time, None),
        ("001", 1.0, None, "at dawn"),
    ]


def test_the_log_of_the_database_stays_small() -> None:
    with extracted(records(0, 2)) as pipeline, warehouse.connect() as database:
        load_package(pipeline, database, TableLoad(TABLE, ["id"]), nothing)
        ((threshold,),) = database.sql("select current_setting('checkpoint_threshold')").fetchall()
    assert threshold == "3.8 MiB"


def test_what_was_loaded_is_not_loaded_again() -> None:
    with extracted(records(0, 2)) as pipeline:
        with warehouse.connect() as database:
            load_package(pipeline, database, TableLoad(TABLE, ["id"]), nothing)
        assert not pipeline.has_pending_data


@pytest.mark.in_process(False)
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


def test_a_row_of_the_log_keeps_its_values_but_for_nul() -> None:
    kinds = {"a": "varchar", "b": "json", "c": "timestamptz", "d": "boolean", "e": "double"}
    at = datetime(2026, 11, 29, 15, 55, 33, 349692, tzinfo=UTC)
    text = 'it\'s "said" \\n {x} ?1 $1 %s ü\n'
    with warehouse.connect() as database:
        database.execute(f"create table t ({', '.join(f'{n} {k}' for n, k in kinds.items())})")
        insert_row(database, "t", {"a": f"{text}\0", "b": "[1]", "c": at, "d": True, "e": 0.1})
        insert_row(database, "t", {"a": "", "b": "null", "c": None, "d": False, "e": 2**53})
        found = database.execute("from t").fetchall()
    assert found == [(text, "[1]", at, True, 0.1), ("", "null", None, False, 2**53)]


def test_dlt_reads_no_settings_of_a_destination_that_it_never_connects_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DESTINATION__ENABLE_DATASET_NAME_NORMALIZATION", "no boolean")
    with open_pipeline(NAME, SCHEMA) as pipeline:
        empty = pipeline.destination.spec()
        assert pipeline.destination.configuration(empty) is empty


def test_other_pipelines_of_the_process_keep_their_settings_of_dlt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DEV_MODE", "true")
    log, before = logging.getLogger("dlt"), dict(os.environ)
    log.setLevel("WARNING")
    with open_pipeline(NAME, SCHEMA):
        assert os.environ["DATA_WRITER__BUFFER_MAX_ITEMS"] == "1"
        assert os.environ["DEV_MODE"] == "false"
        assert not log.isEnabledFor(logging.ERROR)
    assert (dict(os.environ), log.level) == (before, logging.WARNING)


def test_a_file_where_dlt_has_its_folder_is_no_obstacle() -> None:
    folder = working_folder()
    folder.mkdir(parents=True)
    (folder / SCHEMA).touch()
    with open_pipeline(SCHEMA, SCHEMA) as pipeline:
        assert pipeline.pipeline_name == SCHEMA
