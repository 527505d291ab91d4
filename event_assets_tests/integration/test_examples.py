"""The examples work unchanged."""

import shlex

import yaml

from event_assets_tests.support.project import ROOT, Project

WORKFLOW = yaml.safe_load((ROOT / "examples/ci/github-actions.yml").read_text())
COMMANDS = [step["run"] for step in WORKFLOW["jobs"]["check"]["steps"] if "run" in step]


def test_the_workflow_sets_up_validates_tests_and_syncs(project: Project) -> None:
    targets = {line.partition(":")[0] for line in (ROOT / "Makefile").read_text().splitlines()}
    made = [shlex.split(command)[1] for command in COMMANDS if command.startswith("make ")]
    assert made == ["setup", "test"]
    assert set(made) <= targets
    others = [command for command in COMMANDS if not command.startswith("make ")]
    assert len(others) == 2
    for command in others:
        done = project.run(*shlex.split(command.removeprefix(".venv/bin/")))
        assert done.returncode == 0, done.stderr
    assert "checks    5 of 5 passed" in done.stdout
