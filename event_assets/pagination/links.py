"""The link or cursor in a response that leads to the next page."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from dlt.sources.helpers.rest_client.paginators import (
    BaseNextUrlPaginator,
    BasePaginator,
    BaseReferencePaginator,
    HeaderLinkPaginator,
)
from requests import Response

from event_assets._compat import dlt as dlt_compat
from event_assets.pagination.facts import ListFacts
from event_assets.pagination.vocabulary import NO_POINTER
from event_assets.values.errors import PaginationError
from event_assets.values.redaction import KNOWN
from event_assets.values.urls import find_address_problem, origin

POINTER_PATHS: Final = ("next_url_path", "cursor_path")  # dlt's settings of where the pointer is
MAX_SHOWN: Final = 60  # characters
# In the header `Link`: a link with its parameters, that it leads to nothing, and its relations.
LINK: Final = re.compile(r"<([^>]*)>([^<]*)")
NO_RESULTS: Final = re.compile(r";\s*results\s*=\s*[\"']?false\b", re.IGNORECASE)
RELATIONS: Final = re.compile(r";\s*rel\s*=\s*[\"']?([^\"';,]*)", re.IGNORECASE)


def find_setting(active: BasePaginator | None, *names: str) -> tuple[str, Any]:
    """Return the name and the value of the first of dlt's settings that is set."""
    values = ((name, getattr(active, name, None)) for name in names)
    return next(((name, value) for name, value in values if value), ("", None))


def read_pointer(
    active: BasePaginator | None, response: Response, facts: ListFacts, *, is_last: bool
) -> Any:
    """Return the pointer that a paginator of dlt reads from a response; None if there is none.

    A link to the response itself leads nowhere from a page that may be the last of the list, of
    which `facts` are known.

    Raises:
        PaginationError: it should be a link, but is anything else.
    """
    if not isinstance(active, BaseReferencePaginator):
        return None
    active.update_state(response)
    pointer, is_link = dlt_compat.get_reference(active), isinstance(active, BaseNextUrlPaginator)
    if isinstance(active, HeaderLinkPaginator):
        pointer = find_link(response, active.links_next_key)
    if is_link and isinstance(pointer, str):
        pointer = pointer.replace("&amp;", "&")  # as in HTML
    is_none = not pointer or NO_POINTER.fullmatch(str(pointer))
    if is_none or (is_link and is_last and leads_to_itself(response, pointer)):
        return None
    if is_link and not _is_link(response, pointer):
        shown = KNOWN.redact_text(str(pointer))[:MAX_SHOWN]
        where = facts.settings.pointer or "the header `Link`"
        raise PaginationError(
            f"{where[0].upper()}{where[1:]} leads to no URL, but to `{shown}`: correct it in "
            "defs.yaml."
        )
    return _at_own_host(response, pointer) if is_link else pointer


def find_link(response: Response, relation: str) -> str | None:
    """Return the link in the header `Link` that has a relation, perhaps among others."""
    for link, parameters in LINK.findall(response.headers.get("Link", "")):
        named = " ".join(RELATIONS.findall(parameters)).lower()
        if relation.lower() in named.split() and not NO_RESULTS.search(parameters):
            return str(link)
    return None


def _is_link(response: Response, value: Any) -> bool:
    try:
        return not find_address_problem(origin(urljoin(response.url, value)))
    except (TypeError, ValueError, AttributeError):
        return False


def _at_own_host(response: Response, link: str) -> str:
    """Return a link to the same path at the host that has responded.

    Behind a proxy, many servers write links with a scheme, a host or a port of the inside.
    """
    own, other = urlsplit(response.url), urlsplit(urljoin(response.url, link))
    is_inner = _is_private(other.hostname) or other.hostname == own.hostname
    if other.path != own.path or not is_inner or _is_private(own.hostname):
        return link
    return other._replace(scheme=own.scheme, netloc=own.netloc).geturl()


def _is_private(host: str | None) -> bool:
    """Return whether a host is known in a private network only."""
    try:
        return ip_address(host or "").is_private
    except ValueError:
        return "." not in str(host) or str(host).endswith((".internal", ".local"))


def leads_to_itself(response: Response, link: Any) -> bool:
    """Return whether a link of a response leads to the same response."""
    try:
        return urljoin(response.url, str(link)) == response.url
    except ValueError:
        return False  # not a link
