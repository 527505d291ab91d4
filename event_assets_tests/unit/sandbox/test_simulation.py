"""Simulated events look like those of a platform, and change over time."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from event_assets_tests.support.sandbox import Event, EventSimulation, Sandbox
from event_assets_tests.support.sandbox_client import get_page

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def by_id(events: list[Event]) -> dict[str, Event]:
    return {event["id"]: event for event in events}


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_equal_seeds_produce_equal_events() -> None:
    events = EventSimulation(300, seed=7).events(NOON)
    assert EventSimulation(300, seed=7).events(NOON) == events
    assert EventSimulation(300, seed=8).events(NOON) != events


@pytest.mark.parametrize("size", [0, 250])
def test_a_frozen_simulation_has_exactly_its_size_and_never_changes(size: int) -> None:
    simulation = EventSimulation(size, frozen=True)
    events = simulation.events(NOON)
    assert len(by_id(events)) == size
    assert simulation.events(NOON + timedelta(days=3650)) == events


@pytest.mark.parametrize("year", [1970, 2035])
def test_a_live_simulation_has_about_its_size_at_any_time(year: int) -> None:
    events = EventSimulation(2000).events(datetime(year, 2, 28, 23, 59, tzinfo=UTC))
    assert 1850 < len(by_id(events)) == len(events) < 2150


def test_every_event_has_all_fields_with_their_types() -> None:
    def shape(value: object) -> object:
        if isinstance(value, dict):
            members = cast("dict[str, object]", value)
            return {name: shape(member) for name, member in members.items()}
        return type(value)

    texts = ("id", "name", "status", "start_time", "end_time", "description", "url", "category")
    venue = {"id": str, "name": str, "city": str, "country": str, "capacity": int}
    for event in EventSimulation(500).events(NOON):
        assert all(isinstance(tag, str) for tag in event["tags"])
        assert shape({**event, "end_time": event["end_time"] or ""}) == {
            **dict.fromkeys(texts, str),
            "tags": list,
            "venue": {**venue, "location": {"lat": float, "lon": float}},
            "price": {"currency": str, "min": int, "max": int},
            "is_online": bool,
            "attendee_count": int,
            "created_at": str,
            "updated_at": str,
        }


def test_times_have_an_offset_and_one_event_in_five_has_no_end() -> None:
    events = EventSimulation(2000).events(NOON)
    ended = [event for event in events if event["end_time"] is not None]
    assert {"Z", "+09:00", "-05:00"} <= {event["start_time"][19:] for event in events}
    assert 0.75 < len(ended) / len(events) < 0.85
    assert all(parse_time(event["end_time"]) > parse_time(event["start_time"]) for event in ended)


def test_names_use_many_scripts() -> None:
    names = "".join(event["name"] for event in EventSimulation(1000).events(NOON))
    assert set("üé音م🎉") <= set(names)


def test_events_are_added_rescheduled_cancelled_and_removed() -> None:
    simulation, later = EventSimulation(1000), NOON + timedelta(days=5)
    before, after = by_id(simulation.events(NOON)), by_id(simulation.events(later))
    common = [ident for ident in before if ident in after]
    changed = {"rescheduled": 0, "cancelled": 0}
    for ident in common:
        old, new = before[ident], after[ident]
        if new["status"] in changed and old["status"] != new["status"]:
            changed[new["status"]] += 1
            if new["status"] == "rescheduled":
                assert new["start_time"] != old["start_time"]
        updated = parse_time(new["updated_at"]) > parse_time(old["updated_at"])
        assert updated == (old != new)
    assert min(changed.values()) > 0
    assert list(after)[: len(common)] == common  # new ones are appended
    assert len(after) > len(common)
    removed = [before[ident] for ident in before.keys() - after.keys()]
    assert any(parse_time(event["start_time"]) > later for event in removed)


def test_events_leave_the_list_a_day_after_their_end() -> None:
    events = EventSimulation(3000).events(NOON)
    ends = [parse_time(event["end_time"]) for event in events if event["end_time"]]
    assert NOON - timedelta(days=1) < min(ends) < NOON - timedelta(hours=22)


def test_a_live_sandbox_follows_its_clock_also_backwards() -> None:
    simulation, now = EventSimulation(200), NOON
    with Sandbox(simulation, clock=lambda: now) as api:
        for hours in (0, 0.1, 7, 24 * 20, 24 * 900, 24 * 3):
            now = NOON + timedelta(hours=hours)
            page = get_page(api.url, limit=1000).json()
            assert page["data"] == simulation.events(now)
            assert page["total"] == len(page["data"])


def test_an_event_that_leaves_the_simulation_was_not_present_throughout() -> None:
    now = NOON
    api = Sandbox(EventSimulation(200), clock=lambda: now)
    first = set(api.ids())
    now += timedelta(days=2)
    assert api.present_throughout() == first & set(api.ids()) < first
