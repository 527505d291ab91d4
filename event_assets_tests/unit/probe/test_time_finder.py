"""The times of events are found in records, with their parts and zones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from event_assets.probe.samples import Sample
from event_assets.probe.time_finder import find_end, find_start, find_updated


def sample(make: Callable[[int], Mapping[str, Any]], count: int = 20) -> Sample:
    return Sample([make(number) for number in range(count)])


def at(number: int, clock: str = "") -> str:
    return f"2026-10-{number + 1:02}{clock}"


def german(number: int, clock: str) -> str:
    return f"{number + 1:02}.10.2026 {clock}"


def by_place(number: int) -> dict[str, str]:
    return {"local": at(number, "T10:00:00"), "utc": at(number, "T08:00:00Z")}


def day_or_time(number: int) -> dict[str, str]:
    if number % 3:
        return {"date": at(number)}
    return {"dateTime": at(number, "T10:00:00+02:00"), "timeZone": "Europe/Berlin"}


def epoch_or_day(number: int) -> dict[str, Any]:
    return {"start_time": 1_790_000_000 + number} if number % 3 else {"start_date": at(number)}


def with_sales(number: int) -> dict[str, Any]:
    return {"sales": {"start": at(0)}, "dates": {"start": {"dateTime": at(number, "T10:00Z")}}}


def parts(
    name: str,
    hour: str,
    minute: str,
    other: str | None = None,
    day: Sequence[str] = ("year", "month", "day"),
) -> list[str]:
    """Return the templates of a time whose parts are in one object or in two."""
    first = f"{'-'.join(f'{{{name}.{part}}}' for part in day)}T"
    at = f"{first}{{{other or name}.{hour}}}:"
    return [f"{at}{{{other or name}.{minute}}}", f"{at}00", f"{first}00:00"]


CLOCK = {"format": "%Y-%m-%dT%H:%M"}
NONE = "0000-00-00 00:00:00"
PARTS = {"start_time": "19:30", "end_time": "21:30", "tz": "Europe/Berlin"}
GERMAN = {"format": "%d.%m.%Y %H:%M", "timezone": "venue.timezone"}


@pytest.mark.parametrize(
    ("make", "start", "end"),
    [
        (  # numbers
            lambda n: {"eventstartdate": 20261001 + n, "eventenddate": 20261002 + n},
            {"from": "{eventstartdate}"},
            {"from": "{eventenddate}"},
        ),
        (
            lambda n: {"start": 202610011930 + 10_000 * n, "end": 20261001213000 + 10**6 * n},
            {"from": "{start}", "format": "%Y%m%d%H%M"},
            {"from": "{end}", "format": "%Y%m%d%H%M%S"},
        ),
        (
            lambda n: {"period": {"lower": at(n, "T10:00:00Z"), "upper": at(n, "T12:00:00Z")}},
            {"from": "period.lower"},
            {"from": "period.upper"},
        ),
        (  # half of which are what programs write for none
            lambda n: {"start": at(n, "T10:00Z"), "end": at(n, "T12:00Z") if n % 2 else NONE},
            {"from": "start"},
            {"from": "end"},
        ),
        (
            lambda n: {"created": at(0), "start_time": at(n, "T10:00:00Z"), "end_time": None},
            {"from": "start_time"},
            {"from": "end_time"},
        ),
        (
            lambda n: {
                "scheduled_for": at(n, "T10:00:00Z"),
                "scheduled_until": at(n, "T12:00:00Z"),
                "acknowledged_at": at(n, "T13:00:00Z"),
            },
            {"from": "scheduled_for"},
            {"from": "scheduled_until"},
        ),
        (
            lambda n: {"timestamp": at(n, "T10:00:00Z"), "resolved_at": at(n, "T12:00:00Z")},
            {"from": "timestamp"},
            None,
        ),
        (lambda n: {"dates": [at(n, "T10:00:00Z")] * (1 + n % 2)}, {"from": "dates.0"}, None),
        (
            lambda n: {"when": [at(n, "T10:00:00Z"), at(n, "T12:00:00Z")] if n else None},
            {"from": "when.0"},
            {"from": "when.1"},
        ),
        (  # an object of parts
            lambda n: {"start": {"year": 2026, "month": 10, "day": n + 1}, "end_year": 2026},
            {"from": "{start.year}-{start.month}-{start.day}", "format": "%Y-%m-%d"},
            None,
        ),
        (lambda n: {"start": {"year": 2026, "month": 10, "day": n + 1, "part": 2}}, None, None),
        (lambda n: {"start": [13.4, 52.5, 1.0, 2.0, 3.0 + n]}, None, None),
        (
            lambda n: {
                "start": {"year": 2026, "month": 10, "day": n + 1, "hour": 18, "minute": n},
                "end": {"year": 2026, "month": 10, "day": n + 1, "hour": 20, "minute": 0},
                "creation": {"year": 2026, "month": 1, "day": 1},
                "tz": "Europe/Berlin",
            },
            {"from": parts("start", "hour", "minute"), **CLOCK, "timezone": "tz"},
            {"from": parts("end", "hour", "minute"), **CLOCK, "timezone": "tz"},
        ),
        (  # of Google, which leaves out what is 0
            lambda n: {
                "startDate": {"year": 2026, "month": 10, "day": n + 1},
                "startTime": {"hours": 18, "minutes": 30} if n % 2 else {"hours": 19},
                "endDate": {"year": 2026, "month": 10, "day": n + 1},
                "endTime": {"hours": 20},
            },
            {"from": parts("startDate", "hours", "minutes", "startTime"), **CLOCK},
            {"from": parts("endDate", "hours", "minutes", "endTime"), **CLOCK},
        ),
        (  # the days have a zone, too
            lambda n: {"start": at(n, "T10:00:00Z") if n % 2 else at(n), "tz": "Europe/Berlin"},
            {"from": "start", "timezone": "tz"},
            None,
        ),
        (  # of Java
            lambda n: {"start": [2026, 10, n + 1, 18, 0], "created": [2026, 1, 1, 1, 1]},
            {"from": parts("start", "3", "4", day=("0", "1", "2")), **CLOCK},
            None,
        ),
        (
            lambda n: {
                "arrivalWindowStart": at(n, "T10:00:00Z"),
                "arrivalWindowEnd": at(n, "T11:00:00Z"),
                "start": at(n, "T11:00:00Z"),
                "end": at(n, "T12:00:00Z"),
            },
            {"from": "start"},
            {"from": "end"},
        ),
        (lambda n: {"add_time": at(n, "T10:00:00Z"), "closed_at": at(n, "T09:00Z")}, None, None),
        (
            lambda n: {"starts_at": 1_790_000_000 + n, "ends_at": 1_790_007_200 + n},
            {"from": "starts_at", "format": "epoch_s"},
            {"from": "ends_at", "format": "epoch_s"},
        ),
        (
            lambda n: {"startts": at(n, "T10:00:00Z"), "endts": at(n, "T12:00:00Z")},
            {"from": "startts"},
            {"from": "endts"},
        ),
        (
            lambda n: {
                "dates": {"start": at(n), "end": at(n)},
                "times": {"start": "19:30", "end": "21:30"},
            },
            {"from": ["{dates.start}T{times.start}", "dates.start"]},
            {"from": ["{dates.end}T{times.end}", "dates.end"]},
        ),
        (
            lambda n: {"start_date": at(n), "due_date": at(n, "T12:00:00Z")},
            {"from": "start_date"},
            {"from": "due_date"},
        ),
        (
            lambda n: {"start": by_place(n), "end": by_place(n)},
            {"from": "start.utc"},
            {"from": "end.utc"},
        ),
        (
            lambda n: {"start_date": at(n), "end_date": at(n), **PARTS},
            {"from": ["{start_date}T{start_time}", "start_date"], "timezone": "tz"},
            {"from": ["{end_date}T{end_time}", "end_date"], "timezone": "tz"},
        ),
        (
            lambda n: {"event_date": at(n), "start_time": "10:00", "tz": "Europe/Berlin"},
            {"from": ["{event_date}T{start_time}", "event_date"], "timezone": "tz"},
            None,
        ),
        (
            lambda n: {"date": at(n), "to": "11:30", "from": "10:00"},
            {"from": ["{date}T{from}", "date"]},
            {"from": "{date}T{to}"},
        ),
        (
            lambda n: {"date": at(n, "T00:00:00.000Z"), "time": "19:30"},
            {"from": ["{date}T{time}", "{date}T00:00"], "format": "%Y-%m-%dT00:00:00.000ZT%H:%M"},
            None,
        ),
        (
            lambda n: {"spent_date": at(n), "started_time": "09:30", "ended_time": "10:30"},
            {"from": ["{spent_date}T{started_time}", "spent_date"]},
            None,
        ),
        (
            lambda n: {"series_start": at(0, "T10:00Z"), "occurrence": at(n, "T10:00Z")},
            {"from": "occurrence"},
            None,
        ),
        (
            lambda n: {"date": at(n), "time": "19:30" if n % 3 else "TBA"},
            {"from": ["{date}T{time}", "date"]},
            None,
        ),
        (
            lambda n: {"date": at(n), "time": "7:30 PM", "timezone": "America/New_York"},
            {
                "from": ["{date}T{time}", "{date}T12:00 AM"],
                "format": "%Y-%m-%dT%I:%M %p",
                "timezone": "timezone",
            },
            None,
        ),
        (
            lambda n: {
                "begin": german(n, "19:30"),
                "end": german(n, "20:30"),
                "venue": {"timezone": "Europe/Berlin"},
            },
            {"from": "begin", **GERMAN},
            {"from": "end", **GERMAN},
        ),
        (
            lambda n: {"start": day_or_time(n)},
            {"from": ["start.dateTime", "start.date"], "timezone": ["start.timeZone", "UTC"]},
            None,
        ),
        (
            lambda n: {"datetime_utc": at(n, "T10:00:00"), "datetime_local": at(n, "T05:00:00")},
            {"from": "datetime_utc", "timezone": "UTC"},
            None,
        ),
        (
            lambda n: {"when": epoch_or_day(n)},
            {"from": ["when.start_time", "when.start_date"], "format": "epoch_s"},
            None,
        ),
        (
            lambda n: {"when": {"date": at(n)} if n % 3 == 0 else epoch_or_day(n)},
            {"from": ["when.start_time", "when.date"], "format": "epoch_s"},
            None,
        ),
        (with_sales, {"from": "dates.start.dateTime"}, None),
        (
            lambda n: {"livestart": at(n, "T10:00:00Z"), "liveend": at(n, "T12:00:00Z")},
            {"from": "livestart"},
            {"from": "liveend"},
        ),
        (
            lambda n: {"preShowStart": at(n, "T09:45:00Z"), "featureStart": at(n, "T10:00:00Z")},
            {"from": "featureStart"},
            None,
        ),
        (
            lambda n: {"date": {"value": at(n, "T10:00:00Z"), "value2": at(n, "T12:00:00Z")}},
            {"from": "date.value"},
            {"from": "date.value2"},
        ),
        (
            lambda n: {"date2_utc": at(n, "T12:00:00"), "date_utc": at(n, "T10:00:00")},
            {"from": "date_utc", "timezone": "UTC"},
            {"from": "date2_utc", "timezone": "UTC"},
        ),
        (  # the first of what is alike
            lambda n: {"date_1": at(n, "T10:00:00Z"), "date_2": at(n, "T12:00:00Z")},
            {"from": "date_1"},
            None,
        ),
        (
            lambda n: {"airdate": at(n), "airtime": "10:00", "airstamp": at(n, "T10:00:00Z")},
            {"from": "airstamp"},
            None,
        ),
        (
            lambda n: {"data_hora": at(n, "T10:00:00Z"), "till": at(n, "T12:00:00Z")},
            {"from": "data_hora"},
            {"from": "till"},
        ),
        (
            lambda n: {"ts": f"{1_790_000_000 + n}.000100", "edited_ts": at(n)},
            {"from": "ts", "format": "epoch_s"},
            None,
        ),
        (lambda n: {"showtime": at(n, "T10:00:00Z"), "dt": None}, {"from": "showtime"}, None),
        (lambda n: {"onset": at(n, "T10:00:00Z"), "sent": at(n)}, {"from": "onset"}, None),
        (
            lambda n: {"subscription_start": at(n, "T09:00Z"), "cup_start": at(n, "T10:00Z")},
            {"from": "cup_start"},
            None,
        ),
        (
            lambda n: {"dtstart": at(n, " 00:00:00.0"), "time": "19:30"},
            {
                "from": ["{dtstart}T{time}", "{dtstart}T00:00"],
                "format": "%Y-%m-%d 00:00:00.0T%H:%M",
            },
            None,
        ),
        (  # a day of the database's own beside the time of day
            lambda n: {"date": at(n), "time": "1899-12-30T19:30:00"},
            {
                "from": ["{date}T{time}", "{date}T1899-12-30T00:00:00"],
                "format": "%Y-%m-%dT1899-12-30T%H:%M:%S",
            },
            None,
        ),
        (
            lambda n: {
                "StartDate": at(n, "T00:00:00"),
                "StartTime": "1900-01-01T19:30:00",
                "EndDate": at(n, "T00:00:00"),
                "EndTime": "1900-01-01T21:30:00",
            },
            {
                "from": ["{StartDate}T{StartTime}", "{StartDate}T1900-01-01T00:00:00"],
                "format": "%Y-%m-%dT00:00:00T1900-01-01T%H:%M:%S",
            },
            {
                "from": ["{EndDate}T{EndTime}", "{EndDate}T1900-01-01T00:00:00"],
                "format": "%Y-%m-%dT00:00:00T1900-01-01T%H:%M:%S",
            },
        ),
        (  # the same day, with its time
            lambda n: {
                "startDate": at(n),
                "endDate": at(n),
                "shows": [{"time": at(n, " 19:30"), "endTime": at(n, " 21:30")}],
            },
            {"from": "shows.0.time"},
            {"from": "shows.0.endTime"},
        ),
        (lambda n: {"startDate": at(n), "time": at(n + 1, " 19:30")}, {"from": "startDate"}, None),
        (
            lambda n: {"started_at": at(n, "T10:00:00Z"), "ended_at": at(n, "T12:00:00Z")},
            {"from": "started_at"},
            {"from": "ended_at"},
        ),
        (
            lambda n: {
                "opening_reception": at(9, "T18:00Z"),
                "opens_on": at(n),
                "closes_on": at(9),
            },
            {"from": "opens_on"},
            {"from": "closes_on"},
        ),
        (
            lambda n: {"cfp_start": at(n), "cfp_end": at(9), "conference_date": at(n)},
            {"from": "conference_date"},
            None,
        ),
        (
            lambda n: {"regStart": at(n), "regEnd": at(n), "eventDateTime": at(n, "T10:00Z")},
            {"from": "eventDateTime"},
            None,
        ),
        (  # of a series
            lambda n: {
                "nextTiming": {"begin": at(n, "T10:00Z"), "end": at(n, "T11:00Z")} if n else None,
                "firstTiming": {"begin": at(n, "T08:00Z"), "end": at(n, "T09:00Z")},
            },
            {"from": "firstTiming.begin"},
            {"from": "firstTiming.end"},
        ),
        (lambda n: {"next_date": at(n, "T10:00Z")}, {"from": "next_date"}, None),
        (
            lambda n: {f"start_{n % 2}": at(n, "T10:00+02:00"), "tz": "Asia/Tokyo"},
            {"from": ["start_0", "start_1"]},
            None,
        ),
        (
            lambda n: {"takesPlaceAt": [{"startDate": at(n), "endDate": at(n)}]},
            {"from": "takesPlaceAt.0.startDate"},
            {"from": "takesPlaceAt.0.endDate"},
        ),
        (
            lambda n: {"datestart": at(n), "times": [{"timestart": "19:30", "timeend": "21:30"}]},
            {"from": ["{datestart}T{times.0.timestart}", "datestart"]},
            {"from": "{datestart}T{times.0.timeend}"},
        ),
        (
            lambda n: {
                "start_date": at(n, "T10:00:00"),
                "end_date": at(n, "T12:00:00"),
                "available_to": at(n, "T12:00:00Z"),
                "stopSellingAt": at(n, "T09:00:00Z"),
            },
            {"from": "start_date"},
            {"from": "end_date"},
        ),
        (
            lambda n: {"startDate": at(n), "startTimeString": "7:30pm"},
            {
                "from": ["{startDate}T{startTimeString}", "{startDate}T12:00AM"],
                "format": "%Y-%m-%dT%I:%M%p",
            },
            None,
        ),
        (  # one value in all records
            lambda n: {"valid_from": at(0), "valid_to": at(9), "date": at(n, "T10:00:00Z")},
            {"from": "date"},
            None,
        ),
        (
            lambda n: {"start_time": at(n, "T10:00:00Z") if n % 5 else "TBA"},
            {"from": "start_time"},
            None,
        ),
        (
            lambda n: {"begin": german(n, "19:30") if n % 3 else "to be announced"},
            {"from": "begin", "format": "%d.%m.%Y %H:%M"},
            None,
        ),
        (lambda n: {"start_time": at(n, "T10:00:00Z") if n % 5 == 0 else "TBA"}, None, None),
        (lambda n: {"date": at(n), "date_gmt": at(n), "modified": at(n)}, None, None),
        (lambda n: {"calendar": f"c{n}", "attendees": 7, "updated_at": at(0)}, None, None),
    ],
)
def test_the_times_are_found_with_their_formats_and_zones(make: Any, start: Any, end: Any) -> None:
    found = sample(make)
    first = find_start(found)
    last = find_end(found, first)
    assert (first and first.settings) == start
    assert (last and last.settings) == end


def test_a_zone_outside_of_the_records_is_that_of_days() -> None:
    rows = [{"start": {"date": at(number)}} for number in range(9)]
    found = find_start(Sample(rows, "Europe/Berlin"))
    assert found is not None
    assert found.settings == {"from": "start.date", "timezone": "Europe/Berlin"}


def test_the_time_of_the_last_change_is_found() -> None:
    found = find_updated(sample(lambda _: {"lastModified": "2026-01-01T00:00:00Z"}))
    assert found is not None
    assert found.settings == {"from": "lastModified"}
