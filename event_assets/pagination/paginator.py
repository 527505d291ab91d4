"""What every paginator of this project does."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response

from event_assets.pagination.facts import ListFacts


class Paginator(BasePaginator):
    """Decides which page of one list to request next, and reports what the pages show.

    It follows dlt's protocol, and is created for each list. `update_state` takes the rows that
    must not be delivered out of the list that it is given.
    """

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

    @property
    @abstractmethod
    def facts(self) -> ListFacts:
        """What is known of the list so far."""

    @abstractmethod
    def update_state(
        self, response: Response, data: list[Any] | None = None, *, said: str = ""
    ) -> None:
        """Process a response; `data` is the list that dlt delivers.

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
