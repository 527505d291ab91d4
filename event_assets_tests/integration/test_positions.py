"""Where the next incremental sync starts: no change is lost, whatever the cursor looks like."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from event_assets.config.source import SourceConfig
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.clock import wrong_by
from event_assets_tests.support.direct_syncs import complete, source_of, sync_source
from event_assets_tests.support.platforms import source
from event_assets_tests.support.project import Project

pytestmark = [pytest.mark.in_process, pytest.mark.usefixtures("project")]
PATH = "/v1/events"
OLD = "2026-06-01T00:00:00Z"


def is_since(value: Any, since: str) -> bool:
    """Compare as many an API does: texts as text."""
    return bool(value >= since if type(value) is str else value >= float(since))


class ChangingList:
    """An API whose list is sorted by id, compares its cursor as text, and can change between pages.

    Attributes:
        rows: all of it, by number.
        later: called once, between the first page of the next sync and its second.
        headers: of each response.
    """

    def __init__(self, updated_at: Any = OLD, count: int = 6) -> None:
        self.rows = [
            {"id": f"e{number}", "name": "x", "updated_at": updated_at} for number in range(count)
        ]
        self.later: Callable[[], None] | None = None
        self.headers: dict[str, str] = {}
        self.starts: list[str | None] = []
        self.is_since: Callable[[Any, str], bool] = is_since

    def __call__(self, request: Request) -> Response:
        since, after = request.query_params.get("since"), request.query_params.get("cursor", "")
        if not after:
            self.starts.append(since)
        elif self.later:
            self.later()
            self.later = None
        found = [
            row for row in self.rows if since is None or self.is_since(row.get("updated_at"), since)
        ]
        found = [row for row in found if self.token(row) > after]
        following = self.token(found[1]) if len(found) > 2 else None
        return JSONResponse({"data": found[:2], "next": following}, headers=self.headers)

    def token(self, row: dict[str, Any]) -> str:
        return f"after {'uvwxyz'[int(row['id'][1:])]}"  # opaque: nothing to count by

    def change_behind_and_ahead(self, stamp: Callable[[], Any]) -> None:
        """Change the first event and then the last while a sync is between its two pages."""

        def change() -> None:
            self.rows[0].update(name="behind", updated_at=stamp())
            self.rows[-1].update(name="ahead", updated_at=stamp())

        self.later = change


def incremental(url: str, cursor: Any = None, **fields: Any) -> SourceConfig:
    endpoint = {
        "paginator": {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"},
        "incremental": {"cursor_path": "updated_at", "start_param": "since", **(cursor or {})},
    }
    document = source(url, endpoint=endpoint)
    document["attributes"]["fields"].update(fields)
    return source_of(document)


def names(project: Project) -> list[tuple[Any, ...]]:
    return project.rows("select id, name from events.event_data where name <> 'x' order by id")


BOTH = [("e0", "behind"), ("e5", "ahead")]


def local(zone: str) -> Callable[[], str]:
    return lambda: datetime.now(ZoneInfo(zone)).replace(tzinfo=None).isoformat()


@pytest.mark.parametrize(
    ("stamp", "old"),
    [
        (local("America/New_York"), "2026-06-01T00:00:00"),
        (lambda: int(datetime.now(UTC).timestamp()), 1_780_000_000),
    ],
    ids=["New York", "seconds"],
)
def test_what_changes_while_the_list_is_read_comes_with_the_next_sync(
    project: Project, stamp: Callable[[], Any], old: Any
) -> None:
    api = ChangingList(old)
    with serving({PATH: api}) as platform:
        changing = incremental(platform.url)
        sync_source(changing)
        api.change_behind_and_ahead(stamp)
        sync_source(changing)  # the second reads on from what the first has seen
        api.later = None
        sync_source(changing)
    assert api.starts[1] == str(old)
    assert names(project) == BOTH


def test_of_a_revision_number_the_changes_seen_by_one_sync_are_read_by_the_next_again(
    project: Project,
) -> None:
    api, revisions = ChangingList(5), iter(range(6, 100))
    with serving({PATH: api}) as platform:
        changing = incremental(platform.url)
        api.change_behind_and_ahead(lambda: next(revisions))
        for _ in range(3):
            sync_source(changing)
    assert names(project) == BOTH
    assert api.starts == [None, None, "6"]


def test_an_api_that_reads_the_start_in_another_unit_is_read_whole(project: Project) -> None:
    """It writes milliseconds, and takes seconds: no change is ever after the start."""
    api = ChangingList(count=3)
    for number, row in enumerate(api.rows):
        row["updated_at"] = 1_780_000_000_000 + number
    api.is_since = lambda value, since: bool(value / 1_000 >= int(since))
    with serving({PATH: api}) as platform:
        changing = incremental(platform.url)
        sync_source(changing)
        api.rows[1] |= {"name": "new", "updated_at": 1_780_000_009_000}
        sync_source(changing)
        checked = complete(changing)
    assert api.starts == [None, "1780000000001", None]
    assert names(project) == [("e1", "new")]
    assert checked.passed


@pytest.mark.parametrize("hours", [24, -24])
def test_a_wrong_clock_of_the_machine_loses_no_change(project: Project, hours: int) -> None:
    api = ChangingList()
    with serving({PATH: api}) as platform:
        changing = incremental(platform.url)
        with wrong_by(hours):
            sync_source(changing)
            for row in api.rows:
                row["updated_at"] = "2026-07-01T00:00:00Z"
            api.change_behind_and_ahead(lambda: datetime.now(UTC).isoformat()[:19] + "Z")
            sync_source(changing)
        sync_source(changing)
    assert names(project) == BOTH


@pytest.mark.parametrize("hours", [1, 24, -24])
def test_a_wrong_clock_of_the_api_loses_no_change(project: Project, hours: int) -> None:
    """The clock of its responses, which a proxy may write: that of its records is right."""
    api, now = ChangingList(), datetime.now(UTC)
    api.headers["Date"] = format_datetime(now + timedelta(hours=hours), usegmt=True)

    def change() -> None:
        for number, name in enumerate(("behind", "ahead", "later")):
            stamp = (now + timedelta(seconds=number)).isoformat()
            api.rows[(0, 4, 5)[number]].update(name=name, updated_at=f"{stamp[:19]}Z")

    with serving({PATH: api}, dated=False) as platform:
        changing = incremental(platform.url)
        api.later = change
        for _ in range(2):
            sync_source(changing)
    assert names(project) == [("e0", "behind"), ("e4", "ahead"), ("e5", "later")]


def test_a_field_with_a_timezone_lets_the_cursor_come_close() -> None:
    newest = datetime.now(ZoneInfo("America/New_York")).replace(tzinfo=None) - timedelta(hours=5)
    api = ChangingList(newest.isoformat())
    with serving({PATH: api}) as platform:
        zone = {"type": "timestamp", "timezone": "America/New_York"}
        for fields in ({"updated_at": zone}, {"updated_at": {"type": "timestamp"}}):
            changing = incremental(platform.url, **fields)
            sync_source(changing)
            sync_source(changing)
    assert api.starts == [None, newest.isoformat(), None, None]


def test_a_value_that_is_not_of_the_cursors_kind_is_no_position() -> None:
    api = ChangingList()
    api.rows[3]["updated_at"] = "n/a"
    with serving({PATH: api}) as platform:
        changing = incremental(platform.url)
        for _ in range(2):
            sync_source(changing)
    assert api.starts == [None, OLD]
    check = complete(changing)
    assert (check.passed, check.severity.value) == (False, "WARN")
    said = "`updated_at` of 1 record is neither a time nor a number, or written unlike the others"
    assert f'{said}, such as "n/a"' in str(check.description)


def test_a_cursor_that_no_record_has_is_a_warning_that_names_it(project: Project) -> None:
    api = ChangingList()
    with serving({PATH: api}) as platform:
        changing = incremental(platform.url, {"cursor_path": "$.update_at"})
        for _ in range(2):
            sync_source(changing)
    check = complete(changing)
    assert (check.passed, check.severity.value) == (False, "WARN")
    assert "No record has a `$.update_at`" in str(check.description)
    assert api.starts == [None, None]
    assert len(project.ids()) == 6


def test_a_sync_that_cannot_ask_for_changes_is_full(project: Project) -> None:
    api = ChangingList()
    with serving({PATH: api}) as platform:
        changing = incremental(platform.url, {"start_param": None})
        sync_source(changing, derived=True)
        del api.rows[1]
        sync_source(changing, derived=True)
    assert project.ids("current_events") == ["e0", "e2", "e3", "e4", "e5"]
    assert project.rows("select change, id from events.event_changes") == [("gone", "e1")]
    assert project.rows("select distinct full_sync from events.event_data_syncs") == [(True,)]


@pytest.mark.parametrize(
    "damage",
    ["drop table events.event_data", "delete from events.event_data where id = 'e2'",
     "truncate events.event_data", "alter table events.event_data drop column name",
     "drop table events.event_data_syncs"],
)  # fmt: skip
def test_rows_that_are_gone_are_read_again(project: Project, damage: str) -> None:
    api = ChangingList()
    api.rows[0]["updated_at"] = "2026-06-02T00:00:00Z"
    with serving({PATH: api}) as platform:
        changing = incremental(platform.url)
        sync_source(changing)
        project.rows(damage)
        sync_source(changing)
    assert project.ids() == [f"e{number}" for number in range(6)]
    assert project.rows("select distinct name from events.event_data") == [("x",)]
    assert api.starts == [None, None]
