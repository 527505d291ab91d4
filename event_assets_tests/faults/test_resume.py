"""Syncs that are killed in the middle (SIGKILL) are resumed, however their lists are paged."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from event_assets.orchestration import check_results
from event_assets.sync import runner, sync_log
from event_assets.warehouse import connect
from event_assets_tests.faults.killing import Driver, starting
from event_assets_tests.faults.paged_api import (
    CONCURRENCY,
    KINDS,
    OFFSET,
    SIZE,
    PagedApi,
    by_offset,
    read_by,
    serving_pages,
)
from event_assets_tests.faults.sync_driver import read_resource
from event_assets_tests.support.clock import wrong_by
from event_assets_tests.support.journals import write_at_once
from event_assets_tests.support.platforms import events
from event_assets_tests.support.project import Project

PATH = "/v1/events"
COUNT = 1_000
BAD = 97  # each such record breaks the contract
Records = list[dict[str, Any]]


@pytest.fixture(scope="module")
def syncs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A process that starts syncs at once."""
    with starting("sync_driver", tmp_path_factory.mktemp("driver") / "log") as driver:
        yield driver


def records(count: int = COUNT, **more: Any) -> Records:
    """Make records, some of which break the contract."""
    made = [{**row, **more} for row in events(count)]
    for row in made[::BAD]:
        row["end_time"] = "soon"
    return made


def ids(rows: Records, *, bad: bool) -> list[str]:
    return sorted(row["id"] for row in rows if ("end_time" in row) == bad)


