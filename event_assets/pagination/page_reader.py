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
from event_assets.pagination.totals import parse_count
from event_assets.pagination.vocabulary import PAGE_COUNT, TOTAL, parent_path, plain_name
from event_assets.values.errors import PaginationError
from event_assets.values.response_paths import find_value

# A total in a description of the page, which may count pages.
OF_PAGES = re.compile(r"(.*\.)?(pagination|paging|page)\.total")


@dataclass
class PageReader:
    """Gathers the facts of a page from its response.

    Attributes:
        total_path: of the number of rows, or of pages, if `counts_pages`; `AUTO`: the usual names
            are searched; None: there is none.
        more_path: of whether more pages follow; None: the usual names are searched.
        followed: the path of the pointer that is followed, if any.
        header: the header, or the relation of a link, that is followed.
    """

    total_path: JSONPath | str | None = totals.AUTO
    counts_pages: bool = False
    more_path: JSONPath | None = None
    followed: JSONPath | None = None
    header: str | None = None
    _is_more_found: bool = False
    _unfollowed: str = ""
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
        around = totals.members_around(members, self._places)
        counts, page_counts = self._find_counts(document, around, is_empty=not ids)
        total, page_count = (next(iter(found.values()), None) for found in (counts, page_counts))
        is_total_sure = self._is_sure(next(iter((*counts, *page_counts)), ""))
        if counts and not self._is_sure(next(iter(page_counts), "")):
            page_count = None
        may_count_pages = {page_count, *(counts[path] for path in counts if OF_PAGES.match(path))}
        has_more, flag_path = self._find_has_more(document, around)
        sizes_asked = (
            parse_count(value)
            for name, value in _parameters(request)
            if vocabulary.SIZE.fullmatch(plain_name(name))
        )
        is_backwards = vocabulary.leads_back(pointer_path)
        if not (is_backwards and self._unfollowed):  # what stood in the first page still holds
            is_open = is_backwards or not pointer
            self._unfollowed = self._find_unfollowed(response, around, request) if is_open else ""
        return PageFacts(
            ids=ids,
            total=total,
            is_total_certain=is_total_sure and total not in may_count_pages,
            is_total_sure=is_total_sure,
            page_count=page_count,
            counts=(counts, page_counts),
            has_more=has_more,
            is_flag_beside=parent_path(flag_path) == parent_path(pointer_path) != "",
            pointer=pointer,
            is_pointer_found=bool(pointer or (self.followed and self.followed.find(document))),
            unfollowed=self._unfollowed,
            truncated=_find_truncation(members),
            is_backwards=is_backwards,
            size_asked=next(filter(None, sizes_asked), None),
        )

    def _find_counts(
        self, document: Any, around: totals.Members, *, is_empty: bool
    ) -> list[dict[str, int]]:
        """Return what may be the number of rows of the list, and that of its pages, by path."""
        if self.total_path is None:
            return [{}, {}]
        found = [totals.find_counts(around, names) for names in (TOTAL, PAGE_COUNT)]
        if isinstance(self.total_path, JSONPath):
            configured = parse_count(find_value(document, self.total_path))
            if configured is None and self.counts_pages and not is_empty:
                raise _path_error(document, "total_path", self.total_path, "is not a number")
            at_path = {} if configured is None else {str(self.total_path): configured}
            found[self.counts_pages] = at_path
        return found

    def _is_sure(self, path: str) -> bool:
        return path in ("", str(self.total_path)) or vocabulary.is_sure(path)

    def _find_has_more(self, document: Any, around: totals.Members) -> tuple[bool | None, str]:
        """Return whether more pages follow, and the path of the flag that says so."""
        if self.more_path is None:
            found = [
                (len(vocabulary.base_path(path)), says_more, path)
                for path, value in around.items()
                if (says_more := vocabulary.says_more(path, value)) is not None
            ]
            return max(found, default=(0, None, ""))[1:]
        more = vocabulary.read_flag(str(self.more_path), find_value(document, self.more_path))
        if more is None and not self._is_more_found:
            problem = "is neither true nor false"
            raise _path_error(document, "has_more_path", self.more_path, problem)
        self._is_more_found = True
        return more, str(self.more_path).removeprefix("$.")

    def _find_unfollowed(
        self, response: Response, members: totals.Members, request: Request
    ) -> str:
        """Return the name of what leads to more, and is not followed; empty if nothing does."""
        if self.header != "next" and any("next" in rel.lower().split() for rel in response.links):
            return "the header `Link: rel=next`"
        followed = {*vocabulary.NO_POINTER_HEADERS, str(self.header).lower()}
        for name, value in response.headers.items():
            if vocabulary.HEADER_POINTER.fullmatch(name) and value and name.lower() not in followed:
                return f"the header `{name}`"
        sent = {request.url, *(str(value) for _, value in _parameters(request))}
        is_link = bool(self.followed) and not vocabulary.leads_back(str(self.followed))
        for path, value in members.items():
            # beside a link that ends by itself, cursors of the page stand in the last one too
            is_of_page = is_link and plain_name(parent_path(path)) == "cursors"
            if not is_of_page and str(value) not in sent and vocabulary.leads_on(path, value):
                return f"`{path}`"
        return "the status 206" if response.status_code == HTTPStatus.PARTIAL_CONTENT else ""


def _paths_of(value: Any, record: Any, path: str = "") -> Iterator[str]:
    """Yield the paths at which a record is the first of a list, or a member of the first."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _paths_of(member, record, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        first = value[0]
        if first == record or (isinstance(first, dict) and record in first.values()):
            yield path


def _find_truncation(members: totals.Members) -> str:
    """Return what says that a response is only a part; empty if nothing does."""
    found = ((path, value) for path, value in members.items() if vocabulary.PARTIAL.fullmatch(path))
    said = (f"{path}: {value}" for path, value in found if value is True or parse_count(value))
    return next((f"`{words.replace('True', 'true')}`" for words in said), "")


def _path_error(document: Any, setting: str, path: JSONPath, problem: str) -> PaginationError:
    is_found = find_value(document, path) is not None
    problem = f"{problem} in" if is_found else "was not found in"
    return PaginationError(
        f"The paginator's {setting} `{path}` {problem} the API's response: correct it in defs.yaml."
    )


def _parameters(request: Request) -> Iterator[tuple[str, Any]]:
    yield from parse_qsl(urlsplit(request.url).query)
    for part in (request.params, request.json):
        if isinstance(part, Mapping):
            yield from totals.members_outside_records(part)
