"""What tells one platform's API from another, as data: its key, its pages, its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from event_assets_tests.vendors.records import Record


@dataclass(frozen=True)
class Refusal:
    """An answer that gives nothing; its body is JSON, or a page of HTML."""

    status: int
    body: Any


@dataclass(frozen=True)
class Key:
    """Where the key goes, what is sent with it, and what is answered without and to others."""

    name: str
    sent: str
    missing: Refusal
    wrong: Refusal
    location: Literal["header", "query"] = "header"


@dataclass(frozen=True)
class Tokens:
    """Where tokens are given, for how many seconds; each one ends the one before."""

    path: str
    client: tuple[str, str]
    refusal: Refusal
    seconds: int = 3600


@dataclass(frozen=True)
class Paging:
    """How a list comes in pages.

    Attributes:
        style: how the next page is named.
        param, size_param: the query parameters.
        size, most: rows of a page, if nobody asks, and at the most.
        first: the number of the first page.
        above: the answer to a larger size; None: it is cut down.
        past_end: the answer past the end; None: an empty page.
        bad_token: the answer to a cursor that is none; None: the list's beginning.
        depth, too_deep: how large page x size may be, and the answer beyond; None: total 0.
        shows: how many rows of a list can be read at all.
        last_token: does the last page have a cursor?
    """

    style: Literal["page", "offset", "cursor", "last id"]
    param: str
    size_param: str
    size: int
    most: int
    first: int = 0
    above: Refusal | None = None
    past_end: Refusal | None = None
    bad_token: Refusal | None = None
    depth: int | None = None
    too_deep: Refusal | None = None
    shows: int | None = None
    last_token: Literal["never", "always", "if it is full"] = "never"


@dataclass(frozen=True)
class Page:
    """What there is to say of one page; `next` names the next one, `link` is its address."""

    rows: list[Record]
    total: int
    size: int
    start: int
    number: int
    next: str | None
    more: bool
    link: str | None


@dataclass(frozen=True)
class Vendor:
    """One platform.

    Attributes:
        path: of its list of events.
        secrets: what its user sets, by the name's end.
        key: how it knows the user.
        paging: how the list comes in pages.
        answer: makes the JSON of a page.
        filters: query parameters, and whether a record passes.
        defaults: what the parameters are that nobody sends.
        formats: what parameters must look like, and the answer if they do not.
        order: parameter and value without which the list comes in another order every time.
        newest_first: is the last record the first of the list?
        hides: which records the token may not see; they are taken out of the page.
        tokens: where the key comes from, if it is fetched.
    """

    path: str
    secrets: Mapping[str, str]
    key: Key
    paging: Paging
    answer: Callable[[Page], Any]
    filters: Mapping[str, Callable[[Record, str], bool]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    formats: Mapping[str, tuple[str, Refusal]] = field(default_factory=dict)
    order: tuple[str, str] | None = None
    newest_first: bool = False
    hides: Callable[[Record], bool] = lambda _: False
    tokens: Tokens | None = None
