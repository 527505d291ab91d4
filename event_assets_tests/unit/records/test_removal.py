"""Which records are marked as removed."""

from typing import Any

import pytest

from event_assets.config.fields import FieldConfig
from event_assets.config.source import SourceConfig
from event_assets.config.source_files import EVENT_DATA
from event_assets.records.removal import build_removed_records

ALIVE: list[dict[str, Any]] = [
    {},
    {"active": True},
    {"deleted": None},
    {"deleted": False},
    {"deleted": "false"},
    {"deleted": 0},
    {"deleted": "No"},
    {"deleted": "0000-00-00 00:00:00"},
    {"status": "confirmed", "tags": ["rock", None]},
    {"tags": []},
    {"labels": [{"name": "rock"}, None, {"off": False}, {"off": None}]},
    {"days": {"mon": "open", "tue": {}}},
]


@pytest.mark.parametrize(
    ("marks", "removed"),
    [
        ({"status": "cancelled"}, [{"status": "cancelled"}, {"status": "CANCELLED"}]),
        ({"status": ["cancelled", "deleted"]}, [{"status": "cancelled"}, {"status": "deleted"}]),
        ({"deleted": True}, [{"deleted": True}, {"deleted": "2026-01-01"}, {"deleted": 1}]),
        ({"meta.state": 3}, [{"meta": {"state": 3}}, {"meta": {"state": "3"}}]),
        ({"active": False}, [{"active": False}]),
        ({"a": 1, "b": 2}, [{"a": 1, "b": 1}, {"a": 2, "b": 2}]),
        ({"['a.b']": "x"}, [{"a.b": "x"}]),
        ({"a.b": "x"}, [{"a.b": "x"}]),
        ({"tags": "cancelled"}, [{"tags": ["rock", "Cancelled"]}, {"tags": "cancelled"}]),
        ({"labels.*.name": "gone"}, [{"labels": [{"name": "rock"}, {"name": "Gone"}]}]),
        ({"labels.*.off": True}, [{"labels": [{"off": False}, {"off": True}]}]),
        ({"days.*": "closed"}, [{"days": {"mon": "open", "tue": "closed"}}]),
    ],
)
def test_a_mark_is_a_value_a_list_or_true(
    marks: dict[str, Any], removed: list[dict[str, Any]]
) -> None:
    resources = [{"name": EVENT_DATA, "endpoint": {"path": "/v1/events"}}]
    source = SourceConfig(
        name="events",
        rest_api={"client": {"base_url": "http://x"}, "resources": resources},
        fields={"id": FieldConfig(type="text")},
        removed_when=marks,
    )
    reader = build_removed_records(source.resources[EVENT_DATA])
    alive = [{"id": f"alive {at}", **fields} for at, fields in enumerate(ALIVE)]
    marked = [{"id": f"removed {at}", **fields} for at, fields in enumerate(removed)]
    assert reader.take_out([*alive, *marked]) == alive
    assert sorted(reader.ids["id"].to_pylist()) == [row["id"] for row in marked]
    assert reader.count == len(removed)
