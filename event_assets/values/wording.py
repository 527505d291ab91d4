"""Numbers and quoted texts in sentences, and what the words of an API say."""

from __future__ import annotations

import re

UNITS = {"day": 1440, "hour": 60, "minute": 1}  # minutes
RATE_LIMIT = re.compile(
    r"(rate|request|call|usage|daily|hourly)s?[ _-]+limit|\bquota\b|\bthrottl"
    r"|\btoo many (\w+ )?(requests|calls)\b|\b(requests|calls) per\b",
    re.IGNORECASE,
)


def shorten(text: str, length: int = 200) -> str:
    """Return a text of others, cut off behind this many characters."""
    return text if len(text) <= length else f"{text[:length]} ..."


def counted(count: int, noun: str = "record", verb: str = "") -> str:
    """Return a number with its noun: `1 run`, `2,000 runs`; with a verb, `1 record breaks`."""
    one = count == 1
    number = f"{count:,} {noun}{'' if one else 's'}"
    return f"{number} {verb}{'s' if one else ''}" if verb else number


def format_age(minutes: float) -> str:
    """Return an age in the largest unit of which it has at least two: `90 minutes`, `2 hours`."""
    if minutes < 1:
        return "less than a minute"
    unit, length = next((unit for unit in UNITS.items() if minutes >= 2 * unit[1]), ("minute", 1))
    return counted(round(minutes / length), unit)


def names_rate_limit(words: str) -> bool:
    """Return whether words of an API say that it was sent too many requests."""
    return bool(RATE_LIMIT.search(words))
