"""The list of events, their ids, names and times are found in a document by what they look like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest

from event_assets.extract.records_selector import build_records_selector
from event_assets.http.response import JsonResponse
from event_assets.probe.field_finder import find_composite_id, find_id, find_name
from event_assets.probe.records_finder import find_records
from event_assets.probe.samples import Sample
from event_assets.probe.time_finder import find_end, find_start, find_updated
from event_assets.probe.time_formats import find_format
from event_assets_tests.support.event_records import events

ROWS = events(6)
FACETS = [{"name": f"Facet {number}", "count": number} for number in range(90)]


@pytest.mark.parametrize(
    ("document", "selector"),
    [
        (ROWS, "$"),
        ({"data": ROWS, "facets": FACETS}, "data"),
        ({"a": {"b": {"c": ROWS}}}, "a.b.c"),
        ({"my list": ROWS}, "'my list'"),
        ({"_embedded": {"events": ROWS}, "_links": {}}, "_embedded.events"),
        ({"edges": [{"cursor": "c", "node": row} for row in ROWS]}, "edges[*].node"),
        ({"events": [{"event": row} for row in ROWS]}, "events[*].event"),
        ({"events": {row["id"]: row for row in ROWS}, "meta": {"a": 1}}, "events.*"),
        ({"days": [{"day": row["id"], "events": [row]} for row in ROWS]}, "days[*].events[*]"),
        ({"events": {row["id"]: [row] for row in ROWS}}, "events.*[*]"),
        ({row["id"]: {"region": "x", "events": [row]} for row in ROWS}, "$.*.events[*]"),
        ({"days": [{"rooms": {"A": [row], "B": []}} for row in ROWS]}, "days[*].rooms.*[*]"),
        (
            {"days": [{"date": "x", "halls": [{"talks": [row]}]} for row in ROWS]},
            "days[*].halls[*].talks[*]",
        ),
        (
            {"data": [{"id": row["id"], "attributes": row} for row in ROWS], "included": FACETS},
            "data",
        ),
        ([{"total": 6, "page": 1}, ROWS], "$[1]"),
        ({"pagination": [{"total": 9, "limit": 3}], "events": ROWS}, "events"),
    ],
)
def test_the_list_of_events_is_found(document: Any, selector: str) -> None:
    assert find_records(document) == selector
    response = JsonResponse(orjson.dumps(document), {})
    assert len(build_records_selector(selector)(response)) == len(ROWS)


@pytest.mark.parametrize("document", [{}, {"message": "no"}, {"tags": ["a", "b"]}, 7, None])
def test_a_document_without_objects_in_a_list_has_no_records(document: Any) -> None:
    assert find_records(document) is None


def sample(make: Callable[[int], Mapping[str, Any]], count: int = 20) -> Sample:
    return Sample([make(number) for number in range(count)])


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (lambda n: {"id": n, "uuid": f"u{n}", "url": f"x/{n}"}, "id"),
        (lambda n: {"event_id": n, "url": f"x/{n}"}, "event_id"),
        (lambda n: {"id": 1, "guid": f"g{n}"}, "guid"),
        (lambda n: {"event_key": f"k{n}", "name": "x"}, "event_key"),
        (lambda n: {"slug": f"s-{n}", "venue": {"id": n}}, "slug"),
        (lambda n: {"@id": f"x/{n}"}, "@id"),
        (lambda n: {"id": n % 3, "dates": [{"date": {"id": n}}]}, "dates.0.date.id"),
        (lambda n: {"contentid": f"c{n}", "code": f"x{n}"}, "code"),
        (lambda n: {"contentid": f"c{n}", "typeid": 15}, "contentid"),
        (lambda n: {"idEvent": f"{n}", "idLeague": "7"}, "idEvent"),
        (lambda n: {"eventCode": f"EC{n}", "zipCode": f"{n}", "url": f"x/{n}"}, "eventCode"),
        (lambda n: {"formSlug": f"concert-{n}", "url": f"x/{n}"}, "formSlug"),
        (lambda n: {"日付": f"{n}"}, None),
        (lambda n: {"id": n % 3}, None),
        (lambda n: {"id": n + 0.5}, None),
    ],
)
def test_the_id_is_what_tells_all_records_apart(make: Any, path: str | None) -> None:
    assert find_id(sample(make)) == path


def test_occurrences_of_a_series_are_told_apart_by_their_start() -> None:
    found = sample(lambda n: {"id": n % 3, "start": f"2026-01-{n + 1:02}T10:00:00Z"})
    assert find_composite_id(found, find_start(found)) == ["id", "start"]


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (lambda n: {"title": f"Talk {n}", "venue": {"name": "Hall A"}}, {"from": "title"}),
        (lambda n: {"eventName": f"Talk {n}", "type": "x"}, {"from": "eventName"}),
        (lambda n: {"attributes": {"title": f"T {n}"}}, {"from": "attributes.title"}),
        (
            lambda n: {"title": {"rendered": f"Rock &#038; Roll {n}"}},
            {"from": "title.rendered", "html": "unescape"},
        ),
        (lambda n: {"name": {"html": f"<b>T {n}</b>", "text": f"T {n}"}}, {"from": "name.text"}),
        (
            lambda n: {"name": {"de": f"Tag {n}", **({"en": f"Day {n}"} if n % 2 else {})}},
            {"from": ["name.en", "name.de", "name.*"]},
        ),
        (
            lambda n: {"label": {"@fr": f"Jour {n}", **({"@en": f"Day {n}"} if n % 2 else {})}},
            {"from": ["label.@en", "label.@fr", "label.*"]},
        ),
        (lambda n: {"summary": f"Choir {n}", "organizer": {"name": "X Y"}}, {"from": "summary"}),
        (lambda n: {"topic": f"Meeting {n}"}, {"from": "topic"}),
        (
            lambda n: {"name": {"id": "title", "title": [{"plain_text": f"T {n}"}]}, "label": "x"},
            {"from": "name.title.0.plain_text"},
        ),
        (
            lambda n: {"name": f"projects/p/events/{n}", "data": {"title": f"AC/DC {n}"}},
            {"from": "data.title"},
        ),
        (lambda n: {"event": f"Round {n}", "event_type": "a b", "host": "x y"}, {"from": "event"}),
        (lambda n: {"event": f"Expo {n % 2}", "talk_title": f"T {n}"}, {"from": "talk_title"}),
        (lambda n: {"description": f"Choir {n}", "type": "a b"}, {"from": "description"}),
        (
            lambda n: {"description": f"A long one {n}", "code": f"c{n}", "title": f"T{n}"},
            {"from": "title"},
        ),
    ],
)
def test_the_name_is_the_events_own(make: Any, settings: Any) -> None:
    found = find_name(sample(make))
    assert found is not None
    assert found.settings == settings


@pytest.mark.parametrize(
    "make",
    [
        lambda n: {"title": f"Night {n}" if n % 3 == 0 else "", "venue": {"city": "X"}},
        lambda n: {"name": f"projects/p/events/{n}"},
        lambda n: {"event": f"e-{n}"},
    ],
)
def test_what_most_records_lack_or_is_an_address_is_no_name(make: Any) -> None:
    assert find_name(sample(make)) is None


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


PARTS = {"start_time": "19:30", "end_time": "21:30", "tz": "Europe/Berlin"}
GERMAN = {"format": "%d.%m.%Y %H:%M", "timezone": "venue.timezone"}


@pytest.mark.parametrize(
    ("make", "start", "end"),
    [
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
        (lambda n: {"add_time": at(n, "T10:00:00Z"), "closed_at": at(n, "T09:00Z")}, None, None),
        (
            lambda n: {"starts_at": 1_790_000_000 + n, "ends_at": 1_790_007_200 + n},
            {"from": "starts_at", "format": "epoch_s"},
            {"from": "ends_at", "format": "epoch_s"},
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
        (  # the first of what is alike
            lambda n: {"date": {"value": at(n, "T10:00:00Z"), "value2": at(n, "T12:00:00Z")}},
            {"from": "date.value"},
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
        (
            lambda n: {"started_at": at(n, "T10:00:00Z"), "ended_at": at(n, "T12:00:00Z")},
            {"from": "started_at"},
            {"from": "ended_at"},
        ),
        (
            lambda n: {"takesPlaceAt": [{"startDate": at(n), "endDate": at(n)}]},
            {"from": "takesPlaceAt.0.startDate"},
            {"from": "takesPlaceAt.0.endDate"},
        ),
        (
            lambda n: {"datestart": at(n), "times": [{"timestart": "19:30", "timeend": "21:30"}]},
            {"from": ["{datestart}T{times.0.timestart}", "datestart"]},
            None,
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


@pytest.mark.parametrize(
    ("values", "pattern", "rivals"),
    [
        (["20.10.2026 19:30"], "%d.%m.%Y %H:%M", ()),
        (["20-Oct-2026 19:30"], "%d-%b-%Y %H:%M", ()),
        (["10/25/2026 7:30 PM"], "%m/%d/%Y %I:%M %p", ()),
        (["05/06/2026 19:30"], "%d/%m/%Y %H:%M", ("%m/%d/%Y %H:%M",)),
        (["05/06/2026 19:30", "25/06/2026 19:30"], "%d/%m/%Y %H:%M", ()),
        (["October 5, 2026"], "%B %d, %Y", ()),
        (["May 5, 2026", "June 5, 2026"], "%B %d, %Y", ()),
        (["May 5, 2026", "Jun 5, 2026"], "%b %d, %Y", ()),
        (["5. Oct 2026"], "%d. %b %Y", ()),
        (["05.06.2026"], "%d.%m.%Y", ()),
        (["05/06/26"], "%d/%m/%y", ("%m/%d/%y",)),
        (["Thursday, 5 November 2026, 19:30"], "%A, %d %B %Y, %H:%M", ()),
        (["Monday, October 5, 2026 at 7:30 PM"], "%A, %B %d, %Y at %I:%M %p", ()),
        ([1_790_000_000], "epoch_s", ()),
        (["1790000000000"], "epoch_ms", ()),
        ([*range(1_790_000_000, 1_790_000_040), -62_135_433_000], "epoch_s", ()),
        (["10/11/2026T19h30"], "%d/%m/%YT%Hh%M", ("%m/%d/%YT%Hh%M",)),
        (["20261101183000"], "%Y%m%d%H%M%S", ()),
        (["202611011830"], "%Y%m%d%H%M", ()),
        (["20.10.2026 19:30 Uhr"], "%d.%m.%Y %H:%M Uhr", ()),
        (["20.10.2026, um 19.30 Uhr"], "%d.%m.%Y, um %H.%M Uhr", ()),
        (["20/10/2026 à 19h30"], "%d/%m/%Y à %Hh%M", ()),
        (["20.10.26"], "%d.%m.%y", ()),
    ],
)
def test_the_notation_of_times_is_told(values: Any, pattern: str, rivals: Any) -> None:
    found = find_format(values)
    assert found is not None
    assert (found.pattern, found.rivals) == (pattern, rivals)


@pytest.mark.parametrize(
    ("text", "has_zone"),
    [
        ("2026-11-26T19:30:00Z", True),
        ("2026-11-26 19:30+0200", True),
        ("Thu, 26 Nov 2026 19:30:00 EST", True),
        ("Thu, 26 Nov 2026 19:30:00", False),
        ("2026-11-26T19:30:00", False),
        ("2026-11-26", False),
    ],
)
def test_a_time_zone_in_the_text_is_told(text: str, has_zone: bool) -> None:
    found = find_format([text])
    assert found is not None
    assert found.has_zone == has_zone


@pytest.mark.parametrize(
    "values",
    [
        ["e1234567"],
        ["12345"],
        ["19.30.00"],
        ["1 2 3 4 5 6 7"],
        ["Hall 5, 2026"],
        [7],
        [True],
        [{}],
        [None],
        ["soon"],
        [20261101183000],
    ],
)
def test_what_is_no_time_has_no_notation(values: Any) -> None:
    assert find_format(values) is None
