"""Accounts are partitions: synced one by one into shared tables."""

import asyncio
import threading
from typing import Any

import dagster as dg
import pytest
from starlette.requests import Request

from event_assets_tests.support.accounts import (
    PATH,
    Lists,
    derive,
    serving_accounts,
    sync,
    with_accounts,
)
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import (
    derive_tables,
    failed_sync,
    source_of,
    sync_accounts,
    sync_source,
)
from event_assets_tests.support.platforms import definitions, events, paged, source
from event_assets_tests.support.project import Project, checks, failure, metadata

pytestmark = pytest.mark.in_process

NAMES = ["berlin", "anna@example.com", "a/b", "ü & {b}", "Berlin"]
DAYS = {"a": "2026-01-05", "b": "2026-01-02"}
FRESHNESS = {"warn_after_minutes": 30, "fail_after_minutes": 60}


def test_each_account_has_its_own_events_under_the_same_ids(project: Project) -> None:
    lists: Lists = {name: events(number) for number, name in enumerate(NAMES, 2)}
    with serving_accounts(lists) as api:
        loaded = definitions({"events": with_accounts(api.url, NAMES)})
        (result,) = sync(project, loaded, NAMES[0])
        sync_accounts(source_of(with_accounts(api.url, NAMES)), *NAMES[1:])
    counted = "select account, count(*), count(distinct id) from events.event_data group by 1"
    assert sorted(project.rows(counted)) == sorted((n, len(r), len(r)) for n, r in lists.items())
    assert project.rows("select account from events.event_data_syncs order by started_at") == [
        (name,) for name in NAMES
    ]
    assert metadata(result)["dagster/row_count"] == len(lists[NAMES[0]])


