"""Does the API answer, does it take the key, and how often may it be asked?"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from http import HTTPStatus

from event_assets.http.errors import status_text
from event_assets.pagination.totals import as_count
from event_assets.probe.answers import ProbeAnswers
from event_assets.probe.formatting import format_duration, pluralize
from event_assets.probe.report import Finding
from event_assets.probe.session import ProbeResponse
from event_assets.values.urls import origin, redact_url

REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
LIMIT_HEADER = re.compile(r"rate-?limit|^retry-after$|quota", re.IGNORECASE)
MOST_HEADERS = 6


def reachable(seen: ProbeAnswers) -> Finding:
    """Say whether the API answers, and in which time."""
    name, first = "reachable", seen.first
    if not first.good and first.status not in REFUSED:
        after = first.answer.headers.get("Retry-After") if first.answer is not None else None
        later = f" It asks to wait (Retry-After: {seen.words.show(after)})." if after else ""
        moved = _sent_on(seen) if seen.moved else ""
        return Finding("fail", name, f"{seen.words.masked(first.problem)}{later}{moved}")
    url = first.answer.url if first.answer is not None else seen.opening.request.url
    at = seen.words.masked(redact_url(url))
    size = len(first.answer.content) if first.answer is not None else 0
    answered = f"{at} answered in {format_duration(first.seconds)}, with {size / 1000:,.1f} kB."
    if seen.moved:
        return Finding("warn", name, f"{answered}{_sent_on(seen)}")
    return Finding("ok", name, answered)


def _sent_on(seen: ProbeAnswers) -> str:
    to = seen.words.show(seen.moved, 200)
    elsewhere = origin(seen.moved or "") != origin(seen.opening.base_url)
    keyless = ", which gets no key" if elsewhere and seen.has_auth else ""
    return f" It sends its readers on to {to}{keyless}: set EVENTS_API_URL or the path to that."


def key(seen: ProbeAnswers) -> Finding:
    """Say whether the key is accepted, and whether it makes a difference."""
    name, first, without = "key", seen.first, seen.anonymous
    if first.status in REFUSED:
        hint = "" if seen.has_auth else " No `auth` is configured in defs.yaml."
        return Finding("fail", name, seen.words.masked(first.problem) + hint)
    if not seen.has_auth:
        return Finding("-", name, "no `auth` is configured: the API is read without a key.")
    if without.status in REFUSED:
        refused = status_text(without.status or 0)
        return Finding("ok", name, f"accepted; without it the answer is {refused}.")
    if without.answer is None or without.busy:
        return Finding(
            "warn", name, f"accepted; what comes without it is not known: {without.why}."
        )
    if not without.good:
        return Finding("ok", name, f"accepted; without it there is no good answer: {without.why}.")
    return _compared(seen)


def _compared(seen: ProbeAnswers) -> Finding:
    """Both answers are good: do they hold the same?"""
    mine, theirs, again = (
        _Content.of(seen, reply) for reply in (seen.first, seen.anonymous, seen.again)
    )
    if mine == theirs:
        return Finding(
            "warn",
            "key",
            f"it makes no difference: without it the same {pluralize(len(mine.ids))} come. The API "
            "may ignore it, and what comes may be what anyone gets: check `auth` in defs.yaml "
            "(`name`, `location`).",
        )
    if seen.again.good and mine != again:
        return Finding(
            "warn",
            "key",
            "accepted; whether it makes a difference cannot be told, as the same request brings "
            "other records each time.",
        )
    if mine.total != theirs.total:
        says = f"a total of {_count(theirs.total)}, not {_count(mine.total)}"
    elif mine.ids != theirs.ids:
        both = len(theirs.ids & mine.ids)
        says = f"{pluralize(len(theirs.ids))}, {both} of them the same"
    else:
        says = "records with other fields"
    return Finding("ok", "key", f"accepted; without it the answer has {says}.")


@dataclass(frozen=True)
class _Content:
    """What is compared of an answer."""

    total: int | None
    ids: frozenset[Hashable]
    fields: frozenset[str]

    @classmethod
    def of(cls, seen: ProbeAnswers, reply: ProbeResponse) -> _Content:
        rows, claim = seen.rows_of(reply), seen.claim_in(reply)
        names = frozenset(name for row in rows if isinstance(row, dict) for name in row)
        return cls(claim.count if claim else None, frozenset(seen.ids_of(rows)), names)


def _count(count: int | None) -> str:
    return "none" if count is None else f"{count:,}"


def rate_limit(seen: ProbeAnswers, needed: int | None) -> Finding:
    """Say what the headers announce; `needed` requests make a full sync, if that is known."""
    name = "rate limit"
    replies = (seen.first, seen.second, seen.anonymous, seen.again, seen.last)
    answers = [reply.answer for reply in replies if reply.answer is not None]
    refused = [a for a in answers if a.status_code == HTTPStatus.TOO_MANY_REQUESTS]
    headers = (refused or answers)[0].headers if answers else {}
    said = [
        f"{seen.words.show(header)}: {seen.words.show(value)}"
        for header, value in headers.items()
        if LIMIT_HEADER.search(header)
    ]
    listed = ", ".join(said[:MOST_HEADERS])
    if refused:
        told = f" ({listed})" if listed else ""
        return Finding(
            "warn",
            name,
            f"the API answered 429 after {pluralize(len(answers) - 1, 'request')}{told}: a sync "
            "would wait; lower `concurrency` in defs.yaml.",
        )
    left = next(
        (as_count(v) for h, v in headers.items() if h.lower().endswith("limit-remaining")), None
    )
    if left is not None and needed is not None and left < needed:
        return Finding(
            "warn",
            name,
            f"{listed}: a full sync needs about {needed:,} requests, {left:,} are left.",
        )
    if listed:
        return Finding("ok", name, f"{listed}.")
    return Finding("-", name, "no header announces one.")
