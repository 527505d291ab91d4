"""The total an API reports: where it stands in the answer, and whether it may be believed."""

from __future__ import annotations

from typing import Any, Final, cast

from dlt.common import jsonpath
from dlt.common.utils import str2bool
from jsonpath_ng import JSONPath
from requests import Response

AUTO: Final = "auto"
"""As a `total_path`: look in the usual places."""

# "count" stands last: in many APIs it is the length of the page
TOTAL_PLACES: Final = (
    *(("total",), ("total_count",), ("totalCount",), ("total_results",), ("totalResults",)),
    *(("total_items",), ("totalItems",), ("totalElements",), ("total_records",), ("recordCount",)),
    *((part, "total") for part in ("pagination", "meta", "paging", "page", "metadata")),
    *(("meta", part, "total") for part in ("pagination", "page", "paging")),
    *((part, "total_count") for part in ("pagination", "meta", "paging", "page", "metadata")),
    *((part, "totalCount") for part in ("pagination", "meta", "paging", "page", "metadata")),
    *((part, "total_items") for part in ("pagination", "meta")),
    *((part, "object_count") for part in ("pagination", "meta")),
    *(("page", "totalElements"), ("total", "value"), ("hits", "total"), ("hits", "total", "value")),
    *(("@odata.count",), ("count",), ("pagination", "count"), ("meta", "count")),
)

PAGE_COUNT_PLACES: Final = tuple(
    (*parent, name)
    for parent in ((), ("pagination",), ("meta",), ("paging",), ("page",), ("meta", "pagination"))
    for name in ("total_pages", "totalPages", "page_count", "pageCount", "num_pages", "last_page")
)

TOTAL_HEADERS: Final = ("X-Total-Count", "X-Total")


def as_count(value: object) -> int | None:
    """A whole number from 0 up, also one written in digits; anything else is None."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return None


def find_count(body: object, places: tuple[tuple[str, ...], ...]) -> int | None:
    """The count at the first of `places` in the answer's body that holds one."""
    for place in places:
        value = body
        for name in place:
            if not isinstance(value, dict):
                break
            value = cast("dict[str, object]", value).get(name)
        else:
            count = as_count(value)
            if count is not None:
                return count
    return None


def compile_path(path: jsonpath.TJsonPath | None) -> JSONPath | None:
    """Compiled once, because parsing a path takes a millisecond."""
    return jsonpath.compile_path(path) if path else None


def value_at(body: Any, path: JSONPath) -> Any:
    """The first value at a JSON path; None if there is none."""
    values = jsonpath.find_values(path, body)
    return values[0] if values else None


class TotalFinder:
    """Reads the total number of rows from an answer.

    `path` is a JSON path, `AUTO` for the usual places in body and headers, or None for "this API
    has no total". A total that is not there is None, never an error: paging works without.
    """

    def __init__(self, path: jsonpath.TJsonPath | None = AUTO) -> None:
        self._auto = path == AUTO
        self._path = None if self._auto else compile_path(path)

    def find(self, response: Response) -> int | None:
        """The total in this answer, as the API claims it."""
        if self._path is not None:
            return as_count(value_at(response.json(), self._path))
        if not self._auto:
            return None
        count = find_count(response.json(), TOTAL_PLACES)
        if count is None:
            found = (as_count(response.headers.get(name)) for name in TOTAL_HEADERS)
            count = next((value for value in found if value is not None), None)
        return count


def overflows(response: Response) -> bool:
    """Does the answer itself say that the list is longer than what may be read of it?"""
    body = response.json()
    return isinstance(body, dict) and cast("dict[str, object]", body).get("overflow") is True


def find_more(response: Response, path: JSONPath | None) -> bool | None:
    """The answer's own word on whether more pages follow; None if it has none."""
    if path is None:
        return None
    value = value_at(response.json(), path)
    if isinstance(value, str):
        try:
            return str2bool(value)
        except ValueError:
            return None
    return value if isinstance(value, bool) else None


class OffsetTotal:
    """Believes a total once it cannot be the page's length, and drops it once disproved."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.reported: int | None = None
        self.largest_trusted: int | None = None
        self.disproved = False

    def judge(self, total: int | None, offset: int, rows: int) -> int | None:
        """This answer's total if it may be relied on, else None.

        It is shown to be more than the page's length where it is larger than the page, or ends
        with a page that does not begin the list; a total below the rows at hand is disproved for
        good. 0 beside an empty page in mid-list is how servers say "too deep"; a total that equals
        the limit asked for may be its echo.
        """
        if total is None:
            return None
        self.reported = total
        if rows and total < offset + rows:
            self.disproved = True
        if self.disproved or total == self._limit or (not rows and total == 0 and offset):
            return None
        if total > rows or (offset and total == offset + rows):
            self.largest_trusted = max(total, self.largest_trusted or 0)
        return None if self.largest_trusted is None else total

    def unexplained(self, rows: int) -> bool:
        """Is there a total above `rows` that may be the echo of the limit, or true?"""
        return not self.disproved and self.reported == self._limit and self._limit > rows
