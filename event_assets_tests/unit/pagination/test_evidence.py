"""A list is complete on evidence only: what each shape of API shows, and what is concluded."""

from __future__ import annotations

import json
import re
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests

from event_assets.pagination import evidence
from event_assets.pagination.evidence import TABLE, find_conditions, judge, sentence_values
from event_assets.pagination.factory import create_paginator
from event_assets.pagination.facts import ListFacts
from event_assets.pagination.vocabulary import leads_back
from event_assets_tests.support.paging import Query, read_ids
from event_assets_tests.support.served_lists import NUMBERED, paged, read_with, rows

CURSOR = {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"}


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.name)
def test_each_kind_of_evidence_has_a_sentence_that_can_be_said(kind: Any) -> None:
    of_lists = ("windows", "lists", "problem", "param_from", "param_to", "parent")
    words = dict.fromkeys(of_lists, "")
    names = ("limit", "size", "empty", "idle", "length", "fullest", "doubted")
    counts = dict.fromkeys((*names, "page"), 9)
    facts = ListFacts(reported=9, least_total=9, values={**words, **counts})
    said = kind.sentence.format(**sentence_values(facts))
    assert said
    assert "False" not in said


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "The list is empty"), (1, "The only row was received"), (2, "All 2 rows")],
)
def test_the_rows_are_said_in_their_number(size: int, said: str) -> None:
    done = read_with("single_page", lambda _: {"data": rows(0, size), "total": size})
    assert done.result.reason.startswith(said)


def test_what_is_known_by_the_facts_is_in_the_table() -> None:
    assert find_conditions(ListFacts()).keys() <= {row.name for row in TABLE}


def test_each_end_that_is_named_where_a_list_finishes_is_in_the_table() -> None:
    modules = Path(evidence.__file__).parent.glob("*.py")
    text = "".join(module.read_text() for module in modules)
    ends = {*re.findall(r'(?:finish\(|unless=|\bend = )"([^"{}]+)"', text)}
    assert {"depth", "changed", "readings agree"} <= ends
    assert ends <= {row.name for row in TABLE}


def test_the_documentation_has_the_table_of_evidence() -> None:
    text = (Path(__file__).parents[3] / "docs/completeness.md").read_text()
    words = {True: "pass", None: "WARN", False: "ERROR"}
    listed = re.findall(r"^\| ([\w ]+) \| (pass|WARN|ERROR) \| .+ \|$", text, re.MULTILINE)
    assert listed == [(row.name, words[row.complete]) for row in TABLE]


@pytest.mark.parametrize("size", [10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000])
def test_one_page_of_a_usual_length_proves_nothing(size: int) -> None:
    done = read_with("cursor", lambda _: {"data": rows(0, size), "cursors": {"next": None}})
    assert done.result.complete is None
    assert f"{size:,} rows received in one page" in done.result.reason


@pytest.mark.parametrize("size", [11, 21, 26, 51, 101, 201, 251, 501, 1001])
def test_one_page_of_one_row_more_is_complete(size: int) -> None:
    done = read_with("cursor", lambda _: {"data": rows(0, size), "cursors": {"next": None}})
    assert done.result.complete is True


@pytest.mark.parametrize(
    "name", ["pageSize", "page[size]", "pagination[limit]", "searchCriteria[pageSize]"]
)
def test_one_page_as_long_as_was_asked_for_proves_nothing(name: str) -> None:
    paginator = create_paginator("cursor", read_ids)
    request = requests.Request("GET", "http://x/events", params={name: 37})
    paginator.init_request(request)
    response = requests.Response()
    response._content = json.dumps({"data": [], "cursors": {"next": None}}).encode()
    response.status_code = 200
    paginator.receive(response, rows(0, 37))
    assert judge(paginator.facts).complete is None


def test_one_page_of_another_length_whose_pointer_is_null_is_complete() -> None:
    done = read_with("cursor", lambda _: {"data": rows(0, 37), "cursors": {"next": None}})
    assert done.result.complete is True


@pytest.mark.parametrize(
    ("size", "said", "complete"),
    [
        (50, {"last_page": 1, "total": 50}, True),  # Laravel
        (50, {"page": {"totalPages": 1, "totalElements": 50}}, True),  # Spring
        (30, {"page_count": 1, "total_records": 30}, True),  # Zoom
        (7, {"hydra:totalItems": 7}, True),  # API Platform
        (50, {"hydra:totalItems": 50}, None),
        (50, {"count": 50}, None),
        (50, {"last_page": 1}, None),
        (50, {"last_page": 2, "total": 50}, False),
    ],
)
def test_a_page_is_the_only_one_by_its_total_and_the_number_of_pages(
    size: int, said: dict[str, Any], complete: bool | None
) -> None:
    done = read_with(CURSOR, lambda _: {"data": rows(0, size), **said})
    assert done.result.complete is complete


