"""Syncs are in the order in which they were loaded, whatever the clock says."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from starlette.requests import Request

from event_assets.config.source import SourceConfig
from event_assets.definitions import defs
from event_assets.values.errors import WarehouseError
from event_assets_tests.support.accounts import serving_accounts, with_accounts
from event_assets_tests.support.api_server import ApiServer, serving
from event_assets_tests.support.clock import wrong_by
from event_assets_tests.support.direct_syncs import (
    derive_tables,
    source_of,
    sync_accounts,
    sync_default,
    sync_source,
)
from event_assets_tests.support.platforms import paged, source
from event_assets_tests.support.project import Project, checks
from event_assets_tests.support.sandbox import Sandbox

pytestmark = pytest.mark.in_process
wrong_clocks = pytest.mark.parametrize("hours", [1, -1], ids=["ahead", "back"])
in_any_order = pytest.mark.parametrize(
    "clocks", [(1, -1, 1, -1), (0, -48, 0)], ids=["two machines", "days back"]
)
an_hour_ahead = pytest.mark.parametrize("hours", [1], ids=["ahead"])


def event(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": str(number), "name": f"Event {number}", "start_time": None, **fields}


BEFORE = [event(1), event(2), event(3)]
AFTER = [event(1), event(3), event(4)]


@pytest.fixture
def zones(monkeypatch: pytest.MonkeyPatch) -> Iterator[Iterator[None]]:
    """Let the machine be in one time zone after another, some of daylight saving."""

    def move() -> Iterator[None]:
        for zone in ("America/New_York", "Pacific/Kiritimati", "Europe/Berlin", "UTC"):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            yield

    yield move()
    monkeypatch.undo()
    time.tzset()


def test_a_clock_that_stands_still_changes_nothing_and_is_told(project: Project) -> None:
    rows = list(BEFORE)
    with serving({"/v1/events": paged(rows)}) as api, pytest.MonkeyPatch.context() as patch:
        synced = source_of(source(api.url))
        patch.setattr("dlt.extract.storage.create_load_id", lambda: "1795950000.0")
        sync_source(synced, derived=True)
        rows[:] = AFTER
        with pytest.raises(WarehouseError, match="The clock of this machine stands still"):
            sync_source(synced, derived=True)
        assert project.ids("current_events") == ["1", "2", "3"]
        patch.undo()
        sync_source(synced, derived=True)
    assert project.ids("current_events") == ["1", "3", "4"]


def changes(project: Project, more: str = "") -> list[tuple[Any, ...]]:
    columns = f"change, id{more}"
    return project.rows(f"select {columns} from events.event_changes order by id, change")


def syncs(project: Project, column: str) -> list[Any]:
    rows = project.rows(f"select {column} from events.event_data_syncs order by sync_number")
    return [value for (value,) in rows]


@an_hour_ahead
def test_each_account_has_its_own_order(project: Project, hours: int) -> None:
    lists = {"a": BEFORE, "b": BEFORE}
    with serving_accounts(lists) as api:
        both = source_of(with_accounts(api.url, ["a", "b"]))
        sync_accounts(both, "a", "b")
        with wrong_by(hours):
            sync_accounts(both, "a")
        derive_tables(both)
        lists["a"] = AFTER
        sync_accounts(both, "a")
        derive_tables(both)
    current = "select account || id from events.current_events order by all"
    assert project.rows(current) == [("a1",), ("a3",), ("a4",), ("b1",), ("b2",), ("b3",)]
    (newest,) = project.rows("select max_by(load_id, sync_number) from events.event_data_syncs")
    assert changes(project, ", account, load_id") == [
        ("gone", "2", "a", *newest),
        ("appeared", "4", "a", *newest),
    ]


def test_a_sync_that_began_before_another_adds_its_changes_after_them(project: Project) -> None:
    lists = {"a": BEFORE, "b": BEFORE}
    with serving_accounts(lists) as api:
        both = source_of(with_accounts(api.url, ["a", "b"]))
        sync_accounts(both, "a", "b")
        derive_tables(both)
        lists["a"] = lists["b"] = AFTER
        read: list[Any] = []
        for account, hours in (("a", 0), ("b", -1)):
            with wrong_by(hours):
                sync_accounts(both, account)
            derive_tables(both)
            (_, number) = read[-1] if read else ("", 0)
            read += project.rows(
                "select distinct account, comparison_number from events.event_changes "
                f"where comparison_number > {number}"
            )
    assert read == [("a", 1), ("b", 2)]
    times = "select arg_max(account, changed_at) from events.event_changes"
    assert project.rows(times) == [("a",)]


@an_hour_ahead
def test_the_checks_look_at_the_sync_that_was_loaded_last(project: Project, hours: int) -> None:
    with Sandbox([*BEFORE, event(5, extra="x"), event(6, start_time="soon")]) as api:
        with wrong_by(hours):
            sync_default(project, api.url)
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
            sync_default(project, api.url, derived=True)
        api.replace([*BEFORE, event(6, start_time="soon")])
        sync_default(project, api.url, derived=True)
        assert project.ids("current_events") == ["1", "2", "3", "6"]
        assert project.ids("event_data_rejects") == ["6"]
        api.replace([*BEFORE, event(6)])
        sync_default(project, api.url, derived=True)
    assert project.ids("current_events") == ["1", "2", "3", "6"]
    assert changes(project) == []
    assert project.rows("from events.event_data_rejects") == []


@wrong_clocks
@pytest.mark.usefixtures("project")
def test_an_incremental_sync_continues_where_the_last_one_ended(hours: int) -> None:
    rows = [event(1, updated_at="2026-01-01T00:00:00Z")]
    with serving({"/v1/events": paged(rows)}) as api:
        config = incremental(api)
        with wrong_by(hours):
            sync_source(config)
        for number in (2, 3):
            rows.append(event(number, updated_at=f"2026-01-0{number}T00:00:00Z"))
            sync_source(config)
        sync_source(config)
    starts = dict.fromkeys(asked["since"] for asked in api.asked_for("/v1/events"))
    assert [*starts] == ["2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]


def incremental(api: ApiServer) -> SourceConfig:
    endpoint = {
        "params": {"since": "{incremental.start_value}"},
        "incremental": {"cursor_path": "updated_at", "initial_value": "2025-01-01T00:00:00Z"},
    }
    document = source(api.url, endpoint=endpoint)
    document["attributes"]["fields"]["updated_at"] = {"type": "timestamp"}
    return source_of(document)


@wrong_clocks
def test_fresh_is_the_age_of_the_sync_that_was_loaded_last(project: Project, hours: int) -> None:
    with Sandbox(BEFORE) as api:
        sync_default(project, api.url)
        with wrong_by(2 * hours):
            result = project.sync(url=api.url, derived=False)
            assert checks(result)["fresh"].passed
        assert checks(project.sync(url=api.url, derived=False))["fresh"].passed


@an_hour_ahead
def test_columns_that_came_after_a_wrong_clock_are_filled(project: Project, hours: int) -> None:
    with Sandbox(BEFORE) as api:
        with wrong_by(hours):
            sync_default(project, api.url)
        for number in (10, 11):
            api.replace([event(number, venue={"size": number}, **{"a.b": number, "a b": number})])
            sync_default(project, api.url)
    rows = project.rows("select a_b, a_b__x2, venue__size from events.event_data where id = '11'")
    assert rows == [(11, 11, 11)]


@in_any_order
def test_events_leave_and_appear_whatever_the_clocks_say(
    project: Project, clocks: tuple[int, ...], zones: Iterator[None]
) -> None:
    with Sandbox([]) as api:
        for number, hours in enumerate(clocks, 1):
            api.replace([event(number), event(number + 1), event(99)])
            with wrong_by(hours):
                next(zones)
                sync_default(project, api.url, derived=True)
            assert project.ids("current_events") == sorted(["99", str(number), str(number + 1)])
    assert syncs(project, "sync_number") == [*range(1, len(clocks) + 1)]
    assert syncs(project, "started_at") != sorted(syncs(project, "started_at"))
    load_ids = syncs(project, "load_id")
    assert load_ids != sorted(load_ids)
    assert sorted(changes(project, ", load_id")) == sorted(
        change
        for number, load_id in enumerate(load_ids[1:], 2)
        for change in (("gone", str(number - 1), load_id), ("appeared", str(number + 1), load_id))
    )


@in_any_order
def test_no_change_is_lost_whatever_the_clocks_say(
    project: Project, clocks: tuple[int, ...], zones: Iterator[None]
) -> None:
    rows = [event(1), event(2)]

    def answer(request: Request) -> Any:
        since = request.query_params.get("since", "")
        return paged([row for row in rows if row["updated_at"] >= since])(request)

    with serving({"/v1/events": answer}) as api:
        config = incremental(api)
        for number, hours in enumerate(clocks):
            for row in rows:
                row["updated_at"] = datetime.now(UTC).isoformat()
            rows[number % 2].update(name=f"As of {number}")
            with wrong_by(hours):
                next(zones)
                sync_source(config)
            stored = project.rows("select name from events.event_data order by id")
            assert stored == [(row["name"],) for row in rows]


@in_any_order
def test_windows_call_no_living_event_gone_whatever_the_clocks_say(
    project: Project, clocks: tuple[int, ...], zones: Iterator[None]
) -> None:
    now = datetime.now(UTC)
    rows = [
        event(number, start_time=(now + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ"))
        for number, hours in enumerate((-12, 1, 6, 30), 1)
    ]

    def answer(request: Request) -> Any:
        start, end = request.query_params["from"], request.query_params["to"]
        return paged([row for row in rows if start <= row["start_time"] <= end])(request)

    windows = {"param_from": "from", "param_to": "to", "cap": 1000, "since": "-1d", "until": "+3d"}
    with serving({"/v1/events": answer}) as api:
        config = source_of(source(api.url, windows=windows))
        for hours in clocks:
            with wrong_by(hours):
                next(zones)
                sync_source(config, derived=True)
        assert [row for row in changes(project) if row[0] == "gone"] == []


def test_fresh_warns_of_a_sync_that_ended_in_the_future(project: Project) -> None:
    with Sandbox(BEFORE) as api, wrong_by(1):
        sync_default(project, api.url)
    job = defs().resolve_job_def("check_events_are_fresh")
    fresh = checks(job.execute_in_process(instance=project.instance, raise_on_error=False))["fresh"]
    assert (fresh.passed, fresh.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "ended 60 minutes from now: the clock of this machine" in str(fresh.description)
