"""An interrupted sync is resumed: the API is asked only for what it has not sent."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from event_assets.config.source import SourceConfig
from event_assets.http.client import ApiClient
from event_assets.sync import runner, schema_changes, sync_log
from event_assets.values.errors import ConcurrentSchemaChangeError
from event_assets_tests.support.api_server import ApiServer, serving
from event_assets_tests.support.direct_syncs import derive_tables, source_of
from event_assets_tests.support.journals import write_at_once
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
        refusal: what it sends there.
        source: how it is read.
        synced: what the syncs that ended say of themselves.
    """

    rows: list[Any]
    platform: ApiServer
    source: SourceConfig
    ends_at: int = NEVER
    refusal: Response = field(default_factory=lambda: Response(status_code=403))
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
            return made.refusal
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


def test_a_sync_that_is_killed_while_it_loads_is_not_repeated_without_the_api(
    account: Account, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else events that changed since it read would be wrong in the table, with no check failed."""

    class KilledError(Exception):
        pass

    recorded: list[bytes] = []

    def fail(*_: Any) -> None:
        (file,) = project.database.parent.rglob("*.journal")
        recorded.append(file.read_bytes())
        raise KilledError

    with monkeypatch.context() as patch:
        write_at_once(patch)
        patch.setattr(sync_log, "append", fail)
        with pytest.raises(KilledError):
            account.sync()
    (file,) = project.database.parent.rglob("*.journal")
    file.write_bytes(recorded[0])  # as a kill leaves it
    account.platform.requests.clear()
    account.rows[:] = [{**row, "name": "changed"} for row in account.rows[1:]]
    account.sync()
    assert account.asked[0] == 0
    assert project.ids() == account.ids()
    assert project.rows("select distinct name from events.event_data") == [("changed",)]


def test_a_sync_that_was_killed_with_all_responses_recorded_is_not_repeated_without_the_api(
    account: Account, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        write_at_once(patch)
        patch.setattr(ApiClient, "end_reading", interrupt)
        with pytest.raises(PipelineStepFailed, match="KeyboardInterrupt"):
            account.sync()
    account.platform.requests.clear()
    account.rows[:] = account.rows[1:]
    account.sync()
    assert account.asked[0] == 0
    assert project.ids() == account.ids()


def interrupt(_: ApiClient) -> None:
    raise KeyboardInterrupt


def test_a_sync_that_begins_again_as_another_one_changed_the_columns_requests_nothing_again(
    account: Account, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure, failed = schema_changes.ensure_schema_unchanged, [True]

    def fail_once(*arguments: Any) -> None:
        if failed:
            failed.pop()
            raise ConcurrentSchemaChangeError("The columns changed.")
        ensure(*arguments)

    monkeypatch.setattr(schema_changes, "ensure_schema_unchanged", fail_once)
    account.sync()
    assert sorted(account.asked) == sorted(set(account.asked))
    assert not failed
    assert project.ids() == account.ids()


def test_a_page_that_fails_is_requested_again_and_not_those_before_it(
    account: Account, project: Project
) -> None:
    account.refusal = RedirectResponse(f"{account.platform.url}{PATH}?offset={NEVER}")
    account.sync_up_to(850)
    account.sync_up_to(850)
    account.sync()
    assert account.asked == [891, 792, 990]
    assert project.ids() == account.ids()


LINKS = {  # what a page leads to, and what a sync says of it
    "https, without TLS": ("https://{host}/v1/events", "does not support TLS"),
    "a host that is down": ("http://127.0.0.1:9/v1/events", "cannot be reached"),
    "a path that needs another key": ("http://{host}/v1/401", "401 Client Error"),
    "a path that is not for this key": ("http://{host}/v1/403", "403 Client Error"),
}


@pytest.mark.parametrize("kind", LINKS)
@pytest.mark.usefixtures("waits")
def test_a_bad_link_that_was_recorded_is_not_followed_once_the_api_has_another(
    project: Project, kind: str
) -> None:
    """While it is bad, each sync asks for the pages before it once, and says the same."""
    link, problem = LINKS[kind]
    rows, is_bad = events(40), True

    def answer(request: Request) -> Any:
        page = len(request.query_params.get("cursor", ""))
        good, bad = f"{PATH}?cursor={'x' * (page + 1)}", link.format(host=request.url.netloc)
        next_url = None if page == 3 else bad if is_bad and page == 1 else good
        return {"data": rows[10 * page :][:10], "next": next_url}

    def refuse(request: Request) -> Response:
        return Response(status_code=int(request.path_params["status"]))

    paginator = {"type": "json_link", "next_url_path": "next"}
    with serving({PATH: answer, "/v1/{status}": refuse}) as platform:
        resource = source_of(source(platform.url, endpoint={"paginator": paginator})).events
        asked = []
        for _ in range(3):
            platform.requests.clear()
            with pytest.raises(PipelineStepFailed, match=problem):
                runner.run_sync(resource, lambda _: None, lambda *_: None)
            asked.append(len(platform.asked_for(PATH)))
        assert asked in ([2, 3, 3], [2, 2, 2])  # a recorded one shows that the API sends it
        rows.pop(0)
        is_bad = False
        runner.run_sync(resource, lambda _: None, lambda *_: None)
    assert project.ids() == sorted(row["id"] for row in rows)
