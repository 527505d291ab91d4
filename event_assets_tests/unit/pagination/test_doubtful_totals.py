"""Totals that count something else, are bounds or estimates, or change."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from event_assets_tests.support.paging import Query
from event_assets_tests.support.served_lists import (
    PAGED,
    by_a_cursor,
    read_paged,
    read_with,
    rows,
    rows_from,
)


@pytest.mark.parametrize(
    ("members", "complete"),
    [
        ({"total_size": 12345}, None),
        ({"totalValue": 5000}, None),
        ({"total_events": 900}, None),
        ({"summary": {"total": 900}}, None),
        ({"found": "2020"}, None),
        ({"nbHits": 1300, "nbPages": 65}, None),
        ({"meta": {"total_events": 500, "total": 130}}, True),
        ({"meta": {"total_count": 500, "filter_count": 130}}, True),
        ({"recordsTotal": 500, "recordsFiltered": 130}, True),
        ({"count": 20}, True),
        ({"meta": {"total": 20}}, True),
        ({"response": {"count": 20}}, True),
        ({"total": 137}, False),
        ({"resultsPage": {"totalEntries": 137}}, False),
        ({"odata.count": "137"}, False),
        ({"@odata.count": 137}, False),
        ({"recordsFiltered": 137}, False),
        ({"@Microsoft.Dynamics.CRM.totalrecordcount": 137}, None),
        ({"meta": {"pagination": {"totalItems": "1,300"}}}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", PAGED)
def test_only_a_total_that_surely_counts_the_list_is_evidence_against_it(
    kind: str, members: dict[str, Any], complete: bool | None
) -> None:
    done = read_paged(kind, members)
    assert done.ids == set(range(130))
    assert done.result.complete is complete, done.result.reason


@pytest.mark.parametrize(
    "members",
    [{"nbHits": 64}, {"stats": {"total_events": 500}}, {"estimatedTotalHits": 7}],
    ids=str,
)
@pytest.mark.parametrize(("found", "complete"), [({"next": None}, None), ({}, False)])
def test_a_total_of_something_else_beside_an_empty_cursor_is_a_doubt(
    members: dict[str, Any], found: dict[str, Any], complete: bool | None
) -> None:
    """Where the path of the cursor was never found, it may be wrong."""
    config = {"type": "cursor", "cursor_path": "next"}
    done = read_with(config, lambda _: {"data": rows(0, 3), **members, **found})
    assert done.result.complete is complete, done.result.reason


@pytest.mark.parametrize(
    "members",
    [{"filtered": 0, "total": 40}, {"recordsFiltered": 0, "recordsTotal": 40}],
    ids=["Podio", "DataTables"],
)
@pytest.mark.parametrize("kind", PAGED)
def test_a_list_from_which_all_is_filtered_is_empty(kind: str, members: dict[str, Any]) -> None:
    done = read_with(PAGED[kind][0], lambda _: {"data": [], **members})
    assert done.result.complete is True, done.result.reason


@pytest.mark.parametrize("kind", PAGED)
def test_what_promises_more_is_named_and_how_to_do_without_it(kind: str) -> None:
    config, answer = PAGED[kind]
    members = {"meta": {"count": 20, "total": 137}}
    done = read_with(config, lambda query: {**answer(query), **members})
    assert "`meta.total` of 137 counts something else, set `total_path: null`" in done.result.reason
    config = {**(config if isinstance(config, dict) else {"type": config}), "total_path": None}
    done = read_with(config, lambda query: {**answer(query), **members})
    assert done.result.complete is True


@pytest.mark.parametrize(
    ("members", "complete"),
    [
        ({"pages": 65}, None),
        ({"nbPages": 8}, None),
        ({"meta": {"total_pages": 8}}, None),
        ({"meta": {"total_pages": 7}}, True),
        ({"meta": {"total_pages": 65, "total": 130}}, True),
    ],
    ids=str,
)
def test_offsets_that_end_before_the_last_page_that_is_told_are_not_complete(
    members: dict[str, Any], complete: bool | None
) -> None:
    done = read_paged("offset", members)
    assert done.ids == set(range(130))
    assert done.result.complete is complete
    assert ("set `total_path: null`" in done.result.reason) is (complete is None)


@pytest.mark.parametrize(("pages", "complete"), [(1, True), (2, None)])
@pytest.mark.parametrize("length", [0, 15])
def test_the_only_page_of_offsets_is_not_complete_if_two_are_told(
    length: int, pages: int, complete: bool | None
) -> None:
    def answer(query: Query) -> dict[str, Any]:
        return {"data": rows_from(int(query["offset"]), length), "total_pages": pages}

    assert read_with({"type": "offset", "limit": 20}, answer).result.complete is complete


@pytest.mark.parametrize("members", [{"pages": 320}, {"maxPage": 50}], ids=str)
def test_a_number_of_pages_that_may_be_of_something_else_is_no_evidence_against_a_list(
    members: dict[str, Any],
) -> None:
    done = read_paged("page", members)
    assert done.ids == set(range(130))
    assert done.result.complete is None
    assert "total_path" in done.result.reason


@pytest.mark.parametrize("member", ["per_page", "count", "page"])
def test_a_total_path_that_is_no_number_of_pages_loses_no_row(member: str) -> None:
    def answer(query: Query) -> dict[str, Any]:
        page = rows_from(20 * (int(query["page"]) - 1), 600)
        meta = {"per_page": 20, "count": len(page), "page": int(query["page"])}
        return {"data": page, "meta": meta}

    config = {"type": "page_number", "base_page": 1, "total_path": f"meta.{member}"}
    done = read_with(config, answer)
    assert done.ids == set(range(600)) or done.result.complete is not True


AT_LEAST: list[dict[str, Any]] = [
    {"total": {"value": 100, "relation": "gte"}},  # Elasticsearch, OpenSearch
    {"hits": {"total": {"value": 100, "relation": "gte"}}},
    {"numFound": 100, "numFoundExact": False},  # Solr
    {"@odata.count": 100, "@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded": True},
    {"total": 100, "isTotalExact": False},
    {"meta": {"total": 100, "totalIsCapped": True}},
    {"meta": {"total": 100, "total_relation": "gte"}},
]
ESTIMATES: list[dict[str, Any]] = [
    {"nbHits": 100, "exhaustiveNbHits": False},  # Algolia
    {"nbHits": 100, "exhaustive": {"nbHits": False}},
    {"estimatedTotalHits": 100},  # Meilisearch
    {"pagination": {"total": 100, "total_is_estimate": True}},
    {"total": 100, "isEstimatedTotal": True},  # FactSet
    {"total": 100, "total_was_estimated": True},  # CKAN
    {"count": 100, "accuracy": "estimated"},
]


def read_first(kind: str, length: int, members: dict[str, Any]) -> Any:
    """Read a list of which the API shows the first rows only, without a word."""
    config, answer = PAGED[kind]

    def cut(query: Query) -> dict[str, Any]:
        page = answer(query)
        data = [row for row in page.pop("data") if row["id"] < length]
        if data and data[-1]["id"] == length - 1:
            page.pop("next", None)
        return {**page, **members, "hits": {**members.get("hits", {}), "hits": data}, "data": data}

    done = read_with(config, cut)
    assert done.ids == set(range(length))
    return done.result


@pytest.mark.parametrize("members", AT_LEAST, ids=str)
@pytest.mark.parametrize("kind", PAGED)
@pytest.mark.parametrize(("length", "complete"), [(80, False), (100, None), (120, True)])
def test_a_lower_bound_is_no_end_where_it_is_reached_and_a_lack_where_it_is_not(
    kind: str, members: dict[str, Any], length: int, complete: bool | None
) -> None:
    result = read_first(kind, length, members)
    assert result.complete is complete, result.reason
    assert ("reports at least 100" in result.reason) is (complete is not True)


@pytest.mark.parametrize("behind", [[], [{"id": 20}]], ids=str)
@pytest.mark.parametrize("members", [one for one in AT_LEAST if "hits" not in one], ids=str)
def test_a_lower_bound_of_the_first_page_holds_for_those_without(
    members: dict[str, Any], behind: list[Any]
) -> None:
    def answer(query: Query) -> dict[str, Any]:
        return {"data": behind} if "cursor" in query else {**by_a_cursor(query), **members}

    done = read_with(PAGED["cursor"][0], answer)
    assert done.result.complete is False
    assert "reports at least 100" in done.result.reason


@pytest.mark.parametrize("members", ESTIMATES, ids=str)
@pytest.mark.parametrize("kind", PAGED)
@pytest.mark.parametrize(("length", "complete"), [(80, None), (100, True), (120, True)])
def test_an_estimate_is_a_doubt_where_it_is_not_reached(
    kind: str, members: dict[str, Any], length: int, complete: bool | None
) -> None:
    result = read_first(kind, length, members)
    assert result.complete is complete, result.reason


@pytest.mark.parametrize("members", [{}, {"total": 130, "isTotalExact": False}], ids=str)
def test_a_lower_bound_that_is_reached_saves_no_request(members: dict[str, Any]) -> None:
    done = read_paged("page", members)
    assert len(done.asked) == 2 * 7 + 5


def by_thousands(kind: str, length: int, **members: Any) -> Any:
    config: dict[str, Any] = {"type": kind, **({"limit": 1000} if kind == "offset" else {})}

    def answer(query: Query) -> dict[str, Any]:
        first = int(query["offset"]) if kind == "offset" else 1000 * int(query["page"])
        return {"data": [{"id": row} for row in range(first, min(length, first + 1000))], **members}

    return read_with(config, answer).result


@pytest.mark.parametrize("kind", ["offset", "page_number"])
@pytest.mark.parametrize(
    ("length", "members", "complete"),
    [
        (10_000, {}, None),
        (10_000, {"estimatedTotalHits": 10_000}, None),
        (10_000, {"total": 10_000}, None),
        (5_000, {"total": 5_000}, True),
        (9_999, {}, True),
        (10_001, {}, True),
        (11_000, {}, True),
    ],
)
def test_nothing_behind_the_usual_depth_of_search_engines_may_be_their_limit(
    kind: str, length: int, members: dict[str, Any], complete: bool | None
) -> None:
    result = by_thousands(kind, length, **members)
    assert result.facts.distinct == length
    assert result.complete is complete, result.reason
    assert ("`windows`" in result.reason) is (complete is None)


@pytest.mark.parametrize("is_pinned", [True, False])
def test_a_total_that_is_doubtful_is_no_evidence_against_page_numbers(is_pinned: bool) -> None:
    """A row comes at the top of each page, or the total is never the same."""
    totals = itertools.cycle([130] if is_pinned else [131, 128, 132, 129])

    def answer(query: Query) -> dict[str, Any]:
        page = rows_from(20 * int(query["page"]))
        pinned = [{"id": 7}] if page and is_pinned else []
        return {"data": pinned + page, "total": next(totals)}

    done = read_with("page_number", answer)
    assert done.ids == set(range(130))
    assert done.result.complete is None, done.result.reason
    said = "several share an id" if is_pinned else "leaves open whether more follow"
    assert said in done.result.reason


@pytest.mark.parametrize(("total", "complete"), [({}, False), ({"total": 1}, None)])
def test_rows_that_share_an_id_make_a_total_doubtful_that_is_there(
    total: dict[str, int], complete: bool | None
) -> None:
    def answer(query: Query) -> dict[str, Any]:
        page = [{"id": 1}, {"id": 1}] if int(query["page"]) == 0 else []
        return {"data": page, "has_more": True, **total}

    assert read_with("page_number", answer).result.complete is complete


def test_a_total_that_an_api_passes_over_by_sending_its_last_rows_again_is_not_reached() -> None:
    """It sends those at offset 100 for any offset behind it, and a row is deleted."""
    asked = itertools.count()

    def answer(query: Query) -> dict[str, Any]:
        rows = [{"id": row} for row in range(next(asked) > 6, 137)]
        return {"data": rows[min(int(query["offset"]), 100) :][:20], "total": len(rows)}

    done = read_with({"type": "offset", "limit": 20}, answer)
    assert len(done.ids) < 137
    assert done.result.complete is False, done.result.reason
    assert "reports 136 rows but sent" in done.result.reason


def test_a_total_of_0_behind_a_depth_makes_no_total_doubtful() -> None:
    def answer(query: Query) -> dict[str, Any]:
        page = rows_from(20 * int(query["page"]), 100)
        return {"data": page, "total": 130 if page else 0}

    done = read_with("page_number", answer)
    assert done.result.complete is False


@pytest.mark.parametrize("name", ["total", "meta.total_count", "count"])
def test_a_number_of_rows_at_the_total_path_of_page_numbers_counts_rows(name: str) -> None:
    def answer(query: Query) -> dict[str, Any]:
        total: Any = 130
        for part in reversed(name.split(".")):
            total = {part: total}
        return {"data": rows_from(20 * int(query["page"])), **total}

    config = {"type": "page_number", "total_path": name}
    done = read_with(config, answer)
    assert done.ids == set(range(130))
    assert done.result.complete is True
    assert [int(query["page"]) for query in done.asked] == [*range(7), 0, 2, 4]


@pytest.mark.parametrize("length", [30, 95, 100])
@pytest.mark.parametrize("kind", ["page", "offset", "cursor"])
def test_a_total_of_what_is_left_is_reached(kind: str, length: int) -> None:
    config, _ = PAGED[kind]

    def answer(query: Query) -> Any:
        at = int(query.get("offset") or query.get("cursor") or 20 * int(query.get("page", 0)))
        following = {"next": str(at + 20)} if at + 20 < length else {}
        return {"data": rows_from(at, length), "total": max(0, length - at), **following}

    done = read_with(config, answer)
    assert done.ids == {*range(length)}
    assert done.result.complete is True
    assert len(done.asked) <= -(-length // 20) + 5


@pytest.mark.parametrize("length", [40, 95, 100])
@pytest.mark.parametrize("kind", ["page", "offset", "cursor"])
def test_a_total_of_what_is_left_behind_a_page_ends_no_list(kind: str, length: int) -> None:
    config, _ = PAGED[kind]

    def answer(query: Query) -> Any:
        at = int(query.get("offset") or query.get("cursor") or 20 * int(query.get("page", 0)))
        following = {"next": str(at + 20)} if at + 20 < length else {}
        return {"data": rows_from(at, length), "total": max(0, length - at - 20), **following}

    done = read_with(config, answer)
    assert done.ids == {*range(length)}
    assert done.result.complete is True


def test_a_total_that_falls_in_another_way_is_doubted_with_a_way_out() -> None:
    def answer(query: Query) -> Any:
        at = 20 * int(query["page"])
        return {"data": rows_from(at), "total": max(3, 133 - at)}

    reason = read_with("page_number", answer).result.reason
    assert "if they count something else, set `total_path: null`" in reason


@pytest.mark.parametrize("behind", [404, 400, {"data": []}])
@pytest.mark.parametrize("path", ["page.total", "pages"])
def test_page_numbers_that_end_before_the_last_page_that_is_told_are_not_complete(
    path: str, behind: Any
) -> None:
    name = path.rpartition(".")[2]

    def answer(query: Query) -> Any:
        told = {"page": {name: 5}} if "." in path else {name: 5}
        at = 20 * int(query["page"])
        if at < 60:
            return {"data": rows_from(at), **told}
        return behind if isinstance(behind, int) else {**behind, **told}

    done = read_with({"type": "page_number", "total_path": path}, answer)
    assert done.ids == {*range(60)}
    assert done.result.complete is not True
    assert len(done.asked) <= 10


def test_short_pages_in_mid_list_are_no_sign_of_pages_that_were_not_read() -> None:
    """The server filters after paging: five pages hold no more rows than four full ones."""

    def answer(query: Query) -> dict[str, Any]:
        page = int(query["page"])
        rows = [row for row in range(20 * page, min(100, 20 * page + 20)) if row < 20 or row % 4]
        return {"data": [{"id": row} for row in rows], "pages": 5}

    done = read_with({"type": "page_number", "total_path": "pages"}, answer)
    assert (len(done.ids), done.result.complete) == (80, True), done.result.reason


@pytest.mark.parametrize("length", [13, 20, 200, 255])
@pytest.mark.parametrize("path", ["page.total", "meta.pagination.total"])
def test_a_number_of_rows_at_the_total_path_is_told_from_one_of_pages_by_the_rows(
    path: str, length: int
) -> None:
    """In some APIs, such a path has the number of pages."""

    def answer(query: Query) -> dict[str, Any]:
        told: Any = length
        for name in reversed(path.split(".")):
            told = {name: told}
        return {"data": rows_from(20 * int(query["page"]), length), **told}

    done = read_with({"type": "page_number", "total_path": path}, answer)
    assert (len(done.ids), done.result.complete) == (length, True), done.result.reason
    assert len(done.asked) <= length // 20 + 8


@pytest.mark.parametrize("is_always", [True, False])
def test_a_number_of_pages_that_is_null_is_none(is_always: bool) -> None:
    """As of an API that counts no longer, or not where it takes too long."""

    def answer(query: Query) -> dict[str, Any]:
        first = 20 * int(query["page"])
        rows = [{"id": row} for row in range(first, min(50, first + 20))]
        return {"data": rows, "meta": {"pages": None if is_always or first else 3}}

    done = read_with({"type": "page_number", "total_path": "meta.pages"}, answer)
    assert (len(done.ids), done.result.complete) == (50, True), done.result.reason


@pytest.mark.parametrize("config", [{"type": "offset", "limit": 20}, "page_number"], ids=str)
def test_a_total_that_grows_on_the_only_page_makes_the_list_be_read_again(config: Any) -> None:
    asked = itertools.count()

    def answer(query: Query) -> dict[str, Any]:
        first = int(query.get("offset") or 20 * int(query.get("page", 0)))
        length = 3 if next(asked) else 2
        return {"data": rows_from(first, length), "total": length}

    done = read_with(config, answer)
    assert done.ids >= {0, 1}
    assert done.result.complete is True, done.result.reason
    assert len(done.asked) <= 8


@pytest.mark.parametrize("at", range(1, 6))
def test_a_total_of_the_first_page_may_be_outdated_at_the_end(at: int) -> None:
    """A row is deleted, and another one moves to a page that was read."""
    rows, asked = [*range(95)], itertools.count()

    def answer(query: Query) -> dict[str, Any]:
        if next(asked) == at:
            del rows[0]
        page = int(query["page"])
        shown = [{"id": row} for row in rows[20 * page :][:20]]
        return {"data": shown, **({} if page else {"total": len(rows)})}

    done = read_with("page_number", answer)
    assert done.ids >= {*rows}
    assert done.result.complete is True, done.result.reason
    assert len(done.asked) <= 25


def test_a_total_that_repeated_rows_have_passed_promises_no_pages() -> None:
    """The server asks for fewer rows behind page 2, so that the pages overlap there."""

    def answer(query: Query) -> dict[str, Any]:
        page = int(query["page"])
        size = 10 if page < 2 else 9
        rows = range(size * page, min(28, size * page + size))
        return {"data": [{"id": row} for row in rows], "total": 28}

    done = read_with("page_number", answer)
    assert done.ids == set(range(28))
    assert done.result.complete is not False, done.result.reason
    assert len(done.asked) <= 20


@pytest.mark.parametrize("in_turn", [1, 2])
@pytest.mark.parametrize("behind", [0, 1])
def test_a_total_that_goes_to_and_fro_is_a_doubt(behind: int, in_turn: int) -> None:
    """In turn, responses come from a server that has not three new rows yet."""
    asked, old, new = itertools.count(), [*range(95)], [900, 901, 902, *range(95)]

    def answer(query: Query) -> dict[str, Any]:
        rows = new if next(asked) // in_turn % 2 == behind else old
        first = int(query["offset"])
        return {"data": [{"id": row} for row in rows[first : first + 10]], "total": len(rows)}

    done = read_with({"type": "offset", "limit": 10}, answer)
    assert done.result.complete is None, done.result.reason
    assert "goes to and fro" in done.result.reason


@pytest.mark.parametrize(
    ("first", "then", "complete"),
    [
        *(([95, 96, 95], 95, True), ([96, 95, 96], 95, None)),
        *(([95, 96, 95, 96, 95, 97], 95, True), ([95, 94, 96] * 3, 95, True)),
    ],
)
def test_a_total_goes_to_and_fro_if_it_does_so_twice(
    first: list[int], then: int, complete: bool | None
) -> None:
    totals = itertools.chain(first, itertools.repeat(then))

    def answer(query: Query) -> dict[str, Any]:
        first = int(query["offset"])
        rows = [{"id": row} for row in range(first, min(95, first + 10))]
        return {"data": rows, "total": next(totals)}

    assert read_with({"type": "offset", "limit": 10}, answer).result.complete is complete


@pytest.mark.parametrize(("first", "complete"), [(130, True), (200, None)])
def test_a_cursor_whose_total_falls_in_each_reading_may_leave_its_list(
    first: int, complete: bool | None
) -> None:
    """It may forget a filter that the first request has."""

    def answer(query: Query) -> Any:
        return {**PAGED["cursor"][1](query), "total": 130 if "cursor" in query else first}

    assert read_with(PAGED["cursor"][0], answer).result.complete is complete


def test_a_total_that_falls_to_the_limit_is_reached() -> None:
    requests_sent = itertools.count(1)

    def answer(query: Query) -> Any:
        length = 21 if next(requests_sent) == 1 else 20
        return {"data": rows_from(int(query["offset"]), length), "total": length}

    done = read_with({"type": "offset", "limit": 20}, answer)
    assert (len(done.ids), done.result.complete) == (20, True)


@pytest.mark.parametrize("length", [0, 4, 10, 25])
def test_a_count_of_the_size_that_was_asked_for_is_an_echo(length: int) -> None:
    def answer(query: Query) -> Any:
        first, size = int(query["start"]), int(query["count"])
        return {"data": rows(first, min(length, first + size)), "paging": {"count": size}}

    paginator = {"type": "offset", "limit": 10, "offset_param": "start", "limit_param": "count"}
    done = read_with(paginator, answer)
    assert done.ids == set(range(length))
    assert done.result.complete is True, done.result.reason
