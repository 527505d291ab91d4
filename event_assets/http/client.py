"""Send the requests of a sync: one response each, the next ones fetched ahead, none asked twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from typing import cast
from urllib.parse import urlencode

from requests import HTTPError, PreparedRequest, Request, Response

from event_assets.http.adapter import replace_parts
from event_assets.http.journal import Journal
from event_assets.http.pace import read_date
from event_assets.http.response import JsonResponse
from event_assets.http.session import ApiSession
from event_assets.http.window import ReadAheadWindow
from event_assets.values.errors import ApiError, ContentError, ExpiredJournalError
from event_assets.values.redaction import KNOWN
from event_assets.values.urls import origin

Requests = Callable[[int, int], Iterable[Request]]  # from the one at `start` to before `stop`
Futures = dict[str, Future[JsonResponse]]
EXPIRED = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus(422))
DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class ApiClient:
    """Fetches responses in order, from the journal of an interrupted sync or from the API.

    A response that was fetched ahead is returned when it is requested, and dropped when it is no
    longer expected: read-ahead never changes what is returned.

    Args:
        session: sends the requests.
        concurrency: the maximum number of requests in flight.
        journal: of the sync's responses.
        list_state: returns what two responses to one request share while the list is the same.

    Attributes:
        list_changed: whether the list changed between two runs of an interrupted sync.
        first_date: of the first response, by the clock of the API; None if it has no valid one.
    """

    def __init__(
        self,
        session: ApiSession,
        concurrency: int,
        journal: Journal,
        list_state: Callable[[Response], Hashable],
    ) -> None:
        self.list_changed = False
        self.first_date: datetime | None = None
        self._session = session
        self._concurrency = concurrency
        self._journal = journal
        self._list_state = list_state
        self._page_window = ReadAheadWindow(concurrency)
        self._list_window = ReadAheadWindow(concurrency)
        self._pages: Futures = {}
        self._lists: Futures = {}
        self._templates: dict[str, PreparedRequest] = {}
        self._last_response: JsonResponse | None = None
        self._has_asked = False  # whether a response came from the API
        self._has_good_request = False  # whether it still answers the one before, a recorded one
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="read-ahead")

    def fetch(
        self, request: Request, pages: Requests = lambda *_: (), lists: Requests = lambda *_: ()
    ) -> Response:
        """Return the response to a request, and have those that are expected to follow fetched.

        Args:
            pages: return the requests for the next pages of the list.
            lists: return the first requests of the lists that follow.

        Raises:
            ApiError: There is no valid response after all retries.
            ExpiredJournalError: A recorded response links to a host that cannot be reached.
            HTTPError, IgnoreResponseException: The request's hooks raise it for the response.
        """
        key = _key(request)
        expected = next(iter(self._pages), key)
        future = self._pages.pop(key, None) or self._lists.pop(key, None)
        future = future or self._submit(key, request)
        if key != expected:
            self._page_window.restart()
            self._drop_unexpected(pages)
        if self._concurrency > 1:
            self._read_ahead(self._pages, pages, self._page_window.ahead)
            self._read_ahead(self._lists, lists, self._list_window.ahead)
        was_awaited, is_first = not future.done(), self._last_response is None
        try:
            response = future.result()
        except ApiError as error:
            if isinstance(error, ContentError) or not self._is_bad_link(request):
                raise
            raise ExpiredJournalError("A recorded link leads to no host.") from None
        response = self._compare_runs(response)
        if not response.is_replayed:
            self._has_asked = True
            for window in (self._page_window, self._list_window):
                window.add(response.elapsed.total_seconds(), was_awaited=was_awaited)
        if is_first:
            with suppress(KeyError, ValueError):  # it has no valid date
                self.first_date = read_date(response.headers["Date"])
        return _apply_hooks(request, response)

    def has_expired(self, status: int) -> bool:
        """Return whether an error may mean that the API rejects a recorded cursor or link."""
        is_denied = status in DENIED and self._has_good_request
        return self._journal.is_resumed and (status in EXPIRED or is_denied)

    def end_reading(self) -> None:
        """Note that all lists were read to their ends: no later sync may replay the responses.

        Raises:
            ExpiredJournalError: an earlier sync had come as far.
        """
        is_replay = self._last_response is not None and not self._has_asked
        self._journal.end_reading(is_replay=is_replay)

    def _is_bad_link(self, request: Request) -> bool:
        """Return whether a recorded page, which the API still sends, led to another host."""
        before = self._last_response
        is_own = origin(request.url) == origin(self._session.base_url)
        if is_own or before is None or not before.is_replayed:
            return False
        with suppress(ApiError):
            return self._session.send(before.request).ok
        return False

    def _drop_unexpected(self, pages: Requests) -> None:
        """Drop the pages that will not follow: the list moved, or another one begins."""
        expected = set(map(_key, pages(0, len(self._pages))))
        for key in self._pages.keys() - expected:
            self._pages.pop(key).cancel()

    def _read_ahead(self, ahead: Futures, requests: Requests, limit: int) -> None:
        for request in requests(len(ahead), limit):
            if (key := _key(request)) not in ahead:
                ahead[key] = self._submit(key, request)

    def _compare_runs(self, response: JsonResponse) -> JsonResponse:
        """Request a recorded page again where it follows one that is not, or is followed by one."""
        before, self._last_response = self._last_response, response
        self._has_good_request = False
        if before is not None and before.is_replayed != response.is_replayed:
            replayed = response if response.is_replayed else before
            recorded = JsonResponse(replayed.content, replayed.headers)  # paging changes records
            live = self._session.send(replayed.request)
            self._has_good_request = before.is_replayed and live.ok
            self.list_changed |= not live.ok or (
                self._list_state(live) != self._list_state(recorded)
            )
        return response

    def _submit(self, key: str, request: Request) -> Future[JsonResponse]:
        return self._threads.submit(self._load, key, self._prepare(request))

    def _load(self, key: str, request: PreparedRequest) -> JsonResponse:
        key = key.removeprefix(self._session.base_url)
        if recorded := self._journal.take(key):
            response = JsonResponse(recorded.body, recorded.headers)
            response.request, response.url, response.is_replayed = request, request.url or "", True
            return response
        response = cast("JsonResponse", self._session.send(request))
        if response.status_code == HTTPStatus.OK:  # a recorded response is replayed as 200
            self._journal.record(key, response.headers, response.content)
        return response

    def _prepare(self, request: Request) -> PreparedRequest:
        """Prepare a request; one that differs from an earlier one in its query only is a copy."""
        if request.json or request.data:
            return self._session.prepare_request(request)
        url, _, query = request.url.partition("?")
        form = f"{request.method} {url} {request.headers}"
        if form not in self._templates:
            bare = replace_parts(request, url=url, params={})
            prepared = self._session.prepare_request(bare)
            headers = dict(prepared.headers)  # copied in a tenth of the time
            self._templates = {form: replace_parts(prepared, headers=headers)}
        template = self._templates[form]
        params = [
            (name, value) for name, value in (request.params or {}).items() if value is not None
        ]
        query = "&".join(filter(None, (query, urlencode(params, doseq=True))))
        return replace_parts(template, url=f"{template.url}?{query}" if query else template.url)

    def __enter__(self) -> ApiClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.throttle.shutdown()
        self._threads.shutdown(cancel_futures=True)


def _apply_hooks(request: Request, response: Response) -> Response:
    """Return what a request's hooks make of a response; what they raise names no secret."""
    try:
        for hook in request.hooks["response"]:
            response = hook(response) or response
        return response
    except HTTPError as error:
        message, failed = KNOWN.redact_text(str(error)), error.response
    raise HTTPError(message, response=failed)  # here: the original error holds the URL


def _key(request: Request) -> str:
    body = (request.json, request.data) if request.json or request.data else ""
    return f"{request.url} {request.method} {request.params} {request.headers} {body}"
