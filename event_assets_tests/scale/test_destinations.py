"""The same project on every destination: tables, checks, views, pictures."""

from pathlib import Path
from typing import Any

import pytest

from event_assets import warehouse
from event_assets.cli.main import run
from event_assets.warehouse.connection import run_maintenance
from event_assets_tests.scale.destinations import DESTINATIONS
from event_assets_tests.scale.servers import Postgres
from event_assets_tests.support.platforms import events
from event_assets_tests.support.project import Project, checks, failure, metadata
from event_assets_tests.support.sandbox import Sandbox


@pytest.fixture(params=DESTINATIONS)
def place(
    request: pytest.FixtureRequest, project: Project, postgres: Postgres, tmp_path: Path
) -> Project:
    """A project on one of the destinations."""
    for name, value in DESTINATIONS[request.param](postgres, tmp_path).items():
        project.environment.setenv(name, value)
    return project


def rows(query: str) -> list[tuple[Any, ...]]:
    with warehouse.connect() as database:
        return database.sql(query).fetchall()


def test_a_sync_fills_every_table_and_passes_every_check(place: Project) -> None:
    with Sandbox(events(300)) as api:
        first = place.sync(url=api.url)
        assert first.success, failure(first)
        api.replace([{**event, "name": "New"} for event in events(290)])
        second = place.sync(url=api.url)
        assert second.success, failure(second)
    assert rows("select count(*), count(distinct id) from events.event_data") == [(300, 300)]
    assert rows("select count(*) from events.current_events") == [(290,)]
    assert rows("select count(*) from events.event_data where name = 'New'") == [(290,)]
    assert rows("select change, count(*) from events.event_changes group by all order by all") == [
        ("changed", 290),
        ("passed", 10),
    ]
    assert rows("select sum(events) from events.event_calendar") == [(290,)]
    assert all(check.passed for check in checks(second).values())
    assert metadata(second)["dagster/row_count"] == 300


def test_the_commands_read_each_destination_and_change_none(
    place: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(events(3)) as api:
        assert place.sync(url=api.url).success
        assert not place.sync(url=api.url, key="wrong").success
    assert run(["status"]) == 1
    assert "  Its newest sync failed less than a minute ago: " in capsys.readouterr().out
    assert run(["show", "--sql", "delete from events.event_data"]) == 1
    assert capsys.readouterr().err.startswith("The query cannot be run: ")
    assert rows("select count(*) from events.event_data") == [(3,)]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [("EVENTS_S3_KEY_ID", "wrong", 403), ("EVENTS_DUCKLAKE_STORAGE", "s3://none/events", 404)],
)
def test_a_store_that_refuses_or_has_no_such_bucket_is_told(
    project: Project, postgres: Postgres, tmp_path: Path, name: str, value: str, code: int
) -> None:
    settings = {**DESTINATIONS["ducklake, S3"](postgres, tmp_path), name: value}
    for each in settings.items():
        project.environment.setenv(*each)
    with Sandbox(events(30)) as api:  # fewer stay in the catalog
        said = failure(project.sync(url=api.url))
    assert f"(HTTP code {code}); correct EVENTS_S3_*." in said
    assert settings["EVENTS_S3_SECRET"] not in said


@pytest.mark.parametrize("kind", ["ducklake", "ducklake, a file"])
def test_housekeeping_writes_the_few_rows_that_are_in_the_catalog_into_a_file(
    project: Project, postgres: Postgres, tmp_path: Path, kind: str
) -> None:
    for each in DESTINATIONS[kind](postgres, tmp_path).items():
        project.environment.setenv(*each)
    with warehouse.connect() as database:
        database.execute("create schema events; create table events.few as from range(3)")
    assert not list(tmp_path.rglob("*.parquet"))
    run_maintenance()
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    assert rows("select count(*) from events.few") == [(3,)]


def test_housekeeping_keeps_the_files_of_a_load_that_has_not_ended(
    project: Project, postgres: Postgres, tmp_path: Path
) -> None:
    settings = {**DESTINATIONS["ducklake"](postgres, tmp_path), "EVENTS_DUCKLAKE_KEEP_DAYS": "0"}
    for each in settings.items():
        project.environment.setenv(*each)
    with warehouse.connect() as load:
        load.execute(
            "begin; create schema events; create table events.event_data as from range(99)"
        )
        run_maintenance()
        load.commit()
    assert rows("select count(distinct range) from events.event_data") == [(99,)]
