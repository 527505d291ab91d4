"""What the tests of the probe share: a source for any API, and its report by line."""

from __future__ import annotations

from typing import Any

from event_assets.config.fields import FieldConfig
from event_assets.config.source import SourceConfig
from event_assets.probe.report import Finding, Report
from event_assets.probe.runner import probe
from event_assets.sandbox import Sandbox
from event_assets_tests.support.tiny_api import TinyApi

AUTH = {"type": "api_key", "name": "api_key", "location": "query"}
OFFSET = {"type": "offset", "limit": 100}
MOST = 5  # requests


def fields(**changes: Any) -> dict[str, FieldConfig]:
    """Make the default contract, changed."""
    contract: dict[str, Any] = {
        "id": {"type": "text", "nullable": False},
        "name": {"type": "text"},
        "start_time": {"type": "timestamp"},
        "end_time": {"type": "timestamp"},
    }
    return {name: FieldConfig(**field) for name, field in {**contract, **changes}.items()}


def source(
    url: str | None,
    *,
    auth: Any = AUTH,
    key: str = "id",
    contract: dict[str, FieldConfig] | None = None,
    client: dict[str, Any] | None = None,
    **endpoint: Any,
) -> SourceConfig:
    """Make a source; `endpoint` changes what is asked for."""
    asked = {"path": "/v1/events", "data_selector": "data", "paginator": OFFSET, **endpoint}
    return SourceConfig(
        name="events",
        rest_api={
            "client": {"base_url": url, **({"auth": auth} if auth else {}), **(client or {})},
            "resource_defaults": {"primary_key": key, "write_disposition": "merge"},
            "resources": [
                {
                    "name": "event_data",
                    "endpoint": {n: value for n, value in asked.items() if value is not None},
                }
            ],
        },
        fields=contract or fields(),
    )


def probed(api: Sandbox | TinyApi, seconds: float = 6.0, **settings: Any) -> Report:
    """Probe an API, which must not be asked too often, whatever it does."""
    report = probe(source(api.url, **settings), seconds)
    assert len(api.requests) <= MOST
    return report


def line(report: Report, name: str) -> Finding:
    """Give the one line of that name."""
    (found,) = [finding for finding in report.findings if finding.name == name]
    return found


def marks(report: Report, *among: str) -> dict[str, str]:
    """Give the marks of all lines that are among those marks, by name."""
    return {f.name: f.mark for f in report.findings if f.mark in among}
