"""Paging delivers every row that stayed in the API, or says that it may not have."""

from __future__ import annotations

import copy
import json
import random
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from tempfile import TemporaryDirectory
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import pytest
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from dlt.sources.rest_api import rest_api_resources
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from event_assets.pagination import (
    OffsetPaginator,
    OffsetWalk,
    PageMonitor,
    PaginationKind,
    PaginationResult,
    create_paginator,
)
from event_assets_tests.support.offset_lists import (
    TOTALS,
    Edit,
    Reading,
    deletions,
    insertions,
    moves,
    quick,
    read,
    replay,
    scripts,
    worlds,
)

# hypothesis caches the constants it finds in the code; not in the project
storage = TemporaryDirectory()


set_hypothesis_home_dir(storage.name)


def deleting(rows: list[int], *, every: int, at: int = 0) -> Callable[[int], None]:
    def between(request: int) -> None:
        if request % every == 0 and len(rows) > 5:
            del rows[at]

    return between


@pytest.mark.parametrize("total", TOTALS)
@pytest.mark.parametrize("length", [0, 1, 2, 9, 10, 11, 19, 20, 100])
@pytest.mark.parametrize("cap", [1000, 7, 2])
def test_a_quiet_list_comes_whole(length: int, cap: int, total: str) -> None:
    reading = read(list(range(length)), cap=cap, total=total)
    assert reading.delivered == set(range(length))
    assert reading.result.complete is True
    assert reading.result.shifts_recovered == 0
    assert reading.result.passes == 1


def test_each_page_begins_with_the_last_row_of_the_page_before() -> None:
    assert read(list(range(25))).offsets == [0, 9, 18, 24]


def test_a_cap_below_the_limit_sets_the_step() -> None:
    assert read(list(range(12)), limit=100, cap=5).offsets == [0, 4, 8, 11]


def test_a_total_saves_the_last_request() -> None:
    reading = read(list(range(25)), total="true")
    assert reading.offsets == [0, 9, 18]
    assert reading.result.overlaps_confirmed == 2
    assert reading.result.total_reported == 25


def test_an_empty_list_is_said_to_be_empty() -> None:
    result = read([], total="true").result
    assert (result.complete, result.reason) == (True, "The list is empty.")


def test_a_first_page_as_long_as_its_total_is_asked_once_more() -> None:
    assert read(list(range(10)), total="length of the page").offsets == [0, 9]


def test_a_total_that_is_the_page_length_is_not_believed() -> None:
    reading = read(list(range(95)), total="length of the page")
    assert len(reading.delivered) == 95
    assert reading.result.complete is True


def test_a_full_page_that_meets_the_total_is_not_the_end() -> None:
    walk = OffsetWalk(limit=3)
    for page in ([0, 1, 2], [2, 3, 4], [4, 5], [5]):
        walk.receive(page, total=5)
    assert walk.result.complete is True
    assert walk.result.distinct_ids == 6


def test_the_echo_of_the_limit_is_neither_believed_nor_ruled_out() -> None:
    walk = OffsetWalk(limit=100)
    walk.receive(list(range(30)), total=100)
    walk.receive([29], total=100)
    assert walk.result.complete is None
    assert "the API reports 100" in walk.result.reason


def test_pages_of_one_row_cannot_be_verified() -> None:
    reading = read(list(range(5)), cap=1)
    assert reading.delivered == set(range(5))
    assert reading.result.complete is None
    assert "larger limit" in reading.result.reason


def test_the_only_row_of_a_list_is_asked_for_again() -> None:
    assert read([7]).offsets == [0, 1, 0]


def test_no_more_rows_in_the_servers_words_is_the_end() -> None:
    walk = OffsetWalk(limit=3)
    walk.receive([0, 1, 2], more=True)
    walk.receive([2, 3], more=False)
    assert walk.done
    assert walk.result.complete is True


def test_a_walk_that_is_not_finished_is_not_complete() -> None:
    walk = OffsetWalk(limit=3)
    walk.receive([0, 1, 2])
    assert walk.result.complete is False
    assert "did not finish" in walk.result.reason


