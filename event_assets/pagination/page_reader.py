"""Read from a response what it says of the list, outside of its records."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jsonpath_ng import JSONPath
from requests import Request, Response

from event_assets.pagination import totals
from event_assets.pagination.facts import PageFacts
from event_assets.values.errors import PaginationError


@lru_cache(1_000)
def plain_name(path: str) -> str:
    """Return the last name of a path, without case and separators."""
    name = path.rpartition("@odata.")[2].rpartition(".")[2]
    return re.sub(r"[^a-z]", "", name.lower())


# Names of members without case and separators.
POINTERS = frozenset(
    (
        *("next", "nextpage", "nextoffset", "nextstart", "nextpagestart"),
        *("cursor", "endcursor", "continuation", "continuationtoken", "scrollid", "bookmark"),
    )
)
NO_POINTERS = ("nextsync", "nextupdate", "nextrefresh", "nextrun", "nextevent")
TOTALS = frozenset(plain_name(name) for name in totals.TOTAL_NAMES if name != "total.value")
HAS_MORE = {  # the value that says so
    **dict.fromkeys(("hasmore", "more", "hasnext", "hasnextpage", "hasmoreitems"), True),
    **dict.fromkeys(("moreitems", "moreitemsinlist", "istruncated"), True),
    **dict.fromkeys(("last", "islast", "lastpage", "islastpage", "done"), False),
}
SIZE_PARAMS = frozenset(
    (
        *("limit", "perpage", "pagesize", "size", "count", "rows", "maxresults", "top", "first"),
        *("take", "num", "pp", "pagelimit", "resultsperpage"),
    )
)
# Totals of a description of the page, which may count pages.
TOTALS_OF_PAGES = {
    f"{parent}{part}.total": 0
    for parent in ("", "meta.")
    for part in ("pagination", "paging", "page")
}


@dataclass
class PageReader:
    """Gathers the facts of a page from its response.

    Attributes:
        total, page_count: of the list.
        more_path: of whether more pages follow; None: the usual names are searched.
        followed: the path of the pointer that is followed, if any.
        header: the header, or the relation of a link, that is followed.
    """

    total: totals.TotalFinder
    page_count: totals.TotalFinder
    more_path: JSONPath | None = None
    followed: JSONPath | None = None
    header: str | None = None
    _is_more_found: bool = False

    def read(
        self, response: Response, ids: Sequence[Hashable], request: Request, pointer: Any
    ) -> PageFacts:
        """Return the facts of a page with these ids, whose response leads to `pointer`.

        Raises:
            PaginationError: it has no number of pages at the configured path, or nothing at
                `more_path`, where nothing was found before either.
        """
        document, members = response.json(), totals.read_members(response)
        total = self.total.find(document, members)
        page_count = self.page_count.find(document, members)
        if self.page_count.path and page_count is None and ids:
            raise _path_error(document, "total_path", self.page_count.path, "is not a number")
        return PageFacts(
            ids=ids,
            total=total,
            is_total_certain=total
            not in (page_count, *totals.find_counts(members, TOTALS_OF_PAGES).values()),
            page_count=page_count,
            has_more=self._find_has_more(document, members),
            pointer=pointer,
            is_pointer_found=bool(pointer or (self.followed and self.followed.find(document))),
            unfollowed="" if pointer else self._find_unfollowed(response, members, request),
            promised=_find_promise(members, page_count or 1, len(ids)),
            is_truncated=members.get("overflow") is True,
            size_asked=next(_sizes_asked(request), None),
        )

    def _find_has_more(self, document: Any, members: totals.Members) -> bool | None:
        if self.more_path is None:
            for path, value in members.items():
                if type(value) is bool and (name := plain_name(path)) in HAS_MORE:
                    return value is HAS_MORE[name]
            return None
        more = totals.find_boolean(document, self.more_path)
        if more is None and not self._is_more_found:
            problem = "is neither true nor false"
            raise _path_error(document, "has_more_path", self.more_path, problem)
        self._is_more_found = True
        return more

    def _find_unfollowed(
        self, response: Response, members: totals.Members, request: Request
    ) -> str:
        if response.links.get("next", {}).get("url") and self.header != "next":
            return "the header `Link: rel=next`"
        if response.headers.get("X-Next-Page") and self.header != "X-Next-Page":
            return "the header `X-Next-Page`"
        sent = {request.url, *(str(value) for _, value in _parameters(request))}
        for path, value in members.items():
            name, parent = plain_name(path), plain_name(path.rpartition(".")[0])
            is_pointer = isinstance(value, (str, int)) and not isinstance(value, bool) and value
            if not is_pointer or value == -1 or str(value) in sent:
                continue
            is_token = isinstance(value, str) and not value.isdecimal()
            is_named = name == "offset" or (
                name.startswith("next") and not name.startswith(NO_POINTERS)
            )
            # beside a link that ends by itself, cursors of the page stand in the last one too
            is_only_cursor = (parent, name) == ("cursors", "after") and not self.followed
            if name in POINTERS or parent == "next" or is_only_cursor or (is_token and is_named):
                return f"`{path}`"
        return ""


def _find_promise(members: totals.Members, page_count: int, rows: int) -> str:
    for path, value in members.items():
        if plain_name(path) in TOTALS and (count := totals.parse_count(value) or 0) > rows:
            return f"`{path}` of {count:,}"
    return f"a number of {page_count:,} pages" if page_count > 1 else ""


def _path_error(document: Any, setting: str, path: JSONPath, problem: str) -> PaginationError:
    is_found = totals.find_value(document, path) is not None
    problem = f"{problem} in" if is_found else "was not found in"
    return PaginationError(
        f"The paginator's {setting} `{path}` {problem} the API's response: correct it in defs.yaml."
    )


def _parameters(request: Request) -> Iterator[tuple[str, Any]]:
    yield from parse_qsl(urlsplit(request.url).query)
    for part in (request.params, request.json):
        if isinstance(part, Mapping):
            yield from totals.members_outside_records(part)


def _sizes_asked(request: Request) -> Iterator[int]:
    for name, value in _parameters(request):
        if plain_name(name) in SIZE_PARAMS and (size := totals.parse_count(value)):
            yield size
