"""The sandbox with what only tests need: its requests, its rows, and broken responses."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote

import orjson

from event_assets.sandbox import KEY, Event, EventSimulation
from event_assets.sandbox import Faults as KnownFaults
from event_assets.sandbox import Sandbox as PlainSandbox
from event_assets.sandbox.event_list import EventList, Row, Source
from event_assets.sandbox.faults import is_due
from event_assets.sandbox.responses import FakeApi, FakeResponse, parse_whole_number

__all__ = ["KEY", "Event", "EventSimulation", "Faults", "Sandbox"]


@dataclass
class Faults(KnownFaults):
    """The faults of the sandbox, and those of APIs that break their own contract."""

    null_id_every: int = 0  # null as the id of every Nth row of the list
    missing_id_every: int = 0  # no id
    bad_start_every: int = 0  # `soon` as the start
    broken_json_every: int = 0  # truncated JSON with status 200 in every Nth response
    html_every: int = 0  # HTML with status 200
    null_data_every: int = 0  # null in place of the list
    missing_data_every: int = 0  # no list
    reset_every: int = 0  # the connection is closed in the middle of every Nth response
    ignore_offset: bool = False  # always the first page
    empty_page_at: int | None = None  # an offset at which a page is empty once
    ignore_key: bool = False  # any key is accepted, and none
    echo_key: bool = False  # the key is returned as api_key and in X-Api-Key


@dataclass
class RawResponse(FakeResponse):
    """A response whose body is a text."""

    text: bytes = b""

    def body(self) -> bytes:
        """Return the text."""
        return self.text


@dataclass(frozen=True)
class RecordedRequest:
    """A request and its status; never holds the key.

    `offset` and `limit` are None when absent or not whole numbers; `at` is `time.monotonic()` at
    the response.
    """

    method: str
    path: str
    offset: int | None
    limit: int | None
    status: int
    at: float
    authorized: bool


class BrokenApi(FakeApi):
    """Breaks the responses of the sandbox."""

    _emptied: Faults | None = None

    def respond(self, query: Mapping[str, str], faults: KnownFaults) -> FakeResponse:
        """Return the response to a request, with the faults of tests."""
        if not isinstance(faults, Faults):
            return super().respond(query, faults)
        key = query.get("api_key")
        asked = {**query, **({"api_key": self.key} if faults.ignore_key else {})}
        asked |= {"offset": "0"} if faults.ignore_offset else {}
        response = super().respond(asked, faults)
        if faults.echo_key and key is not None:
            response.members["api_key"] = orjson.dumps(key)
            response.headers["X-Api-Key"] = quote(key)
        if response.status == 200:
            offset = parse_whole_number(asked.get("offset", "0")) or 0
            self._break_rows(response, offset, faults)
            return self._break_body(response, faults)
        return response

    def _break_rows(self, response: FakeResponse, offset: int, faults: Faults) -> None:
        broken = faults.null_id_every or faults.missing_id_every or faults.bad_start_every
        if not broken and faults.empty_page_at is None:
            return
        rows: list[dict[str, Any]] = orjson.loads(response.members["data"])
        for number, row in enumerate(rows, offset + 1):
            if is_due(faults.null_id_every, number):
                row["id"] = None
            if is_due(faults.missing_id_every, number):
                row.pop("id", None)
            if is_due(faults.bad_start_every, number):
                row["start_time"] = "soon"
        empty_at = faults.empty_page_at
        is_there = empty_at is not None and offset <= empty_at < offset + len(rows)
        if is_there and self._emptied is not faults:
            self._emptied, rows = faults, []
        response.members["data"] = orjson.dumps(rows)

    def _break_body(self, response: FakeResponse, faults: Faults) -> FakeResponse:
        if is_due(faults.null_data_every, self.number):
            response.members["data"] = b"null"
        if is_due(faults.missing_data_every, self.number):
            del response.members["data"]
        body, headers = response.body(), response.headers
        if is_due(faults.html_every, self.number):
            body = b"<html><body><h1>Be right back</h1></body></html>"
            headers["Content-Type"] = "text/html; charset=utf-8"
        if is_due(faults.broken_json_every, self.number):
            body = body[: len(body) // 2]
        if is_due(faults.reset_every, self.number):  # the server closes the connection behind it
            headers["Content-Length"] = str(len(body))
            body = body[: len(body) // 2]
        return RawResponse(response.status, headers=headers, text=body)


class WatchedList(EventList):
    """Knows which rows were there throughout a phase, and which came and went."""

    def __init__(self, source: Source, at: datetime, seed: int = 0) -> None:
        """Begin with a phase."""
        self.present: set[str] = set()
        super().__init__(source, at, seed)
        self.begin_phase()

    def ids(self) -> list[str]:
        """Return the ids of the rows in order, without rows that have no text id."""
        return [row.ident for row in self.rows if row.ident is not None]

    def begin_phase(self) -> None:
        """Start a phase."""
        self.deleted: list[str] = []
        self.inserted: list[str] = []
        self.present = set(self.ids())

    def replace(self, source: Source, at: datetime) -> None:
        """Replace all rows."""
        super().replace(source, at)
        self.present &= set(self.ids())

    def delete(self, before: int) -> Row | None:
        """Delete a row."""
        row = super().delete(before)
        if row and row.ident is not None:
            self.deleted.append(row.ident)
            self.present.discard(row.ident)
        return row

    def insert(self, before: int) -> Row:
        """Insert a row."""
        row = super().insert(before)
        self.inserted.append(str(row.ident))
        return row


class Sandbox(PlainSandbox):
    """The sandbox with the faults of tests.

    It knows which rows were there throughout a phase; `requests` records the requests so far.
    """

    list_type = WatchedList
    api_type = BrokenApi

    def __init__(
        self,
        events: int | EventSimulation | Sequence[Mapping[str, Any]] = 250,
        key: str = KEY,
        faults: Faults | None = None,
        **others: Any,
    ) -> None:
        """Serve `events`, as the sandbox does."""
        super().__init__(events, key, faults or Faults(), **others)
        self.requests: list[RecordedRequest] = []

    async def _respond(self, method: str, path: str, query: Mapping[str, str]) -> FakeResponse:
        response = await super()._respond(method, path, query)
        self.requests.append(
            RecordedRequest(
                method,
                path,
                parse_whole_number(query.get("offset")),
                parse_whole_number(query.get("limit")),
                response.status,
                time.monotonic(),
                query.get("api_key") == self._api.key,
            )
        )
        return response

    def ids(self) -> list[str]:
        """Return the current ids in order."""
        with self._current() as event_list:
            return cast("WatchedList", event_list).ids()

    def replace(self, events: Source) -> None:
        """Replace the events that are served."""
        with self._lock:
            self._event_list.replace(events, self._clock())

    def begin_phase(self) -> None:
        """Start a phase: reset `present_throughout`, `deleted` and `inserted`."""
        with self._current() as event_list:
            cast("WatchedList", event_list).begin_phase()

    def present_throughout(self) -> set[str]:
        """Return the ids present at all times since the phase began."""
        with self._current() as event_list:
            return set(cast("WatchedList", event_list).present)

    @property
    def deleted(self) -> list[str]:
        """Return the ids that `delete_every` deleted in this phase, in order."""
        with self._current() as event_list:
            return [*cast("WatchedList", event_list).deleted]

    @property
    def inserted(self) -> list[str]:
        """Return the ids that `insert_every` inserted in this phase, in order."""
        with self._current() as event_list:
            return [*cast("WatchedList", event_list).inserted]