def test_nothing_can_be_received_after_the_end() -> None:
    with pytest.raises(RuntimeError):
        read([]).walk.receive([1])


@pytest.mark.parametrize(("limit", "start"), [(0, 0), (-1, 0), (10, -1)])
def test_impossible_windows_are_refused(limit: int, start: int) -> None:
    with pytest.raises(ValueError, match="limit must be >= 1"):
        OffsetWalk(limit, start)


def test_a_page_after_a_deletion_is_not_delivered_until_its_place_is_found() -> None:
    walk = OffsetWalk(limit=4)
    assert walk.receive([0, 1, 2, 3])
    assert not walk.receive([4, 5, 6, 7])
    assert walk.offset == 1
    assert walk.receive([2, 3, 4, 5])
    assert walk.result.shifts_recovered == 1


def test_rows_of_a_page_that_was_not_delivered_make_no_seam() -> None:
    walk = OffsetWalk(limit=4)
    walk.receive([0, 1, 2, 3])
    walk.receive([8, 9, 10, 11])
    assert not walk.receive([6, 7, 8, 9])


def test_an_empty_page_after_deletions_is_no_end() -> None:
    rows = list(range(30))
    reading = read(rows, between=lambda n: rows.__delitem__(slice(0, 18)) if n == 2 else None)
    assert reading.delivered == set(range(30))
    assert reading.result.complete is True
    assert reading.result.shifts_recovered >= 1


def test_a_row_entering_in_front_is_fetched_without_reading_all_again() -> None:
    rows = list(range(500))
    reading = read(rows, between=lambda n: rows.insert(0, 1000) if n == 20 else None)
    assert reading.delivered == {*range(500), 1000}
    assert reading.result.complete is True
    assert reading.offsets[-2:] == [0, 501]


def test_a_row_that_moves_behind_the_reading_position_is_found_again() -> None:
    rows = list(range(100))
    reading = read(rows, between=lambda n: rows.insert(0, rows.pop(90)) if n == 5 else None)
    assert reading.delivered == set(range(100))
    assert reading.result.complete is True


def test_rows_in_an_order_made_up_anew_for_every_answer_are_never_called_complete() -> None:
    rows = list(range(200))
    dice = random.Random(7)
    result = read(rows, between=lambda _: dice.shuffle(rows)).result
    assert result.complete is not True
    assert "order is not stable" in result.reason


def test_a_list_that_gives_two_rows_one_id_is_not_called_complete() -> None:
    result = read([0, 1, 1, 2, 3, 4], limit=3).result
    assert result.complete is None
    assert "primary key" in result.reason


def test_repeats_across_pages_are_reported_with_the_figures() -> None:
    result = read([*range(30), *range(5)]).result
    assert result.complete is False
    assert "35 rows, but 30 distinct ids" in result.reason


def test_a_list_that_grows_in_front_faster_than_it_is_read_ends() -> None:
    rows = list(range(100))

    def grow(request: int) -> None:
        rows[:0] = range(1000 * request, 1000 * request + 10)

    result = read(rows, between=grow).result
    assert result.complete is False
    assert "changes faster than it can be read" in result.reason
    assert result.pages < 300


def test_a_list_that_grows_at_its_end_for_ever_ends_at_the_most_pages() -> None:
    rows = list(range(100))
    walk = OffsetWalk(10, max_pages=500)
    result = read(rows, between=lambda n: rows.extend(range(n * 1000, n * 1000 + 10)), walk=walk)
    assert result.result.complete is False
    assert result.result.pages == 500


def test_a_server_that_ignores_the_offset_is_named() -> None:
    walk = OffsetWalk(limit=3, parameter="skip")
    while not walk.done:
        walk.receive([0, 1, 2])
    assert walk.result.complete is False
    assert "'skip'" in walk.result.reason
    assert "single_page" in walk.result.reason
    assert walk.result.pages == 4


def test_one_row_sent_for_every_offset_is_an_ignored_offset() -> None:
    walk = OffsetWalk(limit=3)
    while not walk.done:
        walk.receive([0])
    assert walk.result.complete is False


