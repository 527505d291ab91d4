"""Records of one sync that share an id: equal ones are noticed, different ones are an error."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from starlette.requests import Request

from event_assets_tests.support.accounts import serving_accounts, with_accounts
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.clock import wrong_by
from event_assets_tests.support.direct_syncs import source_of, sync_accounts, sync_source, unique
from event_assets_tests.support.platforms import events, paged, source
from event_assets_tests.support.project import Project, shown

pytestmark = [pytest.mark.in_process, pytest.mark.usefixtures("project")]
PATH = "/v1/events"
SIZE = 10
CURSORS = [f"after-{hash_}" for hash_ in ("qz", "ab", "rt", "vw", "kl", "mx", "op", "ey", "ui")]
CURSORS += [f"{cursor}-then" for cursor in CURSORS] + [f"{cursor}-last" for cursor in CURSORS]
CURSOR = {"type": "cursor", "cursor_path": "next", "cursor_param": "after"}
Rows = list[dict[str, Any]]


def by_cursor(rows: Rows, between: Callable[[int], None] = lambda _: None) -> Any:
    """Answer in pages of ten, by a cursor; `between` is called before each page."""

    def answer(request: Request) -> Any:
        start = CURSORS.index(request.query_params.get("after", CURSORS[0])) * SIZE
        between(start)
        is_last = start + SIZE >= len(rows)
        more = {"next": None if is_last else CURSORS[start // SIZE + 1]}
        return {"data": rows[start : start + SIZE], **more}

    return answer


def document(url: str, paginator: Any = CURSOR, **settings: Any) -> dict[str, Any]:
    return source(url, endpoint={"paginator": paginator}, **settings)


def check_of(answer: Any, **settings: Any) -> dg.AssetCheckResult:
    """Sync a list, and return the check of its ids."""
    with serving({PATH: answer}) as api:
        config = source_of(document(api.url, **settings))
        sync_source(config)
    return unique(config)


def occurrences(count: int, of_each: int = 2) -> Rows:
    """Return events of which several in a row share an id."""
    return [{**row, "id": f"e{at // of_each}"} for at, row in enumerate(events(count))]


@pytest.mark.parametrize("answer", [by_cursor, paged], ids=["cursor", "offset"])
def test_occurrences_that_share_an_id_are_an_error(project: Project, answer: Any) -> None:
    paginator = CURSOR if answer is by_cursor else {"type": "offset", "limit": 100}
    check = check_of(answer(occurrences(60)), paginator=paginator)
    assert (check.passed, check.severity.name) == (False, "ERROR")
    said = str(check.description)
    assert "Different records share 30 ids, such as `e0`" in said
    assert "only the first of each is loaded: the records differ in `start_time`" in said
    assert "set `primary_key: [id, start_time]`" in said
    (first, *_) = shown(check, "examples")
    assert (first["id"], first["field"]) == ("e0", "start_time")
    logged = "select repeated_ids, conflicting_ids from events.event_data_syncs"
    assert project.rows(logged) == [(30, 30)]
    assert len(project.ids()) == 30


def in_days(days: float) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


FROM_UTC = {"id": {"type": "text"}, "start_time": {"type": "timestamp", "from": "start.utc"}}


@pytest.mark.parametrize(
    ("first", "shape", "fields"),
    [
        (10, lambda at: {"start": {"utc": in_days(at), "local": in_days(at)[:19]}}, FROM_UTC),
        (-10, lambda at: {"start_time": in_days(at), "doors_at": in_days(at - 0.1)}, {}),
        (10, lambda at: {"sales_end": in_days(at)}, {}),
    ],
    ids=["local time", "doors", "same start"],
)
def test_occurrences_at_any_time_are_an_error(
    project: Project, first: int, shape: Callable[[int], Any], fields: Any
) -> None:
    rows = [
        {"id": f"e{at}", "name": "x", **shape(first + at + 7 * number)}
        for at in range(20)
        for number in range(3)
    ]
    check = check_of(by_cursor(rows), **({"fields": fields} if fields else {}))
    assert (check.passed, check.severity.name) == (False, "ERROR")
    assert "Different records share 20 ids" in str(check.description)
    assert len(project.ids()) == 20


def test_what_it_says_to_set_helps(project: Project) -> None:
    rows = occurrences(60)
    with serving({PATH: by_cursor(rows)}) as api:
        made = document(api.url)
        keys = ["id", "start_time"]
        made["attributes"]["rest_api"]["resource_defaults"]["primary_key"] = keys
        config = source_of(made)
        sync_source(config)
    assert unique(config).passed
    assert len(project.ids()) == 60


def test_an_id_with_a_path_of_its_own_is_corrected_there() -> None:
    fields = {
        "id": {"type": "text", "from": "meta.key"},
        "start_time": {"type": "timestamp", "from": "when.begin"},
    }
    rows = [
        {"meta": {"key": f"k{at // 2}"}, "when": {"begin": row["start_time"]}}
        for at, row in enumerate(events(6))
    ]
    check = check_of(by_cursor(rows), fields=fields)
    assert 'set `from: "{meta.key}:{when.begin}"` of the field `id`' in str(check.description)


def test_a_name_is_not_advised_as_a_part_of_the_key() -> None:
    rows = [{**row, "id": f"e{at // 2}", "start_time": None} for at, row in enumerate(events(6))]
    said = str(check_of(by_cursor(rows)).description)
    assert "differ in `name`; set as `primary_key` what else tells them apart" in said


def test_ids_that_are_unique_within_a_parent_only_are_advised_with_its_own() -> None:
    organizers = {"name": "orgs", "primary_key": "id", "endpoint": {"path": "/v1/orgs"}}
    answers: dict[str, Any] = {"/v1/orgs": lambda _: [{"id": 1}, {"id": 2}]}
    answers["/v1/orgs/{org}/events"] = lambda request: [
        {"id": "e1", "name": f"of {request.path_params['org']}"}
    ]
    advice = {"include_from_parent": ["id"], "primary_key": ["_orgs_id", "id"]}
    for key, passed in (({}, False), (advice, True)):
        with serving(answers) as api:
            made = source(api.url)
            (resource,) = resources = made["attributes"]["rest_api"]["resources"]
            resource["endpoint"] = {"path": "/v1/orgs/{resources.orgs.id}/events"}
            resource.update(key)
            resources.append(organizers)
            config = source_of(made)
            sync_source(config, accepts_new_origin=True)
        check = unique(config)
        said = "set `include_from_parent: [id]` and `primary_key: [_orgs_id, id]`"
        assert (check.passed, said in str(check.description)) == (passed, not passed)


@pytest.mark.parametrize("at", [3, 45], ids=["same page", "other page"])
def test_equal_records_are_a_warning(project: Project, at: int) -> None:
    rows = events(50)
    rows.insert(at, {**rows[1], "tags": [{"b": 1.0, "a": 2}]})
    rows[1]["tags"] = [{"a": 2, "b": 1}]
    check = check_of(by_cursor(rows))
    assert (check.passed, check.severity.name) == (False, "WARN")
    said = "The API sent 1 id more than once, such as `e1`, with equal records"
    assert said in str(check.description)
    assert shown(check, "examples")[0]["id"] == "e1"
    assert project.rows("select count(*) from events.event_data") == [(50,)]


@pytest.mark.parametrize(
    "paginator",
    [
        {"type": "offset", "limit": 20},
        {"type": "page_number", "base_page": 0, "page_param": "offset", "total_path": None},
    ],
    ids=["offset", "page"],
)
def test_equal_records_are_a_warning_where_the_list_is_read_twice(
    project: Project, paginator: Any
) -> None:
    rows = events(60)
    rows.insert(50, dict(rows[3]))

    def by_page(request: Request) -> Any:
        start = int(request.query_params.get("offset", 0)) * 20
        return {"data": rows[start : start + 20]}

    answer = paged(rows) if paginator["type"] == "offset" else by_page
    check = check_of(answer, paginator=paginator)
    assert project.rows("select sweeps > 1 from events.event_data_syncs") == [(True,)]
    assert (check.passed, check.severity.name) == (False, "WARN")
    assert "The API sent 1 id more than once, such as `e3`" in str(check.description)
    assert len(project.ids()) == 60


def test_a_list_that_shifts_under_the_reading_repeats_no_id() -> None:
    rows = events(50)

    def insert(start: int) -> None:
        if start == 20:
            rows[:0] = events(3, first=100)

    check = check_of(by_cursor(rows, insert))
    assert check.passed, check.description


def changing(old: Any, changed: Callable[[], dict[str, Any]]) -> Any:
    """Answer with events of which one is sent again at the end, as it changed meanwhile."""
    rows = [{**row, "updated": old} for row in events(100)]

    def change(position: int) -> None:
        if position == 20 and len(rows) == 100:
            rows.append({**rows[1], "name": "Other", **changed()})

    return by_cursor(rows, change)


OLD = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("hours", "old", "moment"),
    [
        (0, OLD, lambda now: now.isoformat()),
        (0, OLD, lambda now: (now + timedelta(minutes=1)).isoformat()),
        (24, 1_767_225_600, lambda now: int(now.timestamp())),
        (24, 1_767_225_600_000, lambda now: int(now.timestamp() * 1_000)),
    ],
    ids=["now", "another clock", "s", "ms"],
)
def test_an_event_that_changes_while_the_list_is_read_is_no_repeat(
    hours: int, old: Any, moment: Callable[[datetime], Any]
) -> None:
    answer = changing(old, lambda: {"updated": moment(datetime.now(UTC))})
    with wrong_by(hours):
        check = check_of(answer)
    assert check.passed, check.description


@pytest.mark.parametrize(
    "changed",
    [
        dict,
        lambda: {"updated": "2026-01-02T00:00:00Z"},
        lambda: {"updated": in_days(1)},
        lambda: {"updated": in_days(0), "start_time": in_days(30)},
        lambda: {"end_time": in_days(0)},
    ],
    ids=["undated", "before", "in the future", "moved", "the end of the event"],
)
def test_one_that_differs_without_a_change_in_the_time_of_the_sync_is_an_error(
    changed: Callable[[], dict[str, Any]],
) -> None:
    fields = {name: {"type": "timestamp"} for name in ("start_time", "end_time")}
    fields["id"] = {"type": "text"}
    check = check_of(changing(OLD, changed), fields=fields)
    assert (check.passed, check.severity.name) == (False, "ERROR")
    assert "Different records share 1 id, such as `e1`" in str(check.description)
    assert "or sync again if" in str(check.description)


def test_events_in_several_windows_are_no_repeats(project: Project) -> None:
    rows = [{**row, "start_time": f"2026-02-{at % 28 + 1:02}T00:00:00Z"}
            for at, row in enumerate(events(300))]  # fmt: skip

    def answer(request: Request) -> Any:
        first, last = (request.query_params.get(name, "9" * (name == "to")) for name in
                       ("from", "to"))  # fmt: skip
        return paged([row for row in rows if first <= row["start_time"] <= last])(request)

    windows = {"param_from": "from", "param_to": "to", "cap": 200}
    windows |= {"since": "2026-01-01", "until": "2026-04-01", "format": "%Y-%m-%dT%H:%M:%SZ"}
    paginator = {"type": "offset", "limit": 50}
    check = check_of(answer, windows=windows, paginator=paginator)
    assert check.passed, check.description
    assert len(project.ids()) == 300


def test_the_same_id_in_two_accounts_is_no_repeat() -> None:
    lists = {"a": events(3), "b": [{**row, "name": "Other"} for row in events(3)]}
    with serving_accounts(lists) as api:
        both = source_of(with_accounts(api.url, ["a", "b"]))
        sync_accounts(both, "a", "b")
    assert all(unique(both.for_account(account)).passed for account in lists)


def test_an_incremental_sync_does_not_settle_what_a_full_one_saw() -> None:
    rows = [{**row, "updated": "2026-01-01T00:00:00Z"} for row in occurrences(20)]

    def answer(request: Request) -> Any:
        return {"data": [] if "since" in request.query_params else rows, "has_more": False}

    with serving({PATH: answer}) as api:
        made = document(api.url)
        endpoint = made["attributes"]["rest_api"]["resources"][0]["endpoint"]
        endpoint["incremental"] = {"start_param": "since", "cursor_path": "updated"}
        config = source_of(made)
        for _ in range(2):
            sync_source(config)
            assert not unique(config).passed


def test_examples_that_were_erased_or_excluded_are_not_told(project: Project) -> None:
    rows = [{**events(1)[0], "host": {"mail": mail}} for mail in ("a@x.org", "b@x.org")]
    with serving({PATH: by_cursor(rows)}) as api:
        config = source_of(document(api.url))
        sync_source(config)
        assert shown(unique(config), "examples")[0]["values"] == "['a@x.org', 'b@x.org']"
        excluding = source_of(document(api.url, exclude=["host.mail"]))
        sync_source(excluding)
    assert "@x.org" not in str(project.rows("from events.event_data_syncs"))
    assert not unique(config).passed
    for repeats in ("null", "'[]'", "'[nan]'"):
        project.rows(f"update events.event_data_syncs set conflicting_ids = 1, repeats = {repeats}")
        told = unique(config).description or ""
        assert "share 1 id, such as `***`, and only the first of each is loaded; set as " in told
