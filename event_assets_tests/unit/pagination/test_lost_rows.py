"""Lists in which a paginator lost rows, or said what was not so."""

from __future__ import annotations

from typing import Any

import pytest

from event_assets.pagination.factory import create_paginator
from event_assets_tests.support.list_models import (
    CURSOR,
    LAST_KEY,
    PAGINATORS,
    ChangingList,
    by_cursor,
    in_base64,
)
from event_assets_tests.support.list_readers import Reader, read
from event_assets_tests.support.offset_lists import Edit
from event_assets_tests.support.paging import Query, read_ids, read_list
from event_assets_tests.support.served_lists import read_with, rows

NUMBERED = ["page", "page in the body"]
NUMERIC_KEYS = {
    "numeric key": (CURSOR, by_cursor(LAST_KEY)),
    "numeric key in base64": (CURSOR, by_cursor(in_base64(LAST_KEY))),
}


@pytest.fixture(autouse=True)
def numeric_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, paginator in NUMERIC_KEYS.items():
        monkeypatch.setitem(PAGINATORS, name, paginator)


@pytest.mark.parametrize(
    ("length", "hidden"),
    [(13, {8, 10, 11}), (33, {29, 30, 31}), (22, {18, 19, 20}), (28, {23, 25, 26})],
)
@pytest.mark.parametrize("kind", ["offset", "offset in the body"])
def test_the_look_behind_the_end_leaves_no_row_out(
    kind: str, length: int, hidden: set[int]
) -> None:
    listed = ChangingList(list(range(length)), hidden=frozenset(hidden))
    delivered, _, _ = read(kind, listed)
    assert delivered == listed.staying


@pytest.mark.parametrize("status", [0, 400, 404, 410])
@pytest.mark.parametrize("request_number", [1, 2, 3, 5])
@pytest.mark.parametrize("kind", NUMBERED)
def test_a_page_that_is_refused_once_is_no_end(kind: str, request_number: int, status: int) -> None:
    listed = ChangingList(list(range(25)))
    delivered, result, _ = read(kind, listed, (), {request_number: status})
    assert delivered == listed.staying or result.complete is not True


@pytest.mark.parametrize("total", ["none", "length of the page"])
@pytest.mark.parametrize(
    ("length", "hidden"),
    [(9, range(4, 8)), (25, range(19, 24)), (13, [5, 8, 9, 10, 11]), (33, range(27, 32))],
)
@pytest.mark.parametrize("kind", NUMBERED)
def test_page_numbers_go_on_behind_a_short_and_an_empty_page(
    kind: str, length: int, hidden: Any, total: str
) -> None:
    listed = ChangingList(list(range(length)), total=total, hidden=frozenset(hidden))
    delivered, _, _ = read(kind, listed)
    assert delivered == listed.staying


def test_a_page_of_a_usual_length_is_no_end_while_the_eighth_behind_it_has_rows() -> None:
    def answer(query: Query) -> Any:
        first = 50 * int(query["page"])
        is_empty = 0 < int(query["page"]) < 8
        return {"data": [] if is_empty else [{"id": row} for row in range(first, first + 50)][:500]}

    done = read_with({"type": "page_number", "maximum_page": 10}, answer)
    assert done.ids == {*range(50), *range(400, 500)}


@pytest.mark.parametrize("config", [{}, {"total_path": None}])
def test_page_numbers_that_stop_at_nothing_end(config: Any) -> None:
    _, serve = PAGINATORS["page"]
    paginator = create_paginator(
        {"type": "page_number", "stop_after_empty_page": False, **config}, read_ids
    )
    reader = Reader()
    reader.read(paginator, serve, ChangingList(list(range(5))))
    assert reader.delivered == set(range(5))