def test_a_page_of_insertions_between_requests_is_no_ignored_offset() -> None:
    rows = list(range(30))

    def insert(request: int) -> None:
        if request <= 3:
            rows[:0] = range(100 * request, 100 * request + 9)

    reading = read(rows, between=insert)
    assert reading.result.complete is True
    assert reading.delivered >= set(range(30))


def holed(first: int, end: int, length: int = 60, limit: int = 10) -> Reading:
    """A server that drops rows after paging: offsets from `first` to `end` come empty."""
    reading = Reading(OffsetWalk(limit))
    while not reading.walk.done:
        offset = reading.walk.offset
        rows = range(offset, min(offset + limit, length))
        page = [row for row in rows if not first <= row < end]
        if reading.walk.receive(page, total=length):
            reading.delivered.update(page)
    return reading


def test_empty_pages_in_mid_list_are_read_past_and_reported() -> None:
    reading = holed(20, 45)
    assert reading.delivered == {*range(20), *range(45, 60)}
    assert reading.result.complete is False
    assert "reports 60 rows but sent 35 distinct ids" in reading.result.reason


def test_a_total_above_what_came_is_reported() -> None:
    result = holed(40, 60).result
    assert result.complete is False
    assert "reports 60 rows but sent 40" in result.reason


def test_a_total_that_was_a_moment_behind_is_asked_again() -> None:
    walk = OffsetWalk(limit=3)
    walk.receive([0, 1, 2], total=6)
    walk.receive([2, 3, 4], total=6)
    walk.receive([4], total=6)
    walk.receive([], total=5)
    walk.receive([4], total=5)
    assert walk.result.complete is True


def test_a_depth_limit_is_no_end() -> None:
    walk = OffsetWalk(limit=10)
    while not walk.done:
        page = range(walk.offset, min(walk.offset + 10, 50))
        walk.receive(list(page), total=1000 if page else 0)
    assert walk.result.complete is False
    assert "reports 1,000 rows but sent 50" in walk.result.reason
    assert walk.result.pages < 20


def test_empty_pages_are_not_read_past_if_the_user_says_so() -> None:
    walk = OffsetWalk(limit=2, stop_after_empty_page=True)
    walk.receive([0, 1], total=9)
    walk.receive([1], total=9)
    assert walk.done
    assert walk.result.complete is False


def test_the_maximum_ends_the_walk_unverified() -> None:
    walk = OffsetWalk(10, maximum=25)
    reading = read(list(range(100)), walk=walk)
    assert reading.delivered >= set(range(25))
    assert reading.result.complete is None
    assert "maximum_offset 25" in reading.result.reason


def test_the_upcoming_offsets_are_the_ones_asked_next() -> None:
    walk = OffsetWalk(limit=10)
    assert walk.upcoming(3) == []
    walk.receive(list(range(10)), total=35)
    assert (walk.offset, walk.upcoming(9)) == (9, [18, 27])


def test_nothing_is_upcoming_while_the_place_is_searched_or_after_the_end() -> None:
    walk = OffsetWalk(limit=4)
    walk.receive([0, 1, 2, 3])
    walk.receive([5, 6, 7, 8])
    assert walk.upcoming(4) == []
    assert read([1, 2]).walk.upcoming(4) == []


def assert_within_the_bound(result: PaginationResult) -> None:
    assert result.pages <= 300 + 8 * result.distinct_ids


@quick
@given(st.integers(0, 60), scripts(insertions, deletions), worlds)
def test_rows_that_stay_come_through_insertions_and_deletions(
    length: int, script: list[list[Edit]], world: dict[str, Any]
) -> None:
    reading, staying = replay(length, script, **world)
    assert staying <= reading.delivered or reading.result.complete is False
    assert_within_the_bound(reading.result)


@quick
@given(st.integers(0, 60), scripts(insertions, moves), worlds)
def test_rows_that_move_come_or_the_outcome_is_not_complete(
    length: int, script: list[list[Edit]], world: dict[str, Any]
) -> None:
    reading, staying = replay(length, script, **{**world, "ahead": 0})
    assert staying <= reading.delivered or reading.result.complete is not True
    assert_within_the_bound(reading.result)


