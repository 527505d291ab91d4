"""An interrupted sync is resumed: the API is asked only for what it has not sent."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from starlette.requests import Request
from starlette.responses import Response

from event_assets.config.source import SourceConfig
from event_assets.sync import runner
from event_assets_tests.support.api_server import ApiServer, serving
from event_assets_tests.support.direct_syncs import derive_tables, source_of
from event_assets_tests.support.platforms import events, paged, source
from event_assets_tests.support.project import Project

pytestmark = pytest.mark.in_process

PATH = "/v1/events"
ROWS = 1_000
NEVER = 1_000_000


@dataclass
class Account:
    """An API that fails from an offset on, and its syncs.

    Attributes:
        rows: the API's events.
        ends_at: the first offset that it does not answer.
        source: how it is read.
        synced: what the syncs that ended say of themselves.
    """

    rows: list[Any]
    platform: ApiServer
    source: SourceConfig
    ends_at: int = NEVER
    synced: list[dict[str, Any]] = field(default_factory=list)

    def sync(self, **changes: Any) -> None:
        """Sync, with changes of how it is read."""
        resource = replace(self.source, **changes).events
        runner.run_sync(
            resource, lambda _: None, lambda _, row, _seconds: self.synced.append(dict(row))
        )

    def sync_up_to(self, offset: int, **changes: Any) -> None:
        """Sync until the API refuses to answer."""
        self.ends_at = offset
        with pytest.raises(PipelineStepFailed):
            self.sync(**changes)
        self.ends_at = NEVER
        self.platform.requests.clear()

    @property
    def asked(self) -> list[int]:
        """The offsets that were asked for since the last sync that was interrupted."""
        return [int(query["offset"]) for query in self.platform.asked_for(PATH)]

    def ids(self) -> list[str]:
        return sorted(row["id"] for row in self.rows)


@pytest.fixture
def account(project: Project) -> Iterator[Account]:  # noqa: ARG001 (makes the settings)
    """An API of 1,000 events, read by 100, one request at a time."""

    def answer(request: Request) -> Any:
        if int(request.query_params["offset"]) >= made.ends_at:
            return Response(status_code=403)
        return paged(made.rows)(request)

    with serving({PATH: answer}) as platform:
        made = Account(events(ROWS), platform, source_of(source(platform.url, concurrency=1)))
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
    derive_tables(account.source)
    assert project.ids() == account.ids() == project.ids("current_events")
    (row,) = account.synced
    assert row["complete"] is True
    assert row["distinct_ids"] == ROWS
    assert row["pages"] == 11
    assert journals(project) == []


def test_interrupted_again_and_again_each_run_gets_further(
    account: Account, project: Project
) -> None:
    for offset in (100, 200, 300, 400, 500, 600, 700, 800, 900):
        account.sync_up_to(offset)
    account.sync()
    assert account.asked == [990, 891]
    assert project.ids() == account.ids()


def test_a_table_that_was_complete_once_is_resumed_and_changes_atomically(
    account: Account, project: Project
) -> None:
    account.sync()
    account.rows[:] = [{**row, "name": "changed"} for row in account.rows]
    account.sync_up_to(850)
    changed = "select count(*) from events.event_data where name = 'changed'"
    assert project.rows(changed) == [(0,)]
    account.sync()
    assert account.asked == [891, 792, 990]  # 792 shows that the list is the same
    assert project.rows(changed) == [(ROWS,)]


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
    assert project.ids() == account.ids()


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
    assert project.rows("select distinct name from events.event_data") == [("changed",)]


def odd(rows: list[Any]) -> None:
    """Let fields change their types, come and go, and records break the contract."""
    for number, row in enumerate(rows):
        row["size"] = number if number < 550 else number + 0.5
        row["count"] = 2**60 + number if number < 350 else number + 0.5
        row["note"] = number if number < 650 else f"note {number}"
        if number > 700:
            row["late"] = {"more": [number]}
        if number % 97 == 0:
            row["start_time"] = "soon"
        if number % 203 == 0:
            del row["id"]


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


def test_with_interruptions_a_sync_loads_the_same_as_without(
    account: Account, project: Project
) -> None:
    odd(account.rows)
    account.sync_up_to(600)
    account.sync()
    account.sync(name="whole")
    for query in SAME:
        assert project.rows(query.format("events")) == project.rows(query.format("whole"))


def test_too_many_rejects_are_no_reason_to_replay_them(account: Account, project: Project) -> None:
    good = list(account.rows)
    account.rows[:] = [{**row, "start_time": "soon"} for row in good]
    with pytest.raises(Exception, match="break the contract"):
        account.sync()
    assert journals(project) == []
    account.rows[:] = good
    account.sync()
    assert project.ids() == account.ids()
