"""Tables hold the events of one API, by one id: another is refused, unless it is accepted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from event_assets.cli.main import run as run_command
from event_assets.config.program import program
from event_assets.values.urls import is_same_api
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import (
    failed_sync,
    source_of,
    sync_accounts,
    sync_source,
)
from event_assets_tests.support.platforms import definitions, events, paged, run, source
from event_assets_tests.support.project import Project

pytestmark = pytest.mark.in_process

PATH = "/v1/events"
ROWS = [event | {"uuid": f"u{number}"} for number, event in enumerate(events(3))]


def test_another_api_is_refused_and_how_to_go_on_is_said(project: Project) -> None:
    with serving({PATH: paged(events(3))}) as one, serving({PATH: paged(events(2, 5))}) as other:
        sync_source(source_of(source(one.url)))
        said = failed_sync(source_of(source(other.url)))
        assert not other.requests
    assert said == (
        f"The database {project.database} contains events of {one.url}{PATH}, not of "
        f"{other.url}{PATH}: name another file in EVENTS_DUCKDB, or accept "
        f"it, by `{program()} sync events --accept-new-origin` or a run in Dagster with "
        "`accept_new_origin: true`."
    )
    assert project.ids() == ["e0", "e1", "e2"]


def test_another_api_that_is_accepted_is_recorded(project: Project) -> None:
    with serving({PATH: paged(events(3))}) as one, serving({PATH: paged(events(2, 5))}) as other:
        was, now = (source_of(source(api.url)) for api in (one, other))
        sync_source(was)
        sync_source(now, accepts_new_origin=True)
        sync_source(now)
        assert f"of {other.url}{PATH}, not of {one.url}{PATH}" in failed_sync(was)
    assert project.rows("select api from events.event_data_api") == [(other.url + PATH,)]


@pytest.mark.usefixtures("project")
def test_sources_whose_addresses_were_swapped_are_refused() -> None:
    with serving({PATH: paged(events(3))}) as one, serving({PATH: paged(events(2))}) as two:
        for api, name in ((one, "events"), (two, "concerts")):
            sync_source(source_of(source(api.url), name))
        said = [
            failed_sync(source_of(source(api.url), name))
            for api, name in ((two, "events"), (one, "concerts"))
        ]
    assert f"of {one.url}{PATH}, not of {two.url}{PATH}" in said[0]
    assert f"of {two.url}{PATH}, not of {one.url}{PATH}" in said[1]
    assert f"`{program()} sync concerts --accept-new-origin`" in said[1]


def test_a_further_resource_of_another_api_is_refused_before_there_are_events(
    project: Project,
) -> None:
    def with_venues(url: str) -> Any:
        document = source(url)
        venues = {"name": "venues", "endpoint": {"path": "/v1/venues", "data_selector": "data"}}
        document["attributes"]["rest_api"]["resources"].append(venues)
        return definitions({"events": document})

    lists = {PATH: lambda _: {"data": None}, "/v1/venues": paged(events(1))}
    with serving(lists) as one, serving({PATH: paged(ROWS)}) as other:
        project.environment.setattr("event_assets.http.retry_policy.MAX_RETRIES", 0)
        assert not run(project, with_venues(one.url)).success
        assert project.rows("select count(*) from events.venues") == [(1,)]
        assert not run(project, with_venues(other.url)).success
        assert not other.requests


def by_primary_key(url: str, key: str) -> Any:
    document = source(url)
    document["attributes"]["rest_api"]["resource_defaults"]["primary_key"] = key
    return source_of(document)


def by_field(url: str, key: str) -> Any:
    document = source(url)
    document["attributes"]["fields"]["id"]["from"] = key
    return source_of(document)


@pytest.mark.parametrize("configured", [by_primary_key, by_field])
def test_other_ids_are_refused_unless_they_are_accepted(
    project: Project, configured: Callable[[str, str], Any]
) -> None:
    with serving({PATH: paged(ROWS)}) as api:
        sync_source(configured(api.url, "id"))
        changed = configured(api.url, "uuid")
        assert failed_sync(changed) == (
            f"The ids of the events in {project.database} come from `id`, not from `uuid`, by "
            "which each would be there twice: change it back in defs.yaml, "
            f"name another file in EVENTS_DUCKDB, or accept it, by `{program()} sync "
            "events --accept-new-origin` or a run in Dagster with `accept_new_origin: true`."
        )
        assert project.ids() == ["e0", "e1", "e2"]
        sync_source(changed, accepts_new_origin=True)
        sync_source(changed)
    assert project.ids() == ["e0", "e1", "e2", "u0", "u1", "u2"]


@pytest.mark.in_process(False)
def test_the_command_line_accepts_another_api(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving({PATH: paged(events(3))}) as one, serving({PATH: paged(events(2, 5))}) as other:
        project.connect_to(one.url)
        assert run_command(["sync"]) == 0
        project.connect_to(other.url)
        assert run_command(["sync"]) == 1
        assert f"`{program()} sync events --accept-new-origin`" in capsys.readouterr().err
        assert run_command(["status"]) == 1
        *_, problem, helps = capsys.readouterr().out.splitlines()
        assert problem.startswith("  Its newest sync was of ")
        assert helps == f"  {program()} sync events --accept-new-origin"
        assert run_command(["sync", "--accept-new-origin"]) == 0
        assert run_command(["status"]) == 0
    assert project.ids("current_events") == ["e5", "e6"]


@pytest.mark.in_process(False)
def test_the_status_names_no_command_where_none_helps(
    project: Project, source_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving({PATH: paged(events(3))}) as api:
        project.connect_to(api.url)
        assert run_command(["sync"]) == 0
        document = source_file.read_text()
        source_file.write_text(document.replace("attributes:\n", "attributes:\n  accounts: [a]\n"))
        assert run_command(["sync"]) == 1
        capsys.readouterr()
        assert run_command(["status"]) == 1
    *_, problem = capsys.readouterr().out.splitlines()
    assert "was loaded without `accounts`: rename the folder of the source" in problem


@pytest.mark.parametrize(
    ("url", "path"), [("/staging", PATH), ("", "/v1/organizers/2/events"), ("", "/v2/events")]
)
@pytest.mark.usefixtures("project")
def test_another_path_of_the_same_server_is_refused(url: str, path: str) -> None:
    with serving({PATH: paged(ROWS), f"{url}{path}": paged(ROWS)}) as api:
        sync_source(source_of(source(api.url)))
        other = source(f"{api.url}{url}", endpoint={"path": path})
        said = failed_sync(source_of(other))
        assert f"events of {api.url}{PATH}, not of {api.url}{url}{path}: " in said
        sync_source(source_of(other), accepts_new_origin=True)
        sync_source(source_of(other))


def test_where_there_are_no_rows_another_api_is_accepted(project: Project) -> None:
    with serving({PATH: paged([])}) as one, serving({PATH: paged(ROWS)}) as other:
        sync_source(source_of(source(one.url)))
        sync_source(source_of(source(other.url)))
    assert project.ids() == ["e0", "e1", "e2"]


@pytest.mark.usefixtures("project")
def test_accounts_whose_names_are_in_the_address_have_one_origin() -> None:
    with serving({f"/{name}{PATH}": paged(ROWS) for name in ("anna", "ben")}) as api:
        document = source(f"{api.url}/{{account}}", accounts=["anna", "ben"])
        sync_accounts(source_of(document), "anna", "ben", "anna")
        elsewhere = source(f"{api.url}/v2/{{account}}", accounts=["anna", "ben"])
        said = failed_sync(source_of(elsewhere).for_account("ben"))
    assert f"events of {api.url}/ACCOUNT{PATH}, not of {api.url}/v2/ACCOUNT{PATH}: " in said


@pytest.mark.parametrize(
    ("url", "other", "same"),
    [
        ("http://a.example", "https://a.example/v2/events", True),  # recorded without a path
        ("http://a.example:80/v1", "https://A.example:443/v1", True),
        ("http://a.example:8080/v1", "https://a.example:8080/v1", True),
        ("http://a.example/v1", "http://a.example/v2", False),
        ("http://a.example/v1", "http://a.example:8080/v1", False),
        ("https://a.example/v1", "https://staging.a.example/v1", False),
    ],
)
def test_another_scheme_is_no_other_api(url: str, other: str, same: bool) -> None:
    assert is_same_api(url, other) == same


def coming(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{**event, "start_time": "2999-01-01T00:00:00Z"} for event in events(count, first)]


def test_other_events_than_those_that_are_over_need_not_be_accepted(project: Project) -> None:
    rows = [{**event, "start_time": "2020-01-01T00:00:00Z"} for event in events(3)]
    with serving({PATH: lambda request: paged(rows)(request)}) as api:
        sync_source(source_of(source(api.url)))
        rows[:] = coming(2, 3)
        sync_source(source_of(source(api.url, exclude=["venue"])))
    assert len(project.ids()) == 5


@pytest.mark.parametrize("first", [0, 2])
def test_other_events_since_a_parameter_changed_are_refused_unless_they_are_accepted(
    project: Project, first: int
) -> None:
    with serving({PATH: lambda request: paged(lists[request.query_params["org"]])(request)}) as api:
        lists = {"1": coming(3), "2": coming(4, 3 - first)}
        was, now = (source_of(source(api.url, endpoint={"params": {"org": org}})) for org in "12")
        sync_source(was)
        if first:
            sync_source(now)
            assert project.ids() == ["e0", "e1", "e2", "e3", "e4"]
            return
        assert failed_sync(now).startswith(
            "None of the 3 events in events.event_data is among the 4 that the API sends since the "
            "configuration changed, as if they were those of another list: change it back"
        )
        assert project.ids() == ["e0", "e1", "e2"]
        sync_source(now, accepts_new_origin=True)
        sync_source(now)
    assert len(project.ids()) == 7
