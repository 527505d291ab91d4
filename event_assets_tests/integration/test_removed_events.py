"""Records of removed events (`removed_when`) erase nothing, and the event is no longer current."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from starlette.requests import Request

from event_assets_tests.support.accounts import serving_accounts, with_accounts
from event_assets_tests.support.api_server import ApiServer, serving
from event_assets_tests.support.contracts import complaint
from event_assets_tests.support.direct_syncs import (
    derive_tables,
    source_of,
    sync_accounts,
    sync_source,
)
from event_assets_tests.support.platforms import definitions, events, run, source
from event_assets_tests.support.project import Project, checks, failure, metadata

pytestmark = pytest.mark.in_process

PATH = "/v1/events"
TOMBSTONE = {"id": "e1", "status": "cancelled"}
STRICT: dict[str, Any] = {
    "id": {"type": "text"},
    "name": {"type": "text", "nullable": False},
    "start_time": {"type": "timestamp", "nullable": False},
    "status": {"type": "text"},
}


def changed(number: int, minute: int = 0, **fields: Any) -> dict[str, Any]:
    (row,) = events(1, first=number)
    return {**row, "status": "confirmed", "updated": f"2026-03-01T10:{minute:02}:00Z", **fields}


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    return [changed(number) for number in range(4)]


@pytest.fixture
def api(rows: list[dict[str, Any]]) -> Iterator[ApiServer]:
    """An API whose list holds what changed since `since`, tombstones always."""

    def answer(request: Request) -> Any:
        since = request.query_params.get("since", "")
        found = [row for row in rows if row.get("updated", "9") >= since]
        return {"data": found, "has_more": False}

    with serving({PATH: answer}) as platform:
        yield platform


def document(url: str, endpoint: Mapping[str, Any] = {}, **settings: Any) -> dict[str, Any]:
    endpoint = {"paginator": {"type": "cursor", "cursor_path": "next"}, **endpoint}
    settings = {"fields": STRICT, "removed_when": {"status": "cancelled"}, **settings}
    return source(url, endpoint=endpoint, **settings)


def incremental(url: str) -> dict[str, Any]:
    return document(url, {"incremental": {"start_param": "since", "cursor_path": "updated"}})


def synced(project: Project, made: dict[str, Any]) -> Any:
    result = run(project, definitions({"events": made}), derived=True)
    assert result.success, failure(result)
    return result


def changes(project: Project) -> list[tuple[Any, ...]]:
    return project.rows("select change, id, field from events.event_changes order by load_id, id")


@pytest.mark.parametrize("kind", [document, incremental])
def test_a_removed_event_keeps_its_values_and_is_no_longer_current(
    project: Project, api: ApiServer, rows: list[dict[str, Any]], kind: Any
) -> None:
    sync_source(source_of(kind(api.url)), derived=True)
    rows[1] = TOMBSTONE
    sync_source(source_of(kind(api.url)), derived=True)
    result = synced(project, kind(api.url))
    assert project.ids() == ["e0", "e1", "e2", "e3"]
    assert project.ids("current_events") == ["e0", "e2", "e3"]
    kept = "select name, start_time is not null, status from events.event_data where id = 'e1'"
    assert project.rows(kept) == [("Event 1", True, "confirmed")]
    assert changes(project) == [("cancelled", "e1", None)]
    assert project.rows("select count(*) from events.event_data_rejects") == [(0,)]
    assert project.rows("select sum(events) from events.event_calendar") == [(3,)]
    assert all(check.passed for check in checks(result).values())
    removed = "select id, removed_at is not null, load_id in (select load_id from "
    log = "events.event_data_syncs where sync_number = 2) from events.event_data_removed"
    assert project.rows(f"{removed}{log}") == [("e1", True, True)]


@pytest.mark.parametrize("kind", [document, incremental])
def test_a_removed_event_that_comes_back_is_current_again(
    project: Project, api: ApiServer, rows: list[dict[str, Any]], kind: Any
) -> None:
    for record in (rows[1], TOMBSTONE, changed(1, 30, name="Back")):
        rows[1] = record
        sync_source(source_of(kind(api.url)), derived=True)
    assert project.ids("current_events") == ["e0", "e1", "e2", "e3"]
    assert changes(project) == [("cancelled", "e1", None), ("reappeared", "e1", None)]
    assert project.rows("select count(*) from events.event_data_removed") == [(0,)]


def test_a_removed_record_of_an_unknown_event_makes_no_row(
    project: Project, api: ApiServer, rows: list[dict[str, Any]]
) -> None:
    rows.append({"id": "never seen", "status": "cancelled"})
    sync_source(source_of(document(api.url)))
    assert project.ids() == ["e0", "e1", "e2", "e3"]
    assert project.rows("select count(*) from events.event_data_removed") == [(0,)]


def test_a_removed_event_stays_removed_in_later_syncs(
    project: Project, api: ApiServer, rows: list[dict[str, Any]]
) -> None:
    sync_source(source_of(incremental(api.url)), derived=True)
    rows[1] = TOMBSTONE
    sync_source(source_of(incremental(api.url)), derived=True)
    del rows[1]
    sync_source(source_of(incremental(api.url)), derived=True)
    assert project.ids("current_events") == ["e0", "e2", "e3"]
    sync_source(source_of(incremental(api.url)), full_refresh=True, derived=True)
    assert project.ids("current_events") == ["e0", "e2", "e3"]
    assert changes(project) == [("cancelled", "e1", None)]


def test_an_event_that_is_removed_while_the_list_is_read_is_not_current(
    project: Project, api: ApiServer, rows: list[dict[str, Any]]
) -> None:
    rows.append(TOMBSTONE)
    check = checks(synced(project, document(api.url)))["unique_ids"]
    assert (check.passed, check.severity.name) == (False, "WARN")
    assert "1 id more than once, such as `e1`, as removed" in str(check.description)
    assert project.ids() == ["e0", "e1", "e2", "e3"]
    assert project.ids("current_events") == ["e0", "e2", "e3"]


def test_a_list_of_removed_records_only_is_believed(
    project: Project, api: ApiServer, rows: list[dict[str, Any]]
) -> None:
    sync_source(source_of(document(api.url)), derived=True)
    rows[:] = [{"id": f"e{number}", "status": "cancelled"} for number in range(4)]
    result = synced(project, document(api.url))
    assert checks(result)["complete"].passed
    assert project.ids("current_events") == []
    assert metadata(result, "event_changes")["cancelled"] == 4


def test_a_removed_record_without_an_id_is_a_reject(
    project: Project, api: ApiServer, rows: list[dict[str, Any]]
) -> None:
    rows.append({"status": "cancelled"})
    sync_source(source_of(document(api.url)))
    reasons = "select field, reason from events.event_data_rejects"
    assert project.rows(reasons) == [("id", "is missing")]


@pytest.mark.parametrize("value", [None, [], {"a": 1}, [None], [["x"]]])
def test_a_mark_that_cannot_match_is_refused(value: Any) -> None:
    said = complaint(document("http://127.0.0.1:9", removed_when={"status": value}))
    assert "must be a value, a list of values, or true" in said
    assert "status" in said.partition("\n>> ")[2]


def test_removed_events_are_those_of_their_account(project: Project) -> None:
    lists = {"a": events(3), "b": events(3)}
    with serving_accounts(lists) as api:
        made = with_accounts(api.url, ["a", "b"])
        made["attributes"]["removed_when"] = {"status": "cancelled"}
        both = source_of(made)
        sync_accounts(both, "a", "b")
        derive_tables(both)
        lists["a"] = [events(1)[0], TOMBSTONE, events(3)[2]]
        sync_accounts(both, "a", "b")
        derive_tables(both)
    current = project.rows("select account, id from events.current_events order by all")
    assert current == [("a", "e0"), ("a", "e2"), ("b", "e0"), ("b", "e1"), ("b", "e2")]
    assert project.rows("select change, id, account from events.event_changes") == [
        ("cancelled", "e1", "a")
    ]


DAMAGES = (
    "update events.event_data_removed set id = null",
    "update events.event_data_removed set account = null",
    "alter table events.event_data_removed drop column id",
    "alter table events.event_data_removed drop column account",
    "drop table events.event_data_removed",
    "delete from events.event_data_accounts",
    "update events.event_data_accounts set account = null",
    "alter table events.event_data_accounts drop column is_listed",
    "update events.event_data_syncs set account = null",
)


def test_the_tables_of_removed_events_and_of_accounts_are_healed(project: Project) -> None:
    lists = {"a": events(3), "b": events(3)}
    with serving_accounts(lists) as api:
        made = with_accounts(api.url, ["a", "b"])
        made["attributes"]["removed_when"] = {"status": "cancelled"}
        both = source_of(made)
        for record in (events(2)[1], TOMBSTONE):
            lists["b"][1] = record
            sync_accounts(both, "a", "b")
            derive_tables(both)
        for damage in DAMAGES:
            project.rows(damage)
            sync_accounts(both, "a", "b")
            derive_tables(both)
            current = project.rows("select account, id from events.current_events order by all")
            there = [("a", "e0"), ("a", "e1"), ("a", "e2"), ("b", "e0"), ("b", "e2")]
            assert current == there, damage
            changes = project.rows("select id, account from events.event_changes")
            assert changes == [("e1", "b")], damage


def test_records_that_erase_values_are_noticed(
    project: Project, api: ApiServer, rows: list[dict[str, Any]]
) -> None:
    fields = {name: {**field, "nullable": True} for name, field in STRICT.items() if name != "id"}
    made = document(api.url, fields={"id": STRICT["id"], **fields}, removed_when={})
    sync_source(source_of(made))
    rows[1] = TOMBSTONE
    check = checks(synced(project, made))["no_rejects"]
    assert (check.passed, check.severity.name) == (False, "WARN")
    said = "1 event came with a status of removed events and without name and start"
    assert said in str(check.description)
    assert "set `removed_when`, such as `{status: cancelled}`" in str(check.description)
