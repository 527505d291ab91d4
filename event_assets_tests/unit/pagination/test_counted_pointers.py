"""Links and cursors that count rows or pages miss no row of a list that changes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from event_assets.pagination.counters import find_counters
from event_assets_tests.support.paging import Answer, Query
from event_assets_tests.support.served_lists import read_with, rows


class Shrinking:
    """A list whose first row is deleted before the page of a number is sent for the first time."""

    def __init__(self, at: int, length: int = 95) -> None:
        self.rows = list(range(length))
        self.at = at
        self.requests = 0

    def page(self, first: int, size: int = 20) -> tuple[list[dict[str, Any]], bool]:
        self.requests += 1
        if self.requests == self.at:
            del self.rows[0]
        return [{"id": row} for row in self.rows[first : first + size]], first + size < len(
            self.rows
        )


def encode(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def decode(text: str) -> Any:
    return json.loads(base64.b64decode(text))


def links_of_rows(api: Shrinking) -> Answer:
    def answer(query: Query) -> Any:
        first = int(query.get("$skip", 0))
        page, more = api.page(first)
        return {"data": page, "next": f"/events?$skip={first + 20}" if more else None}

    return answer


def links_of_rows_from_1(api: Shrinking) -> Answer:
    def answer(query: Query) -> Any:
        first = int(query.get("startIndex", 1))
        page, more = api.page(first - 1)
        return {"data": page, "next": f"/events?startIndex={first + 20}" if more else None}

    return answer


def links_of_nested_offsets(api: Shrinking) -> Answer:
    def answer(query: Query) -> Any:
        first = int(query.get("page[offset]", 0))
        page, more = api.page(first)
        link = f"/events?page%5Blimit%5D=20&page%5Boffset%5D={first + 20}"
        return {"data": page, "next": link if more else None}

    return answer


def links_with_the_row_in_the_path(api: Shrinking) -> Answer:
    def answer(query: Query) -> Any:
        first = int(query["path"].rpartition("-")[2]) if "path" in query else 0
        page, more = api.page(first)
        return {"data": page, "next": f"/query/01gRO0000016PIAYA2-{first + 20}" if more else None}

    return answer


def cursors_in_a_parameter_of_rows(api: Shrinking) -> Answer:
    def answer(query: Query) -> Any:
        first = int(query.get("start", 0))
        page, more = api.page(first)
        return {"data": page, "next": first + 20 if more else None}

    return answer


def links_of_pages(api: Shrinking) -> Answer:
    def answer(query: Query) -> Any:
        number = int(query.get("page", 1))
        page, more = api.page(20 * (number - 1))
        return {"data": page, "next": f"/events?page={number + 1}" if more else None}

    return answer


def cursors_of_pages(api: Shrinking) -> Answer:
    def answer(query: Query) -> Any:
        number = int(query.get("cursor", 1))
        page, more = api.page(20 * (number - 1))
        return {"data": page, "next": str(number + 1) if more else None}

    return answer


def encoded_cursors_of_pages(api: Shrinking) -> Answer:
    def answer(query: Query) -> Any:
        number = decode(query["cursor"])["page"] if "cursor" in query else 1
        page, more = api.page(20 * (number - 1))
        return {"data": page, "next": encode({"page": number + 1}) if more else None}

    return answer


def encoded_cursors_of_rows(api: Shrinking) -> Answer:
    def answer(query: Query) -> Any:
        first = decode(query["cursor"])["at"] if "cursor" in query else 0
        page, more = api.page(first)
        return {"data": page, "next": encode({"at": first + 20}) if more else None}

    return answer


def last_rows(api: Shrinking) -> Answer:
    def answer(query: Query) -> Any:
        first = int(query["cursor"].removeprefix("c")) + 1 if "cursor" in query else 0
        page, more = api.page(first)
        return {"data": page, "next": f"c{first + len(page) - 1}" if more else None}

    return answer


COUNTING: dict[str, tuple[Any, Callable[[Shrinking], Answer]]] = {
    "links of rows": ("json_link", links_of_rows),
    "links of rows from 1": ("json_link", links_of_rows_from_1),
    "links of nested offsets": ("json_link", links_of_nested_offsets),
    "links with the row in the path": ("json_link", links_with_the_row_in_the_path),
    "cursors in a parameter of rows": (
        {"type": "cursor", "cursor_path": "next", "cursor_param": "start"},
        cursors_in_a_parameter_of_rows,
    ),
    "links of pages": ("json_link", links_of_pages),
    "cursors of pages": ({"type": "cursor", "cursor_path": "next"}, cursors_of_pages),
    "encoded cursors of pages": (
        {"type": "cursor", "cursor_path": "next"},
        encoded_cursors_of_pages,
    ),
    "encoded cursors of rows": ({"type": "cursor", "cursor_path": "next"}, encoded_cursors_of_rows),
    "cursors of the last row": ({"type": "cursor", "cursor_path": "next"}, last_rows),
}


OF_ROWS = (
    "links of rows",
    "links of rows from 1",
    "links of nested offsets",
    "cursors in a parameter of rows",
)


@pytest.mark.parametrize("at", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", COUNTING)
def test_a_deletion_between_two_pages_that_are_counted_loses_no_row(kind: str, at: int) -> None:
    paginator, answer = COUNTING[kind]
    api = Shrinking(at)
    done = read_with(paginator, answer(api))
    assert done.ids >= set(api.rows)
    assert done.result.complete is True
    if kind not in OF_ROWS:
        assert done.delivered == list(dict.fromkeys(done.delivered))


@pytest.mark.parametrize("kind", COUNTING)
def test_a_quiet_list_whose_pages_are_counted_costs_no_more_than_two_readings(kind: str) -> None:
    paginator, answer = COUNTING[kind]
    done = read_with(paginator, answer(Shrinking(0)))
    assert done.ids == set(range(95))
    assert done.result.complete is True
    assert len(done.asked) <= (5 + 1 if kind in OF_ROWS else 2 * 5)


def test_a_size_and_what_each_request_has_count_nothing() -> None:
    found = find_counters("/events?limit=20&version=2&version=3&at=40", {("version", "2")})
    assert [counter.value for counter in found] == [3, 40]


def test_opaque_cursors_are_read_once() -> None:
    names = ["f81d4fae", "a2b91c", "zz7", "9xQ"]

    def answer(query: Query) -> Any:
        at = names.index(query["cursor"]) + 1 if "cursor" in query else 0
        following = names[at] if at < len(names) else None
        return {"data": rows(20 * at, 20 * at + 20), "cursors": {"next": following}}

    done = read_with("cursor", answer)
    assert len(done.ids) == 100
    assert done.result.complete is True
    assert len(done.asked) == 5


def test_links_that_only_seem_to_count_rows_are_followed_as_they_are() -> None:
    """The server floors what is asked for to a multiple of the page."""

    def answer(query: Query) -> Any:
        first = int(query.get("offset", 0)) // 20 * 20
        link = f"/events?offset={first + 20}" if first + 20 < 95 else None
        return {"data": rows(first, min(95, first + 20)), "next": link}

    done = read_with("json_link", answer)
    assert done.ids == set(range(95))
    assert done.result.complete is True
    assert len(done.asked) == 2 * 5 + 1


def test_links_that_are_refused_with_another_number_are_followed_as_they_are() -> None:
    def answer(query: Query) -> Any:
        first = int(query.get("offset", 0))
        if first % 20:
            return 400
        link = f"/events?offset={first + 20}" if first + 20 < 95 else None
        return {"data": rows(first, min(95, first + 20)), "next": link}

    done = read_with("json_link", answer)
    assert done.ids == set(range(95))
    assert done.result.complete is True


@pytest.mark.parametrize(("members", "complete"), [({}, True), ({"total": 400}, False)])
def test_a_number_that_leads_on_behind_the_end_is_no_promise(
    members: dict[str, int], complete: bool
) -> None:
    def answer(query: Query) -> Any:
        number = int(query.get("page", 1))
        page = rows(20 * (number - 1), min(95, 20 * number))
        return {"data": page, "next_page": number + 1, **members}

    done = read_with({"type": "cursor", "cursor_path": "next_page", "cursor_param": "page"}, answer)
    assert done.ids == set(range(95))
    assert done.result.complete is complete


TOKENS = {20 * at: name for at, name in enumerate(["", "f8", "a2b9", "zz7", "9xQ", "Lq", "m4r"])}
FIRST_OF = {name: first for first, name in TOKENS.items()}


@pytest.mark.parametrize("fault", ["insertion", "page again", "empty page"])
def test_an_opaque_cursor_that_shows_a_shift_is_read_again(fault: str) -> None:
    """A cursor that brings rows again may count rows; a page may have been another one."""
    listed, requests_sent = [*range(130)], count(1)

    def answer(query: Query) -> Any:
        first, number = FIRST_OF[query.get("cursor", "")], next(requests_sent)
        if number == 3 and fault == "insertion":
            listed[:0] = [1000, 1001, 1002]
        shown = first - 20 * (number == 3 and fault == "page again")
        page = listed[shown : shown + 20 * (number != 3 or fault != "empty page")]
        following = {"next": TOKENS[first + 20]} if first + 20 < 130 else {}
        return {"data": [{"id": row} for row in page], **following}

    done = read_with({"type": "cursor", "cursor_path": "next"}, answer)
    assert done.ids == {*listed}
    assert done.result.complete is True


@pytest.mark.parametrize("has_total", [True, False])
@pytest.mark.parametrize("length", [41, 60])
@pytest.mark.parametrize("at", [2, 3])
def test_an_opaque_cursor_that_brings_a_row_again_at_its_end_is_read_again(
    has_total: bool, length: int, at: int
) -> None:
    listed, requests_sent = [*range(length)], count(1)

    def answer(query: Query) -> Any:
        if next(requests_sent) == at:
            listed[:] = [1000, *listed[:-1]]
        first = FIRST_OF[query.get("cursor", "")]
        following = {"next": TOKENS[first + 20]} if first + 20 < length else {}
        total = {"total": length} if has_total else {}
        return {"data": [{"id": row} for row in listed[first:][:20]], **following, **total}

    done = read_with({"type": "cursor", "cursor_path": "next"}, answer)
    assert done.ids >= {*listed}
    assert done.result.complete is True


def test_a_reading_that_ends_with_its_first_page_confirms_no_longer_one() -> None:
    """A row moves to a page that was read, and the next reading lacks its link by accident."""
    sent = count(1)

    def answer(query: Query) -> Any:
        number, page = next(sent), int(query.get("cursor", 1))
        first = 4 * (page - 1) + (number > 2)  # the first row is deleted behind page 2
        link = {"next": page + 1} if page < 3 and number != 4 else {}
        return {"data": rows(first, 12)[:4], **link}

    done = read_with({"type": "cursor", "cursor_path": "next"}, answer)
    assert done.ids == set(range(12))
