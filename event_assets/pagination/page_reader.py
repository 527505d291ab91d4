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
from event_assets.pagination.counters import leads_further
from event_assets.pagination.facts import PageFacts
from event_assets.pagination.links import find_link, leads_to_itself
from event_assets.pagination.totals import AUTO, parse_count
from event_assets.pagination.vocabulary import PAGE_COUNT, TOTAL, parent_path, plain_name
from event_assets.values.errors import PaginationError
from event_assets.values.response_paths import find_value

# A total in a description of the page, which may count pages.
OF_PAGES = re.compile(r"(.*\.)?(pagination|paging|page)\.total")


@dataclass
class PageReader:
    """Gathers the facts of a page from its response.

    For paths that are `AUTO`, the usual names are searched; None: the list has nothing of the kind.
    """

    total_path: JSONPath | str | None = AUTO  # of the number of rows
    counts_pages: bool = False  # whether `total_path` is of the number of pages
    more_path: JSONPath | str | None = AUTO  # of whether more pages follow
    followed: JSONPath | None = None  # of the pointer that is followed
    header: str | None = None  # that is followed, or the relation of a link in `Link`
    _is_more_found: bool = False
    _leads_on_uncut: bool = False  # a page before this one, without a flag of a cut
    _before: str | None = None  # None: no response was read
    _unfollowed: str = ""
    _places: set[str] = field(default_factory=set[str])  # where records are in the documents

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
        found = set(_paths_of(document, rows[:1]))
        if rows:
            self._places |= found
        around = totals.members_around(members, {pointer_path, *(self._places or found)})
        if self._before is None:
            self._before = _find_said("before", around)
        has_more, flag = self._find_has_more(document, around)
        cut = _find_said("cut", around)
        # one that does not come with every page that leads on says something of its own page
        is_part = bool(cut) and (self._leads_on_uncut or not rows)
        self._leads_on_uncut |= bool(pointer and rows and not cut)
        is_backwards = vocabulary.leads_back(pointer_path)
        if not (is_backwards and self._unfollowed):  # what the first page showed still holds
            is_open = is_backwards or not pointer
            self._unfollowed = (
                self._find_unfollowed(response, around, request, len(rows)) if is_open else ""
            )
        if vocabulary.is_of_next_sync(flag) and (pointer or self._unfollowed):
            has_more, flag = None, ""
        size = _find_size(request)
        page = _weaken_total(self._read_totals(document, around, ids, size), members)
        return page._replace(
            has_more=has_more,
            flag=flag,
            is_flag_beside=parent_path(flag) == parent_path(pointer_path) != "",
            pointer=pointer,
            is_pointer_found=bool(
                pointer
                or (self.followed and self.followed.find(document))
                or (self.header and self.header in response.headers)
            ),
            before=self._before,
            unfollowed=self._unfollowed,
            truncated=_find_truncation(members, around) or (f"`{cut}: true`" if is_part else ""),
            is_backwards=is_backwards,
            size_asked=size,
        )

    def begin(self) -> None:
        """Begin another reading of the list."""
        self._leads_on_uncut = False

    def _read_totals(
        self, document: Any, around: totals.Members, ids: Sequence[Hashable], size: int | None
    ) -> PageFacts:
        """Return a page with what the response says of the number of rows and of pages.

        A `count` of the `size` that was asked for is an echo of it, as in `paging.count`.
        """
        if self.total_path is None:
            return PageFacts(ids)
        found = [totals.find_counts(around, names) for names in (TOTAL, PAGE_COUNT)]
        found[0] = {
            path: count
            for path, count in found[0].items()
            if count != size or not vocabulary.SIZE.fullmatch(plain_name(path))
        }
        if isinstance(self.total_path, JSONPath):
            value, path = find_value(document, self.total_path), self._total_name
            configured = parse_count(value)
            is_null = value is None and self.total_path.find(document)
            if configured is None and self.counts_pages and ids and not is_null:
                raise _path_error(document, "total_path", self.total_path, "is not a number")
            # a number of rows by its name is none of pages
            is_of_pages = self.counts_pages and (path not in found[0] or OF_PAGES.fullmatch(path))
            found[bool(is_of_pages)] = {} if configured is None else {path: configured}
        counts, page_counts = found
        path, total = next(iter(counts.items()), ("", None))
        pages_path, page_count = next(iter(page_counts.items()), ("", None))
        is_sure = self._is_sure(path or pages_path)
        if counts and not self._is_sure(pages_path):
            page_count = None
        of_pages = (counts[path] for path in counts if OF_PAGES.fullmatch(path))
        return PageFacts(
            ids,
            total=total,
            is_total_of_rows=is_sure and total not in (page_count, *of_pages),
            is_total_of_list=is_sure,
            page_count=page_count,
            counts=(counts, page_counts),
        )

    @property
    def _total_name(self) -> str:
        return str(self.total_path).removeprefix("$.")

    def _is_sure(self, path: str) -> bool:
        return path in ("", self._total_name) or vocabulary.is_sure(path)

    def _find_has_more(self, document: Any, around: totals.Members) -> tuple[bool | None, str]:
        """Return whether more pages follow, and the path of the flag that says so."""
        if not isinstance(self.more_path, JSONPath):
            found = [
                (len(vocabulary.base_path(path)), says_more, path)
                for path, value in around.items()
                if self.more_path and (says_more := vocabulary.says_more(path, value)) is not None
            ]
            return max(found, default=(0, None, ""))[1:]
        more = vocabulary.read_flag(str(self.more_path), find_value(document, self.more_path))
        if more is None and not self._is_more_found:
            problem = "is neither true nor false"
            raise _path_error(document, "has_more_path", self.more_path, problem)
        self._is_more_found = True
        return more, str(self.more_path).removeprefix("$.")

    def _find_unfollowed(
        self, response: Response, members: totals.Members, request: Request, size: int
    ) -> str:
        """Return the name of what leads to more, and is not followed; empty if nothing does."""
        if self.header != "next" and find_link(response, "next"):
            return "the header `Link: rel=next`"
        if self.more_path is None:
            return ""
        for name in response.headers:
            leads_on = vocabulary.names_next(name) or vocabulary.names_pointer(name)
            is_followed = leads_on and name.lower() == str(self.header).lower()
            if leads_on and not is_followed and response.headers[name]:
                return f"the header `{name}`"
        is_link = bool(self.followed) and not vocabulary.leads_back(str(self.followed))
        for path, value in members.items():
            is_back = vocabulary.leads_back(path)
            is_link_on = not is_back and leads_further(value, response.url, size)
            if not (is_link_on or vocabulary.leads_on(path, value)):
                continue
            # beside a link that ends by itself, cursors of the page stand in the last one too
            is_of_page = is_link and plain_name(parent_path(path)) == "cursors"
            sent = {request.url, *(str(value) for _, value in _parameters(request))}
            if not (is_of_page or str(value) in sent or leads_to_itself(response, value)):
                return f"`{path}`"
        of_rates = {parent_path(path) for path in members if "reset" in plain_name(path)}
        others = {path: members[path] for path in members if parent_path(path) not in of_rates}
        if promise := _find_said("promise", others):
            return f"`{promise}`"
        return "the status 206" if response.status_code == HTTPStatus.PARTIAL_CONTENT else ""