def test_a_path_that_was_never_found_is_named() -> None:
    done = read_with(CURSOR, lambda _: {"data": rows(0, 37)})
    assert done.result.complete is None
    assert "cursor_path `paging.next.after` was not found" in done.result.reason


def test_what_is_in_the_records_is_no_pointer() -> None:
    done = read_with(
        "cursor", lambda _: {"data": [{"id": 1, "next": "x"}], "cursors": {"next": None}}
    )
    assert done.result.complete is True


@pytest.mark.parametrize("end", [None, "", False])
def test_a_link_that_came_and_is_empty_is_the_end(end: Any) -> None:
    def answer(query: Query) -> Any:
        if "token" in query:
            return {"data": rows(100, 200), "next": end}
        return {"data": rows(0, 100), "next": "/events?token=abc"}

    done = read_with("json_link", answer)
    assert len(done.ids) == 200
    assert done.result.complete is True


def test_has_more_that_is_false_outweighs_a_cursor_that_still_stands() -> None:
    def answer(query: Query) -> Any:
        first = 100 if "cursor" in query else 0
        more = not first
        following = "ka" if more else "kb"
        return {"data": rows(first, first + 100), "cursors": {"next": following}, "more": more}

    done = read_with({"type": "cursor", "has_more_path": "more"}, answer)
    assert len(done.ids) == 200
    assert done.result.complete is True
    assert "no more follow, though" in done.result.reason


@pytest.mark.parametrize(
    ("path", "is_back"),
    [("links.prev", True), ("before", True), ("cursor", False), ("paging.next.before", False)],
)
def test_a_link_to_the_page_before_is_known_by_its_name(path: str, is_back: bool) -> None:
    assert leads_back(path) is is_back


@pytest.mark.parametrize(
    "path",
    ["@odata.nextLink", "a.b", "$next", "next page", "hydra:next", "links.next", "$.links.next"],
)
def test_a_path_is_the_name_of_a_member_first_then_a_json_path(path: str) -> None:
    def answer(query: Query) -> Any:
        link = None if "token" in query else "/events?token=abc"
        body = {"links": {"next": link}} if "links" in path else {path: link}
        return {"data": rows(50, 95) if link is None else rows(0, 50), **body}

    done = read_with({"type": "json_link", "next_url_path": path}, answer)
    assert done.ids == set(range(95))
    assert done.result.complete is True


@pytest.mark.parametrize("extra", [{"count": 2500}, {"total": 2500}, {"total": 2500, "pages": 25}])
def test_nothing_is_requested_behind_a_total_that_is_reached(extra: dict[str, Any]) -> None:
    done = read_with(NUMBERED, lambda query: {"data": paged(query, 2500), **extra})
    assert len(done.ids) == 2500
    assert done.result.complete is True
    assert [int(query["page"]) for query in done.asked] == [*range(1, 26), 1, 7, 13, 19]


@pytest.mark.parametrize("every", [5, 7])
def test_rows_that_move_in_a_list_whose_total_is_reached_twice_are_complete(every: int) -> None:
    """As in a list whose first row is the one that was changed last."""
    asked, listed = count(1), rows(0, 100)

    def answer(query: Query) -> Any:
        if next(asked) % every == 0:
            listed.insert(0, listed.pop(50))
        first = 20 * (int(query["page"]) - 1)
        return {"data": listed[first : first + 20], "total": 100}

    done = read_with(NUMBERED, answer)
    assert len(done.ids) == 100
    assert done.result.complete is True


@pytest.mark.parametrize("members", [{}, {"total": 250}])
def test_rows_of_a_page_that_come_in_another_order_change_no_list(members: dict[str, int]) -> None:
    asked = count()

    def answer(query: Query) -> Any:
        page = paged(query, 250)
        return {"data": page[::-1] if next(asked) % 3 else page, **members}

    done = read_with(NUMBERED, answer)
    assert len(done.ids) == 250
    assert done.result.complete is True


@pytest.mark.parametrize("name", ["count", "total", "results_count"])
@pytest.mark.parametrize("length", [7, 37, 40, 137])
def test_the_number_of_rows_of_each_page_promises_no_pages(name: str, length: int) -> None:
    def answer(query: Query) -> Any:
        page = paged(query, length, 20)
        return {"data": page, name: len(page)}

    done = read_with(NUMBERED, answer)
    assert len(done.ids) == length
    assert done.result.complete is True


@pytest.mark.parametrize(("length", "complete"), [(7, True), (37, None), (137, None)])
def test_a_total_that_lags_behind_is_a_doubt_unless_that_many_pages_were_read(
    length: int, complete: bool | None
) -> None:
    done = read_with(
        NUMBERED, lambda query: {"data": paged(query, length, 20), "total": length - 2}
    )
    assert len(done.ids) == length
    assert done.result.complete is complete


def test_a_total_of_rows_in_a_header_is_no_number_of_pages() -> None:
    done = read_with(
        NUMBERED, lambda query: ({"data": paged(query, 250)}, {"X-Total-Count": "250"})
    )
    assert len(done.ids) == 250
    assert done.result.complete is True
    assert [query["page"] for query in done.asked] == ["1", "2", "3", "1", "2"]


