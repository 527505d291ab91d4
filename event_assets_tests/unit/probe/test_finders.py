"""The list of events, their ids and names are found in a document by what they look like."""

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
from event_assets.probe.time_finder import find_start
from event_assets_tests.support.event_records import events

ROWS = events(6)
RUNS = [
    {"id": f"r{day}", "name": "Matinee", "starts": f"2026-10-{day}T15:00:00Z"} for day in (10, 11)
]
VENUES = [
    {"id": number, "own": {"name": f"Hall {number}", "opening": f"2026-10-{number + 10}"}}
    for number in range(9)
]
EPOCH = 1_798_000_000
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
        ({"games": [{"start": row["id"], "of": {"season": ROWS[0]}} for row in ROWS]}, "games"),
        (
            {"games": [{"start": row["id"], "of": {"a": ROWS[0], "b": ROWS[1]}} for row in ROWS]},
            "games",
        ),
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
        ({"data": [{"id": row["id"], "own": row} for row in ROWS], "included": VENUES}, "data"),
        (
            {"halls": [{"id": at, "name": f"Hall {at}", "events": ROWS[at::2]} for at in (0, 1)]},
            "halls[*].events[*]",
        ),
        ({"shows": [{**row, "start_time": None, "runs": RUNS} for row in ROWS]}, "shows"),
        ([{"total": 6, "page": 1}, ROWS], "$[1]"),
        ({"pagination": [{"total": 9, "limit": 3}], "events": ROWS}, "events"),
        ({"cups": [{**ROWS[0], "place": "x", "rank": 1}], "results": ROWS}, "results"),
        (
            {
                "seasons": [{"id": at, "name": f"S{at}", "start": "2026-07-01"} for at in (1, 2)],
                "fixtures": [{"id": row["id"], "kickoff": row["start_time"]} for row in ROWS],
            },
            "fixtures",
        ),
        (
            {
                "venues": {"nodes": [{"id": at, "name": f"V{at}", "at": at} for at in range(9)]},
                "events": {
                    "nodes": [
                        {"id": row["id"], "title": row["name"], "start": row["start_time"]}
                        for row in ROWS
                    ]
                },
            },
            "events.nodes",
        ),
        (  # which has a name, an id and a start, too
            {
                "leagues": [{"id": "7", "name": "Cup", "seasonStart": "2026-07-01"}],
                "events": [
                    {
                        "id": row["id"],
                        "name": row["name"],
                        "date": row["start_time"],
                        "parts": [{"startDate": row["start_time"]}],
                    }
                    for row in ROWS
                ],
            },
            "events",
        ),
    ],
)
def test_the_list_of_events_is_found(document: Any, selector: str) -> None:
    assert find_records(document) == selector
    response = JsonResponse(orjson.dumps(document), {})
    assert len(build_records_selector(selector)(response)) == len(ROWS)


