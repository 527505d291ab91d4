"""Capped lists are read completely in time windows."""

from datetime import datetime, timezone
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse

from event_assets.config.time_windows import TimeWindowsConfig
from event_assets.pagination.time_windows import WindowPlan
from event_assets_tests.support.platforms import definitions, events, run, serving, source
from event_assets_tests.support.project import Project, checks, failure

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
    document = source(url, windows={**WINDOWS, **windows})
    endpoint = document["attributes"]["rest_api"]["resources"][0]["endpoint"]
    endpoint["paginator"] = paginator
    return document


@pytest.mark.parametrize("count", [80, 95, 100, 101])
@pytest.mark.parametrize("total", [True, False])
def test_no_page_beyond_the_cap_is_requested(project: Project, total: bool, count: int) -> None:
    with serving({PATH: capped(events(count), total)}) as api:
        loaded = definitions({"events": windowed(api.url, since="2025-12-01", until="2027-01-01")})
        result = run(project, loaded)
        deepest = max(int(query["page"]) for query in api.asked_for(PATH))
    assert result.success, failure(result)
    assert len(project.ids()) == count
    assert deepest * SIZE < WINDOWS["cap"]


@pytest.mark.parametrize("total", [True, False])
def test_every_event_is_loaded_although_lists_are_capped(project: Project, total: bool) -> None:
    with serving({PATH: capped(events(730), total)}) as api:
        result = run(project, definitions({"events": windowed(api.url)}))
    assert result.success, failure(result)
    assert project.rows("select count(*), count(distinct id) from events.event_data") == [
        (730, 730)
    ]
    if total:
        reason = str(checks(result)["complete"].description)
        assert reason.startswith("All 730 rows were received, in ")


def test_a_short_list_is_read_in_one_window(project: Project) -> None:
    with serving({PATH: capped(events(90))}) as api:
        result = run(project, definitions({"events": windowed(api.url)}))
        assert all("from" not in query for query in api.asked_for(PATH))
    assert result.success, failure(result)
    assert checks(result)["complete"].passed


def test_events_in_no_window_are_noticed(project: Project) -> None:
    timeless = [{"id": f"t{number}", "name": "To be announced"} for number in range(7)]

    def answer(request: Request) -> Any:
        windowed = "from" in request.query_params
        return capped(events(300) + ([] if windowed else timeless))(request)

    with serving({PATH: answer}) as api:
        result = run(project, definitions({"events": windowed(api.url)}))
    check = checks(result)["complete"]
    assert (check.passed, check.severity.name) == (False, "WARN")
    assert "but the API reports 307" in str(check.description)


def test_more_events_at_one_instant_than_may_be_read_is_an_error(project: Project) -> None:
    crowd = [{**event, "start_time": "2026-05-05T20:00:00Z"} for event in events(150)]
    with serving({PATH: capped(crowd)}) as api:
        result = run(project, definitions({"events": windowed(api.url)}))
    assert not result.success
    check = checks(result)["complete"]
    assert check.severity.name == "ERROR"
    assert "the API returns only its first 100 rows" in str(check.description)
    assert len(project.ids()) == 100


def test_an_offset_never_reaches_beyond_the_cap(project: Project) -> None:
    rows = events(730)
    deepest = 0

    def answer(request: Request) -> Any:
        nonlocal deepest
        query = request.query_params
        found, offset, limit = in_window(rows, query), int(query["offset"]), int(query["limit"])
        deepest = max(deepest, offset + limit)
        return {"data": found[offset : offset + limit], "total": len(found)}

    with serving({PATH: answer}) as api:
        document = windowed(api.url, {"type": "offset", "limit": 25})
        result = run(project, definitions({"events": document}))
    assert result.success, failure(result)
    assert len(project.ids()) == 730
    assert deepest <= 100


def test_cursors_start_over_in_each_window(project: Project) -> None:
    rows = events(330)

    def answer(request: Request) -> Any:
        query = request.query_params
        found, at = in_window(rows, query), int(query.get("cursor", 0))
        following = str(at + SIZE) if at + SIZE < len(found) else None
        return {"data": found[at : at + SIZE], "next": following, "total": len(found)}

    with serving({PATH: answer}) as api:
        cursor = {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"}
        result = run(project, definitions({"events": windowed(api.url, cursor)}))
    assert result.success, failure(result)
    assert len(project.ids()) == 330


def test_only_the_configured_span_is_requested(project: Project) -> None:
    with serving({PATH: capped(events(400))}) as api:
        document = windowed(api.url, since="2026-01-02", until="2026-01-03")
        result = run(project, definitions({"events": document}))
    assert result.success, failure(result)
    assert checks(result)["complete"].passed
    assert project.rows("select min(start_time), max(start_time) from events.event_data") == [
        (datetime(2026, 1, 2, tzinfo=timezone.utc), datetime(2026, 1, 3, tzinfo=timezone.utc))
    ]


def test_a_window_that_the_api_truncates_is_split(project: Project) -> None:
    def answer(request: Request) -> Any:
        found = in_window(events(730), request.query_params)
        return {"data": found[:SIZE], "total": min(len(found), SIZE), "overflow": len(found) > SIZE}

    with serving({PATH: answer}) as api:
        result = run(project, definitions({"events": windowed(api.url, "single_page")}))
    assert result.success, failure(result)
    assert checks(result)["complete"].passed
    assert len(project.ids()) == 730


NOW = datetime(2026, 6, 15, 12, 30, tzinfo=timezone.utc)


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
    cut = WindowPlan.from_config(TimeWindowsConfig(**{**WINDOWS, **options}), NOW)
    assert cut.params(cut.span) == params


def test_windows_end_at_the_shortest_that_can_be_written() -> None:
    cut = WindowPlan.from_config(TimeWindowsConfig(**WINDOWS, format="%Y-%m-%d"), NOW)
    day = datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2026, 1, 2, tzinfo=timezone.utc)
    assert cut.split(day) == []
    assert len(cut.split(cut.span)) == 2


@pytest.mark.parametrize("wrong", [{"since": "soon"}, {"format": "iso"}, {"cap": 1}])
def test_what_cannot_work_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        TimeWindowsConfig(**{**WINDOWS, **wrong})
