"""What every paginator of this project does."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from requests import Request, Response

from event_assets.pagination.facts import ListFacts


class Paginator(ABC):
    """Decides which page of one list to request next, and reports what the pages show."""

    def init_request(self, request: Request) -> None:
        """Point the request at the first page."""
        self._first = request.url, dict(request.params or {}), copy.deepcopy(request.json)
        self._start(request)

    def _restore(self, request: Request, params: Mapping[str, str]) -> None:
        """Make a request the first one again, with further parameters."""
        request.url, own, body = self._first
        request.params, request.json = {**own, **params}, copy.deepcopy(body)

    @abstractmethod
    def _start(self, request: Request) -> None:
        """Point the request at the first page of the list, or of a part of it."""

    @abstractmethod
    def update_request(self, request: Request) -> None:
        """Point the request at the next page."""

    @property
    @abstractmethod
    def has_next_page(self) -> bool:
        """Whether another page is to be requested."""

    @property
    @abstractmethod
    def facts(self) -> ListFacts:
        """What is known of the list so far."""

    @abstractmethod
    def receive(self, response: Response, rows: Sequence[Any], *, said: str = "") -> list[Any]:
        """Process a response and its rows; return the rows to deliver.

        `said`: the words of an empty page, of which is not known whether they are about an end; or
        those about an error beside rows.
        """

    @abstractmethod
    def stopped_early(self) -> None:
        """Finish at a response that the configuration ignores (`response_actions`).

        If there is a next page afterwards, `update_request` points the request at it.
        """

    @abstractmethod
    def refused(self, status: int, *, limit: str = "", said: str = "") -> bool:
        """Take an error status for the end of the list; return False if it cannot be its end.

        `limit`: the words, as a sentence, with which the API says that it shows no more of a list.
        `said`: the words of any other refusal, which is final; a list of several pages ends there
        if links or cursors lead on.

        If there is a next page afterwards, `update_request` points the request at it.
        """

    @abstractmethod
    def upcoming(self, count: int) -> Sequence[Mapping[str, Any]]:
        """Return query parameters of up to `count` requests after the next one, if foreseeable."""