def test_one_record_twice_is_a_list() -> None:
    assert find_records({"events": [ROWS[0], ROWS[0]]}) == "events"


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
        (lambda n: {"venueId": 40 + n, "eventCode": f"e{n}"}, "eventCode"),
        (lambda n: {"identifiers": [f"x:{n}"], "links": {"href": f"/{n}"}}, "identifiers.0"),
        (lambda n: {"@id": f"x/{n}"}, "@id"),
        (lambda n: {"id": n % 3, "dates": [{"date": {"id": n}}]}, "dates.0.date.id"),
        (lambda n: {"contentid": f"c{n}", "code": f"x{n}"}, "code"),
        (lambda n: {"contentid": f"c{n}", "typeid": 15}, "contentid"),
        (lambda n: {"idEvent": f"{n}", "idLeague": "7"}, "idEvent"),
        (lambda n: {"eventCode": f"EC{n}", "zipCode": f"{n}", "url": f"x/{n}"}, "eventCode"),
        (lambda n: {"formSlug": f"concert-{n}", "url": f"x/{n}"}, "formSlug"),
        (lambda n: {"event_ticker": f"KX-{n}", "series_ticker": "KX"}, "event_ticker"),
        (lambda n: {"pk": n, "item": {"pk": 1}}, "pk"),
        (lambda n: {"codi": f"{n}", "denominaci": f"Fira {n}"}, "codi"),
        (lambda n: {"identifiant": f"x{n}", "lieu_nom": f"Salle {n}"}, "identifiant"),
        (lambda n: {"tid": EPOCH + n, "start": EPOCH + n}, None),
        (lambda n: {"recurrenceId": f"202701{n + 10}T100000Z", "start": EPOCH + n}, None),
        (lambda n: {"$id": {"type": "__ID__", "value": f"{n}"}, "title": f"T {n}"}, "$id.value"),
        (lambda n: {"日付": f"{n}"}, None),
        (lambda n: {"id": n % 3, "seats": n}, None),
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
        (
            lambda n: {"title": {"_type": "locale", "no": f"Konsert {n}", "en": f"Gig {n % 9}"}},
            {"from": ["title.en", "title.no"]},
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
        (lambda n: {"veranstaltung": f"Konzert {n}", "ort": "a b"}, {"from": "veranstaltung"}),
        (lambda n: {"title": "Expo", "event": f"Round {n}"}, {"from": "event"}),
        (lambda n: {"show": f"Film {n}", "heading": f"H {n}"}, {"from": "heading"}),
        (lambda n: {"event": f"Expo {n % 2}", "talk_title": f"T {n}"}, {"from": "talk_title"}),
        (lambda n: {"description": f"Choir {n}", "type": "a b"}, {"from": "description"}),
        (
            lambda n: {"description": f"A long one {n}", "code": f"c{n}", "title": f"T{n}"},
            {"from": "title"},
        ),
        (lambda n: {"EventBodyName": "City Council", "n": n}, {"from": "EventBodyName"}),
        (lambda n: {"text": f"Deploy {n}", "user_name": "ann"}, {"from": "text"}),
        (lambda n: {"name": "Yoga", "room": {"label": f"R {n}"}}, {"from": "name"}),
        (
            lambda n: {"Class": {"Name": f"Yoga {n % 4}"}, "Staff": {"Name": f"Jo {n} X"}},
            {"from": "Class.Name"},
        ),
        (lambda _: {"ClassDescription": {"Name": "Yoga"}}, {"from": "ClassDescription.Name"}),
        (lambda _: {"session_name": "Race", "place": {"name": "X"}}, {"from": "session_name"}),
        (
            lambda n: {"overskrift": f"Koncert {n}", "sted": {"navn": f"S {n}"}},
            {"from": "overskrift"},
        ),
        (lambda n: {"caption": f"Mass {n}", "note": "a b"}, {"from": "caption"}),
        (
            lambda n: {"name": [{"@value": f"Mass {n}", "@language": "en"}, {"@value": "M"}]},
            {"from": "name.0.@value"},
        ),
        (lambda n: {"what": f"Mass at {n}", "where": f"Hall {n}"}, {"from": "what"}),
        (
            lambda n: {"first_name": "Al", "full_name": f"Al Li {n}", "service_name": "Haircut"},
            {"from": "service_name"},
        ),
        (lambda n: {"fullName": f"Hourly Arena {n}", "perf": "blitz"}, {"from": "fullName"}),
        (
            lambda n: {"service": {"name": "Visit"}, "provider": {"name": f"Ann Li {n}"}},
            {"from": "service.name"},
        ),
        (
            lambda n: {"object_desc": f"The hall {n}", "event_desc": f"Choir {n}"},
            {"from": "event_desc"},
        ),
        (
            lambda n: {
                "nom_generique": f"Festival {n % 2}" if n % 3 else None,
                "nom_de_la_manifestation": f"Nuit {n}",
                "lieu_nom": f"La salle {n}",
            },
            {"from": "nom_de_la_manifestation"},
        ),
        (  # the first of what is alike
            lambda n: {"de": {"title": f"Tag {n}"}, "it": {"title": f"Giorno {n}"}},
            {"from": "de.title"},
        ),
        (lambda n: {"internalTitle": f"I {n}", "webTitle": f"T {n}"}, {"from": "webTitle"}),
        (lambda n: {"titleFr": f"Nuit {n}", "titleEn": f"Night {n}"}, {"from": "titleEn"}),
        (
            lambda n: {"title": {"de-DE": f"Nacht {n}", "en-US": f"Night {n}"}},
            {"from": ["title.en-US", "title.de-DE", "title.*"]},
        ),
        (
            lambda n: {
                "name": f"Day {n}" if n % 3 else None,
                "post": {"topic": {"title": f"T{n}"}},
            },
            {"from": ["name", "post.topic.title"]},
        ),
        (
            lambda n: {"name": f"Day {n}" if n % 3 else None, "kind": {"title": f"K{n % 2}"}},
            {"from": "name"},
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
        lambda n: {"event_type_name": "Public meeting", "n": n},
        lambda n: {"sport_title": "EPL", "home": f"Home {n}"},
        lambda n: {"metadata": {"name": "rules"}, "action": f"change {n}"},
        lambda n: {"prices": [{"label": "Adult"}], "productCode": f"P{n}"},
    ],
)
def test_what_most_records_lack_or_share_or_is_an_address_is_no_name(make: Any) -> None:
    assert find_name(sample(make)) is None