@pytest.mark.parametrize("total", ["none", "true"])
@pytest.mark.parametrize("length", [1, 2, 4, 5, 8, 9])
@pytest.mark.parametrize("kind", PAGINATORS)
def test_a_refused_page_behind_all_rows_is_no_failure(kind: str, length: int, total: str) -> None:
    last = None if total == "true" else {"next": None}
    listed = ChangingList(list(range(length)), total=total, behind="refused", last=last)
    delivered, result, _ = read(kind, listed)
    assert delivered == listed.staying
    assert result.complete is not False


@pytest.mark.parametrize("behind", ["empty", "wraps", "clamps"])
@pytest.mark.parametrize("length", [5, 6, 8, 11])
@pytest.mark.parametrize("kind", PAGINATORS)
def test_a_total_that_is_reached_outweighs_a_pointer(kind: str, length: int, behind: str) -> None:
    listed = ChangingList(list(range(length)), total="true", behind=behind, last=None)
    delivered, result, requests = read(kind, listed)
    assert delivered == listed.staying
    assert result.complete is True
    assert requests <= listed.pages + 4


@pytest.mark.parametrize("kind", NUMERIC_KEYS)
@pytest.mark.parametrize(
    "script", [[], [[("insert", 24, 4)]], [[("delete", 10, 4), ("insert", 0, 3)]]]
)
@pytest.mark.parametrize("gap", [0, 1000])
def test_a_cursor_by_key_is_no_counter(kind: str, script: Any, gap: int) -> None:
    listed = ChangingList(list(range(13)))
    listed.keys = {row: row if row < 4 else row + gap for row in listed.rows}
    delivered, result, _ = read(kind, listed, script)
    assert listed.staying <= delivered
    assert result.complete is not False


def test_a_token_that_counts_rows_and_more_is_followed() -> None:
    def answer(query: Query) -> Any:
        at, flag = map(int, query["cursor"][2:].split("-")) if "cursor" in query else (0, 0)
        if at >= 10 and not flag:
            return {"data": [], "next": f"Cg{at}-1"}
        following = {"next": f"Cg{at + 10}-{flag}"} if at + 10 < 35 else {}
        return {"data": [{"id": row} for row in range(at, min(35, at + 10))], **following}

    done = read_with({"type": "cursor", "cursor_path": "next"}, answer)
    assert done.ids == set(range(35))
    assert done.result.complete is True


@pytest.mark.parametrize("kind", [k for k in PAGINATORS if k.startswith("row")])
@pytest.mark.parametrize("hidden", [{2, 3}, {0, 2}])
def test_a_row_behind_short_pages_is_not_lost_by_a_deletion(kind: str, hidden: set[int]) -> None:
    listed = ChangingList(list(range(5)), hidden=frozenset(hidden))
    delivered, result, _ = read(kind, listed, [[("delete", 0, 1)]])
    assert listed.staying <= delivered or result.complete is not True


def test_a_row_that_was_received_but_not_delivered_is_missing() -> None:
    listed = ChangingList(list(range(20)), hidden=frozenset({15, 16, 17, 18}))
    script = [*[[]] * 5, [("insert", 0, 1)]]
    delivered, result, _ = read("offset", listed, script)
    assert listed.staying <= delivered or result.complete is not True


@pytest.mark.parametrize("total", ["true", "pages", "pages as a total"])
@pytest.mark.parametrize("kind", ["page", "page cursor", "page link"])
def test_rows_that_share_ids_are_no_lap_while_more_is_promised(kind: str, total: str) -> None:
    listed = ChangingList([at % 13 for at in range(170)] + list(range(100, 108)), total=total)
    listed.staying = set(listed.rows)
    delivered, _, _ = read(kind, listed)
    assert delivered == listed.staying


@pytest.mark.parametrize(
    "kind", ["row cursor in base64", "row link in base64", "row link", "row cursor"]
)
@pytest.mark.parametrize("hidden", [{4}, {5}, {2}])
def test_rows_behind_a_filtered_page_are_not_lost_by_a_deletion(
    kind: str, hidden: set[int]
) -> None:
    listed = ChangingList(list(range(8)), hidden=frozenset(hidden))
    delivered, result, _ = read(kind, listed, [[], [("delete", 0, 1)]])
    assert listed.staying <= delivered or result.complete is not True


