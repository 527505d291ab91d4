"""Pages of another size or order, cursors and links, and how each platform's list ends."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from event_assets_tests.support.project import Project, checks, failure
from event_assets_tests.vendors.examples import (
    Change,
    after_first_page,
    asking,
    doubted,
    ids,
    listed,
    made,
    paged,
    paging,
    statuses,
    sync,
    without_has_more,
)
from event_assets_tests.vendors.server import serve
from event_assets_tests.vendors.table import VENDORS
from event_assets_tests.vendors.traits import Page


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("eventbrite", asking(page_size=200)),
        ("seatgeek", asking(per_page=1000)),
        ("luma", asking(pagination_limit=500)),
        ("pretix", asking(page_size=1000)),
        ("tickettailor", asking(limit=500)),
        ("eventzilla", paged(type="offset", limit=500)),
        ("cvent", asking(limit=500)),
    ],
)
def test_pages_cut_down_by_the_server_come_all(project: Project, name: str, change: Change) -> None:
    rows = made(name, 130)
    with serve(paging(name, most=40), rows) as api:
        result = sync(project, name, api.url, change)
    assert result.success, failure(result)
    assert checks(result)["complete"].passed
    assert ids(project, name) == listed(name, rows)


@pytest.mark.parametrize(("name", "pages"), [("eventbrite", 3), ("luma", 3)])
def test_a_cursor_on_the_last_page_is_not_followed(project: Project, name: str, pages: int) -> None:
    with serve(VENDORS[name], made(name, 130)) as api:
        assert sync(project, name, api.url).success
        assert len(api.asked) == pages


def test_a_cursor_that_leads_back_is_noticed_where_nothing_says_that_it_ends(
    project: Project,
) -> None:
    with serve(VENDORS["luma"], made("luma", 130)) as api:
        result = sync(project, "luma", api.url, without_has_more)
    assert "the same cursor or link to the next page twice" in doubted(result, "ERROR")


def test_a_cursor_that_is_refused_is_said(project: Project) -> None:
    with serve(VENDORS["eventbrite"], made("eventbrite", 130)) as api:
        assert "answered 400" in failure(sync(project, "eventbrite", api.url, without_has_more))


def test_an_end_that_is_not_said_any_more_is_an_error(project: Project) -> None:
    silent = replace(VENDORS["luma"], answer=lambda page: {"entries": page.rows})
    with serve(silent, made("luma", 130)) as api:
        assert "has_more_path `has_more` was not found" in failure(sync(project, "luma", api.url))


def test_the_last_page_of_cvent_may_be_empty(project: Project) -> None:
    rows = made("cvent", 400)
    with serve(VENDORS["cvent"], rows) as api:
        result = sync(project, "cvent", api.url)
        assert len(api.asked_for("/ea/events")) == 3
    assert result.success, failure(result)
    assert ids(project, "cvent") == listed("cvent", rows)


def test_ticket_tailor_ends_with_an_empty_page_after_the_last_id(project: Project) -> None:
    with serve(VENDORS["tickettailor"], made("tickettailor", 230)) as api:
        assert sync(project, "tickettailor", api.url).success
        cursors = [query.get("starting_after") for query in api.asked_for("/v1/events")]
    assert cursors == [None, "ev_8187364", "ev_8187264", "ev_8187234"]


@pytest.mark.parametrize(
    ("name", "link"),
    [("tickettailor", "links.next"), ("predicthq", "next"), ("pretix", "next")],
    ids=["relative", "absolute", "of page numbers"],
)
def test_links_to_the_next_page_are_followed(project: Project, name: str, link: str) -> None:
    rows = made(name, 130)
    with serve(VENDORS[name], rows) as api:
        result = sync(project, name, api.url, paged(type="json_link", next_url_path=link))
    assert result.success, failure(result)
    assert ids(project, name) == listed(name, rows)


def test_a_link_to_another_host_gets_no_key(project: Project) -> None:
    with serve(VENDORS["pretix"], made("pretix", 130)) as other:
        astray = replace(
            VENDORS["pretix"],
            answer=lambda page: {"results": page.rows, "next": f"{other.url}{other_path}?page=2"},
        )
        other_path = astray.path
        with serve(astray, made("pretix", 130)) as api:
            told = failure(sync(project, "pretix", api.url))
        assert "answered 401" in told
        assert all("Authorization" not in request.headers for request in other.asked)


def test_pretix_list_that_gets_shorter_while_it_is_read_is_doubted(project: Project) -> None:
    rows = made("pretix", 130)
    shrinking = after_first_page(VENDORS["pretix"], lambda: rows.pop(0))
    with serve(shrinking, rows) as api:
        result = sync(project, "pretix", api.url)
    assert "page numbers cannot show whether rows were missed" in doubted(result, "WARN")


def test_pretix_page_past_the_end_is_said(project: Project) -> None:
    rows = made("pretix", 130)
    emptied = after_first_page(VENDORS["pretix"], lambda: rows.__delitem__(slice(40, None)))
    with serve(emptied, rows) as api:
        assert "answered 404" in failure(sync(project, "pretix", api.url))


@pytest.mark.parametrize("shape", ["list", "object", "nothing"])
def test_the_shape_of_eventzillas_total_does_not_matter(project: Project, shape: str) -> None:
    rows = made("eventzilla", 230)
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
        result = sync(project, "eventzilla", api.url)
        assert shape != "list" or statuses(api) == {200}  # only a total tells where to stop
    assert result.success, failure(result)
    assert checks(result)["complete"].passed
    assert ids(project, "eventzilla") == listed("eventzilla", rows)


def test_eventzillas_error_past_the_end_is_no_failure_but_a_doubt(project: Project) -> None:
    rows = made("eventzilla", 230)
    emptied = after_first_page(VENDORS["eventzilla"], lambda: rows.__delitem__(slice(50, None)))
    with serve(emptied, rows) as api:
        result = sync(project, "eventzilla", api.url)
        assert statuses(api) == {200, 404}
    assert result.success, failure(result)
    assert "a response that response_actions ignore" in doubted(result, "WARN")


def test_an_event_of_eventzilla_without_a_time_has_its_day(project: Project) -> None:
    rows = made("eventzilla", 30)
    assert (rows[10]["end_date"], rows[10]["end_time"]) == ("2027-01-07T00:00:00", None)
    with serve(VENDORS["eventzilla"], rows) as api:
        assert sync(project, "eventzilla", api.url).success
    ended = project.rows("select end_time from eventzilla.event_data where name = 'Contest 10'")
    assert ended == [(datetime(2027, 1, 7, 5, tzinfo=timezone.utc),)]
