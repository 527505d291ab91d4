"""Records of events: their fields and their shapes in a response, by name."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

Record = dict[str, Any]
Form = Callable[[datetime, ZoneInfo], Any]
LOCAL = "%Y-%m-%dT%H:%M:%S"
FIRST = datetime(2027, 1, 10, 18, 30, tzinfo=UTC)
ZONES = (ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"))


@dataclass(frozen=True)
class Event:
    """What is true of one event; times are in UTC."""

    id: str
    name: str
    start: datetime
    end: datetime | None


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _local(form: str) -> Form:
    return lambda moment, zone: moment.astimezone(zone).strftime(form)


def _zoned(moment: datetime, zone: ZoneInfo) -> Record:
    return {"dateTime": _local(LOCAL)(moment, zone), "timeZone": zone.key}


def _day_or_time(moment: datetime, zone: ZoneInfo) -> Record:
    if moment.hour or moment.minute:
        return {"dateTime": moment.astimezone(zone).isoformat(), "timeZone": zone.key}
    return {"date": moment.date().isoformat()}


FORMS: Mapping[str, Form] = {  # how a moment is written, in UTC or in the zone of the event
    "UTC": lambda moment, _: _utc(moment),
    "offset": lambda moment, zone: moment.astimezone(zone).isoformat(),
    "local": _local(LOCAL),
    "zoned": _zoned,
    "date": _local("%Y-%m-%d"),
    "clock": _local("%H:%M"),
    "zone": lambda _, zone: zone.key,
    "seconds": lambda moment, _: int(moment.timestamp()),
    "milliseconds": lambda moment, _: int(moment.timestamp()) * 1000,
    "day or time": _day_or_time,
    "day": lambda moment, _: moment.date().isoformat(),
    "day first": _local("%d.%m.%Y %H:%M"),
    "day first in UTC": lambda moment, _: moment.strftime("%d/%m/%Y %H:%M"),
}
# The fields of the times, by their forms; those of the end are named so.
TIMES: Mapping[str, Mapping[str, str]] = {
    "ISO in UTC": {"start_time": "UTC", "end_time": "UTC"},
    "ISO with an offset": {"startDate": "offset", "endDate": "offset"},
    "local with a zone": {"starts": "local", "ends": "local", "tz": "zone"},
    "nested with a zone": {"start": "zoned", "end": "zoned"},
    "parts": {
        "start_date": "date",
        "start_time": "clock",
        "end_date": "date",
        "end_time": "clock",
        "timezone": "zone",
    },
    "seconds": {"starts_at": "seconds", "ends_at": "seconds"},
    "milliseconds": {"startTime": "milliseconds", "endTime": "milliseconds"},
    "some are days": {"start": "day or time", "end": "day or time"},
    "days": {"date_from": "day", "date_to": "day"},
    "day first": {"begin": "day first", "end": "day first", "time_zone": "zone"},
    "day first in UTC": {"startDateTime": "day first in UTC", "endDateTime": "day first in UTC"},
}
ENDS = ("end", "date_to")
DAYS = {"days": 1, "some are days": 3}  # every which event is of whole days; they begin in UTC
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
    zone = ZONES[number % 2]
    is_of_days = times in DAYS and number % DAYS[times] == min(1, DAYS[times] - 1)
    start = FIRST + timedelta(hours=11 * number)
    start = start.replace(hour=0, minute=0) if is_of_days else start
    end = start + timedelta(hours=24 if is_of_days else 2)
    has_end = number % 5 != 4
    text = f"{rng.choice(('Rock & Roll', 'Müller liest', 'Open Air'))} {number}"
    fields = {
        name: (FORMS[form](end, zone) if has_end else empty)
        if name.lower().startswith(ENDS)
        else FORMS[form](start, zone)
        for name, form in TIMES[times].items()
    }
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
