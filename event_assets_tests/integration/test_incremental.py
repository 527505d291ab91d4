"""Incremental syncs, and full syncs on their own schedule."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse

from event_assets_tests.support.api_server import serving
from event_assets_tests.support.clock import wrong_by
from event_assets_tests.support.direct_syncs import complete, source_of, sync_source
from event_assets_tests.support.platforms import definitions, paged, run, source
from event_assets_tests.support.project import Project, failure

pytestmark = [pytest.mark.in_process, pytest.mark.usefixtures("project")]
PATH = "/v1/events"
SINCE = {"start_param": "updated_since", "cursor_path": "updated_at"}


def stamped(*numbers: int, day: int = 1) -> list[dict[str, Any]]:
    return [
        {"id": f"e{n}", "name": "x", "updated_at": f"2026-01-{day:02}T00:00:00Z"} for n in numbers
    ]


def filtering(rows: list[dict[str, Any]], *, is_inclusive: bool = True) -> Any:
    def answer(request: Request) -> Any:
        since = request.query_params.get("updated_since", "")
        times = [(row, row["updated_at"]) for row in rows]
        return paged(
            [row for row, time in times if time > since or (is_inclusive and time == since)]
        )(request)

    return answer


def incremental(url: str, **options: Any) -> dict[str, Any]:
    endpoint = {"incremental": {**SINCE, **options}}
    return source(url, endpoint=endpoint, full_sync="0 3 * * *", schedule="0 * * * *")


def test_the_first_sync_requests_everything_and_the_next_the_changes(project: Project) -> None:
    rows = stamped(1, 2, 3)
    with serving({PATH: filtering(rows)}) as api:
        loaded = source_of(incremental(api.url))
        sync_source(loaded)
        rows[0] = {**stamped(1, day=5)[0], "name": "new"}
        rows += stamped(4, day=6)
        sync_source(loaded)
        apply_to = [query.get("updated_since") for query in api.asked_for(PATH)]
    assert apply_to[0] is None
    assert apply_to[-1] == "2026-01-01T00:00:00Z"
    assert dict(project.rows("select id, name from events.event_data")) == {
        "e1": "new",
        "e2": "x",
        "e3": "x",
        "e4": "x",
    }
    synced = project.rows(
        "select full_sync, position from events.event_data_syncs order by started_at"
    )
    assert synced == [(True, '"2026-01-01T00:00:00Z"'), (False, '"2026-01-05T00:00:00Z"')]


def test_only_a_full_sync_decides_what_is_gone(project: Project) -> None:
    rows = stamped(1, 2, 3)
    with serving({PATH: filtering(rows)}) as api:
        document = incremental(api.url)
        sync_source(source_of(document), derived=True)
        del rows[0]
        sync_source(source_of(document), derived=True)
        assert len(project.ids("current_events")) == 3
        loaded = definitions({"events": document})
        result = run(project, loaded, "sync_events_fully", derived=True)
        assert result.success, failure(result)
        assert api.asked_for(PATH)[-1].get("updated_since") is None
    assert project.ids("current_events") == ["e2", "e3"]
    assert project.rows("select id from events.event_changes where change = 'gone'") == [("e1",)]


def test_a_sync_without_a_start_is_full_in_whatever_order_the_list_is(project: Project) -> None:
    rows = stamped(1, 2, 3)
    endpoint = {"incremental": {"cursor_path": "updated_at", "row_order": "desc"}}
    with serving({PATH: filtering(rows)}) as api:
        loaded = source_of(source(api.url, endpoint=endpoint))
        sync_source(loaded, derived=True)
        del rows[1]
        sync_source(loaded, derived=True)
    assert project.ids("current_events") == ["e1", "e3"]
    assert complete(loaded).passed


def test_a_sync_that_may_have_missed_events_keeps_the_cursor(project: Project) -> None:
    rows = stamped(1, 2)
    short = False

    def answer(request: Request) -> Any:
        made = filtering(rows)(request)
        return {**made, "data": made["data"][:1], "total": 9} if short else made

    with serving({PATH: answer}) as api:
        loaded = source_of(incremental(api.url))
        sync_source(loaded)
        rows += stamped(3, day=4) + stamped(4, day=5)
        short = True
        sync_source(loaded)
        assert complete(loaded).passed is False
        short = False
        sync_source(loaded)
        assert api.asked_for(PATH)[-1]["updated_since"] == "2026-01-01T00:00:00Z"
    assert project.ids() == ["e1", "e2", "e3", "e4"]


def test_a_full_sync_that_may_lack_events_is_doubted_until_a_full_one_is_complete() -> None:
    rows, total = stamped(1, 2), 2

    def answer(request: Request) -> Any:
        made = filtering(rows)(request)
        return made if "updated_since" in request.query_params else {**made, "total": total}

    with serving({PATH: answer}) as api:
        loaded = source_of(incremental(api.url))
        sync_source(loaded)
        total = 9
        sync_source(loaded, full_refresh=True)
        assert complete(loaded).severity is dg.AssetCheckSeverity.ERROR
        sync_source(loaded)
        doubted = complete(loaded)
        total = 2
        sync_source(loaded, full_refresh=True)
        sync_source(loaded)
        assert complete(loaded).passed
    assert not doubted.passed
    assert doubted.severity is dg.AssetCheckSeverity.WARN
    assert "The newest full sync may not be complete: " in str(doubted.description)


def test_everything_is_read_after_a_sync_with_another_configuration(project: Project) -> None:
    rows = [{**row, "venue": "hall"} for row in stamped(1, 2, 3)]
    with serving({PATH: filtering(rows)}) as api:
        one = incremental(api.url)
        other = {**one, "attributes": {**one["attributes"], "exclude": ["venue"]}}
        for document in (one, other, one, one):
            sync_source(source_of(document))
    assert project.rows("select count(venue) from events.event_data") == [(3,)]
    synced = "select full_sync from events.event_data_syncs order by sync_number"
    assert project.rows(synced) == [(True,), (True,), (True,), (False,)]


def test_everything_is_read_where_windows_reach_further(project: Project) -> None:
    fields = {"id": {"type": "text"}, "start_time": {"type": "timestamp"}}
    now = datetime.now(UTC)
    rows = stamped(1, 2, 3)
    for row, days in zip(rows, (5, 15, 35), strict=True):
        row["start_time"] = f"{now + timedelta(days=days):%FT%TZ}"

    def answer(request: Request) -> Any:
        limits = request.query_params
        first, last = limits["from"], limits["to"]
        return filtering([row for row in rows if first <= row["start_time"] <= last])(request)

    def document(until: str) -> dict[str, Any]:
        windows = {"param_from": "from", "param_to": "to", "cap": 500, "since": "-1d"}
        return source(
            api.url,
            endpoint={"incremental": SINCE},
            fields=fields,
            windows={**windows, "until": until},
        )

    with serving({PATH: answer}) as api:
        sync_source(source_of(document("+10d")))
        sync_source(source_of(document("+20d")))
        assert project.ids() == ["e1", "e2"]
        sync_source(source_of(document("+20d")))
        with wrong_by(hours=24 * 20):
            sync_source(source_of(document("+20d")))
    assert project.ids() == ["e1", "e2", "e3"]
    synced = "select full_sync from events.event_data_syncs order by sync_number"
    assert project.rows(synced) == [(True,), (True,), (False,), (True,)]


@pytest.mark.parametrize(
    ("params", "first", "following"),
    [
        ({"q": ">={incremental.start_value}"}, {}, {"q": ">=2026-01-01T00:00:00Z"}),
        (
            {"q": '{{"updated_at": {{"gte": "{incremental.start_value}"}}}}'},
            {},
            {"q": '{"updated_at": {"gte": "2026-01-01T00:00:00Z"}}'},
        ),
        ({"q": "{incremental.initial_value}"}, {}, {}),
    ],
    ids=["operator", "JSON", "no initial value"],
)
@pytest.mark.usefixtures("project")
def test_what_has_no_start_is_left_out(
    params: dict[str, str], first: dict[str, str], following: dict[str, str]
) -> None:
    with serving({PATH: filtering(stamped(1, 2))}) as api:
        endpoint = {"incremental": SINCE, "params": params}
        loaded = source_of(source(api.url, endpoint=endpoint))
        sync_source(loaded)
        (*_, was) = api.asked_for(PATH)
        sync_source(loaded)
        (*_, now) = api.asked_for(PATH)
    sent = [{name: value for name, value in query.items() if name == "q"} for query in (was, now)]
    assert sent == [first, following]


@pytest.mark.usefixtures("project")
def test_an_end_that_a_placeholder_stands_for_is_sent_by_the_first_sync_too() -> None:
    with serving({PATH: filtering(stamped(1, 2))}) as api:
        limits = {**SINCE, "end_value": "2027-01-01"}
        endpoint = {"incremental": limits, "params": {"until": "{incremental.end_value}"}}
        loaded = source_of(source(api.url, endpoint=endpoint))
        for _ in range(2):
            sync_source(loaded)
        assert {query.get("until") for query in api.asked_for(PATH)} == {"2027-01-01"}


def test_few_broken_changes_do_not_stop_the_good_ones(project: Project) -> None:
    fields = {"id": {"type": "text"}, "start_time": {"type": "timestamp"}}
    rows = stamped(*range(60))
    with serving({PATH: filtering(rows)}) as api:
        loaded = source_of(source(api.url, endpoint={"incremental": SINCE}, fields=fields))
        sync_source(loaded)
        rows[:2] = [{**row, "start_time": "soon"} for row in stamped(0, 1, day=5)]
        rows[2] = {**stamped(2, day=5)[0], "name": "new"}
        sync_source(loaded)
    assert project.rows("select name from events.event_data where id = 'e2'") == [("new",)]
    rejects = "select id, field from events.event_data_rejects order by id"
    assert project.rows(rejects) == [("e0", "start_time"), ("e1", "start_time")]


@pytest.mark.parametrize("is_inclusive", [True, False])
def test_nothing_new_is_no_change(is_inclusive: bool) -> None:
    with serving({PATH: filtering(stamped(1), is_inclusive=is_inclusive)}) as api:
        loaded = source_of(incremental(api.url))
        sync_source(loaded)
        sync_source(loaded)
    check = complete(loaded)
    assert check.passed
    assert str(check.description).startswith("Changes since 2026-01-01")


@pytest.mark.parametrize("edit", ["position = '5'", "position = '5', newest = 'true'"])
def test_a_position_that_a_person_has_set_in_another_notation_is_not_used(
    project: Project, edit: str
) -> None:
    with serving({PATH: filtering(stamped(1, 2))}) as api:
        loaded = source_of(incremental(api.url))
        sync_source(loaded)
        project.rows(f"update events.event_data_syncs set {edit}")
        sync_source(loaded)
        assert "updated_since" not in api.asked_for(PATH)[-1]


def test_lag_goes_back_before_the_newest() -> None:
    with serving({PATH: filtering(stamped(1, day=9))}) as api:
        loaded = source_of(incremental(api.url, lag=86_400))
        for _ in range(2):
            sync_source(loaded)
        assert api.asked_for(PATH)[-1]["updated_since"].startswith("2026-01-08T00:00:00")


def test_initial_value_bounds_the_first_sync(project: Project) -> None:
    with serving({PATH: filtering(stamped(1) + stamped(2, day=3))}) as api:
        document = incremental(api.url, initial_value="2026-01-02T00:00:00Z")
        sync_source(source_of(document))
    assert project.ids() == ["e2"]


@pytest.mark.parametrize("cursor", [{}, {"changed": {"type": "timestamp", "from": "updated_at"}}])
def test_events_from_before_an_initial_value_are_not_gone(
    project: Project, cursor: dict[str, Any]
) -> None:
    rows = stamped(1) + stamped(2, day=3) + stamped(3, day=4)
    with serving({PATH: filtering(rows)}) as api:
        document = incremental(api.url)
        document["attributes"]["fields"] |= cursor
        sync_source(source_of(document), derived=True)
        del rows[2]
        [resource] = document["attributes"]["rest_api"]["resources"]
        resource["endpoint"]["incremental"]["initial_value"] = "2026-01-02T00:00:00Z"
        sync_source(source_of(document), derived=True)
        assert project.ids("current_events") == ["e1", "e2", "e3"]
        assert complete(source_of(document)).description == (
            "Changes since 2026-01-02T00:00:00Z: The only row was received."
        )
        del resource["endpoint"]["incremental"]["initial_value"]
        sync_source(source_of(document), full_refresh=True, derived=True)
    assert project.ids("current_events") == ["e1", "e2"]


def test_events_from_behind_an_end_value_are_not_gone(project: Project) -> None:
    rows = stamped(1) + stamped(2, day=3)
    with serving({PATH: filtering(rows)}) as api:
        document = incremental(api.url)
        sync_source(source_of(document), derived=True)
        del rows[1]
        [resource] = document["attributes"]["rest_api"]["resources"]
        resource["endpoint"]["incremental"] |= {"end_param": "until", "end_value": "2026-01-02"}
        sync_source(source_of(document), full_refresh=True, derived=True)
    assert project.ids("current_events") == ["e1", "e2"]


def test_events_that_left_behind_an_initial_value_are_gone(project: Project) -> None:
    rows = stamped(1, day=3) + stamped(2, day=4)
    with serving({PATH: filtering(rows)}) as api:
        loaded = source_of(incremental(api.url, initial_value="2026-01-02T00:00:00Z"))
        sync_source(loaded, derived=True)
        del rows[0]
        sync_source(loaded, full_refresh=True, derived=True)
    assert project.ids("current_events") == ["e2"]


def test_a_placeholder_takes_the_start_as_dlt_documents_it() -> None:
    with serving({PATH: filtering(stamped(1))}) as api:
        document = incremental(api.url, initial_value="2020-01-01")
        endpoint = document["attributes"]["rest_api"]["resources"][0]["endpoint"]
        endpoint["incremental"].pop("start_param")
        endpoint["params"] = {"updated_since": "{incremental.start_value}"}
        loaded = source_of(document)
        for _ in range(2):
            sync_source(loaded)
        apply_to = [query["updated_since"] for query in api.asked_for(PATH)]
    assert (apply_to[0], apply_to[-1]) == ("2020-01-01", "2026-01-01T00:00:00Z")


def test_there_are_two_schedules() -> None:
    loaded = definitions({"events": incremental("http://127.0.0.1:9")})
    found = {
        schedule.name: schedule.cron_schedule
        for schedule in loaded.schedules or ()
        if isinstance(schedule, dg.ScheduleDefinition) and schedule.name.startswith("sync_")
    }
    assert found == {"sync_events_schedule": "0 * * * *", "sync_events_fully_schedule": "0 3 * * *"}


def test_a_full_sync_on_its_own_schedule_needs_increments() -> None:
    with pytest.raises(Exception) as refused:  # noqa: PT011 (Dagster wraps it)
        definitions({"events": source("http://127.0.0.1:9", full_sync="0 3 * * *")})
    error: BaseException = refused.value
    while error.__cause__:
        error = error.__cause__
    assert "full_sync: needs an endpoint with `incremental`" in str(error)


def test_another_contract_reads_everything_again() -> None:
    with serving({PATH: filtering(stamped(1, 2))}) as api:
        sync_source(source_of(incremental(api.url)))
        changed = incremental(api.url)
        changed["attributes"]["fields"]["size"] = {"type": "bigint"}
        sync_source(source_of(changed))
        assert api.asked_for(PATH)[-1].get("updated_since") is None


def test_everything_is_read_from_an_api_that_has_forgotten_the_last_sync(project: Project) -> None:
    rows = stamped(1, 2)

    def forgetting(request: Request) -> Any:
        if "updated_since" in request.query_params:
            return JSONResponse({"error": "updatedMinTooLongAgo"}, 410)
        return paged(rows)(request)

    with serving({PATH: forgetting}) as api:
        loaded = source_of(incremental(api.url))
        sync_source(loaded)
        rows.append(stamped(3, day=2)[0])
        sync_source(loaded)
        asked = [query.get("updated_since") for query in api.asked_for(PATH)]
    assert (asked[0], asked.count("2026-01-01T00:00:00Z"), asked[-1]) == (None, 1, None)
    assert project.ids() == ["e1", "e2", "e3"]
    synced = "select complete, full_sync from events.event_data_syncs order by sync_number"
    assert project.rows(synced) == [(True, True), (True, True)]


def test_changes_during_a_sync_are_requested_again() -> None:
    now = datetime.now(UTC)
    rows = [*stamped(1), *stamped(2, day=3)]
    rows.append({"id": "e3", "name": "x", "updated_at": now.strftime("%Y-%m-%dT%H:%M:%SZ")})
    rows.append({"id": "e4", "name": "x", "updated_at": "9999-12-31T00:00:00Z"})
    with serving({PATH: filtering(rows)}) as api:
        loaded = source_of(incremental(api.url))
        for _ in range(2):
            sync_source(loaded)
        assert api.asked_for(PATH)[-1]["updated_since"] == "2026-01-03T00:00:00Z"


def test_a_cursor_of_another_type_starts_over() -> None:
    rows: list[dict[str, Any]] = [{"id": "e1", "updated_at": 5}]
    with serving({PATH: lambda request: paged(rows)(request)}) as api:
        loaded = source_of(incremental(api.url))
        for _ in range(2):  # a number is a position once the next sync has received it, too
            sync_source(loaded)
        rows.append({"id": "e2", "updated_at": "2026-05-01T00:00:00Z"})
        rows.pop(0)
        for _ in range(3):
            sync_source(loaded)
        starts = dict.fromkeys(query.get("updated_since") for query in api.asked_for(PATH))
    assert [*starts] == [None, "5", "2026-05-01T00:00:00Z"]
