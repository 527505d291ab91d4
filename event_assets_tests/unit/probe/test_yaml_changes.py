"""Suggested changes are applied to a source's YAML, and its comments are kept."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from starlette.requests import Request
from starlette.responses import Response

from event_assets.config.fields import FieldConfig
from event_assets.config.source import SourceConfig
from event_assets.probe.runner import probe
from event_assets.probe.yaml_writer import apply_changes
from event_assets.sandbox import Faults, Sandbox
from event_assets.values.errors import ConfigError
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.event_records import events, number, renamed
from event_assets_tests.support.probe_reports import marks
from event_assets_tests.support.project import ROOT, Project

YAML = (ROOT / "event_assets/defs/events/defs.yaml").read_text()
ENDPOINT = ("attributes", "rest_api", "resources", 0, "endpoint")


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
    better = apply_changes(YAML, report.changes)
    assert at(better, *ENDPOINT) == {
        "path": "/v1/events",
        "data_selector": "result.events",
        "paginator": {"type": "offset", "limit": 60, "total_path": "stats.numFound"},
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
    better = apply_changes(YAML, report.changes)
    assert marks(probe(source_of(better, api.url)), "warn", "fail") == {}


def test_no_changes_leave_the_yaml_unchanged() -> None:
    assert apply_changes(YAML, {}) == YAML


def test_only_changed_lines_are_written() -> None:
    better = apply_changes(YAML, {("limit",): 50, ("from", "name"): "title", ("total_path",): None})
    changed = [line for line in better.splitlines() if line not in YAML.splitlines()]
    assert changed == [
        "          paginator: { type: offset, limit: 50, total_path: null }",
        "    name: { type: text, description: Name of the event., from: title }",
    ]


BLOCK = """\
attributes:
  rest_api:
    client: {base_url: x}
    resources:
      - name: event_data # the events
        endpoint:
          path: /v1/events # where
          paginator:
            type: offset
            limit: 100 # as many as it gives
        primary_key:
          - a # one
          - b
  fields:
    name:
      type: text # a name
"""


def test_blocks_keep_their_layout_and_their_comments() -> None:
    changes = {
        ("data_selector",): "my list",
        ("limit",): 50,
        ("total_path",): None,
        ("primary_key",): "uuid",
        ("from", "name"): ["name.en", "name.*"],
    }
    better = apply_changes(BLOCK, changes)
    assert at(better, *ENDPOINT) == {
        "path": "/v1/events",
        "paginator": {"type": "offset", "limit": 50, "total_path": None},
        "data_selector": "my list",
    }
    assert at(better, "attributes", "rest_api", "resources", 0, "primary_key") == "uuid"
    assert at(better, "attributes", "fields", "name", "from") == ["name.en", "name.*"]
    for comment in ("# the events", "# where", "# as many as it gives", "# a name"):
        assert comment in better


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("endpoint: /v1/events", {"path": "/v1/events", "data_selector": "items"}),
        ("endpoint: {}", {"data_selector": "items"}),
        ("write_disposition: merge", {"data_selector": "items"}),
        ("endpoint: { path: /e # here\n }", {"path": "/e", "data_selector": "items"}),
        ("endpoint: {path: /e,}", {"path": "/e", "data_selector": "items"}),
    ],
)
def test_an_endpoint_of_any_form_gets_a_selector(endpoint: str, expected: Any) -> None:
    text = (
        "attributes:\n  rest_api:\n    resources:\n      - name: event_data\n"
        f"        {endpoint}\n  fields: {{}}\n"
    )
    assert at(apply_changes(text, {("data_selector",): "items"}), *ENDPOINT) == expected


def test_a_value_merged_from_an_anchor_rewrites_the_document() -> None:
    text = """\
attributes:
  rest_api:
    resource_defaults: &common { primary_key: id, endpoint: { data_selector: data } }
    resources: [{ <<: *common, name: event_data }]
"""
    better = apply_changes(text, {("primary_key",): "uuid", ("data_selector",): "items"})
    assert at(better, *ENDPOINT[:-1]) == {
        "name": "event_data",
        "primary_key": "uuid",
        "endpoint": {"data_selector": "items"},
    }


def test_defaults_are_corrected_in_place() -> None:
    text = """\
attributes:
  rest_api:
    client: { paginator: { type: offset, limit: 100 } }
    resource_defaults: { primary_key: id, endpoint: { data_selector: data, params: { size: 9 } } }
    resources: [{ name: event_data }]
"""
    changes = {
        ("limit",): 5,
        ("data_selector",): "items",
        ("primary_key",): "uuid",
        ("params", "size"): 7,
    }
    message = at(apply_changes(text, changes), "attributes", "rest_api")
    assert message["client"] == {"paginator": {"type": "offset", "limit": 5}}
    assert message["resource_defaults"] == {
        "primary_key": "uuid",
        "endpoint": {"data_selector": "items", "params": {"size": 7}},
    }
    assert message["resources"] == [{"name": "event_data"}]


def test_a_secret_in_the_yaml_is_masked() -> None:
    text = YAML.replace("name: api_key, location: query", "username: me, password: s3cret")
    better = apply_changes(text, {}, ["s3cret"])
    assert "s3cret" not in better
    assert at(better, "attributes", "rest_api", "client", "auth", "password") == "***"


def test_several_documents_are_an_error() -> None:
    with pytest.raises(ConfigError, match="must be one YAML document"):
        apply_changes(f"{YAML}\n---\n{YAML}", {})
