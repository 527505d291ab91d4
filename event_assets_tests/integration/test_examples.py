"""The examples work unchanged."""

import yaml

from event_assets_tests.support.project import ROOT

WORKFLOW = yaml.safe_load((ROOT / "examples/ci/github-actions.yml").read_text())
COMMANDS = [step["run"] for step in WORKFLOW["jobs"]["check"]["steps"] if "run" in step]


def test_the_workflow_runs_commands_that_are_tested_themselves() -> None:
    assert COMMANDS == [
        "make setup",
        ".venv/bin/dagster definitions validate",
        "make test",
        ".venv/bin/dagster asset materialize --select '*' -m event_assets.definitions",
    ]
