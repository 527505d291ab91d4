"""Suggested changes are applied to a source's YAML, and correct it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from starlette.requests import Request
from starlette.responses import Response

from event_assets.cli.suggestion import suggest_yaml
from event_assets.config.fields import FieldConfig
from event_assets.config.source import SourceConfig
from event_assets.probe.runner import probe
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import KNOWN
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.event_records import events, number, renamed
from event_assets_tests.support.probe_reports import marks
from event_assets_tests.support.project import ROOT, Project
from event_assets_tests.support.sandbox import Faults, Sandbox

YAML = (ROOT / "event_assets/defs/events/defs.yaml").read_text()
RESOURCES = ("attributes", "rest_api", "resources")


def at(text: str, *keys: str | int) -> Any:
    value = yaml.safe_load(text)
    for key in keys:
        value = value[key]
    return value


def source_of(text: str, url: str) -> SourceConfig:
    attributes = yaml.safe_load(text.replace("{{ env.EVENTS_API_URL }}", url))["attributes"]
    contract = {name: FieldConfig(**field) for name, field in attributes["fields"].items()}
    return SourceConfig(name="events", rest_api=attributes["rest_api"], fields=contract)


def wrong_in_everything(request: Request) -> Any:
    """Respond unlike the default configuration expects, in everything that can be corrected."""
    if request.query_params.get("api_key") != "sandbox":
        return Response(status_code=401)
    rows = renamed(events(170), {"id": "uuid", "name": "title", "end_time": "endsAt"})
    rows = [{**row, "start_time": {"dateTime": row["start_time"]}} for row in rows]
    page = rows[number(request, "offset") :][: min(60, number(request, "limit"))]
    return {"result": {"events": page}, "count": len(page), "stats": {"numFound": 170}}


@pytest.mark.usefixtures("project")
def test_all_suggestions_together_correct_the_configuration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("API_KEY", "sandbox")
    with serving(wrong_in_everything) as api:
        report = probe(source_of(YAML, api.url))
    better = suggest_yaml(YAML, report.changes)
    assert at(better, *RESOURCES, 0, "endpoint") == {
        "path": "/v1/events",
        "data_selector": "result.events",
        "paginator": {"type": "offset", "limit": 60, "total_path": None},
    }
    assert at(better, "attributes", "rest_api", "resource_defaults", "primary_key") == "uuid"
    fields = at(better, "attributes", "fields")
    assert {name: field.get("from") for name, field in fields.items()} == {
        "id": None, "name": "title", "start_time": "start_time.dateTime", "end_time": "endsAt",
    }  # fmt: skip


@pytest.mark.parametrize(
    "faults",
    [
        Faults(page_cap=50),
        Faults(total="page"),
        Faults(total=7),
        Faults(total=-60),
        Faults(page_cap=7, total="none"),
    ],
)
def test_the_probe_passes_after_its_suggestions(
    project: Project, api: Sandbox, faults: Faults
) -> None:
    project.environment.setenv("API_KEY", "sandbox")
    api.faults = faults
    report = probe(source_of(YAML, api.url))
    assert marks(report, "warn") != {}
    better = suggest_yaml(YAML, report.changes)
    assert marks(probe(source_of(better, api.url)), "warn", "fail") == {}


def test_a_changed_line_says_what_was_there() -> None:
    changes = {"paginator.limit": 50, "paginator.total_path": None, "fields.name.from": "title"}
    better = suggest_yaml(f"# The head\n{YAML}", changes)
    assert better.startswith("# The head\n")
    expected = yaml.safe_load(YAML)
    paginator = expected["attributes"]["rest_api"]["resources"][0]["endpoint"]["paginator"]
    paginator |= {"limit": 50, "total_path": None}
    expected["attributes"]["fields"]["name"]["from"] = "title"
    assert yaml.safe_load(better) == expected
    assert "limit: 50, total_path: null} # " in better
    assert "it was 100" in better


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("endpoint: /v1/events", {"path": "/v1/events", "data_selector": "items"}),
        ("endpoint: {}", {"data_selector": "items"}),
        ("write_disposition: merge", {"data_selector": "items"}),
        ("endpoint: { path: /e # here\n }", {"path": "/e", "data_selector": "items"}),
    ],
)
def test_an_endpoint_of_any_form_gets_a_selector(endpoint: str, expected: Any) -> None:
    text = (
        "attributes:\n  rest_api:\n    resources:\n      - {name: venues}\n"
        f"      - name: event_data\n        {endpoint}\n  fields: {{}}\n"
    )
    better = suggest_yaml(text, {"data_selector": "items"})
    assert at(better, *RESOURCES, 0) == {"name": "venues"}
    assert at(better, *RESOURCES, 1, "endpoint") == expected


def test_a_default_is_corrected_where_it_has_an_effect() -> None:
    text = """\
attributes:
  rest_api:
    client: { paginator: { type: offset, limit: 100 } }
    resource_defaults: &all { primary_key: id, endpoint: { data_selector: data } }
    resources: [{ <<: *all, name: event_data }]
"""
    changes = {"paginator.limit": 5, "data_selector": "items", "primary_key": "uuid"}
    assert at(suggest_yaml(text, changes), *RESOURCES, 0) == {
        "name": "event_data",
        "primary_key": "uuid",
        "endpoint": {"data_selector": "items", "paginator": {"type": "offset", "limit": 5}},
    }


def test_a_secret_in_the_yaml_is_masked() -> None:
    text = YAML.replace("name: api_key, location: query", "username: me, password: s3cret")
    KNOWN.add("s3cret")
    better = suggest_yaml(text, {})
    assert "s3cret" not in better
    assert at(better, "attributes", "rest_api", "client", "auth", "password") == "***"


@pytest.mark.parametrize("text", [f"{YAML}\n---\n{YAML}", "a: ["])
def test_what_is_not_one_document_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError, match="must be one YAML document"):
        suggest_yaml(text, {})
