"""Page caps, cursors, links and the end of the list on each platform."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from event_assets.values.errors import PaginationError
from event_assets_tests.support.project import Project, failure
from event_assets_tests.vendors.examples import (
    Change,
    after_first_page,
    expected_ids,
    make_records,
    read_example,
    set_paginator,
    set_params,
    statuses,
    sync_example,
    with_paging,
    without_has_more,
)
from event_assets_tests.vendors.server import serve
from event_assets_tests.vendors.table import VENDORS
from event_assets_tests.vendors.traits import Page

pytestmark = pytest.mark.in_process


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("eventbrite", set_params(page_size=200)),
        ("pretix", set_params(page_size=1000)),
        ("tickettailor", set_params(limit=500)),
        ("eventzilla", set_paginator(type="offset", limit=500)),
    ],
)
def test_all_pages_load_when_the_server_caps_their_size(
    monkeypatch: pytest.MonkeyPatch, name: str, change: Change
) -> None:
    rows = make_records(name, 130)
    with serve(with_paging(name, most=40), rows) as api:
        done = read_example(monkeypatch, name, api.url, change)
    assert done.result.complete is True
    assert done.ids == expected_ids(name, rows)


def test_a_cursor_on_the_last_page_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(VENDORS["eventbrite"], make_records("eventbrite", 130)) as api:
        read_example(monkeypatch, "eventbrite", api.url)
        assert len({str(request.url) for request in api.requests}) == 3


@pytest.mark.parametrize("name", ["luma", "eventbrite"])
def test_a_has_more_flag_of_a_usual_name_needs_no_path(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with serve(VENDORS[name], make_records(name, 130)) as api:
        done = read_example(monkeypatch, name, api.url, without_has_more)
    assert done.result.complete is True
    assert len(done.ids) == 130


def test_a_missing_has_more_flag_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = replace(VENDORS["luma"], answer=lambda page: {"entries": page.rows})
    said = "has_more_path `has_more` was not found"
    with (
        serve(silent, make_records("luma", 130)) as api,
        pytest.raises(PaginationError, match=said),
    ):
        read_example(monkeypatch, "luma", api.url)


def test_the_last_page_of_cvent_may_be_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = make_records("cvent", 400)
    with serve(VENDORS["cvent"], rows) as api:
        done = read_example(monkeypatch, "cvent", api.url)
        assert len(api.asked_for("/ea/events")) == 3 + 3  # the tokens count rows: it is read twice
    assert done.ids == expected_ids("cvent", rows)


def test_ticket_tailor_ends_with_a_page_after_the_last_id_that_is_empty_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serve(VENDORS["tickettailor"], make_records("tickettailor", 230)) as api:
        read_example(monkeypatch, "tickettailor", api.url)
        cursors = [query.get("starting_after") for query in api.asked_for("/v1/events")]
    assert cursors == [None, "ev_8187364", "ev_8187264", *["ev_8187234"] * 2]


@pytest.mark.parametrize(
    ("name", "link"),
    [("tickettailor", "links.next"), ("predicthq", "next"), ("pretix", "next")],
    ids=["relative", "absolute", "of page numbers"],
)
def test_links_to_the_next_page_are_followed(
    monkeypatch: pytest.MonkeyPatch, name: str, link: str
) -> None:
    rows = make_records(name, 130)
    with serve(VENDORS[name], rows) as api:
        done = read_example(
            monkeypatch, name, api.url, set_paginator(type="json_link", next_url_path=link)
        )
    assert done.ids == expected_ids(name, rows)


def test_a_link_to_another_host_gets_no_key(project: Project) -> None:
    with serve(VENDORS["pretix"], make_records("pretix", 130)) as other:
        astray = replace(
            VENDORS["pretix"],
            answer=lambda page: {"results": page.rows, "next": f"{other.url}{other_path}?page=2"},
        )
        other_path = astray.path
        with serve(astray, make_records("pretix", 130)) as api:
            message = failure(sync_example(project, "pretix", api.url))
        assert "answered 401" in message
        assert all("Authorization" not in request.headers for request in other.requests)


def test_a_pretix_list_that_shrinks_during_a_sync_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = make_records("pretix", 130)
    shrinking = after_first_page(VENDORS["pretix"], lambda: rows.pop(0))
    with serve(shrinking, rows) as api:
        done = read_example(monkeypatch, "pretix", api.url)
    assert done.result.complete is True
    assert len(done.ids) == 130


def test_a_pretix_page_past_the_end_fails_the_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = make_records("pretix", 130)
    emptied = after_first_page(VENDORS["pretix"], lambda: rows.__delitem__(slice(40, None)))
    with serve(emptied, rows) as api, pytest.raises(Exception, match="404 Client Error"):
        read_example(monkeypatch, "pretix", api.url)


@pytest.mark.parametrize("shape", ["list", "object", "nothing"])
def test_eventzillas_total_may_be_in_a_list_an_object_or_absent(
    monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    rows = make_records("eventzilla", 230)
    shapes: dict[str, Callable[[Page], Any]] = {
        "list": lambda page: {"pagination": [{"total": page.total}]},
        "object": lambda page: {"pagination": {"total": page.total}},
        "nothing": lambda _: {},
    }
    answer = shapes[shape]
    vendor = replace(
        VENDORS["eventzilla"], answer=lambda page: {**answer(page), "events": page.rows}
    )
    with serve(vendor, rows) as api:
        done = read_example(monkeypatch, "eventzilla", api.url)
        assert shape != "list" or statuses(api) == {200}  # only a total tells where to stop
    assert done.result.complete is True
    assert done.ids == expected_ids("eventzilla", rows)


def test_eventzillas_error_past_the_end_is_that_of_a_list_that_became_shorter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = make_records("eventzilla", 230)
    emptied = after_first_page(VENDORS["eventzilla"], lambda: rows.__delitem__(slice(50, None)))
    with serve(emptied, rows) as api:
        done = read_example(monkeypatch, "eventzilla", api.url)
        assert statuses(api) == {200, 404}
    assert done.result.complete is True
    assert done.ids >= expected_ids("eventzilla", rows)


def test_an_eventzilla_event_without_an_end_time_ends_at_midnight(project: Project) -> None:
    rows = make_records("eventzilla", 30)
    assert (rows[10]["end_date"], rows[10]["end_time"]) == ("2027-01-07T00:00:00", None)
    with serve(VENDORS["eventzilla"], rows) as api:
        assert sync_example(project, "eventzilla", api.url).success
    ended = project.rows("select end_time from eventzilla.event_data where name = 'Contest 10'")
    assert ended == [(datetime(2027, 1, 7, 5, tzinfo=UTC),)]