@quick
@given(st.integers(0, 60), scripts(moves), worlds)
def test_moves_under_read_ahead_come_or_the_outcome_is_not_complete(
    length: int, script: list[list[Edit]], world: dict[str, Any]
) -> None:
    reading, staying = replay(length, script, **world)
    assert staying <= reading.delivered or reading.result.complete is not True


@quick
@given(st.integers(0, 60), scripts(insertions, deletions, moves), worlds)
def test_every_walk_ends_within_the_bound(
    length: int, script: list[list[Edit]], world: dict[str, Any]
) -> None:
    reading, _ = replay(length, script, **world)
    assert_within_the_bound(reading.result)


@quick
@given(st.integers(0, 60), scripts(deletions), worlds)
def test_deletions_alone_never_spoil_completeness(
    length: int, script: list[list[Edit]], world: dict[str, Any]
) -> None:
    reading, staying = replay(length, script, **world)
    assert staying <= reading.delivered
    assert reading.result.complete is True


@quick
@given(st.integers(0, 6), scripts(insertions, deletions), worlds)
def test_pages_of_one_row_are_complete_only_if_all_came(
    length: int, script: list[list[Edit]], world: dict[str, Any]
) -> None:
    reading, staying = replay(length, script, **{**world, "cap": 1})
    assert staying <= reading.delivered or reading.result.complete is not True
    assert_within_the_bound(reading.result)


@quick
@given(st.integers(2, 200), st.lists(st.integers(2, 9), min_size=1), st.booleans())
def test_pages_of_any_changing_size_come_whole(length: int, caps: list[int], told: bool) -> None:
    walk = OffsetWalk(limit=9)
    delivered: set[int] = set()
    while not walk.done:
        cap = caps[walk.result.pages % len(caps)]
        page = list(range(length))[walk.offset : walk.offset + cap]
        if walk.receive(page, length if told else None):
            delivered.update(page)
    assert delivered == set(range(length))
    assert walk.result.complete is True


def monitored(
    kind: PaginationKind, pages: Sequence[Sequence[int]], totals: Sequence[int]
) -> PaginationResult:
    monitor = PageMonitor(kind)
    for page, total in zip(pages, totals, strict=True):
        monitor.receive(page, total)
    monitor.end()
    return monitor.result


def test_page_numbers_are_complete_only_if_a_steady_total_agrees() -> None:
    pages = [[1, 2], [3, 4], [5]]
    assert monitored(PaginationKind.NUMBERED, pages, [5, 5, 5]).complete is True
    assert monitored(PaginationKind.NUMBERED, pages, [2, 2, 1]).complete is None
    assert monitored(PaginationKind.NUMBERED, pages, [6, 5, 5]).complete is None
    assert monitored(PaginationKind.NUMBERED, pages, [6, 6, 6]).complete is False


def test_the_only_page_in_the_apis_words_has_no_room_for_a_shift() -> None:
    assert monitored(PaginationKind.NUMBERED, [[1, 2]], [2]).complete is True
    assert monitored(PaginationKind.NUMBERED, [[1, 2]], [3]).complete is False


def test_cursors_are_complete_unless_a_total_disagrees() -> None:
    pages = [[1, 2], [3, 4], [5]]
    assert monitored(PaginationKind.LINKED, pages, [2, 2, 1]).complete is True
    assert monitored(PaginationKind.LINKED, pages, [5, 5, 6]).complete is True
    assert monitored(PaginationKind.LINKED, pages, [6, 6, 6]).complete is False


Query = dict[str, Any]
Reply = tuple[Any, dict[str, str]]


@contextmanager
def serving(answer: Callable[[Query], Any]) -> Generator[tuple[str, list[Query]], None, None]:
    """A loopback API; `answer` gives a body, or a body with headers, for a query."""
    asked: list[Query] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            query = dict(parse_qsl(urlsplit(self.path).query))
            self.reply(query)

        def do_POST(self) -> None:
            self.reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def reply(self, query: Query) -> None:
            asked.append(query)
            answered = answer(query)
            body, headers = cast(
                "Reply", answered if isinstance(answered, tuple) else (answered, {})
            )
            if body is None:
                self.send_error(500)
                return
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def get_id(row: Any) -> Any:
    return row.get("id")


