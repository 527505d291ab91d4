"""Links to the next page."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urljoin

from requests import Response

from event_assets.values.errors import PaginationError
from event_assets.values.redaction import KNOWN
from event_assets.values.urls import find_address_problem, origin

MAX_SHOWN: Final = 60  # characters


def require_link(response: Response, link: Any, where: str) -> None:
    """Raise if a response has anything else `where` its link to the next page should be.

    Raises:
        PaginationError: what it has there.
    """
    try:
        is_link = not find_address_problem(origin(urljoin(response.url, link)))
    except (TypeError, ValueError, AttributeError):
        is_link = False
    if not is_link:
        shown = KNOWN.redact_text(str(link))[:MAX_SHOWN]
        raise PaginationError(
            f"{where[0].upper()}{where[1:]} leads to no URL, but to `{shown}`: correct it in "
            "defs.yaml."
        )


def leads_to_itself(response: Response, link: Any) -> bool:
    """Return whether a link of a response leads to the same response."""
    try:
        return urljoin(response.url, str(link)) == response.url
    except ValueError:
        return False  # it is no link
