"""Read from a response what it says of the list, outside of its records."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jsonpath_ng import JSONPath
from requests import Request, Response

from event_assets.pagination import totals, vocabulary
from event_assets.pagination.facts import PageFacts
from event_assets.values.errors import PaginationError

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
    _places: set[str] = field(default_factory=set[str])  # of records and pointers, in documents

    def read(
        self,
        response: Response,
        rows: Sequence[Any],
        ids: Sequence[Hashable],
        request: Request,
        pointer: Any,
    ) -> PageFacts:
        """Return the facts of a page with these rows and ids, whose response leads to `pointer`.

        Raises:
            PaginationError: it has no number of pages at the configured path, or nothing at
                `more_path`, where nothing was found before either.
        """
        document, members = response.json(), totals.read_members(response)
        pointer_path = str(self.followed or "").removeprefix("$.")
        self._places |= {pointer_path, *(_paths_of(document, rows[0]) if rows else ())}
        around = {path: value for path, value in members.items() if self._is_around(_base(path))}
        total = self.total.find(document, members)
        page_count = self.page_count.find(document, members)
        if self.page_count.path and page_count is None and ids:
            raise _path_error(document, "total_path", self.page_count.path, "is not a number")
        has_more, is_flag_guessed = self._find_has_more(document, around)
        return PageFacts(
            ids=ids,
            total=total,
            is_total_certain=total
            not in (page_count, *totals.find_counts(members, TOTALS_OF_PAGES).values()),
            page_count=page_count,
            has_more=has_more,
            is_flag_guessed=is_flag_guessed,
            pointer=pointer,
            is_pointer_found=bool(pointer or (self.followed and self.followed.find(document))),
            unfollowed="" if pointer else self._find_unfollowed(response, around, request),
            promised=_find_promise(response, around, len(ids)),
            is_truncated=members.get("overflow") is True,
            size_asked=next(_sizes_asked(request), None),
        )

    def _find_has_more(self, document: Any, around: totals.Members) -> tuple[bool | None, bool]:
        """Return whether more pages follow, and whether that was told from a flag's name alone."""
        if self.more_path is None:
            flags = ((path, vocabulary.says_more(path, value)) for path, value in around.items())
            found = [
                (len(_base(path)), says_more, _parent(path))
                for path, says_more in flags
                if says_more is not None
            ]
            _, more, parent = max(found, default=(0, None, ""))
            return more, not parent or parent != _parent(str(self.followed).removeprefix("$."))
        more = totals.find_boolean(document, self.more_path)
        if more is None and not self._is_more_found:
            problem = "is neither true nor false"
            raise _path_error(document, "has_more_path", self.more_path, problem)
        self._is_more_found = True
        return more, False

    def _is_around(self, base: str) -> bool:
        """Return whether the object at a path holds the records, or the followed pointer."""
        return not base or any(f"{place}.".startswith(f"{base}.") for place in self._places)

    def _find_unfollowed(
        self, response: Response, members: totals.Members, request: Request
    ) -> str:
        if self.header != "next" and any("next" in rel.lower().split() for rel in response.links):
            return "the header `Link: rel=next`"
        for name, value in response.headers.items():
            is_pointer = vocabulary.HEADER_POINTER.fullmatch(name) and value
            is_other = name.lower() not in (
                *vocabulary.NO_POINTER_HEADERS,
                str(self.header).lower(),
            )
            if is_pointer and is_other:
                return f"the header `{name}`"
        sent = {request.url, *(str(value) for _, value in _parameters(request))}
        for path, value in members.items():
            is_value = isinstance(value, (str, int)) and not isinstance(value, bool) and value
            if is_value and value != -1 and str(value) not in sent and self._leads_on(path, value):
                return f"`{path}`"
        return ""

    def _leads_on(self, path: str, value: object) -> bool:
        """Return whether a member is a link or cursor by its name, and a value of this kind."""
        if vocabulary.NEXT.search(path):
            return True
        parent, _, name = path.rpartition(".")
        # beside a link that ends by itself, cursors of the page stand in the last one too
        is_of_page = bool(self.followed) and vocabulary.plain_name(parent) == "cursors"
        is_token = isinstance(value, str) and not value.isdecimal()
        if name.lower() in ("more", "older"):
            is_token = is_token and re.match(r"https?:|[/?]", str(value)) is not None
        is_flag = vocabulary.says_more(path, value) is not None
        is_named = vocabulary.POINTER.fullmatch(name) and not vocabulary.PREVIOUS.search(name)
        return bool(is_named and is_token and not is_flag and not is_of_page)


def _base(path: str) -> str:
    """Return the path of the object that a member is about: not `paging`, but what holds it."""
    base = _parent(path)
    while base and _is_about_pages(base):
        base = _parent(base)
    return base


def _is_about_pages(path: str) -> bool:
    name = vocabulary.plain_name(path)
    return bool(vocabulary.PAGE_OBJECT.fullmatch(name) or vocabulary.NEXT.search(path))


def _parent(path: str) -> str:
    return (
        path.partition("@odata.")[0].rstrip(".'") if "@odata." in path else path.rpartition(".")[0]
    )


def _paths_of(value: Any, record: Any, path: str = "") -> Iterator[str]:
    """Yield the paths at which a record is the first of a list, or a member of the first."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _paths_of(member, record, f"{path}.{name}" if path else str(name))
    for first in value[:1] if isinstance(value, list) else ():
        if first == record or (isinstance(first, dict) and record in first.values()):
            yield path


def _find_promise(response: Response, members: totals.Members, rows: int) -> str:
    for path, value in members.items():
        name = vocabulary.plain_name(path)
        least = {vocabulary.TOTAL: rows, vocabulary.PAGE_COUNT: 1}
        for pattern, known in least.items():
            if pattern.fullmatch(name):
                text = value.replace(",", "") if isinstance(value, str) else value
                if (count := totals.parse_count(text) or 0) > known:
                    return f"`{path}` of {count:,}"
    return "the status 206" if response.status_code == HTTPStatus.PARTIAL_CONTENT else ""


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
        if vocabulary.plain_name(name) in vocabulary.SIZE_PARAMS and (
            size := totals.parse_count(value)
        ):
            yield size
