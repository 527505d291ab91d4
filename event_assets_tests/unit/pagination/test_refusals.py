"""Which refused pages are the end of a list, which a limit, and which a failure."""

from __future__ import annotations

from itertools import count
from math import inf
from typing import Any

import orjson
import pytest
import requests

from event_assets.http.response import JsonResponse
from event_assets.pagination.evidence import judge
from event_assets.pagination.factory import create_paginator
from event_assets.pagination.facts import PageFacts
from event_assets.pagination.number_walk import NumberWalk
from event_assets.pagination.pointer_walk import PointerWalk
from event_assets_tests.support.list_models import URL
from event_assets_tests.support.paging import Query, read_ids
from event_assets_tests.support.served_lists import NUMBERED, PAGED, paged, read_with, rows


def test_a_cursor_that_is_refused_is_no_end() -> None:
    def answer(query: Query) -> Any:
        return 400 if "cursor" in query else {"data": rows(0, 20), "cursors": {"next": "a"}}

    with pytest.raises(requests.HTTPError):
        read_with("cursor", answer)


@pytest.mark.parametrize("status", [400, 404, 410, 416, 422])
@pytest.mark.parametrize(("length", "size"), [(250, 100), (2130, 100), (120, 40)])
def test_a_refused_page_behind_a_good_one_is_the_end(status: int, length: int, size: int) -> None:
    def answer(query: Query) -> Any:
        page = paged(query, length, size)
        return {"data": page} if page else status

    done = read_with(NUMBERED, answer)
    assert len(done.ids) == length
    assert done.result.complete is True


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize("length", [1, 2, 3, 7])
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_an_offset_is_refused_behind_the_end_in_each_reading(
    limit: int, length: int, status: int
) -> None:
    def answer(query: Query) -> Any:
        first = int(query["offset"])
        return {"data": rows(first, length)[:limit]} if first < length else status

    done = read_with({"type": "offset", "limit": limit}, answer)
    assert len(done.ids) == length
    assert done.result.complete is (None if limit == 1 < length else True)


def test_the_only_row_of_a_list_may_be_gone_and_refused_in_the_second_reading() -> None:
    shown = count()

    def answer(query: Query) -> Any:
        is_there = query["offset"] == "0" and next(shown) == 0
        return {"data": rows(0, 1)} if is_there else 404

    done = read_with({"type": "offset", "limit": 100}, answer)
    assert len(done.ids) == 1
    assert done.result.complete is not False


def test_a_refusal_is_no_end_when_the_page_before_is_refused_too() -> None:
    asked: list[Query] = []

    def answer(query: Query) -> Any:
        asked.append(query)
        return {"data": paged(query, 1000, 40)} if len(asked) < 3 else 404

    with pytest.raises(requests.HTTPError):
        read_with(NUMBERED, answer)


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_refusal_that_says_nothing_of_a_page_is_an_error(status: int) -> None:
    with pytest.raises(requests.HTTPError):
        read_with(
            NUMBERED, lambda query: {"data": paged(query, 250)} if paged(query, 250) else status
        )


def test_a_first_page_that_is_refused_is_an_error() -> None:
    with pytest.raises(requests.HTTPError):
        read_with(NUMBERED, lambda _: 404)


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize(
    ("pages", "size"), [(10, 100), (5, 100), (10, 7), (10, 20), (20, 5), (3, 50)]
)
def test_a_refusal_at_a_round_number_of_rows_or_pages_may_be_a_limit(
    pages: int, size: int, status: int
) -> None:
    def answer(query: Query) -> Any:
        is_shown = int(query["page"]) <= pages
        return {"data": paged(query, pages * size, size)} if is_shown else status

    done = read_with(NUMBERED, answer)
    assert len(done.ids) == pages * size
    assert done.result.complete is None
    assert "may be its limit" in done.result.reason


@pytest.mark.parametrize("said", [{"pages": 5}, {"last": True}], ids=["pages", "flag"])
def test_a_refusal_at_a_round_number_is_the_end_that_the_page_before_tells(said: Any) -> None:
    def answer(query: Query) -> Any:
        page, number = paged(query, 500), int(query["page"])
        flag = {"last": number == 5} if "last" in said else said
        return {"data": page, **flag} if page else 404

    done = read_with(NUMBERED, answer)
    assert len(done.ids) == 500
    assert done.result.complete is True


def test_a_response_without_content_leaves_what_the_page_before_said() -> None:
    walk = NumberWalk(maximum=inf, stop_after_empty_page=None)
    for _ in range(2):
        walk.take(PageFacts(range(10), at_least=13))
        while walk.position and not walk.done:
            assert walk.refuse(204)
    assert judge(walk.facts).complete is False


