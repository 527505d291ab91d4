"""Records that break the contract are stored with their reason; the others load."""

from datetime import UTC, datetime
from functools import partial
from tempfile import TemporaryFile
from typing import Any

import dagster as dg
import pytest
from starlette.requests import Request

from event_assets import warehouse
from event_assets.config.source import SourceConfig
from event_assets.orchestration.check_results import evaluate_no_rejects
from event_assets.orchestration.summary import print_summary
from event_assets.records.arrow_builder import Reject
from event_assets.sync.rejects import NOT_LOADED, RejectBuffer
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import (
    default_source,
    derive_tables,
    failed_sync,
    source_of,
    sync_default,
    sync_source,
)
from event_assets_tests.support.platforms import source
from event_assets_tests.support.project import Project, checks, failure, metadata, shown
from event_assets_tests.support.sandbox import Faults, Sandbox

pytestmark = pytest.mark.in_process

PATH = "/v1/events"
GOOD = [{"id": str(i), "name": f"Event {i}", "start_time": None} for i in range(100)]
BAD: dict[str, Any] = {"id": "bad", "name": "Bad", "start_time": "soon", "more": {"x": [1]}}
NAMELESS = {"name": "No id", "start_time": None}


def rejects(project: Project, columns: str = "id, field, reason") -> list[tuple[Any, ...]]:
    return project.rows(f"select {columns} from events.event_data_rejects order by id, record")


def test_a_bad_record_is_stored_with_its_reason_and_the_others_load(project: Project) -> None:
    with Sandbox([*GOOD, BAD, NAMELESS]) as api:
        result = project.sync(url=api.url, derived=False)
    assert result.success
    assert len(project.ids()) == 100
    assert rejects(project) == [
        ("bad", "start_time", "is not a timestamp"),
        (None, "id", "is missing"),
    ]
    assert project.rows("select record->>'$.more.x[0]' from events.event_data_rejects")[0] == ("1",)
    assert metadata(result)["rejects"] == 2


def test_the_check_counts_them_by_reason_with_examples(project: Project) -> None:
    with Sandbox([*GOOD, BAD, NAMELESS]) as api:
        check = checks(project.sync(url=api.url, derived=False))["no_rejects"]
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert check.description == (
        "2 records break the contract: `id` is missing (1); `start_time` is not a timestamp (1); "
        "correct `fields` in defs.yaml, or have the API's operator correct the records."
    )
    assert check.metadata["rejects"].value == 2
    assert [row["reason"] for row in shown(check, "by_reason")] == [
        "is missing",
        "is not a timestamp",
    ]
    assert {row["id"] for row in shown(check, "examples")} == {"bad", None}


def test_a_record_that_is_good_again_leaves_the_rejects(project: Project) -> None:
    with Sandbox([*GOOD, BAD, NAMELESS]) as api:
        sync_default(project, api.url)
        api.replace([*GOOD, {**BAD, "start_time": None}, {**NAMELESS, "id": "named"}])
        source = sync_default(project, api.url)
    assert rejects(project) == []
    assert {"bad", "named"} <= set(project.ids())
    assert warehouse.run(partial(evaluate_no_rejects, source=source, table="event_data")).passed


def test_a_record_that_stays_bad_is_there_once_since_it_was_first_seen(project: Project) -> None:
    with Sandbox([*GOOD, BAD, NAMELESS]) as api:
        sync_default(project, api.url)
        (before, _), (without_id, _) = rejects(project, "first_rejected_at, rejected_at")
        sync_default(project, api.url)
    (since, again), (still, _) = rejects(project, "first_rejected_at, rejected_at")
    assert since == before < again
    assert still == without_id


def test_an_event_with_a_bad_record_stays_current_unchanged(project: Project) -> None:
    with Sandbox([*GOOD, {**BAD, "start_time": None}]) as api:
        sync_default(project, api.url, derived=True)
        api.replace([*GOOD, BAD])
        sync_default(project, api.url, derived=True)
    assert "bad" in project.ids("current_events")
    assert project.rows("select count(*) from events.event_changes") == [(0,)]


def test_a_bad_record_that_left_the_api_is_kept_but_counts_no_more(project: Project) -> None:
    with Sandbox([*GOOD, BAD]) as api:
        sync_default(project, api.url)
        api.replace(GOOD)
        source = sync_default(project, api.url)
    assert rejects(project) == [("bad", "start_time", "is not a timestamp")]
    assert warehouse.run(partial(evaluate_no_rejects, source=source, table="event_data")).passed