def _paths_of(value: Any, records: Sequence[Any], path: str = "") -> Iterator[str]:
    """Yield the paths of lists whose first item is or has the record; of empty lists without it."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _paths_of(member, records, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        first = value[0] if value else None
        members = first.values() if isinstance(first, dict) else ()
        if value[:1] == records or any(record in members for record in records):
            yield path


def _find_said(sign: str, members: totals.Members) -> str:
    """Return the path of the first member that says this; empty if none does."""
    said = (path for path, value in members.items() if vocabulary.says(sign, path, value))
    return next(said, "")


def _weaken_total(page: PageFacts, members: totals.Members) -> PageFacts:
    """Return a page without a total that is a lower bound or an estimate, by its own response."""
    if page.total is None:
        return page
    is_estimated = "estimat" in next(iter(page.counts[0])).lower()
    is_estimated |= bool(_find_said("estimate", members))
    if not is_estimated and not _find_said("bound", members):
        return page
    is_sure = page.is_total_of_list and not is_estimated
    return page._replace(total=None, at_least=page.total, is_total_of_list=is_sure)


def _find_truncation(members: totals.Members, around: totals.Members) -> str:
    """Return what says that a response is only a part; empty if nothing does."""
    of_shards = {path: members[path] for path in members if path == "_shards.failed"}
    path = _find_said("part", {**around, **of_shards})
    return f"`{path}: {str(members[path]).replace('True', 'true')}`" if path else ""


def _path_error(document: Any, setting: str, path: JSONPath, problem: str) -> PaginationError:
    is_found = find_value(document, path) is not None
    problem = f"{problem} in" if is_found else "was not found in"
    return PaginationError(
        f"The paginator's {setting} `{path}` {problem} the API's response: correct it in defs.yaml."
    )


def _find_size(request: Request) -> int | None:
    """Return the number of rows that a request asks for in a page."""
    names = ((plain_name(name), value) for name, value in _parameters(request))
    sizes = (parse_count(value) for name, value in names if vocabulary.SIZE.fullmatch(name))
    return next(filter(None, sizes), None)


def _parameters(request: Request) -> Iterator[tuple[str, Any]]:
    if "?" in request.url:
        yield from parse_qsl(urlsplit(request.url).query)
    for part in (request.params, request.json):
        if isinstance(part, Mapping):
            yield from totals.members_outside_records(part)
