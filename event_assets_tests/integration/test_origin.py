"""Tables hold the events of one API, by one id: another is refused, unless it is accepted."""

from collections.abc import Callable
from typing import Any

import pytest

from event_assets.cli import sync
from event_assets.values.urls import is_same_server
from event_assets_tests.support.platforms import definitions, events, paged, run, serving, source
from event_assets_tests.support.project import Project, failure

PATH = "/v1/events"
ROWS = [event | {"uuid": f"u{number}"} for number, event in enumerate(events(3))]


def test_another_api_is_refused_and_how_to_go_on_is_said(project: Project) -> None:
    with serving({PATH: paged(events(3))}) as one, serving({PATH: paged(events(2, 5))}) as other:
        assert run(project, definitions({"events": source(one.url)})).success
        said = failure(run(project, definitions({"events": source(other.url)})))
        assert not other.asked
    assert said == (
        f"The database {project.database} contains events of {one.url}, not of {other.url}: move "
        "the file away, or name another file in EVENTS_DUCKDB, or accept it, by `python -m "
        "event_assets --accept-new-origin` or a run in Dagster with `accept_new_origin: true`."
    )
    assert project.ids() == ["e0", "e1", "e2"]


def test_another_api_that_is_accepted_is_recorded(project: Project) -> None:
    with serving({PATH: paged(events(3))}) as one, serving({PATH: paged(events(2, 5))}) as other:
        was, now = (definitions({"events": source(api.url)}) for api in (one, other))
        assert run(project, was).success
        assert run(project, now, accept_new_origin=True).success
        assert run(project, now).success
        assert f"of {other.url}, not of {one.url}" in failure(run(project, was))
    assert project.rows("select api from events.event_data_api") == [(other.url,)]


def test_sources_whose_addresses_were_swapped_are_refused(project: Project) -> None:
    with serving({PATH: paged(events(3))}) as one, serving({PATH: paged(events(2))}) as two:
        jobs = ("sync_events", "sync_concerts")
        right = definitions({"events": source(one.url), "concerts": source(two.url)})
        swapped = definitions({"events": source(two.url), "concerts": source(one.url)})
        assert all(run(project, right, job).success for job in jobs)
        said = [failure(run(project, swapped, job)) for job in jobs]
    assert f"of {one.url}, not of {two.url}" in said[0]
    assert f"of {two.url}, not of {one.url}" in said[1]
    assert said[1].endswith("or accept it, by a run in Dagster with `accept_new_origin: true`.")


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
        assert not other.asked


def by_primary_key(url: str, key: str) -> Any:
    document = source(url)
    document["attributes"]["rest_api"]["resource_defaults"]["primary_key"] = key
    return definitions({"events": document})


def by_field(url: str, key: str) -> Any:
    document = source(url)
    document["attributes"]["fields"]["id"]["from"] = key
    return definitions({"events": document})


@pytest.mark.parametrize("configured", [by_primary_key, by_field])
def test_other_ids_are_refused_unless_they_are_accepted(
    project: Project, configured: Callable[[str, str], Any]
) -> None:
    with serving({PATH: paged(ROWS)}) as api:
        assert run(project, configured(api.url, "id")).success
        changed = configured(api.url, "uuid")
        assert failure(run(project, changed)) == (
            f"The ids of the events in {project.database} come from `id`, not from `uuid`, by "
            "which each would be there twice: change it back in defs.yaml, move the file away, or "
            "name another file in EVENTS_DUCKDB, or accept it, by `python -m event_assets "
            "--accept-new-origin` or a run in Dagster with `accept_new_origin: true`."
        )
        assert project.ids() == ["e0", "e1", "e2"]
        assert run(project, changed, accept_new_origin=True).success
        assert run(project, changed).success
    assert project.ids() == ["e0", "e1", "e2", "u0", "u1", "u2"]


def test_the_command_line_accepts_another_api(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.environment.setenv("EVENTS_PROGRESS", "none")  # restores what the command sets
    with serving({PATH: paged(events(3))}) as one, serving({PATH: paged(events(2, 5))}) as other:
        project.connect_to(one.url)
        assert sync.main() == 0
        project.connect_to(other.url)
        assert sync.main() == 1
        assert "event_assets --accept-new-origin" in capsys.readouterr().err
        assert sync.main(["--accept-new-origin"]) == 0
    assert project.ids("current_events") == ["e5", "e6"]


@pytest.mark.parametrize(
    ("url", "other", "same"),
    [
        ("http://a.example", "https://a.example/v2", True),
        ("http://a.example:80", "https://A.example:443", True),
        ("http://a.example:8080", "https://a.example:8080", True),
        ("http://a.example", "http://a.example:8080", False),
        ("https://a.example", "https://staging.a.example", False),
    ],
)
def test_another_scheme_or_path_is_no_other_api(url: str, other: str, same: bool) -> None:
    assert is_same_server(url, other) == same
