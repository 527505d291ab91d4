"""Read lists that change with paginators, in a loop like that of a sync."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import requests

from event_assets.config.time_windows import TimeWindowsConfig
from event_assets.http.response import JsonResponse
from event_assets.pagination.evidence import judge
from event_assets.pagination.factory import create_paginator
from event_assets.pagination.per_parent import ListAggregator
from event_assets.pagination.result import PaginationResult
from event_assets.pagination.time_windows import Paginator, TimeWindowPaginator
from event_assets_tests.support.list_models import (
    PAGINATORS,
    URL,
    ChangingList,
    Query,
    Reply,
    Server,
)
from event_assets_tests.support.offset_lists import Edit
from event_assets_tests.support.paging import read_ids

FIRST_DAY = date(2026, 1, 1)


class Reader:
    """Reads lists in a loop like that of a sync; a script changes them after each request.

    Attributes:
        accidents: statuses of requests by their number; 0: a response that is ignored.
    """

    def __init__(
        self, script: Sequence[Sequence[Edit]] = (), accidents: Mapping[int, int] | None = None
    ) -> None:
        self._script = script
        self._accidents = accidents or {}
        self.requests = 0
        self.delivered = set[int]()
        self.failed = False

    def read(self, paginator: Paginator, serve: Server, listed: ChangingList) -> None:
        params = {"per_page": listed.asked} if listed.asked else {}
        request = requests.Request("GET", URL, params=params, json={})
        paginator.init_request(request)
        while paginator.has_next_page and not self.failed:
            query = {**dict(parse_qsl(urlsplit(request.url).query)), **(request.params or {})}
            sent = {name: str(value) for name, value in {**query, **(request.json or {})}.items()}
            status, body, headers = serve(listed.at_request(self.requests), sent)
            status = self._accidents.get(self.requests, status)
            for edit in self._script[self.requests : self.requests + 1]:
                for change in edit:
                    listed.edit(*change)
            self.requests += 1
            assert self.requests < 3_000, "the list does not end"
            self._receive(paginator, status, body, headers)
            paginator.update_request(request)

    def _receive(
        self, paginator: Paginator, status: int, body: Any, headers: dict[str, str]
    ) -> None:
        if status in (200, 206):
            response = JsonResponse(orjson.dumps(body), headers, status)
            rows = paginator.receive(response, body["data"])
            self.delivered.update(row["id"] for row in rows)
        elif status:
            self.failed = not paginator.refused(status)
        else:
            paginator.stopped_early()


def read(
    kind: str,
    listed: ChangingList,
    script: Sequence[Sequence[Edit]] = (),
    accidents: Mapping[int, int] | None = None,
) -> tuple[set[int], PaginationResult, int]:
    """Read a list; return ids, result and requests. A sync that fails is not complete."""
    config, serve = PAGINATORS[kind]
    reader = Reader(script, accidents)
    paginator = create_paginator(config, read_ids, is_alone=True)
    reader.read(paginator, serve, listed)
    return reader.delivered, judge(paginator.facts), reader.requests


def read_lists(
    kind: str, lists: Collection[ChangingList], script: Sequence[Sequence[Edit]]
) -> tuple[set[int], PaginationResult]:
    """Read the lists of several parents; return ids and the result of all."""
    config, serve = PAGINATORS[kind]
    reader, results = Reader(script), ListAggregator()
    for listed in lists:
        paginator = create_paginator(config, read_ids)
        reader.read(paginator, serve, listed)
        results.add(paginator.facts)
    return reader.delivered, judge(results.facts)


def read_in_windows(
    kind: str, listed: ChangingList, script: Sequence[Sequence[Edit]], cap: int, **options: str
) -> tuple[set[int], PaginationResult]:
    """Read a list, of which the API shows `cap` rows at most: row n is on day n, if not added."""
    config, serve = PAGINATORS[kind]
    windows = TimeWindowsConfig(
        param_from="from", param_to="to", cap=cap, format="%Y-%m-%d", **options
    )

    def serve_window(listed: ChangingList, query: Query) -> Reply:
        def is_shown(row: int) -> bool:
            day = str(FIRST_DAY + timedelta(days=row % 1_000))
            return query.get("from", "") <= day <= query.get("to", "9")

        shown = [row for row in listed.rows if is_shown(row)]
        window = replace(listed, rows=shown[:cap])
        window.keys = listed.keys
        status, body, headers = serve(window, query)
        if listed.total == "true":
            body["total_count"] = len(shown)
        return status, body, headers

    now = datetime(2026, 1, 10, tzinfo=UTC)
    paginator = TimeWindowPaginator(lambda: create_paginator(config, read_ids), windows, now)
    reader = Reader(script)
    reader.read(paginator, serve_window, listed)
    return reader.delivered, judge(paginator.facts)
