"""A new source: a commented file that works at once, and an editor that knows what goes into it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from dagster_dg_cli.cli import cli

from event_assets import EventApi
from event_assets_tests.support.platforms import definitions, run
from event_assets_tests.support.project import Project, failure

SCAFFOLD = ("scaffold", "defs", "event_assets.EventApi", "concerts")


@pytest.fixture
def dg(clone: Path, project: Project) -> Callable[..., Result]:
    """The program `dg`, in this process and a copy of the project."""
    project.environment.chdir(clone)
    return lambda *arguments: CliRunner().invoke(cli, arguments)


def test_a_scaffolded_source_syncs_at_once_and_with_all_that_it_comments_out(
    project: Project, clone: Path, dg: Callable[..., Result]
) -> None:
    made = dg(*SCAFFOLD)
    assert made.exit_code == 0, made.output
    file = clone / "event_assets/defs/concerts/defs.yaml"
    text = file.read_text()
    assert "{{ env.CONCERTS_API_URL }}" in text
    assert "CONCERTS__API_USERNAME" in text
    assert "NAME_" not in text
    result = run(
        project, definitions({"concerts": yaml.safe_load(text)}), "sync_concerts", derived=True
    )
    assert result.success, failure(result)
    assert project.rows("select count(*) > 4000 from concerts.event_data") == [(True,)]
    for commented in ("headers:", "params:", "incremental:", "full_sync:", "windows:",
                      "- name: attendees", "  endpoint:", "    paginator:"):  # fmt: skip
        assert f"# {commented}" in text
        text = text.replace(f"# {commented}", commented)
    _, attendees = yaml.safe_load(text)["attributes"]["rest_api"]["resources"]
    assert attendees["endpoint"]["paginator"]  # without, `complete` would warn for ever
    file.write_text(text)
    checked = project.run("dg", "check", "defs", cwd=clone, PYTHONPATH=str(clone))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_name_that_no_source_can_have_is_refused_and_leaves_nothing(
    clone: Path, dg: Callable[..., Result]
) -> None:
    made = dg(*SCAFFOLD[:-1], "Two-Words")
    assert made.exit_code == 1
    assert "give it a name of at most 40 small letters, digits and underscores" in made.output
    assert "Traceback" not in made.output
    assert not (clone / "event_assets/defs/Two-Words").exists()


def described(schema: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, str]]:
    for name, part in schema.get("properties", {}).items():
        yield f"{at}{name}", part.get("description", "")
    for name, part in schema.get("$defs", {}).items():
        yield from described(part, f"{name}.")


def test_the_editors_schema_describes_every_attribute() -> None:
    found = dict(described(EventApi.model_json_schema()))
    assert {
        "rest_api",
        "windows",
        "full_sync",
        "FieldConfig.from",
        "TimeWindowsConfig.cap",
    } <= found.keys()
    assert [name for name, description in found.items() if not description] == []