@dataclass
class Sync:
    """What dlt's REST client delivered, and the results reported on the way."""

    ids: set[Any]
    results: list[PaginationResult]
    asked: list[Query]

    @property
    def result(self) -> PaginationResult:
        return self.results[-1]


def sync(paginator: Any, answer: Callable[[Query], Any], **request: Any) -> Sync:
    """All rows at `data`, paged as the configuration's `paginator` says."""
    results: list[PaginationResult] = []
    pages = create_paginator(paginator, get_id, results.append)
    with serving(answer) as (url, asked):
        ids = through_dlt(url, pages, **request)
    return Sync(ids, results, asked)


def through_dlt(url: str, paginator: BasePaginator, **request: Any) -> set[Any]:
    client = RESTClient(url)
    found = client.paginate("/events", paginator=paginator, data_selector="data", **request)
    return {row["id"] for page in found for row in page}


class Events:
    """An offset API over a list that may change every third request."""

    def __init__(self, length: int, *, cap: int = 50, total: str | None = "total") -> None:
        self.rows = list(range(length))
        self.staying = set(self.rows)
        self.cap = cap
        self.total = total
        self.deleting = self.inserting = False
        self.requests = 0

    def __call__(self, query: Query) -> Any:
        offset, limit = int(query["offset"]), int(query["limit"])
        page = self.rows[offset : offset + min(limit, self.cap)]
        body: dict[str, Any] = {"data": [{"id": row} for row in page]}
        if self.total:
            body[self.total] = len(self.rows)
        self.requests += 1
        if self.requests % 3 == 0:
            self.change()
        return body

    def change(self) -> None:
        if self.deleting and len(self.staying) > 500:
            self.staying.discard(self.rows.pop(0))
        if self.inserting:
            self.rows.insert(1, 10_000 + self.requests)


OFFSETS = {"type": "offset", "limit": 100}


@pytest.mark.parametrize("total", ["total", "count", None])
def test_a_server_that_caps_pages_is_read_whole(total: str | None) -> None:
    events = Events(1000, total=total)
    done = sync(OFFSETS, events)
    assert done.ids == events.staying
    assert done.result.complete is True
    assert done.result.distinct_ids == 1000


@pytest.mark.parametrize("deleting", [True, False])
@pytest.mark.parametrize("inserting", [True, False])
@pytest.mark.parametrize("total", ["total", None])
def test_a_list_that_changes_every_third_request_is_read_whole(
    deleting: bool, inserting: bool, total: str | None
) -> None:
    events = Events(1000, total=total)
    events.deleting, events.inserting = deleting, inserting
    done = sync(OFFSETS, events)
    assert done.ids >= events.staying
    assert done.result.complete is True


@pytest.mark.parametrize(
    "reported",
    [
        {"meta": {"pagination": {"total": 120}}},
        {"page": {"totalElements": "120"}},
        {"count": 2, "pagination": {"total": 120}},
        {"total": True, "total_count": 120},
    ],
)
def test_a_total_is_found_in_the_usual_places(reported: dict[str, Any]) -> None:
    events = Events(120, total=None)
    done = sync(OFFSETS, lambda query: {**events(query), **reported})
    assert done.result.total_reported == 120
    assert done.result.pages == 3


def test_a_total_is_found_in_a_header() -> None:
    events = Events(120, total=None)
    done = sync(OFFSETS, lambda query: (events(query), {"X-Total-Count": "120"}))
    assert done.result.total_reported == 120


def test_a_total_path_of_its_own_is_read_and_a_missing_one_is_no_error() -> None:
    events = Events(120, total="howmany")
    assert sync({**OFFSETS, "total_path": "howmany"}, events).result.total_reported == 120
    assert sync({**OFFSETS, "total_path": "nowhere"}, events).result.complete is True
    assert sync({**OFFSETS, "total_path": None}, Events(120)).result.total_reported is None