def test_two_readings_that_agree_are_not_complete_below_a_total() -> None:
    delivered, result, _ = read(
        "offset", ChangingList(list(range(8)), total="true", hidden=frozenset({0, 1}))
    )
    assert delivered == set(range(2, 8))
    assert result.complete is False
    assert "reports 8 rows but sent 6" in result.reason


def test_a_list_is_not_complete_below_its_total() -> None:
    listed = ChangingList(list(range(12)), total="shown", hidden=frozenset({9, 10, 5}))
    delivered, result, _ = read("offset", listed, [[("insert", 0, 1)]])
    assert listed.staying <= delivered or result.complete is not True


@pytest.mark.parametrize("length", [12, 24, 44])
@pytest.mark.parametrize("kind", ["offset", "offset in the body", "page"])
def test_a_total_of_what_is_shown_ends_no_offsets(kind: str, length: int) -> None:
    listed = ChangingList(list(range(length)), total="shown", hidden=frozenset({5, 9, 10}))
    delivered, result, _ = read(kind, listed)
    assert delivered == listed.staying
    assert result.complete is True


@pytest.mark.parametrize("kind", ["page", "page in the body"])
def test_has_more_is_an_end_below_a_total(kind: str) -> None:
    listed = ChangingList(
        list(range(7)), total="true", flag="has_more", behind="refused", hidden=frozenset({4})
    )
    delivered, result, _ = read(kind, listed)
    assert delivered == listed.staying
    assert "reports 7 rows but sent 6" in result.reason


def test_a_total_that_changes_is_not_reached_by_as_many_ids() -> None:
    listed = ChangingList(list(range(16)), total="true")
    delivered, result, _ = read("page", listed, [[("insert", 25, 2), ("delete", 0, 1)]])
    assert listed.staying <= delivered
    assert result.facts.passes > 1


@pytest.mark.parametrize("kind", ["offset", "row link", "row header"])
@pytest.mark.parametrize(
    "changes",
    [
        [[("delete", 0, 1)], [("move", 27, 1)]],  # while the page that was missed is looked for
        [[("delete", 0, 2)], [], [("move", 27, 1)]],
        [[("move", 27, 1)], [], [("delete", 0, 1)]],
    ],
)
def test_a_row_that_was_deleted_makes_up_for_none_that_moved(
    kind: str, changes: list[list[Edit]]
) -> None:
    """As many ids come as the list has rows at its end, without the row that moved to the front."""
    listed = ChangingList(list(range(20)))
    delivered, result, _ = read(kind, listed, [[], [], *changes])
    assert listed.staying <= delivered
    assert result.complete is True


def test_two_readings_agree_only_on_all_rows_if_the_size_of_pages_changes() -> None:
    readings: list[list[int]] = []

    def answer(query: Query) -> Any:
        page = int(query["page"])
        if page == 0:
            readings.append([2, 4, 4, 3 if readings else 5])
        size = [*readings[-1], *[4] * 9][page]
        return {"data": [{"id": row} for row in range(page * size, min(16, (page + 1) * size))]}

    done = read_with("page_number", answer)
    assert done.ids == {0, 1, *range(4, 12), 15}
    assert done.result.complete is None, done.result.reason


def test_two_readings_of_even_pages_agree_without_a_row_that_is_gone() -> None:
    listed = ChangingList(list(range(12)))
    delivered, result, _ = read("page", listed, [[], [], [("delete", 0, 1)]])
    assert (delivered, result.complete) == (set(range(12)), True)


