"""What the platforms do not show, and what they tell of changes."""

from dataclasses import replace

import pytest

from event_assets_tests.support.project import Project, checks, failure
from event_assets_tests.vendors.examples import (
    Document,
    doubted,
    endpoint,
    ids,
    listed,
    made,
    paged,
    paging,
    statuses,
    sync,
    without_windows,
)
from event_assets_tests.vendors.server import serve
from event_assets_tests.vendors.table import VENDORS

# rows that a list does not show


@pytest.mark.parametrize(
    ("name", "count", "first"),
    [
        ("ticketmaster", 1300, "startDateTime"),
        ("seatgeek", 10_100, "datetime_utc.gte"),
        ("predicthq", 400, "start.gte"),
    ],
)
def test_a_list_that_is_not_shown_whole_comes_whole_in_windows(
    project: Project, name: str, count: int, first: str
) -> None:
    rows = made(name, count)
    with serve(VENDORS[name], rows) as api:
        result = sync(project, name, api.url)
        assert any(first in query for query in api.asked_for(VENDORS[name].path))
        assert statuses(api) == {200}
    assert result.success, failure(result)
    assert checks(result)["complete"].passed
    assert ids(project, name) == listed(name, rows)


def test_ticketmaster_refuses_deep_pages_and_without_windows_that_is_said(project: Project) -> None:
    with serve(VENDORS["ticketmaster"], made("ticketmaster", 1300)) as api:
        told = failure(sync(project, "ticketmaster", api.url, without_windows))
    assert "answered 400 Bad Request; check the endpoint's path and params" in told


def test_seatgeek_answers_total_0_too_deep_and_without_windows_that_is_noticed(
    project: Project,
) -> None:
    with serve(paging("seatgeek", depth=100), made("seatgeek", 130)) as api:
        result = sync(project, "seatgeek", api.url, without_windows)
    assert "the API says that more follow" in doubted(result, "ERROR")
    assert len(ids(project, "seatgeek")) == 100


def test_predicthq_overflows_and_without_windows_that_is_noticed(project: Project) -> None:
    with serve(VENDORS["predicthq"], made("predicthq", 400)) as api:
        result = sync(project, "predicthq", api.url, without_windows)
    assert "`overflow: true`" in doubted(result, "ERROR")


# what the token may not see


def test_indicos_hidden_events_hide_no_others(project: Project) -> None:
    rows = made("indico", 230)
    vendor = replace(VENDORS["indico"], hides=lambda record: int(record["id"]) % 3 == 0)
    with serve(vendor, rows) as api:
        result = sync(project, "indico", api.url)
    assert result.success, failure(result)
    assert checks(result)["complete"].passed
    assert len(ids(project, "indico")) == 153


@pytest.mark.parametrize("share", [2, 3, 10])
def test_in_pages_indicos_hidden_events_are_noticed(project: Project, share: int) -> None:
    rows = made("indico", 230)
    vendor = replace(VENDORS["indico"], hides=lambda record: int(record["id"]) % share == 0)
    with serve(vendor, rows) as api:
        result = sync(project, "indico", api.url, paged(type="offset", limit=50))
    assert "The API omits rows" in doubted(result, "ERROR")
    assert len(ids(project, "indico")) == sum(not vendor.hides(row) for row in rows)


def test_indicos_pages_without_an_order_are_doubted_unless_all_come(project: Project) -> None:
    def unordered(document: Document) -> None:
        paged(type="offset", limit=50)(document)
        del endpoint(document)["params"]["order"]

    with serve(VENDORS["indico"], made("indico", 230)) as api:
        result = sync(project, "indico", api.url, unordered)
    assert checks(result)["complete"].passed is (len(ids(project, "indico")) == 230)


# what changed since


def test_predicthq_tells_what_was_deleted_and_why(project: Project) -> None:
    rows = made("predicthq", 30)
    with serve(VENDORS["predicthq"], rows) as api:
        assert sync(project, "predicthq", api.url).success
        rows[0] |= {"state": "deleted", "deleted_reason": "cancelled"}
        rows[0] |= {"updated": "2026-03-01T00:00:00Z"}
        result = sync(project, "predicthq", api.url)
        assert result.success, failure(result)
        since = api.asked_for("/v1/events/")[-1]["updated.gte"]
    assert since == "2025-12-31T23:55:00Z"
    changes = project.rows(
        "select change, old, new from predicthq.event_changes where field = 'status'"
    )
    assert changes == [("cancelled", "active", "cancelled")]


def test_cvent_is_asked_for_what_changed_and_once_a_day_for_all(project: Project) -> None:
    rows = made("cvent", 30)
    with serve(VENDORS["cvent"], rows) as api:
        assert sync(project, "cvent", api.url).success
        del rows[0]
        assert sync(project, "cvent", api.url).success
        since = api.asked_for("/ea/events")[-1]["after"]
        assert since == rows[-1]["lastModified"].replace(":00:00Z", ":59:00Z").replace("T13", "T12")
        assert len(ids(project, "cvent", "current_events")) == 30
        result = sync(project, "cvent", api.url, job="sync_{}_fully")
        assert result.success, failure(result)
        assert "after" not in api.asked_for("/ea/events")[-1]
    assert len(ids(project, "cvent", "current_events")) == 29


def test_cvents_token_is_renewed_in_the_middle_of_a_sync(project: Project) -> None:
    tokens = VENDORS["cvent"].tokens
    assert tokens is not None
    vendor = replace(VENDORS["cvent"], tokens=replace(tokens, seconds=0))
    rows = made("cvent", 450)
    with serve(vendor, rows) as api:
        result = sync(project, "cvent", api.url)
        given = [answer for answer in api.answers if b"access_token" in answer.body]
    assert result.success, failure(result)
    assert len(given) == 3
    assert ids(project, "cvent") == listed("cvent", rows)
