"""A row that comes again as it was is not written again, whatever else a load does."""

import random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from event_assets import warehouse
from event_assets.warehouse import Database, connection
from event_assets.warehouse.load import package_files
from event_assets_tests.support.loads import execute, extracted, load, records, rows
from event_assets_tests.support.project import Project

pytestmark = [pytest.mark.in_process, pytest.mark.usefixtures("project")]
needs_little_memory = pytest.mark.in_process(False)  # each load has a connection of its own


def ids_as_written() -> list[str]:
    return [id_ for (id_,) in rows("select id from events.event_data order by rowid")]


def row_groups(*tables: pa.Table) -> list[int]:
    """Return the rows of each row group that tables are extracted to."""
    with extracted(*tables) as pipeline:
        (file,) = package_files(pipeline)["event_data"]
        metadata = pq.read_metadata(file)
        return [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]


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


@needs_little_memory
def test_many_columns_of_text_fit_into_the_memory_limit() -> None:
    texts = [f"{number} {'text ' * 60}" for number in range(10_000)]
    wide = pa.table({"id": texts, **{f"text_{column}": texts for column in range(60)}})
    for _ in range(2):
        load(wide, is_deduplicated=True)
    assert rows("select count(*) from events.event_data") == [(10_000,)]


@needs_little_memory
def test_few_long_texts_take_more_than_the_memory_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MIN_MEMORY", 0)  # then it is 64 MB and some
    for name in ("a", "b"):
        texts = [f"{name}{number}{'text ' * 400_000}" for number in range(40)]
        load(pa.table({"id": list(map(str, range(40))), "text": texts}), is_deduplicated=True)
    query = "select list(text) from events.event_data where text like 'b%'"
    ((found,),) = warehouse.run(lambda database: database.execute(query).fetchall())
    assert len(found) == 40


def test_rows_of_many_texts_are_written_in_smaller_row_groups() -> None:
    narrow = pa.table({"id": list(map(str, range(20_000)))})
    texts = ["text " * 100] * 5_000
    wide = pa.table({"id": texts, **{f"text_{column}": texts for column in range(30)}})
    assert row_groups(narrow, narrow.slice(0, 10)) == [20_000, 10]
    assert row_groups(wide, wide.slice(0, 0)) == [2_048, 2_048, 904, 0]


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


@needs_little_memory
def test_wide_rows_that_all_change_are_replaced() -> None:
    for turn in range(3):
        texts = [f"{turn} {number} {'text ' * 10}" for number in range(8_000)]
        wide = records(0, 8_000)
        for column in range(120):
            wide = wide.append_column(f"text_{column}", [texts])
        load(wide, is_deduplicated=turn < 2)
    assert rows("select count(*), min(text_1[1]) from events.event_data") == [(8_000, "2")]


@needs_little_memory
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
