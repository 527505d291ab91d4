"""Helpers for tests of the probe: a source for any API, and the lines of its report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from event_assets.config.fields import FieldConfig
from event_assets.config.source import SourceConfig
from event_assets.probe.report import Finding, Report
from event_assets.probe.runner import probe
from event_assets_tests.support.api_server import ApiServer, serving
from event_assets_tests.support.sandbox import Sandbox

AUTH = {"type": "api_key", "name": "api_key", "location": "query"}
OFFSET = {"type": "offset", "limit": 100}
MAX_REQUESTS = 12
Answer = Callable[[Request], Any]


def build_fields(**changes: Any) -> dict[str, FieldConfig]:
    """Build the default contract with changes."""
    contract: dict[str, Any] = {
        "id": {"type": "text", "nullable": False},
        "name": {"type": "text"},
        "start_time": {"type": "timestamp"},
        "end_time": {"type": "timestamp"},
    }
    return {name: FieldConfig(**field) for name, field in {**contract, **changes}.items()}


def build_source(
    url: str | None,
    *,
    auth: Any = AUTH,
    key: str = "id",
    contract: dict[str, FieldConfig] | None = None,
    client: dict[str, Any] | None = None,
    **endpoint: Any,
) -> SourceConfig:
    """Build a source; `endpoint` overrides its endpoint configuration."""
    settings = {"path": "/v1/events", "data_selector": "data", "paginator": OFFSET, **endpoint}
    return SourceConfig(
        name="events",
        rest_api={
            "client": {"base_url": url, **({"auth": auth} if auth else {}), **(client or {})},
            "resource_defaults": {"primary_key": key, "write_disposition": "merge"},
            "resources": [
                {
                    "name": "event_data",
                    "endpoint": {n: value for n, value in settings.items() if value is not None},
                }
            ],
        },
        fields=contract or build_fields(),
    )


def probe_api(api: Sandbox | ApiServer, seconds: float = 6.0, **settings: Any) -> Report:
    """Probe an API and check the number of requests."""
    report = probe(build_source(api.url, **settings), seconds)
    assert len(api.requests) <= MAX_REQUESTS
    return report


def probe_line(answer: Answer, name: str, **settings: Any) -> Finding:
    """Probe an API without a key that answers so; return one line of the report."""
    with serving(answer) as api:
        return find_line(probe_api(api, auth=None, **settings), name)


def find_line(report: Report, name: str) -> Finding:
    """Return the finding with this name."""
    return report.findings[name]


def marks(report: Report, *among: str) -> dict[str, str]:
    """Return the marks of the findings, by name, that are `among` these."""
    return {name: f.mark for name, f in report.findings.items() if f.mark in among}
