"""The probe passes each example, and corrects a wrong one."""

from __future__ import annotations

import pytest

from event_assets.config.fields import FieldConfig
from event_assets.config.source import SourceConfig
from event_assets.config.time_windows import TimeWindowsConfig
from event_assets.probe.report import Report
from event_assets.probe.runner import probe
from event_assets_tests.support.probe_reports import MAX_REQUESTS, marks
from event_assets_tests.support.project import Project
from event_assets_tests.vendors.examples import EXAMPLES, Change, load_example, make_records
from event_assets_tests.vendors.server import serve
from event_assets_tests.vendors.table import VENDORS


def probe_example(project: Project, name: str, change: Change = lambda _: None) -> Report:
    for secret, value in VENDORS[name].secrets.items():
        project.environment.setenv(f"{name.upper()}__{secret}", value)
    with serve(VENDORS[name], make_records(name, 330)) as api:
        document = load_example(name, api.url)
        change(document)
        attributes = document["attributes"]
        contract = {field: FieldConfig(**of) for field, of in attributes["fields"].items()}
        windows = TimeWindowsConfig(**attributes["windows"]) if "windows" in attributes else None
        report = probe(
            SourceConfig(
                name=name, rest_api=attributes["rest_api"], fields=contract, windows=windows
            )
        )
        assert len(api.responses) <= MAX_REQUESTS
    return report


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_has_no_failures(project: Project, name: str) -> None:
    assert marks(probe_example(project, name), "fail") == {}


@pytest.mark.parametrize("name", ["ticketmaster", "tickettailor"])
def test_a_wrong_selector_is_corrected(project: Project, name: str) -> None:
    def misplaced(document: dict[str, object]) -> None:
        resources = document["attributes"]["rest_api"]["resources"]  # type: ignore[index]
        resources[0]["endpoint"]["data_selector"] = "nowhere"

    right = EXAMPLES[name]["attributes"]["rest_api"]["resources"][0]["endpoint"]["data_selector"]
    changes = probe_example(project, name, misplaced).changes
    assert changes["data_selector"] == right.removesuffix("[*]")
