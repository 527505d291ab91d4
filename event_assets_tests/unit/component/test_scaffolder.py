"""A new source: a commented file that works at once, and an editor that knows what goes into it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from event_assets import EventApi
from event_assets_tests.support.project import Project

SCAFFOLD = ("dg", "scaffold", "defs", "event_assets.EventApi", "concerts")


def test_a_scaffolded_source_syncs_at_once(project: Project, clone: Path) -> None:
    inside = {"DAGSTER_HOME": str(clone), "PYTHONPATH": str(clone)}
    made = project.run(*SCAFFOLD, cwd=clone, **inside)
    assert made.returncode == 0, made.stderr
    text = (clone / "event_assets/defs/concerts/defs.yaml").read_text()
    assert "{{ env.CONCERTS_API_URL }}" in text
    assert "NAME" not in text
    synced = project.run(
        "dagster", "job", "execute", "-j", "sync_concerts", "-m", "event_assets.definitions",
        cwd=clone, **inside,
    )  # fmt: skip
    assert synced.returncode == 0, synced.stdout + synced.stderr
    assert project.rows("select count(*) > 4000 from concerts.event_data") == [(True,)]


def test_what_the_scaffolded_file_comments_out_can_be_used(project: Project, clone: Path) -> None:
    inside = {"DAGSTER_HOME": str(clone), "PYTHONPATH": str(clone)}
    assert project.run(*SCAFFOLD, cwd=clone, **inside).returncode == 0
    file = clone / "event_assets/defs/concerts/defs.yaml"
    text = file.read_text()
    for commented in ("headers:", "params:", "incremental:", "full_sync:", "windows:",
                      "- name: attendees", "  endpoint:"):  # fmt: skip
        assert f"# {commented}" in text
        text = text.replace(f"# {commented}", commented)
    assert len(yaml.safe_load(text)["attributes"]["rest_api"]["resources"]) == 2
    file.write_text(text)
    checked = project.run("dg", "check", "defs", cwd=clone, **inside)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def described(schema: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, str]]:
    for name, part in schema.get("properties", {}).items():
        yield f"{at}{name}", part.get("description", "")
    for name, part in schema.get("$defs", {}).items():
        yield from described(part, f"{name}.")


def test_the_editors_schema_describes_every_attribute() -> None:
    found = dict(described(EventApi.model().model_json_schema()))
    assert {
        "rest_api",
        "windows",
        "full_sync",
        "FieldConfig.from",
        "TimeWindowsConfig.cap",
    } <= found.keys()
    assert [name for name, description in found.items() if not description] == []


def test_the_component_is_listed_with_its_description(project: Project, clone: Path) -> None:
    inside = {"DAGSTER_HOME": str(clone), "PYTHONPATH": str(clone)}
    listed = project.run("dg", "list", "components", "--json", cwd=clone, **inside)
    assert "event_assets.EventApi" in listed.stdout
    assert "Every event of one REST API" in listed.stdout
