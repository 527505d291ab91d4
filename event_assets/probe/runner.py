"""Run a probe: send the requests, check the responses, and build the report."""

from __future__ import annotations

import json
from typing import Any

from event_assets.config.source import SourceConfig
from event_assets.probe import connection_checks, pagination_checks, record_checks
from event_assets.probe.authentication import REJECTED
from event_assets.probe.report import Report
from event_assets.probe.responses import ProbeResponses, collect_responses
from event_assets.probe.session import TIMEOUT_SECONDS
from event_assets.probe.total_check import check_total
from event_assets.records.field_selection import build_field_selection
from event_assets.sync.account_list import select_account

TYPES = {dict: "object", list: "list", str: "text", bool: "bool", int: "number", float: "number"}


def probe(source: SourceConfig, seconds: float = TIMEOUT_SECONDS) -> Report:
    """Send at most twelve requests to a source's API within `seconds` and report the findings.

    A source with accounts is probed with its first one.

    Raises:
        ConfigError: when the key or the list of accounts is missing.
        SandboxError: when the built-in sandbox does not start.
    """
    responses = collect_responses(source if source.account else select_account(source), seconds)
    page, formatter = responses.page_1.response, responses.formatter
    findings = {"reachable": connection_checks.check_reachable(responses)}
    if page.is_ok or page.status in REJECTED:
        findings["key"] = connection_checks.check_key(responses)
    if not page.is_ok:
        return Report(findings, formatter.redact(page.error), secrets=formatter.secrets)
    needed = pagination_checks.estimate_requests(responses)
    findings |= {
        "records": record_checks.check_records(responses),
        "id": record_checks.check_id(responses),
        **record_checks.check_fields(responses),
        "page 2": pagination_checks.check_page_2(responses),
        "page size": pagination_checks.check_page_size(responses),
        "total": check_total(responses),
        "rate limit": connection_checks.check_rate_limit(responses, needed),
        "order": pagination_checks.check_order(responses),
    }
    if responses.records:
        findings["full sync"] = pagination_checks.estimate_full_sync(responses, needed)
    total = responses.total_in(responses.page_1)
    metrics = {
        "answer_seconds": round(page.seconds, 3),
        **({} if total is None else {"total_reported": total.count}),
        "records_on_first_page": len(responses.records),
        "bytes": page.size,
        "requests": responses.explorer.session.budget.sent,
    }
    first_record = _describe_first_record(responses)
    return Report(findings, "", metrics, first_record, formatter.secrets)


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
            "type": TYPES.get(type(value), "null"),
            "example": responses.formatter.format(value, max_length=200),
        }
        for name, value in record.items()
    ]