def test_an_ignored_offset_is_reported_with_its_name() -> None:
    rows = [{"id": row} for row in range(50)]
    done = sync({**OFFSETS, "offset_param": "skip"}, lambda _: {"data": rows, "total": 500})
    assert done.result.complete is False
    assert "'skip'" in done.result.reason


def test_pages_that_come_empty_in_mid_list_are_read_past() -> None:
    events = Events(300)

    def answer(query: Query) -> Any:
        body = events(query)
        body["data"] = [row for row in body["data"] if not 100 <= row["id"] < 200]
        return body

    done = sync(OFFSETS, answer)
    assert done.ids == {*range(100), *range(200, 300)}
    assert done.result.complete is False
    assert "reports 300 rows" in done.result.reason


def test_has_more_ends_the_pages() -> None:
    events = Events(120, total=None)

    def answer(query: Query) -> Any:
        body = events(query)
        return {**body, "more": "true" if int(query["offset"]) < 90 else "false"}

    done = sync({**OFFSETS, "has_more_path": "more"}, answer)
    assert done.ids == events.staying
    assert done.result.complete is True
    assert done.result.pages == 3


def test_offset_and_limit_can_travel_in_the_body() -> None:
    events = Events(120)
    done = sync(
        {**OFFSETS, "offset_body_path": "page.from", "limit_body_path": "page.size"},
        lambda body: events({"offset": body["page"]["from"], "limit": body["page"]["size"]}),
        method="POST",
    )
    assert done.ids == events.staying


def test_rows_without_an_id_are_delivered_and_make_no_seam() -> None:
    rows = [{"id": None, "name": str(row)} for row in range(120)]

    def answer(query: Query) -> Any:
        offset = int(query["offset"])
        return {"data": rows[offset : offset + 50]}

    done = sync(OFFSETS, answer)
    assert done.result.complete is True
    assert done.result.distinct_ids == 120


def test_a_walk_ended_by_an_error_is_not_complete() -> None:
    events = Events(500)
    results: list[PaginationResult] = []
    pages = create_paginator(OFFSETS, get_id, results.append)
    with (
        serving(lambda query: events(query) if query["offset"] == "0" else {"data": 3}) as (url, _),
        pytest.raises(AttributeError),
    ):
        through_dlt(url, pages)
    assert results[-1].complete is False
    assert results[-1].pages == 1


def test_every_run_starts_fresh_and_reports_to_the_same_place() -> None:
    results: list[PaginationResult] = []
    pages = create_paginator(OFFSETS, get_id, results.append)
    with serving(Events(120)) as (url, _):
        for paginator in (pages, pages, copy.deepcopy(pages)):
            through_dlt(url, paginator)
            assert results[-1].complete is True
            assert results[-1].pages == 3


def test_a_copy_reports_to_the_object_that_was_given() -> None:
    class Log:
        def __init__(self) -> None:
            self.last: PaginationResult | None = None

        def note(self, result: PaginationResult) -> None:
            self.last = result

    log = Log()
    with serving(Events(120)) as (url, _):
        through_dlt(url, copy.deepcopy(create_paginator(OFFSETS, get_id, log.note)))
    assert log.last is not None
    assert log.last.complete is True


def test_a_rest_api_source_takes_the_paginator_and_reports_to_the_caller() -> None:
    results: list[PaginationResult] = []
    with serving(Events(120)) as (url, _):
        endpoint: Any = {
            "path": "events",
            "data_selector": "data",
            "paginator": create_paginator(OFFSETS, get_id, results.append),
        }
        config: Any = {
            "client": {"base_url": url},
            "resources": [{"name": "events", "endpoint": endpoint}],
        }
        rows = list(rest_api_resources(config)[0])
    assert {row["id"] for row in rows} == set(range(120))
    assert results[-1].complete is True


def test_the_parameters_of_upcoming_pages_are_the_ones_asked() -> None:
    paginator = OffsetPaginator(100, get_id=get_id, offset_param="skip", limit_param="take")
    events = Events(200)
    with serving(lambda q: events({"offset": q["skip"], "limit": q["take"]})) as (url, asked):
        pages = RESTClient(url).paginate("/", paginator=paginator, data_selector="data")
        next(pages)
        expected = paginator.upcoming(2)
        for _ in pages:
            pass
    assert expected == [{"skip": 98, "take": 100}, {"skip": 147, "take": 100}]
    assert [{name: int(value) for name, value in query.items()} for query in asked[2:4]] == expected


