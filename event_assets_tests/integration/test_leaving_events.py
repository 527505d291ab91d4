"""Events that leave the list: gone, passed, or not judged."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.requests import Request

from event_assets.sync.current_events import event_times
from event_assets_tests.support.accounts import serving_accounts, with_accounts
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.clock import wrong_by
from event_assets_tests.support.direct_syncs import (
    complete,
    derive_tables,
    failed_sync,
    source_of,
    sync_accounts,
    sync_source,
)
from event_assets_tests.support.platforms import definitions, paged, run, source
from event_assets_tests.support.project import Project, failure, metadata

pytestmark = pytest.mark.in_process

PATH = "/v1/events"
NOW = datetime.now(UTC)
FIELDS: dict[str, Any] = {
    "id": {"type": "text"},
    "name": {"type": "text"},
    "start_time": {"type": "timestamp"},
    "end_time": {"type": "timestamp"},
}
WINDOWS: dict[str, Any] = {"param_from": "from", "param_to": "to", "cap": 1000}


def event(key: str, start: float | None, end: float | None = None) -> dict[str, Any]:
    """Return an event that starts and ends so many days from now."""
    times = [
        None if days is None else (NOW + timedelta(days=days)).isoformat() for days in (start, end)
    ]
    return {"id": key, "name": f"Event {key}", "start_time": times[0], "end_time": times[1]}


def changes(project: Project, more: str = "") -> list[tuple[Any, ...]]:
    return project.rows(f"select change, id{more} from events.event_changes order by id, change")


def sync_lists(*lists: list[dict[str, Any]], **settings: Any) -> None:
    """Sync a list that changes from one sync to the next, at one address or another."""
    rows: list[dict[str, Any]] = []
    with serving({PATH: paged(rows)}) as api:
        config = source_of(source(api.url, **{"fields": FIELDS, **settings}))
        for each in lists:
            rows[:] = each
            sync_source(config, derived=True, accepts_new_origin=True)


def let_syncs_be_a_day_older(project: Project) -> None:
    times = ("started_at", "finished_at", "began_at")
    shifted = ", ".join(f"{at} = {at} - interval 1 day" for at in times)
    project.rows(f"update events.event_data_syncs set {shifted}")


def test_an_event_that_ended_before_it_left_has_passed(project: Project) -> None:
    ended, running = event("ended", -2, -1), event("running", -1, 1)
    only_start, coming = event("only_start", -1), event("coming", 1)
    staying, timeless = event("staying", 2, 3), event("timeless", None)
    everything = [ended, running, only_start, coming, staying, timeless]
    rows = everything[:]
    with serving({PATH: paged(rows)}) as api:
        loaded = definitions({"events": source(api.url, fields=FIELDS)})
        for listed in (everything, [staying]):
            rows[:] = listed
            result = run(project, loaded, derived=True)
            assert result.success, failure(result)
    assert changes(project, ", name, field") == [
        ("gone", "coming", "Event coming", None),
        ("passed", "ended", "Event ended", None),
        ("passed", "only_start", "Event only_start", None),
        ("gone", "timeless", "Event timeless", None),
    ]
    assert project.ids("current_events") == ["running", "staying"]
    assert len(project.ids()) == 6
    figures = metadata(result, "event_changes")
    assert (figures["passed"], figures["gone"]) == (2, 2)


def test_an_event_under_way_has_gone_only_if_the_list_shows_others_that_began_a_day_before(
    project: Project,
) -> None:
    left, running, coming = event("left", -1, 1), event("running", -2.1, 1), event("coming", 3)
    sync_lists([left, running, coming], [coming])
    assert project.ids("current_events") == ["coming", "left", "running"]
    sync_lists([event("late", -1.5), coming])
    assert project.ids("current_events") == ["coming", "late", "left", "running"]
    sync_lists([running, coming])
    assert project.ids("current_events") == ["coming", "running"]
    assert ("gone", "left") in changes(project)


def test_fields_of_the_api_have_any_names(project: Project) -> None:
    odd = {"starts": "x", "ends": "x", "newest": "x", "owner_id": 1, "reach": "x", "judges": "x"}
    fair, coming, deleted = event("fair", -0.5, 2), event("coming", 3), event("deleted", 2)
    sync_lists([{**each, **odd} for each in (fair, coming, deleted)], [{**coming, **odd}])
    assert project.ids("current_events") == ["coming", "fair"]


def test_what_is_gone_does_not_come_back_by_its_start(project: Project) -> None:
    fair, coming = event("fair", -0.5, 2), event("coming", 3)
    sync_lists([fair, coming], [coming])
    assert project.ids("current_events") == ["coming", "fair"]
    let_syncs_be_a_day_older(project)
    assert project.ids("current_events") == ["coming"]
    sync_lists([coming])
    assert project.ids("current_events") == ["coming"]


def test_a_record_that_breaks_the_contract_is_one_of_its_event(project: Project) -> None:
    fair, coming = event("fair", -0.5, 2), event("coming", 3)
    fields = {**FIELDS, "name": {"type": "text", "nullable": False}}
    sync_lists([fair, coming], [{**fair, "name": None}, coming], fields=fields)
    let_syncs_be_a_day_older(project)
    sync_lists([coming], fields=fields)
    assert project.ids("current_events") == ["coming", "fair"]


def test_a_record_without_an_id_brings_nothing_back_that_left_before_it(project: Project) -> None:
    old, stays, leaves = event("old", -9), event("stays", 9), event("leaves", 8)
    unknown = {**event("unknown", 7), "id": None}
    sync_lists([old, stays, leaves], [stays, leaves], [stays, unknown], [stays, unknown])
    assert project.ids("current_events") == ["leaves", "stays"]
    assert changes(project) == [("passed", "old")]
    sync_lists([stays])
    assert changes(project) == [("gone", "leaves"), ("passed", "old")]


def test_what_has_begun_is_told_by_the_clock_of_the_api(project: Project) -> None:
    left, ended, coming = event("left", -0.02, 1), event("ended", -1, -0.02), event("coming", 3)
    rows = [left, ended, coming]
    with serving({PATH: paged(rows)}) as api:
        config = source_of(source(api.url, fields=FIELDS))
        for listed in ([left, ended, coming], [coming]):
            rows[:] = listed
            with wrong_by(-1):
                sync_source(config, derived=True)
    assert project.ids("current_events") == ["coming", "left"]
    assert changes(project) == [("passed", "ended")]


def test_an_event_that_ended_and_is_still_listed_stays_current(project: Project) -> None:
    sync_lists([event("old", -9, -8)], [event("old", -9, -8)])
    assert project.ids("current_events") == ["old"]
    assert changes(project) == []


def test_an_event_that_has_passed_can_come_back(project: Project) -> None:
    old, new = event("old", -9), event("new", 9)
    sync_lists([old, new], [new], [old, new])
    assert changes(project) == [("passed", "old"), ("reappeared", "old")]
    assert project.ids("current_events") == ["new", "old"]


@pytest.mark.parametrize("kind", ["timestamp", "date"])
def test_days_pass_like_instants(project: Project, kind: str) -> None:
    fields = {**FIELDS, "start_time": {"type": kind}, "end_time": {"type": kind}}
    lists = [[event("past", -9, -8), event("next", 8, 9), event("x", 5)], [event("x", 5)]]
    sync_lists(*lists, fields=fields)
    assert changes(project) == [("gone", "next"), ("passed", "past")]


@pytest.mark.parametrize(
    ("types", "end"),
    [
        ({"start_time": "date"}, "2026-01-03"),
        ({"start_time": "DATE", "end_time": "DATE"}, "2026-01-05"),
        ({"start_time": "timestamp", "end_time": "timestamp"}, "2026-01-04"),
        ({"start_time": "date", "end_time": "timestamp"}, "2026-01-04"),
    ],
)
def test_what_is_a_day_ends_with_it(project: Project, types: dict[str, str], end: str) -> None:
    event = "(select date '2026-01-02' as start_time, date '2026-01-04' as end_time) as event"
    day = f"cast(({event_times('event', types)[1]}) at time zone 'UTC' as date)"
    sync_lists([])
    assert project.rows(f"select {day}::varchar from {event}") == [(end,)]


def test_days_are_those_of_utc_in_each_time_zone(project: Project) -> None:
    _, end = event_times("event", {"start_time": "date"})
    query = f"select epoch({end}) from (select date '2026-01-02' as start_time) as event"
    sync_lists([])
    for zone in ("UTC", "Pacific/Auckland"):
        found = project.rows(f"set timezone = '{zone}'; {query}")
        assert found == [(datetime(2026, 1, 3, tzinfo=UTC).timestamp(),)]


def test_without_instants_of_start_the_calendar_goes(project: Project) -> None:
    with serving({PATH: paged([event("a", 1)])}) as api:
        for kind in ("timestamp", "date"):
            fields = {**FIELDS, "start_time": {"type": kind}}
            loaded = definitions({"events": source(api.url, fields=fields)})
            result = run(project, loaded, derived=True)
            assert result.success, failure(result)
    tables = "select count(*) from duckdb_tables() where table_name = 'event_calendar'"
    assert project.rows(tables) == [(0,)]


def test_without_times_what_left_is_gone(project: Project) -> None:
    fields = {"id": {"type": "text"}, "start_time": {"type": "text"}}
    sync_lists([event("a", -9), event("b", 9)], [event("b", 9)], fields=fields)
    assert changes(project) == [("gone", "a")]


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("end", ["incomplete", "unverified", "failed"])
def test_without_a_complete_sync_nothing_leaves(project: Project, end: str) -> None:
    rows = [event(f"e{number}", number - 3) for number in range(6)]
    state = {"end": "complete"}

    def answer(_: Request) -> Any:
        if state["end"] == "complete":
            return {"data": rows, "has_more": False}
        if state["end"] == "incomplete":
            return {"data": rows[:2], "total": 6}
        return {"data": rows[:2]} if state["end"] == "unverified" else {"oops": True}

    with serving({PATH: answer}) as api:
        endpoint = {
            "paginator": {"type": "cursor", "cursor_path": "next"},
            "response_actions": [{"status_code": 429, "action": "ignore"}],
        }
        config = source_of(source(api.url, endpoint=endpoint, fields=FIELDS))
        sync_source(config, derived=True)
        state["end"] = end
        if end == "failed":
            assert failed_sync(config)
        else:
            sync_source(config)
        derive_tables(config)
    assert len(project.ids("current_events")) == 6
    assert changes(project) == []


def windowed(rows: list[dict[str, Any]]) -> Any:
    """Answer with the events that start in the requested window."""

    def answer(request: Request) -> Any:
        first, last = (request.query_params.get(name, edge) for name, edge in
                       (("from", ""), ("to", "9")))  # fmt: skip
        found = [row for row in rows if first <= (row["start_time"] or "") <= last]
        return paged(found)(request)

    return answer


def sync_windows(*syncs: tuple[list[dict[str, Any]], dict[str, str]]) -> None:
    for rows, limits in syncs:
        with serving({PATH: windowed(rows)}) as api:
            document = source(api.url, fields=FIELDS, windows={**WINDOWS, **limits})
            sync_source(source_of(document), derived=True, accepts_new_origin=True)


def test_what_lies_outside_of_the_windows_is_not_judged(project: Project) -> None:
    rows = [event(str(day), day, day + 0.1) for day in (-40, -5, 5, 15, 40)]
    before, after = {"since": "-50d", "until": "+50d"}, {"since": "-20d", "until": "+20d"}
    kept = [event("-5", -5, -4.9), event("5", 5, 5.1)]
    sync_windows((rows, before), (kept, after))
    assert changes(project) == [("passed", "-40"), ("gone", "15")]
    assert project.ids("current_events") == ["-5", "40", "5"]
    read = "read_from < now() - interval 20 day, read_until > now() + interval 19 day"
    log = f"select {read} from events.event_data_syncs order by sync_number"
    assert project.rows(log) == [(True, True), (True, True)]


@pytest.mark.usefixtures("project")
def test_windows_that_are_added_need_not_report_the_total_of_the_whole_list() -> None:
    rows = [event(f"e{day}", day, day + 0.1) for day in range(1, 41)]
    with serving({PATH: windowed(rows)}) as api:
        for limits in ({}, {"windows": {**WINDOWS, "cap": 8, "since": "-5d", "until": "+12d"}}):
            config = source_of(source(api.url, fields=FIELDS, **limits))
            sync_source(config)
    assert complete(config).passed


def test_at_the_edges_of_windows_nothing_is_judged(project: Project) -> None:
    rows = [event("across", 19.5, 30), event("edge", 19.6), event("long", -30, 30), event("x", 5)]
    limits = {"since": "-20d", "until": "+20d"}
    everything = {"since": "-50d", "until": "+50d"}
    sync_windows((rows, everything), ([event("x", 5)], limits))
    assert changes(project) == []
    assert len(project.ids("current_events")) == 4


def test_shorter_windows_bring_nothing_back_that_was_gone(project: Project) -> None:
    rows, wide = [event("deleted", 15), event("x", 5)], {"since": "-50d", "until": "+50d"}
    narrow = {"since": "-10d", "until": "+10d"}
    sync_windows((rows, wide), (rows[1:], wide), (rows[1:], narrow))
    assert project.ids("current_events") == ["x"]
    assert changes(project) == [("gone", "deleted")]


def test_a_whole_list_read_in_windows_is_judged_as_a_whole(project: Project) -> None:
    rows = [event("a", -40), event("b", 40), event("c", 41)]
    sync_windows((rows, {}), (rows[2:], {}))
    assert changes(project) == [("passed", "a"), ("gone", "b")]
    assert project.ids("current_events") == ["c"]


def test_each_account_is_judged_by_its_own_sync(project: Project) -> None:
    old, new, other = event("old", -9), event("new", 9), event("other", 8)
    lists = {"a": [old, new, other], "b": [old, new, other]}
    with serving_accounts(lists) as api:
        both = source_of(with_accounts(api.url, ["a", "b"]))
        sync_accounts(both, "a", "b")
        derive_tables(both)
        lists["a"] = [new]
        sync_accounts(both, "a")
        derive_tables(both)
    left = [("gone", "other", "a"), ("passed", "old", "a")]
    assert sorted(changes(project, ", account")) == left
    counts = "select account, count(*) from events.current_events group by 1 order by 1"
    assert project.rows(counts) == [("a", 1), ("b", 3)]


SCHEDULE = [event(f"e{number}", number + 2) for number in range(12)]
OTHER_IDS = [{**each, "id": f"evt_{each['id']}"} for each in SCHEDULE]


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        (OTHER_IDS, "None of the 12 known events that are still to come is among the 12 records"),
        (
            SCHEDULE[:1],
            "Only 1 of the 12 known events that are still to come is among the 1 record",
        ),
    ],
)
def test_a_list_without_the_known_events_that_are_still_to_come_is_doubted_until_it_is_accepted(
    project: Project, listed: list[dict[str, Any]], said: str
) -> None:
    rows = SCHEDULE[:]
    with serving({PATH: paged(rows)}) as api:
        config = source_of(source(api.url, fields=FIELDS))
        sync_source(config, derived=True)
        rows[:] = listed
        warned: list[str] = []
        for _ in range(2):
            sync_source(config, derived=True)
            found = complete(config)
            assert (found.passed, found.severity.name) == (False, "WARN")
            warned.append(str(found.description))
            assert {each["id"] for each in SCHEDULE} <= {*project.ids("current_events")}
            assert {kind for kind, _ in changes(project)} <= {"appeared"}
        assert warned[0].startswith(said)
        assert all("sync events --full --accept-new-origin`" in each for each in warned)
        sync_source(config, derived=True, accepts_new_origin=True)
        assert complete(config).passed
        sync_source(config, derived=True)
    assert complete(config).passed
    assert project.ids("current_events") == sorted(each["id"] for each in listed)


def test_a_list_of_known_events_that_comes_back_needs_not_be_accepted(project: Project) -> None:
    rows = SCHEDULE[:]
    with serving({PATH: paged(rows)}) as api:
        config = source_of(source(api.url, fields=FIELDS))
        for listed in (SCHEDULE, OTHER_IDS, SCHEDULE):
            rows[:] = listed
            sync_source(config, derived=True)
    assert complete(config).passed
    assert project.ids("current_events") == sorted(each["id"] for each in SCHEDULE)


@pytest.mark.parametrize(
    ("known", "listed"),
    [
        (SCHEDULE, SCHEDULE[:2]),
        (SCHEDULE[:9], OTHER_IDS),
        ([event(f"e{number}", number / 24 - 1) for number in range(48)], OTHER_IDS),
        ([event(f"e{number}", None) for number in range(12)], OTHER_IDS),
    ],
    ids=["several are left", "few were known", "over or about to begin", "without times"],
)
@pytest.mark.usefixtures("project")
def test_other_events_than_those_known_are_usual(
    known: list[dict[str, Any]], listed: list[dict[str, Any]]
) -> None:
    rows = known[:]
    with serving({PATH: paged(rows)}) as api:
        config = source_of(source(api.url, fields=FIELDS))
        for rows[:] in (known, listed):
            sync_source(config)
    assert complete(config).passed


def test_known_events_that_are_listed_as_removed_are_listed(project: Project) -> None:
    rows = [{**each, "state": "on"} for each in SCHEDULE]
    with serving({PATH: paged(rows)}) as api:
        config = source_of(source(api.url, fields=FIELDS, removed_when={"state": "off"}))
        sync_source(config)
        rows[:] = [*({**each, "state": "off"} for each in SCHEDULE), *OTHER_IDS]
        sync_source(config)
        rows[:] = OTHER_IDS
        sync_source(config, derived=True)
    assert complete(config).passed
    assert project.ids("current_events") == sorted(each["id"] for each in OTHER_IDS)


@pytest.mark.parametrize(("until", "passed"), [("+9d", False), ("+3d", True)])
@pytest.mark.usefixtures("project")
def test_known_events_outside_of_the_windows_are_not_missed(until: str, passed: bool) -> None:
    rows = [event(f"e{number}", number / 10 + 4) for number in range(12)]
    with serving({PATH: windowed(rows)}) as api:

        def limited(until: str) -> Any:
            windows = {**WINDOWS, "since": "-5d", "until": until}
            return source_of(source(api.url, fields=FIELDS, windows=windows))

        sync_source(limited("+9d"))
        rows[:] = [event("new", 1)]
        sync_source(limited(until))
    assert complete(limited(until)).passed is passed


@pytest.mark.usefixtures("project")
def test_known_events_that_are_rejected_are_listed() -> None:
    rows = SCHEDULE[:]
    with serving({PATH: paged(rows)}) as api:
        config = source_of(source(api.url, fields=FIELDS))
        sync_source(config)
        rejected = {**SCHEDULE[1], "start_time": "soon"}
        rows[:] = [SCHEDULE[0], rejected, *(event(f"new{number}", 2) for number in range(40))]
        sync_source(config)
    assert complete(config).passed
