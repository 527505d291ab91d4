"""Run a probe: send the requests, check the responses, and build the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from event_assets.config.source import SourceConfig
from event_assets.probe import paging_checks, response_checks
from event_assets.probe.authentication import REJECTED
from event_assets.probe.probed_source import ProbedSource, examine
from event_assets.probe.report import Finding, Report
from event_assets.probe.session import TIMEOUT_SECONDS
from event_assets.sync.account_list import select_account
from event_assets.values.redaction import KNOWN

CHECKS: Mapping[str, Callable[[ProbedSource], Finding]] = {  # of records, if there are some
    "pages": paging_checks.check_pages,
    "page size": paging_checks.check_page_size,
    "total": paging_checks.check_total,
    "order": paging_checks.check_order,
}


def probe(source: SourceConfig, seconds: float = TIMEOUT_SECONDS) -> Report:
    """Send at most twelve requests to a source's API within `seconds` and report the findings.

    A source with accounts is probed with its first one.

    Raises:
        ConfigError: when the key or the list of accounts is missing.
    """
    seen = examine(source if source.account else select_account(source), seconds)
    page = seen.first
    findings = {"reachable": response_checks.check_reachable(seen)}
    if page.is_ok or page.status in REJECTED:
        findings["key"] = response_checks.check_key(seen)
    if page.response is None or not page.is_ok:
        return Report(findings, KNOWN.redact_text(page.error))
    findings["rate limit"] = response_checks.check_rate_limit(seen)
    findings["records"] = response_checks.check_records(seen)
    if seen.first.rows:
        findings["id"] = response_checks.check_id(seen)
        findings |= response_checks.check_fields(seen)
        findings |= {name: check(seen) for name, check in CHECKS.items()}
    metrics = {
        "answer_seconds": round(page.response.elapsed.total_seconds(), 3),
        **({} if seen.total is None else {"total_reported": seen.total}),
        "records_on_first_page": len(seen.first.rows),
        "bytes": len(page.response.content),
        "requests": seen.client.session.budget.sent,
    }
    return Report(findings, "", metrics)