def test_a_paginator_shows_nothing_but_its_place() -> None:
    assert str(create_paginator(OFFSETS, get_id)) == "OffsetPaginator at offset 0, limit 100"
    assert "JSONLinkPaginator" in str(create_paginator("json_link", get_id))


def numbered(query: Query, length: int = 95, size: int = 20) -> dict[str, Any]:
    start = int(query.get("page", 0)) * size
    return {"data": [{"id": row} for row in range(start, min(start + size, length))]}


def test_page_numbers_without_a_total_end_unverified() -> None:
    done = sync({"type": "page_number"}, numbered)
    assert done.ids == set(range(95))
    assert done.result.complete is None


def test_page_numbers_with_a_total_are_complete_and_ask_nothing_past_the_end() -> None:
    done = sync("page_number", lambda query: {**numbered(query), "total": 95})
    assert done.result.complete is True
    assert len(done.asked) == 5


def test_page_numbers_end_at_the_number_of_pages() -> None:
    done = sync("page_number", lambda query: {**numbered(query, 100), "meta": {"last_page": 5}})
    assert done.ids == set(range(100))
    assert len(done.asked) == 5


def test_page_numbers_read_past_an_empty_page_while_the_total_promises_more() -> None:
    def answer(query: Query) -> Any:
        rows = [row for row in numbered(query)["data"] if not 40 <= row["id"] < 60]
        return {"data": rows, "total": 95}

    done = sync("page_number", answer)
    assert done.ids == {*range(40), *range(60, 95)}
    assert done.result.complete is False
    stopped = sync({"type": "page_number", "stop_after_empty_page": True}, answer)
    assert stopped.ids == set(range(40))
    assert stopped.result.complete is False


def test_a_page_parameter_that_is_ignored_is_named() -> None:
    done = sync({"type": "page_number", "page_param": "p"}, numbered)
    assert done.result.complete is False
    assert "'p'" in done.result.reason
    assert len(done.asked) == 2


def test_the_last_page_given_again_is_an_end() -> None:
    done = sync("page_number", lambda query: numbered({"page": min(query["page"], "4")}))
    assert done.ids == set(range(95))
    assert done.result.complete is None


def test_a_maximum_page_ends_unverified() -> None:
    done = sync({"type": "page_number", "maximum_page": 2}, numbered)
    assert done.result.complete is None
    assert "maximum_page 2" in done.result.reason


def test_a_missing_page_count_is_said_without_the_answer() -> None:
    with pytest.raises(ValueError, match="total_path") as caught:
        sync({"type": "page_number", "total_path": "nowhere"}, numbered)
    assert "data" not in str(caught.value)


def cursors(query: Query) -> dict[str, Any]:
    at = int(query.get("cursor", 0))
    return {**numbered({"page": str(at)}), "cursors": {"next": str(at + 1) if at < 4 else None}}


@pytest.mark.parametrize("kind", [OFFSETS, "page_number", "single_page"])
def test_a_list_that_overflows_in_the_apis_words_is_not_complete(kind: Any) -> None:
    def answer(query: Query) -> Any:
        offset = int(query.get("offset", 0))
        rows = list(range(offset, 90)) if not int(query.get("page", 0)) else []
        return {"data": [{"id": row} for row in rows], "total": 90, "overflow": True}

    done = sync(kind, answer)
    assert done.ids == set(range(90))
    assert done.result.complete is False
    assert "`overflow: true`" in done.result.reason


def test_cursors_that_end_by_themselves_are_complete() -> None:
    done = sync("cursor", cursors)
    assert done.ids == set(range(95))
    assert done.result.complete is True


def test_a_total_above_what_the_cursors_brought_is_reported() -> None:
    done = sync("cursor", lambda query: {**cursors(query), "total": 120})
    assert done.result.complete is False
    assert "reports 120 rows but sent 95" in done.result.reason


