"""`event-assets sync` runs the job of each source and says what came of its events."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster import DagsterInstance

from event_assets.cli.definitions import load_definitions
from event_assets.cli.main import run
from event_assets.cli.runs import load_sources
from event_assets.config.program import program
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.contracts import contract
from event_assets_tests.support.platforms import events, paged, source
from event_assets_tests.support.project import Project

Output = pytest.CaptureFixture[str]
PATH = "/v1/events"
OWN_CHECK = """
import dagster as dg

@dg.asset_check(asset=["concerts", "event_data"])
def is_cheap():
    severity = dg.AssetCheckSeverity.{severity}
    return dg.AssetCheckResult(passed=False, severity=severity, description={description!r})
"""
pytestmark = [pytest.mark.in_process, pytest.mark.usefixtures("project")]


@pytest.fixture
def files(source_file: Path) -> Path:
    """The folder of the sources of another project."""
    (source_file.parents[1] / "__init__.py").touch()
    return source_file.parents[1]


def write(files: Path, **sources: dict[str, Any]) -> None:
    """Write the sources of a project, and remove the others."""
    for file in files.glob("*/defs.yaml"):
        shutil.rmtree(file.parent)
    for name, document in sources.items():
        (files / name).mkdir()
        (files / name / "defs.yaml").write_text(yaml.safe_dump(document))


def test_every_source_is_synced_and_the_changes_of_each_are_counted(
    files: Path, capfd: Output
) -> None:
    rows = [{**event, "start_time": "2100-01-01T00:00:00Z"} for event in events(4)]
    with serving({PATH: paged(rows)}) as one, serving({PATH: paged(events(2))}) as two:
        write(files, concerts=source(one.url), plays=source(two.url))
        assert run(["sync"]) == 0
        first = capfd.readouterr().out.splitlines()
        rows[:] = [
            {**rows[0], "start_time": "2100-01-02T00:00:00Z"},
            {**rows[1], "name": "Another"},
            rows[2],
            {"id": "new", "name": "New", "start_time": None},
        ]
        assert run(["sync", "concerts", "concerts"]) == 0
    second = capfd.readouterr().out.splitlines()
    assert first[0] == "Syncing concerts ..."
    assert "source    plays" in first
    assert first[-3].endswith("event-assets show concerts")
    assert [line.split()[0] for line in first[-3:]] == ["look", "watch", "schedule"]
    assert [line for line in second if line.startswith("events")] == [
        "events    4 (+1 new, 1 moved, 1 changed, 1 gone)"
    ]
    assert not [line for line in second if line.startswith(("look", "source    plays"))]
    of_job = dg.RunsFilter(job_name="sync_concerts")
    with DagsterInstance.get() as instance:
        assert len(instance.get_runs(of_job)) == 2


@pytest.mark.in_process(False)
def test_a_source_that_fails_keeps_no_other_from_its_sync(
    project: Project, files: Path, capfd: Output
) -> None:
    with serving({PATH: paged(events(2))}) as api:
        unset = source(api.url)
        unset["attributes"]["rest_api"]["client"]["headers"] = {"X": "{{ env.NOT_SET_HERE }}"}
        write(files, concerts=unset, plays=source(api.url))
        assert run(["sync"]) == 1
    output, errors = capfd.readouterr()
    assert errors.startswith("The variable NOT_SET_HERE is not set, which the defs.yaml of concer")
    assert "events    2" in output.splitlines()
    assert "look" not in output
    assert project.rows("select count(*) from plays.event_data") == [(2,)]
    assert run(["status"]) == 1
    told = "  Its newest sync failed less than a minute ago: The variable NOT_SET_HERE is not set, "
    assert told in capfd.readouterr().out


@pytest.mark.parametrize(
    ("severity", "status", "description"), [("ERROR", 1, "Too dear."), ("WARN", 0, None)]
)
def test_a_check_of_the_users_own_that_fails_with_error_fails_the_command(
    files: Path, capfd: Output, severity: str, status: int, description: str | None
) -> None:
    with serving({PATH: paged(events(2))}) as api:
        write(files, concerts=source(api.url))
        check = OWN_CHECK.format(severity=severity, description=description)
        (files / "own.py").write_text(check)
        assert run(["sync"]) == status
    output, errors = capfd.readouterr()
    assert errors == f"{severity} is_cheap: {description or 'no reason given'}\n"
    assert "events    2" in output.splitlines()


def test_a_source_that_is_made_meanwhile_stops_no_sync_of_another(files: Path) -> None:
    document = source("http://127.0.0.1:9")
    write(files, concerts=document)
    definitions = load_definitions()
    write(files, concerts=document, plays=document)
    assert [one.name for one in load_sources(definitions, ["concerts"])] == ["concerts"]


@pytest.mark.in_process(False)
def test_the_sandbox_steps_aside_unless_it_is_named(
    project: Project, files: Path, capfd: Output
) -> None:
    with serving({PATH: paged(events(2))}) as api:
        write(files, events=contract(), concerts=source(api.url))
        assert run(["sync"]) == 0
        told = capfd.readouterr().out
        assert "Syncing events" not in told
        assert f"look      {program()} show concerts\n" in told
        schemas = "select distinct schema_name from duckdb_tables() where schema_name = 'events'"
        assert project.rows(schemas) == []
        assert run(["erase", "--id", "e0", "--yes"]) == 0
        assert "concerts.event_data: 1 row\n" in capfd.readouterr().out
        assert run(["sync", "events"]) == 0
    assert "api       the built-in sandbox, whose events are invented" in capfd.readouterr().out
    assert project.rows(schemas) == [("events",)]
    assert project.rows("select distinct source from all_events") == [("concerts",)]


def test_the_last_source_that_is_left_takes_all_events_away(project: Project, files: Path) -> None:
    views = "select view_name from duckdb_views() where view_name = 'all_events'"
    with serving({PATH: paged(events(2))}) as api:
        both = {name: source(api.url) for name in ("events", "concerts")}
        write(files, **both)
        assert run(["sync"]) == 0
        assert project.rows(views) == [("all_events",)]
        write(files, concerts=both["concerts"])
        for _ in range(2):
            assert run(["sync"]) == 0
            assert project.rows(views) == []


def test_without_any_source_it_says_what_to_do(files: Path, capsys: Output) -> None:
    write(files)
    assert run(["sync"]) == 1
    told = f"There is no source to sync: `{program()} connect URL` makes one.\n"
    assert capsys.readouterr().err == told


def test_the_history_is_in_the_project_unless_dagster_home_is_set(
    project: Project, files: Path, capfd: Output
) -> None:
    project.environment.setenv("DAGSTER_HOME", "")
    project.environment.setenv("CI", "true")
    with serving({PATH: paged(events(2))}) as api:
        write(files, events=source(api.url))
        assert run(["sync", "--full"]) == 0
    assert "look" not in capfd.readouterr().out
    assert (files.parents[1] / "history").is_dir()
