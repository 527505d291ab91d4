"""Syncs load every event or report what is missing, with an API that has real faults."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest
from starlette.requests import Request
from starlette.responses import Response

from event_assets.pagination.result import PaginationResult
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.contracts import contract
from event_assets_tests.support.direct_syncs import (
    complete,
    default_source,
    failed_sync,
    source_of,
    sync_default,
    sync_source,
    unique,
)
from event_assets_tests.support.event_records import events, number
from event_assets_tests.support.platforms import paged, source
from event_assets_tests.support.project import Project, metadata
from event_assets_tests.support.sandbox import KEY, EventSimulation, Faults, Sandbox
from event_assets_tests.support.streams import read_all, reading

pytestmark = [pytest.mark.in_process, pytest.mark.usefixtures("waits")]
EVENTS = EventSimulation(size=1_000, frozen=True).events(datetime(2026, 1, 1, tzinfo=UTC))
ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


@pytest.fixture
def big() -> Iterator[Sandbox]:
    """An API with 1,000 events."""
    with Sandbox(EVENTS) as api:
        yield api


def last_sync(project: Project) -> dict[str, Any]:
    names = [row[0] for row in project.rows("describe events.event_data_syncs")]
    (row,) = project.rows("from events.event_data_syncs order by started_at desc limit 1")
    return dict(zip(names, row, strict=True))


@pytest.mark.parametrize(
    "faults",
    [
        Faults(page_cap=50),
        Faults(page_cap=7),
        Faults(total="none"),
        Faults(total="nested"),
        Faults(total="page"),
        Faults(total="none", page_cap=33),
        Faults(delete_every=3),
        Faults(insert_every=3),
        Faults(delete_every=3, insert_every=3),
        Faults(delete_every=2, total="none"),
        Faults(fail_every=5, fail_status=503, retry_after=0),
        Faults(rate_limit=20),
        Faults(broken_json_every=9, delete_every=4),
    ],
    ids=lambda faults: ",".join(
        f"{k}={v}" for k, v in vars(faults).items() if v != vars(Faults())[k]
    ),
)
@pytest.mark.parametrize("concurrency", [1, 8])
def test_no_event_that_stayed_is_missed(
    monkeypatch: pytest.MonkeyPatch, big: Sandbox, faults: Faults, concurrency: int
) -> None:
    big.faults = faults
    big.begin_phase()
    ids, result = read(monkeypatch, big, concurrency=concurrency)
    # it depends on which of concurrent requests come first whether deletions leave a doubt
    may_doubt = faults.insert_every or (faults.delete_every and concurrency > 1)
    assert result.complete is True or (may_doubt and result.complete is None)
    assert set(ids) >= big.present_throughout()


def read(
    environment: pytest.MonkeyPatch, api: Sandbox, **settings: Any
) -> tuple[list[str], PaginationResult]:
    """Read the events of the default source without a database."""
    environment.setenv("API_KEY", KEY)
    rest_api = contract()["attributes"]["rest_api"]
    rest_api["client"]["base_url"] = api.url
    with reading(rest_api, **settings) as stream:
        return [event["id"] for event in read_all(stream)], stream.result


def test_no_event_that_stayed_is_lost(project: Project, big: Sandbox) -> None:
    big.faults = Faults(delete_every=3, insert_every=3, total="none", page_cap=33)
    big.begin_phase()
    check = complete(sync_default(project, big.url))
    assert check.passed or check.severity is WARN
    assert set(project.ids()) >= big.present_throughout()
    assert len(project.ids()) == len(set(project.ids()))


def test_each_sync_leaves_a_row_of_figures(project: Project, big: Sandbox) -> None:
    big.faults = Faults(fail_every=4, retry_after=0)
    result = project.sync(url=big.url, derived=False)
    row = last_sync(project)
    received = [request for request in big.requests if request.status == 200]
    assert row["complete"] is True
    assert row["reason"] == "All 1,000 rows were received."
    assert row["requests"] == len(big.requests)
    assert row["retries"] == len(big.requests) - len(received) > 0
    assert row["pages"] == len(received)
    assert row["seams_held"] == row["pages"] - 1
    assert row["distinct_ids"] == row["total_reported"] == 1_000
    assert row["rows_read"] == 1_000 + row["seams_held"]
    assert row["bytes"] > 100_000
    assert row["started_at"] < row["finished_at"]
    assert project.rows(
        f"select count(*) from events._dlt_loads where load_id = '{row['load_id']}'"
    ) == [(1,)]
    said = metadata(result)
    assert {name: said[name] for name in ("requests", "pages", "distinct_ids")} == {
        name: row[name] for name in ("requests", "pages", "distinct_ids")
    }


def test_a_repaired_shift_is_counted(project: Project, big: Sandbox) -> None:
    big.faults = Faults(delete_every=3)
    sync_default(project, big.url)
    assert last_sync(project)["shifts_repaired"] > 0


@pytest.mark.parametrize(
    ("faults", "severity", "said"),
    [
        (Faults(ignore_offset=True), ERROR, "ignores the parameter 'offset'"),
        (Faults(total=40), ERROR, "1,040"),
        (Faults(page_cap=1, total="none"), WARN, "one row"),
    ],
    ids=["offset-ignored", "total-too-high", "pages-of-one-row"],
)
def test_an_incomplete_sync_never_passes(
    project: Project, faults: Faults, severity: dg.AssetCheckSeverity, said: str
) -> None:
    events = EVENTS[:30] if faults.page_cap else EVENTS
    with Sandbox(events, faults=faults) as api:
        check = complete(sync_default(project, api.url))
    assert not check.passed
    assert check.severity is severity
    assert said in str(check.description)
    assert check.metadata["rows_read"].value == last_sync(project)["rows_read"]


def test_a_response_without_records_is_retried_and_never_the_end(
    project: Project, big: Sandbox
) -> None:
    big.faults = Faults(null_data_every=1)
    assert failed_sync(default_source(project, big.url)) == (
        f"The API at {big.url}/v1/events sent a response that has null under `data` "
        "(tried 4 times); check the endpoint in defs.yaml."
    )
    assert [request.status for request in big.requests] == [200] * 4


@pytest.mark.parametrize(
    "faults", [Faults(missing_data_every=3), Faults(html_every=3), Faults(null_data_every=3)]
)
def test_a_broken_response_in_the_middle_of_a_list_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, faults: Faults
) -> None:
    with Sandbox(EVENTS[:250], faults=faults) as api:
        ids, result = read(monkeypatch, api)
        assert result.complete is True
        assert sorted(ids) == sorted(api.ids())
        assert len(api.requests) > 3


def test_an_incomplete_sync_makes_no_event_go(project: Project, big: Sandbox) -> None:
    sync_default(project, big.url, derived=True)
    big.faults = Faults(ignore_offset=True)
    big.replace(EVENTS[:150])
    sync_default(project, big.url, derived=True)
    assert len(project.ids("current_events")) == 1_000


def test_a_list_that_comes_without_content_makes_no_known_event_go(project: Project) -> None:
    answers: list[Any] = [paged(EVENTS[:10]), lambda _: Response(status_code=204)]
    with serving({"/v1/events": lambda request: answers[0](request)}) as api:
        sync_default(project, api.url, derived=True)
        del answers[0]
        check = complete(sync_default(project, api.url, derived=True))
    assert (check.passed, check.severity) == (False, WARN)
    assert "but did before" in str(check.description)
    assert len(project.ids("current_events")) == 10


def test_an_api_that_shows_no_events_any_more_makes_none_go(project: Project) -> None:
    with Sandbox(EVENTS[:10]) as api:
        sync_default(project, api.url, derived=True)
        api.replace([])
        check = complete(sync_default(project, api.url, derived=True))
        assert (check.passed, check.severity) == (False, WARN)
        assert "but did before" in str(check.description)
        assert len(project.ids("current_events")) == 10
        api.replace(EVENTS[:4])
        sync_default(project, api.url, derived=True)
    assert len(project.ids("current_events")) == 4


def test_every_event_has_the_time_it_was_last_seen(project: Project) -> None:
    with Sandbox(EVENTS[:10]) as api:
        sync_default(project, api.url)
        api.replace(EVENTS[:4])
        sync_default(project, api.url)
    seen = "select count(*), last_seen_at from events.event_data group by all order by all"
    syncs = "select started_at from events.event_data_syncs order by started_at"
    (first,), (second,) = project.rows(syncs)
    assert project.rows(seen) == [(4, second), (6, first)]


def test_a_short_list_costs_no_more_requests_than_its_pages_and_a_look_behind_them(
    project: Project,
) -> None:
    with Sandbox(250) as api:
        sync_default(project, api.url)
        assert len(api.requests) == 3
        api.requests.clear()
        api.faults = Faults(total="none")
        sync_default(project, api.url)
        read_ahead = 2
        assert len(api.requests) <= 3 + 4 + read_ahead


def test_an_unchanged_second_sync_asks_no_more_than_the_first(
    project: Project, big: Sandbox
) -> None:
    sync_default(project, big.url)
    first = len(big.requests)
    sync_default(project, big.url)
    assert len(big.requests) == 2 * first
    assert project.rows("select count(*) from events.event_data_syncs") == [(2,)]


def test_repeated_rows_are_loaded_once(project: Project, big: Sandbox) -> None:
    sync_default(project, big.url)
    big.replace([*EVENTS[:400], *EVENTS[:400], *EVENTS[400:]])
    check = unique(sync_default(project, big.url))
    assert project.ids() == sorted(event["id"] for event in EVENTS)
    assert (check.passed, check.severity) == (False, WARN)
    assert "The API sent 400 ids more than once" in str(check.description)


def test_events_that_leave_together_with_the_total_are_not_gone(project: Project) -> None:
    rows = events(30)

    def answer(request: Request) -> Any:
        return {"data": rows[number(request, "offset") :][:10], **more}

    more = {"total": 30}
    with serving(answer) as api:
        loaded = source_of(source(api.url, endpoint={"paginator": {"type": "offset", "limit": 10}}))
        sync_source(loaded)
        del rows[20:]
        more.clear()
        sync_source(loaded, derived=True)
        assert complete(loaded).severity is WARN
        assert complete(loaded).description == (
            "20 rows received, but the API no longer reports a total, which was 30: the others may "
            "be missing. If they are not, set `total_path: null`."
        )
        assert len(project.ids("current_events")) == 30
        more["total"] = 20
        sync_source(loaded, derived=True)
    assert complete(loaded).passed
    assert len(project.ids("current_events")) == 20
