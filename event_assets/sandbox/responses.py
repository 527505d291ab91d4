"""The responses of a sandbox, without HTTP: from a query to a status and a body."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import orjson

from event_assets.sandbox.event_list import EventList, Row
from event_assets.sandbox.faults import Faults, is_due

DEFAULT_LIMIT = 100


@dataclass
class FakeResponse:
    """A response: `members` form the JSON object of its body, unless `text` is set."""

    status: int = 200
    members: dict[str, bytes] = field(default_factory=dict[str, bytes])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    text: bytes | None = None
    media_type: str = "application/json"
    is_truncated: bool = False  # only the first half of the body is sent

    def body(self) -> bytes:
        """Return the body."""
        if self.text is not None:
            return self.text
        return b"{%s}" % b",".join(b'"%s":%s' % (k.encode(), v) for k, v in self.members.items())


def error_response(
    status: int, reason: str, headers: Mapping[str, str] | None = None
) -> FakeResponse:
    """Return the answer `{"error": reason}`."""
    return FakeResponse(status, {"error": orjson.dumps(reason)}, dict(headers or {}))


def parse_whole_number(text: str | None, default: int | None = None) -> int | None:
    """Parse an offset or limit: `default` when absent, None when not a whole number."""
    if text is None:
        return default
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _html(response: FakeResponse) -> None:
    response.text, response.media_type = (
        b"<html><body><h1>Be right back</h1></body></html>",
        "text/html",
    )


def _broken_json(response: FakeResponse) -> None:
    body = response.body()
    response.text = body[: len(body) // 2]


def _null_data(response: FakeResponse) -> None:
    response.members["data"] = b"null"


def _missing_data(response: FakeResponse) -> None:
    del response.members["data"]


def _truncate(response: FakeResponse) -> None:
    response.is_truncated = True


# By fault: how it corrupts a response.
_CORRUPT_RESPONSE: dict[str, Callable[[FakeResponse], None]] = {
    "null_data_every": _null_data,
    "missing_data_every": _missing_data,
    "html_every": _html,
    "broken_json_every": _broken_json,
    "reset_every": _truncate,
}

# By fault: how it corrupts a row.
_CORRUPT_ROW: dict[str, Callable[[dict[str, object]], object]] = {
    "null_id_every": lambda event: event.update(id=None),
    "missing_id_every": lambda event: event.pop("id", None),
    "bad_start_every": lambda event: event.update(start_time="soon"),
}

# By `Faults.total`: the members that report it, from the row count of the list and of the page.
_TOTAL_MEMBERS: dict[str, Callable[[int, int], dict[str, bytes]]] = {
    "rows": lambda rows, _: {"total": b"%d" % rows},
    "none": lambda _, __: {},
    "page": lambda _, page: {"total": b"%d" % page},
    "nested": lambda rows, _: {"pagination": b'{"total":%d}' % rows},
}


class FakeApi:
    """Responds to requests for pages of an event list, with faults."""

    def __init__(self, event_list: EventList, key: str) -> None:
        """Serve the rows of `event_list` to requests with `key`."""
        self.event_list = event_list
        self._key = key
        self._last_faults: Faults | None = None
        self._number = 0
        self._page_emptied = False
        self._tokens, self._filled = 1.0, time.monotonic()

    def is_authorized(self, key: str | None) -> bool:
        """Return whether `key` is accepted."""
        return key == self._key

    def respond(self, query: Mapping[str, str], faults: Faults) -> FakeResponse:
        """Return the response to a request to `/v1/events` with the parameters `query`."""
        if faults != self._last_faults:
            self._last_faults = dataclasses.replace(faults)
            self._number, self._page_emptied = 0, False
            self._tokens = max(1.0, faults.rate_limit)
        self._number += 1
        key = query.get("api_key")
        response = self._rejection(key, faults) or self._page(query, faults)
        if faults.echo_key and key is not None:
            response.members["api_key"] = orjson.dumps(key)
            response.headers["X-Api-Key"] = quote(key)
        if response.status == 200:
            for name, corrupt in _CORRUPT_RESPONSE.items():
                if is_due(getattr(faults, name), self._number):
                    corrupt(response)
        return response

    def _rejection(self, key: str | None, faults: Faults) -> FakeResponse | None:
        if not faults.ignore_key and not self.is_authorized(key):
            return error_response(401, "the api_key is wrong" if key else "the api_key is missing")
        if self._number <= faults.fail_first or is_due(faults.fail_every, self._number):
            headers = _retry_after(faults.retry_after)
            return error_response(faults.fail_status, "injected failure", headers)
        wait = self._seconds_until_token(faults.rate_limit)
        if wait > 0:
            after = math.ceil(wait) if faults.retry_after is None else faults.retry_after
            return error_response(429, "too many requests", _retry_after(after))
        return None

    def _seconds_until_token(self, rate: float) -> float:
        """Take a token from the rate limit's bucket; return the wait when it is empty."""
        if rate <= 0:
            return 0.0
        now = time.monotonic()
        self._tokens = min(max(1.0, rate), self._tokens + (now - self._filled) * rate)
        self._filled = now
        if self._tokens < 1:
            return (1 - self._tokens) / rate
        self._tokens -= 1
        return 0.0

    def _page(self, query: Mapping[str, str], faults: Faults) -> FakeResponse:
        offset = parse_whole_number(query.get("offset"), 0)
        limit = parse_whole_number(query.get("limit"), DEFAULT_LIMIT)
        if offset is None:
            return error_response(400, "offset must be a whole number from 0")
        if not limit:
            return error_response(400, "limit must be a whole number from 1")
        if is_due(faults.delete_every, self._number):
            self.event_list.delete(before=offset)
        if is_due(faults.insert_every, self._number):
            self.event_list.insert(before=offset)
        if faults.page_cap:
            limit = min(limit, faults.page_cap)
        if faults.ignore_offset:
            offset = 0
        rows = self.event_list.rows[offset : offset + limit]
        empty_at = faults.empty_page_at
        if empty_at is not None and not self._page_emptied and offset <= empty_at < offset + limit:
            self._page_emptied = True
            rows = []
        data = b"[%s]" % b",".join(_bodies(rows, faults))
        return FakeResponse(
            members={"data": data, **_total(len(self.event_list.rows), len(rows), faults)}
        )


def _retry_after(value: float | str | None) -> dict[str, str]:
    if value is None:
        return {}
    return {"Retry-After": value if isinstance(value, str) else f"{value:g}"}


def _total(rows: int, page: int, faults: Faults) -> dict[str, bytes]:
    if isinstance(faults.total, int):
        return {"total": b"%d" % (rows + faults.total)}
    return _TOTAL_MEMBERS[faults.total](rows, page)


def _bodies(rows: list[Row], faults: Faults) -> list[bytes]:
    every = {name: getattr(faults, name) for name in _CORRUPT_ROW}
    if not any(every.values()):
        return [row.body for row in rows]
    return [_corrupted_body(row, every) for row in rows]


def _corrupted_body(row: Row, every: Mapping[str, int]) -> bytes:
    names = [name for name in every if is_due(every[name], row.serial)]
    if not names:
        return row.body
    event: dict[str, object] = orjson.loads(row.body)
    for name in names:
        _CORRUPT_ROW[name](event)
    return orjson.dumps(event)
