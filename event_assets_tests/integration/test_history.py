"""What the history forgets, and what the calendar counts once and on its own day."""

from typing import Any

import pytest

from event_assets_tests.support.accounts import serving_accounts, with_accounts
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import (
    derive_tables,
    source_of,
    sync_accounts,
    sync_source,
)
from event_assets_tests.support.platforms import events, paged, source
from event_assets_tests.support.project import Project

pytestmark = pytest.mark.in_process

PATH = "/v1/events"


def test_a_field_that_is_excluded_later_leaves_the_table_and_the_history(project: Project) -> None:
    rows = [{**event, "host": {"mail": f"{event['id']}@x.org"}} for event in events(4)]
    with serving({PATH: paged(rows)}) as api:
        config = source_of(source(api.url))
        sync_source(config, derived=True)
        rows[0] = {**rows[0], "host": {"mail": "new@x.org"}, "name": "New"}
        left = rows.pop()
        sync_source(config, derived=True)
        mails = "from events.event_changes where field = 'host__mail'"
        assert len(project.rows(mails)) == 1
        sync_source(source_of(source(api.url, exclude=["host"])), derived=True)
    assert project.rows("select field from events.event_changes where field is not null") == [
        ("name",)
    ]
    for table in ("event_data", "event_changes_snapshot"):
        assert project.rows(f"select count(host__mail) from events.{table}") == [(0,)]
    assert left["id"] in project.ids()


def test_a_field_in_a_list_that_is_excluded_later_leaves_the_history(project: Project) -> None:
    def guests(mail: str, name: str = "Ada") -> dict[str, Any]:
        return {"people": [{"name": name, "mail": f"{mail}@x.org"}]}

    rows = [{**event, **guests(event["id"])} for event in events(5)]
    rows[4]["start_time"] = "soon"
    with serving({PATH: paged(rows)}) as api:
        config = source_of(source(api.url, max_rejects="50%"))
        sync_source(config, derived=True)
        rows[0] |= guests("new")
        rows[1] |= guests("other", "Eve")
        del rows[2:]  # and the reject
        sync_source(config, derived=True)
        excluding = source(api.url, max_rejects="50%", exclude=["people.mail"])
        sync_source(source_of(excluding), derived=True)
    assert project.rows("select id, old, new from events.event_changes where field = 'people'") == [
        ("e1", '[{"name":"Ada"}]', '[{"name":"Eve"}]')
    ]
    names = ("event_data", "event_changes", "event_changes_snapshot", "event_data_rejects")
    for name in names:
        assert "@x.org" not in str(project.rows(f"from events.{name}"))
    assert len(project.ids()) == 4


def test_an_event_that_two_accounts_host_counts_once_in_the_calendar(project: Project) -> None:
    shared = [{**event, "status": "on"} for event in events(30)]
    own = {**shared[0], "name": "Of the same id, but another one"}
    lists: dict[str, list[dict[str, Any]]] = {"berlin": shared, "paris": [*shared[1:], own]}
    with serving_accounts(lists) as api:
        both = source_of(with_accounts(api.url, list(lists)))
        sync_accounts(both, *lists)
        derive_tables(both)
    assert project.rows("select count(*) from events.current_events") == [(60,)]
    assert project.rows("select sum(events) from events.event_calendar") == [(31,)]


def test_a_whole_day_counts_on_its_own_day_and_a_time_on_that_of_utc(project: Project) -> None:
    zoned = {"type": "timestamp", "from": ["start.at", "start.day"], "timezone": "start.zone"}
    fields = {"id": {"type": "text"}, "start_time": zoned}
    rows: list[dict[str, Any]] = [
        {"id": "day", "start": {"day": "2026-10-25", "zone": "Europe/Berlin"}},
        {"id": "time", "start": {"at": "2026-10-25T00:00:00", "zone": "Europe/Berlin"}},
        {"id": "utc", "start": {"day": "2026-10-25", "zone": "UTC"}},
    ]
    with serving({PATH: paged(rows)}) as api:
        for _ in range(2):
            sync_source(source_of(source(api.url, fields=fields)), derived=True)
    assert project.rows("select day::varchar, events from events.event_calendar order by day") == [
        ("2026-10-24", 1),
        ("2026-10-25", 2),
    ]
    moments = "select id, start_time::varchar, start_time__v_date::varchar from events.event_data"
    assert project.rows(f"{moments} order by id") == [
        ("day", "2026-10-24 22:00:00+00", "2026-10-25"),
        ("time", "2026-10-24 22:00:00+00", None),
        ("utc", "2026-10-25 00:00:00+00", None),
    ]
    assert project.rows("from events.event_changes") == []


def test_fields_may_have_the_names_of_columns_of_ours(project: Project) -> None:
    ours = "account Account _dlt_load_id _DLT_ID Last_Seen_At last_seen_at ID start_time__v_date"
    of_queries = "event complete owner now before load_id rowid source kept day events"
    names = f"{ours} {of_queries}".split()
    rows = [{**event, **dict.fromkeys(names, "x")} for event in events(5)]
    rows[1] = {**rows[1], **dict.fromkeys(names)}
    rows[2] = dict(events(3)[2])
    with serving({PATH: paged(rows)}) as api:
        for _ in range(2):
            sync_source(source_of(source(api.url)), derived=True)
            rows[0] = {**rows[0], **dict.fromkeys(names, "y")}
    assert project.rows("select count(*) from events.current_events") == [(5,)]
    changed = project.rows("select count(*) from events.event_changes where new = 'y'")
    assert changed == [(len(names),)]