def test_a_cursor_given_twice_ends_the_reading() -> None:
    pages = iter(range(100))
    done = sync("cursor", lambda _: {"data": [{"id": next(pages)}], "cursors": {"next": "a"}})
    assert done.result.complete is False
    assert "twice" in done.result.reason
    assert len(done.asked) == 2


def test_an_endless_run_of_empty_pages_ends_the_reading() -> None:
    cursor = iter(range(1000))
    done = sync("cursor", lambda _: {"data": [], "cursors": {"next": str(next(cursor))}})
    assert done.result.complete is False
    assert len(done.asked) == 25
    numbers = sync("page_number", lambda _: {"data": [], "total": 9})
    assert numbers.result.complete is False
    assert len(numbers.asked) == 3


def linked(query: Query) -> tuple[dict[str, Any], str | None]:
    page = int(query.get("page", 0))
    return numbered(query), f"/events?page={page + 1}" if page < 4 else None


def in_the_body(query: Query) -> Any:
    body, link = linked(query)
    return {**body, "next": link}


def in_the_header(query: Query) -> Any:
    body, link = linked(query)
    return body, {"Link": f'<{link}>; rel="next"'} if link else {}


def cursor_in_the_header(query: Query) -> Any:
    body, link = linked({"page": query.get("cursor", "0")})
    return body, {"next": link.rpartition("=")[2]} if link else {}


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("json_link", in_the_body),
        ("header_link", in_the_header),
        ("header_cursor", cursor_in_the_header),
        (None, in_the_header),
        ("auto", in_the_body),
    ],
)
def test_links_that_end_by_themselves_are_complete(
    kind: str | None, answer: Callable[[Query], Any]
) -> None:
    done = sync(kind, answer)
    assert done.ids == set(range(95))
    assert done.result.complete is True


def test_the_only_page_of_page_numbers_is_complete() -> None:
    done = sync("page_number", lambda query: {**numbered(query, 9), "total": 9, "total_pages": 1})
    assert done.ids == set(range(9))
    assert done.result.complete is True
    assert len(done.asked) == 1


def test_links_that_count_pages_cannot_hide_a_list_that_gets_shorter() -> None:
    rows = list(range(95))

    def answer(query: Query) -> Any:
        page = int(query.get("page", 0))
        shown = rows[20 * page : 20 * page + 20]
        link = f"/events?page={page + 1}" if 20 * (page + 1) < len(rows) else None
        body = {"data": [{"id": row} for row in shown], "next": link, "total": len(rows)}
        if page == 1:
            del rows[0]
        return body

    done = sync("json_link", answer)
    assert set(rows) - done.ids == {40}
    assert done.result.complete is None


def test_a_link_to_a_page_read_before_ends_the_reading() -> None:
    done = sync("json_link", lambda query: {**numbered(query), "next": "/events?page=1"})
    assert done.result.complete is False
    assert len(done.asked) == 2


def test_a_single_page_is_complete_unless_a_total_says_more() -> None:
    assert sync("single_page", numbered).result.complete is True
    assert sync("single_page", lambda _: {"data": []}).result.complete is True
    more = sync("single_page", lambda query: {**numbered(query), "total": 95})
    assert more.result.complete is False


def test_a_page_count_found_by_dlt_is_watched() -> None:
    # dlt's detection counts pages from 0; this API begins with page 1
    done = sync(
        None,
        lambda query: {**numbered({"page": str(int(query.get("page", 1)) - 1)}), "total_pages": 5},
    )
    assert done.result.complete is False
    assert "base_page" in done.result.reason


@pytest.mark.parametrize(
    ("config", "word"),
    [
        ({"type": "offset", "limit": 10, "limitt": 1}, "limitt"),
        ({"type": "offset"}, "limit"),
        ({"type": "page_number", "pages": 1}, "pages"),
        ({"type": "nothing"}, "nothing"),
        ({"type": "offset", "limit": 0}, "limit"),
    ],
)
def test_an_option_that_does_not_exist_is_named(config: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        create_paginator(config, get_id)
