"""The fields of events are found in the records of a list; what is in doubt becomes a question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from starlette.requests import Request

from event_assets.probe.discovery import Discovery
from event_assets.values.errors import ConfigError
from event_assets_tests.support.discoveries import (
    Answer,
    asked,
    connect,
    endpoint,
    values_of,
    whole,
)
from event_assets_tests.support.event_records import events

LOCAL = {"start_time": "2026-07-01T19:30:00", "end_time": None}
IN_BERLIN = "2026-07-01 17:30:00+00:00"
ZONE = "fields.start_time.timezone"


def local(**more: Any) -> list[dict[str, Any]]:
    """Make events with a local start."""
    return events(7, **LOCAL, **more)


def fields(found: Discovery) -> dict[str, Any]:
    return dict(found.document["attributes"]["fields"])


def first_start(found: Discovery) -> str:
    return str(found.events[0]["start_time"])


@pytest.mark.parametrize(
    ("rows", "setting"),
    [
        (events(7, id=None), "primary_key"),
        ([{"id": n, "label": f"x{n}"} for n in range(7)], "fields.start_time.from"),
        (events(7, start_time="05/06/2026"), "fields.start_time.format"),
    ],
    ids=["no id", "no start", "day or month first"],
)
def test_what_is_in_doubt_is_an_open_question(rows: list[dict[str, Any]], setting: str) -> None:
    assert asked(connect(whole(rows))) == [setting]


def test_what_may_be_the_name_and_the_start_is_offered_as_choices() -> None:
    rows = [
        {"id": n, "alert": f"Disk {n} full", "createdAt": f"January {n}, 2027", "n": n}
        for n in range(1, 8)
    ]
    found = connect(whole(rows))
    assert {one.setting: [*one.choices] for one in found.open_questions} == {
        "fields.name.from": ["alert", "events have none"],
        "fields.start_time.from": ["createdAt"],
    }
    settings = {"fields.name.from": "alert", "fields.start_time.from": "createdAt"}
    assert asked(connect(whole(rows), settings=settings)) == []


def test_the_choices_of_a_name_are_those_of_the_event_before_those_of_others() -> None:
    rows = [
        {
            "id": n,
            "organizer": {"label": {"de": f"The hosts {n}"}},
            "attractions": [{"ref": {"label": {"de": f"Concert {n}"}}}],
            "about": {"of": {"it": {"term": f"Some words {n}"}}},
            "start": f"2027-01-{n:02d}T19:00:00Z",
        }
        for n in range(1, 8)
    ]
    [question] = connect(whole(rows)).open_questions
    assert [*question.choices] == [
        *("about.of.it.term", "organizer.label.de", "attractions.0.ref.label.de"),
        "events have none",
    ]


def test_of_a_name_and_a_title_that_differ_one_is_chosen_by_an_answer() -> None:
    rows = [{**row, "title": f"Tour {at}"} for at, row in enumerate(events(7))]
    [question] = connect(whole(rows)).open_questions
    assert question.text == "Which field is the name of an event: `name` or `title`?"
    settings = question.choices["`title`"]
    found = connect(whole(rows), settings=settings)
    assert (asked(found), found.events[0]["name"]) == ([], "Tour 0")


@pytest.mark.parametrize("other", ["program_name", "project_title"])
@pytest.mark.parametrize("own", ["activity", "task"])
def test_a_name_of_something_else_is_asked_about_beside_what_takes_place(
    other: str, own: str
) -> None:
    rows = [{**row, "name": None, other: f"Spring {at // 2}", own: f"Choir {at}"}
            for at, row in enumerate(events(7))]  # fmt: skip
    [question] = connect(whole(rows)).open_questions
    assert [*question.choices] == [f"`{other}`", f"`{own}`"]


@pytest.mark.parametrize("title", [None, "Tour", "{name}"])
def test_a_title_that_is_rare_or_alike_is_no_other_name(title: str | None) -> None:
    rows = [{**row, "title": title and title.format(**row)} for row in events(7)]
    assert asked(connect(whole(rows))) == []


def test_the_choices_of_a_name_end_with_that_of_a_person() -> None:
    rows = events(7, name=None, lastName="de la Cruz", kind="Short visit")
    [question] = connect(whole(rows)).open_questions
    assert [*question.choices] == ["kind", "lastName", "events have none"]


@pytest.mark.parametrize("member", ["home_team", "home"])
def test_the_numbers_of_teams_or_their_goals_are_no_name(member: str) -> None:
    rows = [{"id": n, "start": f"2027-01-{n:02}T19:30Z", member: 30 + n,
             member.replace("home", "away"): 40 + n} for n in range(1, 8)]  # fmt: skip
    assert asked(connect(whole(rows))) == ["fields.name.from"]


def test_events_of_one_series_that_begin_together_are_told_apart_by_the_series() -> None:
    starts = range(1_798_000_000, 1_798_900_000, 100_000)  # no two of which are alike yet
    rows = [
        {"eid": {"uid": f"u{at % 3}", "tid": start}, "when": {"start": start}, "title": f"Day {at}"}
        for at, start in enumerate(starts)
    ]
    found = connect(whole(rows))
    assert (asked(found), values_of(found, "id")) == ([], ["`eid.uid`, `when.start`"])


@pytest.mark.parametrize(
    ("home", "away"),
    [
        ("homeTeam.name", "awayTeam.name"),
        ("home_team", "visitor_team"),
        ("homeTeam.commonName.default", "awayTeam.commonName.default"),
        ("team1.teamName", "team2.teamName"),
        ("faction1.name", "faction2.name"),
        ("strTeam1", "strTeam2"),
        ("home", "away"),
    ],
)
def test_the_name_of_a_match_is_that_of_both_teams(home: str, away: str) -> None:
    def team(path: str, name: str) -> dict[str, Any]:
        first, *parts = path.split(".")
        return {first: team(".".join(parts), name) if parts else name}

    rows = [
        {
            "id": n,
            "utcDate": f"2027-01-{n:02}T19:30:00Z",
            **team(home, "Ajax"),
            **team(away, f"{n}"),
        }
        for n in range(1, 8)
    ]
    found = connect(whole(rows))
    assert asked(found) == []
    assert found.events[0]["name"] == "Ajax - 1"


@pytest.mark.parametrize("count", [2, 3])
def test_the_name_of_a_match_is_that_of_the_two_in_a_list(count: int) -> None:
    rows = [
        {
            "id": n,
            "starts_at": f"2027-01-{n:02}T19:30:00Z",
            "competitors": [{"name": f"Team {n + each}"} for each in range(count)],
        }
        for n in range(1, 8)
    ]
    found = connect(whole(rows))
    assert asked(found) == ([] if count == 2 else ["fields.name.from"])
    assert found.events[0].get("name") == ("Team 1 - Team 2" if count == 2 else None)


@pytest.mark.parametrize(
    ("record", "key", "start"),
    [
        (
            lambda n: {"_id": {"$oid": f"{n:024x}"}, "start": {"$date": f"2027-01-{n:02}T19:30Z"}},
            "_id.$oid",
            "start.$date",
        ),
        (
            lambda n: {"Id": n, "StartDate": f"/Date({1_799_605_800_000 + n * 86_400_000})/"},
            "Id",
            "StartDate",
        ),
    ],
    ids=["MongoDB", ".NET"],
)
def test_ids_and_times_in_the_notation_of_a_database_are_found(
    record: Callable[[int], dict[str, Any]], key: str, start: str
) -> None:
    rows = [{**record(number), "title": f"Concert {number}"} for number in range(1, 28)]
    found = connect(whole(rows))
    assert asked(found) == []
    assert found.document["attributes"]["rest_api"]["resource_defaults"]["primary_key"] == key
    assert fields(found)["start_time"] == {"type": "timestamp", "from": start}


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_the_zone_of_local_times_is_asked_for(zone: str | None) -> None:
    rows = events(7, start_time="2026-07-01T19:30:00", end_time="2026-07-01T21:30:00")
    found = connect(whole(rows), settings={ZONE: zone} if zone else {})
    assert [one.setting for one in found.questions] == ([] if zone else [ZONE])
    assert fields(found)["end_time"].get("timezone") == zone


def test_the_time_in_a_question_is_written_as_it_is_read() -> None:
    clock = {"StartDate": "2026-07-01T00:00:00", "StartTime": "7:30 PM"}
    [question] = connect(whole(events(7, start_time=None, end_time=None, **clock))).questions
    assert "such as `2026-07-01 19:30`" in question.text


@pytest.mark.parametrize("where", ["timezone", "time"])
def test_a_zone_beside_the_list_is_that_of_its_times(where: str) -> None:
    zone = {"timezone": "Europe/Tallinn"}
    found = connect(whole(local(), **({"time": zone} if where == "time" else zone)))
    assert fields(found)["start_time"]["timezone"] == "Europe/Tallinn"


def test_the_zone_of_a_record_is_not_that_of_days_in_others() -> None:
    rows = events(14)
    for at, row in enumerate(rows):
        row["start"] = {"dateTime": f"2026-07-01T19:{at}0:00", "timeZone": "Europe/Berlin"}
        if at % 2:
            row["start"] = {"date": f"2026-07-{at:02}"}
        del row["start_time"], row["end_time"]
    by_id = {str(row.pop("id")): row for row in rows}
    found = connect(lambda _: {"events": by_id, "total": len(by_id)})
    assert fields(found)["start_time"]["timezone"] == ["start.timeZone", "UTC"]


def test_a_zone_is_found_by_its_value() -> None:
    found = connect(whole(local(zeit="Europe/Berlin")))
    assert (found.questions, first_start(found)) == ([], IN_BERLIN)


@pytest.mark.parametrize("other", ["account_timezone", "organizer.tz", "display_zone"])
@pytest.mark.parametrize("own", ["tz", "timezone", "venue.timezone", "start_timezone"])
def test_a_zone_is_that_of_the_event_and_not_of_a_person(own: str, other: str) -> None:
    row: dict[str, Any] = {}
    for path, zone in ((other, "America/New_York"), (own, "Europe/Berlin")):
        parent, _, name = path.rpartition(".")
        row |= {parent: {name: zone}} if parent else {name: zone}
    assert first_start(connect(whole(local(**row)))) == IN_BERLIN


def test_a_zone_that_is_not_known_is_quoted_in_an_open_question() -> None:
    found = connect(whole(local(time_zone="Eastern Time (US & Canada)")))
    assert "`time_zone` says `Eastern Time (US & Canada)`" in found.open_questions[0].text


@pytest.mark.parametrize("zone", ["timeZone", "timezone", "tz"])
def test_a_zone_in_an_object_that_is_not_known_is_quoted_too(zone: str) -> None:
    rows = local(**{zone: {"id": "7", "name": "(GMT-05:00) Eastern Time"}})
    [question] = connect(whole(rows)).open_questions
    assert f"`{zone}.name` says `(GMT-05:00) Eastern Time`" in question.text


@pytest.mark.parametrize("offset", [-4, -240, -14_400, -14_400_000])
def test_an_offset_is_a_number_of_hours_minutes_seconds_or_milliseconds(offset: int) -> None:
    found = connect(whole(local(utc_offset=offset)))
    assert (found.questions, first_start(found)) == ([], "2026-07-01 23:30:00+00:00")


def with_times(make: Callable[[int], Any], name: str = "zz") -> Answer:
    """Answer with events whose only time has this name."""
    return whole([{"id": at, "name": f"Event {at}", name: make(at)} for at in range(23)])


@pytest.mark.parametrize(
    ("make", "source", "more"),
    [
        (lambda at: f"2026-10-{at + 1:02}T19:30:00Z", "zz", {}),
        (lambda at: f"{at + 1:02}.10.2026 19:30", "zz", {"format": "%d.%m.%Y %H:%M"}),
        (lambda at: [f"2026-10-{at + 1:02}", "19:30"], "{zz.0}T{zz.1}", {}),
    ],
)
def test_the_field_that_a_question_asked_for_is_read_as_it_is_written(
    make: Callable[[int], Any], source: str, more: Mapping[str, Any]
) -> None:
    answer, setting = with_times(make), "fields.start_time.from"
    assert asked(connect(answer)) == [setting]
    found = connect(answer, settings={setting: source})
    assert asked(found) == []
    assert fields(found)["start_time"] == {"type": "timestamp", "from": source, **more}


@pytest.mark.parametrize("day", ["2026-10-{:02}", 20261000])
@pytest.mark.parametrize("clock", ["10h", "halb 8", 930, 1930, 19, 19.5, "19"])
def test_a_time_of_day_that_cannot_be_read_is_quoted_in_a_question(clock: Any, day: Any) -> None:
    days = [day + at if type(day) is int else day.format(at) for at in range(1, 24)]
    rows = [{"id": at, "name": f"Event {at}", "date": one, "start": clock}
            for at, one in enumerate(days)]  # fmt: skip
    [question] = connect(whole(rows)).open_questions
    assert f"`start` says `{clock}`, which cannot be read beside `{days[0]}`" in question.text
    [midnight] = question.choices.values()
    answered = connect(whole(rows), settings=midnight)
    assert (asked(answered), first_start(answered)) == ([], "2026-10-01 00:00:00+00:00")


@pytest.mark.parametrize(
    ("day", "clock"),
    [
        ("2026-10-{:02}T00:00:00+02:00", "19:30"),
        (1_791_072_000, "19:30"),
        ("2026-10-{:02}", "1970-01-01T19:30:00.000Z"),
        ("2026-10-{:02}", "doors at 7:30pm"),
    ],
    ids=["midnight with an offset", "midnight as an epoch", "on a day of its own", "in words"],
)
def test_a_time_of_day_beside_what_is_no_plain_day_is_asked_about(day: Any, clock: str) -> None:
    rows = [
        {
            "id": at,
            "name": f"Event {at}",
            "date": day.format(at + 1) if isinstance(day, str) else day + 86_400 * at,
            "time": clock,
        }
        for at in range(23)
    ]
    assert asked(connect(whole(rows))) == ["fields.start_time.from"]


@pytest.mark.parametrize(
    ("hours", "clocks", "settings"),
    [
        ((5,), ("18:00", "19:30", "20:15"), ["fields.start_time.from"]),
        ((5, 6), ("18:00", "19:30", "20:15"), ["fields.start_time.from"]),
        ((5, 6), ("00:00", "01:00"), []),
        ((18, 19, 20), ("14:00", "15:00", "16:00"), []),
    ],
    ids=["days", "days in summer and winter", "the local time", "each its own time"],
)
def test_days_in_the_time_at_which_they_begin_elsewhere_are_asked_about(
    hours: Sequence[int], clocks: Sequence[str], settings: list[str]
) -> None:
    rows = [
        {
            "id": at,
            "name": f"Event {at}",
            "startDate": f"2026-10-{at + 1:02}T{hours[at % len(hours)]:02}:00:00.000Z",
            "startTime": clocks[at % len(clocks)],
        }
        for at in range(23)
    ]
    assert asked(connect(whole(rows))) == settings


def test_the_start_of_something_else_is_asked_about_beside_a_date() -> None:
    rows = [{"id": at, "name": f"Event {at}", "valid_from": f"2026-01-{at + 1:02}T10:00:00Z",
             "event_date": f"2026-10-{at + 1:02}T10:00:00Z"} for at in range(23)]  # fmt: skip
    [question] = connect(whole(rows)).open_questions
    assert [*question.choices] == ["`valid_from`", "`event_date`"]


def test_a_time_of_day_of_another_name_is_a_choice() -> None:
    rows = [{"id": at, "name": f"Event {at}", "dateEvent": f"2026-10-{at + 1:02}",
             "strTime": "19:30:00", "duration": "02:00"} for at in range(23)]  # fmt: skip
    [question] = connect(whole(rows)).open_questions
    choice = question.choices["as `strTime` says"]
    answered = connect(whole(rows), settings=choice)
    assert (asked(answered), first_start(answered)) == ([], "2026-10-01 19:30:00+00:00")


@pytest.mark.parametrize("name", ["date", "nextDate.from"])
@pytest.mark.parametrize(("start", "end"), [("start_time", "end_time"), ("starts", "ends")])
def test_ends_past_midnight_beside_one_date_are_on_the_next_day(
    name: str, start: str, end: str
) -> None:
    parent, _, day = name.rpartition(".")
    rows: list[dict[str, Any]] = []
    for at in range(23):
        times = {day: f"2026-10-{at + 1:02}", start: "22:00", end: "01:30" if at % 2 else "23:00"}
        rows.append({"id": at, "name": f"Event {at}", **({parent: times} if parent else times)})
    found = connect(whole(rows))
    assert asked(found) == []
    assert [str(event["end_time"]) for event in found.events[:2]] == [
        "2026-10-01 23:00:00+00:00",
        "2026-10-03 01:30:00+00:00",
    ]


def test_a_day_that_comes_again_in_another_notation_is_no_end() -> None:
    rows = [{"id": at, "name": f"Event {at}", "date": f"{at + 1:02}/10/2026",
             "date2": f"2026-10-{at + 1:02}"} for at in range(23)]  # fmt: skip
    found = connect(whole(rows))
    assert asked(found) == []
    assert (first_start(found), "end_time" in fields(found)) == ("2026-10-01 00:00:00+00:00", False)


def test_the_id_of_the_event_is_preferred_to_that_of_another_program() -> None:
    rows = [{**row, "id": None, "idApi": at, "idEvent": f"e{at}"} for at, row in
            enumerate(events(23))]  # fmt: skip
    assert connect(whole(rows)).events[0]["id"] == "e0"


@pytest.mark.parametrize(
    ("name", "start", "clock", "end", "end_clock"),
    [
        ("titel", "startdato", "starttid", "slutdato", "sluttid"),
        ("tittel", "startdatum", "starttid", "slutdatum", "sluttid"),
        ("naam", "startdatum", "starttijd", "einddatum", "eindtijd"),
        ("bezeichnung", "beginn_datum", "beginn_uhrzeit", "ende_datum", "ende_uhrzeit"),
        ("titulo", "fecha_inicio", "hora_inicio", "fecha_fin", "hora_fin"),
        ("titolo", "data_inizio", "ora_inizio", "data_fine", "ora_fine"),
        ("titre", "date_debut", "heure_debut", "date_fin", "heure_fin"),
    ],
)
@pytest.mark.parametrize("written", ["19:30", "19.30", "19h30", "19:30:00", "7:30 PM"])
def test_fields_are_found_by_their_names_in_other_languages(
    name: str, start: str, clock: str, end: str, end_clock: str, written: str
) -> None:
    rows = [
        {"id": n, name: f"Jazz {n}", start: f"{n}.07.2026", clock: written, end: f"{n}.08.2026"}
        | {end_clock: None if n == 13 else written}
        for n in range(13, 20)
    ]
    found = connect(whole(rows))
    assert asked(found) == []
    assert found.events[0]["name"] == "Jazz 13"
    assert [str(one["start_time"]) for one in found.events[:1]] == ["2026-07-13 19:30:00+00:00"]
    assert [str(one["end_time"]) for one in found.events[:2]] == [
        "2026-08-13 00:00:00+00:00",
        "2026-08-14 19:30:00+00:00",
    ]


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("nome", "data_inicio", "data_fim"),
        ("nazwa", "data_rozpoczecia", "data_zakonczenia"),
        ("nimi", "alkaa", "paattyy"),
        ("navn", "starttidspunkt", "sluttidspunkt"),
        ("nazev", "zacatek", "konec"),
        ("bezeichnung", "startzeit", "endzeit"),
        ("denominaci", "data_inici", "data_fi"),
        ("baslik", "baslangic_tarihi", "bitis_tarihi"),
        ("pealkiri", "algus", "lopp"),
        ("judul", "mulai", "selesai"),
        ("rubrik", "startar", "slutar"),
        ("nimi", "alkuaika", "loppuaika"),
        ("Titre", "Date de d\u00e9but", "Date de fin"),
        ("n\u00e1zev", "za\u010d\u00e1tek", "konec"),
        ("rubrik", "b\u00f6rjar", "slutar"),
        ("title", "starts_at", "ends_at"),
    ],
)
def test_times_are_found_by_their_names_in_other_languages(name: str, start: str, end: str) -> None:
    hours = {"opens_at": "2026-07-01T17:00:00Z", "closes_at": "2026-07-01T23:00:00Z"}
    times = {**hours, start: "2026-07-01T19:30:00Z", end: "2026-07-01T21:30:00Z"}
    found = connect(whole([{"id": n, name: f"Jazz {n}", **times} for n in range(7)]))
    assert asked(found) == []
    read = {column: settings.get("from") for column, settings in fields(found).items()}
    assert read == {"id": None, "name": name, "start_time": start, "end_time": end}


@pytest.mark.parametrize("other", ["2026-07-01T19:30:00Z", "2026-07-01T18:30:00Z"])
def test_of_two_starts_that_differ_one_is_chosen_by_an_answer(other: str) -> None:
    rows = events(7, start_time=other, start_at="2026-07-01T21:30:00+02:00")
    found = connect(whole(rows))
    is_same = other == "2026-07-01T19:30:00Z"
    assert asked(found) == ([] if is_same else ["fields.start_time.from"])
    for question in found.open_questions:
        answered = connect(whole(rows), settings=question.choices["`start_time`"])
        assert (asked(answered), first_start(answered)) == ([], "2026-07-01 18:30:00+00:00")


def test_the_day_of_a_match_begins_at_its_kick_off() -> None:
    rows = events(7, start_time=None, end_time=None, matchDate="2026-07-01", kickOffTime="19:30")
    found = connect(whole(rows))
    assert (asked(found), first_start(found)) == ([], "2026-07-01 19:30:00+00:00")


def test_a_start_that_is_past_is_asked_about_beside_the_one_that_was_planned() -> None:
    rows = [{"id": at, "name": f"N{at}", "started_at": f"2026-10-0{at}T10:20Z",
             "scheduled_at": f"2026-10-0{at}T10:00Z"} for at in range(1, 8)]  # fmt: skip
    [question] = connect(whole(rows)).open_questions
    assert [*question.choices] == ["`started_at`", "`scheduled_at`"]


@pytest.mark.parametrize(
    ("first", "last"), [("firstTiming", "lastTiming"), ("timingFirst", "timingLast")]
)
def test_the_end_of_a_series_is_chosen_by_an_answer(first: str, last: str) -> None:
    def times(day: int) -> dict[str, str]:
        return {"begin": f"2027-01-{day:02}T10:00Z", "end": f"2027-01-{day:02}T11:00Z"}

    rows = [{"id": at, "name": f"N{at}", first: times(at), last: times(at)} for at in range(1, 8)]
    assert asked(connect(whole(rows))) == []
    rows = [{**row, last: times(20)} for row in rows]
    [question] = connect(whole(rows)).open_questions
    assert [*question.choices] == [f"`{first}.end`", f"`{last}.end`"]
    found = connect(whole(rows), settings=question.choices[f"`{last}.end`"])
    assert (asked(found), str(found.events[0]["end_time"])) == ([], "2027-01-20 11:00:00+00:00")


def test_the_end_is_found_beside_the_start_that_an_answer_names() -> None:
    def times(day: int) -> dict[str, str]:
        return {"startDate": f"2027-01-{day:02}T10:00Z", "endDate": f"2027-01-{day:02}T11:00Z"}

    rows = [{"id": at, "name": f"N{at}", "base": times(1 + at // 3)} for at in range(9)]
    rows = [{**row, "calculated": times(10 + at)} for at, row in enumerate(rows)]
    [question] = connect(whole(rows)).open_questions
    found = connect(whole(rows), settings=question.choices["`calculated.startDate`"])
    assert asked(found) == []
    assert fields(found)["end_time"] == {"type": "timestamp", "from": "calculated.endDate"}


@pytest.mark.parametrize(
    ("other", "own", "start"),
    [
        ({"season_start": "2026-08-01"}, {"match_date": "2027-01-{:02}T19:30Z"}, "match_date"),
        (
            {"display_start": "2026-12-{:02}T08:00Z"},
            {"event_date": "2027-01-{:02}", "event_time": "19:30"},
            "{event_date}T{event_time}",
        ),
    ],
)
def test_a_start_of_something_else_is_asked_about_beside_that_of_the_event(
    other: dict[str, str], own: dict[str, str], start: str
) -> None:
    rows = [
        {"id": at, "name": f"N{at}"}
        | {key: one.format(at) for key, one in {**other, **own}.items()}
        for at in range(1, 8)
    ]
    rows[0] |= dict.fromkeys(other, "2026-07-01")
    [question] = connect(whole(rows)).open_questions
    assert [*question.choices] == [f"`{next(iter(other))}`", f"`{start}`"]
    found = connect(whole(rows), settings=question.choices[f"`{start}`"])
    assert (asked(found), first_start(found)) == ([], "2027-01-01 19:30:00+00:00")


def test_a_day_is_no_other_start_than_the_time_on_it() -> None:
    rows = events(7, start_time=None, end_time=None, featureStart="2027-01-01T19:30Z")
    assert asked(connect(whole([{**row, "date": "2027-01-01"} for row in rows]))) == []


@pytest.mark.parametrize("said", [None, "end_date"])
def test_an_end_that_is_before_the_start_is_left_out(said: str | None) -> None:
    rows = events(7, start_time="2026-07-01T19:30:00Z", end_time=None, end_date="2026-07-01")
    setting = "fields.end_time.from"
    found = connect(whole(rows), settings={setting: said} if said else {})
    assert ("end_time" in fields(found)) == bool(said)
    assert (setting in [one.setting for one in found.questions]) != bool(said)


def test_a_start_in_an_object_of_something_else_is_asked_about() -> None:
    rows = [{"id": at, "name": f"N{at}", "date": f"2027-01-{at:02}T19:30Z",
             "campaign": {"start": f"2026-12-{at:02}", "end": f"2027-02-{at:02}"}}
            for at in range(1, 8)]  # fmt: skip
    [question] = connect(whole(rows)).open_questions
    found = connect(whole(rows), settings=question.choices["`date`"])
    assert (asked(found), first_start(found)) == ([], "2027-01-01 19:30:00+00:00")
    assert "end_time" not in fields(found)
    assert any("`campaign.end` is in another object" in one.text for one in found.questions)


def test_the_day_of_a_start_is_no_end_beside_a_duration() -> None:
    rows = [{"id": at, "subject": f"Visit {at}", "due_date": f"2027-01-{at:02}",
             "due_time": "19:30", "duration": "02:00"} for at in range(1, 8)]  # fmt: skip
    [question] = connect(whole(rows)).open_questions
    found = connect(whole(rows), settings=question.choices["due_date"])
    assert (asked(found), str(found.events[0]["end_time"])) == ([], "2027-01-01 21:30:00+00:00")


@pytest.mark.parametrize("word", ["TBA", "tbd"])
def test_the_day_is_the_start_where_the_time_of_day_is_yet_to_be_said(word: str) -> None:
    rows = [{"id": at, "name": f"N{at}", "date": f"2027-01-{at:02}",
             "time": "19:30" if at % 3 else word} for at in range(1, 8)]  # fmt: skip
    found = connect(whole(rows))
    assert asked(found) == []
    assert str(found.events[2]["start_time"]) == "2027-01-03 00:00:00+00:00"


@pytest.mark.parametrize(
    ("zones", "choices"),
    [
        ({"EST"}, ["America/New_York", "UTC"]),
        ({"EST", "EDT"}, ["America/New_York", "UTC"]),
        ({"PT"}, ["America/Los_Angeles", "UTC"]),
        ({"MST", "America/Chicago"}, ["UTC"]),
        ({"Eastern"}, ["UTC"]),
    ],
)
def test_an_abbreviation_of_a_time_zone_is_asked_about(zones: set[str], choices: list[str]) -> None:
    rows = [{**row, "timezone": [*zones][at % len(zones)]} for at, row in enumerate(local())]
    [question] = connect(whole(rows)).open_questions
    assert (question.setting, [*question.choices]) == (ZONE, choices)
    found = connect(whole(rows), settings=question.choices[choices[0]])
    hours = {"America/New_York": 23, "America/Los_Angeles": 2, "UTC": 19}[choices[0]]
    assert (asked(found), first_start(found)[11:13]) == ([], f"{hours:02}")


def test_the_second_of_two_times_is_the_end_and_likely_only() -> None:
    rows = events(7, start_time=None, end_time=None, dates=["2026-01-01T10:00Z", "2026-01-02"])
    [fact] = [fact for fact in connect(whole(rows)).facts if fact.subject == "end_time"]
    assert (fact.value, fact.certainty) == ("`dates.1`", "likely")


def test_the_first_of_several_starts_is_likely_only() -> None:
    rows = events(7, start_time=None, dates=[{"start": "2026-01-01T10:00Z"}] * 3)
    [fact] = [fact for fact in connect(whole(rows)).facts if fact.subject == "start_time"]
    assert (fact.value, fact.certainty) == ("`dates.0.start`", "likely")
    assert "one of up to 3" in fact.evidence


def test_the_first_of_several_days_is_read_with_its_time_of_day() -> None:
    rows = events(7, start_time=None, dates=[{"date": "2026-01-01", "startTime": "19:30"}] * 3)
    found = connect(whole(rows))
    assert (asked(found), first_start(found)) == ([], "2026-01-01 19:30:00+00:00")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("venue.name", {"venue": {"name": "Town Hall"}}),
        ("teams.home.name", {"teams": {"home": {"name": "United"}}}),
        ("lastName", {"lastName": "Li"}),
        ("roomName", {"roomName": "Blue"}),
        ("lieu_nom", {"lieu_nom": "Salle des Carmes"}),
        ("ort.titel", {"ort": {"titel": "Alte Feuerwache"}}),
    ],
)
def test_a_name_of_something_else_than_the_event_is_asked_about(path: str, value: Any) -> None:
    [question] = connect(whole(events(7, name=None, **value))).open_questions
    assert question.setting == "fields.name.from"
    assert f"`{path}`" in question.text


def test_a_time_of_change_without_a_zone_is_assumed_to_be_utc() -> None:
    found = connect(whole(events(7, modified="2026-01-01 10:00:00")))
    [fact] = [fact for fact in found.facts if fact.subject == "updated_at"]
    assert fact.certainty == "assumed"
    assert fact.evidence.endswith("local times without a zone, taken as UTC")


def test_a_time_of_change_that_can_be_read_in_two_ways_is_left_out() -> None:
    rows = events(7, modified="01/02/2026 10:00 AM")
    assert "updated_at" not in fields(connect(whole(rows)))


def test_fields_that_tell_the_events_apart_are_the_choices() -> None:
    rows = [{**row, "id": None, "permalink": f"/e/{at}"} for at, row in enumerate(events(7))]
    [question] = connect(whole(rows)).open_questions
    assert [*question.choices] == ["`name`", "`permalink`", "`name` and `start_time`"]
    assert asked(connect(whole(rows), settings=question.choices["`permalink`"])) == []


@pytest.mark.parametrize("name", ["id", "event_id", "eventId"])
def test_occurrences_are_told_apart_by_the_id_of_the_event_and_their_start(name: str) -> None:
    rows = [{**row, "id": None, name: at // 4} for at, row in enumerate(events(8))]
    found = connect(whole(rows))
    assert (asked(found), values_of(found, "id")) == ([], [f"`{name}`, `start_time`"])


def test_the_number_of_a_time_is_no_other_start_than_the_day_beside_it() -> None:
    rows = [
        {"id": at, "title": "Tea", "startdate": f"0{at + 1} Oct 2026", "startdate_unix": moment}
        for at, moment in enumerate(range(1790865000, 1791300000, 86_400))
    ]
    found = connect(whole(rows))
    assert (asked(found), values_of(found, "start_time")) == ([], ["`startdate_unix`"])


def test_of_the_fields_that_tell_the_events_apart_ids_are_the_first_choices() -> None:
    rows = [{"title": f"Event {at}", "start": "2026-10-01T10:00Z",
             "episode": {"ids": {"trakt": at}}} for at in range(9)]  # fmt: skip
    [question] = connect(whole(rows)).open_questions
    assert [*question.choices][:2] == ["`episode.ids.trakt`", "`title`"]


def test_events_without_an_id_may_be_told_apart_by_name_and_start() -> None:
    """Firebase has the id of a record in the name of its member only."""
    rows = [{"title": f"Event {at % 4}", "start": f"2026-10-{at + 1:02}T10:00Z"} for at in range(9)]

    def answer(_: Request) -> Any:
        return {f"-Nx{at}": row for at, row in enumerate(rows)}

    [question] = connect(answer).open_questions
    assert question.setting == "primary_key"
    found = connect(answer, settings=next(iter(question.choices.values())))
    assert asked(found) == []
    assert endpoint(found)["data_selector"] == "$.*"
    assert len({event["id"] for event in found.events}) == 5


def test_a_text_of_one_word_may_be_the_name_where_there_is_no_other() -> None:
    rows = [{"id": n, "number": f"A-{n}", "start": f"2027-01-{n:02}T10:00Z"} for n in range(1, 8)]
    [question] = connect(whole(rows)).open_questions
    assert [*question.choices] == ["number", "events have none"]


def test_events_may_have_no_name() -> None:
    rows = [{"id": at, "start": "2026-10-01T10:00Z"} for at in range(9)]
    [question] = connect(whole(rows)).open_questions
    found = connect(whole(rows), settings=question.choices["events have none"])
    assert (found.questions, [*found.document["attributes"]["fields"]]) == (
        [],
        ["id", "start_time"],
    )


def test_two_parts_of_an_id_are_offered_as_a_choice() -> None:
    rows = [
        {"saleNo": f"S{at // 3}", "lotNo": at % 3, "title": "Chairs", "start": "2026-10-01T10:00Z"}
        for at in range(9)
    ]
    [question] = connect(whole(rows)).open_questions
    assert question.choices == {"`saleNo` and `lotNo`": {"primary_key": ["saleNo", "lotNo"]}}


def lasting(name: str, value: Any, **more: Any) -> list[dict[str, Any]]:
    rows = [{k: v for k, v in row.items() if k != "end_time"} for row in events(7)]
    return [{**row, name: value, **more} for row in rows]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("duration_minutes", 90),
        ("durationSeconds", "5400"),
        ("duration_in_hours", 1.5),
        ("eventDuration", "PT1H30M"),
        ("duration", "01:30:00"),
        ("duration", "1:30"),
        ("runtime", 90),
        ("timeduration", "5400"),
        ("length_minutes", 90),
        ("duration", {"hours": 1, "minutes": 30}),
        ("duration", {"minutes": 90}),
        ("durationMinutes", 30),
    ],
)
def test_the_end_is_the_start_and_a_duration(name: str, value: Any) -> None:
    hours = {"durationHours": 1} if value == 30 else {}
    found = connect(whole(lasting(name, value, **hours)))
    assert found.questions == []
    ends = {str(event["end_time"] - event["start_time"]) for event in found.events}
    assert ends == {"1:30:00"}
    assert [one.certainty for one in found.facts if one.subject == "end_time"] == ["likely"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("minutes", 90),
        ("duration", 300),  # a short talk in seconds, or a long day in minutes
        ("duration", 2),
        ("duration", 0),
        ("durationMs", 5_400_000),
        ("length", 42),
        ("break_duration", 20),
        ("duration", "90:00"),
    ],
)
def test_a_duration_whose_unit_is_not_known_is_told(name: str, value: Any) -> None:
    [question] = connect(whole(lasting(name, value))).questions
    assert (question.setting, question.is_open) == ("fields.end_time.from", False)
    assert f"`{name}` may say how long they take, but not in which unit" in question.text


def test_a_duration_is_taken_where_the_end_is_but_the_day_of_the_start() -> None:
    found = connect(whole(lasting("duration", 120, end_date="2020-01-01")))
    assert (found.questions, found.events[0]["end_time"] is None) == ([], False)


def test_a_duration_fills_in_for_an_end_that_some_events_lack() -> None:
    rows = lasting("duration", 120)
    rows = [{**row, "end_time": None if at % 3 else "2027-02-03T04:00Z"}
            for at, row in enumerate(rows)]  # fmt: skip
    first, second, *_ = connect(whole(rows)).events
    assert str(first["end_time"]) == "2027-02-03 04:00:00+00:00"
    assert str(second["end_time"] - second["start_time"]) == "2:00:00"
    said = connect(whole(rows), settings={"fields.end_time.from": "end_time"})
    assert fields(said)["end_time"] == {"type": "timestamp", "from": "end_time"}


def test_a_duration_is_added_to_a_time_put_together_of_its_parts() -> None:
    rows = [{"id": at, "name": f"Event {at}", "date": f"{at + 13}.10.2026", "time": "19:30",
             "timezone": "Europe/Berlin", "duration": 45} for at in range(7)]  # fmt: skip
    event = connect(whole(rows)).events[0]
    assert str(event["end_time"]) == "2026-10-13 18:15:00+00:00"


def test_a_word_is_no_duration() -> None:
    rows = [{k: v for k, v in row.items() if k != "end_time"} for row in events(7)]
    assert not connect(whole([{**row, "duration": "REGULAR"} for row in rows])).questions


@pytest.mark.parametrize("value", [None, ""])
def test_a_field_that_is_said_and_nowhere_is_told_in_a_sentence(value: Any) -> None:
    told = r"^No record has a value at `zz`: correct fields\.start_t"
    with pytest.raises(ConfigError, match=told):
        connect(with_times(lambda _: value), settings={"fields.start_time.from": "zz"})


def test_a_field_that_is_no_field_is_told_in_a_sentence() -> None:
    rows = [{k: v for k, v in row.items() if k != "end_time"} for row in events(7)]
    told = r"^`fields\.end_time\.type`: Input should be 'text', .*: correct it"
    with pytest.raises(ConfigError, match=told):
        connect(whole(rows), settings={"fields.end_time.type": "date-time"})


def test_times_that_no_format_reads_are_quoted_in_a_question() -> None:
    settings = {"fields.start_time.from": "zz"}
    found = connect(with_times(lambda at: f"20th Oct 2026, {at}h30"), settings=settings)
    assert asked(found) == ["fields.start_time.format"]
    assert "`20th Oct 2026, 0h30` at `zz`" in found.open_questions[0].text


@pytest.mark.parametrize("start", ["1790000000000000", "2026-10-20 19:30 EDT"])
def test_a_start_that_no_format_reads_is_quoted_in_a_question(start: str) -> None:
    rows = [{**row, "start_time": start, "created_at": "2026-01-01T10:00Z"} for row in events(7)]
    found = connect(whole(rows))
    assert asked(found) == ["fields.start_time.format"]
    assert f"`{start}` at `start_time`" in found.open_questions[0].text


def test_events_may_have_no_start_that_can_be_read() -> None:
    rows = [{"id": at, "title": f"Event {at}", "dates": f"Oct {at} - Nov 2"} for at in range(9)]
    [question] = connect(whole(rows)).open_questions
    found = connect(whole(rows), settings=question.choices["events have none"])
    assert (asked(found), [*fields(found)]) == ([], ["id", "name"])


def test_a_day_that_is_a_choice_has_its_time_of_day() -> None:
    rows = [{"id": at, "title": f"Event {at}", "due_date": f"2026-10-0{at}", "due_time": "19:30",
             "add_time": f"2026-09-0{at} 10:00"} for at in range(1, 9)]  # fmt: skip
    [question] = connect(whole(rows)).open_questions
    assert [*question.choices] == ["due_date", "add_time"]
    found = connect(whole(rows), settings=question.choices["due_date"])
    assert first_start(found) == "2026-10-01 19:30:00+00:00"


def test_a_start_that_some_records_do_not_have_is_one_with_rejects() -> None:
    answer = with_times(
        lambda at: f"2026-10-{at + 1:02}T19:30:00Z" if at % 5 else "TBA", "start_time"
    )
    [question] = connect(answer).open_questions
    assert [*question.choices.values()] == [{"max_rejects": "30%"}]
    assert "5 of 23 records have no time at `start_time`, such as `TBA`" in question.text
    answered = connect(answer, settings={"max_rejects": "30%"})
    assert asked(answered) == []
    assert answered.document["attributes"]["max_rejects"] == "30%"


BOTH = {"status": ["deleted", "removed"]}


@pytest.mark.parametrize(
    ("marks", "removed_when", "subjects"),
    [
        ([{"is_deleted": False}, {"is_deleted": True}], {"is_deleted": True}, {"removed"}),
        ([{"isDeleted": False}], {"isDeleted": True}, {"removed"}),
        ([{"deleted": 0}, {"deleted": 1}], {"deleted": True}, {"removed"}),
        ([{"deleted": "false"}, {"deleted": "True"}], {"deleted": True}, {"removed"}),
        ([{"cancelled": "0"}, {"cancelled": "1"}], None, {"cancelled"}),
        ([{"status": "live"}, {"status": "Deleted"}], {"status": "Deleted"}, {"removed"}),
        ([{"status": "removed"}, {"status": "deleted"}], BOTH, {"removed"}),
        ([{"status": "live"}, {"status": "cancelled"}], None, {"cancelled"}),
        ([{"title": "deleted", "note": "Removed"}], None, set()),
        ([{"deleted": None}, {"deleted": "2026-11-26"}], None, set()),
        ([{"venue": {"deleted": True}}], None, set()),
    ],
)  # fmt: skip
def test_a_mark_of_removed_events_is_written_and_that_of_cancelled_ones_told(
    marks: list[dict[str, Any]], removed_when: Any, subjects: set[str]
) -> None:
    found = connect(whole([{**row, **marks[at % len(marks)]} for at, row in enumerate(events(20))]))
    assert found.document["attributes"].get("removed_when") == removed_when
    facts = {one.subject: one for one in found.facts if one.subject in ("removed", "cancelled")}
    assert {*facts} == subjects
    share = 0 if marks == [{"isDeleted": False}] else 10 * (1 + (removed_when == BOTH))
    assert all(one.evidence.startswith(f"{share} of 20 ") for one in facts.values())


def test_an_end_that_many_events_have_as_a_word_is_one_with_rejects() -> None:
    rows = [{**row, "end_time": row["end_time"] if at % 3 else "open end"}
            for at, row in enumerate(events(41))]  # fmt: skip
    [question] = connect(whole(rows)).open_questions
    assert "14 of 41 records have no time at `end_time`, such as `open end`" in question.text


@pytest.mark.parametrize(("name", "is_asked"), [("EVT-00{}", True), ("Take {}", False)])
def test_a_name_that_is_a_code_is_asked_about_beside_a_description(
    name: str, is_asked: bool
) -> None:
    rows = [{**row, "name": name.format(at), "description": f"An evening with {at}"}
            for at, row in enumerate(events(23))]  # fmt: skip
    setting = "fields.name.from"
    questions = connect(whole(rows)).open_questions
    chosen = [{setting: "name"}, {setting: "description"}]
    assert [[*one.choices.values()] for one in questions] == ([chosen] if is_asked else [])


@pytest.mark.parametrize(
    ("event", "other", "is_left_out"),
    [
        ("MusicEvent", "WebSite", True),
        ("node--event", "node--page", True),
        ("Event", "EventSeries", False),
        ("concert", "permanent", False),  # which may be an exhibition
        (2, 3, False),
    ],
)
def test_what_is_no_event_by_its_own_words_is_left_out(
    event: Any, other: Any, is_left_out: bool
) -> None:
    others = [{"@type": other, "id": f"o{at}", "name": f"Other {at}"} for at in range(2)]
    rows = [*others, *({"@type": event, **row} for row in events(23))]
    found = connect(whole(rows))
    left_out = {"removed_when": {"@type": other}} if is_left_out else {}
    assert found.document["attributes"].items() >= left_out.items()
    assert values_of(found, "left out") == ([f"`@type`: {other}"] if is_left_out else [])
    assert is_left_out or "removed_when" not in found.document["attributes"]
    assert (found.events[0]["name"] == "Event 0") == is_left_out
