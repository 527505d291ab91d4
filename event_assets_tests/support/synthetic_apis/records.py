"""Records of events: their fields and their shapes in a response, by name."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import groupby
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

Record = dict[str, Any]
FIRST = datetime(2027, 1, 10, 18, 30, tzinfo=timezone.utc)
ZONES = (ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"))


@dataclass(frozen=True)
class Event:
    """What is true of one event; times are in UTC."""

    id: str
    name: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True)
class Times:
    """How the fields of the times are made, and whether they are days.

    `make` returns the fields of an event from its start, its end and its time zone. Days begin at
    midnight UTC.
    """

    make: Callable[[datetime, datetime, ZoneInfo], Record]
    days: Callable[[int], bool] = lambda _: False


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _local(moment: datetime, zone: ZoneInfo, form: str = "%Y-%m-%dT%H:%M:%S") -> str:
    return moment.astimezone(zone).strftime(form)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _day_or_time(moment: datetime, zone: ZoneInfo) -> Record:
    if moment.hour:
        return {"dateTime": moment.astimezone(zone).isoformat(), "timeZone": zone.key}
    return {"date": moment.date().isoformat()}


TIMES: Mapping[str, Times] = {
    "ISO in UTC": Times(lambda a, b, _: {"start_time": _utc(a), "end_time": _utc(b)}),
    "ISO with an offset": Times(
        lambda a, b, zone: {
            "startDate": a.astimezone(zone).isoformat(),
            "endDate": b.astimezone(zone).isoformat(),
        }
    ),
    "local with a zone": Times(
        lambda a, b, zone: {"starts": _local(a, zone), "ends": _local(b, zone), "tz": zone.key}
    ),
    "nested with a zone": Times(
        lambda a, b, zone: {
            "start": {"dateTime": _local(a, zone), "timeZone": zone.key},
            "end": {"dateTime": _local(b, zone), "timeZone": zone.key},
        }
    ),
    "parts": Times(
        lambda a, b, zone: {
            "start_date": _local(a, zone, "%Y-%m-%d"),
            "start_time": _local(a, zone, "%H:%M"),
            "end_date": _local(b, zone, "%Y-%m-%d"),
            "end_time": _local(b, zone, "%H:%M"),
            "timezone": zone.key,
        }
    ),
    "seconds": Times(lambda a, b, _: {"starts_at": _seconds(a), "ends_at": _seconds(b)}),
    "milliseconds": Times(
        lambda a, b, _: {"startTime": _seconds(a) * 1000, "endTime": _seconds(b) * 1000}
    ),
    "some are days": Times(
        lambda a, b, zone: {"start": _day_or_time(a, zone), "end": _day_or_time(b, zone)},
        days=lambda number: number % 3 == 1,
    ),
    "days": Times(
        lambda a, b, _: {"date_from": a.date().isoformat(), "date_to": b.date().isoformat()},
        days=lambda _: True,
    ),
    "day first": Times(
        lambda a, b, zone: {
            "begin": _local(a, zone, "%d.%m.%Y %H:%M"),
            "end": _local(b, zone, "%d.%m.%Y %H:%M"),
            "time_zone": zone.key,
        }
    ),
    "day first in UTC": Times(
        lambda a, b, _: {
            "startDateTime": a.strftime("%d/%m/%Y %H:%M"),
            "endDateTime": b.strftime("%d/%m/%Y %H:%M"),
        }
    ),
}
NAMES: Mapping[str, Callable[[str], Record]] = {
    "name": lambda name: {"name": name},
    "title": lambda name: {"title": name},
    "summary": lambda name: {"summary": name},
    "eventName": lambda name: {"eventName": name},
    "text and HTML": lambda name: {"name": {"text": name, "html": f"<b>{html.escape(name)}</b>"}},
    "rendered": lambda name: {"title": {"rendered": html.escape(name)}},
    "HTML": lambda name: {"title": html.escape(name)},
    "languages": lambda name: {
        "title": {"de": f"{name} (de)"} | ({} if name.endswith("5") else {"en": name})
    },
}
IDS: Mapping[str, Callable[[int], str | int]] = {
    "id": lambda number: 48_100 + number,
    "event_id": lambda number: f"evt_{number * 7919 % 100_000:05}",
    "uuid": lambda number: f"{number * 2_654_435_761 % 2**32:08x}-0000-4000-8000-{number:012}",
    "slug": lambda number: f"concert-at-the-hall-{number}",
    "eventId": lambda number: str(9_000_000_000 + number),
}


def make_events(
    rng: Random, count: int, times: str, names: str, key: str, empty: str | None
) -> list[tuple[Record, Event]]:
    """Make events with the named fields; every fifth has no end, which is `empty`."""
    return [_make_event(rng, number, times, names, key, empty) for number in range(count)]


def _make_event(
    rng: Random, number: int, times: str, names: str, key: str, empty: str | None
) -> tuple[Record, Event]:
    style, zone = TIMES[times], ZONES[number % 2]
    start = FIRST + timedelta(hours=11 * number)
    if style.days(number):
        start = start.replace(hour=0, minute=0)
    end = start + timedelta(hours=24 if style.days(number) else 2)
    text = f"{rng.choice(('Rock & Roll', 'Müller liest', 'Open Air'))} {number}"
    fields = style.make(start, end, zone)
    has_end = number % 5 != 4
    if not has_end:
        fields |= {name: empty for name in fields if name.lower().startswith(("end", "date_to"))}
    identifier = IDS[key](number)
    record = {
        key: identifier,
        **NAMES[names](text),
        **fields,
        "description": f"<p>An evening, number {number}.</p>",
        "url": f"https://events.example.com/{identifier}",
        "venue": {"id": number % 7, "name": f"Hall {number % 7}", "city": "Leeds"},
        "tags": [{"id": 1, "name": "music"}],
        "status": "scheduled",
        "created_at": _utc(FIRST - timedelta(days=200, minutes=number)),
        "updated_at": _utc(FIRST - timedelta(days=100, minutes=37 * number % 1000)),
    }
    name = f"{text} (de)" if names == "languages" and text.endswith("5") else text
    return record, Event(str(identifier), name, start, end if has_end else None)


def _attributes(record: Record, key: str) -> Record:
    rest = {name: value for name, value in record.items() if name != key}
    return {"type": "events", "id": str(record[key]), "attributes": rest}


def _groups(records: list[Record], key: str) -> list[Record]:
    days = groupby(records, lambda record: sum(map(ord, str(record[key]))) // 3)
    return [{"day": f"group {day}", "events": list(members)} for day, members in days]


# How a list of records, whose id is at `key`, is written in JSON.
SHAPES: Mapping[str, Callable[[list[Record], str], Any]] = {
    "list": lambda records, _: records,
    "nodes": lambda records, _: [{"node": record} for record in records],
    "attributes": lambda records, key: [_attributes(record, key) for record in records],
    "by id": lambda records, key: {str(record[key]): record for record in records},
    "groups": _groups,
    "wrapped": lambda records, _: [{"event": record} for record in records],
}
