"""Send the requests of a sync: one response each, the next ones fetched ahead, none asked twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from types import TracebackType
from typing import Any, cast
from urllib.parse import urlencode

from requests import HTTPError, PreparedRequest, Request, Response

from event_assets.http.journal import Journal
from event_assets.http.response import JsonResponse
from event_assets.http.session import ApiSession
from event_assets.values.errors import ExpiredJournalError

# Returns the requests that will follow, from the one at `start` to the one before `stop`.
Upcoming = Callable[[int, int], Iterable[Request]]
EXPIRED = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus(422))


class ApiClient:
    """Fetches responses in order, from the journal of an interrupted sync or from the API.

    A response that was fetched ahead is returned when it is requested, and dropped when it is no
    longer expected: read-ahead never changes what is returned.

    Args:
        session: sends the requests.
        concurrency: the maximum number of requests in flight.
        journal: of the sync's responses.
        list_state: returns what two responses to one request share while the list is the same.
        window: how many requests to send ahead at first, and after one that was not expected.

    Attributes:
        list_changed: whether the list changed between two runs of an interrupted sync.
    """

    def __init__(
        self,
        session: ApiSession,
        concurrency: int,
        journal: Journal,
        list_state: Callable[[Response], Hashable],
        window: int = 1,
    ) -> None:
        self.list_changed = False
        self._session = session
        self._concurrency = concurrency
        self._journal = journal
        self._list_state = list_state
        self._first_window = self._window = window
        self._ahead: dict[str, Future[JsonResponse]] = {}
        self._templates: dict[str, PreparedRequest] = {}
        self._last_replayed: JsonResponse | None = None
        self._settings = session.merge_environment_settings("", {}, None, None, None)
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="read-ahead")

    def fetch(self, request: Request, upcoming: Upcoming = lambda _, __: ()) -> Response:
        """Return the response to a request, and have those that will follow fetched.

        Raises:
            ApiError: There is no valid response after all retries.
            HTTPError, IgnoreResponseException: The request's hooks raise it for the response.
            ExpiredJournalError: The API rejects a request made from a recorded response.
        """
        key = _key(request)
        is_expected = next(iter(self._ahead), None) == key
        future = self._ahead.pop(key, None) or self._submit(key, request)
        if is_expected:
            self._window = min(2 * self._window, self._concurrency)
        if self._session.throttle.consume_slowdown():
            self._window = 1
        if self._concurrency > 1:
            self._read_ahead(upcoming, is_expected)
        response = self._compare_runs(future.result())
        try:
            for hook in request.hooks["response"]:
                response = hook(response) or response
        except HTTPError:
            if self._journal.is_resumed and response.status_code in EXPIRED:
                raise ExpiredJournalError from None
            raise
        return response

    def _read_ahead(self, upcoming: Upcoming, is_expected: bool) -> None:
        """Fetch what will follow; if another request was expected, drop what will not follow."""
        start = len(self._ahead) if is_expected else 0
        expected = {_key(request): request for request in upcoming(start, self._window)}
        if not is_expected:
            for key in self._ahead.keys() - expected.keys():
                self._ahead.pop(key).cancel()
                self._window = self._first_window
        for key, request in expected.items():
            if key not in self._ahead and len(self._ahead) < self._window:
                self._ahead[key] = self._submit(key, request)

    def _compare_runs(self, response: JsonResponse) -> Response:
        """Request the last recorded page again before the first one that is not recorded."""
        if response.is_replayed:
            self._last_replayed = response
        elif self._last_replayed:
            recorded, self._last_replayed = self._last_replayed, None
            live = self._session.send(recorded.request, **self._settings)
            # Decoded again: the paginator has removed the overlap from the rows of the other.
            page = JsonResponse(recorded.content, recorded.headers)
            self.list_changed |= not live.ok or (self._list_state(live) != self._list_state(page))
        return response

    def _submit(self, key: str, request: Request) -> Future[JsonResponse]:
        return self._threads.submit(self._load, key, self._prepare(request))

    def _load(self, key: str, request: PreparedRequest) -> JsonResponse:
        key = self._session.redactor.redact_text(key.removeprefix(self._session.base_url))
        if recorded := self._journal.take(key):
            response = JsonResponse(recorded.body, recorded.headers)
            response.request, response.url, response.is_replayed = request, request.url or "", True
            return response
        response = cast("JsonResponse", self._session.send(request, **self._settings))
        if response.ok:
            self._journal.record(key, response.headers, response.content)
        return response

    def _prepare(self, request: Request) -> PreparedRequest:
        """Prepare a request; one that differs from an earlier one in its query only is a copy."""
        if request.json or request.data:
            return Request(
                request.method,
                request.url,
                request.headers,
                params=request.params,
                json=request.json,
                data=request.data,
            ).prepare()
        form = f"{request.method} {request.url} {request.headers}"
        if form not in self._templates:
            bare = Request(request.method, request.url, request.headers)
            self._templates = {form: self._session.prepare_request(bare)}
        prepared = self._templates[form].copy()
        prepared.url = _add_query(prepared.url or "", request.params)
        return prepared

    def __enter__(self) -> ApiClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session.throttle.shutdown()
        self._threads.shutdown(cancel_futures=True)


def _key(request: Request) -> str:
    body = (request.json, request.data) if request.json or request.data else ""
    return f"{request.url} {request.method} {request.params} {request.headers} {body}"


def _add_query(url: str, params: Mapping[str, Any] | None) -> str:
    """Add parameters to a URL without parsing it, as requests would."""
    query = urlencode(
        [(name, value) for name, value in (params or {}).items() if value is not None], True
    )
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url