@pytest.mark.parametrize(
    ("length", "sizes", "request_number", "place"),
    [(6, [5, 4, 2, 5], 0, 19), (6, [2, 4, 4, 2], 1, 14), (7, [2, 5, 4, 2], 1, 15)],
)
def test_a_short_page_is_no_end_where_a_row_came_further_on(
    length: int, sizes: list[int], request_number: int, place: int
) -> None:
    """As of a server whose pages are smaller under load, from which an event is deleted."""
    listed = ChangingList(list(range(length)), sizes=sizes)
    script: list[list[Edit]] = [[] for _ in range(request_number)]
    delivered, _, _ = read("offset", listed, [*script, [("delete", place, 1)]])
    assert delivered >= listed.staying


def test_a_list_that_changed_is_measured_again_in_a_few_requests() -> None:
    script: list[list[Edit]] = [[] for _ in range(14)]
    script[2], script[4] = [("insert", 1, 1)], [("insert", 23, 2)]
    script[13] = [("delete", 12, 3)]
    listed = ChangingList(list(range(8)), size=3)
    delivered, result, requests = read("offset", listed, script)
    assert delivered >= listed.staying
    assert result.complete is not False
    assert requests < 40


def test_a_cursor_that_is_ignored_is_so_at_the_third_page() -> None:
    def answer(query: Query) -> Any:
        return {"data": [{"id": row} for row in range(4)], "next": f"{query.get('cursor', 'k')}x"}

    done = read_with({"type": "cursor", "cursor_path": "next"}, answer)
    assert done.result.complete is False
    assert "the same 4 rows for every page" in done.result.reason
    assert len(done.asked) == 3


def test_a_total_that_was_passed_in_one_reading_ends_no_other() -> None:
    """The total is that of the first response, as from a cache, and rows are inserted since."""
    listed = ChangingList(list(range(8)), size=2, total="of the first response")
    script: list[list[Edit]] = [[("insert", 0, 6)], [], [], [], [("delete", 0, 1)]]
    delivered, _, _ = read("page", listed, script)
    assert delivered >= listed.staying


def test_pages_of_one_row_that_repeat_leave_no_row_out() -> None:
    """As pages of four rows from which the API takes out those that are not visible."""
    shown = {4, 8, 11, 12, 14, 18}
    listed = ChangingList(list(range(20)), hidden=frozenset(range(20)) - shown)
    delivered, _, _ = read("offset", listed)
    assert delivered == shown


def test_a_last_page_that_repeats_hides_no_row_that_moved() -> None:
    listed = ChangingList(list(range(16)), hidden=frozenset({0, 1, 10, 11, 12}))
    delivered, result, _ = read("offset", listed, [[], [("move", 30, 1), ("move", 28, 3)]])
    assert delivered == listed.staying
    assert result.complete is True


IDS = "qkzxvwjyfpgmb"  # which count no rows


@pytest.mark.parametrize(("is_alone", "asked"), [(True, 5), (False, 4)])
def test_an_empty_page_at_the_end_is_requested_twice_of_a_list_that_is_alone(
    is_alone: bool, asked: int
) -> None:
    config = {"type": "cursor", "cursor_path": "data[-1].id", "cursor_param": "after"}

    def answer(query: Query) -> dict[str, Any]:
        at = IDS.find(query.get("after", "-")) + 1
        return {"data": [{"id": row} for row in IDS[at : at + 6]]}

    done = read_list(create_paginator(config, read_ids, is_alone=is_alone), answer)
    assert done.ids == {*IDS}
    assert len(done.asked) == asked


def test_rows_that_stand_at_the_top_of_each_page_by_offset_are_no_overlap() -> None:
    def answer(query: Query) -> Any:
        first = int(query["offset"])
        shown = rows(first + 2, 130)[:20]
        return {"data": rows(0, 2) + shown if shown else []}

    done = read_with({"type": "offset", "limit": 20, "total_path": None}, answer)
    assert len(done.ids) < 130
    assert done.result.complete is None
