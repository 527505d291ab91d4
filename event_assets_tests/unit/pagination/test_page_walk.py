"""Which pages are requested by number, or by links and cursors that count them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from math import inf
from typing import Any

import pytest

from event_assets.pagination.evidence import judge
from event_assets.pagination.facts import PageFacts
from event_assets.pagination.number_walk import NumberWalk
from event_assets.pagination.page_walk import PageWalk
from event_assets.pagination.pointer_walk import PointerWalk

FULL, SHORT, EMPTY = (0, 1, 2, 3), (4, 5), ()


def numbered(maximum: float = inf, stop_after_empty_page: bool | None = None) -> PageWalk:
    return NumberWalk(maximum=maximum, stop_after_empty_page=stop_after_empty_page)


def counted_links() -> PageWalk:
    walk = PointerWalk(maximum=inf, stop_after_empty_page=None)
    walk.is_counted = True
    return walk


def take(walk: PageWalk, *pages: tuple[int, ...], **facts: Any) -> PageWalk:
    for ids in pages:
        walk.take(PageFacts(ids, **facts))
    return walk


def positions(walk: PageWalk, answer: Callable[[int], tuple[int, ...]], **facts: Any) -> list[int]:
    """Read a list to its end; return the positions of the pages that are requested."""
    asked = []
    while not walk.done:
        asked.append(walk.position)
        take(walk, answer(walk.position), **facts)
    return asked


def of_list(length: int) -> Callable[[int], tuple[int, ...]]:
    return lambda at: tuple(range(4 * at, min(length, 4 * at + 4)))


@pytest.mark.parametrize(
    ("options", "facts", "upcoming"),
    [
        ({}, {}, [2, 3, 4]),
        ({}, {"total": 14}, [2, 3]),
        ({}, {"total": 16}, [2, 3]),
        ({}, {"page_count": 3}, [2]),
        ({}, {"total": 40, "page_count": 3}, [2]),
        ({"maximum": 3}, {}, [2]),
        ({"maximum": 4}, {"page_count": 9}, [2, 3]),
    ],
)
def test_pages_are_upcoming_up_to_the_end_that_is_known(
    options: Any, facts: Any, upcoming: list[int]
) -> None:
    walk = take(numbered(**options), FULL, **facts)
    assert (walk.position, walk.upcoming(3)) == (1, upcoming)


def test_nothing_is_upcoming_behind_a_short_page() -> None:
    assert take(numbered(), FULL, SHORT).upcoming(3) == []
    assert take(numbered(), FULL, (), total=99).upcoming(3) == []


def test_the_looks_behind_an_empty_page_are_upcoming() -> None:
    walk = take(numbered(), FULL, SHORT, EMPTY)
    assert (walk.position, walk.upcoming(9), walk.upcoming(1)) == (3, [5, 9], [5])


def test_the_second_reading_is_as_long_as_the_first() -> None:
    walk = numbered()
    while walk.facts.passes == 1:
        take(walk, of_list(22)(walk.position))
    take(walk, of_list(22)(0))
    assert (walk.position, walk.upcoming(9)) == (1, [2, 3, 4, 5])


@pytest.mark.parametrize(
    ("length", "asked"),
    [
        (0, [0, 1]),
        (3, [0, 1, 2, 4, 0, 1]),
        (6, [0, 1, 2, 3, 5, 9, 0, 1, 2]),
        (8, [0, 1, 2, 3, 5, 9, 0, 1, 2]),
    ],
)
def test_a_list_is_looked_for_behind_its_end_and_read_twice(length: int, asked: list[int]) -> None:
    walk = numbered()
    assert positions(walk, of_list(length)) == asked
    assert judge(walk.facts).complete is True


@pytest.mark.parametrize("walk", [numbered(), counted_links()], ids=["numbers", "links"])
def test_a_page_that_is_empty_once_is_found_by_the_second_reading(walk: PageWalk) -> None:
    rows, requests = {0: FULL, 1: (4, 5, 6, 7), 2: (8,)}, count(1)
    while not walk.done:
        ids = rows.get(walk.position, ()) if next(requests) != 3 else ()
        take(walk, ids, pointer=walk.position + 1 if ids else None)
    assert walk.facts.distinct == 9


def test_nothing_is_asked_for_behind_the_only_row_of_the_only_page() -> None:
    assert positions(numbered(), of_list(1), page_count=1) == [0]


def test_nothing_is_asked_for_behind_a_first_page_of_a_list_that_is_said_to_be_empty() -> None:
    assert positions(numbered(), of_list(0), total=0) == [0]


def test_a_list_goes_on_where_a_page_behind_its_end_has_rows() -> None:
    rows = {0: FULL, 4: (20, 21)}
    walk = numbered()
    asked = positions(walk, lambda at: rows.get(at, ()))
    assert asked[:11] == [0, 1, 2, 4, 2, 3, 4, 5, 6, 8, 12]
    assert walk.facts.distinct == 6
    assert judge(walk.facts).complete is True


def test_rows_that_vanish_after_they_were_seen_are_looked_for_once() -> None:
    walk, requests = numbered(), iter(range(99))
    rows = {0: FULL, 1: (4, 5, 6, 7)}
    asked = positions(walk, lambda at: (20,) if next(requests) == 4 else rows.get(at, ()))
    assert asked == [0, 1, 2, 3, 5, 3, 4, 5, 6, 8, 12, 0, 1, 2]


@pytest.mark.parametrize(
    ("stop", "asked", "complete"),
    [
        (None, [0, 1, 2, 3, 0, 1, 2], True),
        (True, [0, 1, 2, 0, 1, 2], True),
        (False, [0, 1, 2, 3, 4, 0, 1, 2], True),
    ],
)
def test_a_maximum_bounds_the_look_behind_the_end(
    stop: bool | None, asked: list[int], complete: bool | None
) -> None:
    walk = numbered(5, stop)
    assert positions(walk, of_list(6)) == asked
    assert judge(walk.facts).complete is complete


@pytest.mark.parametrize("behind", ["empty", "refused"])
@pytest.mark.parametrize("length", [9, 10, 13])
def test_a_total_that_changed_promises_nothing_and_the_list_is_read_again(
    length: int, behind: str
) -> None:
    rows, walk, delivered = list(range(length)), numbered(), set[int]()
    while not walk.done:
        page = rows[4 * walk.position :][:4]
        if page or behind == "empty":
            delivered.update(page[at] for at in walk.take(PageFacts(page, total=len(rows))))
        else:
            assert walk.refuse(404)
        if walk.facts.pages == 1:
            del rows[0]
    assert delivered >= set(rows)
    assert judge(walk.facts).complete is True


def test_a_total_that_changes_in_each_reading_is_read_no_more_often_than_others() -> None:
    walk, totals = numbered(), iter(range(10, 99))
    while not walk.done:
        page = of_list(10)(walk.position)
        take(walk, page, total=next(totals))
    assert walk.facts.passes == 2


@pytest.mark.parametrize(
    ("facts", "asked"), [({"is_total_of_rows": True}, [0, 1, 0]), ({}, [0, 1, 2, 3, 5, 9, 0])]
)
def test_only_a_total_that_counts_no_pages_saves_the_pages_behind_the_last(
    facts: dict[str, Any], asked: list[int]
) -> None:
    walk = numbered()
    assert positions(walk, of_list(6), total=6, **facts) == asked
    assert judge(walk.facts).complete is True
    assert walk.facts.reported == 6


def test_a_page_that_is_refused_is_asked_for_in_both_readings() -> None:
    walk = take(numbered(), FULL, SHORT)
    assert walk.refuse(404)
    assert (walk.position, walk.facts.passes) == (0, 2)
    take(walk, FULL, SHORT)
    assert walk.refuse(404)
    assert judge(walk.facts).complete is True
    assert walk.facts.pages == 4


def test_a_row_that_moves_to_the_only_page_left_before_the_next_is_refused_is_read() -> None:
    walk = take(numbered(), FULL)  # and a fifth row, until one of these is deleted
    assert walk.refuse(404)
    assert walk.take(PageFacts((0, 1, 2, 4))) == [3]


@pytest.mark.parametrize("is_limit", [False, True])
def test_pages_behind_the_end_that_are_refused_are_no_more_than_empty(is_limit: bool) -> None:
    walk, asked = take(numbered(), FULL, SHORT, EMPTY), []
    while walk.facts.passes == 1:
        asked.append(walk.position)
        assert walk.refuse(404, is_limit=is_limit)
    assert asked == [3, 5, 9]


@pytest.mark.parametrize(
    ("facts", "asked"),
    [
        ({"size_asked": 9}, [0, 1, 2, 3]),
        ({"size_asked": 4}, [0, 1, 2, 3]),
        ({"size_asked": None}, [0, 1, 2, 3]),
    ],
)
def test_a_number_of_pages_that_was_counted_for_longer_ones_is_no_end(
    facts: dict[str, Any], asked: list[int]
) -> None:
    walk = numbered()
    assert positions(walk, of_list(12), page_count=2, **facts)[: len(asked) + 1] == [*asked, 0]
    assert judge(walk.facts).complete is True


def linked(stop_after_empty_page: bool | None = None) -> PageWalk:
    return PointerWalk(maximum=inf, stop_after_empty_page=stop_after_empty_page)


@pytest.mark.parametrize(("stop", "done"), [(None, False), (False, False), (True, True)])
def test_cursors_end_at_an_empty_page_only_if_they_are_to(stop: bool | None, done: bool) -> None:
    walk = linked(stop)
    walk.take(PageFacts(FULL, pointer="a"))
    assert not walk.done
    walk.take(PageFacts(EMPTY, pointer="b"))
    assert walk.done is done


def test_cursors_end_where_no_more_follow() -> None:
    walk = linked()
    walk.take(PageFacts(FULL, pointer="a", has_more=True))
    assert not walk.done
    last = PageFacts(SHORT, pointer="b", has_more=False, is_flag_beside=True)
    walk.take(last)
    assert judge(walk.facts).complete is True


def test_a_cursor_whose_total_changes_is_followed_again() -> None:
    rows, walk, delivered = list(range(10)), linked(), set[int]()
    while not walk.done:
        behind = 4 * walk.position + 4
        page = rows[behind - 4 : behind]
        pointer = f"k{behind}" if behind < len(rows) else None
        taken = walk.take(PageFacts(page, total=len(rows), pointer=pointer))
        delivered.update(page[at] for at in taken)
        if walk.facts.pages == 1:
            del rows[0]
    assert delivered >= set(rows)
    assert judge(walk.facts).complete is True


@pytest.mark.parametrize(("pages", "complete"), [([FULL, SHORT], None), ([FULL], False)])
def test_a_cursor_that_leads_to_the_start_again_is_a_lap_of_several_pages(
    pages: list[tuple[int, ...]], complete: bool | None
) -> None:
    walk = linked()
    for number, ids in enumerate([*pages, FULL], 1):
        walk.take(PageFacts(ids, pointer=f"k{number % (len(pages) + 1) or 1}"))
    assert judge(walk.facts).complete is complete


def test_an_empty_page_between_two_that_are_the_same_makes_no_other_page_of_them() -> None:
    walk = take(numbered(), FULL, EMPTY)
    while not walk.done:
        take(walk, FULL)
    assert "ignores the parameter" in judge(walk.facts).reason


def test_a_last_page_that_comes_again_is_the_end_where_each_page_has_a_row_of_all() -> None:
    walk = numbered()
    assert positions(walk, lambda at: (0, 3 * min(at, 2) + 1, 3 * min(at, 2) + 2))[:4] == [
        0,
        1,
        2,
        3,
    ]
    assert walk.facts.distinct == 7
    assert judge(walk.facts).complete is not False


@pytest.mark.parametrize("change", [[9, *FULL[:3]], [*FULL[1:], 9]])
def test_one_row_that_comes_or_goes_makes_no_other_page_of_the_first(change: list[int]) -> None:
    walk = numbered()
    for ids in (FULL, change, change):
        take(walk, tuple(ids))
    assert judge(walk.facts).complete is None
    assert "ignores the parameter" in judge(walk.facts).reason


def test_as_many_empty_pages_as_an_api_may_send_are_followed() -> None:
    walk = linked()
    for page in range(25):
        assert not walk.done
        walk.take(PageFacts(EMPTY, pointer=f"{page}"))
    assert "25 consecutive pages are empty" in judge(walk.facts).reason


def test_an_empty_second_reading_does_not_confirm_the_first() -> None:
    walk = take(numbered(), FULL, SHORT)
    while not walk.done:
        take(walk, EMPTY)
    assert judge(walk.facts).complete is not True


def test_an_empty_page_without_a_flag_does_not_take_back_that_more_follow() -> None:
    walk = linked()
    take(walk, FULL, has_more=True, pointer="next", is_pointer_found=True)
    take(walk, EMPTY)
    assert judge(walk.facts).complete is False


@pytest.mark.parametrize(("shifts", "is_told"), [(2, False), (3, True)])
def test_only_pages_that_begin_with_the_second_row_again_and_again_count_rows(
    shifts: int, is_told: bool
) -> None:
    """Once or twice, as many rows may have been inserted as a page has, but one."""
    walk = take(numbered(), FULL, *(tuple(range(at, at + 4)) for at in range(1, shifts + 1)))
    take(walk, *([] if walk.done else [(9, 10), (), ()]))
    assert ("counts rows" in judge(walk.facts).reason) is is_told


def test_pages_of_one_row_do_not_begin_with_the_second_one() -> None:
    assert not take(numbered(), *((row,) for row in range(9))).done


@pytest.mark.parametrize(("told", "last"), [(0, 25), (1, 3), (9, 9)])
def test_few_pages_are_read_behind_an_empty_one_only_if_they_are_behind_those_that_are_told(
    told: int, last: int
) -> None:
    """More are promised; 0 pages tell nothing."""
    counts: tuple[dict[str, int], ...] = ({}, {"pages": told})
    asked = positions(numbered(), lambda at: () if at else FULL, has_more=True, counts=counts)
    assert asked[-1] == last


@pytest.mark.parametrize(
    ("ids", "delivered"), [((2, 3, 7, 8), [7, 8]), ((2, 7, 8, 9), [2, 7, 8, 9])]
)
def test_only_the_last_rows_of_the_page_before_are_left_out_of_a_page(
    ids: tuple[int, ...], delivered: list[int]
) -> None:
    taken = take(numbered(), FULL).take(PageFacts(ids))
    assert [ids[at] for at in taken] == delivered


def test_the_looks_behind_the_end_take_none_from_those_for_a_hidden_deletion() -> None:
    """A row moves from page 2 to page 1, which was read, while another one moves behind it."""
    walk, rows = numbered(), [*range(12)]
    received = set[int]()
    while not walk.done:
        if walk.facts.pages == 1:
            rows = [*range(1, 10), 20, 10, 11]
        page = tuple(rows[4 * walk.position :][:4])
        received |= {*page}
        take(walk, page, total=12)
    assert received >= {*range(1, 12)}
    assert judge(walk.facts).complete is True


def test_two_pages_that_overlap_by_chance_are_read_again() -> None:
    walk, received = numbered(), set[int]()
    while not walk.done:
        rows = [*range(8)] if walk.facts.pages == 0 else [0, 7, 1, 2, 3, 4, 5, 6]
        page = tuple(rows[4 * walk.position :][:4])
        received |= {*page}
        take(walk, page, total=8, is_total_of_rows=True)
    assert received == {*range(8)}
    assert judge(walk.facts).complete is True
    assert walk.facts.passes == 2


def test_pages_that_begin_with_the_same_rows_are_others_by_half_of_their_rows() -> None:
    walk = numbered()
    asked = positions(walk, lambda at: (-1, -2, 2 * min(at, 2), 2 * min(at, 2) + 1))
    assert max(asked) == 4
    assert walk.facts.end == "readings agree"
