"""Find the total an API reports, and evaluate whether it can be trusted."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

from requests import Response

from event_assets.pagination.vocabulary import (
    NEXT,
    PAGE_OBJECT,
    TOTAL,
    base_path,
    is_sure,
    plain_name,
)

AUTO: Final = "auto"  # as a `total_path`: search the usual names

MAX_COUNT: Final = 2**63 - 1
MAX_DIGITS: Final = 100  # of a count, with zeros in front

HEADER: Final = re.compile("total|count|page|more", re.IGNORECASE)
DESCRIPTION: Final = re.compile("pagination|content-range", re.IGNORECASE)  # other headers

Members = Mapping[str, Any]  # the members of a response outside its records, by path


def parse_count(value: object) -> int | None:
    """Return a non-negative integer of 64 bits, also from digits; None for anything else."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value % 1 == 0:
        value = str(int(min(value, MAX_COUNT + 1)))
    if isinstance(value, str) and re.fullmatch(r"\d+|\d{1,3}(,\d{3})+", value):
        digits = value.replace(",", "")
        return int(digits) if len(digits) <= MAX_DIGITS and int(digits) <= MAX_COUNT else None
    return None


def is_usual_cap(total: int | None) -> bool:
    """Return whether a total is one at which APIs stop to count rows: 100, 500, 10,000."""
    return bool(re.fullmatch("[125]00+", str(total)))


def find_counts(members: Members, names: re.Pattern[str] = TOTAL) -> dict[str, int]:
    """Return the members that are counts, and have one of these plain names, the surest first."""
    named = [path for path in members if names.fullmatch(plain_name(path))]
    # "count" is the length of the page in many APIs; what is filtered is the list
    named.sort(
        key=lambda path: (
            not is_sure(path),
            plain_name(path) == "count",
            "filter" not in path.lower(),
        )
    )
    return {path: count for path in named if (count := parse_count(members[path])) is not None}


def members_around(members: Members, places: Collection[str] = ()) -> Members:
    """Return those about the document, or about objects that hold the records at `places`."""

    def is_around(base: str) -> bool:
        return not base or any(f"{place}.".startswith(f"{base}.") for place in places)

    return {path: value for path, value in members.items() if is_around(base_path(path))}


def read_members(response: Response) -> Members:
    """Return the members of a response's document and headers that are in no list of records."""
    document, headers = response.json(), response.headers
    members = dict(members_outside_records(document))
    if not any(map(_tells_of_list, headers)):  # the usual case, of every page
        return members
    members.update({name.title(): value for name, value in headers.items() if HEADER.search(name)})
    extent = headers.get("Content-Range", "bytes")
    if not extent.startswith("bytes"):
        members["Content-Range.total"] = extent.rpartition("/")[2]
    if description := headers.get("X-Pagination") or headers.get("Pagination"):
        with suppress(ValueError):
            members.update(members_outside_records(json.loads(description), "X-Pagination"))
    return members


@lru_cache(1_000)
def _tells_of_list(header: str) -> bool:
    return bool(HEADER.search(header) or DESCRIPTION.search(header))


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
    items = value[:1] if NEXT.fullmatch(name) else value if PAGE_OBJECT.fullmatch(name) else ()
    for item in items:
        is_link = isinstance(item, dict)
        relations = item.get("rel") or item.get("relation") if is_link else None
        if relations and "next" in str(relations).lower():
            yield f"{path}.next", item.get("href") or item.get("url") or item.get("uri")
        elif not relations and len(items) == 1:
            yield from members_outside_records(item, path)


class RowTotal:
    """Trusts a total once it cannot be the page's length, and drops it once disproved.

    It cannot be if it is larger than the rows so far, or the same on two pages. A total below the
    number of rows received is disproved for good: it may count pages.
    """

    def __init__(self) -> None:
        self.reported: int | None = None  # the last total, trusted or not
        self.least: int | None = None  # of the trusted totals
        self.largest: int | None = None  # of the trusted totals
        self.disproved: int | None = None  # the last total, if it may count pages
        self.lowest: int | None = None  # of all that were reported, but a 0 beside no rows
        self.highest = 0  # the same
        self.seen: list[int] = []  # reported beside rows, each another one than before
        self._last: int | None = None  # the last total that was trusted

    def evaluate(self, total: int | None, before: int, rows: int) -> int | None:
        """Return the total of a page of `rows` behind `before` others, if it can be trusted.

        One that falls by the rows that came counts what is left, and stands for the first one. 0
        with an empty page in the middle of the list means "too deep". An empty page without a total
        may be an error, and the one before stands.
        """
        if total is None:
            return None if rows else self._last
        if rows and self.seen[-1:] != [total]:
            self.seen.append(total)
        is_left = bool(rows and before and self.largest == total + before)
        if is_left:  # it is the number of rows from here on
            total += before
        is_same, self.reported = 0 < total == self.reported, total
        if rows or total:
            self.lowest = min(total, total if self.lowest is None else self.lowest)
            self.highest = max(total, self.highest)
        if self.disproved is not None or (rows and total < before + rows):
            self.disproved = 0 if is_left else total
            self.least = self.largest = self._last = None
            return None
        if not rows and not total and before:
            return None
        if self.largest is None and total <= before + rows and not is_same:
            return None
        self.least = min(total, self.least or total)
        self.largest = max(total, self.largest or 0)
        self._last = total
        return total

    @property
    def steady(self) -> int | None:
        """The trusted total, if the API reported no other."""
        return self.largest if self.lowest == self.highest else None
