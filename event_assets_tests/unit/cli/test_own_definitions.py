"""`event-assets sync` and `check` load what Dagster loads: the project's own `definitions.py`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from event_assets.cli.main import run
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.mistakes import YAML
from event_assets_tests.support.other_project import DEFINITIONS
from event_assets_tests.support.platforms import events, paged, source
from event_assets_tests.support.project import Project

Output = pytest.CaptureFixture[str]
OWN = """
from event_assets import warehouse


@dg.asset(deps=["current_events"], required_resource_keys={"table"})
def own(context) -> None:
    with warehouse.connect() as database:
        database.execute(f"create table {context.resources.table} as select 1 as a")


@dg.asset_check(asset="event_data")
def many() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, description="Too few.")


@dg.definitions
def defs() -> dg.Definitions:
    sources = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    mine = dg.Definitions(assets=[own], asset_checks=[many], resources={"table": "main.own"})
    return dg.Definitions.merge(sources, mine, build_shared_definitions(sources))
"""
pytestmark = pytest.mark.in_process


@pytest.fixture
def module(source_file: Path) -> Iterator[Path]:
    """The module of the definitions of a project, whose source has an API."""
    with serving({"/v1/events": paged(events(2))}) as api:
        source_file.write_text(yaml.safe_dump(source(api.url)))
        yield source_file.parents[2] / "definitions.py"


def test_assets_checks_and_resources_of_it_are_part_of_a_sync(
    project: Project, module: Path, capfd: Output
) -> None:
    module.write_text(DEFINITIONS.partition("@dg.definitions")[0] + OWN)
    assert run(["check"]) == 0
    assert run(["sync"]) == 1
    assert capfd.readouterr().err == "ERROR many: Too few.\n"
    assert project.rows("from main.own") == [(1,)]


@pytest.mark.usefixtures("project")
@pytest.mark.in_process(False)  # it reads the database as another process
def test_a_check_of_it_that_fails_is_told_in_status_until_it_passes_or_is_gone(
    module: Path, capfd: Output
) -> None:
    own = OWN.replace("create table", "create or replace table")
    failing = DEFINITIONS.partition("@dg.definitions")[0] + own
    passing = failing.replace("passed=False", "passed=True")
    for text in (failing, passing, failing, DEFINITIONS):
        module.write_text(text)
        is_good = text != failing
        assert run(["sync"]) == run(["status"]) == (not is_good)
        said = "  Its check many failed less than a minute ago: Too few.\n"
        assert (said in capfd.readouterr().out) != is_good
        del sys.modules[f"{module.parent.name}.definitions"]  # so that it is loaded again


@pytest.mark.parametrize("text", [None, "", "import dagster as dg\ndefs = dg.Definitions()\n"])
def test_without_the_sources_in_it_they_are_synced_all_the_same(
    project: Project, module: Path, text: str | None
) -> None:
    if text is None:
        module.unlink()
    else:
        module.write_text(text)
    assert run(["sync"]) == 0
    assert project.ids("current_events") == ["e0", "e1"]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("command", ["check", "sync"])
def test_what_is_wrong_in_it_is_told_in_a_sentence(
    module: Path, capfd: Output, command: str
) -> None:
    module.write_text(f"import not_there\n{DEFINITIONS}")
    assert run([command]) == 1
    assert capfd.readouterr() == (
        "",
        "Dagster cannot load the definitions: No module named 'not_there'.\n",
    )


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("command", ["check", "sync"])
def test_a_mistake_in_a_source_that_it_loads_is_told_by_file_and_line(
    source_file: Path, capfd: Output, command: str
) -> None:
    source_file.write_text(YAML.replace("limit: 100", "limit: 0"))
    assert run([command]) == 1
    output, errors = capfd.readouterr()
    assert output == ""
    assert errors.startswith(f"{source_file}:29: ")
    assert errors.count("\n") == 1


def test_the_module_may_have_another_name(project: Project, module: Path) -> None:
    module.rename(module.with_name("mine.py"))
    module.with_name("mine.py").write_text(DEFINITIONS.partition("@dg.definitions")[0] + OWN)
    settings = module.parents[1] / "pyproject.toml"
    named = f'code_location_target_module = "{module.parent.name}.mine"\n'
    settings.write_text(f"{settings.read_text()}{named}")
    assert run(["sync"]) == 1
    assert project.rows("from main.own") == [(1,)]


def test_the_project_goes_before_an_installed_copy_of_it(
    project: Project, module: Path, tmp_path: Path, capfd: Output
) -> None:
    copy = tmp_path / "site-packages" / module.parent.name
    copy.mkdir(parents=True)
    (copy / "__init__.py").write_text("raise ImportError('an old copy')")
    others = [path for path in sys.path if path != str(module.parents[1])]
    project.environment.setattr(sys, "path", [str(copy.parent), *others])
    assert run(["check"]) == 0
    assert "old copy" not in capfd.readouterr().err
