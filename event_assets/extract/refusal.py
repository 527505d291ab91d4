"""Distinguish a refusal behind the end of a list from one that names a limit of the API."""

from __future__ import annotations

import re

from requests import Response

from event_assets.http.error_text import error_text
from event_assets.pagination.vocabulary import names_limit

END = re.compile(
    r"\bno more (results|records|items|events|pages)\b|\b(than the number of|last) pages?\b"
    r"|\bout of range\b(?!.*\d)|\b(beyond|past) the end\b"
    r"|\bno (matching )?(results|records|items|events|data)( were)? (found|available|match)",
    re.IGNORECASE,
)


def limit_text(response: Response) -> str:
    """Return the words of a refusal, if they say that the API has more records than it shows."""
    text = error_text(response)
    return text if names_limit(text) else ""


def says_end(response: Response) -> bool:
    """Return whether a refusal says that the list ends before the page."""
    return bool(END.search(error_text(response))) and not limit_text(response)
