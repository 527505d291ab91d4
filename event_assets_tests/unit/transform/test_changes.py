"""What moved since the last sync."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from event_assets_tests.support.direct_syncs import sync_default
from event_assets_tests.support.project import Project, metadata, new_project
from event_assets_tests.support.sandbox import Sandbox

pytestmark = pytest.mark.in_process

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


def synced(project: Project, *lists: list[dict[str, Any]]) -> None:
    """Sync a list as it changes."""
    with Sandbox([]) as api:
        for events in lists:
            api.replace(events)
            sync_default(project, api.url, derived=True)


def shown(project: Project, *lists: list[dict[str, Any]]) -> dict[str, Any]:
    """Sync a list as it changes, and return what Dagster shows of the last changes."""
    *before, last = lists
    with Sandbox([]) as api:
        for events in before:
            api.replace(events)
            sync_default(project, api.url, derived=True)
        api.replace(last)
        result = project.sync(url=api.url)
    assert result.success
    return metadata(result, "event_changes")


def without(event: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != name}


PLAIN = EVENTS[0]
CANCELLED = ("cancelled", "canceled", "CANCELED")
JSON = [
    {"b": 1, "a": {"x": 10, "y": [1, {"p": None, "q": "1"}]}},
    {"a": {"y": [1.0, {"q": "1", "p": None}], "x": 10.0}, "b": 1e0},
]
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
MOVED = {
    "venue": {"name": "Park", "capacity": 10},
    "tags": ["a", "b"],
    "start_time": "2126-05-02T18:30:00Z",
}
# What one sync says of an event, what the next does, and the changes.
VERSIONS: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[Any, ...]]]] = {
    "nothing": (PLAIN, PLAIN, []),
    "several fields": (
        PLAIN,
        {**PLAIN, **MOVED},
        [
            ("changed", "start_time", "2126-05-01 18:30:00+00", "2126-05-02 18:30:00+00"),
            ("changed", "venue__name", "Hall", "Park"),
            ("changed", "tags", '["a"]', '["a","b"]'),
        ],
    ),
    **{
        word: (PLAIN, {**PLAIN, "status": word}, [("cancelled", "status", "scheduled", word)])
        for word in CANCELLED
    },
    "a field that only some events have": (
        without(PLAIN, "status"),
        {**PLAIN, "status": "cancelled"},
        [("cancelled", "status", None, "cancelled")],
    ),
    "a fraction": (
        {**PLAIN, "price": 10},
        {**PLAIN, "price": 12.5},
        [("changed", "price", "10.0", "12.5")],
    ),
    "a value that stays in a column that gets fractions": (
        {**PLAIN, "price": 10},
        {**PLAIN, "price": 10},
        [],
    ),
    "equal JSON": ({**PLAIN, "items": [JSON[0]]}, {**PLAIN, "items": [JSON[1]]}, []),
}


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project in which each event of the table got its second version, in another time zone."""
    pairs = {name: (before, after) for name, (before, after, _) in VERSIONS.items()}
    for at, (before, after) in enumerate(OTHER_JSON):
        pairs[f"json {at}"] = {**PLAIN, "items": before}, {**PLAIN, "items": after}
    versions = [[{**pair[at], "id": id_} for id_, pair in pairs.items()] for at in (0, 1)]
    folder = tmp_path_factory.mktemp("changes")
    with pytest.MonkeyPatch.context() as patch, new_project(folder, patch) as project:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        synced(project, *versions)
        patch.delenv("TZ")
        time.tzset()
        yield project


@pytest.mark.parametrize("name", VERSIONS)
def test_a_change_says_field_old_and_new_the_important_first(changed: Project, name: str) -> None:
    found = [row for row in changes(changed) if row[1] == name]
    assert [(change, *values) for change, _, *values in found] == VERSIONS[name][2]


@pytest.mark.parametrize("number", range(len(OTHER_JSON)))
def test_another_json_value_is_a_change(changed: Project, number: int) -> None:
    found = [row[:3] for row in changes(changed) if row[1] == f"json {number}"]
    assert found == [("changed", f"json {number}", "items")]


