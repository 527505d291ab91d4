"""Observe an API in Dagster: the probe's findings and metrics as metadata."""

from __future__ import annotations

import dagster as dg

from event_assets.config.source import SourceConfig
from event_assets.orchestration.metadata import as_table
from event_assets.probe.runner import probe
from event_assets.values.errors import ApiError


def observe(source: SourceConfig, key: dg.AssetKey) -> dg.ObserveResult:
    """Probe the API of a source and return the findings as an observation.

    Raises:
        ConfigError: when the key is missing.
        ApiError: when there is no first page.
    """
    report = probe(source)
    if report.error:
        raise ApiError(report.error)
    findings = [
        {"mark": finding.mark, "what": name, "found": finding.message}
        for name, finding in report.findings.items()
    ]
    return dg.ObserveResult(
        asset_key=key,
        metadata={
            **report.metrics,
            "verdict": report.summary,
            "findings": as_table(findings),
            "first_record": as_table(report.first_record),
        },
    )
