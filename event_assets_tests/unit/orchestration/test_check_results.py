"""What must be true of `event_data`, evaluated by itself."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import dagster as dg
import pytest
from starlette.requests import Request

from event_assets import warehouse
from event_assets.config.freshness import FreshnessConfig
from event_assets.config.source import SourceConfig
from event_assets.definitions import defs
from event_assets.orchestration.check_results import evaluate_fresh
from event_assets.orchestration.schema_stable import evaluate_schema_stable
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import source_of, sync_source
from event_assets_tests.support.platforms import paged, source
from event_assets_tests.support.project import Project, checks, failure, shown
from event_assets_tests.support.sandbox import Sandbox

pytestmark = pytest.mark.in_process

KEY = dg.AssetKey("event_data")
REST_API = {"client": {}, "resources": [{"name": "event_data"}]}


@pytest.mark.parametrize(
    ("age", "passed", "severity"),
    [
        (10, True, None),
        (45, False, dg.AssetCheckSeverity.WARN),
        (90, False, dg.AssetCheckSeverity.ERROR),
    ],
)
def test_fresh_goes_by_the_age_of_the_newest_sync(
    project: Project, api: Sandbox, age: int, passed: bool, severity: dg.AssetCheckSeverity | None
) -> None:
    project.sync(url=api.url, derived=False)
    then = datetime.now(UTC) - timedelta(minutes=age)
    project.rows(f"update events.event_data_syncs set finished_at = '{then.isoformat()}'")
    with warehouse.connect() as database:
        freshness = FreshnessConfig(warn_after_minutes=30, fail_after_minutes=60)
        source = SourceConfig(name="events", rest_api=REST_API)
        result = evaluate_fresh(database, source, freshness)
    assert result.passed is passed
    assert str(result.description).startswith(f"The newest sync is {age} minutes old")
    assert ("check for failed runs" in str(result.description)) is not passed
    assert severity is None or result.severity is severity


def test_checking_before_the_first_sync_says_to_sync_first(project: Project) -> None:
    only_checks = (
        defs()
        .resolve_implicit_global_asset_job_def()
        .get_subset(
            asset_selection=set(), asset_check_selection={dg.AssetCheckKey(KEY, "complete")}
        )
    )
    result = only_checks.execute_in_process(instance=project.instance, raise_on_error=False)
    assert failure(result) == (
        'Table with name "events.event_data_syncs" does not exist because schema "events" does not '
        "exist. Materialize event_data and what it depends on first."
    )


def test_columns_that_are_new_gone_or_of_another_type_are_said(project: Project) -> None:
    lists: list[list[dict[str, Any]]] = [
        [{"id": "1", "old": "x", "size": 1}],
        [{"id": "1", "new": {"b": True}, "size": "large"}],
        [{"id": "1", "new": {"b": True}, "size": "large"}],
    ]
    found = []
    for events in lists:
        with Sandbox(events) as api:
            result = project.sync(url=api.url, derived=False, accept_new_origin=True)
            found.append(checks(result)["schema_stable"])
    first, second, third = found
    assert (first.passed, second.passed, third.passed) == (True, False, True)
    assert second.severity is dg.AssetCheckSeverity.WARN
    assert second.description == (
        "2 new: new__b, size__v_text; 2 gone: old, size; check that what reads these columns "
        "still works."
    )
    assert shown(second, "changes") == [
        {"column": "new__b", "before": None, "now": "bool"},
        {"column": "size__v_text", "before": None, "now": "text"},
        {"column": "old", "before": "text", "now": None},
        {"column": "size", "before": "bigint", "now": None},
    ]


def test_a_column_that_becomes_a_float_is_of_another_type(project: Project) -> None:
    for size in (1, 1.5):
        with Sandbox([{"id": "1", "size": size}]) as api:
            result = project.sync(url=api.url, derived=False, accept_new_origin=True)
            check = checks(result)["schema_stable"]
    assert str(check.description).startswith("1 of another type: size; ")
    assert shown(check, "changes") == [{"column": "size", "before": "bigint", "now": "double"}]


def test_a_sync_without_events_says_nothing_of_columns(project: Project, api: Sandbox) -> None:
    project.sync(url=api.url, derived=False)
    api.replace([])
    assert checks(project.sync(url=api.url, derived=False))["schema_stable"].passed


def test_freshness_before_the_first_sync_is_a_warning(project: Project) -> None:
    job = defs().resolve_job_def("check_events_are_fresh")
    result = job.execute_in_process(instance=project.instance, raise_on_error=False)
    check = checks(result)["fresh"]
    assert (result.success, check.passed, check.description) == (
        True,
        False,
        "There has been no sync yet.",
    )


def test_a_sync_that_hangs_does_not_keep_its_age_from_being_seen(
    project: Project, monkeypatch: pytest.MonkeyPatch, api: Sandbox
) -> None:
    project.sync(url=api.url, derived=False)
    monkeypatch.setattr("event_assets.orchestration.check_results.BUSY_TIMEOUT", 0.1)
    job = defs().resolve_job_def("check_events_are_fresh")
    with warehouse.connect():
        result = job.execute_in_process(instance=project.instance, raise_on_error=False)
    assert checks(result)["fresh"].description == "The newest sync is less than a minute old."


@pytest.mark.usefixtures("project")
def test_what_changed_records_do_to_columns_is_said() -> None:
    def answer(request: Request) -> Any:
        since = request.query_params.get("since", "")
        return paged([row for row in rows if row["updated_at"] > since])(request)

    def check() -> dg.AssetCheckResult:
        sync_source(loaded)
        return warehouse.run(partial(evaluate_schema_stable, source=loaded))

    def changed(day: int, *numbers: int, **values: str) -> None:
        rows[:] = [
            {"id": f"e{n}", "updated_at": f"2026-01-{day:02}", "name": "Night", **values}
            for n in numbers
        ]

    rows: list[dict[str, Any]] = []
    start = {"start_time": "2027-01-01", "end_time": "2027-01-02"}
    incremental = {"cursor_path": "updated_at", "start_param": "since"}
    with serving(answer) as api:
        loaded = source_of(source(api.url, endpoint={"incremental": incremental}))
        changed(1, *range(20), **start)
        assert check().passed
        changed(2, *range(6), start_time="2027-01-01")  # what is optional may be missing
        assert check().passed
        changed(3, *range(6), starts_at="2027-01-01")
        assert str(check().description).startswith("1 new: starts_at; ")
        changed(4, *range(6), starts_at="2027-01-01")
        told = "No record has a value for `start_time`: correct its `from` in `fields`."
        assert check().description == told
        changed(5, 1, **start)
        assert check().passed


@pytest.mark.usefixtures("project")
def test_changes_that_only_remove_events_say_nothing_of_columns() -> None:
    def answer(request: Request) -> Any:
        since = request.query_params.get("since", "")
        return paged([row for row in rows if row["updated_at"] > since])(request)

    rows = [{"id": f"e{n}", "name": "Night", "updated_at": "2026-01-01"} for n in range(20)]
    incremental = {"cursor_path": "updated_at", "start_param": "since"}
    with serving(answer) as api:
        document = source(
            api.url, endpoint={"incremental": incremental}, removed_when={"gone": "1"}
        )
        sync_source(source_of(document))
        rows[:12] = [{"id": f"e{n}", "gone": "1", "updated_at": "2026-01-02"} for n in range(12)]
        sync_source(loaded := source_of(document))
    result = warehouse.run(partial(evaluate_schema_stable, source=loaded))
    assert "No record has a value" not in str(result.description)


@pytest.mark.parametrize(
    ("field", "api_names", "passed"),
    [
        ({"from": "title"}, ["title", "name", "name"], [True, False, False]),
        ({}, ["name", "title", "title"], [True, False, False]),
        ({"from": "titel"}, ["title"], [False]),
    ],
    ids=["renamed", "gone", "mistyped"],
)
@pytest.mark.usefixtures("project")
def test_a_column_of_the_contract_without_a_value_is_said_until_it_is_mended(
    field: dict[str, str], api_names: list[str], passed: list[bool]
) -> None:
    found = []
    for name in api_names:
        rows = [{"id": f"e{n}", name: f"Night {n}", "start_time": "2027-01-01"} for n in range(12)]
        with serving(paged(rows)) as api:
            document = source(api.url)
            document["attributes"]["fields"]["name"] |= field
            loaded = source_of(document)
            sync_source(loaded, accepts_new_origin=True)
        found.append(warehouse.run(partial(evaluate_schema_stable, source=loaded)))
    assert [check.passed for check in found] == passed
    told = "No record has a value for `name`: correct its `from` in `fields`."
    assert passed[-1] or str(found[-1].description).endswith(told)
