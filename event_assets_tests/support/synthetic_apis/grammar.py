"""The grammar: what an API may be like, and the API that a seed stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Literal

from event_assets_tests.support.synthetic_apis.records import (
    IDS,
    NAMES,
    TIMES,
    Event,
    Record,
    make_events,
)

SECRET = "k3y-of-the-synthetic-api"
USER, PASSWORD = "events-reader", "passw0rd-of-the-reader"
TOKENS_PATH = "/oauth/token"
# Seeds of which each trait of the grammar occurs in at least one.
KEPT_SEEDS: Sequence[int] = (
    *(0, 1, 2, 3, 5, 10, 11, 12, 13, 18, 25, 29, 39, 40, 54),
    *(55, 60, 62, 69, 84, 87, 98, 107, 156, 211, 294, 302, 496, 656, 657),
)

AuthKind = Literal["none", "query", "header", "bearer", "basic", "oauth2"]
Style = Literal[
    "none",
    "link",
    "relative link",
    "header link",
    "cursor",
    "page",
    "offset",
    "offset in pages",
    "last id",
]
Total = Literal["right", "missing", "capped"]


@dataclass(frozen=True)
class Auth:
    """How requests are authenticated; `name` is the parameter's or the header's."""

    kind: AuthKind
    name: str = "Authorization"


@dataclass(frozen=True)
class Denial:
    """The answer to a missing or wrong key; without a status, every second event is shown."""

    status: int | None
    message: str = ""
    challenge: bool = False


@dataclass(frozen=True)
class Records:
    """Where the records are in the body (empty: they are the body), and their shape."""

    path: str
    shape: str = "list"


@dataclass(frozen=True)
class Paging:
    """How pages are requested.

    Attributes:
        style: what names the next page.
        param, size_param: the query parameters of the next page and of its size.
        path: where the next page's name or link is in the body.
        first: the number of the first page.
    """

    style: Style
    param: str = ""
    size_param: str = "limit"
    path: str = ""
    first: int = 0


@dataclass(frozen=True)
class Quirk:
    """An oddity, and the styles of paging with which it occurs; all if it names none."""

    name: str
    styles: Sequence[Style] = ()


AUTHS = [
    Auth("none"),
    *(Auth("query", name) for name in ("api_key", "apikey", "key", "token", "client_id")),
    *(Auth("header", name) for name in ("X-Api-Key", "Api-Key", "X-Auth-Token", "Authorization")),
    *(Auth("bearer"), Auth("basic"), Auth("oauth2")),
]
DENIALS = [
    Denial(401, "Unauthorized", challenge=True),
    Denial(401, "Missing or invalid credentials: send {place}."),
    Denial(403, "Forbidden"),
    Denial(None),
]
RECORDS = [
    Records(""),
    *(Records(path) for path in ("data", "items", "results", "events", "_embedded.events")),
    Records("data.events.edges", "nodes"),
    Records("data", "attributes"),
    Records("events", "by id"),
    Records("days", "groups"),
    Records("events", "wrapped"),
]
PAGING = [
    Paging("none"),
    Paging("link", "page", "per_page", "next"),
    Paging("link", "cursor", "limit", "links.next"),
    Paging("link", "after", "limit", "paging.next.link"),
    Paging("relative link", "offset", "limit", "_links.next.href"),
    Paging("relative link", "page", "page_size", "meta.next_page_url"),
    Paging("header link", "page", "per_page"),
    Paging("header link", "cursor", "limit"),
    Paging("cursor", "cursor", "limit", "next_cursor"),
    Paging("cursor", "pageToken", "maxResults", "nextPageToken"),
    Paging("cursor", "after", "first", "pageInfo.endCursor"),
    Paging("cursor", "continuation", "page_size", "pagination.continuation"),
    Paging("cursor", "after", "limit", "paging.cursors.after"),
    Paging("page", "page", "per_page", first=1),
    Paging("page", "page", "size", first=0),
    Paging("page", "pageNumber", "pageSize", first=1),
    Paging("page", "page[number]", "page[size]", first=1),
    Paging("page", "p", "limit", first=1),
    Paging("offset", "offset", "limit"),
    Paging("offset", "skip", "take"),
    Paging("offset", "start", "size"),
    Paging("offset", "from", "rows"),
    Paging("offset", "page[offset]", "page[limit]"),
    Paging("offset", "$skip", "$top"),
    Paging("offset in pages", "offset", "limit"),
    Paging("last id", "starting_after", "limit"),
    Paging("last id", "after_id", "limit"),
]
TOTALS: Sequence[Total] = ("right", "missing", "capped")
TOTAL_PATHS = ["total", "meta.total", "pagination.total_count", "totalCount", "count"]
PATHS = ["/v1/events", "/api/v2/events", "/events.json", "/rest/calendar/7/entries", "/events/"]
PASTED = ["", "?{size}=5", "?{page}={first}&{size}=20", "?lang=en"]  # what the URL brings along
TOTAL_CAP = 100
NUMBERED: Sequence[Style] = ("page", "offset", "offset in pages")
SIZED: Sequence[Style] = (*NUMBERED, "link", "relative link", "header link", "cursor", "last id")
QUIRKS = [
    Quirk("none"),
    Quirk("a larger page is refused", SIZED),
    Quirk("the last page comes again", NUMBERED),
    Quirk("after the end it begins again", NUMBERED),
    Quirk("404 after the end", NUMBERED),
    Quirk("the last token comes again", ["cursor"]),
    Quirk("the last token brings an empty page", ["cursor"]),
    Quirk("a cursor for those who send one", ["cursor"]),
    Quirk("unknown parameters are refused"),
    Quirk("shuffled unless sorted", NUMBERED),
    Quirk("shuffled", NUMBERED),
    Quirk("rate limit in headers", SIZED),
    Quirk("empty strings for null"),
    Quirk("gzip"),
    Quirk("Latin-1"),
]


@dataclass(frozen=True)
class SyntheticApi:
    """An event API: its traits, its events, and what a person knows of it."""

    seed: int
    auth: Auth
    denial: Denial
    records: Records
    paging: Paging
    total: Total
    total_path: str
    path: str
    pasted: str
    quirk: str
    times: str
    names: str
    key: str
    most: int  # rows in a page
    default: int  # rows in a page, if none are asked for
    count: int  # of events

    def __str__(self) -> str:
        records = f"{self.records.path or 'top'} ({self.records.shape})"
        auth = f"{self.auth.kind} {self.auth.name}" if self.auth.name else self.auth.kind
        paging = " ".join((self.paging.style, self.paging.param, self.paging.path)).strip()
        parts = (auth, records, paging, f"total {self.total}", self.times, self.names, self.quirk)
        return f"{self.seed}: {' | '.join(parts)}"

    @cached_property
    def events(self) -> Sequence[tuple[Record, Event]]:
        """Return the records in the order of the list, each with what is true of it."""
        empty = "" if self.quirk == "empty strings for null" else None
        rng = Random(self.seed)
        return make_events(rng, self.count, self.times, self.names, self.key, empty)

    @property
    def truth(self) -> dict[str, Event]:
        """Return every event by its id."""
        return {event.id: event for _, event in self.events}

    @property
    def secrets(self) -> Mapping[str, str]:
        """Return what a person has to authenticate with, by dlt's names."""
        return {
            "none": {},
            "basic": {"username": USER, "password": PASSWORD},
            "oauth2": {"client_id": USER, "client_secret": PASSWORD},
        }.get(self.auth.kind, {"api_key": SECRET})

    @property
    def pasted_url(self) -> str:
        """Return the path and query of the URL that a person has."""
        paging = self.paging
        page = paging.param if paging.style in NUMBERED else "lang"
        names = {"page": page, "size": paging.size_param, "first": paging.first}
        return self.path + self.pasted.format(**names)


