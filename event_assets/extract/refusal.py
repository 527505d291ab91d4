"""Distinguish a refusal behind the end of a list from one that names a limit of the API."""

from __future__ import annotations

import re

from requests import Response

from event_assets.http.error_text import error_text

LIMIT = re.compile(
    r"\b(max(imum)?|limit(ed|s)?|first \d+|only the first|exceed(s|ed)?|window|deep|narrow|refine"
    r"|beyond(?! the (end|last page))|too (large|many|high)"
    r"|(more|greater|larger|less) than (or equal to )?\d+"
    r"|cursor[- ](based )?pagination|(?<!no )more (results|records|items|events|pages))\b",
    re.IGNORECASE,
)
END = re.compile(
    r"\bno more (results|records|items|events|pages)\b|\b(than the number of|last) pages?\b"
    r"|\bout of range\b(?!.*\d)|\b(beyond|past) the end\b",
    re.IGNORECASE,
)
RATE_LIMIT = re.compile(r"\b(rate|quota|requests|per (second|minute|hour|day))\b", re.IGNORECASE)


def limit_text(response: Response) -> str:
    """Return the words of a refusal, if they say that the API has more records than it shows."""
    text = error_text(response)
    return text if LIMIT.search(text) and not RATE_LIMIT.search(text) else ""


def says_end(response: Response) -> bool:
    """Return whether a refusal says that the list ends before the page."""
    return bool(END.search(error_text(response))) and not limit_text(response)
