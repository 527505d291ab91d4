"""The probe has nothing against an example that is right, and sees what is wrong with one."""

from __future__ import annotations

import pytest

from event_assets.config.fields import FieldConfig
from event_assets.config.source import SourceConfig
from event_assets.config.time_windows import TimeWindowsConfig
from event_assets.probe.report import Report
from event_assets.probe.runner import probe
from event_assets_tests.support.probe_reports import MOST, marks
from event_assets_tests.support.project import Project
from event_assets_tests.vendors.examples import EXAMPLES, Change, made, pointed
from event_assets_tests.vendors.server import serve
from event_assets_tests.vendors.table import VENDORS


def probed(project: Project, name: str, change: Change = lambda _: None) -> Report:
    for secret, value in VENDORS[name].secrets.items():
        project.environment.setenv(f"{name.upper()}__{secret}", value)
    with serve(VENDORS[name], made(name, 330)) as api:
        document = pointed(name, api.url)
        change(document)
        said = document["attributes"]
        contract = {field: FieldConfig(**of) for field, of in said["fields"].items()}
        windows = TimeWindowsConfig(**said["windows"]) if "windows" in said else None
        report = probe(
            SourceConfig(name=name, rest_api=said["rest_api"], fields=contract, windows=windows)
        )
        assert len(api.answers) <= MOST
    return report


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_ready(project: Project, name: str) -> None:
    assert marks(probed(project, name), "fail") == {}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_wrong_selector_is_corrected(project: Project, name: str) -> None:
    def misplaced(document: dict[str, object]) -> None:
        resources = document["attributes"]["rest_api"]["resources"]  # type: ignore[index]
        resources[0]["endpoint"]["data_selector"] = "nowhere"

    right = EXAMPLES[name]["attributes"]["rest_api"]["resources"][0]["endpoint"]["data_selector"]
    changes = probed(project, name, misplaced).changes
    assert changes[("data_selector",)] == right.removesuffix("[*]")