def test_too_many_bad_records_stop_the_sync_before_the_table_is_touched(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(GOOD) as api:
        sync_default(project, api.url)
        before = project.rows("from events.event_data order by id")
        api.replace([{**event, "start_time": "soon"} for event in GOOD[:6]] + GOOD[6:] + [BAD])
        result = project.sync(url=api.url, derived=False)
    assert failure(result) == (
        "7 of 101 records break the contract, more than max_rejects (5 % of all) allows, and "
        "none was loaded: `start_time` is not a timestamp (7); correct `fields` in defs.yaml, "
        "with the help of the table event_data_rejects."
    )
    assert project.rows("from events.event_data order by id") == before
    assert len(rejects(project)) == 7
    print_summary(project.instance, result.run_id)
    assert f"This run loaded no events into {project.database}.\n" in capsys.readouterr().out


def test_syncs_that_fail_again_and_again_keep_each_bad_record_once(project: Project) -> None:
    with Sandbox([{**event, "start_time": "soon"} for event in GOOD[:20]]) as api:
        for _ in range(3):
            assert failed_sync(default_source(project, api.url))
    assert len(rejects(project)) == 20


def test_a_bad_record_that_is_read_twice_counts_once(project: Project) -> None:
    pages = [[*GOOD[:30], BAD, GOOD[30]], [*GOOD[31:61], BAD, GOOD[61]]]

    def answer(request: Request) -> Any:
        number = int(request.query_params.get("page", 0))
        return {"data": pages[number] if number < len(pages) else []}

    with serving({PATH: answer}) as api:
        config = source_of(source(api.url, endpoint={"paginator": "page_number"}))
        sync_source(config)
    assert rejects(project) == [("bad", "start_time", "is not a timestamp")]
    assert project.rows("select rejects from events.event_data_syncs") == [(1,)]


def test_many_large_rejects_need_little_memory(project: Project) -> None:
    source = SourceConfig(
        name="events", rest_api={"client": {}, "resources": [{"name": "event_data"}]}
    )
    with TemporaryFile() as file, warehouse.connect() as database:
        found = RejectBuffer(file)
        for batch in range(80):
            found.append(
                [Reject(f"{batch}-{i}", f'"{"x" * 2_000}"', "id", "bad") for i in range(1_000)]
            )
        now = datetime.now(UTC)
        found.merge_into_table(database, source.events, NOT_LOADED, now)
    assert project.rows("select count(*) from events.event_data_rejects") == [(80_000,)]


def test_a_response_without_a_good_record_removes_no_event(project: Project) -> None:
    with Sandbox(GOOD) as api:
        sync_default(project, api.url, derived=True)
        api.replace([{"message": "down for maintenance"}])
        result = project.sync(url=api.url)
    check = checks(result)["complete"]
    assert (result.success, check.passed, check.severity.name) == (True, False, "WARN")
    assert len(project.ids("current_events")) == 100


def test_a_wrong_contract_fails_the_first_sync(project: Project) -> None:
    records = [{"id": i, "name": {"en": "x"}} for i in range(9)]
    with Sandbox(records) as api:
        said = failed_sync(default_source(project, api.url))
    assert "`name` is an object or a list, not text (9)" in said
    assert len(rejects(project)) == 9


def test_one_bad_record_never_stops_a_sync(project: Project) -> None:
    with Sandbox([GOOD[0], BAD]) as api:
        sync_default(project, api.url)
    assert project.ids() == ["0"]


@pytest.mark.parametrize("faults", [Faults(), Faults(page_cap=7, delete_every=3)])
def test_records_in_are_rows_and_rejects_by_id(project: Project, faults: Faults) -> None:
    mixed: list[dict[str, Any]] = [
        {**event, "start_time": "soon"} if i % 25 == 7 else event for i, event in enumerate(GOOD)
    ]
    with Sandbox(mixed, faults=faults) as api:
        api.begin_phase()
        sync_default(project, api.url)
        stayed = api.present_throughout()
    kept = {*project.ids(), *(row[0] for row in rejects(project))}
    assert kept >= stayed
    assert not set(project.ids()) & {row[0] for row in rejects(project)}


def test_an_event_with_a_bad_record_stays_current_when_a_sync_fails(project: Project) -> None:
    with Sandbox([*GOOD, {**BAD, "start_time": None}]) as api:
        sync_default(project, api.url, derived=True)
        api.replace([*GOOD, BAD])
        source = sync_default(project, api.url, derived=True)
        api.replace([{**event, "start_time": "soon"} for event in [*GOOD, BAD]])
        assert failed_sync(source)
        derive_tables(source)
    assert len(rejects(project)) == 101
    assert set(project.ids("current_events")) == {"bad", *(event["id"] for event in GOOD)}


def test_before_the_first_sync_was_loaded_all_rejects_are_counted(project: Project) -> None:
    records = [{**event, "start_time": "soon"} for event in GOOD]
    with Sandbox(records) as api:
        assert failed_sync(default_source(project, api.url))
    with warehouse.connect() as database:
        source = SourceConfig(name="events", rest_api={"client": {}})
        check = evaluate_no_rejects(database, source, "event_data")
    assert not check.passed
    assert check.metadata["rejects"].value == 100
