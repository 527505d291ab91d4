"""Lists that change while a paginator reads them, without HTTP: all ways to page one model."""

from __future__ import annotations

import json
import random
from base64 import b64decode, b64encode
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

Query = dict[str, str]
Reply = tuple[int, Any, dict[str, str]]
URL = "https://api.example.com/events"

# Members of a response, by the list, the number of the page's first row, and the rows shown.
Says = Callable[["ChangingList", int, int], dict[str, Any]]

# What a response says of the length of a list.
TOTALS: dict[str, Says] = {
    "none": lambda _listed, _first, _shown: {},
    "true": lambda listed, _first, _shown: {"total_count": len(listed.rows)},
    "as text": lambda listed, _first, _shown: {"total": str(len(listed.rows))},
    "shown": lambda listed, _first, _shown: {"total": len(set(listed.rows) - listed.hidden)},
    "shown, with a count": lambda listed, first, shown: {
        **TOTALS["shown"](listed, first, shown),
        "count": shown,
    },
    "on the first page": lambda listed, first, _shown: {} if first else {"total": len(listed.rows)},
    "of the first response": lambda listed, _first, _shown: {"total": listed.first_length},
    "too high": lambda listed, _first, _shown: {"total": len(listed.rows) + 3},
    "capped": lambda listed, _first, _shown: {"total": min(len(listed.rows), 20)},
    "always zero": lambda _listed, _first, _shown: {"total": 0},
    "length of the page": lambda _listed, _first, shown: {"count": shown},
    "pages": lambda listed, _first, _shown: {"total_pages": listed.pages},
    "pages as a total": lambda listed, _first, _shown: {"page": {"total": listed.pages}},
    "of a range": lambda listed, first, shown: {
        "Content-Range": f"events {first}-{first + shown - 1}/{len(listed.rows)}"
    },
    "of other things": lambda listed, _first, _shown: {"total": len(listed.rows) // 3 + 1},
}

# What it says of further pages.
FLAGS: dict[str, Says] = {
    "none": lambda _listed, _first, _shown: {},
    "has_more": lambda listed, first, _shown: {"has_more": first + listed.size < len(listed.rows)},
    "last": lambda listed, first, _shown: {"last": first + listed.size >= len(listed.rows)},
    "full page": lambda listed, _first, shown: {"has_more": shown >= listed.size},
    "any row": lambda _listed, _first, shown: {"has_more": shown > 0},
}


@dataclass
class ChangingList:
    """Rows in an order, of which a server shows pages.

    Attributes:
        size: rows in a page.
        asked: rows in a page that requests ask for, if they do.
        total: the name of what responses say of the length.
        flag: the name of what they say of further pages.
        behind: what the server does behind the end: `empty`, `refused`, `wraps`, `clamps`.
        hidden: rows that are taken out of a page afterwards.
        last: the members of a last response; None: pointers stand until a page is empty.
        sizes: rows in a page by the number of the request, if they change with the load.
        ties: rows in a row that are sorted alike, so that each request has another order.
        lag: requests by which every other response is behind, as of a replica.
        staying: rows that were there all the time, at their place in the order.
    """

    rows: list[int]
    size: int = 4
    asked: int | None = None
    total: str = "none"
    flag: str = "none"
    behind: str = "empty"
    hidden: frozenset[int] = frozenset()
    last: Mapping[str, Any] | None = field(default_factory=lambda: {"next": None})
    sizes: Sequence[int] = ()
    ties: int = 1
    lag: int = 0
    staying: set[int] = field(default_factory=set[int])
    moved: set[int] = field(default_factory=set[int])
    added: int = 10_000
    first_length: int = field(init=False)

    def __post_init__(self) -> None:
        self.staying = set(self.rows) - self.hidden
        self.keys = {row: float(at) for at, row in enumerate(self.rows)}
        self.first_length = len(self.rows)
        self._history: list[tuple[list[int], dict[int, float]]] = []

    def at_request(self, number: int) -> ChangingList:
        """Return the list as the server shows it at a request."""
        self._history.append((list(self.rows), dict(self.keys)))
        shown = copy(self)
        if self.lag and number % 2:
            shown.rows, shown.keys = self._history[max(0, number - self.lag)]
        if self.sizes:
            shown.size = self.sizes[number % len(self.sizes)]
        if self.ties > 1:
            any_of, rows = random.Random(number), list(shown.rows)
            for at in range(0, len(rows), self.ties):
                tied = rows[at : at + self.ties]
                rows[at : at + self.ties] = any_of.sample(tied, len(tied))
            shown.rows = rows
        return shown

    @property
    def pages(self) -> int:
        return -(-len(self.rows) // self.size)

    def edit(self, kind: str, at: int, size: int) -> None:
        place = at * len(self.rows) // 30
        if kind == "insert":
            self._insert(place, range(self.added, self.added + size))
            self.added += size
        elif kind == "delete":
            self.staying.difference_update(self.rows[place : place + size])
            del self.rows[place : place + size]
        elif kind == "hide":
            self.staying.difference_update(self.rows[place : place + size])
            self.hidden |= {*self.rows[place : place + size]}
        elif self.rows:
            row = self.rows.pop(min(place, len(self.rows) - 1))
            self.moved.add(row)
            self._insert(size * len(self.rows) // 30, [row])

    def _insert(self, place: int, new: Sequence[int]) -> None:
        before = self.keys[self.rows[place - 1]] if place else -1e6
        behind = self.keys[self.rows[place]] if place < len(self.rows) else before + 100
        step = (behind - before) / (len(new) + 1)
        self.keys.update({row: before + step * at for at, row in enumerate(new, 1)})
        self.rows[place:place] = new

    def reply(self, first: int, pointer: Callable[[int], Mapping[str, Any]] | None = None) -> Reply:
        """Show the page at row `first`, with the pointer to the row behind it."""
        if first and first >= len(self.rows):
            if self.behind == "refused":
                return 404, {}, {}
            if self.behind == "wraps":
                first %= self.size * max(1, self.pages)
            if self.behind == "clamps":
                first = max(0, self.pages - 1) * self.size
        page, behind = self.rows[first : first + self.size], first + self.size
        shown = [{"id": row} for row in page if row not in self.hidden]
        said = {
            **TOTALS[self.total](self, first, len(shown)),
            **FLAGS[self.flag](self, first, len(shown)),
        }
        body = {"data": shown, **said}
        extent = body.pop("Content-Range", None)
        headers = {"Content-Range": extent} if extent else {}
        status = 206 if extent and behind < len(self.rows) else 200
        if pointer is None:
            return status, body, headers
        goes_on = bool(page) if self.last is None else behind < len(self.rows)
        members = pointer(behind) if goes_on else (self.last or {})
        header = members.get("Link")
        return status, {**body, **members}, {**headers, "Link": header} if header else headers


@dataclass(frozen=True)
class Codec:
    """What a pointer says of the row behind a page, and how the server reads it again."""

    write: Callable[[ChangingList, int], Any]
    read: Callable[[ChangingList, str], int]


def in_base64(codec: Codec) -> Codec:
    return Codec(
        lambda listed, behind: b64encode(str(codec.write(listed, behind)).encode()).decode(),
        lambda listed, text: codec.read(listed, b64decode(text).decode()),
    )


def in_json(codec: Codec) -> Codec:
    """Write a JSON document with other members, as in a token."""
    return Codec(
        lambda listed, behind: json.dumps({"v": 1, "at": codec.write(listed, behind), "asc": True}),
        lambda listed, text: codec.read(listed, str(json.loads(text)["at"])),
    )


SPELLED = str.maketrans("0123456789.-e", "qrstuvwxyzPME")
READ = {letter: sign for sign, letter in SPELLED.items()}


def in_letters(codec: Codec) -> Codec:
    return Codec(
        lambda listed, behind: str(codec.write(listed, behind)).translate(SPELLED),
        lambda listed, text: codec.read(listed, text.translate(READ)),
    )


ROW = Codec(lambda _listed, behind: behind, lambda _listed, text: int(text))
LAST_ROW = Codec(lambda _listed, behind: f"row:{behind - 1}", lambda _, text: int(text[4:]) + 1)
PAGE = Codec(
    lambda listed, behind: behind // listed.size + 1,
    lambda listed, text: (int(text) - 1) * listed.size,
)
LAST_KEY = Codec(
    lambda listed, behind: listed.keys[listed.rows[min(behind, len(listed.rows)) - 1]],
    lambda listed, text: bisect_right([listed.keys[row] for row in listed.rows], float(text)),
)
Server = Callable[[ChangingList, Query], Reply]


def by_number(name: str, rows: int | None = 1, base: int = 0) -> Server:
    """Serve an offset, or a page number (`rows` is None)."""
    return lambda listed, query: listed.reply((int(query[name]) - base) * (rows or listed.size))


def by_whole_pages(listed: ChangingList, query: Query) -> Reply:
    """Serve an offset as that of the page which has the row."""
    return listed.reply(int(query["offset"]) // listed.size * listed.size)


def by_cursor(codec: Codec) -> Server:
    """Serve the cursor that is sent in a parameter or in the body."""

    def serve(listed: ChangingList, query: Query) -> Reply:
        first = codec.read(listed, query["cursor"]) if "cursor" in query else 0
        return listed.reply(first, lambda behind: {"next": codec.write(listed, behind)})

    return serve


def by_link(codec: Codec, name: str, member: str = "next", form: str = "{}") -> Server:
    """Serve a link, which has all parameters of the request."""

    def serve(listed: ChangingList, query: Query) -> Reply:
        def link(behind: int) -> dict[str, str]:
            url = f"{URL}?{urlencode({**query, name: codec.write(listed, behind)})}"
            return {member: form.format(url)}

        return listed.reply(codec.read(listed, query[name]) if name in query else 0, link)

    return serve


def by_header(codec: Codec, name: str) -> Server:
    return by_link(codec, name, "Link", '<{}>; rel="next"')


CURSOR = {"type": "cursor", "cursor_path": "next"}
CURSOR_IN_BODY = {**CURSOR, "cursor_body_path": "cursor"}
OFFSET = {"type": "offset", "limit": 4}
OFFSET_IN_BODY = {**OFFSET, "offset_body_path": "offset", "limit_body_path": "limit"}
NUMBERED = {"type": "page_number", "base_page": 1}
LINK = {"type": "json_link", "next_url_path": "next"}

PAGINATORS: dict[str, tuple[Any, Server]] = {
    "offset": (OFFSET, by_number("offset")),
    "offset in the body": (OFFSET_IN_BODY, by_number("offset")),
    "offset of whole pages": (OFFSET, by_whole_pages),
    "page": ({"type": "page_number", "base_page": 0}, by_number("page", None)),
    "page in the body": ({**NUMBERED, "page_body_path": "page"}, by_number("page", None, 1)),
    "row link": (LINK, by_link(ROW, "$skip")),
    "row link in base64": (LINK, by_link(in_base64(LAST_ROW), "after")),
    "row header": ("header_link", by_header(ROW, "start")),
    "page link": (LINK, by_link(PAGE, "page")),
    "page header": ("header_link", by_header(PAGE, "page")),
    "row cursor": (CURSOR, by_cursor(ROW)),
    "row cursor in base64": (CURSOR, by_cursor(in_base64(LAST_ROW))),
    "row cursor in the body": (CURSOR_IN_BODY, by_cursor(ROW)),
    "page cursor": (CURSOR, by_cursor(PAGE)),
    "page cursor in base64": (CURSOR, by_cursor(in_base64(PAGE))),
    "page cursor in JSON": (CURSOR, by_cursor(in_json(PAGE))),
    "page cursor in encoded JSON": (CURSOR, by_cursor(in_base64(in_json(PAGE)))),
    "row cursor in encoded JSON": (CURSOR, by_cursor(in_base64(in_json(ROW)))),
    "row cursor in JSON": (CURSOR, by_cursor(in_json(ROW))),
    "page link in base64": (LINK, by_link(in_base64(PAGE), "token")),
    "key header": ("header_link", by_header(in_letters(LAST_KEY), "after")),
    "page cursor in the body": (CURSOR_IN_BODY, by_cursor(PAGE)),
    "key cursor": (CURSOR, by_cursor(in_letters(LAST_KEY))),
    "key cursor in base64": (CURSOR, by_cursor(in_base64(in_letters(LAST_KEY)))),
    "key link": (LINK, by_link(in_letters(LAST_KEY), "after")),
    "key cursor in the body": (CURSOR_IN_BODY, by_cursor(in_letters(LAST_KEY))),
}
