"""Run a probe: send the requests, check the responses, and build the report."""

from __future__ import annotations

import json
from typing import Any

from event_assets.config.source import SourceConfig
from event_assets.probe.connection_checks import (
    REJECTED_STATUSES,
    check_key,
    check_rate_limit,
    check_reachable,
)
from event_assets.probe.pagination_checks import (
    check_order,
    check_page_2,
    check_page_size,
    estimate_full_sync,
    estimate_requests,
)
from event_assets.probe.record_checks import check_fields, check_id, check_records
from event_assets.probe.report import Report
from event_assets.probe.responses import ProbeResponses, collect_responses
from event_assets.probe.session import TIMEOUT_SECONDS
from event_assets.probe.total_check import check_total
from event_assets.records.field_selection import build_field_selection
from event_assets.sync.account_list import select_account

JSON_TYPES = {
    dict: "object",
    list: "list",
    str: "text",
    bool: "bool",
    int: "number",
    float: "number",
}


def probe(source: SourceConfig, seconds: float = TIMEOUT_SECONDS) -> Report:
    """Send at most five requests to a source's API within `seconds` and report the findings.

    A source with accounts is probed with its first one.

    Raises:
        ConfigError: when the key or the list of accounts is missing.
        SandboxError: when the built-in sandbox does not start.
    """
    responses = collect_responses(source if source.account else select_account(source), seconds)
    reachable = check_reachable(responses)
    secrets = responses.formatter.secrets
    if not responses.page_1.is_ok:
        rejected = responses.page_1.status in REJECTED_STATUSES
        findings = [reachable, check_key(responses)] if rejected else [reachable]
        error = responses.formatter.redact(responses.page_1.error)
        return Report(findings, error, secrets=secrets)
    return Report(
        [
            reachable,
            check_key(responses),
            check_records(responses),
            check_id(responses),
            *check_fields(responses),
            check_page_2(responses),
            check_page_size(responses),
            check_total(responses),
            check_rate_limit(responses, estimate_requests(responses)),
            check_order(responses),
            *([estimate_full_sync(responses)] if responses.records else []),
        ],
        metrics=_collect_metrics(responses),
        first_record=_describe_first_record(responses),
        secrets=secrets,
    )


def _collect_metrics(responses: ProbeResponses) -> dict[str, int | float]:
    page, total = responses.page_1, responses.total_in(responses.page_1)
    return {
        "answer_seconds": round(page.seconds, 3),
        **({} if total is None else {"total_reported": total.count}),
        "records_on_first_page": len(responses.records),
        "bytes": len(page.response.content) if page.response is not None else 0,
        "requests": responses.request_count,
    }


def _describe_first_record(responses: ProbeResponses) -> list[dict[str, str]]:
    """Return the included fields of the first record, with their types and values."""
    if not responses.records:
        return []
    selection = build_field_selection(responses.source.events)
    record: Any = json.loads(selection.to_json(responses.records[0]))
    if not isinstance(record, dict):
        record = {"": record}
    return [
        {
            "field": responses.formatter.format(name),
            "type": JSON_TYPES.get(type(value), "null"),
            "example": responses.formatter.format(value, max_length=200),
        }
        for name, value in record.items()
    ]
