"""An interrupted sync is resumed: the API is asked only for what it has not sent."""

from collections.abc import Iterator

import pytest

from event_assets_tests.support.large_account import ROWS, Account, account_of_1000, odd
from event_assets_tests.support.project import Project


@pytest.fixture
def account(project: Project) -> Iterator[Account]:  # noqa: ARG001 (makes the settings)
    """An API of 1,000 events, read by 100, one request at a time."""
    with account_of_1000() as made:
        yield made


def journals(project: Project) -> list[str]:
    return [file.name for file in project.database.parent.rglob("*.journal")]


def test_it_requests_what_the_api_has_not_sent_and_the_table_is_what_the_api_has(
    account: Account, project: Project
) -> None:
    account.sync_up_to(850)
    assert len(journals(project)) == 1
    account.sync()
    assert account.asked == [891, 792, 990]  # 792 shows that the list is the same
    assert account.ids() == account.of_api() == account.current()
    (row,) = account.synced
    assert row["complete"] is True
    assert row["distinct_ids"] == ROWS
    assert row["pages"] == 11
    assert journals(project) == []


def test_interrupted_again_and_again_each_run_gets_further(account: Account) -> None:
    for offset in (100, 200, 300, 400, 500, 600, 700, 800, 900):
        account.sync_up_to(offset)
    account.sync()
    assert account.asked == [990, 891]
    assert account.ids() == account.of_api()


def test_a_table_that_was_complete_once_is_resumed_and_changes_atomically(account: Account) -> None:
    account.sync()
    account.rows[:] = [{**row, "name": "changed"} for row in account.rows]
    account.sync_up_to(850)
    changed = "select count(*) from events.event_data where name = 'changed'"
    assert account.rows_of(changed) == [(0,)]
    account.sync()
    assert account.asked == [891, 792, 990]  # 792 shows that the list is the same
    assert account.rows_of(changed) == [(ROWS,)]


def test_with_0_hours_all_is_requested_again(account: Account, project: Project) -> None:
    account.sync_up_to(850, resume_hours=0)
    assert journals(project) == []
    account.sync(resume_hours=0)
    assert account.asked[0] == 0


def test_another_key_or_configuration_requests_all_again(
    account: Account, project: Project
) -> None:
    account.sync_up_to(850)
    project.environment.setenv("API_KEY", "another key")
    account.sync_up_to(850)
    account.sync(exclude=["venue"])
    assert account.asked[0] == 0
    assert account.ids() == account.of_api()


def test_responses_older_than_the_newest_sync_are_not_replayed(
    account: Account, project: Project
) -> None:
    account.sync_up_to(850)
    (file,) = project.database.parent.rglob("*.journal")
    old = file.read_bytes()
    account.sync()
    account.rows[:] = [{**row, "name": "changed"} for row in account.rows]
    account.sync()
    file.write_bytes(old)  # as on a machine that did not run the syncs since
    account.platform.requests.clear()
    account.sync()
    assert account.asked[0] == 0
    assert account.rows_of("select distinct name from events.event_data") == [("changed",)]


COLUMNS = """
select column_name, data_type from duckdb_columns()
where schema_name = '{0}' and table_name = 'event_data'
"""
SAME = (
    f"{COLUMNS} order by all",
    "select id, size, count, count__v_double, note, note__v_text, late__more, name, start_time "
    "from {0}.event_data order by id",
    "select id, record, field, reason from {0}.event_data_rejects order by all",
    "select rows_read, distinct_ids, rejects, complete, columns from {0}.event_data_syncs",
)


def test_with_interruptions_a_sync_loads_the_same_as_without(account: Account) -> None:
    odd(account.rows)
    account.sync_up_to(600)
    account.sync()
    account.sync(name="whole")
    for query in SAME:
        assert account.rows_of(query.format("events")) == account.rows_of(query.format("whole"))


def test_too_many_rejects_are_no_reason_to_replay_them(account: Account, project: Project) -> None:
    good = list(account.rows)
    account.rows[:] = [{**row, "start_time": "soon"} for row in good]
    with pytest.raises(Exception, match="break the contract"):
        account.sync()
    assert journals(project) == []
    account.rows[:] = good
    account.sync()
    assert account.ids() == account.of_api()
