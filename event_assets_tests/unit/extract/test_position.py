"""Which value of its cursor the next incremental sync starts from."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from event_assets.config.fields import FieldConfig
from event_assets.config.source import SourceConfig
from event_assets.config.source_files import EVENT_DATA
from event_assets.extract.cursor import IncrementalCursor
from event_assets.extract.position import CursorReader, CursorTracker

OLD = "2026-06-01T00:00:00Z"
NOW = datetime.now(UTC)


def track(
    records: list[Any],
    *,
    path: str = "updated_at",
    loaded: Any = None,
    received: Any = None,
    start: Any = None,
    field: FieldConfig | None = None,
) -> CursorTracker:
    """Track the cursor of a sync that began now."""
    fields = {"id": FieldConfig(type="text"), **({path: field} if field else {})}
    resource = {"name": EVENT_DATA, "endpoint": {"path": "/v1/events"}}
    rest_api = {"client": {"base_url": "http://x"}, "resources": [resource]}
    source = SourceConfig(name="events", rest_api=rest_api, fields=fields)
    reader = CursorReader(source.resources[EVENT_DATA], IncrementalCursor(path))
    tracker = CursorTracker(reader, loaded, received, start, lambda: NOW)
    assert list(tracker.observe(records)) == records
    return tracker


def updated(*values: Any) -> list[dict[str, Any]]:
    return [{"id": number, "updated_at": value} for number, value in enumerate(values)]


def local(zone: str) -> Callable[[datetime], str]:
    return lambda now: now.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat()


def epoch(unit: int) -> Callable[[datetime], int]:
    return lambda now: int(now.timestamp() * unit)


@pytest.mark.parametrize(
    "write",
    [datetime.isoformat, local("America/New_York"), local("Asia/Tokyo"),
     local("Pacific/Kiritimati"), lambda now: local("America/New_York")(now).replace("T", " "),
     epoch(1), epoch(1_000), epoch(1_000_000), lambda now: str(epoch(1)(now)),
     lambda now: now.date().isoformat()],
    ids=["offset", "New York", "Tokyo", "+14", "space", "s", "ms", "us", "text", "date"],
)  # fmt: skip
def test_a_change_during_the_sync_is_no_position(write: Callable[[datetime], Any]) -> None:
    old, new = write(NOW - timedelta(days=30)), write(NOW)
    tracker = track(updated(old, old, new))
    assert tracker.position == old
    assert tracker.newest == new
    assert tracker.warning is None


def test_of_a_number_that_is_no_time_only_what_the_sync_before_received_is_a_position() -> None:
    assert track(updated(5, 7)).position is None
    assert track(updated(5, 7), received=5).position == 5
    assert track(updated(6, 9), loaded=5, received=7).position == 6


def test_the_zone_of_the_field_lets_a_local_time_come_close() -> None:
    value = local("America/New_York")(NOW - timedelta(hours=5))
    zone = FieldConfig(type="timestamp", timezone="America/New_York")
    assert track(updated(value), field=zone).position == value
    assert track(updated(value)).position is None


def test_instants_are_compared_and_not_texts() -> None:
    earlier, later = "2026-06-02T00:30:00+02:00", "2026-06-01T23:00:00+00:00"
    tracker = track(updated(earlier, later))
    assert (tracker.position, tracker.newest) == (earlier, later)


@pytest.mark.parametrize(
    ("values", "position"),
    [
        (["2026-06-01", "2026-06-03", "2026-06-02", "2026-06-03"], "2026-06-02"),
        (["2026-06-03", "2026-06-03"], "2026-06-03"),
        (["2026-06-02", "2026-06-03", "9999-12-31"], "2026-06-03"),
    ],
)
def test_a_position_is_older_than_the_newest_value_if_it_can_be(
    values: list[str], position: str
) -> None:
    assert track(updated(*values)).position == position


def test_the_newest_value_is_of_the_list_as_it_is_once_everything_was_read() -> None:
    assert track(updated("2026-06-01"), received="2026-06-09").newest == "2026-06-01"
    changes = track(updated("2026-06-02"), loaded="2026-06-01", received="2026-06-09")
    assert changes.newest == "2026-06-09"


@pytest.mark.parametrize(
    ("old", "odd"),
    [(OLD, "n/a"), (OLD, "99"), (OLD, "9999"), (OLD, "June 1, 2026"), (OLD, 7), (OLD, ["x"]),
     (OLD, "2026-06-05 10:00:00"), (OLD, "Fri, 05 Jun 2026 10:00:00 GMT"), (OLD, "zzz"),
     (OLD, True), (5, "99"), (5, "n/a"), (1_780_000_000, 99), (1_780_000_000, "1790000000"),
     (1_780_000_000, 1_780_000_000_001), ("2026-06-01", "2026/06/05")],
)  # fmt: skip
def test_a_value_that_is_not_of_the_cursors_kind_is_no_position(old: Any, odd: Any) -> None:
    for loaded in (None, old):
        tracker = track(updated(old, odd, old), loaded=loaded, received=old)
        assert tracker.position == old
        assert tracker.newest == old
        assert "`updated_at` of 1 record " in str(tracker.warning)
        assert f"such as {json.dumps(odd, separators=(',', ':'))}: " in str(tracker.warning)


def test_an_api_that_writes_its_cursor_in_another_way_is_read_from_the_start() -> None:
    assert track(updated(1_780_000_000), loaded=OLD, received=OLD).position is None


def test_a_position_in_the_future_is_none() -> None:
    ahead = (NOW + timedelta(hours=1)).isoformat()
    assert track([], loaded=ahead, received=ahead).position is None
    assert track([], loaded=OLD, received=OLD).position == OLD


@pytest.mark.parametrize(
    ("path", "record"),
    [("updated_at", {"updated_at": OLD}), ("$.updated_at", {"updated_at": OLD}),
     ("meta.at", {"meta": {"at": OLD}}), ("$.meta.at", {"meta": {"at": OLD}}),
     ("$['meta']['at']", {"meta": {"at": OLD}}), ("log[0].at", {"log": [{"at": OLD}]}),
     ("$.log[*].at", {"log": [{"at": OLD}]}), ("$..at", {"log": [{"at": OLD}]}),
     ("@odata.at", {"@odata.at": OLD}), ("updated at", {"updated at": OLD})],
)  # fmt: skip
def test_any_json_path_and_any_name_leads_to_the_cursor(path: str, record: dict[str, Any]) -> None:
    tracker = track([record], path=path)
    assert tracker.position == OLD
    assert tracker.warning is None


def test_a_cursor_that_no_record_has_is_named() -> None:
    assert "No record has a `$.update_at`" in str(track(updated(OLD), path="$.update_at").warning)


@pytest.mark.parametrize(
    ("values", "is_ignored"),
    [
        (["2026-06-10", "2026-06-11", "2026-06-12", OLD, OLD, OLD], False),
        (["2026-06-10", OLD, OLD], False),
        (["2026-06-10T00:00:00Z", OLD, OLD, OLD], True),
        (["2026-06-08T23:00:00Z"] * 9, False),  # an API may take the day only
        ([], False),
    ],
)
def test_a_start_that_the_api_ignores_is_a_warning(values: list[str], is_ignored: bool) -> None:
    asked = "2026-06-09T18:00:00Z"
    tracker = track(updated(*values), loaded=asked, start=asked)
    words = 'is before "2026-06-09T18:00:00Z", from which on changes were asked for'
    assert (words in (tracker.warning or "")) is is_ignored


def test_numbers_before_the_start_are_early_at_once() -> None:
    assert "the API ignores the start" in str(track(updated(7, 8, 9), loaded=10, start=10).warning)
    assert track(updated(10, 11, 12), loaded=10, start=10).warning is None
