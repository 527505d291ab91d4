"""The traits of a platform's API: its key, its pages and its responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from event_assets_tests.vendors.records import Record


@dataclass(frozen=True)
class Refusal:
    """An error response, with JSON or HTML as its body."""

    status: int
    body: Any


@dataclass(frozen=True)
class Key:
    """The key's location and value, and the responses to a missing or wrong one."""

    name: str
    sent: str
    missing: Refusal
    wrong: Refusal
    location: Literal["header", "query"] = "header"


@dataclass(frozen=True)
class Tokens:
    """The token endpoint; each token invalidates the previous one after `seconds`."""

    path: str
    client: tuple[str, str]
    refusal: Refusal
    seconds: int = 3600


@dataclass(frozen=True)
class Paging:
    """The pagination of a list.

    Attributes:
        style: what names the next page.
        param, size_param: the query parameters.
        size, most: the default and the maximum number of rows per page.
        first: the number of the first page.
        above: the response to a larger size; None: the size is capped.
        past_end: the response past the end; None: an empty page.
        bad_token: the response to an invalid cursor; None: the first page.
        depth, too_deep: the maximum of page x size, and the response beyond; None: total 0.
        shows: the number of readable rows of a list.
        last_token: whether the last page has a cursor.
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
    """One page; `next` names the next page, `link` is its URL."""

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
        secrets: the user's secrets, by the suffix of their names.
        key: how it authenticates.
        paging: how it paginates.
        answer: builds the JSON of a page.
        filters: by query parameter, whether a record passes.
        defaults: of query parameters.
        formats: patterns of query parameters, and the response to a mismatch.
        order: the parameter and value that give the list a stable order.
        newest_first: whether the list is in reverse order.
        hides: the records that the token may not see; they are removed from the page.
        tokens: the token endpoint, if the key is a token.
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
