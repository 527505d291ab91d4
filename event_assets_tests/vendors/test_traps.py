"""Limits, hidden rows and changes on each platform."""

from dataclasses import replace

import pytest

from event_assets_tests.support.project import Project, failure
from event_assets_tests.vendors.examples import (
    Document,
    expected_ids,
    get_endpoint,
    ids,
    make_records,
    read_example,
    set_paginator,
    statuses,
    sync_example,
    with_paging,
    without_windows,
)
from event_assets_tests.vendors.server import serve
from event_assets_tests.vendors.table import VENDORS

pytestmark = pytest.mark.in_process


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize(
    ("name", "count", "first"),
    [
        ("ticketmaster", 1300, "startDateTime"),
        ("seatgeek", 10_100, "datetime_utc.gte"),
        ("predicthq", 400, "start.gte"),
    ],
)
def test_time_windows_load_a_list_beyond_its_limit(
    monkeypatch: pytest.MonkeyPatch, name: str, count: int, first: str
) -> None:
    rows = make_records(name, count)
    with serve(VENDORS[name], rows) as api:
        done = read_example(monkeypatch, name, api.url)
        assert any(first in query for query in api.asked_for(VENDORS[name].path))
        assert statuses(api) == {200}
    assert done.result.complete is True
    assert done.ids == expected_ids(name, rows)


def test_ticketmasters_depth_limit_without_windows_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serve(VENDORS["ticketmaster"], make_records("ticketmaster", 1300)) as api:
        done = read_example(monkeypatch, "ticketmaster", api.url, without_windows)
    assert done.result.complete is False
    assert "Max paging depth exceeded" in done.result.reason


def test_seatgeeks_depth_limit_without_windows_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(with_paging("seatgeek", depth=100), make_records("seatgeek", 130)) as api:
        done = read_example(monkeypatch, "seatgeek", api.url, without_windows)
    assert done.result.complete is False
    assert "the API says that more follow" in done.result.reason
    assert len(done.ids) == 100


def test_predicthqs_overflow_without_windows_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(VENDORS["predicthq"], make_records("predicthq", 400)) as api:
        done = read_example(monkeypatch, "predicthq", api.url, without_windows)
    assert done.result.complete is False
    assert "`overflow: true`" in done.result.reason


def test_indicos_hidden_events_do_not_hide_others(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = make_records("indico", 230)
    vendor = replace(VENDORS["indico"], hides=lambda record: int(record["id"]) % 3 == 0)
    with serve(vendor, rows) as api:
        done = read_example(monkeypatch, "indico", api.url)
    assert done.result.complete is True
    assert len(done.ids) == 153


def test_indicos_hidden_events_in_pages_hide_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = make_records("indico", 230)
    vendor = replace(VENDORS["indico"], hides=lambda record: int(record["id"]) % 3 == 0)
    with serve(vendor, rows) as api:
        done = read_example(monkeypatch, "indico", api.url, set_paginator(type="offset", limit=50))
    assert done.result.complete is True
    assert len(done.ids) == sum(not vendor.hides(row) for row in rows)


def test_indicos_unordered_pages_are_an_error_unless_all_rows_load(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unordered(document: Document) -> None:
        set_paginator(type="offset", limit=50)(document)
        del get_endpoint(document)["params"]["order"]

    with serve(VENDORS["indico"], make_records("indico", 230)) as api:
        done = read_example(monkeypatch, "indico", api.url, unordered)
    assert done.result.complete is not True or len(done.ids) == 230


def test_predicthqs_deletions_become_changes(project: Project) -> None:
    rows = make_records("predicthq", 30)
    with serve(VENDORS["predicthq"], rows) as api:
        assert sync_example(project, "predicthq", api.url, derived=True).success
        rows[0] |= {"state": "deleted", "deleted_reason": "cancelled"}
        rows[0] |= {"updated": "2026-03-01T00:00:00Z"}
        result = sync_example(project, "predicthq", api.url, derived=True)
        assert result.success, failure(result)
        since = api.asked_for("/v1/events/")[-1]["updated.gte"]
    assert since == "2025-12-31T22:55:00Z"
    changes = project.rows(
        "select change, old, new from predicthq.event_changes where field = 'status'"
    )
    assert changes == [("cancelled", "active", "cancelled")]


def test_cvent_syncs_changes_and_a_full_sync_finds_deletions(project: Project) -> None:
    rows = make_records("cvent", 30)
    with serve(VENDORS["cvent"], rows) as api:
        assert sync_example(project, "cvent", api.url, derived=True).success
        del rows[0]
        assert sync_example(project, "cvent", api.url, derived=True).success
        since = api.asked_for("/ea/events")[-1]["after"]
        assert since == rows[-1]["lastModified"].replace("T13:00", "T11:59")
        assert len(ids(project, "cvent", "current_events")) == 30
        result = sync_example(project, "cvent", api.url, job="sync_{}_fully", derived=True)
        assert result.success, failure(result)
        assert "after" not in api.asked_for("/ea/events")[-1]
    assert len(ids(project, "cvent", "current_events")) == 29


def test_cvents_token_is_renewed_during_a_sync(project: Project) -> None:
    tokens = VENDORS["cvent"].tokens
    assert tokens is not None
    vendor = replace(VENDORS["cvent"], tokens=replace(tokens, seconds=0))
    rows = make_records("cvent", 450)
    with serve(vendor, rows) as api:
        result = sync_example(project, "cvent", api.url)
        given = [answer for answer in api.responses if b"access_token" in answer.body]
    assert result.success, failure(result)
    assert len(given) == 2 * 3  # the tokens count rows: the list is read twice
    assert ids(project, "cvent") == expected_ids("cvent", rows)
