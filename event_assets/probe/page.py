"""The answer of an API to one request, and the records in it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from event_assets.http import errors
from event_assets.http.error_text import error_text
from event_assets.http.retry_policy import is_retried
from event_assets.pagination.totals import find_counts, members_around, read_members
from event_assets.values.urls import redact_url


@dataclass(frozen=True)
class Page:
    """The answer to a request."""

    error: str = ""  # why there is no usable response, in a sentence; empty when there is one
    response: requests.Response | None = None  # with any status
    document: Any = None  # the JSON of a usable response
    problem: str = ""  # why a sync finds no list in it, in a sentence; empty where it does
    rows: Sequence[Any] = ()  # the records in it
    ids: Sequence[Hashable] = ()

    @property
    def is_ok(self) -> bool:
        """Whether the response is JSON with a success status."""
        return not self.error

    @property
    def status(self) -> int | None:
        """The HTTP status, or None without a response."""
        return None if self.response is None else self.response.status_code

    @property
    def text(self) -> str:
        """The body of the response; empty without one."""
        return "" if self.response is None else self.response.text

    @property
    def redirect_target(self) -> str | None:
        """The URL that a GET is redirected to, without the query, or None."""
        response = self.response
        if response is None or not response.is_redirect or response.request.method != "GET":
            return None
        target = urljoin(response.url, response.headers["Location"])
        return redact_url(target) if urlsplit(target).scheme in ("http", "https") else None

    @property
    def is_rejected(self) -> bool:
        """Whether the API rejects the request for good."""
        return self.status is not None and 400 <= self.status < 500 and not self.is_retryable

    @property
    def is_retryable(self) -> bool:
        """Whether a sync would retry the request."""
        return self.response is not None and is_retried(self.response)

    @property
    def is_answer(self) -> bool:
        """Whether there is a response that a server does not fail to send."""
        return self.status is not None and self.status < 500

    @property
    def said(self) -> str:
        """What the API says about an error, as a sentence to append; empty if nothing."""
        return "" if self.response is None else error_text(self.response)

    @property
    def reason(self) -> str:
        """Why there is no usable response, as part of a sentence."""
        if self.response is None:
            return self.error.rstrip(".")
        returned = f"the API returned {errors.status_text(self.response.status_code)}"
        return f"{returned}, but no JSON" if self.status == HTTPStatus.OK else returned

    @cached_property
    def totals(self) -> Mapping[str, int]:
        """The numbers that may be a total by their names, those of the whole list first."""
        if self.response is None or not self.is_ok:
            return {}
        members = read_members(self.response)
        return find_counts(members_around(members)) | find_counts(members)

    @property
    def total(self) -> int | None:
        """The number that is most likely the total."""
        return next(iter(self.totals.values()), None)

    def differs(self, other: Page) -> bool:
        """Return whether two answers differ in more than what changes by itself."""
        return bool(_outline(self.document) != _outline(other.document))


def _outline(value: Any, depth: int = 0) -> Any:
    """Return what answers are compared by: all but the values at their top, such as times."""
    if isinstance(value, Mapping):
        return {name: _outline(member, depth + 1) for name, member in sorted(value.items())}
    if isinstance(value, list):
        return [len(value), *(_outline(one, depth + 1) for one in value[:50])]
    is_link = isinstance(value, str) and value.startswith(("http", "/"))  # it may hold the key
    is_data = isinstance(value, int) or (isinstance(value, str) and depth > 1 and not is_link)
    return value if is_data else type(value).__name__


NOT_SENT = Page("not requested")