def test_events_appear_go_and_come_back(project: Project) -> None:
    figures = shown(project, EVENTS[:4], [*EVENTS[1:4], EVENTS[4]], EVENTS[1:3], EVENTS[1:])
    assert [row[:2] for row in changes(project)] == [
        ("appeared", "4"),
        ("gone", "0"),
        ("gone", "3"),
        ("gone", "4"),
        ("reappeared", "3"),
        ("reappeared", "4"),
    ]
    assert (figures["reappeared"], figures["gone"]) == (2, 0)


def test_of_an_event_that_has_changed_and_left_only_the_leaving_is_noted(project: Project) -> None:
    renamed = [{**event, "name": "New"} for event in EVENTS[:2]]
    with Sandbox(EVENTS) as api:
        sync_default(project, api.url, derived=True)
        api.replace([renamed[0], *EVENTS[1:]])
        sync_default(project, api.url)
        api.replace([renamed[1], *EVENTS[2:]])
        sync_default(project, api.url, derived=True)
    assert changes(project) == [
        ("changed", "1", "name", "Event 1", "New"),
        ("gone", "0", None, None, None),
    ]


def test_a_change_is_noted_once_with_the_sync_that_saw_it(project: Project) -> None:
    synced(project, EVENTS, EVENTS[1:], EVENTS[1:])
    assert len(changes(project)) == 1
    assert project.rows(
        "select s.sync_number from events.event_changes as c join events.event_data_syncs as s "
        "on c.load_id = s.load_id and c.changed_at between s.started_at and s.finished_at"
    ) == [(2,)]


def test_the_numbers_of_comparisons_rise_though_an_older_database_has_none(
    project: Project,
) -> None:
    numbers = "select comparison_number, count(*) from events.event_changes group by 1 order by 1"
    with Sandbox(EVENTS) as api:
        for listed in (EVENTS, EVENTS[2:], EVENTS[2:], EVENTS[1:]):
            api.replace(listed)
            sync_default(project, api.url, derived=True)
        assert project.rows(numbers) == [(1, 2), (2, 1)]
        project.rows("alter table events.event_changes drop column comparison_number")
        for listed in (EVENTS[1:3], EVENTS[1:]):
            api.replace(listed)
            sync_default(project, api.url, derived=True)
        assert project.rows(numbers) == [(1, 3), (2, 2), (3, 2)]
        project.rows("update events.event_changes set comparison_number = null where id = '0'")
        api.replace(EVENTS)
        sync_default(project, api.url, derived=True)
    assert project.rows(numbers) == [(1, 2), (2, 2), (3, 2), (4, 1), (5, 1)]


def test_a_field_that_comes_or_goes_is_no_change_of_the_events(project: Project) -> None:
    with_door = [{**without(event, "venue"), "door": 1} for event in EVENTS]
    again = [{**event, "door": 1} for event in EVENTS]
    synced(project, EVENTS, with_door, [{**with_door[0], "door": 2}, *with_door[1:]], again)
    assert changes(project) == [
        ("changed", "0", "door", "1", "2"),
        ("changed", "0", "door", "2", "1"),
    ]


def test_a_field_that_comes_again_is_no_change_of_events_that_stay(project: Project) -> None:
    bare = [without(event, "venue") for event in EVENTS]
    renamed = [{**EVENTS[0], "name": "New"}, *EVENTS[1:]]
    moved = [*renamed[:4], {**EVENTS[4], "venue": {"name": "Park", "capacity": 10}}]
    # with `door` as a column of its own, the venues are forgotten when all events lose them
    synced(project, EVENTS, [{**event, "door": 1} for event in bare], EVENTS, renamed, moved)
    assert changes(project) == [
        ("changed", "0", "name", "Event 0", "New"),
        ("changed", "4", "venue__name", "Hall", "Park"),
    ]


def test_a_field_of_the_contract_that_no_event_has_any_more_has_changed(project: Project) -> None:
    synced(project, EVENTS[:1], [{**EVENTS[0], "start_time": None, "status": None}], EVENTS[:1])
    start = "2126-05-01 18:30:00+00"
    assert [row[2:] for row in changes(project)] == [
        ("start_time", start, None),
        ("status", "scheduled", None),
        ("start_time", None, start),
        ("status", None, "scheduled"),
    ]


def test_the_changes_are_shown_in_the_ui(project: Project) -> None:
    figures = shown(project, EVENTS, [{**EVENTS[0], "name": "New"}, *EVENTS[1:]])
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
