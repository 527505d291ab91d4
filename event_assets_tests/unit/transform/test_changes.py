"""What moved since the last sync."""

import time
from typing import Any

import pytest

from event_assets.sandbox import Sandbox
from event_assets_tests.support.project import Project, metadata

EVENTS: list[dict[str, Any]] = [
    {
        "id": str(i),
        "name": f"Event {i}",
        "start_time": "2126-05-01T18:30:00Z",
        "status": "scheduled",
        "venue": {"name": "Hall", "capacity": 10},
        "tags": ["a"],
    }
    for i in range(5)
]


def changes(project: Project) -> list[tuple[Any, ...]]:
    return project.rows(
        "select change, id, field, old, new from events.event_changes order by changed_at, id"
    )


def synced(project: Project, *lists: list[dict[str, Any]]) -> dict[str, Any]:
    with Sandbox(lists[0]) as api:
        for events in lists:
            api.replace(events)
            result = project.sync(url=api.url, accept_new_origin=True)  # of the same events
            assert result.success
    return metadata(result, "event_changes")


def test_a_change_says_field_old_and_new_the_important_first(project: Project) -> None:
    moved = {
        **EVENTS[1],
        "venue": {"name": "Park", "capacity": 10},
        "tags": ["a", "b"],
        "start_time": "2126-05-02T18:30:00Z",
    }
    synced(project, EVENTS, [EVENTS[0], moved, *EVENTS[2:]])
    assert changes(project) == [
        ("changed", "1", "start_time", "2126-05-01 18:30:00+00", "2126-05-02 18:30:00+00"),
        ("changed", "1", "venue__name", "Hall", "Park"),
        ("changed", "1", "tags", '["a"]', '["a","b"]'),
    ]


def test_a_cancelled_event_is_a_change_of_its_own_kind(project: Project) -> None:
    statuses = ["cancelled", "canceled", "CANCELED"]
    cancelled = [{**EVENTS[i], "status": status} for i, status in enumerate(statuses)]
    synced(project, EVENTS, [*cancelled, *EVENTS[3:]])
    assert changes(project) == [
        ("cancelled", str(i), "status", "scheduled", status) for i, status in enumerate(statuses)
    ]


def test_events_appear_go_and_come_back(project: Project) -> None:
    figures = synced(project, EVENTS[:4], [*EVENTS[1:4], EVENTS[4]], EVENTS[1:3], EVENTS[1:])
    assert [row[:2] for row in changes(project)] == [
        ("appeared", "4"),
        ("gone", "0"),
        ("gone", "3"),
        ("gone", "4"),
        ("reappeared", "3"),
        ("reappeared", "4"),
    ]
    assert (figures["reappeared"], figures["gone"]) == (2, 0)


def test_each_change_is_noted_with_the_sync_that_saw_it(project: Project) -> None:
    synced(project, EVENTS, EVENTS[1:])
    assert project.rows(
        "select count(*) from events.event_changes as c join events.event_data_syncs as s "
        "on c.load_id = s.load_id and c.changed_at between s.started_at and s.finished_at"
    ) == [(1,)]


def test_unchanged_events_add_no_change(project: Project) -> None:
    synced(project, EVENTS, EVENTS)
    assert changes(project) == []
    synced(project, EVENTS[1:], EVENTS[1:])
    assert len(changes(project)) == 1


def test_a_new_field_is_no_change_of_the_events_but_what_it_does_next_is(project: Project) -> None:
    with_door = [{**event, "door": 1} for event in EVENTS]
    synced(project, EVENTS, with_door, [{**with_door[0], "door": 2}, *with_door[1:]])
    assert changes(project) == [("changed", "0", "door", "1", "2")]


def test_a_field_that_only_some_events_have_may_appear_with_a_change(project: Project) -> None:
    without = [{k: v for k, v in event.items() if k != "status"} for event in EVENTS]
    synced(project, without, [{**without[0], "status": "cancelled"}, *without[1:]])
    assert changes(project) == [("cancelled", "0", "status", None, "cancelled")]


def test_a_field_that_goes_is_no_change_of_the_events(project: Project) -> None:
    synced(project, EVENTS, [{k: v for k, v in e.items() if k != "venue"} for e in EVENTS])
    assert changes(project) == []


def test_a_number_that_gets_a_fraction_is_a_change(project: Project) -> None:
    priced = [{**event, "price": 10} for event in EVENTS]
    synced(project, priced, [{**priced[0], "price": 12.5}, *priced[1:]])
    assert changes(project) == [("changed", "0", "price", "10.0", "12.5")]


def test_times_are_noted_in_utc_wherever_the_machine_is(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    later = {**EVENTS[0], "start_time": "2126-05-01T19:30:00Z"}
    synced(project, EVENTS, [later, *EVENTS[1:]])
    monkeypatch.undo()
    time.tzset()
    project.environment.setenv("EVENTS_DUCKDB", str(project.database))
    assert changes(project)[0][3:] == ("2126-05-01 18:30:00+00", "2126-05-01 19:30:00+00")


def test_the_changes_are_shown_in_the_ui(project: Project) -> None:
    figures = synced(project, EVENTS, [{**EVENTS[0], "name": "New"}, *EVENTS[1:]])
    assert figures["changed"] == 1
    assert [row.data for row in figures["changes"]] == [
        {
            "change": "changed",
            "name": "New",
            "field": "name",
            "old": "Event 0",
            "new": "New",
            "id": "0",
        }
    ]


JSON = [
    {"b": 1, "a": {"x": 10, "y": [1, {"p": None, "q": "1"}]}},
    {"a": {"y": [1.0, {"q": "1", "p": None}], "x": 10.0}, "b": 1e0},
]


def test_json_is_compared_by_value(project: Project) -> None:
    lists = [[{**event, "items": [items]} for event in EVENTS] for items in JSON]
    synced(project, *lists)
    assert changes(project) == []


OTHER_JSON: list[tuple[Any, Any]] = [
    ([{"a": 1}], [{"a": "1"}]),
    ([1, 2], [2, 1]),
    ([{"a": None}], [{}]),
    ([{}], [[]]),
    ([9007199254740993], [9007199254740992]),
    ([{"a.b": 1}], [{"a": {"b": 1}}]),
    ([0.1], [0.10000000000001]),
    (["x"], None),
    ([1e300], [1.1e300]),
]


def test_another_json_value_is_a_change(project: Project) -> None:
    lists = [
        [{**EVENTS[0], "id": str(at), "items": items} for at, items in enumerate(version)]
        for version in zip(*OTHER_JSON, strict=True)
    ]
    synced(project, *lists)
    assert [row[:3] for row in changes(project)] == [
        ("changed", str(at), "items") for at in range(len(OTHER_JSON))
    ]
