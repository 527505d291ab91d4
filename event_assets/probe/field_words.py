"""The words in the names of fields, by which what they hold is told."""

from __future__ import annotations

import re

from event_assets.values.json_paths import parse_path

START = frozenset(
    (
        *("start", "starts", "starting", "begin", "begins", "beginning", "commences", "from"),
        *("beginn", "anfang", "von", "debut", "inicio", "inizio", "dtstart", "opening"),
    )
)
END = frozenset(
    (
        *("end", "ends", "ending", "finish", "finishes", "until", "to", "through", "stop"),
        *("ende", "bis", "fin", "fine", "dtend", "closing", "thru"),
    )
)
WHEN = frozenset(("when", "date", "datetime", "dates", "day", "time", "datum", "fecha", "occurs"))
TIME_OF_DAY = frozenset(("time", "clock", "hour", "zeit", "uhrzeit"))
DAY = frozenset(("date", "day", "datum", "tag", "fecha"))
ZONE = frozenset(("timezone", "zone", "tz", "tzid", "offset"))
UPDATED = frozenset(("updated", "modified", "changed", "update", "modification", "lastmodified"))
REMOVED = frozenset(("deleted", "removed", "trashed"))
CANCELLED = frozenset(("cancelled", "canceled"))
STATE = frozenset(("status", "state"))
NAME = ("name", "title", "summary", "subject", "topic", "headline", "label", "titel", "titre")
NAME_PARENTS = frozenset(
    (
        *("event", "node", "attributes", "fields", "properties", "data", "item", "details"),
        *("info", "content", "general", "basic", "texts", "entry", "resource", "en"),
    )
)
# Times in an event's record that are not when it takes place.
OTHER_TIMES = frozenset(
    (
        *("sale", "sales", "onsale", "presale", "registration", "register", "booking", "ticket"),
        *("tickets", "created", "create", "creation", "published", "publish", "publication"),
        *("door", "doors", "deadline", "expires", "expiry", "original", "recurrence", "synced"),
        *("indexed", "fetched", "announce", "announced", "visible", "cutoff", "cancelled"),
        *(*REMOVED, "added", "posted", "submitted", "setup", "checkin", "rsvp", "last", "refund"),
        *UPDATED,
    )
)
# Objects in an event's record that have names, ids and times of their own.
OTHER_OBJECTS = frozenset(
    (
        *("venue", "location", "place", "organizer", "organiser", "organization", "host", "user"),
        *("owner", "creator", "author", "category", "categories", "series", "performer", "artist"),
        *("performers", "attractions", "ticket", "tickets", "image", "images", "address", "city"),
        *(
            "calendar",
            "group",
            "tags",
            "tag",
            "speaker",
            "speakers",
            "sponsor",
            "contact",
            "promoter",
        ),
        *("classification", "classifications", "country", "state", "template", "parent", "venues"),
        *("relationships", "links", "meta"),
    )
)
WORDS = sorted(
    {
        *(START - {"from", "von"}),
        *(END - {"to", "bis", "fin", "fine"}),
        *("event", "date", "time", "utc", "gmt", "local", "iso", "unix", "epoch", "at", "on"),
        *("name", "title", "id", "uid", "zone", "last", "updated", "modified", "stamp", "day"),
        *("formatted", "timestamp", "datetime", "timezone", "lastmodified", "identifier"),
        *("cancelled", "canceled", "is", "deleted", "code"),
    },
    key=len,
    reverse=True,
)
COMPOUND = re.compile(rf"(?:{'|'.join(WORDS)})+")
WORD = re.compile("|".join(WORDS))
PARTS = {"datetime": ["date", "time"]}
TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def split_name(name: str) -> list[str]:
    """Return the words of a name, in small letters: `startDateTime` and `startdatetime` alike."""
    words: list[str] = []
    for token in TOKEN.findall(name):
        word = token.lower()
        words += WORD.findall(word) if COMPOUND.fullmatch(word) else [word]
    return [part for word in words for part in PARTS.get(word, [word])]


def split_path(path: str) -> list[list[str]]:
    """Return the words of each name in a path."""
    return [split_name(name) for name in parse_path(path)]