# What cannot be together.
RULES: Sequence[Callable[[SyntheticApi], bool]] = [
    lambda api: bool(api.records.path) or not api.paging.path,  # a list has no place for a link
    lambda api: api.total != "capped" or (bool(api.records.path) and api.count > TOTAL_CAP),
    lambda api: api.records.shape != "attributes" or api.key == "id",
    lambda api: api.auth.kind != "oauth2" or api.denial.challenge,
    lambda api: api.auth.kind != "none" or api.denial.challenge,
    lambda api: api.denial.status is not None or api.total != "capped",
    lambda api: _fits(api.quirk, api.paging.style),
    lambda api: api.pasted == "" or api.paging.style != "none",
    lambda api: "lang" not in api.pasted or api.quirk != "unknown parameters are refused",
    lambda api: "page" not in api.pasted or api.paging.style in NUMBERED,
]


def make(seed: int) -> SyntheticApi:
    """Return the API that a seed stands for, always the same."""
    rng = Random(seed)
    while True:
        api = _draw(seed, rng)
        if all(rule(api) for rule in RULES):
            return api


def _draw(seed: int, rng: Random) -> SyntheticApi:
    most = rng.choice((30, 50, 100))
    kinds = sorted({paging.style for paging in PAGING})
    style = rng.choice(kinds)
    return SyntheticApi(
        seed,
        auth=rng.choice(AUTHS),
        denial=rng.choice(DENIALS),
        records=rng.choice(RECORDS),
        paging=rng.choice([paging for paging in PAGING if paging.style == style]),
        total=rng.choice(TOTALS),
        total_path=rng.choice(TOTAL_PATHS),
        path=rng.choice(PATHS),
        pasted=rng.choice(PASTED),
        quirk=rng.choice(QUIRKS).name,
        times=rng.choice(list(TIMES)),
        names=rng.choice(list(NAMES)),
        key=rng.choice(list(IDS)),
        most=most,
        default=rng.choice((10, 20, 25)),
        count=rng.randint(3 * most + 1, 5 * most) if style != "none" else rng.randint(20, 80),
    )


def _fits(quirk: str, style: Style) -> bool:
    styles = next(each.styles for each in QUIRKS if each.name == quirk)
    return not styles or style in styles
