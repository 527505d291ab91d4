"""Capped lists are read completely in time windows."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError
from requests import HTTPError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from event_assets.config.time_windows import TimeWindowsConfig
from event_assets.pagination.result import PaginationResult
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import complete, source_of, sync_source
from event_assets_tests.support.platforms import events, source
from event_assets_tests.support.project import Project
from event_assets_tests.support.streams import read_all, reading

pytestmark = pytest.mark.in_process

PATH = "/v1/events"
WINDOWS: dict[str, Any] = {"param_from": "from", "param_to": "to", "cap": 100}
NUMBERED = {"type": "page_number", "base_page": 0, "page_param": "page"}
SIZE = 20  # of a page, and the API gives five of them


def in_window(rows: list[dict[str, Any]], query: Any) -> list[dict[str, Any]]:
    first, last = query.get("from", ""), query.get("to", "9")
    return [row for row in rows if first <= row.get("start_time", "5") <= last]


def capped(rows: list[dict[str, Any]], total: bool = True) -> Any:
    """Answer by page number; pages beyond the cap are refused."""

    def answer(request: Request) -> Any:
        query = request.query_params
        found, page = in_window(rows, query), int(query.get("page", 0))
        if page * SIZE >= WINDOWS["cap"]:
            return JSONResponse({"error": "too deep"}, status_code=400)
        shown = {"data": found[page * SIZE : (page + 1) * SIZE]}
        return {**shown, "total": len(found)} if total else shown

    return answer


def windowed(url: str, paginator: Any = NUMBERED, **windows: Any) -> dict[str, Any]:
    return source(url, windows={**WINDOWS, **windows}, endpoint={"paginator": paginator})


@dataclass
class Read:
    """What came of a list in windows, without a database."""

    ids: set[str]
    times: list[str]
    result: PaginationResult
    asked: list[dict[str, str]]


def read(answer: Any, paginator: Any = NUMBERED, **windows: Any) -> Read:
    with serving({PATH: answer}) as api:
        attributes = windowed(api.url, paginator)["attributes"]
        config = TimeWindowsConfig(**{**WINDOWS, **windows})
        with reading(attributes["rest_api"], windows=config) as stream:
            records = read_all(stream)
        times = [record.get("start_time", "") for record in records]
        ids = {record["id"] for record in records}
        return Read(ids, times, stream.result, api.asked_for(PATH))


def test_every_event_is_loaded_although_lists_are_capped(project: Project) -> None:
    with serving({PATH: capped(events(730))}) as api:
        made = source_of(windowed(api.url))
        sync_source(made)
    assert project.rows("select count(*), count(distinct id) from events.event_data") == [
        (730, 730)
    ]
    reason = str(complete(made).description)
    assert reason.startswith("All 730 rows were received, in ")


@pytest.mark.parametrize("count", [80, 95, 100, 101, 730])
@pytest.mark.parametrize("total", [True, False])
def test_no_page_beyond_the_cap_is_requested(total: bool, count: int) -> None:
    done = read(capped(events(count), total), since="2025-12-01", until="2027-01-01")
    assert len(done.ids) == count
    assert done.result.complete is True
    assert max(int(query["page"]) for query in done.asked) * SIZE < WINDOWS["cap"]


def test_a_short_list_is_read_in_one_window() -> None:
    done = read(capped(events(90)))
    assert all("from" not in query for query in done.asked)
    assert done.result.complete is True


def test_events_in_no_window_are_noticed() -> None:
    timeless = [{"id": f"t{number}", "name": "To be announced"} for number in range(7)]

    def answer(request: Request) -> Any:
        windowed = "from" in request.query_params
        return capped(events(300) + ([] if windowed else timeless))(request)

    done = read(answer)
    assert done.result.complete is None
    assert "but the API reports 307" in done.result.reason


def test_more_events_at_one_instant_than_may_be_read_is_an_error() -> None:
    crowd = [{**event, "start_time": "2026-05-05T20:00:00Z"} for event in events(150)]
    done = read(capped(crowd))
    assert done.result.complete is False
    assert "the API returns only its first 100 rows" in done.result.reason
    assert len(done.ids) == 100


def test_an_offset_never_reaches_beyond_the_cap() -> None:
    rows = events(730)

    def answer(request: Request) -> Any:
        query = request.query_params
        found, offset, limit = in_window(rows, query), int(query["offset"]), int(query["limit"])
        return {"data": found[offset : offset + limit], "total": len(found)}

    done = read(answer, {"type": "offset", "limit": 25})
    assert len(done.ids) == 730
    assert max(int(query["offset"]) + int(query["limit"]) for query in done.asked) <= 100


def test_cursors_start_over_in_each_window() -> None:
    rows = events(330)

    def answer(request: Request) -> Any:
        query = request.query_params
        found, at = in_window(rows, query), int(query.get("cursor", 0))
        following = str(at + SIZE) if at + SIZE < len(found) else None
        return {"data": found[at : at + SIZE], "next": following, "total": len(found)}

    done = read(answer, {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"})
    assert len(done.ids) == 330


def test_only_the_configured_span_is_requested() -> None:
    done = read(capped(events(400)), since="2026-01-02", until="2026-01-03")
    assert done.result.complete is True
    assert (min(done.times), max(done.times)) == ("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z")


def test_a_window_that_the_api_truncates_is_split() -> None:
    def answer(request: Request) -> Any:
        found = in_window(events(730), request.query_params)
        return {"data": found[:SIZE], "total": min(len(found), SIZE), "overflow": len(found) > SIZE}

    done = read(answer, "single_page")
    assert done.result.complete is True
    assert len(done.ids) == 730


NOW = datetime(2026, 6, 15, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("options", "params"),
    [
        ({}, {"from": "1999-12-31T23:59:59Z", "to": "2036-06-12T00:00:00Z"}),
        ({"since": "-1d", "until": "+2d", "format": "epoch_s"},
         {"from": "1781395199", "to": "1781654400"}),
        ({"since": "2026-01-01", "until": "2026-02-01", "format": "%Y-%m-%d"},
         {"from": "2025-12-31", "to": "2026-02-01"}),
    ],
)  # fmt: skip
def test_bounds_are_written_as_the_api_takes_them(
    options: dict[str, Any], params: dict[str, str]
) -> None:
    cut = TimeWindowsConfig(**{**WINDOWS, **options})
    assert cut.params(cut.span(NOW)) == params


def test_windows_end_at_the_shortest_that_can_be_written() -> None:
    cut = TimeWindowsConfig(**WINDOWS, format="%Y-%m-%d")
    day = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    assert cut.split(day) == []
    assert len(cut.split(cut.span(NOW))) == 2


@pytest.mark.parametrize("wrong", [{"since": "soon"}, {"format": "iso"}, {"cap": 1}])
def test_what_cannot_work_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        TimeWindowsConfig(**{**WINDOWS, **wrong})


@pytest.mark.parametrize("range_of", [{}, {"since": "2016-01-01", "until": "2036-01-01"}])
@pytest.mark.parametrize("status", [400, 422])
def test_windows_are_no_longer_than_the_api_takes(status: int, range_of: dict[str, str]) -> None:
    rows, refused = events(730), list[int]()

    def answer(request: Request) -> Any:
        first, last = (request.query_params.get(name, "0001-01-01") for name in ("from", "to"))
        days = (date.fromisoformat(last[:10]) - date.fromisoformat(first[:10])).days
        if first == last or days > 31:
            refused.append(days)
            return JSONResponse({"error": "at most 31 days"}, status)
        return {"data": in_window(rows, request.query_params)}

    done = read(answer, "single_page", cap=1000, **range_of)
    assert len(done.ids) == 730
    assert done.result.complete is (True if range_of else None), done.result.reason
    assert len(refused) <= 12


def test_what_is_wrong_with_the_parameters_of_windows_fails_after_a_few_requests() -> None:
    asked = list[str]()

    def answer(request: Request) -> Any:
        asked.append(request.url.query)
        return JSONResponse({"error": "`from` is no date"}, 400)

    with pytest.raises(HTTPError):
        read(answer)
    assert len(asked) <= 16


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("nothing", [{"data": None}, {}])
def test_a_window_of_which_the_api_sends_nothing_is_a_doubt(nothing: Any) -> None:
    rows = events(120)[::60]

    def answer(request: Request) -> Any:
        shown = in_window(rows, request.query_params)
        return {"data": shown * 50 if len(shown) > 1 else shown} if shown else nothing

    done = read(answer, "single_page", since="2016-01-01", until="2036-01-01")
    assert done.ids == {row["id"] for row in rows}
    assert done.result.complete is None
    assert "the API sent nothing, not even an empty list" in done.result.reason


@pytest.mark.parametrize(
    "nothing",
    [
        Response(status_code=204),
        {"message": "No events found"},
        JSONResponse({"message": "No results found"}, 404),
    ],
)
@pytest.mark.parametrize("paginator", [NUMBERED, "single_page"])
def test_a_window_of_which_the_api_says_that_it_is_empty_is_complete(
    nothing: Any, paginator: Any
) -> None:
    rows = events(120)[::60]

    def answer(request: Request) -> Any:
        page = int(request.query_params.get("page", 0))
        shown = in_window(rows, request.query_params)[20 * page :][:20]
        return {"data": shown} if shown else nothing

    done = read(answer, paginator, since="2016-01-01", until="2036-01-01")
    assert done.ids == {row["id"] for row in rows}
    assert done.result.complete is True, done.result.reason
