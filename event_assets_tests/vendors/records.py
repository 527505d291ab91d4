"""Records in the format of each platform; record n is an event at hour n."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

FIRST = datetime(2027, 1, 1, tzinfo=UTC)
Record = dict[str, Any]


def at(number: int, hours: int = 0) -> datetime:
    """Return the start of event `number`, plus `hours`."""
    return FIRST + timedelta(hours=number + hours)


def utc(number: int, hours: int = 0, form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    return at(number, hours).strftime(form)


def local(zone: str, number: int, hours: int = 0, form: str = "%Y-%m-%dT%H:%M:%S") -> str:
    return at(number, hours).astimezone(ZoneInfo(zone)).strftime(form)


def ticketmaster(n: int) -> Record:
    """Every tenth has only a date, and its zone at the venue; every hundredth has no date."""
    zone = "America/New_York"
    day = local(zone, n, form="%Y-%m-%d")
    flags = {"dateTBD": False, "dateTBA": n % 100 == 7, "timeTBA": False}
    start: Record = {**flags, "noSpecificTime": n % 10 == 5}
    if n % 100 != 7:
        start["localDate"] = day
        if n % 10 != 5:
            clock = local(zone, n, form="%H:%M:%S")
            start |= {"localTime": clock, "dateTime": utc(n)}
    return {
        "id": f"G5djZ{n:05}-x",
        "name": f"Show {n}",
        "type": "event",
        "test": False,
        "url": f"https://www.ticketmaster.com/event/{n}",
        "images": [{"ratio": "16_9", "url": "https://s1.ticketm.net/x.jpg"}],
        "sales": {"public": {"startDateTime": "1900-01-01T06:00:00Z", "startTBD": False}},
        "dates": {"start": start, "status": {"code": "onsale"}}
        | ({"timezone": zone} if n % 3 and n % 10 != 5 else {}),
        "_links": {"self": {"href": f"/discovery/v2/events/G5djZ{n:05}-x?locale=en-us"}},
        "_embedded": {"venues": [{"name": "Arena", "timezone": zone, "city": {"name": " Leeds"}}]},
    }


def eventbrite(n: int) -> Record:
    """Every seventh is a draft with null fields."""

    def moment(hours: int) -> Record:
        zone = "America/New_York"
        return {"timezone": zone, "local": local(zone, n, hours), "utc": utc(n, hours)}

    record: Record = {
        "id": f"{477552742107 + n}",
        "name": {"text": f"Slam 'N {n}", "html": f"Slam &#39;N {n}"},
        "description": {"text": "Lift the hood.", "html": "Lift the hood."},
        "start": moment(0),
        "end": moment(1),
        "changed": "2026-09-22T02:07:12Z",
        "status": "live",
        "capacity": 100,
        "venue_id": "173614819",
        "url": f"https://www.eventbrite.com/e/x-tickets-{n}",
    }
    if n % 7 == 6:
        record |= {"status": "draft", "capacity": None, "venue_id": None, "logo": None}
        record["description"] = {"text": None, "html": None}
    return record


def seatgeek(n: int) -> Record:
    """Scores are integers or floats; every ninth has an unannounced time, and an end."""
    form, tbd = "%Y-%m-%dT%H:%M:%S", n % 9 == 8
    return {
        "id": 4612875 + n,
        "type": "concert",
        "title": f"Band {n}",
        "datetime_utc": utc(n, form=form),
        "datetime_local": local("America/Los_Angeles", n),
        "date_tbd": False,
        "time_tbd": tbd,
        "enddatetime_utc": utc(n, 3, form) if tbd else None,
        "score": 0 if n % 2 else 0.661,
        "popularity": 0.65,
        "status": "normal",
        "venue": {"id": 13, "name": "Park", "timezone": "America/Los_Angeles"}
        | {"score": 0.7, "popularity": 0},
        "performers": [{"id": 16, "name": f"Band {n}", "stats": {"event_count": 110}}],
        "stats": {"listing_count": 536} if n % 5 else {},
    }


def predicthq(n: int) -> Record:
    """Every sixth is deleted, half of these cancelled; the rank may be null."""
    deleted = n % 6 == 5
    reason = "cancelled" if n % 12 == 5 else "duplicate"
    return {
        "id": f"3B9mLBbp36VUL4{n:04}",
        "title": f"Concert {n}",
        "category": "concerts",
        "labels": ["concert"],
        "phq_attendance": None if n % 8 == 7 else 13833,
        "local_rank": None if n % 8 == 7 else 87,
        "start": utc(n),
        "end": utc(n, 2),
        "updated": utc(-n, -24 * 365),
        "timezone": "Australia/Sydney" if n % 4 else None,
        "country": "AU",
        "state": "deleted" if deleted else "active",
    } | ({"deleted_reason": reason} if deleted else {})


def luma(n: int) -> Record:
    """Every fifth is external, with fewer fields."""
    form = "%Y-%m-%dT%H:%M:%S.000Z"
    record: Record = {
        "platform": "luma",
        "id": f"evt-9Q8w7{n:05}",
        "calendar_id": "cal-kmfIhQsKoWIuNab",
        "name": f"Demo {n}",
        "start_at": utc(n, form=form),
        "end_at": utc(n, 2, form),
        "duration_interval": "PT2H",
        "timezone": "America/New_York",
        "geo_address_json": {"city": "New York"} if n % 2 else None,
        "coordinate": {"longitude": -73.98, "latitude": 40.75} if n % 2 else None,
        "url": f"https://luma.com/{n}",
        "tags": [],
        "registration_questions": [],
    }
    if n % 5 == 4:
        return record | {"platform": "external", "id": f"calev-{n}", "host": None}
    return record | {"visibility": "private", "location_type": "offline", "description_md": "x"}


def pretix(n: int) -> Record:
    """Names have one or more languages, ends may be null, times are in the server's zone."""
    names = ({"de": f"Ver {n}", "en": f"Ev {n}"}, {"de-informal": f"Du {n}"}, {"en": f"Ev {n}"})
    zone = "Europe/Berlin"
    start = at(n).astimezone(ZoneInfo(zone)).isoformat()
    return {
        "slug": f"ev-{n:03}",
        "name": names[n % 3],
        "live": True,
        "date_from": start,
        "date_to": None if n % 5 == 0 else utc(n, 8),
        "location": None if n % 2 else {"de": "Halle 1", "en": "Hall 1"},
        "has_subevents": n % 10 == 9,
        "meta_data": {"kind": "conf"} if n % 2 else {},
        "item_meta_properties": {},
        "seat_category_mapping": {},
        "timezone": zone,
        "public_url": f"https://pretix.eu/org/ev-{n:03}/",
    }


