"""Lists that change while a sync reads them: no living event is lost or called gone."""

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import dagster as dg
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from event_assets_tests.support.api_server import serving
from event_assets_tests.support.clock import wrong_by
from event_assets_tests.support.direct_syncs import complete, derive_tables, source_of, sync_source
from event_assets_tests.support.list_models import PAGINATORS, URL, ChangingList, Server
from event_assets_tests.support.offset_lists import Edit
from event_assets_tests.support.platforms import paged, source
from event_assets_tests.support.project import Project

pytestmark = pytest.mark.in_process

PATH = "/v1/events"
LENGTH = 40
CHANGES = ["insert", "delete", "delete"]


def edits(kinds: Sequence[str], seed: str) -> list[list[Edit]]:
    """Return what happens after each request."""
    chance = random.Random(seed)
    return [
        [(chance.choice(kinds), chance.randint(0, 30), chance.randint(1, 4))]
        if chance.random() < 0.5
        else []
        for _ in range(16)
    ]


def answering(
    listed: ChangingList, serve: Server, script: list[list[Edit]], accidents: list[int]
) -> Callable[[Request], Awaitable[Response]]:
    """Show a page of a list, and take the next change and status of the scripts."""

    async def answer(request: Request) -> Response:
        sent = await request.json() if request.method == "POST" else {}
        query = {name: str(value) for name, value in {**request.query_params, **sent}.items()}
        status, body, headers = serve(listed, query)
        for change in script.pop(0) if script else []:
            listed.edit(*change)
        if accidents and accidents.pop(0):
            return JSONResponse({"message": "Not now."}, status_code=404)
        here = str(request.url.replace(query=""))
        rows = [{"id": f"e{row['id']}", "name": "Concert"} for row in body.get("data", [])]
        body = {
            name: value.replace(URL, here) if isinstance(value, str) else value
            for name, value in body.items()
        }
        headers = {name: value.replace(URL, here) for name, value in headers.items()}
        return JSONResponse({**body, "data": rows}, status, headers)

    return answer


def write_source(url: str, kind: str) -> Any:
    post = {"method": "POST", "json": {}} if "body" in kind else {}
    return source(url, endpoint={"paginator": PAGINATORS[kind][0], **post})


@pytest.mark.parametrize(
    ("kind", "server", "kinds", "accident"),
    [
        ("offset", {}, CHANGES, None),
        ("page", {"total": "pages as a total"}, CHANGES, 5),
        ("row cursor in base64", {}, CHANGES, 7),
        ("key cursor in the body", {"last": None}, CHANGES, None),
    ],
)
def test_no_living_event_is_lost_or_gone(
    project: Project, kind: str, server: dict[str, Any], kinds: list[str], accident: int | None
) -> None:
    listed = ChangingList(list(range(LENGTH)), **server)
    script: list[list[Edit]] = []
    accidents: list[int] = []
    with serving({PATH: answering(listed, PAGINATORS[kind][1], script, accidents)}) as api:
        made = source_of(write_source(api.url, kind))
        sync_source(made, derived=True)
        before = set(project.ids("current_events"))
        script += edits(kinds, kind)
        accidents += [0] * accident + [1] if accident else []
        failed = False
        try:
            sync_source(made)
        except PipelineStepFailed:
            failed = True
        derive_tables(made)
    living = {f"e{row}" for row in listed.staying}
    current = set(project.ids("current_events"))
    assert len(before) == LENGTH - len(listed.hidden)
    assert living <= current
    assert len(script) < 10
    if failed or not complete(made).passed:
        assert before <= current


@pytest.mark.parametrize(
    ("kind", "paginator", "severity"),
    [
        ("page cursor", "single_page", dg.AssetCheckSeverity.ERROR),
        (
            "page",
            {"type": "page_number", "base_page": 0, "maximum_page": 4},
            dg.AssetCheckSeverity.WARN,
        ),
    ],
)
def test_a_list_of_which_only_the_first_pages_are_read_makes_no_event_go(
    project: Project, kind: str, paginator: Any, severity: dg.AssetCheckSeverity
) -> None:
    listed = ChangingList(list(range(LENGTH)))
    with serving({PATH: answering(listed, PAGINATORS[kind][1], [], [])}) as api:
        sync_source(source_of(write_source(api.url, kind)), derived=True)
        made = source_of(source(api.url, endpoint={"paginator": paginator}))
        sync_source(made, derived=True)
    check = complete(made)
    assert (check.passed, check.severity) == (False, severity)
    assert len(project.ids("current_events")) == LENGTH


@pytest.mark.parametrize("hours", [0, 1])
def test_an_event_whose_record_came_without_a_readable_id_stays_current(
    project: Project, hours: int
) -> None:
    rows: list[dict[str, Any]]
    rows = [{"id": f"e{number}", "start_time": f"2099-01-0{number + 1}"} for number in range(6)]
    with serving({PATH: paged(rows)}) as api:
        made = source_of(source(api.url, max_rejects="100%"))
        with wrong_by(hours):
            sync_source(made, derived=True)
        rows[5] = {**rows[5], "id": None}
        for left in (5, 4):
            sync_source(made, derived=True)
            assert "e5" in project.ids("current_events")
            assert len(project.ids("current_events")) == left + 1
            del rows[0]
    gone = "select id from events.event_changes where change = 'gone'"
    assert project.rows(gone) == [("e0",)]
