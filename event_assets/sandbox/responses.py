"""The responses of a sandbox, without HTTP: from a query to a status and a body."""

import dataclasses
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from event_assets.sandbox.event_list import EventList
from event_assets.sandbox.faults import Faults, Total, is_due


@dataclass
class FakeResponse:
    """A response; `members` form the JSON object of its body."""

    status: int = 200
    members: dict[str, bytes] = field(default_factory=dict[str, bytes])
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def body(self) -> bytes:
        """Return the body."""
        return b"{%s}" % b",".join(b'"%s":%s' % (k.encode(), v) for k, v in self.members.items())


def error_response(status: int, reason: str, **headers: str) -> FakeResponse:
    """Return the answer `{"error": reason}`."""
    return FakeResponse(status, {"error": orjson.dumps(reason)}, headers)


def parse_whole_number(text: str | None) -> int | None:
    """Parse an offset or limit; None when absent or not a whole number."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


class FakeApi:
    """Responds to requests for pages of an event list, with faults."""

    def __init__(self, event_list: EventList, key: str) -> None:
        """Serve the rows of `event_list` to requests with `key`."""
        self.event_list = event_list
        self.key = key
        self._last_faults: Faults | None = None
        self.number = 0  # of the requests since the last change of the faults
        self._tokens, self._filled = 1.0, time.monotonic()

    def respond(self, query: Mapping[str, str], faults: Faults) -> FakeResponse:
        """Return the response to a request to `/v1/events` with the parameters `query`."""
        if faults != self._last_faults:
            self._last_faults = dataclasses.replace(faults)
            self.number = 0
            self._tokens = max(1.0, faults.rate_limit)
        self.number += 1
        return self._rejection(query.get("api_key"), faults) or self._page(query, faults)

    def _rejection(self, key: str | None, faults: Faults) -> FakeResponse | None:
        if key != self.key:
            return error_response(401, "the api_key is wrong" if key else "the api_key is missing")
        if self.number <= faults.fail_first or is_due(faults.fail_every, self.number):
            headers = _retry_after(faults.retry_after)
            return error_response(faults.fail_status, "injected failure", **headers)
        wait = self._seconds_until_token(faults.rate_limit)
        if wait > 0:
            after = math.ceil(wait) if faults.retry_after is None else faults.retry_after
            return error_response(429, "too many requests", **_retry_after(after))
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
        offset = parse_whole_number(query.get("offset", "0"))
        limit = parse_whole_number(query.get("limit", "100"))
        if offset is None:
            return error_response(400, "offset must be a whole number from 0")
        if not limit:
            return error_response(400, "limit must be a whole number from 1")
        if is_due(faults.delete_every, self.number):
            self.event_list.delete(before=offset)
        if is_due(faults.insert_every, self.number):
            self.event_list.insert(before=offset)
        if faults.page_cap:
            limit = min(limit, faults.page_cap)
        rows = self.event_list.rows[offset : offset + limit]
        data = b"[%s]" % b",".join(row.body for row in rows)
        total = _total(len(self.event_list.rows), len(rows), faults.total)
        return FakeResponse(members={"data": data, **total})


def _retry_after(value: float | str | None) -> dict[str, str]:
    if value is None:
        return {}
    return {"Retry-After": value if isinstance(value, str) else f"{value:g}"}


def _total(rows: int, page: int, total: Total) -> dict[str, bytes]:
    """Return the members that report the total of a list of `rows`, `page` of them on the page."""
    if total == "none":
        return {}
    if total == "nested":
        return {"pagination": b'{"total":%d}' % rows}
    if total == "page":
        rows = page
    elif isinstance(total, int):
        rows += total
    return {"total": b"%d" % rows}