def test_a_response_without_content_at_a_round_number_of_rows_is_no_limit() -> None:
    walk = NumberWalk(maximum=inf, stop_after_empty_page=None)
    for _ in range(2):
        walk.take(PageFacts(range(50)))
        while walk.position and not walk.done:  # and then the list is read again, from its start
            assert walk.refuse(204)
    assert judge(walk.facts).complete is True


@pytest.mark.parametrize("name", ["pages", "total_pages", "max_page"])
@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_refusal_of_a_page_that_a_number_of_pages_promises_is_doubtful(
    status: int, name: str
) -> None:
    def answer(query: Query) -> Any:
        return {"data": paged(query, 115, 20), name: 6} if int(query["page"]) < 3 else status

    done = read_with(NUMBERED, answer)
    assert done.result.complete is None
    assert f"If `{name}` of 6 counts something else" in done.result.reason


def test_a_limit_that_refuses_the_page_behind_a_short_one_by_number_is_its_end() -> None:
    walk = NumberWalk(maximum=inf, stop_after_empty_page=None)
    for _ in range(2):
        walk.take(PageFacts(range(20)))
        walk.take(PageFacts(range(20, 33)))
        while walk.position and not walk.done:  # and then the list is read again, from its start
            assert walk.refuse(400, is_limit=True)
    assert judge(walk.facts).complete is True


def test_a_limit_that_refuses_what_a_cursor_leads_to_leaves_rows_out() -> None:
    walk = PointerWalk(maximum=inf, stop_after_empty_page=None)
    walk.take(PageFacts(range(20), pointer="k"))
    walk.take(PageFacts(range(20, 33), pointer="m"))
    assert walk.refuse(403, is_limit=True)
    assert walk.facts.end == "depth"


@pytest.mark.parametrize("told", [{}, {"pages": 6}])
def test_pages_follow_a_response_without_content_behind_a_full_page(told: Any) -> None:
    def answer(query: Query) -> Any:
        return 204 if query["page"] == "3" else {"data": paged(query, 115, 20), **told}

    done = read_with(NUMBERED, answer, ignored=[204])
    assert done.ids == {*range(40), *range(60, 115)}
    assert done.result.complete is None


def test_a_response_without_content_ends_a_list_of_cursors_whose_total_is_reached() -> None:
    def answer(query: Query) -> Any:
        first = {None: 0, "a": 50}.get(query.get("cursor"))
        if first is None:
            return 204
        cursors = {"next": "b" if first else "a"}
        return {"data": rows(first, first + 50), "total": 100, "cursors": cursors}

    done = read_with("cursor", answer, ignored=[204])
    assert (len(done.ids), done.result.complete) == (100, True)


@pytest.mark.parametrize("ignored", [[], [404]])
def test_a_refused_page_behind_the_end_of_offsets_is_an_empty_one(ignored: list[int]) -> None:
    def answer(query: Query) -> Any:
        first = int(query["offset"])
        return {"data": rows(first, min(25, first + 10))} if first < 25 else 404

    done = read_with({"type": "offset", "limit": 10}, answer, ignored=ignored)
    assert len(done.ids) == 25
    assert done.result.complete is True


@pytest.mark.parametrize("length", [20, 21, 25, 30, 31])
@pytest.mark.parametrize("at", [2, 3, 4])
def test_an_overlap_that_a_deletion_moved_behind_the_end_may_be_refused(
    length: int, at: int
) -> None:
    listed, requests_sent = [*range(length)], count(1)

    def answer(query: Query) -> Any:
        first = int(query["offset"])
        if next(requests_sent) == at:
            del listed[3:5]
        page = [{"id": row} for row in listed[first : first + 10]]
        return {"data": page} if page else 404

    done = read_with({"type": "offset", "limit": 10}, answer)
    assert done.ids >= {*listed}
    assert done.result.complete is True


def test_an_offset_in_the_list_that_is_refused_again_is_a_failure() -> None:
    def answer(query: Query) -> Any:
        first = int(query["offset"])
        return {"data": rows(first, first + 10)} if first < 50 else 404

    with pytest.raises(requests.HTTPError):
        read_with({"type": "offset", "limit": 10}, answer)


def test_offsets_that_are_refused_or_ignored_at_once_are_read_as_such() -> None:
    with pytest.raises(requests.HTTPError):
        read_with({"type": "offset", "limit": 10}, lambda _: 404)
    ignored = read_with({"type": "offset", "limit": 10}, lambda _: 404, ignored=[404])
    assert ignored.result.complete is None


def test_a_refused_page_is_no_end_while_a_total_promises_more() -> None:
    def answer(query: Query) -> Any:
        return {"data": paged(query, 900), "total": 900} if int(query["page"]) < 4 else 400

    with pytest.raises(requests.HTTPError):
        read_with(NUMBERED, answer)


