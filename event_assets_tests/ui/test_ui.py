"""The UI from the first look to a scheduled run; the tests build on each other."""

import re

from playwright.sync_api import Page, expect

from event_assets_tests.support.dagster_dev import Dagster
from event_assets_tests.support.polling import until
from event_assets_tests.support.sandbox import Faults, Sandbox

ASSETS = ("events_api", "event_data", "current_events", "event_changes", "event_calendar")
CHECKS = {  # with a metadata entry of each
    "complete": "rows_read",
    "unique_ids": "distinct_ids",
    "no_rejects": "rejects",
    "schema_stable": "changes",
    "fresh": "age_minutes",
}


def test_the_code_location_loads_without_a_warning_of_this_project(
    dagster: Dagster, page: Page
) -> None:
    page.goto("/locations")
    expect(page.get_by_text("Loaded", exact=True).first).to_be_visible()
    log = dagster.log
    assert not re.findall(r"event_assets/[\w/]+\.py:\d+: \w*Warning", log)
    assert "Traceback" not in log


def test_the_lineage_shows_all_assets(page: Page) -> None:
    page.goto("/asset-groups")
    for asset in ASSETS:
        expect(page.get_by_text(asset, exact=True).first).to_be_visible()


def test_materialize_all_succeeds(dagster: Dagster, page: Page) -> None:
    page.goto("/asset-groups")
    page.get_by_role("button", name=re.compile("Materialize all")).click()
    (run,) = dagster.finished(1)
    assert run["status"] == "SUCCESS"
    page.goto(f"/runs/{run['runId']}")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    for asset in ASSETS[1:]:
        page.goto(f"/assets/{asset}")
        materialization = page.locator(f"a[href*='/runs/{run['runId']}']").first
        expect(materialization).to_be_visible()
    page.goto("/assets/event_data")
    expect(page.get_by_text("500", exact=True).first).to_be_visible()


def test_the_checks_tab_shows_each_check_with_its_metadata(page: Page) -> None:
    page.goto("/assets/event_data?view=checks")
    for check, entry in CHECKS.items():
        page.get_by_text(check, exact=True).first.click()
        expect(page.get_by_text(entry, exact=True).first).to_be_visible()
    page.get_by_text("unique_ids", exact=True).first.click()
    expect(page.get_by_text("500 rows, 500 ids, 0 duplicates, 0 null.").first).to_be_visible()


def test_an_observation_of_the_api_shows_its_metrics(dagster: Dagster, page: Page) -> None:
    before = len(dagster.runs())
    page.goto("/assets/events_api")
    page.get_by_role("button", name=re.compile("Observe")).first.click()
    assert dagster.finished(before + 1)[0]["status"] == "SUCCESS"
    page.goto("/assets/events_api")
    expect(page.get_by_text("answer_seconds").first).to_be_visible()
    expect(page.get_by_text("total_reported").first).to_be_visible()


def test_a_failed_sync_shows_its_cause_in_one_sentence(
    dagster: Dagster, api: Sandbox, page: Page
) -> None:
    before = len(dagster.runs())
    api.faults = Faults(fail_every=1, fail_status=401)
    page.goto("/asset-groups")
    page.get_by_role("button", name=re.compile("Materialize all")).click()
    run = dagster.finished(before + 1)[0]
    api.faults = Faults()
    assert run["status"] == "FAILURE"
    page.goto(f"/runs/{run['runId']}")
    cause = f"The API at {api.url}/v1/events answered 401 Unauthorized"
    expect(page.get_by_text(cause).first).to_be_visible()
    assert "Traceback" not in page.inner_text("body")


def test_the_schedule_is_on_and_a_tick_starts_a_run(dagster: Dagster, page: Page) -> None:
    page.goto("/automation")
    expect(page.get_by_text("sync_events_schedule", exact=True).first).to_be_visible()
    state = dagster.ask(
        '{ schedulesOrError(repositorySelector: {repositoryName: "__repository__", '
        'repositoryLocationName: "event_assets"}) { ... on Schedules { results { name '
        "scheduleState { status } } } } }"
    )["schedulesOrError"]["results"]
    assert {s["name"]: s["scheduleState"]["status"] for s in state} == {
        "sync_events_schedule": "RUNNING",
        "check_events_are_fresh_schedule": "RUNNING",
        "housekeeping_schedule": "RUNNING",
    }
    dagster.tick_every_minute()
    by_schedule = until(
        lambda: [
            run
            for run in dagster.runs()
            if {"key": "dagster/schedule_name", "value": "sync_events_schedule"} in run["tags"]
        ]
    )
    assert by_schedule[0]["jobName"] == "sync_events"
    run = dagster.finished(1)[0]
    assert run["status"] == "SUCCESS", dagster.errors(run["runId"])
