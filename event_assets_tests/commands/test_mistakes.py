"""A mistake in a source is told alike by `dagster`, `dg` and `make check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from event_assets_tests.support.mistakes import YAML
from event_assets_tests.support.project import ROOT, Project


def test_dg_tells_the_line_too(project: Project, clone: Path) -> None:
    file = clone / "event_assets/defs/events/defs.yaml"
    file.write_text(YAML.replace("data_selector: data", 'data_selector: "data["'))
    done = project.run("dg", "check", "defs", cwd=clone, PYTHONPATH=str(clone))
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert f"{file}:23: rest_api.resources.0.endpoint.data_selector: 'data[' is not a " in said
    assert "Traceback" not in said
    assert "Stack Trace" not in said


def test_dg_finds_lines_by_the_schema_alone(project: Project, clone: Path) -> None:
    text = YAML
    for name in ("nullable", "read", "warn_after_minutes", "schedule"):
        text = text.replace(f"{name}:", f"{name}s:")
    text = text.replace("limit: 100", "limit: 100\n            total_pth: total")
    (clone / "event_assets/defs/events/defs.yaml").write_text(text)
    done = project.run("dg", "check", "yaml", cwd=clone, PYTHONPATH=str(clone))
    assert done.returncode == 1
    for line in (30, 45, 53, 56, 61):
        assert f"defs.yaml:{line} - " in done.stdout
    assert "total_pth" in done.stdout


def test_make_check_is_the_same_in_a_process_of_its_own(project: Project, clone: Path) -> None:
    assert "\t@$(BIN)/event-assets check\n" in (ROOT / "Makefile").read_text()
    done = project.run("python", "-m", "event_assets", "check", cwd=clone)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "events is the built-in sandbox, whose events are invented: to sync an API, set "
        "EVENTS_API_URL in .env.\n"
        "No mistakes were found in the sources: events.\n"
    )


@pytest.mark.parametrize(
    ("command", "old", "new", "line"),
    [
        (("asset", "materialize", "--select", "*"), "limit: 100", "limit: 0", 29),
        (("definitions", "validate"), "concurrency: 4", "concurrency: [4", 57),
    ],
)
def test_dagster_prints_the_sentence_only(
    project: Project, clone: Path, command: tuple[str, ...], old: str, new: str, line: int
) -> None:
    file = clone / "event_assets/defs/events/defs.yaml"
    file.write_text(YAML.replace(old, new))
    program = ("dagster", *command, "-m", "event_assets.definitions")
    done = project.run(*program, cwd=clone, PYTHONPATH=str(clone))
    assert done.returncode == 1
    assert f"{file}:{line}: " in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "command", [("definitions", "validate"), ("job", "execute", "-j", "sync_events")]
)
def test_it_does_so_in_a_project_with_definitions_of_its_own(
    project: Project, source_file: Path, command: tuple[str, ...]
) -> None:
    source_file.write_text(YAML.replace("limit: 100", "limit: 0"))
    module = f"{source_file.parents[2].name}.definitions"
    done = project.run("dagster", *command, "-m", module, cwd=source_file.parents[3])
    assert done.returncode == 1
    assert f"{source_file}:29: " in done.stdout + done.stderr
    assert "File " not in done.stdout + done.stderr
