"""The probe as a whole: asked, judged, and reported."""

from __future__ import annotations

import json
from typing import Any

from event_assets.config.source import SourceConfig
from event_assets.probe import connection_checks, pagination_checks, record_checks
from event_assets.probe.answers import ProbeAnswers, collect_answers
from event_assets.probe.report import Finding, Report
from event_assets.probe.session import SECONDS
from event_assets.probe.total_check import total
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


def probe(source: SourceConfig, seconds: float = SECONDS) -> Report:
    """Ask the API of a source at most five times, in so many seconds, and judge the answers.

    Of a source with accounts, the first is asked for.

    Raises:
        ConfigError: when the key is missing, or the list of accounts.
        SandboxError: when the built-in sandbox does not start.
    """
    seen = collect_answers(source if source.account else select_account(source), seconds)
    if not seen.first.good:
        lines = [connection_checks.reachable(seen), *_key(seen)]
        return Report(lines, seen.words.masked(seen.first.problem), secrets=seen.words.secrets)
    needed = pagination_checks.needed(seen)
    return Report(
        [
            connection_checks.reachable(seen),
            connection_checks.key(seen),
            record_checks.records(seen),
            record_checks.identity(seen),
            *record_checks.fields(seen),
            pagination_checks.page_two(seen),
            pagination_checks.page_size(seen),
            total(seen),
            connection_checks.rate_limit(seen, needed),
            pagination_checks.order(seen),
            *([pagination_checks.full_sync(seen)] if seen.rows else []),
        ],
        figures=_figures(seen),
        shape=_shape(seen),
        secrets=seen.words.secrets,
    )


def _key(seen: ProbeAnswers) -> list[Finding]:
    return [connection_checks.key(seen)] if seen.first.status in connection_checks.REFUSED else []


def _figures(seen: ProbeAnswers) -> dict[str, int | float]:
    first, claim = seen.first, seen.claim_in(seen.first)
    return {
        "answer_seconds": round(first.seconds, 3),
        **({} if claim is None else {"total_reported": claim.count}),
        "records_on_first_page": len(seen.rows),
        "bytes": len(first.answer.content) if first.answer is not None else 0,
        "requests": seen.requests,
    }


def _shape(seen: ProbeAnswers) -> list[dict[str, str]]:
    """Give the fields of the first record that may be kept, with their types and values."""
    if not seen.rows:
        return []
    record: Any = json.loads(build_field_selection(seen.source.events).json(seen.rows[0]))
    if not isinstance(record, dict):
        record = {"": record}
    return [
        {
            "field": seen.words.show(name),
            "type": JSON_TYPES.get(type(value), "null"),
            "example": seen.words.show(value, longest=200),
        }
        for name, value in record.items()
    ]
