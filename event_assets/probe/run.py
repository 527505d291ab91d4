"""The probe as a whole: asked, judged, and reported."""

from __future__ import annotations

import json
from typing import Any

from event_assets.account_list import chosen
from event_assets.probe import contact, content, pages
from event_assets.probe.asking import SECONDS
from event_assets.probe.findings import Finding, Report
from event_assets.probe.total import total
from event_assets.probe.visit import Visit, visit
from event_assets.source import EventSource

JSON_TYPES = {
    dict: "object",
    list: "list",
    str: "text",
    bool: "bool",
    int: "number",
    float: "number",
}


def probe(source: EventSource, seconds: float = SECONDS) -> Report:
    """Ask the API of a source at most five times, in so many seconds, and judge the answers.

    Of a source with accounts, the first is asked for.

    Raises:
        ConfigError: when the key is missing, or the list of accounts.
        SandboxError: when the built-in sandbox does not start.
    """
    seen = visit(source if source.account else chosen(source), seconds)
    if not seen.first.good:
        lines = [contact.reachable(seen), *_key(seen)]
        return Report(lines, seen.words.masked(seen.first.problem), secrets=seen.words.secrets)
    needed = pages.needed(seen)
    return Report(
        [
            contact.reachable(seen),
            contact.key(seen),
            content.records(seen),
            content.identity(seen),
            *content.fields(seen),
            pages.page_two(seen),
            pages.page_size(seen),
            total(seen),
            contact.rate_limit(seen, needed),
            pages.order(seen),
            *([pages.full_sync(seen)] if seen.rows else []),
        ],
        figures=_figures(seen),
        shape=_shape(seen),
        secrets=seen.words.secrets,
    )


def _key(seen: Visit) -> list[Finding]:
    return [contact.key(seen)] if seen.first.status in contact.REFUSED else []


def _figures(seen: Visit) -> dict[str, int | float]:
    first, claim = seen.first, seen.claim_in(seen.first)
    return {
        "answer_seconds": round(first.seconds, 3),
        **({} if claim is None else {"total_reported": claim.count}),
        "records_on_first_page": len(seen.rows),
        "bytes": len(first.answer.content) if first.answer is not None else 0,
        "requests": seen.requests,
    }


def _shape(seen: Visit) -> list[dict[str, str]]:
    """Give the fields of the first record that may be kept, with their types and values."""
    if not seen.rows:
        return []
    record: Any = json.loads(seen.source.selection().json(seen.rows[0]))
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
