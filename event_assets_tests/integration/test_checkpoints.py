"""An interrupted first sync resumes at its checkpoint."""

from collections.abc import Iterator

import dagster as dg
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from event_assets import warehouse
from event_assets.sync.current_events import current_events_query
from event_assets.transform import changes
from event_assets_tests.support.large_account import ROWS, Account, account_of_1000, odd
from event_assets_tests.support.platforms import events
from event_assets_tests.support.project import Project


@pytest.fixture
def account(project: Project) -> Iterator[Account]:  # noqa: ARG001 (makes the settings)
    """An API of 1,000 events, read by 100, with a checkpoint after 300."""
    with account_of_1000() as made:
        yield made


def test_it_goes_on_at_the_last_checkpoint_and_the_table_is_what_the_api_has(
    account: Account,
) -> None:
    account.sync_up_to(850)
    assert len(account.ids()) == 793
    account.sync()
    assert account.asked == [792, 891, 990]
    assert account.ids() == account.of_api() == account.current()
    (row,) = account.synced
    assert row["complete"] is True
    assert row["distinct_ids"] == ROWS
    assert row["rows_read"] == ROWS + row["seams_held"]
    assert row["requests"] == row["pages"] == 11
    assert row["reason"].startswith("All 1,000 rows were received. In 2 runs, since 20")
    assert account.rows_of("from events.event_data_checkpoint") == []


def test_until_it_finishes_the_check_shows_the_progress(account: Account) -> None:
    account.sync_up_to(850)
    check = account.complete()
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert str(check.description).startswith(
        "The first sync is not finished: 793 rows of 1,000 read since 20"
    )
    account.sync()
    assert account.complete().passed


def test_events_read_after_the_interruption_are_not_changes(account: Account) -> None:
    account.sync_up_to(850)
    for _ in range(2):
        with warehouse.connect() as database:
            query = current_events_query(account.source)
            database.execute(f"create or replace view events.current_events as {query}")
            assert not changes.record_changes(database, "events").events
        account.sync()
    assert account.ids("current_events") == account.of_api()


def test_interrupted_again_and_again_it_ends(account: Account) -> None:
    for offset in (450, 700, 950):
        account.sync_up_to(offset)
    account.sync()
    assert account.asked[0] == 792
    assert account.ids() == account.of_api()
    assert account.synced[0]["reason"].startswith("All 1,000 rows were received. In 3 runs, since")


def test_changes_during_an_interruption_are_loaded_and_reported(account: Account) -> None:
    account.sync_up_to(850)
    gone = [row["id"] for row in account.rows[:150]]
    account.rows[:] = [*account.rows[150:], *events(50, ROWS)]
    account.sync()
    assert account.ids() == sorted([*account.of_api(), *gone])
    assert account.synced[0]["complete"] is None
    assert "changed while the sync was interrupted" in account.synced[0]["reason"]
    account.sync()
    assert account.synced[1]["complete"] is True
    assert account.current() == account.of_api()


@pytest.mark.parametrize(
    "spoil",
    [
        "update events.event_data_checkpoint set kept_at = kept_at - interval 8 day",
        "update events.event_data_checkpoint set version = 'another'",
        "delete from events.event_data where id = 'e590'",
        "delete from events.event_data_checkpoint",
    ],
    ids=["old", "another configuration", "a row is not there", "none: killed after a load"],
)
def test_without_a_checkpoint_that_is_good_all_is_read(account: Account, spoil: str) -> None:
    account.sync_up_to(850)
    with warehouse.connect() as database:
        database.execute(spoil)
    account.sync()
    assert account.asked[0] == 0
    assert account.ids() == account.of_api() == account.current()
    assert account.synced[0]["complete"] is True


def test_rows_loaded_after_the_last_checkpoint_are_read_again(account: Account) -> None:
    copied = "create table kept as from events.event_data_checkpoint"
    account.sync_up_to(500)
    with warehouse.connect() as database:
        database.execute(copied)
    account.sync_up_to(850)
    with warehouse.connect() as database:
        database.execute("delete from events.event_data_checkpoint")
        database.execute("insert into events.event_data_checkpoint from kept")
    account.sync()
    assert account.asked[0] == 396
    assert account.ids() == account.of_api() == account.current()
    assert account.synced[0]["complete"] is True


def test_a_table_that_was_complete_once_changes_atomically(account: Account) -> None:
    account.sync()
    account.rows[:] = [{**row, "name": "changed"} for row in account.rows]
    account.sync_up_to(850)
    assert account.rows_of("select count(*) from events.event_data where name = 'changed'") == [
        (0,)
    ]


def test_without_checkpoint_rows_all_is_loaded_at_the_end(account: Account) -> None:
    account.sync_up_to(850, checkpoint_rows=0)
    assert account.rows_of(
        "select count(*) from duckdb_tables() where table_name = 'event_data'"
    ) == [(0,)]


COLUMNS = """
select column_name, data_type from duckdb_columns()
where schema_name = '{0}' and table_name = 'event_data'
"""
SAME = (
    f"{COLUMNS} order by all",
    "select id, size, count, count__v_double, note, note__v_text, late__more, name, start_time "
    "from {0}.event_data order by id",
    "select id, record, field, reason from {0}.event_data_rejects order by all",
    "select rows_read, distinct_ids, rejects, complete from {0}.event_data_syncs",
    "select key, value from {0}.event_data_syncs, json_each(columns) order by all",
)


def test_batches_with_interruptions_load_the_same_as_one_batch(account: Account) -> None:
    odd(account.rows)
    account.sync_up_to(600)
    account.sync()
    account.sync(name="whole", checkpoint_rows=0)
    for query in SAME:
        assert account.rows_of(query.format("events")) == account.rows_of(query.format("whole"))


def test_rejects_are_too_many_of_all_and_not_of_a_part(account: Account) -> None:
    for row in account.rows[:40]:
        row["start_time"] = "soon"
    account.sync()
    assert account.synced[0]["rejects"] == 40
    assert account.rows_of("select count(*) from events.event_data_rejects") == [(40,)]


def test_too_many_rejects_stop_what_is_not_loaded_yet(account: Account) -> None:
    for row in account.rows[500:]:
        row["start_time"] = "soon"
    with pytest.raises(PipelineStepFailed, match="allows, and nothing more was loaded"):
        account.sync()
    assert len(account.ids()) == 397


def test_repeated_rows_of_a_batch_are_loaded_once(account: Account) -> None:
    for row in account.rows[450:455]:
        row["start_time"] = "soon"
    account.rows[500:550] = account.rows[450:500]
    account.sync()
    good = {row["id"] for row in account.rows if row["start_time"] != "soon"}
    assert account.ids() == sorted(good)