@pytest.mark.parametrize("size", [10, 100])
@pytest.mark.parametrize("short", [0, 2])
def test_a_total_that_counts_pages_is_none_of_rows(size: int, short: int) -> None:
    length = 13 * size - 7

    def answer(query: Query) -> Any:
        page = paged(query, length, size)
        if query["page"] == str(short):
            page = page[:3]
        return {"data": page, "page": {"current": query["page"], "size": size, "total": 13}}

    done = read_with(NUMBERED, answer)
    assert len(done.ids) == length - (size - 3 if short else 0)
    assert done.result.complete is True


def test_a_total_path_of_null_is_obeyed() -> None:
    done = read_with(
        {**NUMBERED, "total_path": None},
        lambda query: {"data": paged(query, 250), "total": 9000, "total_pages": 2},
    )
    assert len(done.ids) == 250
    assert done.result.complete is True
    assert done.result.facts.reported is None


@pytest.mark.parametrize("length", [1, 2, 60])
def test_a_whole_list_for_every_offset_is_no_error_if_its_total_says_so(length: int) -> None:
    done = read_with(
        {"type": "offset", "limit": 100}, lambda _: {"data": rows(0, length), "total": length}
    )
    assert done.ids == set(range(length))
    assert done.result.complete is None


@pytest.mark.parametrize(("size", "length"), [(10, 137), (20, 60), (20, 37), (50, 137)])
def test_what_was_asked_for_is_asked_again_where_a_link_to_a_numbered_page_leaves_it_out(
    size: int, length: int
) -> None:
    def answer(query: Query) -> Any:
        page, rows_of_page = int(query.get("page", 1)), int(query.get("per_page", 50))
        shown = length if query.get("past") == "true" else length // 2
        following = f"/events?page={page + 1}" if rows_of_page * page < shown else None
        return {"data": paged({"page": page}, shown, rows_of_page), "next": following}

    done = read_with("json_link", answer, params={"per_page": size, "past": "true"})
    assert done.ids == set(range(length))
    assert done.result.complete is True


def test_what_was_asked_for_is_told_to_no_other_host() -> None:
    def answer(query: Query) -> Any:
        link = None if "page" in query else "http://other.test/events?page=2"
        return {"data": rows(50, 95) if link is None else rows(0, 50), "next": link}

    done = read_with("json_link", answer, params={"key": "s3cret"})
    assert done.asked[:2] == [{"key": "s3cret"}, {"page": "2"}]


def test_a_link_that_counts_rows_may_leave_out_the_size_of_pages() -> None:
    def answer(query: Query) -> Any:
        at, size = int(query.get("after", 0)), int(query.get("limit", 10))
        following = f"/events?after={at + size}" if at + size < 95 else None
        return {"data": rows(at, min(95, at + size)), "next": following}

    done = read_with("json_link", answer, params={"limit": 50})
    assert done.ids == set(range(95))
    assert done.result.complete is True


@pytest.mark.parametrize("end", [{}, {"has_more": False, "total": 60}])
def test_a_row_that_came_on_two_pages_of_a_cursor_is_a_doubt(end: dict[str, Any]) -> None:
    listed = [*range(40), 39, *range(41, 60)]  # 40 moved to a page that was read

    def answer(query: Query) -> Any:
        at = {"": 0, "b": 20, "c": 40}[query.get("after", "")]
        more = {"paging": {"next": {"after": "bc"[at // 20]}}} if at < 40 else end
        return {"data": [{"id": row} for row in listed[at : at + 20]], **more}

    done = read_with(CURSOR, answer)
    assert done.result.complete is None
    assert "share an id" in done.result.reason


@pytest.mark.parametrize("missing", [None, ""])
def test_rows_without_an_id_that_look_alike_are_repeats(missing: str | None) -> None:
    listed: list[Any] = [{"id": row} for row in range(60)]
    listed[10] = listed[45] = {"id": missing, "name": "tba"}

    def answer(query: Query) -> Any:
        first = int(query["offset"])
        return {"data": listed[first : first + 20], "total": 60}

    done = read_with({"type": "offset", "limit": 20}, answer)
    assert done.result.complete is None
    assert "share an id" in done.result.reason
    assert done.ids >= {row["id"] for row in listed}


@pytest.mark.parametrize(
    "names", [("hydra:view", "hydra:next"), ("$meta", "$next"), ("a b", "c d")]
)
def test_a_path_may_have_names_that_mean_something_else_in_json_paths(
    names: tuple[str, str],
) -> None:
    def answer(query: Query) -> Any:
        link = None if "token" in query else "/events?token=abc"
        return {"data": rows(50, 95) if link is None else rows(0, 50), names[0]: {names[1]: link}}

    done = read_with({"type": "json_link", "next_url_path": ".".join(names)}, answer)
    assert done.ids == set(range(95))
    assert done.result.complete is True
