"""Observing the API in Dagster: the probe's lines and figures as metadata."""

from __future__ import annotations

import dagster as dg

from event_assets.config.source import SourceConfig
from event_assets.orchestration.metadata import as_table
from event_assets.probe.runner import probe
from event_assets.values.errors import ApiError


def observe(source: SourceConfig, key: dg.AssetKey) -> dg.ObserveResult:
    """Probe the API of a source, and say what was found.

    Raises:
        ConfigError: when the key is missing.
        ApiError: when there is no first page.
    """
    report = probe(source)
    if report.unanswered:
        raise ApiError(report.unanswered)
    lines = [{"mark": f.mark, "what": f.name, "found": f.sentence} for f in report.findings]
    return dg.ObserveResult(
        asset_key=key,
        metadata={
            **report.figures,
            "verdict": report.verdict,
            "findings": as_table(lines),
            "first_record": as_table(report.shape),
        },
    )
