"""What a response says of the list, outside of its records."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from jsonpath_ng import JSONPath
from requests import Request, Response

from event_assets.pagination import totals

# Names of members without case and separators.
POINTERS = frozenset(
    (
        *("next", "nextlink", "odatanextlink", "nextpage", "nextpagetoken", "nexttoken"),
        *("nexturl", "nextpageurl", "nexthref", "nextresturl", "nextcursor", "nextoffset"),
        *("cursor", "endcursor", "continuation", "continuationtoken", "scrollid"),
    )
)
HAS_MORE = frozenset(
    ("hasmore", "more", "hasnext", "hasnextpage", "hasmoreitems", "moreitems", "moreitemsinlist")
)
SIZE_PARAMS = frozenset(
    (
        *("limit", "perpage", "pagesize", "size", "count", "rows", "maxresults", "top", "first"),
        *("take", "num", "pp", "pagelimit", "resultsperpage"),
    )
)
Member = tuple[str, Any]  # a path and its value


@dataclass(frozen=True, slots=True)
class PageFacts:
    """A page, and what its response says of the list."""

    ids: Sequence[Hashable]
    total: int | None = None  # of rows, as far as the response says
    is_total_certain: bool = False  # whether it cannot be a number of pages
    has_more: bool | None = None
    pointer: Any = None  # what the followed path or header holds; None: nothing
    is_pointer_found: bool = False  # whether the followed path exists, also with null
    unfollowed: str = ""  # what looks like a pointer to more, and is not followed
    is_truncated: bool = False  # whether the response says that it is only a part
    size_asked: int | None = None


@dataclass(frozen=True)
class PageReader:
    """Gathers the facts of a page from its response.

    Attributes:
        followed: the path of the pointer that is followed, if any.
        followed_header: the header, or the relation of a link, that is followed.
    """

    totals: totals.TotalFinder
    more_path: JSONPath | None = None
    followed: JSONPath | None = None
    followed_header: str | None = None

    def read(self, response: Response, ids: Sequence[Hashable], request: Request) -> PageFacts:
        """Return the facts of a page with these ids."""
        document = response.json()
        sent = set(_values_sent(request))
        members = list(_members_outside_records(document))
        found = [] if self.followed is None else [m.value for m in self.followed.find(document)]
        pointer = found[0] if found else None
        if header := self.followed_header:
            pointer = response.links.get(header, {}).get("url") or response.headers.get(header)
        more = totals.find_has_more(response, self.more_path)
        if more is None:
            said = [v for path, v in members if plain_name(path) in HAS_MORE and type(v) is bool]
            more = said[0] if said else None
        total = self.totals.find(response)
        page_count = totals.find_count(document, totals.PAGE_COUNT_PATHS)
        in_page = totals.find_count(document, totals.TOTALS_OF_PAGES)
        return PageFacts(
            ids=ids,
            total=total,
            is_total_certain=total != (in_page if page_count is None else page_count),
            has_more=more,
            pointer=None if pointer in ("", False) else pointer,
            is_pointer_found=bool(found or pointer),
            unfollowed=self._find_unfollowed(response, members, pointer, sent),
            is_truncated=totals.is_truncated(response),
            size_asked=next(_sizes_asked(request), None),
        )

    def _find_unfollowed(
        self, response: Response, members: list[Member], pointer: Any, sent: set[str]
    ) -> str:
        url = response.links.get("next", {}).get("url")
        if url and self.followed_header != "next" and not _leads_to(url, pointer):
            return "the header `Link: rel=next`"
        for path, value in members:
            is_pointer = isinstance(value, (str, int)) and not isinstance(value, bool) and value
            if not is_pointer or str(value) in sent or _leads_to(value, pointer):
                continue
            parent = path.rpartition(".")[0]
            if plain_name(path) in POINTERS or plain_name(parent) == "next":
                return f"`{path}`"
        return ""


def _leads_to(value: Any, pointer: Any) -> bool:
    """Return whether two pointers lead to the same page."""
    if pointer in (None, "", False):
        return False
    return value == pointer or str(pointer) in str(value) or str(value) in str(pointer)


def _members_outside_records(value: Any, path: str = "") -> Iterator[Member]:
    """Yield the members of a document that are in no list, with their paths."""
    if isinstance(value, Mapping):
        for name, member in cast("Mapping[str, Any]", value).items():
            yield from _members_outside_records(member, f"{path}.{name}" if path else str(name))
    elif not isinstance(value, list):
        yield path, value


def plain_name(path: str) -> str:
    """Return the last name of a path, without case and separators."""
    name = path.rpartition("@odata.")[2].rpartition(".")[2]
    return re.sub(r"[^a-z]", "", name.lower())


def _values_sent(request: Request) -> Iterator[str]:
    yield request.url
    for _, value in _parameters(request):
        yield str(value)


def _parameters(request: Request) -> Iterator[tuple[str, Any]]:
    yield from parse_qsl(urlsplit(request.url).query)
    for part in (request.params, request.json):
        if isinstance(part, Mapping):
            yield from ((path, value) for path, value in _members_outside_records(part))


def _sizes_asked(request: Request) -> Iterator[int]:
    for name, value in _parameters(request):
        if plain_name(name) in SIZE_PARAMS and (size := totals.parse_count(value)):
            yield size
