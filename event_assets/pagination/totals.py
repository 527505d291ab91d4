"""Find the total an API reports, and evaluate whether it can be trusted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from dlt.common import jsonpath
from jsonpath_ng import DatumInContext, Fields, JSONPath
from jsonpath_ng.exceptions import JSONPathError
from requests import Response

from event_assets.pagination.vocabulary import BOOLEANS, PAGE_OBJECT, plain_name

AUTO: Final = "auto"
"""As a `total_path`: search the usual paths."""

PARENTS: Final = (
    *("", "pagination.", "meta.", "paging.", "page.", "metadata.", "hits."),
    *("meta.pagination.", "meta.page.", "meta.paging."),
)
# "count" is last: in many APIs it is the length of the page
TOTAL_NAMES: Final = (
    *("total", "total_count", "totalCount", "total_results", "totalResults"),
    *("total_items", "totalItems", "totalElements", "total_records", "totalRecords"),
    *("recordCount", "object_count", "totalRows", "total_entries", "totalEntries"),
    *("totalHits", "numFound", "nhits", "total.value", "@odata.count", "count"),
)
PAGE_COUNT_NAMES: Final = (
    *("total_pages", "totalPages", "page_count", "pageCount", "num_pages", "last_page"),
)
TOTAL_HEADERS: Final = ("X-Total-Count", "X-Total", "X-WP-Total", "Total-Count")
PAGE_COUNT_HEADERS: Final = ("X-Total-Pages", "X-WP-TotalPages")
HEADER: Final = re.compile("total|count|page|more", re.IGNORECASE)
HEADERS: Final = (*TOTAL_HEADERS, *PAGE_COUNT_HEADERS)

Members = Mapping[str, Any]  # of a response outside its records, by path
Paths = Mapping[str, int]  # the rank of each; the first that has a count is taken


def _rank(names: Iterable[str], headers: Iterable[str] = ()) -> Paths:
    paths = [parent + name for name in names for parent in PARENTS]
    return {path: rank for rank, path in enumerate((*paths, *headers))}


TOTAL_PATHS: Final = _rank(TOTAL_NAMES, TOTAL_HEADERS)
PAGE_COUNT_PATHS: Final = _rank(PAGE_COUNT_NAMES, PAGE_COUNT_HEADERS)


def parse_count(value: object) -> int | None:
    """Return a non-negative integer, also from digits; None for anything else."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value % 1 == 0:
        value = str(int(value))
    return int(value) if isinstance(value, str) and value.isdecimal() else None


def find_counts(members: Members, paths: Paths = TOTAL_PATHS) -> dict[str, int]:
    """Return the members at `paths` that are counts, the first first."""
    found = sorted(members.keys() & paths.keys(), key=paths.__getitem__)
    counts = {path: parse_count(members[path]) for path in found}
    return {path: count for path, count in counts.items() if count is not None}


def read_members(response: Response) -> Members:
    """Return the members of a response's document and headers that are in no list of records."""
    document, headers = response.json(), response.headers
    members = dict(members_outside_records(document))
    members.update({name: value for name, value in headers.items() if HEADER.search(name)})
    members.update({name: headers[name] for name in HEADERS if name in headers})
    unit, _, extent = headers.get("Content-Range", "bytes").partition(" ")
    if unit != "bytes":
        members["Content-Range.total"] = extent.rpartition("/")[2]
    with suppress(ValueError):
        described = json.loads(headers.get("X-Pagination", ""))
        members.update(members_outside_records(described, "X-Pagination"))
    return members


def members_outside_records(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the members of a document that are in no list but of links or pages, by path."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from members_outside_records(member, f"{path}.{name}" if path else str(name))
        return
    if not isinstance(value, list):
        yield path, value
        return
    name = plain_name(path)
    for item in value if name == "next" or PAGE_OBJECT.fullmatch(name) else ():
        relations = item.get("rel") if isinstance(item, dict) else None
        if relations and "next" in str(relations).lower():
            yield f"{path}.next", item.get("href") or item.get("url") or item.get("uri")
        elif not relations and len(value) == 1:
            yield from members_outside_records(item, path)


class MemberOrPath(JSONPath):
    """A path that is the name of a member, if there is one of this name, else a JSON path."""

    def __init__(self, text: str, path: JSONPath) -> None:
        self.text = text
        self._path = path

    def find(self, datum: Any) -> Any:
        """Return the values at the path, as jsonpath_ng does."""
        document = DatumInContext.wrap(datum).value
        is_member = isinstance(document, dict) and self.text in document
        return (Fields(self.text) if is_member else self._path).find(datum)

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def compile_path(path: str | None) -> JSONPath | None:
    """Compile a path, which is looked up as a plain member name first; parsing takes a millisecond.

    Raises:
        JSONPathError: It is neither a JSON path nor looks like the name of a member.
    """
    if not path:
        return None
    try:
        return MemberOrPath(path, jsonpath.compile_path(path))
    except JSONPathError:
        if not re.fullmatch(r"[\w@$:#. -]+", path):
            raise
        return MemberOrPath(path, Fields(path))


def find_value(body: Any, path: JSONPath) -> Any:
    """Return the first value at a JSON path; None if there is none."""
    return next(iter(jsonpath.find_values(path, body)), None)


class TotalFinder:
    """Finds the total number of rows, or of pages, in a response.

    `path` is a path, `AUTO` for the usual `paths`, or None for an API without a total. A missing
    total is None, not an error.
    """

    def __init__(self, path: str | None = AUTO, paths: Paths = TOTAL_PATHS) -> None:
        self.path = None if path == AUTO else compile_path(path)
        self._paths: Paths = paths if path == AUTO else {}

    def find(self, document: Any, members: Members) -> int | None:
        """Return the total in a response, as the API reports it."""
        if self.path is not None:
            return parse_count(find_value(document, self.path))
        return next(iter(find_counts(members, self._paths).values()), None)


def find_boolean(body: Any, path: JSONPath) -> bool | None:
    """Return the boolean at a path, also as text that dlt takes; None for anything else."""
    return BOOLEANS.get(str(find_value(body, path)).lower())


class RowTotal:
    """Trusts a total once it cannot be the page's length, and drops it once disproved.

    It cannot be if it is larger than the rows so far, or the same on two pages. A total below the
    number of rows received is disproved for good: it may count pages.

    Attributes:
        reported: the last total, trusted or not.
        least, largest: of the trusted totals; None: there is none.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self.reported: int | None = None
        self.least: int | None = None
        self.largest: int | None = None
        self.disproved = False
        self._last: int | None = None  # that was trusted

    def evaluate(self, total: int | None, before: int, rows: int) -> int | None:
        """Return the total of a page of `rows` behind `before` others, if it can be trusted.

        0 with an empty page in the middle of the list means "too deep"; a total equal to the limit
        may echo it. An empty page without a total may be an error, and the one before stands.
        """
        if total is None:
            return None if rows else self._last
        is_same, self.reported = total == self.reported, total
        if rows and total < before + rows:
            self.disproved = True
            self.least = self.largest = self._last = None
        if self.disproved or total == self._limit or (not rows and not total and before):
            return None
        if self.largest is None and total <= before + rows and not is_same:
            return None
        self.least = min(total, self.least or total)
        self.largest = max(total, self.largest or 0)
        self._last = total
        return total

    @property
    def is_steady(self) -> bool:
        """Whether there is a trusted total that did not change."""
        return self.largest is not None and self.least == self.largest