def test_fields_of_any_name_keep_their_columns_in_the_syncs_of_all_accounts(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    names = ["VenueName", "venueName", 'say "hi"', "it's", "SELECT", "%s", "a.B"]
    lists: Lists = {
        account: [
            {**row, **{name: f"{name} of {account}" for name in names}, "The Price": price}
            for row in events(2)
        ]
        for account, price in {"a": 1, "b": 1.5, "c": "free"}.items()
    }
    with serving_accounts(lists) as api:
        loaded = source_of(with_accounts(api.url, list(lists)))
        sync_accounts(loaded, *lists, *lists)
    for account in lists:
        ((*row,), _) = project.rows(
            "select * exclude (account, id, name, start_time, last_seen_at, _dlt_load_id) "
            f"from events.event_data where account = '{account}'"
        )
        prices = {"a": 1.0, "b": 1.5, "c": "free"}
        values = [*(f"{name} of {account}" for name in names), prices[account]]
        assert sorted(map(str, filter(lambda value: value is not None, row))) == sorted(
            map(str, values)
        )
    assert "Starting again" not in caplog.text


def test_all_events_has_the_current_events_of_each_account(project: Project) -> None:
    with serving_accounts({"a": events(3), "b": events(2)}) as api:
        both = {"events": with_accounts(api.url, ["a", "b"]), "concerts": source(api.url)}
        loaded = definitions(both)
        sync_accounts(source_of(both["events"]), "a", "b")
        made = derive(project, loaded, "current_events", "all_events")
        assert made.success, failure(made)
    assert project.rows("select source, count(*) from all_events group by 1") == [("events", 5)]


def test_what_leaves_one_account_leaves_no_other(project: Project) -> None:
    lists = {name: events(3) for name in ("a", "b")}
    with serving_accounts(lists) as api:
        loaded = source_of(with_accounts(api.url, ["a", "b"]))
        sync_accounts(loaded, "a", "b")
        derive_tables(loaded)
        del lists["a"][0], lists["b"][1]
        sync_accounts(loaded, "a")
        derive_tables(loaded)
    current = "select account, id from events.current_events order by all"
    assert project.rows(current) == [
        *(("a", "e1"), ("a", "e2")),
        *(("b", "e0"), ("b", "e1"), ("b", "e2")),
    ]
    assert project.rows("select count(*) from events.event_data") == [(6,)]
    changed = project.rows("select account, change, id, load_id from events.event_changes")
    newest = "select load_id from events.event_data_syncs order by started_at desc limit 1"
    assert changed == [("a", "passed", "e0", *project.rows(newest)[0])]


def test_the_first_sync_of_an_account_is_its_start_and_no_change(project: Project) -> None:
    lists = {"a": events(2), "b": events(2)}
    with serving_accounts(lists) as api:
        loaded = source_of(with_accounts(api.url, ["a", "b"]))
        sync_accounts(loaded, "a")
        derive_tables(loaded)
        lists["a"] += events(1, first=2)
        sync_accounts(loaded, "a", "b")
        derive_tables(loaded)
        lists["b"][0]["name"] = "Renamed"
        sync_accounts(loaded, "b")
        derive_tables(loaded)
    assert project.rows(
        "select account, id, change, field, new from events.event_changes order by changed_at"
    ) == [("a", "e2", "appeared", None, None), ("b", "e0", "changed", "name", "Renamed")]


def test_an_account_that_fails_fails_alone(project: Project) -> None:
    with serving_accounts({"a": events(2), "c": events(1)}) as api:
        loaded = source_of(with_accounts(api.url, ["a", "b", "c"]))
        sync_accounts(loaded, "a")
        said = failed_sync(loaded.for_account("b"))
        sync_accounts(loaded, "c")
    assert "/v1/b/events answered 403" in said
    assert project.rows(
        "select account, count(*) from events.event_data group by 1 order by 1"
    ) == [("a", 2), ("c", 1)]


@pytest.mark.usefixtures("project")
def test_each_account_has_its_own_position() -> None:
    asked: list[tuple[str, str | None]] = []

    def answer(request: Request) -> Any:
        account, since = request.path_params["account"], request.query_params.get("since")
        asked.append((account, since))
        return {"data": [{"id": "x", "updated_at": DAYS[account]}]}

    endpoint = {
        "paginator": "single_page",
        "incremental": {"start_param": "since", "cursor_path": "updated_at"},
    }
    with serving({PATH: answer}) as api:
        document = with_accounts(api.url, ["a", "b"], endpoint=endpoint, full_sync="0 3 * * *")
        loaded = source_of(document)
        sync_accounts(loaded, "a", "b", "a", "b")
        sync_accounts(loaded, "a", full_refresh=True)
    assert asked == [("a", None), ("b", None), *DAYS.items(), ("a", None)]


@pytest.mark.usefixtures("project")
def test_a_name_stands_in_parameters_headers_and_bodies_as_it_is() -> None:
    name = "a b/c {d}"
    seen: list[Any] = []

    async def answer(request: Request) -> Any:
        body = await request.json()
        seen.append([request.query_params["of"], request.headers["x-of"], body["in"]["of"]])
        return {"data": events(1)}

    endpoint = {
        "method": "POST",
        "paginator": "single_page",
        "params": {"of": "{account}"},
        "json": {"in": {"of": "{account}"}},
        "headers": {"X-Of": "{account}"},
    }
    with serving({"/v1/events": answer}) as api:
        sync_accounts(source_of(source(api.url, endpoint=endpoint, accounts=[name])), name)
    assert seen == [[name, name, name]]


def test_rejects_and_checks_are_of_the_account(project: Project) -> None:
    bad = {"id": "e1", "start_time": "never"}
    lists: Lists = {"a": [*events(1), bad], "b": [bad, *events(1)]}
    with serving_accounts(lists) as api:
        document = with_accounts(api.url, ["a", "b"])
        loaded = definitions({"events": document})
        (of_a,) = sync(project, loaded, "a")
        sync_accounts(source_of(document), "b")
        lists["b"] = events(2)
        (of_b,) = sync(project, loaded, "b")
    assert not checks(of_a)["no_rejects"].passed
    assert all(check.passed for name, check in checks(of_b).items())
    assert checks(of_b)["unique_ids"].metadata["rows"].value == 2
    assert checks(of_b)["unique_ids"].metadata["account"].value == "b"
    assert project.rows("select account, id from events.event_data_rejects") == [("a", "e1")]


def test_additional_resources_belong_to_the_account_too(project: Project) -> None:
    def guests(request: Request) -> Any:
        account, event = request.path_params["account"], request.path_params["event"]
        return paged([{"id": f"{event}-{n}"} for n in range(2 if account == "a" else 1)])(request)

    def venues(request: Request) -> Any:
        return {"data": [{"city": request.path_params["account"]}]}

    document = with_accounts("", ["a", "b"])
    document["attributes"]["rest_api"]["resources"] += [
        {
            "name": "guests",
            "endpoint": {
                "path": "/v1/{account}/events/{resources.event_data.id}/guests",
                "data_selector": "data",
                "paginator": {"type": "offset", "limit": 10},
            },
        },
        {
            "name": "venues",
            "primary_key": [],
            "endpoint": {"path": "/v1/{account}/venues", "paginator": "single_page"},
        },
    ]
    lists = {"a": events(1), "b": events(2)}
    handlers = {
        PATH: lambda request: paged(lists[request.path_params["account"]])(request),
        "/v1/{account}/events/{event}/guests": guests,
        "/v1/{account}/venues": venues,
    }
    with serving(handlers) as api:
        document["attributes"]["rest_api"]["client"]["base_url"] = api.url
        loaded = source_of(document)
        sync_accounts(loaded, "a", "b", "a")
    assert project.rows("select account, id from events.guests order by all") == [
        *(("a", "e0-0"), ("a", "e0-1")),
        *(("b", "e0-0"), ("b", "e1-0")),
    ]
    assert project.rows("select account, city from events.venues order by all") == [
        ("a", "a"),
        ("b", "b"),
    ]
    assert project.rows("select count(*) from events.guests_syncs where account = 'a'") == [(2,)]


def test_a_field_goes_to_the_same_column_whosever_it_is(project: Project) -> None:
    lists: Lists = {
        "a": [{"id": "1", "fooBar": 1, "account": "x"}],
        "b": [{"id": "1", "foo_bar": "y", "fooBar": 2.5, "account": "z"}],
        "c": [{"id": "1", "fooBar": "text"}],
    }
    with serving_accounts(lists) as api:
        loaded = source_of(with_accounts(api.url, list(lists)))
        sync_accounts(loaded, *lists)
    columns = "account, foo_bar, foo_bar__x2, foo_bar__v_text, account__x2"
    assert project.rows(f"select {columns} from events.event_data order by account") == [
        ("a", 1.0, None, None, "x"),
        ("b", 2.5, "y", None, "z"),
        ("c", None, None, "text", None),
    ]


def test_a_sync_repeats_when_another_account_changed_the_table(project: Project) -> None:
    lists: Lists = {"a": [{"id": "1", "size": 1}], "b": [{"id": "1", "size": "large"}]}
    asked, go_on = threading.Event(), threading.Event()

    async def answer(request: Request) -> Any:
        account = request.path_params["account"]
        if account == "b" and not asked.is_set():
            asked.set()
            assert await asyncio.to_thread(go_on.wait, 60)
        return paged(lists[account])(request)

    with serving({PATH: answer}) as api:
        loaded = source_of(with_accounts(api.url, ["a", "b"]))
        slow = threading.Thread(target=sync_accounts, args=(loaded, "b"))
        slow.start()
        try:
            assert asked.wait(60)
            sync_accounts(loaded, "a")
        finally:
            go_on.set()
            slow.join()
    assert project.rows("select account, size, size__v_text from events.event_data order by 1") == [
        ("a", 1, None),
        ("b", None, "large"),
    ]


@pytest.mark.parametrize("first", ["with", "without"])
@pytest.mark.usefixtures("project")
def test_a_table_is_not_filled_both_with_accounts_and_without(first: str) -> None:
    with serving({"/v1/events": paged(events(1))}) as api:
        alone = source_of(source(api.url))
        one_of_many = source_of(source(api.url, accounts=["a"])).for_account("a")
        one, other = (one_of_many, alone) if first == "with" else (alone, one_of_many)
        sync_source(one)
        said = failed_sync(other)
    assert f"was loaded {first} `accounts`: rename the folder of the source" in said


def test_checks_of_all_accounts_name_those_that_fail(project: Project) -> None:
    lists: Lists = {"a": events(1), "b": [{"id": "1", "start_time": "never"}], "c": events(1)}
    with serving_accounts(lists) as api:
        document = with_accounts(api.url, ["a", "b", "c"], freshness=FRESHNESS)
        loaded = definitions({"events": document})
        sync_accounts(source_of(document), "a", "b")
        look = loaded.resolve_implicit_global_asset_job_def().get_subset(
            asset_selection=set(),
            asset_check_selection={
                dg.AssetCheckKey(dg.AssetKey("event_data"), name)
                for name in ("no_rejects", "fresh", "unique_ids")
            },
        )
        found = checks(look.execute_in_process(instance=project.instance))
    assert str(found["no_rejects"].description).startswith(
        "1 of 3 accounts failed. b: 1 record breaks the contract: `start_time` is not a "
        "timestamp (1)"
    )
    assert found["fresh"].description == "1 of 3 accounts failed. c: There has been no sync yet."
    assert found["unique_ids"].passed
    assert found["unique_ids"].description == "All 3 accounts passed."
