"""How a sandbox answers a request, apart from HTTP: from a query to a status and a body."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import orjson

from event_assets.sandbox.event_list import Listing, Row
from event_assets.sandbox.faults import Faults, due

DEFAULT_LIMIT = 100


@dataclass
class FakeResponse:
    """An answer: `members` are the JSON object that is its body, unless `text` is set."""

    status: int = 200
    members: dict[str, bytes] = field(default_factory=dict[str, bytes])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    text: bytes | None = None
    media_type: str = "application/json"
    cut: bool = False  # only the first half of the body is sent

    def body(self) -> bytes:
        """Return the bytes of the body."""
        if self.text is not None:
            return self.text
        return b"{%s}" % b",".join(b'"%s":%s' % (k.encode(), v) for k, v in self.members.items())


def error(status: int, reason: str, headers: Mapping[str, str] | None = None) -> FakeResponse:
    """Return the answer `{"error": reason}`."""
    return FakeResponse(status, {"error": orjson.dumps(reason)}, dict(headers or {}))


def whole_number(text: str | None, default: int | None = None) -> int | None:
    """Read an offset or a limit: `default` if it is absent, None if it is no whole number."""
    if text is None:
        return default
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _html(answer: FakeResponse) -> None:
    answer.text, answer.media_type = (
        b"<html><body><h1>Be right back</h1></body></html>",
        "text/html",
    )


def _broken_json(answer: FakeResponse) -> None:
    body = answer.body()
    answer.text = body[: len(body) // 2]


def _null_data(answer: FakeResponse) -> None:
    answer.members["data"] = b"null"


def _missing_data(answer: FakeResponse) -> None:
    del answer.members["data"]


def _cut(answer: FakeResponse) -> None:
    answer.cut = True


# By the name of the fault that says how often: how it spoils a good answer.
_SPOIL: dict[str, Callable[[FakeResponse], None]] = {
    "null_data_every": _null_data,
    "missing_data_every": _missing_data,
    "html_every": _html,
    "broken_json_every": _broken_json,
    "reset_every": _cut,
}

# By the name of the fault that says how often: the change it makes to a row.
_MALFORM: dict[str, Callable[[dict[str, object]], object]] = {
    "null_id_every": lambda event: event.update(id=None),
    "missing_id_every": lambda event: event.pop("id", None),
    "bad_start_every": lambda event: event.update(start_time="soon"),
}

# By `Faults.total`: the members that tell a total, of the rows there are and of those in the page.
_TOTAL: dict[str, Callable[[int, int], dict[str, bytes]]] = {
    "rows": lambda rows, _: {"total": b"%d" % rows},
    "none": lambda _, __: {},
    "page": lambda _, page: {"total": b"%d" % page},
    "nested": lambda rows, _: {"pagination": b'{"total":%d}' % rows},
}


class Answers:
    """Answers requests for pages of a listing, with faults; keeps count of the requests."""

    def __init__(self, listing: Listing, key: str) -> None:
        """Answer with rows of `listing` whoever has the key `key`."""
        self.listing = listing
        self._key = key
        self._seen: Faults | None = None
        self._number = 0
        self._page_emptied = False
        self._tokens, self._filled = 1.0, time.monotonic()

    def key_right(self, key: str | None) -> bool:
        """Tell whether `key` is the key."""
        return key == self._key

    def answer(self, query: Mapping[str, str], faults: Faults) -> FakeResponse:
        """Answer a request to `/v1/events` that has the parameters `query`."""
        if faults != self._seen:
            self._seen = dataclasses.replace(faults)
            self._number, self._page_emptied = 0, False
            self._tokens = max(1.0, faults.rate_limit)
        self._number += 1
        key = query.get("api_key")
        answer = self._refusal(key, faults) or self._page(query, faults)
        if faults.echo_key and key is not None:
            answer.members["api_key"] = orjson.dumps(key)
            answer.headers["X-Api-Key"] = quote(key)
        if answer.status == 200:
            for name, spoil in _SPOIL.items():
                if due(getattr(faults, name), self._number):
                    spoil(answer)
        return answer

    def _refusal(self, key: str | None, faults: Faults) -> FakeResponse | None:
        if not faults.ignore_key and not self.key_right(key):
            return error(401, "the api_key is wrong" if key else "the api_key is missing")
        if self._number <= faults.fail_first or due(faults.fail_every, self._number):
            headers = _retry_after(faults.retry_after)
            return error(faults.fail_status, "the sandbox fails, as it was told to", headers)
        wait = self._seconds_over(faults.rate_limit)
        if wait > 0:
            after = math.ceil(wait) if faults.retry_after is None else faults.retry_after
            return error(429, "too many requests", _retry_after(after))
        return None

    def _seconds_over(self, rate: float) -> float:
        """Take a token from a bucket of one second's requests; return the wait if it is empty."""
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
        offset = whole_number(query.get("offset"), 0)
        limit = whole_number(query.get("limit"), DEFAULT_LIMIT)
        if offset is None:
            return error(400, "offset is to be a whole number from 0")
        if not limit:
            return error(400, "limit is to be a whole number from 1")
        if due(faults.delete_every, self._number):
            self.listing.delete(before=offset)
        if due(faults.insert_every, self._number):
            self.listing.insert(before=offset)
        if faults.page_cap:
            limit = min(limit, faults.page_cap)
        if faults.ignore_offset:
            offset = 0
        rows = self.listing.rows[offset : offset + limit]
        empty_at = faults.empty_page_at
        if empty_at is not None and not self._page_emptied and offset <= empty_at < offset + limit:
            self._page_emptied = True
            rows = []
        data = b"[%s]" % b",".join(_bodies(rows, faults))
        return FakeResponse(
            members={"data": data, **_total(len(self.listing.rows), len(rows), faults)}
        )


def _retry_after(value: float | str | None) -> dict[str, str]:
    if value is None:
        return {}
    return {"Retry-After": value if isinstance(value, str) else f"{value:g}"}


def _total(rows: int, page: int, faults: Faults) -> dict[str, bytes]:
    if isinstance(faults.total, int):
        return {"total": b"%d" % (rows + faults.total)}
    return _TOTAL[faults.total](rows, page)


def _bodies(rows: list[Row], faults: Faults) -> list[bytes]:
    every = {name: getattr(faults, name) for name in _MALFORM}
    if not any(every.values()):
        return [row.body for row in rows]
    return [_malformed(row, every) for row in rows]


def _malformed(row: Row, every: Mapping[str, int]) -> bytes:
    names = [name for name in every if due(every[name], row.serial)]
    if not names:
        return row.body
    event: dict[str, object] = orjson.loads(row.body)
    for name in names:
        _MALFORM[name](event)
    return orjson.dumps(event)
