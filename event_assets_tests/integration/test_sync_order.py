"""Syncs are in the order in which they were loaded, whatever the clock says."""

from typing import Any

import dagster as dg
import pytest

from event_assets.sandbox import Sandbox
from event_assets_tests.support.accounts import derive, serving_accounts, sync, with_accounts
from event_assets_tests.support.clock import wrong_by
from event_assets_tests.support.contracts import load
from event_assets_tests.support.platforms import Platform, definitions, paged, run, serving, source
from event_assets_tests.support.project import Project, checks

wrong_clocks = pytest.mark.parametrize("hours", [1, -1], ids=["ahead", "back"])
an_hour_ahead = pytest.mark.parametrize("hours", [1], ids=["ahead"])


def event(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": str(number), "name": f"Event {number}", "start_time": None, **fields}


BEFORE = [event(1), event(2), event(3)]
AFTER = [event(1), event(3), event(4)]


def changes(project: Project, more: str = "") -> list[tuple[Any, ...]]:
    columns = f"change, id{more}"
    return project.rows(f"select {columns} from events.event_changes order by id, change")


def syncs(project: Project, column: str) -> list[Any]:
    rows = project.rows(f"select {column} from events.event_data_syncs order by sync_number")
    return [value for (value,) in rows]


@wrong_clocks
def test_a_sync_under_a_wrong_clock_is_followed_by_the_next(project: Project, hours: int) -> None:
    with Sandbox(BEFORE) as api:
        project.sync(url=api.url)
        with wrong_by(hours):
            project.sync(url=api.url)
        assert project.ids("current_events") == ["1", "2", "3"]
        for _ in range(2):
            api.replace(AFTER)
            project.sync(url=api.url)
            assert project.ids("current_events") == ["1", "3", "4"]
            assert changes(project) == [("gone", "2"), ("appeared", "4")]
    assert syncs(project, "sync_number") == [1, 2, 3, 4]
    assert syncs(project, "load_id") != sorted(syncs(project, "load_id"))
    assert syncs(project, "started_at") != sorted(syncs(project, "started_at"))


@wrong_clocks
def test_what_is_gone_is_gone_since_the_sync_that_missed_it(project: Project, hours: int) -> None:
    with Sandbox(BEFORE) as api:
        with wrong_by(hours):
            project.sync(url=api.url)
        api.replace(AFTER)
        project.sync(url=api.url)
    (first, second) = syncs(project, "load_id")
    assert first != second
    assert changes(project, ", load_id") == [("gone", "2", second), ("appeared", "4", second)]


@an_hour_ahead
def test_each_account_has_its_own_order(project: Project, hours: int) -> None:
    lists = {"a": BEFORE, "b": BEFORE}
    with serving_accounts(lists) as api:
        loaded = load(with_accounts(api.url, ["a", "b"]))
        sync(project, loaded, "a", "b")
        with wrong_by(hours):
            sync(project, loaded, "a")
        derive(project, loaded)
        lists["a"] = AFTER
        sync(project, loaded, "a")
        derive(project, loaded)
    current = "select account || id from events.current_events order by all"
    assert project.rows(current) == [("a1",), ("a3",), ("a4",), ("b1",), ("b2",), ("b3",)]
    (newest,) = project.rows("select max_by(load_id, sync_number) from events.event_data_syncs")
    assert changes(project, ", account, load_id") == [
        ("gone", "2", "a", *newest),
        ("appeared", "4", "a", *newest),
    ]


@an_hour_ahead
def test_the_checks_look_at_the_sync_that_was_loaded_last(project: Project, hours: int) -> None:
    with Sandbox([*BEFORE, event(5, extra="x"), event(6, start_time="soon")]) as api:
        with wrong_by(hours):
            project.sync(url=api.url, derived=False)
        api.replace(BEFORE)
        second = checks(project.sync(url=api.url, derived=False))
        third = checks(project.sync(url=api.url, derived=False))
    assert "1 gone: extra" in str(second["schema_stable"].description)
    assert third["schema_stable"].passed
    assert second["complete"].metadata["distinct_ids"].value == 3
    assert second["no_rejects"].passed


@an_hour_ahead
def test_an_event_whose_record_is_bad_stays_current(project: Project, hours: int) -> None:
    with Sandbox([*BEFORE, event(6)]) as api:
        with wrong_by(hours):
            project.sync(url=api.url)
        api.replace([*BEFORE, event(6, start_time="soon")])
        result = project.sync(url=api.url)
        assert project.ids("current_events") == ["1", "2", "3", "6"]
        assert checks(result)["no_rejects"].metadata["rejects"].value == 1
        api.replace([*BEFORE, event(6)])
        project.sync(url=api.url)
    assert project.ids("current_events") == ["1", "2", "3", "6"]
    assert changes(project) == []
    assert project.rows("from events.event_data_rejects") == []


@wrong_clocks
def test_an_incremental_sync_continues_where_the_last_one_ended(
    project: Project, hours: int
) -> None:
    rows = [event(1, updated_at="2026-01-01T00:00:00Z")]
    with serving({"/v1/events": paged(rows)}) as api:
        loaded = incremental(api)
        with wrong_by(hours):
            run(project, loaded)
        rows[:] = [event(2, updated_at="2026-01-02T00:00:00Z")]
        run(project, loaded)
        run(project, loaded)
    starts = dict.fromkeys(asked["since"] for asked in api.asked_for("/v1/events"))
    assert [*starts] == ["2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]


def incremental(api: Platform) -> dg.Definitions:
    document = source(api.url)
    document["attributes"]["fields"]["updated_at"] = {"type": "timestamp"}
    (resource,) = document["attributes"]["rest_api"]["resources"]
    resource["endpoint"]["params"] = {"since": "{incremental.start_value}"}
    resource["endpoint"]["incremental"] = {
        "cursor_path": "updated_at",
        "initial_value": "2025-01-01T00:00:00Z",
    }
    return definitions({"events": document})


@wrong_clocks
def test_fresh_is_the_age_of_the_sync_that_was_loaded_last(project: Project, hours: int) -> None:
    with Sandbox(BEFORE) as api:
        project.sync(url=api.url, derived=False)
        with wrong_by(2 * hours):
            result = project.sync(url=api.url, derived=False)
            assert checks(result)["fresh"].passed
        assert checks(project.sync(url=api.url, derived=False))["fresh"].passed


@an_hour_ahead
def test_columns_that_came_after_a_wrong_clock_are_filled(project: Project, hours: int) -> None:
    with Sandbox(BEFORE) as api:
        with wrong_by(hours):
            project.sync(url=api.url, derived=False)
        for number in (10, 11):
            api.replace([event(number, venue={"size": number}, **{"a.b": number, "a b": number})])
            assert project.sync(url=api.url, derived=False).success
    rows = project.rows("select a_b, a_b__x2, venue__size from events.event_data where id = '11'")
    assert rows == [(11, 11, 11)]