def indico(n: int) -> Record:
    """Times are in parts, every fourth with a fraction; every ninth is cancelled by its label."""

    def parts(hours: int, form: str = "%H:%M:%S") -> Record:
        return {"date": utc(n, hours, "%Y-%m-%d"), "time": utc(n, hours, form), "tz": "UTC"}

    off = {"title": "CANCELLED", "color": "red", "is_event_not_happening": True}
    return {
        "_type": "Conference",
        "id": str(n),
        "title": f"Seminar {n}",
        "startDate": parts(0, "%H:%M:%S.000000" if n % 4 == 3 else "%H:%M:%S"),
        "endDate": parts(2),
        "creationDate": {"date": "2026-11-24", "time": "20:35:33.585774", "tz": "UTC"},
        "timezone": "Europe/Zurich",
        "creator": {"fullName": "B, A", "email": "a@example.com"},
        "chairs": [],
        "allowed": {"users": [], "groups": []},
        "label": off if n % 9 == 8 else None,
        "url": f"https://h/event/{n}/",
    }


def tickettailor(n: int) -> Record:
    """Booleans are text, times have an offset; the newest has the highest number."""
    zone = "Asia/Kolkata"

    def moment(hours: int) -> Record:
        when = at(n, hours).astimezone(ZoneInfo(zone))
        unix, shown = int(when.timestamp()), when.strftime("%a %d %b %Y %H:%M")
        return {"iso": when.isoformat(), "unix": unix, "timezone": "+05:30", "formatted": shown}

    return {
        "object": "event",
        "id": f"ev_{8187234 + n}",
        "event_series_id": "es_2192671",
        "name": f"Race {n}",
        "created_at": 1777548489 + n,
        "start": moment(0),
        "end": moment(2),
        "timezone": zone,
        "status": "published",
        "private": "true" if n % 2 else "false",
        "online_event": "false",
        "images": {"header": "https://uploads.tickettailorassets.com/x.jpg"},
        "url": f"https://www.tickettailor.com/events/x/{n}",
    }


def eventzilla(n: int) -> Record:
    """17 hours apart, into daylight saving time; every eleventh has no end time."""
    zone, day, clock = "America/New_York", "%Y-%m-%dT00:00:00", "%H:%M"
    return {
        "id": 2138989212 + n,
        "title": f"Contest {n}",
        "start_date": local(zone, 17 * n, form=day),
        "start_time": local(zone, 17 * n, form=clock),
        "end_date": local(zone, 17 * n, 2, day),
        "end_time": None if n % 11 == 10 else local(zone, 17 * n, 2, clock),
        "time_zone": "Eastern Standard Time",
        "timezone_code": "EST",
        "utc_offset": "-05:00",
        "status": "Live",
        "currency": "$",
        "logo_url": "",
        "url": f"http://events.eventzilla.net/e/{n}",
    }


def cvent(n: int) -> Record:
    """Empty fields are absent; every seventh is a draft without venues."""
    form = "%Y-%m-%dT%H:%M:%S.000Z"
    record: Record = {
        "id": f"9463c74e-18c6-401a-a710-{n:012}",
        "title": f"Connect {n}",
        "start": utc(n, form=form),
        "end": utc(n, 4, form),
        "timezone": "America/New_York",
        "status": "Pending" if n % 7 == 6 else "Active",
        "eventStatus": "Upcoming",
        "testMode": False,
        "planners": [{"email": "hsmith@example.com"}],
        "stakeholders": [],
        "customFields": [],
        "created": "2026-01-02T02:00:00Z",
        "lastModified": utc(n - 10000),
        "_links": {"summary": {"href": f"https://web.cvent.com/event/{n}"}},
    }
    if n % 7 == 6:
        record |= {"launchAfter": "1900-01-01T00:00:00.000Z"}
    else:
        record["venues"] = [{"name": "Center", "address": {"city": "Austin"}}]
    return record


MAKERS: Mapping[str, Callable[[int], Record]] = {
    maker.__name__: maker
    for maker in (
        *(ticketmaster, eventbrite, seatgeek, predicthq, luma),
        *(pretix, indico, tickettailor, eventzilla, cvent),
    )
}
