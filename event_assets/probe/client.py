"""Send variations of one request, each once, and read the records in the responses."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from dlt.sources.helpers.rest_client.paginators import OffsetPaginator, RangePaginator
from requests import Response

from event_assets.extract.records_selector import build_records_selector
from event_assets.extract.response_check import response_check
from event_assets.http.errors import status_text
from event_assets.http.pace import read_quota
from event_assets.http.retry_policy import is_rate_limit, seconds_asked
from event_assets.pagination.factory import create_paginator
from event_assets.pagination.list_paginator import ListPaginator
from event_assets.pagination.seen_ids import ReadIds, extract_ids
from event_assets.probe.page import Page
from event_assets.probe.request_input import RequestInput
from event_assets.probe.session import ProbeSession
from event_assets.probe.source_yaml import set_value
from event_assets.values.conversion import to_wire
from event_assets.values.errors import ApiError
from event_assets.values.urls import redact_url

BODY = "body:"  # before the path of a setting that is in the request's JSON
MAX_FORBIDDEN = 2  # responses with 403: some APIs lock out clients that keep trying
RETRY_SECONDS = 0.5
MAX_WAIT = 15.0  # seconds, for a rate limit to be reset
Settings = Mapping[str, Any]
NO_SETTINGS: Settings = MappingProxyType({})
Check = Callable[[Response], str | None]


@dataclass
class Client:
    """Sends variations of a request; the same one is sent once, unless asked for `again`."""

    session: ProbeSession
    given: RequestInput
    selector: str = "$"
    read_ids: ReadIds = lambda rows: [None] * len(rows)
    ignored: Sequence[Mapping[str, Any]] = ()  # `response_actions`: they tell the end of a list
    id_path: str | None = None
    is_patient: bool = True  # asks again where a server fails, and raises where it refuses
    forbidden: int = 0
    refusals: set[str] = field(default_factory=set[str])  # that came twice, and are not repeated
    _known: dict[str, Page] = field(default_factory=dict)

    def apply(self, settings: Settings) -> tuple[dict[str, Any], Any]:
        """Return the given parameters and body with further ones."""
        params = dict(self.given.params)
        body = copy.deepcopy(self.given.body)
        for name, value in settings.items():
            if name.startswith(BODY):
                body = set_value(body, tuple(name.removeprefix(BODY).split(".")), value)
            else:
                params[name] = value
        return params, body

    def build(self, settings: Settings = NO_SETTINGS) -> requests.Request:
        """Return the given request with further parameters."""
        given, (params, body) = self.given, self.apply(settings)
        return requests.Request(
            given.method,
            given.url,
            headers={name: str(value) for name, value in given.headers.items()},
            params=to_wire(params),
            json=body,
            data=given.form,
        )

    def ask(self, settings: Settings = NO_SETTINGS, **how: Any) -> Page:
        """Send the request with further parameters, and read its page, as `fetch` does."""
        return self.fetch(self.build(settings), **how)

    def fetch(
        self,
        request: requests.Request,
        check: Check | None = None,
        *,
        with_key: bool = True,
        again: bool = False,
    ) -> Page:
        """Send a request, unless its response is known, and read its page.

        Some servers fail to send the list at times, which is asked for twice then, unless they send
        the same in its place each time.

        Raises:
            ApiError: the API limits requests, or refuses them for the second time.
        """
        name = self.name(request, with_key=with_key)
        if name in self._known and not again:
            return self.read(self._known[name], check)
        page = self._known[name] = self._send(request, check, with_key)
        return page

    def move(self, url: str) -> Page:
        """Ask at another address from now on, with the given query."""
        query = urlsplit(self.given.url).query
        self.given = replace(self.given, url=f"{url}?{query}" if query else url)
        return self.ask()

    def _send(self, request: requests.Request, check: Check | None, with_key: bool) -> Page:
        page = self.read(self.session.fetch(request, with_key), check)
        if not self.is_patient:
            return page
        self._wait_or_stop(page)
        if page.text in self.refusals or not (page.problem or _is_fault(page)):
            return page
        time.sleep(RETRY_SECONDS)
        again = self.read(self.session.fetch(request, with_key), check)
        self._wait_or_stop(again)
        self.refusals |= {page.text} & {again.text} if again.problem else set()
        return again

    def name(self, request: requests.Request, *, with_key: bool = True) -> str:
        """Return what tells a request from others."""
        is_signed = with_key and self.session.has_auth
        params = to_wire(request.params)
        parts = [request.method, request.url, params, request.json, is_signed]
        return json.dumps(parts, default=str, sort_keys=True)

    def check(self) -> Check:
        """Build the check by which a sync finds the problem of a response."""
        endpoint = {"data_selector": self.selector, "response_actions": self.ignored}
        return response_check(endpoint, lambda value: self.read_ids([value])[0] is not None)

    def read(self, page: Page, check: Check | None = None) -> Page:
        """Return a page with the records that a sync finds in it."""
        if page.response is None or not page.is_ok:
            return page
        said = (check or self.check())(page.response)
        rows = build_records_selector(self.selector)(page.response) if said is None else []
        return replace(page, problem=said or "", rows=rows, ids=extract_ids(rows, self.read_ids))

    def _wait_or_stop(self, page: Page) -> None:
        """Wait until the API allows further requests, as its headers say.

        Raises:
            ApiError: that would take too long, it limits requests, or forbids them again.
        """
        if page.response is None:
            return
        quota = read_quota(page.response.headers)
        seconds = quota.seconds if quota and not quota.remaining else 0.0
        where, status = redact_url(self.given.url), status_text(page.response.status_code)
        if is_rate_limit(page.response) or seconds > MAX_WAIT:
            seconds = seconds_asked(page.response) or seconds
            when = f"in {seconds:,.0f} s at the earliest" if seconds else "later"
            raise ApiError(
                f"The API at {where} limits requests: it answered {status}.{page.said} Nothing was "
                f"written; try again {when}, and with --set requests_per_second=1 if it allows few "
                "in a second, or 0.15 if it allows few in a minute."
            )
        time.sleep(max(0.0, seconds))
        self.forbidden += page.status == HTTPStatus.FORBIDDEN
        if page.status == HTTPStatus.FORBIDDEN and self.forbidden >= MAX_FORBIDDEN:
            given = "" if self.session.has_auth else "give the key by --key-from-env, and "
            raise ApiError(
                f"The API at {where} answered {status} twice.{page.said} As some APIs lock out who "
                f"goes on, nothing more was sent: {given}name the key's place by --set "
                "auth.name=..., or give the documentation's curl command by --curl."
            )

    def start(self, paginator: Any, settings: Settings) -> tuple[ListPaginator, requests.Request]:
        """Return the paginator of a configuration, and its first request.

        Raises:
            ValueError: it cannot be made.
        """
        pages = create_paginator(copy.deepcopy(paginator), self.read_ids)
        request = self.build(settings)
        pages.init_request(request)
        return pages, request

    def ask_page(self, paginator: Any, settings: Settings, number: int, size: int) -> Page:
        """Read a page of `size` rows by its number, from 0 on, if pages or rows are counted."""
        pages, request = self.start(paginator, settings)
        active = cast("RangePaginator", pages.active)
        step = size if isinstance(active, OffsetPaginator) else 1
        active.current_value = max(0, active.initial_value + number * step)
        active.update_request(request)
        return self.fetch(request)


def _is_fault(page: Page) -> bool:
    """Return whether the same request may succeed: a 5xx, broken JSON, a closed connection."""
    if page.status is None:
        return not page.error.startswith("not requested")
    return not page.is_answer or (page.status == HTTPStatus.OK and not page.is_ok)