@pytest.mark.parametrize(("status", "is_named"), [(400, True), (200, False)])
def test_a_total_that_is_not_reached_names_the_refusal_of_the_next_page(
    status: int, is_named: bool
) -> None:
    def answer(query: Query) -> Any:
        first = int(query["offset"])
        is_behind = first + 100 > 500
        shown = rows(first, min(500, first + 100))
        return status if is_behind and status != 200 else {"data": shown, "total": 900}

    done = read_with({"type": "offset", "limit": 100}, answer)
    assert done.result.complete is False
    assert (" It refused the next page." in done.result.reason) is is_named, done.result.reason


@pytest.mark.parametrize("deleted", [1, 5, 25, 35])
def test_a_page_that_is_not_there_after_a_deletion_is_looked_for_again(deleted: int) -> None:
    """The total that promises it is from before the deletion."""
    listed, asked = rows(0, 60), list[str]()

    def answer(query: Query) -> Any:
        asked.append(query["page"])
        if len(asked) == 3:
            del listed[:deleted]
        page = listed[20 * int(query["page"]) - 20 :][:20]
        return {"data": page, "count": len(listed)} if page else 404

    done = read_with({"type": "page_number", "base_page": 1}, answer)
    assert done.ids >= {row["id"] for row in listed}
    assert done.result.complete is True
    assert len(asked) <= 9


@pytest.mark.parametrize("length", [100, 200])  # 5 and 10 full pages
def test_a_refusal_of_a_page_that_is_requested_again_is_no_end(length: int) -> None:
    sent = count(1)

    def answer(query: Query) -> Any:
        if next(sent) > length / 20 + 1:  # a quota
            return 400
        first = 20 * (int(query["page"]) - 1)
        return {"data": rows(first, min(length, first + 20)), "total": length}

    done = read_with({"type": "page_number", "base_page": 1}, answer)
    assert (len(done.ids), done.result.complete) == (length, True)


@pytest.mark.parametrize("pages", [1, 2])
def test_words_that_refuse_the_page_of_a_cursor_end_a_list_of_several_pages(pages: int) -> None:
    paginator = create_paginator("cursor", read_ids)
    paginator.init_request(requests.Request("GET", "http://x/events"))
    for page in range(pages):
        response = requests.Response()
        response._content = f'{{"data": [], "cursors": {{"next": "k{page}"}}}}'.encode()
        response.status_code = 200
        paginator.receive(response, rows(30 * page, 30 * page + 30))
    is_end = pages > 1
    assert paginator.refused(400, said=" It says: no.") is is_end
    assert paginator.has_next_page is not is_end
    assert judge(paginator.facts).complete is (None if is_end else False)


def test_the_words_of_a_refusal_that_is_the_end_leave_no_doubt() -> None:
    pages = {"1": rows(0, 7), "2": rows(7, 10)}
    paginator = create_paginator(NUMBERED, read_ids)
    request = requests.Request("GET", URL, params={}, json={})
    paginator.init_request(request)
    while paginator.has_next_page:
        page = pages.get(str(request.params["page"]))
        if page:
            paginator.receive(JsonResponse(orjson.dumps({"data": page}), {}), page)
        else:
            assert paginator.refused(404, said=" It says: no such page.")
        paginator.update_request(request)
    assert judge(paginator.facts).complete is True


@pytest.mark.parametrize("told", [{}, {"has_more": False}, {"total": 500}])
@pytest.mark.parametrize("kind", ["page", "offset"])
def test_a_last_page_that_comes_again_at_a_round_number_of_rows_may_be_a_limit(
    kind: str, told: Any
) -> None:
    """Some APIs send the deepest page that they show for each that is asked for behind it."""

    def answer(query: Query) -> Any:
        at = int(query["offset"]) if kind == "offset" else 50 * int(query["page"])
        at = min(at, 450)
        return {"data": rows(at, 730)[:50], **(told if at == 450 or "total" in told else {})}

    done = read_with(PAGED[kind][0], answer)
    assert len(done.ids) == 500
    assert bool(done.result.complete) is bool(told)


@pytest.mark.parametrize(("pages", "complete"), [(2, True), (3, None)])
def test_a_last_page_that_comes_again_behind_the_last_one_that_is_told_is_no_limit(
    pages: int, complete: bool | None
) -> None:
    def answer(query: Query) -> Any:
        return {"data": rows(0, 100)[50 * min(1, int(query["page"])) :][:50], "total_pages": pages}

    done = read_with("page_number", answer)
    assert len(done.ids) == 100
    assert done.result.complete is complete, done.result.reason