@dataclass
class Resumed:
    """Syncs of one resource of an API.

    Attributes:
        synced: the rows in the log of those that ended in this process.
    """

    project: Project
    syncs: Driver
    api: PagedApi
    attributes: Mapping[str, Any]
    account: str | None = None
    resource: str = "event_data"
    synced: list[Mapping[str, Any]] = field(default_factory=list)

    def sync(self) -> Mapping[str, Any]:
        """Sync to the end; return the row in the log."""
        self.api.forget()
        resource = read_resource(self.attributes, self.account, self.resource)
        runner.run_sync(
            resource, lambda _: None, lambda _, row, _seconds: self.synced.append(dict(row))
        )
        return self.synced[-1]

    def kill_at(self, request: int) -> list[str]:
        """Sync until a request is sent, and kill it then; return the requests it had answered."""
        environment = {"EVENTS_DUCKDB": str(self.project.database)}
        with self.api.holding(request) as wait:
            self.syncs.start(
                json.dumps([environment, self.attributes, self.account, self.resource])
            )
            wait()
            assert self.syncs.kill()
        assert len(self.journals()) == 1
        return list(self.api.answered)

    def resume(self, answered: list[str]) -> Mapping[str, Any]:
        """Sync to the end: hardly anything is requested that the killed sync had received."""
        row = self.sync()
        received = answered[: -2 * CONCURRENCY]  # behind them, some were on their way
        again = Counter(received) & Counter(self.api.asked)
        assert again.total() <= len(answered) / 10, again
        assert self.journals() == []
        return row

    def journals(self) -> list[str]:
        return [file.name for file in self.project.database.parent.rglob("*.journal")]

    def ids(self, table: str, condition: str = "true") -> list[str]:
        rows = self.project.rows(f"select id from events.{table} where {condition} order by all")
        return [id_ for (id_,) in rows]

    def judge(self, row: Mapping[str, Any], rows: Records, condition: str = "true") -> None:
        """Compare the tables and the log with the API."""
        assert self.ids(self.resource, condition) == ids(rows, bad=False)
        if bad := ids(rows, bad=True):
            assert self.ids(f"{self.resource}_rejects", condition) == bad
        assert row["complete"] is True, row["reason"]
        assert (row["distinct_ids"], row["rejects"]) == (len(rows), len(bad))
        logged = f"select complete, distinct_ids, started_at from events.{self.resource}_syncs"
        assert self.project.rows(f"{logged} where load_id = '{row['load_id']}'") == [
            (True, len(rows), row["started_at"])
        ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_of_any_kind_is_resumed(project: Project, syncs: Driver, kind: str) -> None:
    way, rows = KINDS[kind], records()
    with serving_pages(way.answer, {PATH: rows}) as api:
        resumed = Resumed(project, syncs, api, read_by(api, way.endpoint, **way.settings))
        answered = resumed.kill_at(90)
        killed_at = datetime.now(UTC)
        row = resumed.resume(answered)
    resumed.judge(row, rows)
    assert row["started_at"] < killed_at
    assert project.rows("select distinct last_seen_at from events.event_data") == [
        (row["started_at"],)
    ]


def test_lists_of_parents_are_resumed(project: Project, syncs: Driver) -> None:
    parents = events(40)
    lists = {
        f"{PATH}/{row['id']}/guests": [{"id": f"{row['id']}-{n}"} for n in range(25)]
        for row in parents
    }
    guests = {
        "name": "guests",
        "endpoint": {
            "path": f"{PATH}/{{resources.event_data.id}}/guests",
            "data_selector": "data",
            "paginator": OFFSET,
        },
    }
    with serving_pages(by_offset, {PATH: parents, **lists}) as api:
        resumed = Resumed(project, syncs, api, read_by(api, {"paginator": OFFSET}, guests))
        resumed.sync()
        resumed.resource = "guests"
        answered = resumed.kill_at(100)
        row = resumed.resume(answered)
    resumed.judge(row, [guest for guests_of in lists.values() for guest in guests_of])


def test_a_resource_without_a_key_is_resumed(project: Project, syncs: Driver) -> None:
    rows = [{"id": f"{number:03}"} for number in range(COUNT)]
    venues = {
        "name": "venues",
        "primary_key": [],
        "endpoint": {"path": "/v1/venues", "data_selector": "data", "paginator": OFFSET},
    }
    with serving_pages(by_offset, {"/v1/venues": rows}) as api:
        resumed = Resumed(
            project, syncs, api, read_by(api, {"paginator": OFFSET}, venues), resource="venues"
        )
        for _ in range(2):  # the second replaces the rows of the first
            row = resumed.resume(resumed.kill_at(90))
            assert resumed.ids("venues") == [row["id"] for row in rows]
            assert row["complete"] is True, row["reason"]


def test_a_killed_sync_of_an_account_leaves_the_others_alone(
    project: Project, syncs: Driver
) -> None:
    of_a, of_b = records(), records(200)
    with serving_pages(by_offset, {"/v1/a/events": of_a, "/v1/b/events": of_b}) as api:
        attributes = read_by(
            api, {"paginator": OFFSET}, path="/v1/{account}/events", accounts=["a", "b"]
        )
        of_account = {
            name: Resumed(project, syncs, api, attributes, account=name) for name in ("a", "b")
        }
        answered = of_account["a"].kill_at(90)
        row = of_account["b"].sync()
        of_account["b"].judge(row, of_b, "account = 'b'")
        assert len(of_account["a"].journals()) == 1
        row = of_account["a"].resume(answered)
    of_account["a"].judge(row, of_a, "account = 'a'")
    assert of_account["b"].ids("event_data", "account = 'b'") == ids(of_b, bad=False)


@pytest.fixture
def incremental(project: Project, syncs: Driver) -> Iterator[Resumed]:
    """An API that was synced once, and has changed all its records since."""
    rows: dict[str, Any] = {PATH: records(updated_at="2026-01-01T00:00:00Z")}
    since = {"start_param": "since", "cursor_path": "updated_at"}
    with serving_pages(by_offset, rows) as api:
        attributes = read_by(api, {"paginator": OFFSET, "incremental": since})
        resumed = Resumed(project, syncs, api, attributes)
        resumed.sync()
        rows[PATH] = records(updated_at="2026-02-01T00:00:00Z", name="new")
        rows[PATH][-1]["updated_at"] = "2026-02-02T00:00:00Z"  # a position is older than the newest
        yield resumed


def starts(api: PagedApi) -> set[bool]:
    return {"since=2026-01-01" in request for request in api.asked}


def test_an_incremental_sync_is_resumed_from_its_position(incremental: Resumed) -> None:
    answered = incremental.kill_at(90)
    row = incremental.resume(answered)
    assert starts(incremental.api) == {True}
    assert row["position"] == '"2026-02-01T00:00:00Z"'
    assert row["full_sync"] is False
    names = incremental.project.rows("select distinct name from events.event_data")
    assert names == [("new",)]


def test_a_sync_is_not_resumed_if_another_one_moved_the_position(incremental: Resumed) -> None:
    incremental.kill_at(90)
    (journal,) = incremental.project.database.parent.rglob("*.journal")
    recorded = journal.read_bytes()
    incremental.sync()
    journal.write_bytes(recorded)  # as if the other one ran on another machine
    incremental.sync()
    assert starts(incremental.api) == {False}
    assert "since=2026-02-01" in incremental.api.asked[0]
    assert incremental.journals() == []


@pytest.fixture
def listed(project: Project, syncs: Driver) -> Iterator[Resumed]:
    """An API of one list, by offset."""
    rows: dict[str, Any] = {PATH: records()}
    with serving_pages(by_offset, rows) as api:
        yield Resumed(project, syncs, api, read_by(api, {"paginator": OFFSET}))


def test_after_a_load_that_failed_all_is_requested_again(
    listed: Resumed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        write_at_once(patch)
        patch.setattr(sync_log, "append", fail)
        with pytest.raises(OSError, match="No space"):
            listed.sync()
    made = "from duckdb_tables() where table_name = 'event_data'"
    assert listed.project.rows(made) == []
    rows = records(name="changed since")
    listed.api.rows[PATH] = rows
    row = listed.sync()
    assert len(listed.api.asked) >= COUNT // SIZE
    listed.judge(row, rows)
    assert listed.project.rows("select distinct name from events.event_data") == [
        ("changed since",)
    ]


def test_a_list_that_changed_in_between_is_not_verified_until_the_next_sync(
    listed: Resumed,
) -> None:
    def complete() -> dg.AssetCheckResult:
        source = read_resource(listed.attributes, None, "event_data").source
        with connect() as database:
            return check_results.evaluate_complete(database, source, "event_data")

    listed.kill_at(90)
    rows = [*({**row, "id": f"new {row['id']}"} for row in events(3)), *records()]
    listed.api.rows[PATH] = rows
    listed.sync()
    # recorded and new pages side by side may look as if rows moved: then all is read once more
    assert len(listed.api.asked) <= 3 * len(rows) / SIZE
    assert listed.journals() == []
    check = complete()
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert "the list changed while the sync was interrupted" in str(check.description)
    row = listed.sync()
    assert complete().passed
    listed.judge(row, rows)


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_sync_whose_cursor_has_expired_starts_again_by_itself(
    project: Project, syncs: Driver, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    way, rows = KINDS["cursor"], records()
    with serving_pages(way.answer, {PATH: rows}) as api:
        resumed = Resumed(project, syncs, api, read_by(api, way.endpoint))
        resumed.kill_at(90)
        rows.insert(0, {**rows[1], "id": "first", "expired": status})
        with caplog.at_level(logging.INFO, logger="dagster"):
            row = resumed.sync()
        assert len(set(api.asked)) == len(rows) // SIZE + 1 + 2  # all of it, and two that expired
    resumed.judge(row, rows)
    assert "Starting again: The API rejects a recorded cursor or link." in caplog.messages


def test_the_time_of_a_sync_is_that_of_its_first_start(project: Project, syncs: Driver) -> None:
    way, rows = KINDS["windows"], records()
    recent = {**way.settings["windows"], "since": "-9000d", "until": "+1d"}
    with serving_pages(way.answer, {PATH: rows}) as api:
        resumed = Resumed(project, syncs, api, read_by(api, way.endpoint, windows=recent))
        answered = resumed.kill_at(90)
        killed_at = datetime.now(UTC)
        with wrong_by(48):
            row = resumed.resume(answered)
    resumed.judge(row, rows)
    assert row["started_at"] < killed_at
